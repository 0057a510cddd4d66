// The Worker's entry with faulty bindings in front of it. Nothing else differs from src/edge/entry.mjs.
//
// A request says which effects of its own go wrong:   x-test-fault: SEEN.get=hang, EVENTS.send=late:700
// POST /-/faults with the same text sets those of everything that is no request, until the next such
// POST: the queue handlers, the cron and the ledger's objects.
//
// POST /-/clock with a number sets the cron's clock ahead by as many milliseconds.
//
// A request says what time it is:   x-test-now: 1659043438000
//
// LEDGER.ask stands for every question to the ledger, LEDGER.ask.done for one kind of them.
//
//   fail           rejects at once, without effect
//   fail:CODE      the same, with an error code as the queue's errors have it
//   lost           takes effect, then rejects
//   hang           never settles, without effect
//   late:MS        takes effect after MS milliseconds, then settles as usual
//   refuse:X       rejects what contains X, without effect
//   refuse:X:CODE  the same, with an error code
//
// Each time one strikes, the log has a line {"event":"fault","call":"EVENTS.send"}.

import worker, { Ledger as Whole } from "../../../src/edge/entry.mjs";

let standing = new Map();
let aheadMs = 0;

export class Ledger extends Whole {
  /** A minute, in tests. */
  static REFUSED_AGAIN_MS = 200;

  constructor(ctx, env) {
    super(ctx, env);
    // Looked up at each use: an object lives longer than a fault.
    Object.defineProperty(this, "env", { get: () => faulty(env, standing) });
  }
}

export default {
  async fetch(request, env, ctx) {
    if (request.method === "POST" && new URL(request.url).pathname === "/-/faults") {
      standing = read(await request.text());
      return new Response(null, { status: 204 });
    }
    if (request.method === "POST" && new URL(request.url).pathname === "/-/clock") {
      aheadMs = Number(await request.text());
      return new Response(null, { status: 204 });
    }
    const at = request.headers.get("x-test-now");
    const told = faulty(env, read(request.headers.get("x-test-fault")));
    return at === null ? worker.fetch(request, told, ctx) : atTime(Number(at), () => worker.fetch(request, told, ctx));
  },
  queue: (batch, env, ctx) => worker.queue(batch, faulty(env, standing), ctx),
  scheduled: (event, env, ctx) => atTime(Date.now() + aheadMs, () => worker.scheduled(event, faulty(env, standing), ctx)),
};

/** While this goes on, the clock goes from there. */
async function atTime(ms, effect) {
  const now = Date.now;
  const began = now();
  Date.now = () => ms + now() - began;
  try {
    return await effect();
  } finally {
    Date.now = now;
  }
}

function read(text) {
  const pairs = (text ?? "").split(",").map((pair) => pair.trim()).filter(Boolean);
  return new Map(pairs.map((pair) => pair.split("=")));
}

function faulty(env, faults) {
  if (faults.size === 0) return env;
  const bindings = new Set([...faults.keys()].map((effect) => effect.split(".")[0]));
  const replaced = [...bindings].map((name) => [name, proxy(name, env[name], faults)]);
  return { ...env, ...Object.fromEntries(replaced) };
}

function proxy(name, binding, faults) {
  return new Proxy(binding, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      // The bindings' crate tells kinds apart by the constructor's name.
      if (property === "constructor" || typeof value !== "function") return value;
      // Not bound: on an object's stub even "bind" is a call to the object.
      const effect = (...args) => target[property](...args);
      // Faults of the ledger are those of its objects.
      if (property === "getByName") return (...args) => proxy(name, effect(...args), faults);
      return (...args) => {
        const call = `${name}.${String(property)}`;
        const fault = faults.get(call) ?? (call === "LEDGER.ask" ? faults.get(`${call}.${JSON.parse(args[0]).ask}`) : undefined);
        return fault === undefined ? effect(...args) : misbehave(call, fault, () => effect(...args), args);
      };
    },
  });
}

async function misbehave(call, fault, effect, args) {
  const [kind, detail, code] = fault.split(":");
  if (kind === "refuse" && !JSON.stringify(args).includes(detail)) return effect();
  console.log(JSON.stringify({ event: "fault", call }));
  switch (kind) {
    case "fail":
      throw injected("no effect", detail);
    case "refuse":
      throw injected("refused", code);
    case "lost":
      await effect();
      throw injected("took effect");
    case "hang":
      return new Promise(() => {});
    case "late":
      await new Promise((resolve) => setTimeout(resolve, Number(detail)));
      return effect();
    default:
      throw new TypeError(`unknown fault ${fault}`);
  }
}

/** The platform puts the code at the end of the text. */
const injected = (what, code) => new Error(`injected: ${what}${code === undefined ? "" : ` (${code})`}`);
