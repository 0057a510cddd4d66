// What happens while the queue, the ledger or the archive fails (guarantees.md, G1 and H18): an event
// goes where there is a place left, and reaches the backend once whatever way it took.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** Of the scheme `hasty`, in sources.toml. */
const ANSWER_BY_MS = 900;
/** What a loaded machine may add to a timer. */
const SLACK_MS = 500;
/** As long as a second delivery takes to show itself. */
const A_WHILE_MS = 300;

const QUEUE_DOWN = "EVENTS.send=fail,EVENTS.sendBatch=fail";
const LEDGER_DOWN = "LEDGER.ask=fail";
const SPOOL_DOWN = "ARCHIVE.put=fail";

/** Sends it, and expects this: the answer with its line. */
async function expect(request, verdict, more = {}) {
  const answer = await gate.send(request);
  const line = await gate.verdict(answer);
  const status = verdict === "unavailable" ? 503 : 200;
  assert.deepEqual([answer.status, line.verdict], [status, verdict], `${answer.text} ${JSON.stringify(line)}`);
  for (const [name, value] of Object.entries(more)) assert.equal(line[name], value, name);
  assert.ok(answer.ms < ANSWER_BY_MS + SLACK_MS, `${answer.ms} ms`);
  if (status === 503) assert.equal(answer.headers["retry-after"], "10");
  return { answer, line };
}

async function deliveredOnce(...events) {
  for (const { id } of events) await gate.backend.wait(id);
  await sleep(A_WHILE_MS);
  for (const { id } of events) assert.equal(gate.backend.of(id).length, 1, `deliveries of ${id}`);
}

const isRemembered = async ({ dedup_key: key }) => (await gate.remembered()).includes(`seen/1/${key}`);

// Where a test sets nothing that others see, it waits together with them.
describe("the queue fails", { concurrency: true }, () => {
  test("sending fails: held in the ledger, remembered, delivered once", async () => {
    const event = shopEvent(gate, "hasty");
    const { line } = await expect(under(event, QUEUE_DOWN), "accepted", { memory: "unseen", held_at: "ledger" });
    await gate.line({ event: "alarm", what: "hold_failed" });
    await until(() => isRemembered(line), "the memory");
    await expect(event, "duplicate", { memory: "seen" });
    await deliveredOnce(event);
  });

  test("it stays down: what the ledger holds is delivered once it is back", async () => {
    await gate.faults(QUEUE_DOWN);
    const events = Array.from({ length: 10 }, () => shopEvent(gate, "hasty"));
    await Promise.all(events.map((event) => expect(under(event, QUEUE_DOWN), "accepted", { held_at: "ledger" })));
    await sleep(A_WHILE_MS);
    for (const { id } of events) assert.equal(gate.backend.of(id).length, 0);
    await gate.faults("");
    await deliveredOnce(...events);
  });

  test("sending takes effect and reports a failure: delivered once all the same", async () => {
    const event = shopEvent(gate, "hasty");
    const { status, text } = await gate.send(under(event, "EVENTS.send=lost"));
    assert.equal(status, 200, text);
    assert.equal((await gate.send(event)).status, 200);
    await deliveredOnce(event);
  });

  test("sending hangs: held in the ledger by the time the sender must have an answer", async () => {
    const event = shopEvent(gate, "hasty");
    await expect(under(event, "EVENTS.send=hang"), "accepted", { held_at: "ledger" });
    await expect(event, "duplicate");
    await deliveredOnce(event);
  });

  test("sending lands late, after the detour: delivered once all the same", async () => {
    const event = shopEvent(gate, "hasty");
    const { answer } = await expect(under(event, "EVENTS.send=late:1000"), "accepted", { held_at: "ledger" });
    await gate.line({ what: "late_hold_succeeded", request_id: answer.requestId });
    await expect(event, "duplicate", { duplicate_of: answer.requestId });
    await deliveredOnce(event);
  });

  test("sending is slow but in time: on the queue", async () => {
    const event = shopEvent(gate, "hasty");
    await expect(under(event, "EVENTS.send=late:100"), "accepted", { held_at: "queue" });
    await deliveredOnce(event);
  });

  test("a sender that hangs up meanwhile loses nothing", async () => {
    const event = shopEvent(gate, "hasty");
    const url = new URL(gate.url);
    const headers = ["host", url.host, "content-length", String(event.body.length), ...under(event, "EVENTS.send=late:300").headers.flat()];
    const outgoing = httpRequest({ host: url.hostname, port: url.port, method: "POST", path: event.target, headers });
    outgoing.on("error", () => {});
    outgoing.end(event.body);
    await sleep(150);
    outgoing.destroy();
    await sleep(400);
    // The platform may cancel what a gone sender asked for; the provider's retry mends that.
    const answer = await gate.send(event);
    assert.ok(["accepted", "duplicate"].includes(answer.json.status), answer.text);
    await deliveredOnce(event);
  });
});

describe("memory and queue fail", { concurrency: true }, () => {
  for (const [faults, memory] of [["SEEN.get=fail,EVENTS.send=fail", "failed"], ["SEEN.get=hang,EVENTS.send=hang", "unknown"], ["SEEN.get=hang,EVENTS.send=fail", "unknown"]]) {
    test(`${faults}: accepted in time, delivered once`, async () => {
      const event = shopEvent(gate, "hasty");
      await expect(under(event, faults), "accepted", { memory, held_at: "ledger" });
      await deliveredOnce(event);
    });
  }
});

describe("the ledger fails", { concurrency: true }, () => {
  for (const fault of ["fail", "hang"]) {
    test(`ledger road, ${fault}: on the queue, remembered in KV and in the ledger, delivered once`, async () => {
      const event = shopEvent(gate, "exact-hasty");
      const { line } = await expect(under(event, `LEDGER.ask.arrive=${fault}`), "accepted", { memory: "unseen", held_at: "queue" });
      await until(() => isRemembered(line), "the memory");
      await expect(under(event, LEDGER_DOWN), "duplicate", { memory: "seen" });
      await expect(event, "duplicate", { memory: undefined });
      await deliveredOnce(event);
    });
  }

  test("ledger road, its answer is lost or late: delivered once all the same", async () => {
    const events = ["lost", "late:300", "late:1000"].map((fault) => [shopEvent(gate, "exact-hasty"), fault]);
    for (const [event, fault] of events) await expect(under(event, `LEDGER.ask=${fault}`), "accepted", { held_at: "queue" });
    await deliveredOnce(...events.map(([event]) => event));
    await sleep(500);
    await deliveredOnce(...events.map(([event]) => event));
  });

  test("ledger road, not even told afterwards: the copy that it takes for new is not delivered", async () => {
    const event = shopEvent(gate, "exact-hasty");
    await expect(under(event, `${LEDGER_DOWN},SEEN.put=fail`), "accepted", { held_at: "queue" });
    await deliveredOnce(event);
    await expect(event, "duplicate"); // the consumer's claim made its row
    await deliveredOnce(event);
  });
});

describe("queue and ledger fail", () => {
  for (const source of ["hasty", "exact-hasty"]) {
    test(`${source}: spooled, drained by the cron, delivered once`, async () => {
      const event = shopEvent(gate, source);
      const { line } = await expect(under(event, `${QUEUE_DOWN},${LEDGER_DOWN}`), "accepted", { memory: "unseen", held_at: "spool" });
      assert.equal((await gate.spooled()).length, 1);
      await until(() => isRemembered(line), "the memory");
      await gate.faults(QUEUE_DOWN);
      assert.equal((await gate.tick()).outcome, "ok");
      assert.equal((await gate.spooled()).length, 1, "kept while the queue is down");
      await gate.line({ event: "alarm", what: "spool_failed" });
      assert.equal(gate.backend.of(event.id).length, 0);
      await gate.faults("");
      await gate.tick();
      assert.deepEqual(await gate.spooled(), []);
      await deliveredOnce(event);
      // Told of it or not, whichever memory is asked knows it now.
      await expect(event, "duplicate");
    });

    test(`${source}: the retry of a spooled event that both memories missed is not a second delivery`, async () => {
      const event = shopEvent(gate, source);
      await expect(under(event, `${QUEUE_DOWN},${LEDGER_DOWN},SEEN.put=fail`), "accepted", { held_at: "spool" });
      await expect(event, "accepted");
      await gate.tick();
      assert.deepEqual(await gate.spooled(), []);
      await deliveredOnce(event);
    });
  }

  for (const statement of ["INSERT INTO events", "INSERT INTO held", "DELETE FROM events"]) {
    test(`the ledger's object fails at "${statement}" and nobody else holds it: 503, and the provider's retry is delivered`, async () => {
      const event = shopEvent(gate, "exact-hasty");
      await gate.brokenSql(statement);
      await expect(under(event, `${QUEUE_DOWN},${SPOOL_DOWN}`), "unavailable");
      await gate.brokenSql("");
      const { verdict } = await gate.verdict(await gate.send(event));
      assert.ok(["accepted", "duplicate"].includes(verdict), verdict);
      await deliveredOnce(event);
    });
  }

  test("both hang: spooled by the time the sender must have an answer", async () => {
    const events = ["hasty", "exact-hasty"].map((source) => shopEvent(gate, source));
    await Promise.all(events.map((event) => expect(under(event, "SEEN.get=hang,EVENTS.send=hang,LEDGER.ask=hang"), "accepted", { held_at: "spool" })));
    await gate.tick();
    await deliveredOnce(...events);
  });

  test("a crash between sending and deleting, played by a delete that fails, is no second delivery", async () => {
    const event = shopEvent(gate, "hasty");
    await expect(under(event, `${QUEUE_DOWN},${LEDGER_DOWN}`), "accepted", { held_at: "spool" });
    await gate.faults("ARCHIVE.delete=fail");
    await gate.tick();
    await gate.faults("");
    assert.equal((await gate.spooled()).length, 1);
    await gate.tick();
    assert.deepEqual(await gate.spooled(), []);
    await deliveredOnce(event);
  });
});

describe("the spool's drain", () => {
  /** What the poison in these tests is known by. */
  const MARK = "evt_poison";
  const TOO_LARGE = "10204";
  const OVERLOADED = "10250";
  const strikes = (call) => gate.lines({ event: "fault", call }).length;
  const letterOf = async ({ id }) => (await gate.letters()).find(({ event_id: of }) => of === id);

  /** An event that only the spool takes. */
  async function spool(source = "hasty", id = freshId()) {
    const event = shopEvent(gate, source, { id });
    await expect(under(event, `${QUEUE_DOWN},${LEDGER_DOWN}`), "accepted", { held_at: "spool" });
    return event;
  }
  const poison = (source) => spool(source, freshId().replace("evt_", MARK));

  /** One cron, while the queue refuses the poison. */
  async function tick(code, faults = "") {
    await gate.faults(`EVENTS.send=refuse:${MARK}${code === undefined ? "" : `:${code}`},${faults}`);
    assert.equal((await gate.tick()).outcome, "ok");
    await gate.faults("");
  }

  test("more than a page is drained by one cron", async () => {
    const events = Array.from({ length: 105 }, () => shopEvent(gate, "hasty"));
    await Promise.all(events.map((event) => gate.send(under(event, `${QUEUE_DOWN},${LEDGER_DOWN}`))));
    assert.equal((await gate.spooled()).length, 105);
    await gate.tick();
    assert.deepEqual(await gate.spooled(), []);
    await deliveredOnce(...events);
  });

  test("more than a page that the queue refuses does not hide what it takes", async () => {
    const good = await spool();
    const bucket = await gate.mf.getR2Bucket("ARCHIVE");
    const [name] = await gate.spooled();
    const message = await (await bucket.get(name)).json();
    const refused = Array.from({ length: 110 }, (_, index) => `spool/${String(index).padStart(32, "0")}`);
    for (const other of refused) await bucket.put(other, JSON.stringify({ ...message, id: `${MARK}${other}`, dedupkey: freshId() }));
    await bucket.delete(name);
    await bucket.put(`spool/${"f".repeat(32)}`, JSON.stringify(message));
    await tick();
    await deliveredOnce(good);
    assert.equal((await gate.spooled()).length, 110);
    await bucket.delete(await gate.spooled());
  });

  for (const call of ["get", "delete"]) {
    test(`an object whose ${call} fails does not stop the others`, async () => {
      const events = [await spool(), await spool(), await spool()];
      const [bad] = await gate.spooled();
      await tick(undefined, `ARCHIVE.${call}=refuse:${bad}`);
      assert.deepEqual(await gate.spooled(), [bad]);
      await gate.line({ event: "alarm", what: "spool_failed" });
      await tick();
      assert.deepEqual(await gate.spooled(), []);
      await deliveredOnce(...events);
    });
  }

  test("too large by the queue's own word: a dead letter, and on the ledger road its provider may bring it again", async () => {
    const bad = await poison("exact-hasty");
    const good = await spool();
    await tick(TOO_LARGE);
    assert.deepEqual(await gate.spooled(), []);
    assert.equal((await letterOf(bad)).reason, "refused_by_queue");
    await deliveredOnce(good);
    assert.equal(gate.backend.of(bad.id).length, 0);
    await expect(bad, "revived");
    await deliveredOnce(bad);
  });

  test("too large, and the archive fails: it stays", async () => {
    const bad = await poison();
    await tick(TOO_LARGE, "ARCHIVE.put=fail");
    assert.equal((await gate.spooled()).length, 1);
    await tick(TOO_LARGE);
    assert.deepEqual(await gate.spooled(), []);
    assert.ok(await letterOf(bad));
  });

  test("without a reason: a dead letter after ten crons in which the queue took another, and in no outage", async () => {
    const bad = await poison();
    for (let turn = 0; turn < 12; turn += 1) await tick();
    assert.equal(await letterOf(bad), undefined);
    for (let turn = 0; turn < 10; turn += 1) {
      assert.equal(await letterOf(bad), undefined, `after ${turn} crons`);
      await spool();
      await tick();
    }
    assert.equal((await letterOf(bad)).reason, "refused_by_queue");
    assert.deepEqual(await gate.spooled(), []);
  });

  test("an overloaded queue is left in peace", async () => {
    const events = [];
    for (let turn = 0; turn < 8; turn += 1) events.push(await spool());
    const before = strikes("EVENTS.send");
    await gate.faults(`EVENTS.send=fail:${OVERLOADED}`);
    await gate.tick();
    assert.ok(strikes("EVENTS.send") - before <= 2, `${strikes("EVENTS.send") - before} sends`);
    await gate.faults("");
    await gate.tick();
    await deliveredOnce(...events);
  });
});

test("ledgers that do not answer keep neither each other nor the spool waiting", async () => {
  const alone = await startGate();
  try {
    const event = shopEvent(alone, "hasty");
    await alone.send(under(event, `${QUEUE_DOWN},${LEDGER_DOWN}`));
    await alone.faults("LEDGER.wake=hang");
    alone.tick().catch(() => {}); // it would last for a minute
    await alone.backend.wait(event.id, 1, 3_000);
    const wakes = () => alone.lines({ event: "fault", call: "LEDGER.wake" }).length;
    assert.ok(wakes() > 1 && wakes() < 6, `${wakes()} at once`);
  } finally {
    await alone.stop();
  }
});

describe("all three fail", { concurrency: true }, () => {
  for (const source of ["hasty", "exact-hasty"]) {
    for (const [fault, reason] of [["fail", "hold_failed"], ["hang", "hold_unknown"]]) {
      test(`${source}, ${fault}: 503, nothing is remembered, and the retry is accepted`, async () => {
        const event = shopEvent(gate, source);
        const faults = ["EVENTS.send", "LEDGER.ask", "ARCHIVE.put"].map((effect) => `${effect}=${fault}`).join(",");
        const { line } = await expect(under(event, faults), "unavailable", { reason, held_at: undefined });
        await sleep(50);
        assert.ok(!(await isRemembered(line)));
        assert.deepEqual(await gate.spooled(), []);
        await expect(event, "accepted");
        await deliveredOnce(event);
      });
    }
  }

  test("503, and the send lands late: delivered once, with and without the retry", async () => {
    const events = [shopEvent(gate, "hasty"), shopEvent(gate, "hasty")];
    for (const event of events) await expect(under(event, `EVENTS.send=late:2500,${LEDGER_DOWN},${SPOOL_DOWN}`), "unavailable", { reason: "hold_unknown" });
    await expect(events[0], "accepted");
    await deliveredOnce(...events);
    await expect(events[1], "duplicate", { memory: "seen" });
  });

});

describe("anything fails", () => {
  test("for a while: whatever was answered 2xx arrives, and arrives once", async () => {
    const kinds = ["fail", "lost", "hang", "late:100", "late:600"];
    const effects = ["SEEN.get", "SEEN.put", "EVENTS.send", "LEDGER.ask", "ARCHIVE.put"];
    let seed = 1;
    const random = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const sent = Array.from({ length: 120 }, (_, index) => {
      const chosen = effects.filter(() => random(2) === 0).map((effect) => `${effect}=${kinds[random(kinds.length)]}`);
      return [shopEvent(gate, index % 2 === 0 ? "hasty" : "exact-hasty"), chosen.join(",")];
    });
    const answers = await Promise.all(sent.map(([event, faults]) => gate.send(under(event, faults))));
    await sleep(700);
    await until(async () => (await gate.tick()) && (await gate.spooled()).length === 0, "an empty spool");
    for (const [index, answer] of answers.entries()) {
      const [{ id }, faults] = sent[index];
      assert.ok([200, 503].includes(answer.status), faults);
      if (answer.status === 200) await gate.backend.wait(id).catch(() => assert.fail(`lost under ${faults}`));
      await gate.verdict(answer);
      assert.equal(gate.lines({ event: "verdict", request_id: answer.requestId }).length, 1, "one line for each request");
    }
    await sleep(A_WHILE_MS);
    for (const [{ id }, faults] of sent) {
      // A backend that a busy machine keeps past its time-out is one of the windows of G3.
      const timedOut = gate.lines({ event: "delivery", event_id: id, outcome: "timed_out" }).length;
      assert.ok(gate.backend.of(id).length <= 1 + timedOut, `twice under ${faults}`);
    }
    const refused = answers.filter(({ status }) => status === 503).length;
    assert.ok(refused < answers.length / 4, `${refused} refused`);
  });
});
