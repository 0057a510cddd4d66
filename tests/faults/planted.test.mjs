// The suite finds what is planted: a suite that cannot fail shows nothing.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

/** The rule that each planted bug must be found by. */
const PLANTED = {
  "every-claim-is-granted": "once, but for the windows",
  "done-is-not-said": "once, but for the windows",
  "answered-before-held": "no loss",
  "relay-forgets": "no loss",
  "queue-forgets-at-dispatch": "no loss",
  "verdicts-are-said-twice": "one verdict for each request",
  "forgeries-are-signed": "what was refused is not delivered",
};

for (const [plant, rule] of Object.entries(PLANTED)) {
  test(`${plant}: found`, async () => {
    const { code, output } = await run("--quick", "--seed", "31", "--single", "10", "--pairs", "0", "--plant", plant);
    assert.equal(code, 1, output);
    assert.ok(output.includes(`BROKEN: ${rule} (`), output);
    assert.match(output, /The same again: \.\/scripts\/faults --seed 31 /);
  });
}

test("no-bulkhead: found", async () => {
  const { code, output } = await start("bulkhead.mjs", "--quick", "--plant", "no-bulkhead");
  assert.equal(code, 1, output);
  assert.match(output, /BROKEN: /);
});

const run = (...options) => start("run.mjs", ...options);

function start(program, ...options) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(process.execPath, [join(import.meta.dirname, program), ...options]);
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part));
    child.on("close", (code) => resolve({ code, output }));
  });
}
