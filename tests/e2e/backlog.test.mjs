// What waits is part of the records, with its age (docs/guarantees.md, "Records").
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent, sign, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const QUEUE_DOWN = "EVENTS.send=fail,EVENTS.sendBatch=fail";
const LEDGER_DOWN = "LEDGER.ask=fail";
const ELEVEN_MINUTES_MS = 11 * 60_000;

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** The lines of one cron, by place. */
async function tick(wanted = {}) {
  const before = gate.lines(wanted).length;
  assert.equal((await gate.tick()).outcome, "ok");
  return gate.lines(wanted).slice(before);
}

async function take(events, faults = "") {
  for (const answer of await Promise.all(events.map((event) => gate.send(under(event, faults))))) assert.equal(answer.status, 200, answer.text);
}

describe("what waits", () => {
  test("nothing: a line for each queue, and no more", async () => {
    await take([shopEvent(gate, "steady"), shopEvent(gate, "exact")]);
    await gate.line({ event: "delivery", result: "delivered", source: "exact" });
    const lines = await tick({ event: "backlog" });
    assert.deepEqual(lines, [
      { event: "backlog", at: "queue", messages: 0, bytes: 0 },
      { event: "backlog", at: "slow_queue", messages: 0, bytes: 0 },
      { event: "backlog", at: "dead_letter_queue", messages: 0, bytes: 0 },
      { event: "backlog", at: "audit_queue", messages: 0, bytes: 0 },
    ]);
  });

  test("on the queue: how many, how large, how old", async () => {
    const [first, ...others] = Array.from({ length: 12 }, () => shopEvent(gate, "steady"));
    gate.backend.plan(first.id, { status: 200, afterMs: 900 });
    await take([first]);
    await gate.backend.wait(first.id);
    // The local queue has one batch under way at a time: these wait for it.
    await take(others);
    await sleep(10);
    const [line] = await tick({ event: "backlog", at: "queue" });
    assert.ok(line.messages >= 1 && line.messages <= 11, JSON.stringify(line));
    assert.ok(line.bytes > 300 * line.messages && line.oldest_seconds === 0, JSON.stringify(line));
  });

  test("in the ledger: one line for each object that holds anything", async () => {
    await gate.faults(QUEUE_DOWN);
    await take([...Array.from({ length: 3 }, () => shopEvent(gate, "exact")), shopEvent(gate, "exact-neighbour")]);
    const grouped = (source) => sign(source, "my-shop", gate.secrets.GROUP_SECRET, JSON.stringify({ id: freshId() }));
    await take([grouped("group-a"), grouped("group-b")], QUEUE_DOWN);
    await sleep(1_100);
    const lines = await tick({ event: "backlog", at: "ledger" });
    const told = lines.map(({ tenant, object, messages, refused }) => [tenant, object, messages, refused]).sort();
    assert.deepEqual(told, [
      ["demo", "2/demo/group/the-group/1/0", 2, 0],
      ["demo", "2/demo/source/exact/1/0", 3, 0],
      ["other", "2/other/source/exact-neighbour/1/0", 1, 0],
    ]);
    for (const { oldest_seconds: age } of lines) assert.ok(age >= 1 && age < 10, `${age} s`);
    await gate.faults("");
    await gate.tick();
    await until(async () => (await tick({ event: "backlog", at: "ledger" })).length === 0, "an empty ledger");
  });

  test("in the ledger: how many of them the queue refused", async () => {
    const poison = shopEvent(gate, "exact");
    await gate.faults(`EVENTS.send=refuse:${poison.id},EVENTS.sendBatch=refuse:${poison.id}`);
    await take([poison]);
    await until(async () => {
      await take([shopEvent(gate, "exact")]);
      const [line] = await tick({ event: "backlog", at: "ledger", source: "exact" });
      return line?.refused === 1;
    }, "a refused one");
    await gate.faults("");
    await gate.backend.wait(poison.id);
  });

  test("in the spool", async () => {
    const events = [shopEvent(gate, "steady"), shopEvent(gate, "steady")];
    await take(events, `${QUEUE_DOWN},${LEDGER_DOWN}`);
    await gate.faults(QUEUE_DOWN);
    const [line] = await tick({ event: "backlog", at: "spool" });
    assert.deepEqual([line.messages, line.oldest_seconds < 10], [2, true]);
    await gate.faults("");
    assert.deepEqual(await tick({ event: "backlog", at: "spool" }), []);
    for (const { id } of events) await gate.backend.wait(id);
  });

  test("a queue that does not say so: a notice, and the rest all the same", async () => {
    await gate.faults("EVENTS.metrics=fail");
    const lines = await tick();
    assert.equal(lines.filter(({ what }) => what === "backlog_unknown").length, 1);
    assert.deepEqual(lines.filter(({ event }) => event === "backlog").map(({ at }) => at), ["slow_queue", "dead_letter_queue", "audit_queue"]);
    await gate.faults("");
  });
});

test("what has waited for ten minutes raises an alarm", async () => {
  await gate.faults(QUEUE_DOWN);
  await take([shopEvent(gate, "exact")]);
  await take([shopEvent(gate, "steady")], `${QUEUE_DOWN},${LEDGER_DOWN}`);
  assert.deepEqual(await tick({ what: "backlog_old" }), []);
  await gate.ahead(ELEVEN_MINUTES_MS);
  const alarms = await tick({ event: "alarm", what: "backlog_old" });
  assert.deepEqual(alarms.map(({ detail, source }) => [detail, source]).sort(), [["ledger", "exact"], ["spool", undefined]]);
  for (const { age_seconds: age } of alarms) assert.ok(age >= 660 && age < 700, `${age} s`);
});
