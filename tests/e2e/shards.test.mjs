// More shards for a ledger that has rows: no event is forgotten, and none is delivered twice.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startBackend } from "./support/backend.mjs";
import { startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { shopEvent } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

const A_WHILE_MS = 700;
const secrets = freshSecrets();
let keep, backend;

before(async () => {
  keep = mkdtempSync(join(tmpdir(), "hookgate-shards-"));
  backend = await startBackend();
});

after(() => {
  backend.stop();
  rmSync(keep, { recursive: true, force: true });
});

const start = (shards, more = {}) =>
  startGate({ secrets, backend, keep, variables: { TEST_LEDGER_SHARDS: JSON.stringify(shards) }, ...more });

async function status(gate, event) {
  const { json } = await gate.send(event);
  return json?.status;
}

/** KV forgets everything, so that the ledger alone stands between a copy and the backend. */
async function forgetKv(gate) {
  const seen = await gate.mf.getKVNamespace("SEEN");
  for (const { name } of (await seen.list()).keys) await seen.delete(name);
}

describe("one shard, then one and four, then four alone", () => {
  const roads = ["custom", "exact"];
  const events = {};
  let gate;

  test("with one shard: delivered, dead, and held", async () => {
    gate = await start([1]);
    for (const road of roads) {
      events[road] = Array.from({ length: 8 }, () => shopEvent(gate, road));
      for (const event of events[road]) assert.equal(await status(gate, event), "accepted");
      for (const event of events[road]) await backend.wait(event.id, 1);
    }
    events.dead = shopEvent(gate, "exact");
    backend.plan(events.dead.id, 400);
    await gate.send(events.dead);
    await until(async () => (await gate.letters()).find(({ event_id: id }) => id === events.dead.id), "a dead letter");
    await gate.faults("EVENTS.send=fail,EVENTS.sendBatch=fail");
    events.held = shopEvent(gate, "exact");
    assert.equal(await status(gate, events.held), "accepted");
    await sleep(A_WHILE_MS);
    assert.equal(backend.of(events.held.id).length, 0);
    await gate.stop();
  });

  test("with four more: copies are known, the dead is revived, the held goes on", async () => {
    gate = await start([1, 4]);
    await gate.tick();
    await backend.wait(events.held.id, 1);
    await forgetKv(gate);
    for (const event of events.exact) assert.equal(await status(gate, event), "duplicate");
    for (const event of events.custom) assert.equal(await status(gate, event), "accepted");
    assert.equal(await status(gate, events.held), "duplicate");
    assert.equal(await status(gate, events.dead), "accepted");
    await backend.wait(events.dead.id, 2);
    await sleep(A_WHILE_MS);
    for (const event of [...events.custom, ...events.exact, events.held]) {
      assert.equal(backend.of(event.id).length, 1, event.id);
    }
    for (const road of roads) {
      const fresh = Array.from({ length: 8 }, () => shopEvent(gate, road));
      for (const event of fresh) assert.equal(await status(gate, event), "accepted");
      for (const event of fresh) assert.equal(await status(gate, event), "duplicate");
      for (const event of fresh) await backend.wait(event.id, 1);
      events[road].push(...fresh);
    }
    await gate.stop();
  });

  test("a Worker that knows of one shard only loses nothing and repeats nothing", async () => {
    gate = await start([1]);
    await forgetKv(gate);
    // A row of the former epoch is there for it; anything else it has to leave to the newer version.
    assert.equal(await status(gate, events.exact[0]), "duplicate");
    const fresh = shopEvent(gate, "exact");
    assert.equal(await status(gate, fresh), "accepted");
    assert.equal((await gate.line({ event: "verdict", event_id: fresh.id })).held_at, "queue");
    await sleep(A_WHILE_MS);
    assert.equal(backend.of(fresh.id).length, 0, "delivered without a claim");
    assert.ok(gate.lines({ what: "ledger_failed" }).some(({ detail }) => detail.includes("newer shards")));
    await gate.stop();
  });

  test("the retired epoch is not asked any more", async () => {
    gate = await start([0, 4]);
    await forgetKv(gate);
    // Made while there were four: known. Made before: forgotten, which is why the log has to say when.
    assert.equal(await status(gate, events.exact[8]), "duplicate");
    assert.equal(await status(gate, events.exact[0]), "accepted");
    await gate.stop();
  });
});

test("an object of a former epoch says when it has nothing left", async () => {
  const gate = await startGate({ secrets, backend, variables: { TEST_LEDGER_SHARDS: "[1,2]" } });
  const event = shopEvent(gate, "exact");
  assert.equal(await status(gate, event), "accepted");
  await gate.tick();
  const line = await gate.line({ event: "notice", what: "ledger_empty" });
  assert.match(line.detail, /\/1\/0$/);
  assert.ok(!gate.lines({ what: "ledger_empty" }).some(({ detail }) => detail.includes("/2/")));
  await gate.stop();
});
