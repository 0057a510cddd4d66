// The ledger's object of src/edge/entry.mjs, with what a benchmark needs around it: rows in bulk, a look
// at the SQL it runs, and a clock that can be put forward. `ask` and `alarm` are untouched.

import { Ledger as Whole } from "../../../src/edge/entry.mjs";

/** The queue takes everything at once. The class has the name by which bindings are told apart. */
class WorkerQueue {
  async send() {}
  async sendBatch() {}
}

export class Ledger extends Whole {
  #real;
  #watched;
  /** The statements of a life: arrive, claim, done. */
  #life;

  constructor(ctx, env) {
    super(ctx, env);
    this.#real = ctx;
    Object.defineProperty(this, "env", { value: { ...env, EVENTS: new WorkerQueue() } });
    Object.defineProperty(this, "ctx", { get: () => this.#watched ?? this.#real });
  }

  get #sql() {
    return this.#real.storage.sql;
  }

  size() {
    return this.#sql.databaseSize;
  }

  count() {
    return this.#one("SELECT count(*) FROM events");
  }

  #one(sql, ...bindings) {
    return this.#sql.exec(sql, ...bindings).raw().toArray()[0][0];
  }

  /** So many copies of the row of `key` under other keys, in the order of the keys. */
  fill(key, count) {
    const columns = this.#sql.exec("SELECT * FROM events LIMIT 0").columnNames;
    const values = columns.map((name) => (name === "key" ? "lower(hex(randomblob(32)))" : `model.${name}`));
    const sql = `INSERT INTO events (${columns})
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      SELECT ${values} FROM n, (SELECT * FROM events WHERE key = ?) AS model ORDER BY ${columns.indexOf("key") + 1}`;
    this.#sql.exec(sql, count, key);
  }

  /** Keys that are there, from all over the table. */
  sample(near) {
    const [next, first] = ["SELECT key FROM events WHERE key > ? ORDER BY key LIMIT 1", "SELECT min(key) FROM events"];
    return near.map((key) => this.#one(`SELECT coalesce((${next}), (${first}))`, key));
  }

  forget(keys) {
    for (const table of ["events", "held"]) {
      for (const key of keys) this.#sql.exec(`DELETE FROM ${table} WHERE key = ?`, key);
    }
  }

  isHolding() {
    return this.#sql.exec("SELECT 1 FROM held LIMIT 1").raw().toArray().length > 0;
  }

  /** What `ask` costs: its reply, its statements, the rows they read and wrote, the alarms it set. */
  watchedAsk(request, message) {
    return this.#watch(() => this.ask(request, message));
  }

  /** The same of the relay's run. No alarm fires by itself while this object is watched. */
  async watchedAlarm() {
    return this.#watch(() => this.alarm());
  }

  #watch(work, statements) {
    const cursors = [];
    const alarms = { set: 0, deleted: 0 };
    const exec = (sql, ...bindings) => {
      statements?.push([sql, bindings]);
      const cursor = this.#sql.exec(sql, ...bindings);
      cursors.push(cursor);
      return cursor;
    };
    const sum = (name) => cursors.reduce((total, cursor) => total + cursor[name], 0);
    const report = (reply) => {
      this.#watched = undefined;
      return { reply, read: sum("rowsRead"), written: sum("rowsWritten"), alarms };
    };
    this.#watched = { storage: { sql: { exec }, setAlarm: () => (alarms.set += 1), deleteAlarm: () => (alarms.deleted += 1) } };
    const result = work();
    return result instanceof Promise ? result.then(report) : report(result);
  }

  /** Keeps the statements of these requests, all about `key`, for `repeat`. */
  async learn(key, requests, message) {
    this.#life = [];
    for (const request of requests) {
      const statements = [];
      this.#watch(() => this.ask(request, message), statements);
      this.#life.push(statements.map(([sql, bindings]) => [sql, bindings, bindings.indexOf(key)]));
      message = undefined;
    }
    await this.watchedAlarm();
  }

  /**
   * The SQL alone: what `learn` saw of one question, for each of these keys, without a request around it.
   * A commit for each `batch`: so few pages fit into SQLite's cache, as those of single requests do.
   * Milliseconds, without the commits.
   */
  async repeat(step, keys, batch) {
    let ms = 0;
    for (let from = 0; from < keys.length; from += batch) {
      const started = performance.now();
      for (const key of keys.slice(from, from + batch)) {
        for (const [sql, bindings, at] of this.#life[step]) {
          const bound = at === -1 ? bindings : bindings.with(at, key);
          this.#sql.exec(sql, ...bound).raw().toArray();
        }
      }
      ms += performance.now() - started;
      await this.#real.storage.sync();
    }
    return ms;
  }

  /**
   * A constant load of events, one each `everyMs` of a clock that this makes pass, on the way from the
   * first question to the last. What that cost is in the answer.
   */
  async load({ road, keys, fromMs, everyMs, lifeMs }, message) {
    return this.#watch(async () => {
      this.#pass({ road, keys, fromMs, everyMs, lifeMs }, message);
      if (road === "ledger") await this.alarm();
    });
  }

  /** In one turn of the event loop: nobody else sees the other clock. */
  #pass({ road, keys, fromMs, everyMs, lifeMs }, message) {
    const real = Date.now;
    let now = fromMs;
    Date.now = () => now;
    try {
      for (const key of keys) {
        now += everyMs;
        const ask = (what, message) => this.ask(JSON.stringify({ key, expires_ms: now + lifeMs, ...what }), message);
        if (road === "ledger") ask({ ask: "arrive" }, message);
        ask({ ask: "claim", run: 0, owner: 7, lease_ms: 45_000 });
        ask({ ask: "done", run: 0 });
      }
    } finally {
      Date.now = real;
    }
  }
}

export default {
  /** `{ object, method, args }`: calls it. `{ object, asks, message }`: asks one after the other. */
  async fetch(request, env) {
    const { object, method, args = [], asks, message } = await request.json();
    const stub = env.LEDGER.getByName(object);
    if (method !== undefined) return Response.json((await stub[method](...args)) ?? null);
    const replies = [];
    for (const ask of asks) replies.push(await stub.ask(ask, message));
    return Response.json(replies);
  },
};
