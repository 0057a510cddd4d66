// Bindings that fail on demand. A fault names a call and what becomes of it, as in
//
//   SEEN.get=hang, EVENTS.send=late:700, LEDGER.ask=fail%50
//
// the last of which befalls half of the calls, by chance.
//
// LEDGER.ask stands for every question to the ledger, LEDGER.ask.done for one kind of them.
//
//   fail           rejects at once, without effect
//   fail:CODE      the same, with an error code as the queue's errors have it
//   lost           takes effect, then rejects
//   hang           never settles, without effect
//   late:MS        takes effect after MS milliseconds, then settles as usual
//   size:N         takes effect, and a database says that it has so many bytes
//   refuse:X       rejects what contains X, without effect
//   refuse:X:CODE  the same, with an error code
//
// Each time one strikes, the log has a line {"event":"fault","call":"EVENTS.send","fault":"late:700"}; for a question
// to the ledger with the event's key, and which question it is.

/** Faults from their text. */
export function read(text) {
  const pairs = (text ?? "").split(",").map((pair) => pair.trim()).filter(Boolean);
  return new Map(pairs.map((pair) => pair.split("=")));
}

/** `env` with these faults in front of the bindings that they name, or of `bindings`: then also of those to come. */
export function faulty(env, faults, bindings = [...faults.keys()].map((effect) => effect.split(".")[0])) {
  if (bindings.length === 0) return env;
  const replaced = bindings.map((name) => [name, proxy(name, env[name], faults)]);
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
        const { ask, key } = call === "LEDGER.ask" ? JSON.parse(args[0]) : {};
        const [fault, percent] = (faults.get(call) ?? faults.get(`${call}.${ask}`))?.split("%") ?? [];
        if (fault === undefined || Math.random() * 100 >= Number(percent ?? 100)) return effect(...args);
        return misbehave({ call, fault, ask, key }, () => effect(...args), args);
      };
    },
  });
}

async function misbehave(strike, effect, args) {
  const [kind, detail, code] = strike.fault.split(":");
  if (kind === "refuse" && !JSON.stringify(args).includes(detail)) return effect();
  console.log(JSON.stringify({ event: "fault", ...strike }));
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
    case "size": {
      const results = await effect();
      return results.map((result) => ({ ...result, meta: { ...result.meta, size_after: Number(detail) } }));
    }
    default:
      throw new TypeError(`unknown fault ${strike.fault}`);
  }
}

/** The platform puts the code at the end of the text. */
const injected = (what, code) => new Error(`injected: ${what}${code === undefined ? "" : ` (${code})`}`);
