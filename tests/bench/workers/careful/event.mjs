// The event: its key, its labels, and the message for the queue (CloudEvents 1.0 in JSON).

const MESSAGE_BYTES_MAX = 127_872;
const HEADERS_BYTES_MAX = 16_000;
const LABEL_BYTES_MAX = 200;
const CONTENT_TYPE_BYTES_MAX = 1_000;
const CONTENT_DIGEST_BYTES = 16;
export const MESSAGE_TOO_LARGE = Symbol("message too large");

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const json = JSON.stringify;

/** Writes a length as 64 bits, big-endian, at `at`; returns where it ends. */
function writeLength(bytes, at, length) {
  bytes[at + 4] = length >>> 24;
  bytes[at + 5] = length >>> 16;
  bytes[at + 6] = length >>> 8;
  bytes[at + 7] = length;
  return at + 8;
}

const withLengths = (...parts) => {
  const encoded = parts.map((part) => encoder.encode(part));
  const bytes = new Uint8Array(encoded.reduce((sum, part) => sum + 8 + part.length, 0));
  let at = 0;
  for (const part of encoded) {
    at = writeLength(bytes, at, part.length);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

/** The key under which the event is remembered, in hex. */
export async function dedupKey(source, id) {
  source.keyPrefix ??= withLengths("hookgate event key 1", source.tenant, "source", source.name, "header:webhook-id");
  const { keyPrefix } = source;
  const bytes = new Uint8Array(keyPrefix.length + 8 + id.length);
  bytes.set(keyPrefix);
  bytes.set(id, writeLength(bytes, keyPrefix.length, id.length));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Tells whether a copy was signed over the same content: id, dot, dot and body, each with its length. */
export async function contentDigest(content, bodyAt, id) {
  const start = bodyAt - 34 - id.length;
  content.fill(0, start, bodyAt);
  let at = writeLength(content, start, id.length);
  content.set(id, at);
  at = writeLength(content, at + id.length, 1);
  content[at] = 0x2e;
  at = writeLength(content, at + 1, 1);
  content[at] = 0x2e;
  writeLength(content, at + 1, content.length - bodyAt);
  const digest = await crypto.subtle.digest("SHA-256", content.subarray(start));
  return new Uint8Array(digest, 0, CONTENT_DIGEST_BYTES).toHex();
}

/** The provider's id and type, for people. */
export function labels(id, body) {
  return { id: cut(id, LABEL_BYTES_MAX), type: typeOf(body) };
}

/**
 * One difference to the gate is left: JSON that JavaScript takes and the gate does not (deeper than 128 levels, a
 * lone surrogate, a number beyond the range of a double) has its type here and none there.
 */
function typeOf(body) {
  let type;
  try {
    const text = decoder.decode(body);
    type = JSON.parse(text)?.type;
    if (typeof type === "number") type = written(text);
  } catch {
    return "webhook";
  }
  return typeof type === "string" && type !== "" ? cut(type, LABEL_BYTES_MAX) : "webhook";
}

/** An integer's digits as they were written: a number loses some beyond 53 bits. */
function written(text) {
  const sources = new Map();
  let source;
  JSON.parse(text, function (name, value, context) {
    if (name === "type") sources.set(this, context.source);
    if (name === "") source = sources.get(value);
    return value;
  });
  return INTEGER.test(source ?? "") && BigInt(source) >= I64_MIN && BigInt(source) <= U64_MAX ? source : undefined;
}

const INTEGER = /^(0|-?[1-9][0-9]*)$/;
const I64_MIN = -(2n ** 63n);
const U64_MAX = 2n ** 64n - 1n;

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** At most `most` bytes of UTF-8, without control characters. */
function cut(text, most) {
  let short = text;
  if (text.length * 3 > most) {
    const { read } = encoder.encodeInto(text, new Uint8Array(most));
    short = text.slice(0, read);
  }
  return short.replace(CONTROL, "?");
}

const OPTIONAL_CARRIED = ["content-type", "content-encoding", "user-agent"];

/** The place of a header among those that are carried: the last are dropped first. */
function rank(name) {
  if (name === "content-type" || name === "content-encoding") return 0;
  return name === "webhook-signature" || name === "webhook-timestamp" || name === "webhook-id" ? 1 : 3;
}

/** `{ kept, dropped }`: what the backend is given of the headers, as JSON, within `room` bytes. */
function carry(headers, room) {
  const carried = [];
  for (const pair of headers) if (pair[0].startsWith("webhook-") || OPTIONAL_CARRIED.includes(pair[0])) carried.push(pair);
  carried.sort((left, right) => rank(left[0]) - rank(right[0]));
  // Encoded twice, one UTF-16 unit takes four bytes at most, and a pair's frame fourteen.
  if (carried.reduce((sum, [name, value]) => sum + 4 * (name.length + value.length) + 14, 0) <= room)
    return { kept: carried, dropped: 0 };
  const kept = [];
  let used = 0;
  for (const pair of carried) {
    const cost = bytesIn(json(json(pair))) + 1;
    if (used + cost > room) continue;
    used += cost;
    kept.push(pair);
  }
  return { kept, dropped: carried.length - kept.length };
}

const bytesIn = (text) => encoder.encode(text).length;

/** The text for the queue, or `MESSAGE_TOO_LARGE`. */
export function envelope({ source, key, claims, now, dedup, body, ids, headers, id, type }) {
  const contentType = headers.get("content-type");
  const head =
    `{"specversion":"1.0","id":${json(id)},"source":"${source.name}","type":${json(type)},"time":"${new Date(claims.timeMs).toISOString()}",` +
    (contentType === null ? "" : `"datacontenttype":${json(cut(contentType, CONTENT_TYPE_BYTES_MAX))},`) +
    `"hookgateversion":"1","tenant":"${source.tenant}","scheme":"${source.scheme}","keyid":"${key.name}","receivedtime":"${new Date(now).toISOString()}",` +
    `"dedupkey":"${dedup}","run":0,"requestid":"${ids.request}","traceparent":"${ids.traceparent}",`;
  const data = body.toBase64();
  const tail = `"data_base64":"${data}"}`;
  const room = MESSAGE_BYTES_MAX - bytesIn(head) - tail.length - 64;
  if (room < 0) return MESSAGE_TOO_LARGE;
  const { kept, dropped } = carry(headers, Math.min(room, HEADERS_BYTES_MAX));
  return (
    head +
    (kept.length === 0 ? "" : `"originalheaders":${json(json(kept))},`) +
    (dropped === 0 ? "" : `"headersdropped":${dropped},`) +
    tail
  );
}
