// The Worker's entry point. It hands over the head of a request, has the body read up to the cap it
// is given, and decides nothing.

import { DurableObject } from "cloudflare:workers";
import { report, send } from "./audit.mjs";
import { texts } from "./console.mjs";
import { unlessItDies } from "./instance.mjs";
import { NO_ROOM, Reading, TOO_LARGE } from "./intake.mjs";
import { EXPIRED, Patience, settled } from "./patience.mjs";
import { linesOf, removeKept, removeOverdue } from "./quarantine.mjs";
import { STREAM_MS, UNKEPT, Upload } from "./upload.mjs";
import {
  Arrival,
  administrate,
  consume,
  failed,
  ledgerAnswer,
  ledgerHasLine,
  ledgerIsHolding,
  ledgerOpen,
  ledgerRelay,
  ledgerWoken,
  memoryUnwritten,
  replaceDeadInstance,
  tick,
} from "../../build/hookgate.js";

export { AuditLog } from "./audit_log.mjs";

export default {
  async fetch(request, env, ctx) {
    try {
      return await receive(request, env, ctx);
    } catch (error) {
      // A panic, or a runtime's trap. Neither is the sender's fault, and the text of an error may
      // quote the request: only its kind is written down.
      return unavailable(error?.name ?? "unknown");
    }
  },

  async scheduled(_event, env) {
    replaceDeadInstance();
    await Promise.all([unlessItDies(tick(env)), removeOverdue(env)]);
  },

  async queue(batch, env) {
    try {
      replaceDeadInstance();
      await unlessItDies(consume(batch, env));
    } catch (error) {
      // What was acknowledged stays so; the rest comes again.
      console.error(JSON.stringify({ event: "alarm", what: "consumer_failed", detail: error?.name ?? "unknown" }));
      batch.retryAll({ delaySeconds: 30 });
    }
  },
};

async function receive(request, env, ctx) {
  replaceDeadInstance();
  const { cf, headers } = request;
  const length = headers.get("content-length");
  const arrival = Arrival.open(startOf(request, length), headers, cf?.colo ?? "", cf?.country ?? "", env);
  if (arrival.isForOperator) {
    const answering = answerOperator(request, env, ctx);
    // All of it, for an operator who goes away in between is written down all the same.
    ctx.waitUntil(answering.catch(() => {}));
    return answering;
  }
  // Of the body, what the record may want after the answer.
  let body;
  let sha256;
  if (arrival.wantsBody) {
    const reading = new Reading(request, length, arrival);
    const patience = new Patience();
    try {
      const read = await reading.outcome(patience);
      if (isWhole(read, arrival)) {
        body = read.value;
        // WebCrypto needs no time-out: what it was given is all it waits for.
        await carryOut(arrival.check(read.value), arrival, settled, ctx);
        reading.end();
        if (arrival.isVerified) await hold(arrival, headers, env, ctx, patience);
      }
    } finally {
      reading.end();
      patience.end();
    }
  } else if (arrival.wantsStream) {
    sha256 = await receiveStream(arrival, request, env, ctx);
  }
  const remembering = arrival.remembering;
  const answer = JSON.parse(arrival.answer(cf?.asn ?? 0));
  const response = responseFrom(answer);
  if (answer.audit) ctx.waitUntil(report(answer.audit, request, body, sha256, env));
  if (remembering) {
    ctx.waitUntil(remembering.catch(() => memoryUnwritten(response.headers.get("hookgate-request-id"))));
  }
  return response;
}

async function answerOperator(request, env, ctx) {
  const answer = await unlessItDies(administrate(linesOf(request), request, env));
  if (Array.isArray(answer)) return readmit(answer, env, ctx);
  return typeof answer === "string" ? operatorsResponseOf(answer) : new Response(answer, { headers: CONTENT_HEADERS });
}

/** Has a refusal that was kept judged again, at its time and on the way of every request (src/edge/fetch/readmit.rs). */
async function readmit([lines, body, at, id, operator, tenant, source], env, ctx) {
  const [method, url, ...pairs] = lines.split("\n");
  const headers = new Headers();
  for (let place = 0; place + 1 < pairs.length; place += 2) headers.set(pairs[place], pairs[place + 1]);
  const start = startOf({ method, url, headers }, headers.get("content-length"));
  replaceDeadInstance();
  const arrival = Arrival.reopen(start, headers, at, id, operator, env);
  const patience = new Patience();
  try {
    if (arrival.wantsBody) {
      await carryOut(arrival.check(body), arrival, settled, ctx);
      if (arrival.isVerified) await hold(arrival, headers, env, ctx, patience);
    }
  } finally {
    patience.end();
  }
  const { remembering } = arrival;
  const { answer, record, isOver } = JSON.parse(arrival.readmitted());
  // An operator waits for all of it.
  await remembering?.catch(() => memoryUnwritten(id));
  await send([record], env);
  if (isOver) await removeKept(env, tenant, source, id);
  return responseFrom(answer);
}

/** Has what was verified held. */
function hold(arrival, headers, env, ctx, patience) {
  const within = (effect) => patience.outcomeOf(effect, arrival.sliceMs);
  return carryOut(arrival.admit(headers, env, ctx), arrival, within, ctx);
}

/** The same with a body that goes by; of one that did to its end, the hash. */
async function receiveStream(arrival, request, env, ctx) {
  const plan = arrival.streamPlan();
  const upload = new Upload(arrival.sourceNumber, env.ARCHIVE, plan);
  const patience = new Patience();
  try {
    const read = await patience.outcomeOf(upload.read(request.body), STREAM_MS);
    if (read.value === UNKEPT) arrival.contentUnkept();
    else if (isWhole(read, arrival)) {
      arrival.checkStream(upload, plan.key, read.value);
      if (arrival.isVerified) await hold(arrival, request.headers, env, ctx, patience);
      return read.value[0];
    }
  } finally {
    upload.end();
    patience.end();
  }
}

/** Whether a body was read to its end; if not, the arrival is told why. */
function isWhole(read, arrival) {
  if (read === EXPIRED) arrival.bodyTooSlow();
  else if (read.value === TOO_LARGE) arrival.bodyTooLarge();
  else if (read.value === NO_ROOM) arrival.noRoom();
  else if ("error" in read) arrival.bodyUnread();
  else return true;
  return false;
}

/** Waits for an effect, tells the arrival what came of it, and goes on with the next. */
async function carryOut(effect, arrival, wait, ctx) {
  while (effect) {
    const outcome = await wait(effect);
    if (outcome === EXPIRED) effect = arrival.expired(ctx);
    else if ("value" in outcome) effect = arrival.fulfilled(outcome.value, ctx);
    else effect = arrival.rejected(outcome.error, ctx);
  }
}

function unavailable(kind) {
  try {
    replaceDeadInstance();
    return responseOf(failed(kind));
  } catch {
    // Even the instance that took the dead one's place is dead.
    console.error(JSON.stringify({ event: "verdict", verdict: "unavailable", reason: "panicked", detail: kind }));
    return new Response("", { status: 503, headers: { "retry-after": "10" } });
  }
}

/** After this long without a word from a relay that was begun, another one begins. */
const DEAD_MAN_MS = 60_000;
/** A run that lasts longer goes on with the next alarm: the platform ends one after fifteen minutes. */
const RUN_MS = 30_000;
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 60_000;
/** What arrives cuts the backoff short, but not below this: an outage is no reason for a storm. */
const SPACING_MS = 2_000;

/**
 * The ledger's object. Its rules and its SQL are in wasm; here is what must happen in one turn of the
 * event loop with them: the alarm, without which a held message would sleep for ever.
 */
export class Ledger extends DurableObject {
  /** How often what the queue refused is offered again (src/relay.rs). */
  static REFUSED_AGAIN_MS = 60_000;

  /** When the alarm fires, as far as this object knows. */
  #at = Infinity;
  /** The run that may go on: the last one. */
  #run = 0;
  #relaying = false;
  #backoff = BACKOFF_MS_MIN;
  /** After a failure no attempt is made before this time. */
  #notBefore = 0;
  /** When what was refused is offered next, beside what is not. */
  #refusedAt = 0;
  /** The last request that came with a message. */
  #last;
  /** Of the pace of its deliveries (src/ledger/pace.rs). */
  #pace = new Float64Array(4);

  constructor(ctx, env) {
    super(ctx, env);
    replaceDeadInstance();
    if (ledgerOpen(ctx.storage)) this.#arm(0);
  }

  ask(request, message) {
    replaceDeadInstance();
    const reply = ledgerAnswer(this.ctx.storage, request, message, this.#pace);
    // No await up to here: what is written, the message, the row and the alarm, is written together. A copy of an event that
    // is still held arms as well, in case an alarm was ever lost.
    if (message !== undefined) {
      this.#last = request;
      if (!this.#relaying) this.#armForLine();
    }
    return reply;
  }

  /** What waits here, as JSON. */
  wake() {
    replaceDeadInstance();
    // Whatever this object believes of its alarm: the cron is there for the day it is wrong.
    if (ledgerIsHolding(this.ctx.storage)) this.#arm(0);
    return ledgerWoken(this.ctx.storage);
  }

  async alarm() {
    // First of all the next alarm: whatever ends this run, there will be another.
    this.#arm(DEAD_MAN_MS);
    // No alarm fires beside a running one: a run that still seems to go on was ended from outside.
    const run = ++this.#run;
    this.#relaying = true;
    try {
      await this.#relay(run);
    } catch (error) {
      // Not thrown on: the platform repeats a failed alarm six times, and then forgets it.
      console.error(JSON.stringify({ event: "alarm", what: "relay_failed", detail: error?.name ?? "unknown" }));
      this.#backOff();
    } finally {
      if (run === this.#run) this.#relaying = false;
    }
  }

  async #relay(run) {
    const { storage } = this.ctx;
    const end = Date.now() + RUN_MS;
    for (;;) {
      const withRefused = Date.now() >= this.#refusedAt;
      replaceDeadInstance();
      const took = await unlessItDies(ledgerRelay(storage, this.env, withRefused, this.#last));
      replaceDeadInstance();
      if (run !== this.#run) return;
      // From here to the return in one turn: nothing can come in between the look and the alarm.
      if (took) {
        this.#backoff = BACKOFF_MS_MIN;
        this.#notBefore = 0;
        // Without proof a refusal did not count: then it is offered again beside the next message.
        if (withRefused) this.#refusedAt = Date.now() + this.constructor.REFUSED_AGAIN_MS;
      }
      if (!ledgerIsHolding(storage)) {
        this.#at = Infinity;
        storage.deleteAlarm();
        return;
      }
      if (!ledgerHasLine(storage)) return this.#arm(this.constructor.REFUSED_AGAIN_MS);
      if (!took) return this.#backOff();
      if (Date.now() >= end) return this.#arm(0);
    }
  }

  #backOff() {
    this.#notBefore = Date.now() + SPACING_MS;
    this.#arm(this.#backoff);
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MS_MAX);
  }

  #armForLine() {
    const now = Date.now();
    const soonest = Math.max(now, this.#notBefore);
    // The platform's alarms may be a minute late; after that it was lost.
    const isLost = this.#at + DEAD_MAN_MS < now;
    if ((soonest < this.#at || isLost) && ledgerHasLine(this.ctx.storage)) this.#arm(soonest - now);
  }

  #arm(delay) {
    this.#at = Date.now() + delay;
    this.ctx.storage.setAlarm(this.#at);
  }
}

/** What is wanted of every head, as `linesOf` writes it. */
function startOf(request, length) {
  let lines = `${request.method}\n${request.url}\n`;
  if (length !== null) lines += `content-length\n${length}\n`;
  const { headers } = request;
  const traceparent = headers.get("traceparent");
  if (traceparent !== null) lines += `traceparent\n${traceparent}\n`;
  const ray = headers.get("cf-ray");
  if (ray !== null) lines += `cf-ray\n${ray}\n`;
  return lines;
}

const responseOf = (json) => responseFrom(JSON.parse(json));

/** The same of an operator's answer, which may be a file of the console. */
function operatorsResponseOf(json) {
  const answer = JSON.parse(json);
  return answer.file === undefined ? responseFrom(answer) : new Response(texts[answer.file], answer);
}

/** The answer that Rust wrote: status, headers and body. */
function responseFrom(answer) {
  // 204 and 205 take no body, not even an empty one.
  return new Response(answer.body || null, answer);
}

/** Of a dead letter's content, which is anything that a sender chose. */
const CONTENT_HEADERS = {
  "content-type": "application/octet-stream",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};
