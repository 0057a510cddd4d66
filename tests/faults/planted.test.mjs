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

/** Where a kill strikes is up to the machine as well: a bug that needs one may be missed by one run, not by all. */
const SEEDS = [31, 32, 33, 34];

for (const [plant, rule] of Object.entries(PLANTED)) {
  test(`${plant}: found`, async () => {
    let last;
    for (const seed of SEEDS) {
      last = await run("--quick", "--seed", String(seed), "--single", "10", "--pairs", "0", "--plant", plant);
      if (last.code === 0) continue;
      assert.equal(last.code, 1, last.output);
      assert.ok(last.output.includes(`BROKEN: ${rule} (`), last.output);
      assert.ok(last.output.includes(`The same again: ./scripts/faults --seed ${seed} `), last.output);
      return;
    }
    assert.fail(last.output);
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
