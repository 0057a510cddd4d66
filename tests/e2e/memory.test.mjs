// What is remembered, and what happens while the memory fails (guarantees.md, H18).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { shopEvent, under } from "./support/sign.mjs";
import { sleep } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** Of the scheme `hasty`, in sources.toml: a third of its 900 ms for an answer. */
const ASK_MS = 300;
/** What a loaded machine may add to a timer. */
const SLACK_MS = 500;

async function expect(request, status, memory) {
  const answer = await gate.send(request);
  const line = await gate.verdict(answer);
  assert.deepEqual([answer.status, answer.json.status, line.memory], [200, status, memory], answer.text);
  return { answer, line };
}

describe("duplicates", () => {
  test("200 of 200 duplicates that follow at once are told so", async () => {
    let duplicates = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      const event = shopEvent(gate);
      assert.equal((await gate.send(event)).json.status, "accepted");
      if ((await gate.send(event)).json.status === "duplicate") duplicates += 1;
    }
    assert.equal(duplicates, 200);
  });
});

describe("the memory fails", () => {
  test("asking fails: accepted all the same, and remembered", async () => {
    const event = shopEvent(gate, "hasty");
    await expect(under(event, "SEEN.get=fail"), "accepted", "failed");
    await gate.backend.wait(event.id);
    await expect(event, "duplicate", "seen");
  });

  test("asking hangs: accepted within its slice", async () => {
    const event = shopEvent(gate, "hasty");
    const { answer } = await expect(under(event, "SEEN.get=hang"), "accepted", "unknown");
    assert.ok(answer.ms >= ASK_MS - 20 && answer.ms < ASK_MS + SLACK_MS, `${answer.ms} ms`);
    await gate.backend.wait(event.id);
  });

  test("asking is slow but in time: a duplicate is still known", async () => {
    const event = shopEvent(gate, "hasty");
    await expect(event, "accepted", "unseen");
    await expect(under(event, "SEEN.get=late:50"), "duplicate", "seen");
  });

  test("writing fails: accepted, with an alarm; a retry is accepted too, and not delivered", async () => {
    const event = shopEvent(gate, "hasty");
    const { answer } = await expect(under(event, "SEEN.put=fail"), "accepted", "unseen");
    await gate.line({ event: "alarm", what: "memory_unwritten", request_id: answer.requestId });
    await expect(event, "accepted", "unseen");
    await gate.backend.wait(event.id);
    await sleep(300);
    assert.equal(gate.backend.of(event.id).length, 1);
  });

  test("writing hangs: the answer does not wait for it", async () => {
    const event = shopEvent(gate, "hasty");
    const { answer } = await expect(under(event, "SEEN.put=hang"), "accepted", "unseen");
    assert.ok(answer.ms < SLACK_MS, `${answer.ms} ms`);
    await gate.backend.wait(event.id);
  });
});
