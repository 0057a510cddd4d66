// What the ledger holds goes to the queue, whatever happens in between (guarantees.md, G1 and H9).
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startBackend } from "./support/backend.mjs";
import { startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { shopEvent, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const QUEUE_DOWN = "EVENTS.send=fail,EVENTS.sendBatch=fail";
/** As long as a second delivery takes to show itself. */
const A_WHILE_MS = 300;

const secrets = freshSecrets();
let backend;
before(async () => (backend = await startBackend()));
after(() => backend.stop());

/** Runs `act` with a gate of its own, and a way to kill and start it again; each test waits mostly. */
async function withGate(act) {
  const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
  const start = () => startGate({ secrets, keep, backend });
  let gate = await start();
  const again = async () => {
    await gate.stop();
    return (gate = await start());
  };
  try {
    await act(gate, again);
  } finally {
    await gate.stop();
    rmSync(keep, { recursive: true, force: true });
  }
}

/** Sends events of the ledger road that are all accepted; `count` of them. */
async function accepted(gate, count, source = "exact") {
  const events = Array.from({ length: count }, () => shopEvent(gate, source));
  const answers = await Promise.all(events.map((event) => gate.send(event)));
  for (const { status, json, text } of answers) assert.deepEqual([status, json?.status], [200, "accepted"], text);
  return events;
}

async function deliveredOnce(events) {
  for (const { id } of events) await backend.wait(id);
  await sleep(A_WHILE_MS);
  for (const { id } of events) assert.equal(backend.of(id).length, 1, `deliveries of ${id}`);
}

const undelivered = (events) => events.every(({ id }) => backend.of(id).length === 0);

/** Events that the ledger of a dead gate holds. */
async function heldAndKilled(gate, again) {
  await gate.faults(QUEUE_DOWN);
  const detour = Array.from({ length: 10 }, () => shopEvent(gate));
  const answers = await Promise.all(detour.map((event) => gate.send(under(event, QUEUE_DOWN))));
  for (const { status, text } of answers) assert.equal(status, 200, text);
  const events = [...(await accepted(gate, 30)), ...detour];
  const next = await again();
  return [next, events];
}

describe("held events", { concurrency: true }, () => {
  test("the queue is down: thirty events are held, copies are told so, and each is delivered once when it is back", () =>
    withGate(async (gate) => {
      await gate.faults(QUEUE_DOWN);
      const events = await accepted(gate, 30);
      for (const event of events) assert.equal((await gate.send(event)).json.status, "duplicate");
      await sleep(A_WHILE_MS);
      assert.ok(undelivered(events));
      await gate.faults("");
      await deliveredOnce(events);
    }));

  test("the queue is down: more than a batch holds", () =>
    withGate(async (gate) => {
      await gate.faults(QUEUE_DOWN);
      const events = await accepted(gate, 250);
      await gate.faults("");
      await deliveredOnce(events);
    }));

  test("only batches fail: their messages go one by one", () =>
    withGate(async (gate) => {
      await gate.faults("EVENTS.sendBatch=fail");
      await deliveredOnce(await accepted(gate, 20));
    }));

  test("a batch takes effect and reports a failure: each is delivered once all the same", () =>
    withGate(async (gate) => {
      await gate.faults("EVENTS.sendBatch=lost");
      const events = await accepted(gate, 20);
      await deliveredOnce(events);
      await gate.faults("EVENTS.sendBatch=lost,EVENTS.send=lost");
      const others = await accepted(gate, 20);
      for (const { id } of others) await backend.wait(id);
      await gate.faults("");
      await sleep(2_500);
      await deliveredOnce(others);
    }));

  test("a send that never settles does not keep the relay: it gives up waiting", () =>
    withGate(async (gate) => {
      await gate.faults("EVENTS.sendBatch=hang");
      const events = await accepted(gate, 3);
      await sleep(A_WHILE_MS);
      await gate.faults("");
      for (const { id } of events) await backend.wait(id, 1, 10_000);
      await deliveredOnce(events);
    }));

  test("a message that the queue refuses for ever is set aside, and the others go on", () =>
    withGate(async (gate) => {
      const poison = shopEvent(gate, "exact");
      await gate.faults(`EVENTS.send=refuse:${poison.id},EVENTS.sendBatch=refuse:${poison.id}`);
      assert.equal((await gate.send(poison)).json.status, "accepted");
      const letter = async () => (await gate.letters()).find(({ event_id: id }) => id === poison.id);
      const others = [];
      await until(async () => {
        others.push(...(await accepted(gate, 2)));
        for (const { id } of others) await backend.wait(id);
        return letter();
      }, "the letter", 20_000);
      assert.equal((await letter()).reason, "refused_by_queue");
      await gate.faults("");
      await deliveredOnce(others);
      assert.ok(undelivered([poison]));
      // The operator, or the provider, may bring it again.
      assert.equal((await gate.verdict(await gate.send(poison))).verdict, "revived");
      await deliveredOnce([poison]);
    }));

  test("killed meanwhile, both roads: delivered once after the cron", () =>
    withGate(async (gate, again) => {
      const [next, events] = await heldAndKilled(gate, again);
      assert.equal((await next.tick()).outcome, "ok");
      await deliveredOnce(events);
      for (const event of events) assert.equal((await next.send(event)).json.status, "duplicate");
      await deliveredOnce(events);
    }));

  test("killed meanwhile, without the cron: the next event of each source wakes its ledger", () =>
    withGate(async (gate, again) => {
      const [next, events] = await heldAndKilled(gate, again);
      const copies = await Promise.all(events.filter(({ target }) => target.endsWith("exact")).slice(0, 1).map((event) => next.send(event)));
      assert.equal(copies[0].json.status, "duplicate", "a copy of what is held wakes it as well");
      const one = shopEvent(next);
      assert.equal((await next.send(one)).json.status, "accepted"); // its consumer asks the ledger
      await deliveredOnce([...events, one]);
    }));

  test("killed in the middle of a storm: whatever was answered 2xx is delivered once", () =>
    withGate(async (gate, again) => {
      await gate.faults(QUEUE_DOWN);
      const events = Array.from({ length: 400 }, () => shopEvent(gate, "exact"));
      const taken = [];
      const waiting = [...events];
      const sender = async () => {
        for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
          const answer = await gate.send(event).catch(() => undefined);
          if (answer === undefined) return;
          assert.equal(answer.status, 200);
          taken.push(event);
        }
      };
      const senders = Promise.all(Array.from({ length: 20 }, sender));
      await until(() => taken.length >= 100, "a hundred answers");
      const next = await again();
      await senders;
      assert.ok(taken.length < events.length, "it was killed too late");
      await next.tick();
      await deliveredOnce(taken);
      // The provider sends the others again; some of them may have been taken without an answer.
      const rest = events.filter((event) => !taken.includes(event));
      for (const answer of await Promise.all(rest.map((event) => next.send(event)))) assert.equal(answer.status, 200);
      await deliveredOnce(events);
    }));
});
