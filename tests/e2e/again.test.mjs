// An operator's second look: events that are forgotten, and refusals that are kept and judged again.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT, startGate } from "./support/gate.mjs";
import { exchange } from "./support/http.mjs";
import { shopEvent, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** After this long without a delivery there is none on its way. */
const A_WHILE_MS = 700;

const post = (path, body, at = gate) =>
  exchange(at.url, { target: `/admin/v1/${path}`, headers: [["authorization", `Bearer ${at.secrets.ADMIN_TOKEN}`]], body: JSON.stringify(body ?? {}) });
const typeOf = ({ json }) => json?.type?.replace("urn:hookgate:problem:", "");
const forget = (source, key, more) => post("forget", { source, ...(key.length === 64 ? { dedup_key: key } : { event_id: key }), ...more });

async function verdictOf(request) {
  const answer = await gate.send(request);
  assert.equal(answer.status, 200, answer.text);
  return (await gate.verdict(answer)).verdict;
}

/** An event that its backend has; its key. */
async function delivered(source) {
  const event = shopEvent(gate, source);
  assert.equal(await verdictOf(event), "accepted");
  const { dedup_key: key } = await gate.line({ event: "delivery", event_id: event.id, result: "delivered" });
  // The ledger is told after the line is written.
  await sleep(100);
  return { ...event, key };
}

const runsOf = (id) => gate.backend.of(id).map(({ headers }) => headers["hookgate-run"]);

describe("forget", { concurrency: true }, () => {
  for (const source of ["custom", "exact"]) {
    test(`${source}: the next resend is delivered, and the one after it is a copy`, async () => {
      const event = await delivered(source);
      const { status, json } = await forget(source, event.key);
      assert.deepEqual([status, json], [200, { status: "forgotten", run: 1, dedup_key: event.key }]);
      assert.equal(await verdictOf(event), "revived");
      const [first, second] = await gate.backend.wait(event.id, 2);
      assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
      assert.equal(await verdictOf(event), "duplicate");
      await sleep(A_WHILE_MS);
      assert.deepEqual(runsOf(event.id), ["0", "1"]);
    });

    test(`${source}: of two resends at once one is delivered`, async () => {
      const event = await delivered(source);
      assert.equal((await forget(source, event.id)).status, 200, "by the provider's id");
      const verdicts = await Promise.all([verdictOf(event), verdictOf(event)]);
      assert.deepEqual(verdicts.sort(), ["duplicate", "revived"]);
      await gate.backend.wait(event.id, 2);
      await sleep(A_WHILE_MS);
      assert.deepEqual(runsOf(event.id), ["0", "1"]);
    });

    test(`${source}: what no memory recognised is sent as the next run by its consumer`, async () => {
      const event = await delivered(source);
      assert.equal((await forget(source, event.key)).status, 200);
      // Neither KV nor the ledger answers, as far as each is asked.
      assert.equal(await verdictOf(under(event, "SEEN.get=fail, LEDGER.ask=fail")), "accepted");
      await gate.backend.wait(event.id, 2);
      assert.equal(await verdictOf(event), "duplicate");
      await sleep(A_WHILE_MS);
      assert.deepEqual(runsOf(event.id), ["0", "1"]);
    });

    test(`${source}: a dead event is revived by its provider's resend`, async () => {
      const event = shopEvent(gate, source);
      gate.backend.plan(event.id, 400);
      await gate.send(event);
      await until(async () => (await gate.letters()).some(({ event_id: id }) => id === event.id), "its letter");
      await until(async () => (await verdictOf(event)) === "revived", "its revival");
      await gate.backend.wait(event.id, 2);
      assert.deepEqual(runsOf(event.id), ["0", "1"]);
    });
  }

  test("KV road: seen, and the ledger does not answer: it goes on, and its consumer removes the copy", async () => {
    const event = shopEvent(gate);
    assert.equal(await verdictOf(event), "accepted");
    await gate.backend.wait(event.id);
    assert.equal(await verdictOf(under(event, "LEDGER.ask=fail")), "accepted");
    await sleep(A_WHILE_MS);
    assert.deepEqual(runsOf(event.id), ["0"]);
  });

  test("what is on its way: refused, unless the operator insists; and nothing of it is lost", async () => {
    const event = shopEvent(gate, "exact");
    gate.backend.plan(event.id, { status: 500, headers: { "retry-after": "1" } }, { status: 200, afterMs: 600 });
    await gate.send(event);
    await gate.backend.wait(event.id);
    await until(async () => typeOf(await forget("exact", event.id)) === "on-its-way", "between two attempts");
    const refused = await forget("exact", event.id);
    assert.equal(refused.status, 409);
    assert.match(refused.json.detail, /again = true/);
    assert.deepEqual((await forget("exact", event.id, { again: true })).json.run, 1);
    assert.equal(await verdictOf(event), "revived");
    await gate.line({ event: "delivery", event_id: event.id, result: "delivered", run: 1 });
  });

  test("what nobody knows is told so, and what is no wish", async () => {
    const unknown = await forget("custom", "0".repeat(64));
    assert.deepEqual([unknown.status, typeOf(unknown)], [404, "unknown-event"]);
    assert.deepEqual((await forget("custom", "1".repeat(64), { again: true })).json.run, 1);
    assert.equal((await forget("no-such-source", "0".repeat(64))).status, 404);
    assert.deepEqual(typeOf(await forget("github", "one")), "needs-dedup-key", "its id is not signed");
    for (const body of [{}, { source: "custom" }, { source: "custom", dedup_key: "00" }, { source: 1, event_id: "x" }, [], "x"]) {
      assert.equal((await post("forget", body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await gate.adminAt("/admin/v1/forget")).status, 404, "only POST");
  });

  test("the ledger does not answer: 503, and it is asked again", async () => {
    const event = await delivered("exact");
    const target = "/admin/v1/forget";
    const headers = [["authorization", `Bearer ${gate.secrets.ADMIN_TOKEN}`], ["x-test-fault", "LEDGER.ask=fail"]];
    const body = JSON.stringify({ source: "exact", dedup_key: event.key });
    const failed = await gate.send({ target, headers, body });
    assert.deepEqual([failed.status, typeOf(failed)], [503, "ledger-unavailable"]);
  });

  test("./scripts/forget", async () => {
    const event = await delivered("custom");
    const run = async (...args) => {
      const child = spawn("bash", [join(ROOT, "scripts", "forget"), "--url", gate.url, ...args], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: gate.secrets.ADMIN_TOKEN } });
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
      const [code] = await once(child, "close");
      return [code, text];
    };
    assert.deepEqual(await run("--source", "custom", event.key), [0, "forgotten: the next resend is delivered (run 1).\n"]);
    const [code, text] = await run("--source", "custom", "nobody");
    assert.equal(code, 1);
    assert.match(text, /404 The ledger does not know this event.*--again/);
    assert.equal(await verdictOf(event), "revived");
  });
});
