// What the ledger holds goes to the queue, whatever happens in between (guarantees.md, G1 and H9).
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startBackend } from "./support/backend.mjs";
import { startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { freshId, shopEvent, under } from "./support/sign.mjs";
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
  const detour = Array.from({ length: 10 }, () => shopEvent(gate, "steady"));
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
      const one = shopEvent(next, "steady");
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

/** The queue's own codes, from its reference page. */
const TOO_LARGE = "10204";
const OVERLOADED = "10250";
/** What the poison in these tests is known by. */
const MARK = "evt_poison";
const poisoned = (gate) => shopEvent(gate, "exact", { id: freshId().replace("evt_", MARK) });
const refusing = (code) => ["send", "sendBatch"].map((call) => `EVENTS.${call}=refuse:${MARK}${code === undefined ? "" : `:${code}`}`).join(",");

const letterOf = async (gate, { id }) => (await gate.letters()).find(({ event_id: of }) => of === id);
const strikes = (gate, call) => gate.lines({ event: "fault", call }).length;

async function take(gate, ...events) {
  for (const answer of await Promise.all(events.map((event) => gate.send(event)))) assert.equal(answer.json?.status, "accepted", answer.text);
}

describe("messages that the queue refuses", { concurrency: true }, () => {
  test("too large by the queue's own word: a dead letter at once, alone or in a batch of its kind", () =>
    withGate(async (gate) => {
      await gate.faults(refusing(TOO_LARGE));
      const alone = poisoned(gate);
      await take(gate, alone);
      assert.equal((await until(() => letterOf(gate, alone), "the letter")).reason, "refused_by_queue");
      const several = Array.from({ length: 3 }, () => poisoned(gate));
      const good = shopEvent(gate, "exact");
      await take(gate, ...several, good);
      for (const event of several) await until(() => letterOf(gate, event), "each letter");
      await deliveredOnce([good]);
      await gate.line({ event: "alarm", what: "dead_letter", detail: (await letterOf(gate, alone)).id });
      assert.ok(undelivered([alone, ...several]));
      // The operator, or the provider, may bring it again.
      await gate.faults("");
      assert.equal((await gate.verdict(await gate.send(alone))).verdict, "revived");
      await deliveredOnce([alone]);
    }));

  test("the archive fails too: the message stays held, others go on, and it is set aside later", () =>
    withGate(async (gate) => {
      await gate.faults(`${refusing(TOO_LARGE)},ARCHIVE.put=fail`);
      const poison = poisoned(gate);
      await take(gate, poison);
      const good = shopEvent(gate, "exact");
      await take(gate, good);
      await deliveredOnce([good]);
      await gate.line({ event: "alarm", what: "archive_failed" });
      assert.equal(await letterOf(gate, poison), undefined);
      await gate.faults(refusing(TOO_LARGE));
      await until(() => letterOf(gate, poison), "the letter");
    }));

  test("without a reason: set aside after ten refusals, each while the queue took another", () =>
    withGate(async (gate) => {
      await gate.faults(refusing());
      const poison = poisoned(gate);
      await take(gate, poison);
      let others = 0;
      await until(async () => {
        const other = shopEvent(gate, "exact");
        await take(gate, other);
        await deliveredOnce([other]);
        others += 1;
        return letterOf(gate, poison);
      }, "the letter", 30_000);
      assert.ok(others >= 10, `${others} others`);
      assert.ok(undelivered([poison]));
    }));

  test("without a reason, and alone: kept, because nothing tells it from an outage", () =>
    withGate(async (gate) => {
      await gate.faults(refusing());
      const poison = poisoned(gate);
      await take(gate, poison);
      await until(async () => (await gate.tick()) && strikes(gate, "EVENTS.send") >= 15, "fifteen refusals", 30_000);
      assert.equal(await letterOf(gate, poison), undefined);
      await gate.faults("");
      await gate.tick();
      await deliveredOnce([poison]);
    }));

  test("three hundred of them do not keep a good one waiting", () =>
    withGate(async (gate) => {
      await gate.faults(refusing());
      const poison = Array.from({ length: 300 }, () => poisoned(gate));
      await take(gate, ...poison);
      await sleep(A_WHILE_MS);
      const good = shopEvent(gate, "exact");
      await take(gate, good);
      await backend.wait(good.id, 1, 5_000);
      await deliveredOnce([good]);
    }));
});

describe("an outage of the queue", { concurrency: true }, () => {
  /** By then the relay waits eight seconds: 1 + 2 + 4 have passed. */
  const LONG_MS = 7_500;

  test("is no reason to set anything aside, also where it lets others through", () =>
    withGate(async (gate) => {
      const mine = poisoned(gate);
      await gate.faults(refusing(OVERLOADED));
      await take(gate, mine);
      const others = [];
      for (let turn = 0; turn < 15; turn += 1) {
        others.push(shopEvent(gate, "exact"));
        await take(gate, others.at(-1));
        await sleep(A_WHILE_MS);
      }
      assert.equal(await letterOf(gate, mine), undefined);
      await gate.faults("");
      await deliveredOnce([mine, ...others]);
      assert.equal(await letterOf(gate, mine), undefined);
    }));

  test("is found to be over by the next event, however long it lasted", () =>
    withGate(async (gate) => {
      await gate.faults(QUEUE_DOWN);
      const held = await accepted(gate, 3);
      await sleep(LONG_MS);
      await gate.faults("");
      const [fresh] = await accepted(gate, 1);
      for (const { id } of [fresh, ...held]) await backend.wait(id, 1, 3_000);
      await deliveredOnce([fresh, ...held]);
    }));

  test("costs a few attempts a second at most, whatever arrives meanwhile", () =>
    withGate(async (gate) => {
      await gate.faults(QUEUE_DOWN);
      const events = [];
      const started = Date.now();
      while (Date.now() - started < 4_000) events.push(...(await accepted(gate, 10)));
      const [batches, sends] = [strikes(gate, "EVENTS.sendBatch"), strikes(gate, "EVENTS.send")];
      assert.ok(batches >= 2 && batches <= 5, `${batches} batches in four seconds`);
      assert.ok(sends <= 5 * batches, `${sends} messages one by one for ${batches} batches`);
      await gate.faults("");
      await deliveredOnce(events);
    }));
});
