// Runs inside workerd, the same around every contender: in-memory stand-ins for the bindings, so that
// the local simulators' cost does not drown what is compared. `control` is a socket of its own: what
// is measured has no route for it.

/**
 * What the stand-ins answer (`seen` is KV's, `reply` the ledger's, both in the gate's formats), after how many
 * milliseconds, and which calls fail.
 */
const INITIAL = { seen: null, reply: '{"reply":"new"}', delays: {}, failing: [] };
let set = INITIAL;
let calls = {};
let last = {};

/** One call of a binding: counted, kept, and answered. */
function effect(name, args, value) {
  calls[name] = (calls[name] ?? 0) + 1;
  last[name] = args;
  const delay = set.delays[name] ?? 0;
  if (set.failing.includes(name)) return Promise.reject(new Error("injected"));
  return delay === 0 ? Promise.resolve(value) : new Promise((resolve) => setTimeout(resolve, delay, value));
}

// The bindings' crate tells kinds apart by the constructor's name, and looks for every method of KV.
class KvNamespace {
  get = (...args) => effect("SEEN.get", args, set.seen);
  put = (...args) => effect("SEEN.put", args);
  getWithMetadata() {}
  list() {}
  delete() {}
}

class WorkerQueue {
  #name;
  constructor(name) {
    this.#name = name;
  }
  send = (body, options) => {
    // The platform's queue writes JSON unless it is told that it is given text.
    if (options?.contentType !== "text") JSON.stringify(body);
    return effect(`${this.#name}.send`, [body, options]);
  };
  sendBatch = (...args) => effect(`${this.#name}.sendBatch`, args);
}

class DurableObjectNamespace {
  #stub = { ask: (...args) => effect("LEDGER.ask", args, set.reply) };
  getByName(name, options) {
    last["LEDGER.getByName"] = [name, options];
    return this.#stub;
  }
}

class D1Database {
  prepare = () => ({ bind: () => ({}) });
  batch = (...args) => effect("RECORD.batch", args, []);
}

class R2Bucket {
  put = (...args) => effect("ARCHIVE.put", args, {});
  get() {}
  head() {}
  list() {}
  delete() {}
}

const bindings = {
  SEEN: new KvNamespace(),
  EVENTS: new WorkerQueue("EVENTS"),
  EVENTS_SLOW: new WorkerQueue("EVENTS_SLOW"),
  DEAD_LETTERS: new WorkerQueue("DEAD_LETTERS"),
  LEDGER: new DurableObjectNamespace(),
  ARCHIVE: new R2Bucket(),
  AUDIT: new WorkerQueue("AUDIT"),
  RECORD: new D1Database(),
};

/**
 * The local runtime formats and prints a line in JavaScript of its own and with a system call; the platform hands it
 * on. So the log is a stand-in too, unless lines are to be read.
 */
export function mute() {
  console.log = (line) => void (last["console.log"] = line);
}

/** The contender with the stand-ins for its bindings. It may export a handler object or a class. */
export function around(contender) {
  let bound;
  return {
    fetch(request, env, ctx) {
      bound ??= { ...env, ...bindings };
      return typeof contender === "function" ? new contender(ctx, bound).fetch(request) : contender.fetch(request, bound, ctx);
    },
  };
}

/** POST sets the stand-ins and forgets the calls, GET tells them. */
export const control = {
  async fetch(request) {
    if (request.method === "POST") {
      set = { ...INITIAL, ...(await request.json()) };
      calls = {};
      last = {};
    }
    return Response.json({ calls, last });
  },
};
