// One contender in a workerd process of its own, on a free port of the loopback.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { default as packaged } from "workerd";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "../../e2e/support/compatibility.mjs";
import { cpuOf, pin } from "./process.mjs";

/** How miniflare hands `request.cf` over: the platform's own way is not public. */
export const CF_HEADER = "cf-blob";

const START_MS_MAX = 20_000;

const quoted = (text) => JSON.stringify(text); // a Cap'n Proto string literal escapes as JSON does, for what stands here

function capnp({ modules, flags, texts }) {
  const list = (items) => `[\n    ${items.join(",\n    ")}\n  ]`;
  const embedded = modules.map(({ name, type }) => `(name = ${quoted(name)}, ${type} = embed ${quoted(`modules/${name}`)})`);
  const bindings = Object.entries(texts).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .contender)],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = ${quoted(CF_HEADER)}), service = "main"),
    (name = "control", address = "127.0.0.1:0", http = (), service = (name = "main", entrypoint = "control"))
  ]
);
const contender :Workerd.Worker = (
  modules = ${list(embedded)},
  compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
  compatibilityFlags = ${list(flags.map(quoted))},
  bindings = ${list(bindings)}
);
`;
}

/**
 * Starts a contender (contenders.mjs) with these texts as variables and secrets.
 *   core   the processor core to stay on, where the system can do that
 *   log    a file for its log; without one a stand-in takes the lines
 *   inspector  the port for its inspector; none by default
 */
export async function startWorkerd(contender, texts, { core, log, inspector } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "hookgate-bench-"));
  const modules = [...contender.modules(), ...harness(contender.main, log === undefined)];
  // The main module stands first.
  modules.sort((left, right) => (right.name === MAIN) - (left.name === MAIN));
  for (const { name, contents } of modules) {
    const file = join(directory, "modules", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  writeFileSync(join(directory, "config.capnp"), capnp({ modules, flags: contender.flags ?? COMPATIBILITY_FLAGS, texts }));
  const output = log === undefined ? "ignore" : openSync(log, "a");
  const started = process.hrtime.bigint();
  const child = spawn(
    packaged.default,
    ["serve", "config.capnp", "--control-fd=3", ...(inspector ? [`--inspector-addr=127.0.0.1:${inspector}`] : [])],
    {
      cwd: directory,
      stdio: ["ignore", output, "pipe", "pipe"],
    },
  );
  if (log !== undefined) closeSync(output);
  if (core !== undefined) pin(child.pid, core);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const clear = () => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", clear);
  const stop = async () => {
    process.off("exit", clear);
    clear();
    await ended;
  };
  try {
    const ports = await listening(child);
    return {
      pid: child.pid,
      port: ports.http,
      readyMs: Number(process.hrtime.bigint() - started) / 1e6,
      cpu: () => cpuOf(child.pid),
      /** Sets what the bindings answer: stubs.mjs. */
      set: (stubs) => control(ports.control, { method: "POST", body: JSON.stringify(stubs) }),
      /** The calls of the bindings since then. */
      calls: () => control(ports.control, {}),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const MAIN = "main.mjs";
const STUBS = readFileSync(join(import.meta.dirname, "stubs.mjs"), "utf8");

/** The module that stands round every contender. */
function harness(main, muted) {
  const contents = `import { around, control, mute } from "./bench-stubs.mjs";
import contender from ${quoted(`./${main}`)};
${muted ? "mute();" : ""}
export default around(contender);
export { control };
`;
  return [
    { name: MAIN, type: "esModule", contents },
    { name: "bench-stubs.mjs", type: "esModule", contents: STUBS },
  ];
}

function listening(child) {
  const ports = {};
  let text = "";
  let errors = "";
  child.stderr.on("data", (part) => (errors += part));
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`workerd did not start (${why}): ${errors.trim()}`));
    const timer = setTimeout(fail, START_MS_MAX, "no answer in time");
    child.once("exit", (code) => fail(`exit ${code}`));
    child.stdio[3].on("data", (part) => {
      text += part;
      const lines = text.split("\n");
      text = lines.pop();
      for (const { event, socket, port } of lines.map((line) => JSON.parse(line))) if (event === "listen") ports[socket] = port;
      if (ports.http === undefined || ports.control === undefined) return;
      clearTimeout(timer);
      resolve(ports);
    });
  });
}

async function control(port, init) {
  const answer = await fetch(`http://127.0.0.1:${port}/`, init);
  if (!answer.ok) throw new Error(`the control socket answered ${answer.status}`);
  return answer.json();
}
