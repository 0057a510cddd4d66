// Where a contender spends its time: V8's sampling profiler, through workerd's inspector.

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
export async function profiled(inspectorPort, body) {
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

/** `[[function, share of the busy time in itself], …]`, the largest first. */
export function hottest({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const spent = new Map();
  let busy = 0;
  samples.forEach((id, index) => {
    const name = names.get(id);
    if (name === "(idle)" || name === "(program)" && false) return;
    busy += timeDeltas[index];
    spent.set(name, (spent.get(name) ?? 0) + timeDeltas[index]);
  });
  return [...spent].map(([name, us]) => [name, us / busy]).sort((left, right) => right[1] - left[1]);
}

const nameOf = ({ functionName, url, lineNumber }) => (url === "" ? functionName : `${functionName || "(anonymous)"} ${url.split("/").at(-1)}:${lineNumber + 1}`);
