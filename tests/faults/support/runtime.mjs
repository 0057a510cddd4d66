// What a run happens in: the gate in workerd on storage that outlives it, and the queue in a process of its own. Both
// can be killed and started again, on the same ports.
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "../../e2e/support/compatibility.mjs";
import { modules } from "../../e2e/support/gate.mjs";
import { sleep, until } from "../../e2e/support/wait.mjs";

const WRAP = "tests/faults/support/wrap.mjs";
const PLANTED = "tests/faults/support/planted.mjs";
/** A consumer's queues, by name. */
const QUEUES = {
  "hookgate-events": { deadLetterQueue: "hookgate-dead-letters" },
  "hookgate-slow": { deadLetterQueue: "hookgate-dead-letters" },
  "hookgate-dead-letters": {},
};
/** wrangler.toml has 100, which no run lives to see. */
const MAX_RETRIES = 40;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Children of this process, by the name of their program. */
function children(program) {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, command]) => Number(parent) === process.pid && command?.endsWith(program))
    .map(([pid]) => Number(pid));
}

/**
 * Starts both. `keep`: a directory for all that outlives a kill. `onLine(line, at)` gets each line of the log that is
 * JSON; `plant` is the bug to be found.
 */
export async function startRuntime({ keep, seed, secrets, backendUrl, plant = "", onLine }) {
  const [gatePort, queuePort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${gatePort}`;
  const queueUrl = `http://127.0.0.1:${queuePort}`;
  let aheadMs = 0;
  let faults = "";
  let mf;
  let queue;
  let restarts = 0;

  const post = (base, path, body) => fetch(new URL(path, base), { method: "POST", body });

  async function startGate() {
    const env = {
      SEEN: { type: "kv", id: "seen" },
      ARCHIVE: { type: "r2", name: "archive" },
      LEDGER: { type: "durable-object", worker: "hookgate", exportName: "Ledger" },
    };
    const texts = {
      ENVIRONMENT: "test",
      ALLOW_PRIVATE_DESTINATIONS: "true",
      BACKEND_URL: backendUrl,
      NOWHERE_URL: "http://127.0.0.1:9/",
      ALERT_URL: "http://127.0.0.1:9/",
      QUEUE_URL: queueUrl,
      AHEAD_MS: String(aheadMs),
      PLANT: plant,
      ...secrets,
    };
    for (const [name, value] of Object.entries(texts)) env[name] = { type: "text", value };
    mf = new Miniflare({
      host: "127.0.0.1",
      port: gatePort,
      cf: { colo: "TST", country: "NL" },
      logRequests: false,
      telemetry: { enabled: false },
      resourcePersistencePath: join(keep, "storage"),
      handleStructuredLogs: ({ message }) => {
        const at = Date.now();
        if (!message.startsWith("{")) return onLine({ event: "other", message }, at);
        onLine(JSON.parse(message), at);
      },
      workers: [
        {
          config: {
            name: "hookgate",
            compatibilityDate: COMPATIBILITY_DATE,
            compatibilityFlags: COMPATIBILITY_FLAGS,
            manifest: { mainModule: WRAP, modulesRoot: "/", modules: modules(WRAP, PLANTED) },
            env,
            exports: { Ledger: { type: "durable-object", storage: "sqlite" } },
          },
        },
      ],
    });
    await mf.ready;
    if (faults !== "") await post(url, "/-/faults", faults);
  }

  async function startQueue() {
    restarts += 1;
    const options = { file: join(keep, "queue.jsonl"), port: queuePort, seed: seed + restarts, queues: QUEUES, maxRetries: MAX_RETRIES, plant };
    queue = fork(join(import.meta.dirname, "queue.mjs"), [JSON.stringify(options)]);
    await once(queue, "message");
    await control({ target: url, aheadMs });
  }

  const control = (setting) => post(queueUrl, "/control", JSON.stringify(setting));

  await startQueue();
  await startGate();
  return {
    url,
    control,
    aheadMs: () => aheadMs,
    async faults(text) {
      faults = text;
      await post(url, "/-/faults", text);
    },
    /** Lets time pass for leases and delays. */
    async jump(ms) {
      aheadMs += ms;
      await post(url, "/-/clock", String(aheadMs));
      await control({ aheadMs });
    },
    cron: () => post(url, "/-/cron", ""),
    queueState: async () => (await fetch(new URL("/state", queueUrl))).json(),
    archive: () => mf.getR2Bucket("ARCHIVE"),
    /** Kills workerd as the kernel would, and starts it again on what it left. */
    async killGate() {
      const [pid, ...more] = children("workerd");
      if (pid === undefined || more.length > 0) throw new Error("which workerd is ours?");
      process.kill(pid, "SIGKILL");
      await until(() => !children("workerd").includes(pid), "the end of workerd");
      await sleep(50); // the last lines are in the pipe
      await mf.dispose();
      await startGate();
    },
    async killQueue() {
      queue.kill("SIGKILL");
      await once(queue, "exit");
      await startQueue();
    },
    async stop() {
      await mf.dispose();
      queue.kill("SIGKILL");
    },
  };
}
