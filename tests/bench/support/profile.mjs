// Where a contender spends its time: V8's sampling profiler, through workerd's inspector.
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { CONTENDERS } from "../contenders.mjs";
import { openLoad } from "./generator.mjs";
import { VERDICTS, bytesOf, request } from "./requests.mjs";
import { expectation } from "./rounds.mjs";
import { startWorkerd } from "./workerd.mjs";

const DIRECTORY = join(import.meta.dirname, "..", "..", "..", ".tools", "bench");
const COUNT = 10_000;
const SHOWN = 30;

/** Prints the functions of a contender that take most of a row's time, and keeps the whole profile as a file. */
export async function profile(name, row, texts, say) {
  const inspector = await freePort();
  const { port, set, stop } = await startWorkerd(CONTENDERS[name], texts, { inspector });
  try {
    await set(VERDICTS[row.verdict].stubs ?? {});
    const load = await openLoad(port);
    const requests = Array.from({ length: 32 }, () => bytesOf(request(row, texts)));
    const send = () => load.send(requests, COUNT, expectation(name, row, false));
    await send();
    const taken = await profiled(inspector, send);
    load.close();
    for (const [where, share] of hottest(taken).slice(0, SHOWN)) say(`${(share * 100).toFixed(1).padStart(5)} %  ${where}`);
    mkdirSync(DIRECTORY, { recursive: true });
    const file = join(DIRECTORY, `${name}-${row.name}.cpuprofile`);
    writeFileSync(file, JSON.stringify(taken));
    say(`the whole: ${file}`);
  } finally {
    await stop();
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Asks workerd's inspector on `port`. */
async function inspect(port) {
  const [target] = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  const waiting = new Map();
  let last = 0;
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("the inspector cannot be reached")), { once: true });
  });
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const settle = waiting.get(id);
    waiting.delete(id);
    settle?.(error === undefined ? { result } : { error });
  });
  return {
    async ask(method, params = {}) {
      const { result, error } = await new Promise((resolve) => {
        waiting.set((last += 1), resolve);
        socket.send(JSON.stringify({ id: last, method, params }));
      });
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result;
    },
    close: () => socket.close(),
  };
}

const INTERVAL_US = 100;

/** A profile (as .cpuprofile files hold it) of what happens in the process while `body` runs. */
async function profiled(inspectorPort, body) {
  const inspector = await inspect(inspectorPort);
  try {
    await inspector.ask("Profiler.enable");
    await inspector.ask("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await inspector.ask("Profiler.start");
    await body();
    return (await inspector.ask("Profiler.stop")).profile;
  } finally {
    inspector.close();
  }
}

/** `[[function, its share of the busy time], …]`, the largest first. */
function hottest({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const spent = new Map();
  let busy = 0;
  samples.forEach((id, index) => {
    const name = names.get(id);
    if (name === "(idle)") return;
    busy += timeDeltas[index];
    spent.set(name, (spent.get(name) ?? 0) + timeDeltas[index]);
  });
  return [...spent].map(([name, us]) => [name, us / busy]).sort((left, right) => right[1] - left[1]);
}

const nameOf = ({ functionName, url, lineNumber }) =>
  url === "" ? functionName || "(the runtime)" : `${functionName || "(anonymous)"} ${url.split("/").at(-1)}:${lineNumber + 1}`;
