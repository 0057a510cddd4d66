// Bugs to be found: the suite that does not find them is broken. Each is one mistake that a version of the gate, or of
// what it stands on, could make.

import { env as texts } from "cloudflare:workers";

const instead = (target, calls) =>
  new Proxy(target, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (property in calls) return calls[property];
      return typeof value === "function" && property !== "constructor" ? (...args) => target[property](...args) : value;
    },
  });

/** `env`, with the planted bug's binding in place of the sound one. */
export function planted(env) {
  const asking = (ask) => ({
    ...env,
    LEDGER: instead(env.LEDGER, {
      getByName: (...args) => {
        const stub = env.LEDGER.getByName(...args);
        return instead(stub, { ask: (request, message) => ask(JSON.parse(request), () => stub.ask(request, message)) });
      },
    }),
  });
  switch (texts.PLANT) {
    // Whoever asks may deliver: the ledger as a question, and no claim.
    case "every-claim-is-granted":
      return asking(async (request, ask) => {
        const reply = await ask();
        return request.ask === "claim" ? JSON.stringify({ reply: "go", attempt: 1 }) : reply;
      });
    // Acknowledged without a word to the ledger.
    case "done-is-not-said":
      return asking((request, ask) => (request.ask === "done" ? JSON.stringify({ reply: "noted" }) : ask()));
    // Of what the queue was given one in five never was.
    case "answered-before-held":
      return { ...env, EVENTS: instead(env.EVENTS, { send: async (...args) => Math.random() < 0.2 || env.EVENTS.send(...args) }) };
    // What failed is taken for sent, and forgotten.
    case "relay-forgets":
      return { ...env, EVENTS: instead(env.EVENTS, { sendBatch: (...args) => env.EVENTS.sendBatch(...args).catch(() => {}), send: (...args) => env.EVENTS.send(...args) }) };
    // One queue for all, and a ledger that is not asked how the backend is.
    case "no-bulkhead":
      return {
        ...env,
        EVENTS_SLOW: env.EVENTS,
        LEDGER: instead(env.LEDGER, {
          getByName: (...args) => {
            const stub = env.LEDGER.getByName(...args);
            // The text and not its JSON: an owner is a larger number than JavaScript has.
            return instead(stub, { ask: (request, message) => stub.ask(request.replace('"fresh":true', '"fresh":false'), message) });
          },
        }),
      };
    default:
      return env;
  }
}

if (texts.PLANT === "verdicts-are-said-twice") {
  const log = console.log;
  console.log = (line) => {
    log(line);
    if (line.startsWith('{"event":"verdict"') && Math.random() < 0.1) log(line);
  };
}
