// What one tenant's backend, traffic or forger does to the others (guarantees.md, H4 and H24).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { shopEvent } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const backlogAt = async (at) => {
  const before = gate.lines({ event: "backlog", at }).length;
  await gate.tick();
  return gate.lines({ event: "backlog", at })[before].messages;
};

async function accepted(events) {
  for (const answer of await Promise.all(events.map((event) => gate.send(event)))) assert.deepEqual([answer.status, answer.json?.status], [200, "accepted"], answer.text);
}

/** All are taken at once, and delivered each once, no faster than ten a second. */
async function paced(events) {
  const started = Date.now();
  await accepted(events);
  const delivered = () => events.filter(({ id }) => gate.backend.of(id).length > 0).length;
  await until(() => delivered() >= 20, "twenty deliveries");
  await sleep(1_000);
  const seconds = (Date.now() - started) / 1000;
  // Ten a second, a second's burst, and a queue that delays by whole seconds.
  assert.ok(delivered() <= 10 * (seconds + 3) && delivered() < events.length, `${delivered()} in ${seconds} s`);
  for (const { id } of events) await gate.backend.wait(id);
  for (const { id } of events) assert.equal(gate.backend.of(id).length, 1);
}

test("over its rate a source is answered 200, and its deliveries wait", () => paced(Array.from({ length: 60 }, () => shopEvent(gate, "flooding"))));

test("over its tenant's rate two sources are answered 200, and share the turns", () =>
  paced(Array.from({ length: 60 }, (_, number) => shopEvent(gate, number % 2 === 0 ? "crowded-one" : "crowded-two"))));

test("a backend that hangs has its events on the slow queue, and the fast one is free for others", async () => {
  const hanging = Array.from({ length: 30 }, () => shopEvent(gate, "hanging"));
  for (const { id } of hanging) gate.backend.plan(id, ...Array.from({ length: 20 }, () => "hang"));
  await accepted(hanging);
  await until(() => gate.lines({ event: "delivery", source: "hanging", outcome: "timed_out" }).length >= 3, "three time-outs");
  await until(async () => (await backlogAt("queue")) === 0, "an empty fast queue", 20_000);
  const healthy = Array.from({ length: 20 }, () => shopEvent(gate, "healthy"));
  // What is known of the backend keeps new events of the same source off the fast queue as well.
  const fresh = shopEvent(gate, "hanging");
  await accepted([fresh, ...healthy]);
  for (const { id } of healthy) await gate.backend.wait(id, 1, 3_000);
  assert.equal(gate.backend.of(fresh.id).length, 0);
});

test("large forgeries are shed with 503, and no small event is", async () => {
  const note = "x".repeat(900_000);
  const forged = () => {
    const event = shopEvent(gate, "neighbour", { note });
    return { ...event, body: event.body.replace("order.paid", "order.made") };
  };
  const statuses = [];
  for (let turn = 0; turn < 100 && !statuses.includes(503); turn += 1) statuses.push(...(await Promise.all(Array.from({ length: 4 }, () => gate.send(forged())))).map(({ status }) => status));
  assert.deepEqual([...new Set(statuses)].sort(), [401, 503]);
  await gate.line({ event: "verdict", verdict: "unavailable", reason: "flooded" });
  const shed = await until(async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => gate.send(forged())));
    return answers.find(({ status }) => status === 503);
  }, "a shed one");
  assert.equal(shed.headers["retry-after"], "10");
  await accepted([shopEvent(gate, "neighbour"), shopEvent(gate, "custom", { note })]);
  // The count leaks: the provider's retry gets through.
  const large = shopEvent(gate, "neighbour", { note });
  await until(async () => (await gate.send(large)).status === 200, "a genuine large one");
});
