// What the platform is told, and what is deployed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "smol-toml";
import { ROOT, startGate } from "./support/gate.mjs";

const config = parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8"));
const environments = { development: config, ...config.env };

// The platform's own line for each request carries the URL and all headers, secrets among them.
test("invocation logs are off in every environment", () => {
  assert.deepEqual(Object.keys(environments).sort(), ["development", "production", "staging", "test"]);
  for (const [name, environment] of Object.entries(environments)) {
    const { logs, enabled, redact_query_string: redacted } = environment.observability ?? config.observability;
    assert.deepEqual([enabled, logs.enabled, logs.invocation_logs, redacted], [true, true, false, true], name);
    assert.ok(!(environment.logpush ?? config.logpush), `${name}: logpush carries the same lines`);
    assert.deepEqual(environment.tail_consumers ?? config.tail_consumers ?? [], [], `${name}: tail events carry the same`);
  }
});

test("what is deployed has no test hook", () => {
  const wasm = (directory) => {
    try {
      return readFileSync(join(ROOT, directory, "hookgate_bg.wasm"));
    } catch {
      return assert.fail(`${directory}/ is not there: run ./scripts/build (scripts/test does)`);
    }
  };
  // "x-test-hook" itself is compared as numbers and stands in no build; these two strings stand in a hooked one.
  for (const mark of ["x-test-secret", "on purpose, quoting"]) {
    assert.ok(wasm("build-test").includes(mark), "the search finds what is there");
    assert.ok(!wasm("build").includes(mark), `build/ contains "${mark}"`);
  }
  for (const environment of Object.values(environments)) assert.equal(environment.main ?? config.main, "src/edge/entry.mjs");
});

const OBJECTS = [
  { name: "LEDGER", class_name: "Ledger" },
  { name: "AUDIT_LOG", class_name: "AuditLog" },
];

test("these tests run what is deployed: same bindings, flags and date", async () => {
  const gate = await startGate();
  try {
    const bindings = await gate.mf.getBindings("hookgate");
    const declared = ({ kv_namespaces: kv, queues, r2_buckets: r2, d1_databases: d1, durable_objects: objects }) =>
      [...[...kv, ...queues.producers, ...r2, ...d1].map(({ binding }) => binding), ...objects.bindings.map(({ name }) => name)];
    for (const [name, environment] of Object.entries(environments)) {
      for (const binding of declared(environment)) assert.equal(typeof bindings[binding], "object", `${name}: ${binding}`);
      assert.deepEqual(environment.durable_objects.bindings.map((object) => ({ ...object })), OBJECTS, name);
      assert.ok(environment.triggers.crons.length > 0, `${name}: nothing wakes the ledgers or drains the spool`);
      assert.ok(environment.queues.producers.find(({ binding }) => binding === "EVENTS").queue.startsWith("hookgate-events"));
      assert.ok(environment.queues.producers.find(({ binding }) => binding === "DEAD_LETTERS").queue.startsWith("hookgate-dead-letters"));
    }
    assert.deepEqual([config.compatibility_date, config.compatibility_flags], gate.compatibility);
  } finally {
    await gate.stop();
  }
});

// A delivery waits twice at least, and an isolate makes a hundred thousand of them.
test("a wait that ends in time leaves nothing behind", async () => {
  const gate = await startGate();
  try {
    const before = await gate.memoryAfter(2_000);
    const after = await gate.memoryAfter(40_000);
    assert.ok(before > 0 && after - before < 1_048_576, `${before} bytes, then ${after}`);
  } finally {
    await gate.stop();
  }
});
