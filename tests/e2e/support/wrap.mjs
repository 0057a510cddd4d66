// The Worker's entry with faulty bindings in front of it. Nothing else differs from src/edge/entry.mjs.
//
// A request says which effects of its own go wrong:   x-test-fault: SEEN.get=hang, EVENTS.send=late:700
// POST /-/faults with the same text sets those of the queue handlers, until the next such POST.
//
//   fail       rejects at once, without effect
//   lost       takes effect, then rejects
//   hang       never settles, without effect
//   late:MS    takes effect after MS milliseconds, then settles as usual

import worker from "../../../src/edge/entry.mjs";

let standing = new Map();

export default {
  async fetch(request, env, ctx) {
    if (request.method === "POST" && new URL(request.url).pathname === "/-/faults") {
      standing = read(await request.text());
      return new Response(null, { status: 204 });
    }
    return worker.fetch(request, faulty(env, read(request.headers.get("x-test-fault"))), ctx);
  },
  queue: (batch, env, ctx) => worker.queue(batch, faulty(env, standing), ctx),
};

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
      const fault = faults.get(`${name}.${String(property)}`);
      const effect = value.bind(target);
      return fault === undefined ? effect : (...args) => misbehave(fault, () => effect(...args));
    },
  });
}

async function misbehave(fault, effect) {
  const [kind, ms] = fault.split(":");
  switch (kind) {
    case "fail":
      throw new Error("injected: no effect");
    case "lost":
      await effect();
      throw new Error("injected: took effect");
    case "hang":
      return new Promise(() => {});
    case "late":
      await new Promise((resolve) => setTimeout(resolve, Number(ms)));
      return effect();
    default:
      throw new TypeError(`unknown fault ${fault}`);
  }
}
