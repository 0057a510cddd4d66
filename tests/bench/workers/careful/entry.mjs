// The gate's rival: what a careful engineer would write by hand for sources that speak Standard
// Webhooks. The same checks in the same order, the same answers, log lines, keys and messages
// (careful.test.mjs compares them), with WebCrypto and without a needless copy or crossing.

import { readClaims } from "./claims.mjs";
import { contentDigest, dedupKey, envelope, labels, MESSAGE_TOO_LARGE } from "./event.mjs";
import { answer, record } from "./report.mjs";
import { hold } from "./road.mjs";
import { sourcesOf } from "./state.mjs";
import { ids } from "./trace.mjs";

const HOOKS = "/hooks/";
const GRAIN_MS = 999; // whole seconds are stamped
const encoder = new TextEncoder();

export default {
  async fetch(request, env, ctx) {
    const started = Date.now();
    // What the record will tell, as far as it is known.
    const seen = { request, started, ids: ids(request.headers.get("traceparent")) };
    const end = (verdict) => {
      record(seen, verdict);
      return answer(verdict, seen);
    };
    const path = pathOf(request.url);
    const source = path.startsWith(HOOKS) ? sourcesOf(env).get(path.slice(HOOKS.length)) : undefined;
    if (source === undefined) return end({ refused: "unknown_source", status: 404, path });
    seen.source = source;
    if (request.method !== "POST") return end({ refused: "method_not_allowed", status: 405 });
    if (source.trouble !== undefined) return end({ unavailable: source.trouble, secretName: source.incompleteName });
    const tooLarge = { refused: "body_too_large", status: 413, evidence: "body_bytes_max", value: source.bodyBytesMax };
    const declared = request.headers.get("content-length");
    if (declared !== null && Number(declared) > source.bodyBytesMax) return end({ ...tooLarge, declaredBytes: Number(declared) });
    const claims = readClaims(request.headers);
    if (claims.refused !== undefined) return end(claims);

    const body = await read(request, declared, source.bodyBytesMax);
    if (body === TOO_LARGE) return end(tooLarge);
    if (body === UNREAD) return end({ unavailable: "body_unread" });
    // After the body: a slow body must not make a stale stamp fresh.
    const now = Date.now();
    seen.bodyBytes = body.byteLength;

    // One buffer for both hashes: the body stands in it once, behind room for the longer prefix.
    const id = encoder.encode(claims.id);
    const content = new Uint8Array(PREFIX_BYTES_MAX + id.length + body.byteLength);
    const bodyAt = PREFIX_BYTES_MAX + id.length;
    content.set(body, bodyAt);
    const key = await keyThatSigned(source, claims, content.subarray(signedPrefix(content, bodyAt, id, claims.time)));
    if (key === undefined) {
      return end(
        source.incomplete === undefined
          ? { refused: "signature_mismatch", status: 401, secretsTried: source.keys.length }
          : { unavailable: source.incomplete, secretName: source.incompleteName },
      );
    }
    seen.keyId = key.name;
    seen.signedMs = claims.timeMs;
    const age = now - claims.timeMs;
    if (age > source.toleranceMs + GRAIN_MS) return end({ refused: "stale", status: 401, evidence: "age_ms", value: age, toleranceSeconds: source.toleranceMs / 1_000 });
    if (-age > FUTURE_MS_MAX) return end({ refused: "from_future", status: 401, evidence: "ahead_ms", value: -age, toleranceSeconds: FUTURE_MS_MAX / 1_000 });
    seen.identity = "signed-id";
    if (source.observe) return end({ observed: true });

    const [dedup, digest] = await Promise.all([dedupKey(source, id), contentDigest(content, bodyAt, id)]);
    const event = { source, key, claims, now, dedup, body, ids: seen.ids, headers: request.headers, ...labels(claims.id, body) };
    seen.event = event;
    const message = envelope(event);
    if (message === MESSAGE_TOO_LARGE) return end({ unavailable: "message_too_large" });
    return end(await hold({ source, dedup, digest, message, requestId: seen.ids.request }, seen, env, ctx));
  },
};

const FUTURE_MS_MAX = 300_000;

function pathOf(url) {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query === -1 ? url.slice(start) : url.slice(start, query);
}

const TOO_LARGE = Symbol("too large");
const UNREAD = Symbol("unread");

/** The body's bytes, never buffering more than `cap` of them and one chunk. */
async function read(request, declared, cap) {
  try {
    // The platform holds a sender to the length it declared, and `request.body` would make a stream first.
    if (declared !== null) return await request.bytes();
    const chunks = [];
    let length = 0;
    for await (const chunk of request.body ?? []) {
      length += chunk.byteLength;
      if (length > cap) return TOO_LARGE; // leaving the loop cancels the stream
      chunks.push(chunk);
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return bytes;
  } catch {
    return UNREAD;
  }
}

/** Four lengths and two dots, or two dots and a time of eleven digits at most. */
const PREFIX_BYTES_MAX = 34;
const DOT = 0x2e;

/** Writes `id.time.` before the body; returns where it begins. */
function signedPrefix(content, bodyAt, id, time) {
  const start = bodyAt - id.length - time.length - 2;
  content.set(id, start);
  content[start + id.length] = DOT;
  encoder.encodeInto(time, content.subarray(start + id.length + 1));
  content[bodyAt - 1] = DOT;
  return start;
}

/** The live key that made one of the signatures; every one is compared in constant time. */
async function keyThatSigned({ keys }, { signatures }, signed) {
  for (const key of keys) {
    const tag = await crypto.subtle.sign("HMAC", await key.imported, signed);
    let matches = false;
    for (const signature of signatures) matches = crypto.subtle.timingSafeEqual(tag, signature) || matches;
    if (matches) return key;
  }
  return undefined;
}
