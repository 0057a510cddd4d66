// What goes into the record once an answer has left: each call here is in a waitUntil of its own, and none is waited
// for by a request.

import { keepRefused, placeFor } from "./quarantine.mjs";
import { auditUnsent, countMessages, diagnosisOf, refusalMessage, replaceDeadInstance } from "../../build/hookgate.js";

/**
 * How long counts wait to be sent (src/audit/tally.rs, FLUSH_MS); the tests do not wait for so long. And how long after
 * its answer a refusal is diagnosed: the answer has left by then, and whoever measures how long the next one takes learns
 * nothing of this one.
 */
export const pace = { flushMs: 25_000, diagnosisMs: 500 };

/** How long a refusal's message waits for its request to have a place: the platform ends all of it after 30 s. */
const PLACE_MS = 5_000;

/** What the queue did not take, to be offered again. Beyond that the log alone has it. */
const UNSENT_MAX = 32;
let unsent = [];

const AS_TEXT = { contentType: "text" };

/** `what` is what the answer carried (src/edge/audit.rs, ended); `sha256` that of a body that went by. */
export async function report({ draft, sample, puzzle, keep, flush }, request, body, sha256, env) {
  const flushed = flush ? new Promise((resolve) => setTimeout(resolve, pace.flushMs)).then(() => sendCounts(env)) : undefined;
  if (draft !== undefined) {
    const place = keep ? placeFor(draft, body, env) : undefined;
    const kept = place?.then((hasPlace) => hasPlace && keepRefused(draft, request, body, env));
    const diagnosis = puzzle === null ? undefined : await diagnosed(draft, puzzle, body, env);
    const message = await messageOf(draft, sample, diagnosis, request, body, sha256, env);
    // The consumer stores what has a place: it must not come there before.
    if (place) await Promise.race([place, new Promise((resolve) => setTimeout(resolve, PLACE_MS))]);
    if (message !== undefined) await send([message], env);
    await kept;
  }
  await flushed;
}

/** The name of the mistake that explains the refusal, if one does. */
async function diagnosed(draft, puzzle, body, env) {
  await new Promise((resolve) => setTimeout(resolve, pace.diagnosisMs));
  try {
    replaceDeadInstance();
    return diagnosisOf(draft, puzzle, body, env);
  } catch {
    // The panic has its line. The refusal is stored without a diagnosis.
    return undefined;
  }
}

async function messageOf(draft, sample, diagnosis, { cf, headers }, body, sha256, env) {
  const digest = body === undefined ? sha256 : new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const names = [...headers.keys()].join("\n");
  replaceDeadInstance();
  return refusalMessage(
    draft,
    headers.get("cf-connecting-ip") ?? "",
    cf?.asn ?? 0,
    headers.get("user-agent") ?? "",
    names,
    digest,
    body?.subarray(0, sample) ?? new Uint8Array(),
    diagnosis,
    env,
  );
}

function sendCounts(env) {
  replaceDeadInstance();
  const messages = [...unsent, ...countMessages()];
  unsent = [];
  return send(messages, env);
}

/** Each by itself: a message that is refused must not keep its neighbours. */
export async function send(messages, env) {
  for (const message of messages) {
    try {
      await env.AUDIT.send(message, AS_TEXT);
    } catch (error) {
      // Its id makes one that took effect all the same harmless.
      const kept = unsent.length < UNSENT_MAX;
      if (kept) unsent.push(message);
      replaceDeadInstance();
      auditUnsent(error?.name ?? "unknown", kept);
    }
  }
}
