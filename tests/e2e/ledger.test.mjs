// Whatever comes twice, or a hundred times at once, reaches the backend once (guarantees.md, G3).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent, sign, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** As long as a second delivery takes to show itself. */
const A_WHILE_MS = 300;

const copies = (event, count) => Promise.all(Array.from({ length: count }, () => gate.send(event)));
const count = (answers, status) => answers.filter(({ json }) => json?.status === status).length;

async function deliveredOnce(...ids) {
  for (const id of ids) await gate.backend.wait(id);
  await sleep(A_WHILE_MS);
  for (const id of ids) assert.equal(gate.backend.of(id).length, 1, `deliveries of ${id}`);
}

/** The event's verdict line. */
async function expect(event, verdict, more = {}) {
  const line = await gate.verdict(await gate.send(event));
  assert.equal(line.verdict, verdict, JSON.stringify(line));
  for (const [name, value] of Object.entries(more)) assert.equal(line[name], value, name);
  return line;
}

/** The dead letter of an event in its run, waited for. */
const letterOf = (id, run = 0) =>
  until(async () => (await gate.letters()).find((letter) => letter.event_id === id && letter.id.split("-")[1] === String(run)), `a letter of ${id}`);

async function died(event, run = 0) {
  gate.backend.plan(event.id, 400);
  const line = await gate.verdict(await gate.send(event));
  return { line, letter: await letterOf(event.id, run) };
}

describe("a hundred copies at once", () => {
  // On the KV road the memory is asked first and written after the hold, so copies in flight pass it
  // together: a stated limit. The ledger removes them before the backend.
  test("KV road: more than one may be admitted, one is delivered", async (t) => {
    const event = shopEvent(gate, "steady");
    const answers = await copies(event, 100);
    const admitted = count(answers, "accepted");
    assert.ok(admitted >= 1);
    assert.equal(admitted + count(answers, "duplicate"), 100);
    await deliveredOnce(event.id);
    t.diagnostic(`${admitted} of 100 concurrent copies were admitted, 1 was delivered`);
    assert.equal((await gate.send(event)).json.status, "duplicate", "once remembered, no further copy passes");
  });

  // Nothing is remembered before the answer: the worst that the road allows.
  test("KV road, all admitted: one is delivered", async () => {
    const event = under(shopEvent(gate, "steady"), "SEEN.get=fail");
    assert.equal(count(await copies(event, 100), "accepted"), 100);
    await deliveredOnce(event.id);
  });

  test("ledger road: one is admitted and delivered, the others are told so", async () => {
    const event = shopEvent(gate, "exact");
    const answers = await copies(event, 100);
    assert.deepEqual([count(answers, "accepted"), count(answers, "duplicate")], [1, 99]);
    await deliveredOnce(event.id);
  });

  test("ledger road: twenty events with a hundred copies each, mixed", async (t) => {
    const events = Array.from({ length: 20 }, () => shopEvent(gate, "exact"));
    const accepted = new Map(events.map(({ id }) => [id, 0]));
    const queue = Array.from({ length: 100 }, () => events).flat();
    const started = Date.now();
    const sender = async () => {
      for (let event = queue.pop(); event !== undefined; event = queue.pop()) {
        const { json } = await gate.send(event);
        assert.ok(["accepted", "duplicate"].includes(json?.status));
        if (json.status === "accepted") accepted.set(event.id, accepted.get(event.id) + 1);
      }
    };
    await Promise.all(Array.from({ length: 100 }, sender));
    t.diagnostic(`2000 requests in ${Date.now() - started} ms`);
    for (const [id, times] of accepted) assert.equal(times, 1, id);
    await deliveredOnce(...accepted.keys());
  });
});

describe("a row outlives its delivery", { concurrency: true }, () => {
  test("a replay after KV lost it: admitted on the KV road and not delivered", async () => {
    const event = shopEvent(gate, "steady");
    const { dedup_key: key } = await expect(event, "accepted");
    await deliveredOnce(event.id);
    await (await gate.mf.getKVNamespace("SEEN")).delete(`seen/1/${key}`);
    await expect(event, "accepted", { memory: "unseen" });
    await deliveredOnce(event.id);
  });

  test("a replay is a duplicate on the ledger road, where KV is not even asked", async () => {
    const event = shopEvent(gate, "exact");
    const { dedup_key: key } = await expect(event, "accepted", { memory: undefined });
    await deliveredOnce(event.id);
    await expect(event, "duplicate", { memory: undefined });
    assert.ok(!(await gate.remembered()).some((name) => name.includes(key)));
    await deliveredOnce(event.id);
  });

  test("what the backend refuses for a while is delivered by one run, with copies in between", async () => {
    const refused = async (source) => {
      const event = shopEvent(gate, source);
      gate.backend.plan(event.id, 500, 500);
      const faulty = under(event, "SEEN.get=fail");
      await gate.send(event);
      for (let turn = 0; turn < 5; turn += 1) await gate.send(faulty);
      await gate.line({ event: "delivery", event_id: event.id, result: "delivered" });
      await sleep(A_WHILE_MS);
      assert.deepEqual(gate.backend.of(event.id).map(({ headers }) => headers["hookgate-attempt"]), ["1", "2", "3"]);
    };
    await Promise.all(["steady", "exact"].map(refused));
  });
});

describe("dead events", { concurrency: true }, () => {
  test("the same event again on the ledger road is revived: accepted, and delivered as the next run", async () => {
    const event = shopEvent(gate, "exact");
    await died(event);
    const answer = await gate.send(event);
    assert.deepEqual([answer.status, answer.json.status], [200, "accepted"]);
    assert.equal((await gate.verdict(answer)).verdict, "revived");
    const [first, second] = await gate.backend.wait(event.id, 2);
    assert.deepEqual([first.headers["hookgate-run"], second.headers["hookgate-run"]], ["0", "1"]);
    assert.equal(first.headers["webhook-id"], second.headers["webhook-id"]);
    await expect(event, "duplicate");
    await sleep(A_WHILE_MS);
    assert.equal(gate.backend.of(event.id).length, 2);
  });

  test("a hundred copies of a dead event: one revives it", async () => {
    const event = shopEvent(gate, "exact");
    await died(event);
    const answers = await copies(event, 100);
    assert.deepEqual([count(answers, "accepted"), count(answers, "duplicate")], [1, 99]);
    await gate.backend.wait(event.id, 2);
    await sleep(A_WHILE_MS);
    assert.equal(gate.backend.of(event.id).length, 2);
  });

  for (const source of ["steady", "exact"]) {
    test(`${source}: a dead letter is sent again although the row says dead`, async () => {
      const event = shopEvent(gate, source);
      const { letter } = await died(event);
      assert.equal((await gate.admin(`/${letter.id}/redrive`, { method: "POST" })).status, 202);
      assert.equal((await gate.backend.wait(event.id, 2))[1].headers["hookgate-run"], "1");
      await expect(event, "duplicate");
      await sleep(A_WHILE_MS);
      assert.equal(gate.backend.of(event.id).length, 2);
    });
  }

  test("a dead letter is sent again although its event was revived meanwhile and died again", async () => {
    const event = shopEvent(gate, "exact");
    const { letter } = await died(event);
    const second = await died(event, 1);
    assert.equal(second.line.verdict, "revived");
    const redriven = await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    assert.equal(redriven.status, 202, redriven.text);
    const deliveries = await gate.backend.wait(event.id, 3, 3_000);
    assert.equal(deliveries[2].headers["hookgate-run"], String(redriven.json.run));
  });

  test("two letters of one event, both sent again: each is a run of its own", async () => {
    const event = shopEvent(gate, "exact");
    const { letter } = await died(event);
    gate.backend.plan(event.id, 400);
    await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    const second = await letterOf(event.id, 1);
    const runs = [];
    for (const [id, body] of [[second.id, ""], [letter.id, '{"again":true}']]) {
      const { status, json } = await gate.admin(`/${id}/redrive`, { method: "POST", body });
      assert.equal(status, 202);
      runs.push(json.run);
      await gate.backend.wait(event.id, 2 + runs.length, 3_000);
    }
    assert.equal(new Set(runs).size, 2, `runs ${runs}`);
  });
});

describe("tenants", () => {
  test("same scheme, ids and bodies under two tenants: both are delivered, each to its own", async () => {
    const id = freshId();
    const at = Date.now();
    const body = JSON.stringify({ id, event: "order.paid" });
    const requests = [["exact", "EXACT_SECRET"], ["exact-neighbour", "EXACT_NEIGHBOUR_SECRET"]].map(([source, secret]) =>
      sign(source, "my-shop", gate.secrets[secret], body, { id, at }));
    const answers = (await Promise.all(requests.map((request) => copies(request, 20)))).flat();
    assert.equal(count(answers, "accepted"), 2);
    const deliveries = await gate.backend.wait(id, 2);
    await sleep(A_WHILE_MS);
    assert.equal(gate.backend.of(id).length, 2);
    assert.deepEqual(deliveries.map(({ headers }) => headers["hookgate-tenant"]).sort(), ["demo", "other"]);
    assert.equal(new Set(deliveries.map(({ headers }) => headers["webhook-id"])).size, 2);
  });
});
