// One message, more than one consumer: the ledger's claim decides (guarantees.md, H2).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
/** A message as this gate writes it. */
let sample;
before(async () => {
  gate = await startGate();
  const event = shopEvent(gate);
  gate.backend.plan(event.id, 400);
  await gate.send(event);
  const letter = await until(async () => (await gate.letters()).find(({ event_id: id }) => id === event.id), "the sample's letter");
  sample = JSON.parse((await gate.admin(`/${letter.id}`)).json.message);
  hung = Object.fromEntries(Object.entries(HANGING).map(([name, act]) => [name, alone(act)]));
});
after(() => gate.stop());

/**
 * What becomes of messages whose effects never end, each in a gate of its own, all at once: it takes seconds. The test
 * that waits for one says what it found.
 */
let hung;
const HANGING = {
  claim: async (other, take) => {
    await other.faults("LEDGER.ask.claim=hang");
    return take(message().text);
  },
  letter: async (other, take) => {
    const { id, text } = message();
    other.backend.plan(id, 400);
    await other.faults("DEAD_LETTERS.send=hang");
    const found = await take(text);
    return { ...found, letters: (await other.letters()).length };
  },
  archive: async (other, take) => {
    const { id, text } = message();
    other.backend.plan(id, 400);
    await other.faults("DEAD_LETTERS.send=fail,ARCHIVE.head=hang");
    return take(text);
  },
  "sending again": async (other, take) => {
    const { id, text } = message();
    other.backend.plan(id, { status: 200, afterMs: SLOW_MS });
    await other.faults("EVENTS_SLOW.send=hang");
    const found = await Promise.all([take(text), take(text)]);
    return found.find(({ end }) => end[0] === 0);
  },
};

async function alone(act) {
  const other = await startGate({ secrets: gate.secrets, backend: gate.backend });
  const take = async (text) => {
    const started = Date.now();
    const { explicitAcks, retryMessages } = await other.consume([text]);
    return { end: [explicitAcks.length, retryMessages.length], ms: Date.now() - started };
  };
  const over = new Promise((resolve) => setTimeout(resolve, HUNG_MS_MAX, { end: "never", ms: HUNG_MS_MAX }));
  try {
    return await Promise.race([act(other, take), over]);
  } finally {
    await other.stop();
  }
}

/** As long as a second delivery takes to show itself. */
const A_WHILE_MS = 300;
/** Long enough for a second batch to begin beside the first, and less than the destination's second. */
const SLOW_MS = 600;
/** The ledger and the queues are each given five seconds, the archive ten. */
const HUNG_MS_MAX = 15_000;

/** The message of a new event. */
function message(changes = {}) {
  const id = freshId();
  const dedupkey = id.slice(4).padEnd(64, "0");
  return { id, text: JSON.stringify({ ...sample, id, requestid: `req_${id.slice(4)}`, dedupkey, ...changes }) };
}

/** What became of each message: [acknowledged, to be retried]. */
async function consume(texts, options) {
  const { outcome, explicitAcks, retryMessages } = await gate.consume(texts, options);
  assert.equal(outcome, "ok");
  return [explicitAcks.length, retryMessages.length];
}

async function deliveries(id) {
  await sleep(A_WHILE_MS);
  return gate.backend.of(id).length;
}

/** With these faults in the consumer, until `act` is over. */
async function during(faults, act) {
  await gate.faults(faults);
  try {
    return await act();
  } finally {
    await gate.faults("");
  }
}

describe("the same message, twice", () => {
  test("in two batches at once: one delivers, the other is acknowledged and sent again later", async () => {
    const { id, text } = message();
    gate.backend.plan(id, { status: 200, afterMs: SLOW_MS });
    const ends = await Promise.all([consume([text]), consume([text])]);
    assert.deepEqual(ends, [[1, 0], [1, 0]]);
    assert.equal(await deliveries(id), 1);
  });

  test("the loser goes back through the queue's own retry if it cannot be sent again", async () => {
    const { id, text } = message();
    gate.backend.plan(id, { status: 200, afterMs: SLOW_MS });
    const ends = await during("EVENTS_SLOW.send=fail", () => Promise.all([consume([text]), consume([text])]));
    assert.deepEqual(ends.sort(), [[0, 1], [1, 0]]);
    assert.deepEqual(await consume([text]), [1, 0]);
    assert.equal(await deliveries(id), 1);
  });

  test("in twenty batches at once", async () => {
    const { id, text } = message();
    gate.backend.plan(id, { status: 200, afterMs: SLOW_MS });
    const ends = await Promise.all(Array.from({ length: 20 }, () => consume([text])));
    assert.deepEqual(ends.filter(([acknowledged]) => acknowledged === 1).length, 20);
    assert.equal(await deliveries(id), 1);
  });

  test("ten times in one batch, among others", async () => {
    const twice = message();
    const others = [message(), message()];
    gate.backend.plan(twice.id, { status: 200, afterMs: SLOW_MS });
    const texts = [others[0].text, ...Array.from({ length: 10 }, () => twice.text), others[1].text];
    assert.deepEqual(await consume(texts), [texts.length, 0]);
    assert.deepEqual(await Promise.all([twice, ...others].map(({ id }) => deliveries(id))), [1, 1, 1]);
  });

  test("after its end: acknowledged and not delivered", async () => {
    const { id, text } = message();
    for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await consume([text], { attempts: turn + 1 }), [1, 0]);
    assert.equal(await deliveries(id), 1);
  });

  test("after its death: acknowledged and not delivered", async () => {
    const { id, text } = message();
    gate.backend.plan(id, 400);
    for (let turn = 0; turn < 2; turn += 1) assert.deepEqual(await consume([text]), [1, 0]);
    assert.equal(await deliveries(id), 1);
  });

  test("of an older run than the row's: acknowledged and not delivered", async () => {
    const { id, text } = message({ run: 1 });
    assert.deepEqual(await consume([text]), [1, 0]);
    assert.deepEqual(await consume([JSON.stringify({ ...JSON.parse(text), run: 0 })]), [1, 0]);
    assert.equal(await deliveries(id), 1);
  });

  test("while the backend refuses: the attempts of all copies are counted together", async () => {
    const { id, text } = message();
    gate.backend.plan(id, 500, 500, 500, 500, 500);
    for (let turn = 0; turn < 2; turn += 1) assert.deepEqual(await during("EVENTS_SLOW.send=fail", () => consume([text])), [0, 1]);
    assert.deepEqual(await consume([text]), [1, 0], "given up after the third");
    assert.deepEqual(await consume([text]), [1, 0]);
    assert.deepEqual(gate.backend.of(id).map(({ headers }) => headers["hookgate-attempt"]), ["1", "2", "3"]);
    await until(async () => (await gate.letters()).find(({ event_id: of }) => of === id), "its letter");
  });
});

describe("the ledger fails at the consumer", () => {
  test("no claim, no delivery: the message comes again, and is delivered once the ledger is back", async () => {
    const { id, text } = message();
    for (let turn = 0; turn < 2; turn += 1) assert.deepEqual(await during("LEDGER.ask=fail", () => consume([text])), [0, 1]);
    assert.equal(await deliveries(id), 0);
    await gate.line({ event: "alarm", what: "ledger_failed" });
    assert.deepEqual(await consume([text]), [1, 0]);
    assert.equal(await deliveries(id), 1);
  });

  test("a claim whose answer was lost is a lease: the message waits for its end", async () => {
    const { id, text } = message();
    assert.deepEqual(await during("LEDGER.ask.claim=lost", () => consume([text])), [0, 1]);
    assert.deepEqual(await during("EVENTS_SLOW.send=fail", () => consume([text])), [0, 1], "busy, and could not be sent again");
    assert.equal(await deliveries(id), 0);
  });

  for (const fault of ["fail", "lost"]) {
    test(`done cannot be written (${fault}): acknowledged, and the same message does not deliver it again`, async () => {
      const { id, text } = message();
      assert.deepEqual(await during(`LEDGER.ask.done=${fault}`, () => consume([text])), [1, 0]);
      assert.equal(gate.backend.of(id).length, 1);
      assert.deepEqual(await consume([text]), [1, 0], "the lease is still on");
      assert.equal(await deliveries(id), 1);
    });
  }

  test("dead cannot be written: the letter is kept and the message acknowledged", async () => {
    const { id, text } = message();
    gate.backend.plan(id, 400);
    // Until the letter is there: once the ledger hears of it, the letter waits for the end of the lease.
    await during("LEDGER.ask.dead=fail", async () => {
      assert.deepEqual(await consume([text]), [1, 0]);
      await until(async () => (await gate.letters()).find(({ event_id: of }) => of === id), "its letter");
    });
    assert.equal(await deliveries(id), 1);
  });

  test("a release that is not heard costs time, not the event", async () => {
    const { id, text } = message();
    gate.backend.plan(id, 500);
    assert.deepEqual(await during("LEDGER.ask.release=fail,EVENTS_SLOW.send=fail", () => consume([text])), [0, 1]);
    assert.deepEqual(await consume([text]), [1, 0], "sent again for when the lease is over");
    assert.equal(await deliveries(id), 1);
  });

  test("hangs: the message comes again within seconds", async () => {
    const { end, ms } = await hung.claim;
    assert.deepEqual(end, [0, 1]);
    assert.ok(ms < 7_000, `${ms} ms`);
  });
});

// Nothing of the platform has a time-out of its own, and a batch is not over before its last message is.
describe("an effect of the consumer never ends", () => {
  test("the dead-letter queue's: the letter goes to the archive", async () => {
    const { end, letters } = await hung.letter;
    assert.deepEqual([end, letters], [[1, 0], 1]);
  });

  test("the archive's: the message comes again", async () => assert.deepEqual((await hung.archive).end, [0, 1]));

  test("sending a copy for later: the message itself comes again", async () => assert.deepEqual((await hung["sending again"]).end, [0, 1]));
});

test("an event that no backend has taken for ten minutes raises an alarm with each attempt", async () => {
  const aged = (minutes) => message({ receivedtime: new Date(Date.now() - minutes * 60_000).toISOString() });
  const [old, young] = [aged(11), aged(5)];
  const alarms = () => gate.lines({ event: "alarm", what: "backlog_old", detail: "slow_queue" });
  for (const { id } of [old, young]) gate.backend.plan(id, 500);
  assert.deepEqual(await consume([young.text]), [1, 0]);
  await sleep(A_WHILE_MS);
  assert.equal(alarms().length, 0);
  assert.deepEqual(await consume([old.text, aged(1).text]), [2, 0]);
  const [{ age_seconds: age, source }] = await until(() => alarms().length > 0 && alarms(), "the alarm");
  assert.ok(age >= 660 && age < 700, `${age} s`);
  assert.equal(source, "custom");
});
