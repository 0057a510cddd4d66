// The Worker's entry with faulty bindings in front of it. Nothing else differs from src/edge/entry.mjs.
//
// A request says which effects of its own go wrong:   x-test-fault: SEEN.get=hang, EVENTS.send=late:700
// POST /-/faults with the same text sets those of everything that is no request, until the next such
// POST: the queue handlers, the cron and the ledger's objects.
//
// POST /-/clock with a number sets the cron's clock ahead by as many milliseconds.
//
// POST /-/sql with a text has the ledger's objects fail at each statement that contains it; with none, at none.
//
// GET /-/intake shows how many unverified bytes are held, and how many there were at once since it was asked last.
//
// GET /-/waits?of=NUMBER waits so often for what comes at once, and shows how many bytes of memory there are then.
//
// POST /-/append?tenant=NAME with a JSON list of texts puts them into that tenant's log as entries.
//
// POST /-/sweep?tenant=NAME has that tenant's log forget the ids of its entries, as it does after fifteen days.
//
// POST /-/variables with {"NAME": {"VARIABLE": "value", …}, …}: a request that says x-test-variables: NAME is judged with
// these variables besides, TEST_CONFIG among them, which is a whole configuration.
//
// A request says what time it is:   x-test-now: 1659043438000
//
// What a fault is: faulty.mjs.

import { memoryAfterWaits } from "../../../build/hookgate.js";
import { pace } from "../../../src/edge/audit.mjs";
import worker, { AuditLog as WholeLog, Ledger as Whole } from "../../../src/edge/entry.mjs";
import { budget } from "../../../src/edge/intake.mjs";
import { faulty, read } from "./faulty.mjs";

/** Long enough for a test to send what one flush is to bring. The variable FLUSH_MS says otherwise. */
pace.flushMs = 700;

let standing = new Map();
let aheadMs = 0;
let variables = {};
let brokenSql = "";
/** The real clock, and how many have set another. */
const clock = Date.now;
let clocksSet = 0;

export class Ledger extends Whole {
  /** A minute, in tests. */
  static REFUSED_AGAIN_MS = 200;

  constructor(ctx, env) {
    super(ctx, env);
    // Looked up at each use: an object lives longer than a fault.
    Object.defineProperty(this, "env", { get: () => faulty(env, standing) });
    const broken = brokenAt(ctx);
    Object.defineProperty(this, "ctx", { get: () => (brokenSql === "" ? ctx : broken) });
  }
}

/** The same object's, with statements that fail. */
function brokenAt(ctx) {
  const { sql } = ctx.storage;
  const exec = (text, ...values) => {
    if (text.includes(brokenSql)) throw new Error("a statement that fails on purpose");
    return sql.exec(text, ...values);
  };
  const bound = (target, value) => (typeof value === "function" ? value.bind(target) : value);
  const storage = new Proxy(ctx.storage, { get: (target, name) => (name === "sql" ? { exec } : bound(target, target[name])) });
  return new Proxy(ctx, { get: (target, name) => (name === "storage" ? storage : bound(target, target[name])) });
}

export class AuditLog extends WholeLog {
  /** A minute, in tests. */
  static CHECKPOINT_MS = 300;

  constructor(ctx, env) {
    super(ctx, env);
    Object.defineProperty(this, "env", { get: () => faulty(env, standing) });
  }

  sweep() {
    this.ctx.storage.sql.exec("DELETE FROM entries");
  }
}

/** A bundle of entries: each behind its length (https://c2sp.org/tlog-tiles). */
function bundleOf(texts) {
  const parts = texts.map((text) => new TextEncoder().encode(text));
  const bundle = new Uint8Array(parts.reduce((sum, { length }) => sum + 2 + length, 0));
  let offset = 0;
  for (const part of parts) {
    new DataView(bundle.buffer).setUint16(offset, part.length);
    bundle.set(part, offset + 2);
    offset += 2 + part.length;
  }
  return bundle;
}

export default {
  async fetch(request, env, ctx) {
    if (env.FLUSH_MS !== undefined) pace.flushMs = Number(env.FLUSH_MS);
    if (request.method === "POST" && new URL(request.url).pathname === "/-/faults") {
      standing = read(await request.text());
      return new Response(null, { status: 204 });
    }
    if (request.method === "POST" && new URL(request.url).pathname === "/-/clock") {
      aheadMs = Number(await request.text());
      return new Response(null, { status: 204 });
    }
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/-/variables") {
      variables = await request.json();
      return new Response(null, { status: 204 });
    }
    if (pathname === "/-/sql") {
      brokenSql = await request.text();
      return new Response(null, { status: 204 });
    }
    if (pathname === "/-/waits") return Response.json(await memoryAfterWaits(Number(searchParams.get("of"))));
    if (pathname === "/-/append") {
      const tenant = searchParams.get("tenant");
      return Response.json([...(await env.AUDIT_LOG.getByName(tenant).append(tenant, bundleOf(await request.json())))]);
    }
    if (pathname === "/-/sweep") {
      await env.AUDIT_LOG.getByName(searchParams.get("tenant")).sweep();
      return new Response(null, { status: 204 });
    }
    if (pathname === "/-/intake") {
      const { bytes, peak } = budget;
      budget.peak = bytes;
      return Response.json({ bytes, peak });
    }
    const at = request.headers.get("x-test-now");
    const besides = variables[request.headers.get("x-test-variables")];
    const told = faulty(besides ? { ...env, ...besides } : env, read(request.headers.get("x-test-fault")));
    return at === null ? worker.fetch(request, told, ctx) : atTime(Number(at), () => worker.fetch(request, told, ctx));
  },
  queue: (batch, env, ctx) => worker.queue(batch, faulty(env, standing), ctx),
  scheduled: (event, env, ctx) => atTime(clock() + aheadMs, () => worker.scheduled(event, faulty(env, standing), ctx)),
};

/** While this goes on, the clock goes from there; for whoever else is under way, too. */
async function atTime(ms, effect) {
  const began = clock();
  Date.now = () => ms + clock() - began;
  clocksSet += 1;
  try {
    return await effect();
  } finally {
    clocksSet -= 1;
    if (clocksSet === 0) Date.now = clock;
  }
}
