// workerd with the ledger's objects on disk, and what it used of the processor.
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { Miniflare } from "miniflare";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "../../e2e/support/compatibility.mjs";
import { cpuOf } from "../support/process.mjs";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const BUILD = join(ROOT, "build");
const MAIN = "tests/bench/ledger/object.mjs";
const NAME = "hookgate";

function modules() {
  const edge = readdirSync(join(ROOT, "src/edge")).filter((file) => file.endsWith(".mjs"));
  const files = [MAIN, ...edge.map((file) => join("src/edge", file))].map((file) => join(ROOT, file));
  for (const entry of readdirSync(BUILD, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
  }
  const found = {};
  for (const file of files) {
    const name = relative(ROOT, file);
    if (/\.m?js$/.test(file)) found[name] = { type: "esm", contents: readFileSync(file, "utf8") };
    if (file.endsWith(".wasm")) found[name] = { type: "wasm", contents: readFileSync(file) };
  }
  for (const file of readdirSync(join(ROOT, "src/console"))) {
    found[`src/console/${file}`] = { type: "text", contents: readFileSync(join(ROOT, "src/console", file), "utf8") };
  }
  return found;
}

/** Starts it; the objects' databases are kept below `directory`. */
export async function start(directory) {
  const before = new Set(children());
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    logRequests: false,
    telemetry: { enabled: false },
    resourcePersistencePath: directory,
    handleStructuredLogs: ({ level, message }) => level === "error" && console.error(message),
    workers: [
      {
        config: {
          name: NAME,
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: COMPATIBILITY_FLAGS,
          manifest: { mainModule: MAIN, modulesRoot: "/", modules: modules() },
          env: { LEDGER: { type: "durable-object", worker: NAME, exportName: "Ledger" } },
          exports: { Ledger: { type: "durable-object", storage: "sqlite" } },
        },
      },
    ],
  });
  const url = (await mf.ready).origin;
  const pid = children().find((child) => !before.has(child) && nameOf(child).startsWith("workerd"));
  const post = async (what) => {
    const answer = await fetch(url, { method: "POST", body: JSON.stringify(what) });
    if (!answer.ok) throw new Error(`${what.method ?? "ask"}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  return {
    call: (object, method, ...args) => post({ object, method, args }),
    ask: (object, asks, message) => post({ object, asks, message }),
    /** Nanoseconds of processor time that the process has used. */
    cpuNs: () => cpuOf(pid),
    stop: () => mf.dispose(),
  };
}

function children() {
  const tasks = readdirSync("/proc/self/task");
  return tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean));
}

const nameOf = (pid) => readFileSync(`/proc/${pid}/comm`, "utf8");
