// The Worker's entry over the durable queue (queue.mjs), with faults in front of its bindings. Its handlers, its
// objects and its wasm are those that are deployed.
//
//   POST /-/faults   what goes wrong from now on, for requests, consumers, the cron and objects: see faulty.mjs
//   POST /-/clock    sets the clock ahead, in milliseconds
//   POST /-/queue    a batch for the queue handler; answers what became of each message
//   POST /-/cron     runs the cron

import { env as texts } from "cloudflare:workers";
import worker, { Ledger as Whole } from "../../../src/edge/entry.mjs";
import { faulty, read } from "../../e2e/support/faulty.mjs";
import { planted } from "./planted.mjs";

const BINDINGS = ["SEEN", "EVENTS", "EVENTS_SLOW", "DEAD_LETTERS", "LEDGER", "ARCHIVE"];
/** One map for all: what is under way is befallen as well, and freed again. */
const standing = new Map();

// Leases, delays and schedules end by this clock; time-outs are the runtime's, and go by the real one.
let aheadMs = Number(texts.AHEAD_MS);
const realNow = Date.now;
Date.now = () => realNow() + aheadMs;

/** The platform lets one invocation wait for so many connections; workerd alone knows no limit. */
const CONNECTIONS = 6;
/** Of the batch that an event belongs to, by its webhook-id. */
const connections = new Map();
const idOf = (message) => `hg_${message.match(/"dedupkey":"([0-9a-f]{40})/)?.[1]}`;

class Connections {
  #free = CONNECTIONS;
  #waiting = [];

  async during(act) {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise((resolve) => this.#waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

const limited = (id, act) => (connections.has(id) ? connections.get(id).during(act) : act());
const realFetch = globalThis.fetch;
globalThis.fetch = (url, init) => limited(init?.headers instanceof Headers ? init.headers.get("webhook-id") : undefined, () => realFetch(url, init));

/** A producer's binding. */
class Queue {
  #url;
  constructor(origin, name) {
    this.#url = (what) => `${origin}/${what}/${name}`;
  }

  send(body, { delaySeconds } = {}) {
    return this.sendBatch([{ body, delaySeconds }]);
  }

  async sendBatch(messages) {
    const body = JSON.stringify(messages.map(({ body, delaySeconds }) => ({ body, delaySeconds })));
    const answer = await limited(idOf(messages[0].body), () => realFetch(this.#url("send"), { method: "POST", body }));
    await answer.arrayBuffer();
    if (answer.status === 429) throw new Error("Queue is overloaded. Please back off. (10250)");
    if (!answer.ok) throw new Error(`the queue answered ${answer.status}`);
  }

  async metrics() {
    const metrics = await (await fetch(this.#url("metrics"))).json();
    return { ...metrics, oldestMessageTimestamp: new Date(metrics.oldestMessageTimestamp) };
  }
}

/** The record is no part of what is at stake here: it takes everything, and keeps nothing. */
const RECORD = { prepare: () => ({ bind: () => ({}) }), batch: async () => [] };
const AUDIT = { send: async () => {}, metrics: async () => ({ backlogCount: 0, backlogBytes: 0 }) };

function around(env) {
  const queues = {
    EVENTS: new Queue(env.QUEUE_URL, "hookgate-events"),
    EVENTS_SLOW: new Queue(env.QUEUE_URL, "hookgate-slow"),
    DEAD_LETTERS: new Queue(env.QUEUE_URL, "hookgate-dead-letters"),
  };
  return planted(faulty({ ...env, ...queues, AUDIT, RECORD }, standing, BINDINGS));
}

export class Ledger extends Whole {
  static REFUSED_AGAIN_MS = 200;

  constructor(ctx, env) {
    // Alarms fire by the real clock.
    const set = ctx.storage.setAlarm.bind(ctx.storage);
    Object.defineProperty(ctx.storage, "setAlarm", { value: (at, options) => set(at - aheadMs, options), configurable: true });
    super(ctx, env);
    Object.defineProperty(this, "env", { value: around(env) });
  }
}

/** A batch as the runtime makes it. The first word on a message counts. */
async function consume({ queue, messages }, env, ctx) {
  const settled = {};
  const decide = (id, what) => (settled[id] ??= what);
  const retry = (id, { delaySeconds } = {}) => decide(id, { delaySeconds });
  const batch = {
    queue,
    messages: messages.map(({ id, body, at, attempts }) => ({
      id,
      body,
      attempts,
      timestamp: new Date(at),
      ack: () => decide(id, { ack: true }),
      retry: (options) => retry(id, options),
    })),
    ackAll: () => messages.forEach(({ id }) => decide(id, { ack: true })),
    retryAll: (options) => messages.forEach(({ id }) => retry(id, options)),
  };
  const mine = new Connections();
  for (const { body } of messages) connections.set(idOf(body), mine);
  const batchId = crypto.randomUUID();
  console.log(JSON.stringify({ event: "batch", batch: batchId, queue, messages: messages.length, ended: false }));
  await worker.queue(batch, env, ctx);
  console.log(JSON.stringify({ event: "batch", batch: batchId, ended: true }));
  for (const { body } of messages) if (connections.get(idOf(body)) === mine) connections.delete(idOf(body));
  // A handler that ends well has acknowledged whatever it did not mention.
  batch.ackAll();
  return settled;
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const done = () => new Response(null, { status: 204 });
    switch (pathname) {
      case "/-/faults":
        standing.clear();
        for (const [call, fault] of read(await request.text())) standing.set(call, fault);
        return done();
      case "/-/clock":
        aheadMs = Number(await request.text());
        return done();
      case "/-/queue":
        return Response.json(await consume(await request.json(), around(env), ctx));
      case "/-/cron":
        await worker.scheduled({ cron: "*/5 * * * *" }, around(env), ctx);
        return done();
      default:
        return worker.fetch(request, around(env), ctx);
    }
  },
};
