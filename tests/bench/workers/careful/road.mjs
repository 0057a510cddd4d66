// The effects after admission: look in KV, hold on the queue; or hold in the ledger. What KV has seen goes to the
// ledger, which may want it all the same. When a hold fails the other one is tried, then the spool. Each effect has its slice of the sender's patience.
import { alarm, notice } from "./report.mjs";

const ASK_MS = 400;
const SLICES = { firstMs: 2_070, secondMs: 1_380, spoolMs: 1_150 };
/** After the ledger was asked in vain about what KV has seen. */
const SLICES_LEFT = { firstMs: 1_890, secondMs: 1_260, spoolMs: 1_050 };
const NOTE_MS = 10_000;

/** Holds the event of `load` and says how that ended. `seen.road` is for the record. */
export async function hold(load, seen, env, ctx) {
  load.patience = new Patience();
  const verdict = await attempt(load, (seen.road = {}), env, ctx);
  load.patience.end();
  return verdict;
}

async function attempt(load, road, env, ctx) {
  const { ledger } = load.source;
  let first;
  let slices = SLICES;
  if (ledger) {
    first = await holdInLedger(load, env, slices.firstMs);
    if (first === DUPLICATE) return { duplicate: true };
    if (isHeld(first)) return taken(first, "ledger", road);
  }
  if (await wasSeen(load, road, env)) {
    if (ledger) return { duplicate: true };
    first = await holdInLedger(load, env, ASK_MS, "return");
    if (first === DUPLICATE) return { duplicate: true };
    if (isHeld(first)) return taken(first, "ledger", road, load, env, ctx, false);
    slices = SLICES_LEFT;
  }
  const queue = await holdOnQueue(load, env, ctx, ledger ? slices.secondMs : slices.firstMs);
  if (queue === HELD) return taken(queue, "queue", road, load, env, ctx, ledger);
  let second = first;
  if (!ledger) {
    second = await holdInLedger(load, env, slices.secondMs);
    if (second === DUPLICATE) return { duplicate: true };
    if (isHeld(second)) return taken(second, "ledger", road, load, env, ctx, false);
  }
  const spool = await holdInSpool(load, env, slices.spoolMs);
  if (spool === HELD) return taken(spool, "spool", road, load, env, ctx, true);
  return { unavailable: [first, queue, second, spool].includes(UNKNOWN) ? "hold_unknown" : "hold_failed" };
}

const HELD = Symbol("held");
const REVIVED = Symbol("revived");
const DUPLICATE = Symbol("duplicate");
const FAILED = Symbol("failed");
/** The slice ended first: it may be held, or be held later. */
const UNKNOWN = Symbol("unknown");

const isHeld = (outcome) => outcome === HELD || outcome === REVIVED;

/** With a `load`, the event is written into KV after the answer; with `note`, into the ledger as well. */
function taken(outcome, place, road, load, env, ctx, note) {
  road.heldAt = place;
  if (load !== undefined) ctx.waitUntil(note ? remember(load, env).then(() => tellLedger(load, env)) : remember(load, env));
  return outcome === REVIVED ? { revived: true } : { accepted: true };
}

/** Waits for one effect after the other, each within its slice. One timer serves them all. */
class Patience {
  #timer;
  #until;
  #expire;

  /** The value, or `FAILED` after telling `failed`, or `UNKNOWN` after `ms`. */
  within(ms, promise, failed) {
    this.#until = Date.now() + ms;
    return new Promise((resolve) => {
      this.#expire = resolve;
      if (this.#timer === undefined) this.#set(ms);
      promise.then(resolve, (error) => {
        failed(error);
        resolve(FAILED);
      });
    });
  }

  end() {
    clearTimeout(this.#timer);
  }

  #set(ms) {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const left = this.#until - Date.now();
      if (left > 0) this.#set(left);
      else this.#expire(UNKNOWN);
    }, ms);
  }
}

async function wasSeen({ dedup, digest, patience }, road, env) {
  const found = await patience.within(ASK_MS, env.SEEN.get(`seen/1/${dedup}`), (error) =>
    alarm("memory_unread", { detail: String(error) }),
  );
  if (typeof found !== "string") {
    road.memory = found === FAILED ? "failed" : found === UNKNOWN ? "unknown" : "unseen";
    return false;
  }
  road.memory = "seen";
  const space = found.indexOf(" ");
  road.duplicateOf = space === -1 ? found : found.slice(0, space);
  road.contentDiffers = (space === -1 ? "" : found.slice(space + 1)) !== digest || undefined;
  return true;
}

const AS_TEXT = { contentType: "text" };

async function holdOnQueue(load, env, ctx, ms) {
  const sent = env.EVENTS.send(load.message, AS_TEXT);
  const outcome = await load.patience.within(ms, sent, (error) => alarm("hold_failed", { detail: String(error) }));
  if (outcome === FAILED) return FAILED;
  if (outcome !== UNKNOWN) return HELD;
  // If it succeeds after all, the sender's retry must find the event remembered.
  const late = (held) => notice(held ? "late_hold_succeeded" : "late_hold_failed", { request_id: load.requestId });
  ctx.waitUntil(
    sent.then(
      () => {
        late(true);
        return remember(load, env);
      },
      () => late(false),
    ),
  );
  return UNKNOWN;
}

async function holdInLedger(load, env, ms, how = "arrive") {
  const reply = await ask(load, env, how, load.message, ms);
  if (typeof reply !== "string") return reply;
  switch (JSON.parse(reply).reply) {
    case "new":
      return HELD;
    case "revived":
      return REVIVED;
    case "duplicate":
      return DUPLICATE;
    default:
      return FAILED;
  }
}

/** Tells the ledger of an event that it does not hold itself; the log says if it was not heard. */
async function tellLedger(load, env) {
  const patience = new Patience();
  await ask({ ...load, patience }, env, "note", undefined, NOTE_MS);
  patience.end();
}

function ask({ source, dedup, patience }, env, what, message, ms) {
  const request = `{"key":"${dedup}","expires_ms":${Date.now() + source.rowLifeMs},"ask":"${what}"}`;
  const ledger = env.LEDGER.getByName(source.home, {});
  return patience.within(ms, ledger.ask(request, message), (error) => alarm("ledger_failed", { detail: String(error) }));
}

async function holdInSpool({ message, patience }, env, ms) {
  const name = `spool/${crypto.getRandomValues(new Uint8Array(16)).toHex()}`;
  const outcome = await patience.within(ms, env.ARCHIVE.put(name, message), (error) =>
    alarm("spool_failed", { detail: String(error) }),
  );
  return outcome === FAILED || outcome === UNKNOWN ? outcome : HELD;
}

/** A memory that could not be written costs a copy, never an event. */
async function remember({ source, dedup, digest, requestId }, env) {
  try {
    await env.SEEN.put(`seen/1/${dedup}`, `${requestId} ${digest}`, { expirationTtl: source.retention });
  } catch {
    alarm("memory_unwritten", { request_id: requestId });
  }
}
