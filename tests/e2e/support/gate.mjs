// The built Worker in real workerd, with KV, queues and R2, on a port of its own.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { Miniflare } from "miniflare";
import { startBackend } from "./backend.mjs";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "./compatibility.mjs";
import { exchange } from "./http.mjs";
import { freshSecrets } from "./secrets.mjs";
import { until } from "./wait.mjs";

export const ROOT = join(import.meta.dirname, "..", "..", "..");
/** Made by `HOOKGATE_OUT=build-test HOOKGATE_FEATURES=test-hooks HOOKGATE_SOURCES=tests/e2e/sources.toml scripts/build`. */
const BUILD = join(ROOT, "build-test");
const WRAP = "tests/e2e/support/wrap.mjs";
const EVENTS = "hookgate-events";
const SLOW = "hookgate-slow";
const DEAD_LETTERS = "hookgate-dead-letters";
const AUDIT = "hookgate-audit";
/** A port that nobody listens on: the discard service's. */
const NOWHERE = "http://127.0.0.1:9/";

/** Every module under the name it has for `import`, with these of the tests; build-test stands in the place of build. */
export function modules(...wrapping) {
  const found = {};
  const add = (file, type) => (found[file] = { type, contents: readFileSync(join(ROOT, file)) });
  for (const file of readdirSync(join(ROOT, "src/edge"))) if (file.endsWith(".mjs")) add(join("src/edge", file), "esm");
  for (const file of readdirSync(join(ROOT, "src/console"))) add(join("src/console", file), "text");
  for (const file of ["tests/e2e/support/faulty.mjs", ...wrapping]) add(file, "esm");
  for (const entry of readdirSync(BUILD, { recursive: true, withFileTypes: true })) {
    const type = /\.m?js$/.test(entry.name) ? "esm" : entry.name.endsWith(".wasm") ? "wasm" : undefined;
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    found[join("build", relative(BUILD, path))] = { type, contents: readFileSync(path) };
  }
  for (const module of Object.values(found)) if (module.type !== "wasm") module.contents = module.contents.toString();
  return found;
}

/**
 * Starts a gate.
 *   secrets    by name; fresh ones by default
 *   without    names of secrets and bindings to leave out
 *   variables  more variables, or other values
 *   keep       a directory for KV, R2 and the ledger that outlives the gate
 *   backend    one that runs already; otherwise the gate starts its own and stops it
 *   outside    what answers when the gate asks others (support/outside.mjs)
 */
export async function startGate({ secrets = freshSecrets(), without = [], variables = {}, keep, backend, outside } = {}) {
  const own = backend === undefined ? await startBackend() : undefined;
  const target = backend ?? own;
  const logs = [];
  const env = {
    SEEN: { type: "kv", id: "seen" },
    EVENTS: { type: "queue", name: EVENTS },
    EVENTS_SLOW: { type: "queue", name: SLOW },
    DEAD_LETTERS: { type: "queue", name: DEAD_LETTERS },
    AUDIT: { type: "queue", name: AUDIT },
    RECORD: { type: "d1", id: "record" },
    ARCHIVE: { type: "r2", name: "archive" },
    LEDGER: { type: "durable-object", worker: "hookgate", exportName: "Ledger" },
    AUDIT_LOG: { type: "durable-object", worker: "hookgate", exportName: "AuditLog" },
  };
  const texts = { ENVIRONMENT: "test", ALLOW_PRIVATE_DESTINATIONS: "true", BACKEND_URL: target.url, NOWHERE_URL: NOWHERE, ALERT_URL: NOWHERE, ...secrets, ...variables };
  delete texts.HOOKGATE_ADMIN_TOKEN;
  for (const [name, value] of Object.entries(texts)) env[name] = { type: "text", value };
  for (const name of without) delete env[name];
  const consumer = { type: "queue", maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 100, retryDelay: 1 };
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: { colo: "TST", country: "NL" },
    logRequests: false,
    telemetry: { enabled: false },
    resourcePersistencePath: keep,
    handleStructuredLogs: ({ level, message }) => logs.push({ level, message }),
    workers: [
      {
        config: {
          name: "hookgate",
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: COMPATIBILITY_FLAGS,
          manifest: { mainModule: WRAP, modulesRoot: "/", modules: modules(WRAP) },
          env,
          exports: { Ledger: { type: "durable-object", storage: "sqlite" }, AuditLog: { type: "durable-object", storage: "sqlite" } },
          triggers: [
            { ...consumer, name: EVENTS, deadLetterQueue: DEAD_LETTERS },
            { ...consumer, name: SLOW, deadLetterQueue: DEAD_LETTERS },
            { ...consumer, name: DEAD_LETTERS },
            { ...consumer, name: AUDIT, maxBatchSize: 50, deadLetterQueue: DEAD_LETTERS },
          ],
        },
        ...(outside && { dev: { outboundService: { type: "fetcher", handler: (request) => outside.answer(request) } } }),
      },
    ],
  });
  const url = (await mf.ready).origin;
  if (!without.includes("RECORD")) await migrate(await mf.getD1Database("RECORD"));

  const lines = (wanted = {}) =>
    logs
      .map(({ message }) => parsed(message))
      .filter((line) => line !== undefined && Object.entries(wanted).every(([name, value]) => line[name] === value));
  const gate = {
    url,
    mf,
    logs,
    secrets,
    backend: target,
    compatibility: [COMPATIBILITY_DATE, COMPATIBILITY_FLAGS],
    /** As the Host header has it. */
    host: new URL(url).host,
    send: (request) => exchange(url, request),
    /** All log lines with these members. */
    lines,
    /** The first log line with these members, waited for. */
    line: (wanted) => until(() => lines(wanted)[0], `a log line with ${JSON.stringify(wanted)}`),
    /** The verdict's line of an answer. */
    verdict: (answer) => {
      assert.match(answer.requestId ?? "", /^req_[0-9a-f]{32}$/, "an answer without a request id");
      return gate.line({ event: "verdict", request_id: answer.requestId });
    },
    remembered: async () => (await (await mf.getKVNamespace("SEEN")).list()).keys.map(({ name }) => name),
    /** What the archive has under names that begin so. */
    objects: async (prefix) => {
      const bucket = await mf.getR2Bucket("ARCHIVE");
      const keys = (await gate.archived()).filter((key) => key.startsWith(prefix));
      return Promise.all(keys.map(async (key) => Buffer.from(await (await bucket.get(key)).arrayBuffer()).toString("latin1")));
    },
    /** What is archived besides the tenants' logs. */
    archived: async () => (await (await mf.getR2Bucket("ARCHIVE")).list()).objects.map(({ key }) => key).filter((key) => !key.startsWith("log/")),
    /** Puts entries, as their texts, into a tenant's log; brings their places. */
    append: (tenant, entries) => exchange(url, { target: `/-/append?tenant=${tenant}`, body: JSON.stringify(entries) }),
    /** Rows of the record's database. */
    recorded: async (sql = "SELECT * FROM records ORDER BY at_ms, id", ...values) =>
      (await (await mf.getD1Database("RECORD")).prepare(sql).bind(...values).all()).results,
    /** Messages that wait for a cron, because neither the queue nor the ledger took them. */
    spooled: async () => (await gate.archived()).filter((key) => key.startsWith("spool/")),
    /** Faults of what is no request: see wrap.mjs. */
    faults: (text) => exchange(url, { target: "/-/faults", body: text }),
    /** The ledger's objects fail at statements that contain this: see wrap.mjs. */
    brokenSql: (text) => exchange(url, { target: "/-/sql", body: text }),
    /** How many bytes of memory the Worker has after so many waits. */
    memoryAfter: async (waits) => (await exchange(url, { method: "GET", target: `/-/waits?of=${waits}` })).json,
    /** Sets the cron's clock ahead. */
    ahead: (ms) => exchange(url, { target: "/-/clock", body: String(ms) }),
    /** Calls a queue handler directly, with messages made here. */
    consume: async (bodies, { queue = EVENTS, attempts = 1 } = {}) =>
      (await mf.getWorker("hookgate")).queue(
        queue,
        bodies.map((body, index) => ({ id: `message-${index}`, timestamp: new Date(), attempts, body })),
      ),
    /** What the platform's cron does every few minutes. */
    tick: async () => (await mf.getWorker("hookgate")).scheduled({ cron: "*/5 * * * *" }),
    /** An operator's request to this path. */
    adminAt: (target, { method = "GET", token = secrets.HOOKGATE_ADMIN_TOKEN, body = "" } = {}) =>
      exchange(url, { method, target, headers: token === null ? [] : [["authorization", `Bearer ${token}`]], body }),
    admin: (path = "", { method = "GET", token = secrets.HOOKGATE_ADMIN_TOKEN, body = "" } = {}) =>
      exchange(url, {
        method,
        target: `/admin/v1/dead-letters${path}`,
        headers: token === null ? [] : [["authorization", `Bearer ${token}`]],
        body,
      }),
    /** Summaries of all dead letters. */
    async letters() {
      const all = [];
      let cursor = null;
      do {
        const { json } = await gate.admin(cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`);
        all.push(...json.dead_letters);
        cursor = json.cursor;
      } while (cursor !== null);
      return all;
    },
    /** Kills the runtime, as a crash would: nothing in it gets to end its work. */
    async stop() {
      own?.stop();
      await mf.dispose();
    },
  };
  return gate;
}

/** Applies the migrations that this database does not have. */
async function migrate(database) {
  const known = await database.prepare("SELECT count(*) AS tables FROM sqlite_master WHERE name = 'records'").first("tables");
  if (known > 0) return;
  for (const file of readdirSync(join(ROOT, "migrations")).sort()) {
    const statements = readFileSync(join(ROOT, "migrations", file), "utf8").replaceAll(/^ *--.*$/gm, "").split(";");
    await database.batch(statements.filter((sql) => sql.trim() !== "").map((sql) => database.prepare(sql)));
  }
}

function parsed(message) {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
