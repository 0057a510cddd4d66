// One contender under miniflare, with the local KV, queue, object and bucket instead of stand-ins. What
// miniflare itself costs (its entry Worker, the simulators) is in the figures of all.
import { readdirSync, readFileSync } from "node:fs";
import { Miniflare } from "miniflare";
import { CONTENDERS } from "../contenders.mjs";
import { cpuOf, pin } from "./process.mjs";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "../../e2e/support/compatibility.mjs";

const TYPES = { esModule: "esm", wasm: "wasm", text: "text" };

/** Starts a contender as startWorkerd does. Its ledger is the gate's, in a Worker beside it. */
export async function startReal(contender, texts, { core } = {}) {
  const before = children();
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: { colo: "DUB", country: "IE" },
    logRequests: false,
    telemetry: { enabled: false },
    handleStructuredLogs: () => {},
    workers: [worker("contender", contender, texts), worker("ledger", CONTENDERS.gate, texts)],
  });
  const { port } = await mf.ready;
  const [pid] = children().filter((child) => !before.includes(child));
  if (core !== undefined) pin(pid, core);
  return { pid, port: Number(port), cpu: () => cpuOf(pid), stop: () => mf.dispose() };
}

function worker(name, { main, modules, flags = COMPATIBILITY_FLAGS }, texts) {
  const text = Object.entries(texts).map(([key, value]) => [key, { type: "text", value }]);
  const manifest = modules().map((module) => [module.name, { type: TYPES[module.type], contents: contentsOf(module) }]);
  return {
    config: {
      name,
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: flags,
      manifest: { mainModule: main, modulesRoot: "/", modules: Object.fromEntries(manifest) },
      env: {
        SEEN: { type: "kv", id: "seen" },
        EVENTS: { type: "queue", name: "events" },
        EVENTS_SLOW: { type: "queue", name: "slow" },
        DEAD_LETTERS: { type: "queue", name: "dead-letters" },
        ARCHIVE: { type: "r2", name: "archive" },
        AUDIT: { type: "queue", name: "audit" },
        RECORD: { type: "d1", id: "record" },
        LEDGER: { type: "durable-object", worker: "ledger", exportName: "Ledger" },
        ...Object.fromEntries(text),
      },
      exports: name === "ledger" ? { Ledger: { type: "durable-object", storage: "sqlite" } } : {},
      triggers: [],
    },
  };
}

const contentsOf = ({ type, contents }) => (type !== "wasm" ? Buffer.from(contents).toString() : contents);

/** Processes that this one has started. */
const children = () =>
  readdirSync("/proc/self/task")
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8").trim().split(" "))
    .filter(Boolean)
    .map(Number);
