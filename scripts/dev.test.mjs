// ./scripts/dev in a directory of stand-ins: what it leaves behind when it is stopped.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const SCRIPTS = import.meta.dirname;
/** The first build is quick; the one that the gate asks for holds the lock, and lasts. */
const BUILD = `#!/usr/bin/env bash
set -euo pipefail
. "\${BASH_SOURCE[0]%/*}/lib.sh"
hold_lock build
[ "\${IS_REBUILD:-}" = yes ] || exit 0
bash -c 'echo $$ >"$0" && exec sleep 300' "$TOOLS/compiler"
`;
/** Like wrangler: healthy, begins a build through a shell when a file changed, and ends without it. */
const WRANGLER = `
import { spawn } from "node:child_process";
import { createServer } from "node:http";
const [command, ...rest] = process.argv.slice(2);
if (command === "dev") {
  process.on("SIGTERM", () => process.exit(0));
  createServer((_request, response) => {
    response.end();
    spawn("./scripts/build", { shell: true, stdio: "inherit", env: { ...process.env, IS_REBUILD: "yes" } });
  }).listen(Number(rest[rest.indexOf("--port") + 1]), "127.0.0.1");
}
`;

function standIns(t) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "hookgate-dev-")));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const put = (path, text) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o755);
  };
  put("scripts/setup", "#!/bin/sh\n");
  put("scripts/dev-vars.mjs", "");
  put("scripts/backend.mjs", "setInterval(() => {}, 1000);\n");
  put("scripts/build", BUILD);
  put("package.json", '{ "type": "module" }\n');
  put("node_modules/wrangler/bin/wrangler.js", WRANGLER);
  mkdirSync(join(root, "node_modules/.bin"));
  symlinkSync(process.execPath, join(root, "node_modules/.bin/node"));
  for (const name of ["dev", "lib.sh"]) copyFileSync(join(SCRIPTS, name), join(root, "scripts", name));
  return root;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return String(port);
}

/** Who ended, and was not asked by anybody how, is still in the table of processes: a zombie. */
const isAlive = (pid) => /^[^Z\s]/.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)]).stdout.toString());

/** What stands in the lock's file with the highest number. */
function holderOf(root, name) {
  const numbers = readdirSync(join(root, ".tools")).flatMap((file) => (file.startsWith(`${name}.lock.`) ? [Number(file.slice(name.length + 6))] : []));
  return readFileSync(join(root, ".tools", `${name}.lock.${Math.max(...numbers)}`), "utf8").trim();
}

async function until(holds, what, said) {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`${what}: not within 10 s: ${said.join("")}`);
}

for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]]) {
  test(`a build that the gate began does not outlive it, nor keep the lock: ${signal}`, async (t) => {
    const root = standIns(t);
    const dev = spawn("bash", ["scripts/dev"], { cwd: root, env: { ...process.env, PORT: await freePort(), BACKEND_PORT: await freePort() } });
    t.after(() => dev.kill());
    const said = [];
    for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (chunk) => said.push(chunk));
    const compiler = join(root, ".tools", "compiler");
    await until(() => existsSync(compiler) && readFileSync(compiler, "utf8").endsWith("\n"), "the build", said);
    const pids = [holderOf(root, "build"), readFileSync(compiler, "utf8")].map(Number);
    t.after(() => pids.filter(isAlive).forEach((pid) => process.kill(pid)));
    assert.deepEqual(pids.map(isAlive), [true, true]);
    dev.kill(signal);
    const [code] = await once(dev, "exit");
    assert.equal(code, expected, said.join(""));
    await until(() => holderOf(root, "build") === "" && !pids.some(isAlive), "the end of the build", said);
  });
}
