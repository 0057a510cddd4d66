// An operator's second look: events that are forgotten, and refusals that are kept and judged again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { adminsLine, freshToken } from "../../scripts/dev-vars.mjs";
import { startBackend } from "./support/backend.mjs";
import { ROOT, startGate } from "./support/gate.mjs";
import { exchange } from "./support/http.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { shopEvent, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** After this long without a delivery there is none on its way. */
const A_WHILE_MS = 700;

const post = (path, body, at = gate) =>
  exchange(at.url, { target: `/admin/v1/${path}`, headers: [["authorization", `Bearer ${at.secrets.HOOKGATE_ADMIN_TOKEN}`]], body: JSON.stringify(body ?? {}) });
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
    const headers = [["authorization", `Bearer ${gate.secrets.HOOKGATE_ADMIN_TOKEN}`], ["x-test-fault", "LEDGER.ask=fail"]];
    const body = JSON.stringify({ source: "exact", dedup_key: event.key });
    const failed = await gate.send({ target, headers, body });
    assert.deepEqual([failed.status, typeOf(failed)], [503, "ledger-unavailable"]);
  });

  test("./scripts/forget", async () => {
    const event = await delivered("custom");
    const run = async (...args) => {
      const child = spawn("bash", [join(ROOT, "scripts", "forget"), "--url", gate.url, ...args], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: gate.secrets.HOOKGATE_ADMIN_TOKEN } });
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

// ---- what is kept of refusals ---------------------------------------------------------------------

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("quarantine", () => {
  const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
  const right = freshSecrets();
  const [reader, other] = [freshToken(), freshToken()];
  right.ADMINS = [right.ADMINS, adminsLine("reader", "read", "*", reader), adminsLine("others", "operate", "other", other)].join("\n");
  const wrong = { ...right, KEPT_SECRET: "0".repeat(64), KEPT_EXACT_SECRET: "1".repeat(64), KEPT_ELSEWHERE_SECRET: "2".repeat(64) };
  const refused = {};
  let backend;
  let kept;

  const bucket = (of = kept) => of.mf.getR2Bucket("ARCHIVE");
  const names = async (of = kept) => (await of.archived()).filter((name) => name.startsWith("quarantine/"));
  const places = (of = kept) => of.recorded("SELECT * FROM quarantine ORDER BY id");
  const readmit = (id) => post(`records/${id}/readmit`, undefined, kept);
  const nameOf = ({ requestId }, source = "kept", tenant = "demo") => `quarantine/${tenant}/${source}/${requestId}`;

  /** An event that its sender signed as it should, sent to a gate whose secret is wrong: some time ago. */
  async function refuse(at, source, ageMs, more = {}) {
    const event = shopEvent({ secrets: right }, source, { at: Date.now() - ageMs, ...more });
    const answer = await at.send({ ...event, headers: [...event.headers, ["x-test-now", String(Date.now() - ageMs)]] });
    assert.equal(answer.status, 401, answer.text);
    return { ...event, requestId: answer.requestId };
  }

  before(async () => {
    backend = await startBackend();
    const broken = await startGate({ secrets: wrong, keep, backend });
    // Hours apart, so that each has a minute of its own.
    for (const [name, ageMs] of Object.entries({ fresh: 0, old: 3, taken: 4, moved: 5, cut: 6, dated: 7, rewritten: 8, still: 9, left: 10, elder: 80 })) {
      refused[name] = await refuse(broken, "kept", ageMs * HOUR_MS);
    }
    refused.exact = await refuse(broken, "kept-exact", 2 * HOUR_MS);
    refused.elsewhere = await refuse(broken, "kept-elsewhere", 2 * HOUR_MS);
    const count = Object.keys(refused).length;
    await until(async () => (await names(broken)).length === count, "what is kept");
    await until(async () => (await broken.recorded()).length === count, "its records");
    await sleep(700);
    await broken.stop();
    // The secrets are mended; of `still` the sender is the one who is wrong.
    kept = await startGate({ secrets: right, keep, backend });
  });
  after(async () => {
    await kept.stop();
    backend.stop();
    rmSync(keep, { recursive: true, force: true });
  });

  test("what is kept cannot be read without the secret, and nothing of it stands beside it", async () => {
    for (const name of await names()) {
      const bytes = Buffer.from(await (await (await bucket()).get(name)).arrayBuffer());
      for (const { id } of Object.values(refused)) assert.ok(!bytes.includes(id));
      assert.ok(!bytes.includes("x-shop-signature"));
    }
    const [place] = await places();
    assert.deepEqual(Object.keys(place), ["id", "tenant", "source", "at_ms", "bytes"]);
  });

  test("judged again at its time with today's secret, it is an event: delivered, said to be so, recorded, and kept no longer", async () => {
    const { id, requestId, body } = refused.old;
    const answer = await readmit(requestId);
    assert.deepEqual([answer.status, answer.json.status, answer.json.id], [202, "readmitted", requestId], answer.text);
    const [delivery] = await backend.wait(id);
    assert.equal(delivery.headers["hookgate-readmitted"], "true");
    assert.equal(delivery.body.toString(), body);
    const line = await kept.line({ event: "verdict", readmitted: requestId });
    assert.deepEqual([line.verdict, line.operator, line.key_id, line.request_id], ["accepted", "admin", "KEPT_SECRET", answer.requestId]);
    assert.ok(line.skew_ms > 2.9 * HOUR_MS, "how late it is stands in the line");
    const [row] = await until(async () => {
      const rows = await kept.recorded("SELECT * FROM records WHERE id = ?1", answer.requestId);
      return rows.length > 0 && rows;
    }, "its record");
    const record = JSON.parse(row.text);
    assert.deepEqual([record.record, record.readmitted, record.operator, row.verdict, row.reason, row.source, record.verdict], ["readmission", requestId, "admin", "admin", "refusal_readmitted", "kept", "accepted"]);
    assert.ok(!(await names()).includes(nameOf(refused.old)));
    assert.ok(!(await places()).some((place) => place.id === requestId));
    const again = await readmit(requestId);
    assert.deepEqual([again.status, typeOf(again)], [404, "not-kept"]);
    // The provider's own resend, were it to come: a copy.
    const resent = await kept.send({ ...refused.old, headers: [...refused.old.headers, ["x-test-now", String(Date.now() - 3 * HOUR_MS)]] });
    assert.equal(resent.json.status, "duplicate");
    await sleep(300);
    assert.equal(backend.of(id).length, 1);
  });

  test("an operator who goes away in between: it is judged and recorded all the same", async () => {
    const { id, requestId } = refused.left;
    const { hostname, port } = new URL(kept.url);
    const headers = { authorization: `Bearer ${right.HOOKGATE_ADMIN_TOKEN}`, "x-test-fault": "AUDIT.send=late:700" };
    const outgoing = request({ hostname, port, method: "POST", path: `/admin/v1/records/${requestId}/readmit`, headers, agent: false });
    outgoing.on("error", () => {});
    outgoing.end();
    await kept.line({ event: "fault", call: "AUDIT.send" });
    // Whoever only says that nothing more comes may wait for the answer still.
    outgoing.socket.resetAndDestroy();
    await backend.wait(id);
    const [row] = await until(async () => {
      const rows = await kept.recorded("SELECT * FROM records WHERE text ->> 'readmitted' = ?1", requestId);
      return rows.length > 0 && rows;
    }, "its record");
    assert.equal(JSON.parse(row.text).verdict, "accepted");
    await until(async () => !(await names()).includes(nameOf(refused.left)), "its end");
  });

  test("ledger road, and another tenant", async () => {
    for (const name of ["exact", "elsewhere"]) {
      const answer = await readmit(refused[name].requestId);
      assert.equal(answer.status, 202, answer.text);
      const [delivery] = await backend.wait(refused[name].id);
      assert.equal(delivery.headers["hookgate-tenant"], name === "exact" ? "demo" : "other");
    }
  });

  test("what the gate has by now is a duplicate, and delivered once", async () => {
    const { requestId, id } = refused.fresh;
    assert.equal((await kept.send(refused.fresh)).json.status, "accepted");
    const answer = await readmit(requestId);
    assert.deepEqual([answer.status, answer.json.status], [200, "duplicate"]);
    await sleep(500);
    assert.equal(backend.of(id).length, 1);
  });

  test("its sender is wrong still: 422 with the reason, and it is neither recorded as another refusal nor lost", async () => {
    const forged = await kept.send({ ...shopEvent(kept, "kept"), body: "{}" });
    await until(async () => (await names()).includes(nameOf(forged)), "what is kept");
    await until(async () => (await kept.recorded("SELECT id FROM records WHERE id = ?1", forged.requestId)).length, "its record");
    const answer = await until(async () => {
      const told = await readmit(forged.requestId);
      return typeOf(told) !== "not-logged" && told;
    }, "its place in the log");
    assert.deepEqual([answer.status, typeOf(answer), answer.json.detail], [422, "refused-again", "signature_mismatch"]);
    assert.ok((await names()).includes(nameOf(forged)));
    const [row] = await until(async () => {
      const rows = await kept.recorded("SELECT * FROM records WHERE id = ?1", answer.requestId);
      return rows.length > 0 && rows;
    }, "the record of the attempt");
    const record = JSON.parse(row.text);
    assert.deepEqual([record.record, record.verdict, record.reason, row.verdict, row.reason], ["readmission", "refused", "signature_mismatch", "admin", "refusal_readmitted"]);
    assert.equal((await names()).filter((name) => name.includes(answer.requestId)).length, 0);
  });

  test("an object that was changed, or is another's, does not open", async () => {
    const archive = await bucket();
    const bytes = Buffer.from(await (await archive.get(nameOf(refused.cut))).arrayBuffer());
    for (const place of [0, 20, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[place] ^= 1;
      await archive.put(nameOf(refused.cut), changed);
      const answer = await readmit(refused.cut.requestId);
      assert.deepEqual([answer.status, typeOf(answer)], [422, "not-opened"], `byte ${place}`);
    }
    await archive.put(nameOf(refused.cut), bytes.subarray(0, 15));
    assert.equal((await readmit(refused.cut.requestId)).status, 422);
    // Another request under this record's name: it is sealed for its own.
    await archive.put(nameOf(refused.cut), await (await archive.get(nameOf(refused.moved))).arrayBuffer());
    assert.equal((await readmit(refused.cut.requestId)).status, 422);
    await archive.put(nameOf(refused.cut), bytes);
    assert.equal((await readmit(refused.cut.requestId)).status, 202);
  });

  test("a time that was changed in the database, or a record, is found out", async () => {
    const database = await kept.mf.getD1Database("RECORD");
    const { requestId } = refused.dated;
    const set = (sql, ...values) => database.prepare(sql).bind(...values).run();
    const [row] = await kept.recorded("SELECT * FROM records WHERE id = ?1", requestId);
    const expectAltered = async (why) => {
      const answer = await readmit(requestId);
      assert.deepEqual([answer.status, typeOf(answer)], [409, "altered"], why);
    };
    await set("UPDATE records SET at_ms = ?2 WHERE id = ?1", requestId, row.at_ms + HOUR_MS);
    await expectAltered("its time alone");
    // All of it, with a hash that fits: what the log has does not.
    const text = row.text.replace(/"time":"[^"]*"/, `"time":"${new Date(row.at_ms + HOUR_MS).toISOString()}"`);
    const hash = createHash("sha256").update(Buffer.of(0)).update(Buffer.from(row.salt, "hex")).update(text).digest("hex");
    await set("UPDATE records SET at_ms = ?2, text = ?3, leaf_hash = ?4 WHERE id = ?1", requestId, row.at_ms + HOUR_MS, text, hash);
    await expectAltered("the whole record");
    await set("UPDATE records SET at_ms = ?2, text = ?3, leaf_hash = ?4, tenant = 'other' WHERE id = ?1", requestId, row.at_ms, row.text, row.leaf_hash);
    assert.equal(typeOf(await readmit(requestId)), "not-logged", "the other tenant's log knows nothing of it");
    await set("UPDATE records SET tenant = 'demo', source = 'kept-exact' WHERE id = ?1", requestId);
    await expectAltered("its source");
    await set("UPDATE records SET source = 'kept' WHERE id = ?1", requestId);
    assert.equal((await readmit(requestId)).status, 202);
  });

  test("an invented record, with the object of a real one: the log has none", async () => {
    const database = await kept.mf.getD1Database("RECORD");
    const invented = `req_${"ab".repeat(16)}`;
    await database.prepare("INSERT INTO records SELECT ?2, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text, address, address_salt FROM records WHERE id = ?1").bind(refused.rewritten.requestId, invented).run();
    assert.equal(typeOf(await readmit(invented)), "not-logged");
  });

  test("after 72 hours: not judged, and gone with the next cron", async () => {
    const answer = await readmit(refused.elder.requestId);
    assert.deepEqual([answer.status, typeOf(answer)], [410, "too-old"]);
    await kept.tick();
    assert.ok(!(await names()).includes(nameOf(refused.elder)));
    assert.ok((await names()).includes(nameOf(refused.still)), "the others stay");
    await kept.ahead(64 * HOUR_MS);
    await kept.tick();
    await kept.ahead(0);
    assert.ok(!(await names()).includes(nameOf(refused.still)));
    assert.equal((await names()).length, (await places()).length);
  });

  test("who may only look is told so, and who does not see the tenant that there is nothing", async () => {
    const { requestId } = refused.moved;
    const asked = (path, token, body) => exchange(kept.url, { target: `/admin/v1/${path}`, headers: [["authorization", `Bearer ${token}`]], body: JSON.stringify(body ?? {}) });
    const wish = { source: "kept", event_id: refused.moved.id };
    for (const [path, body] of [[`records/${requestId}/readmit`], ["forget", wish]]) {
      assert.equal((await asked(path, reader, body)).status, 403, path);
    }
    const nothing = ({ status, json }) => ({ status, type: json.type, title: json.title });
    assert.deepEqual(nothing(await asked(`records/${requestId}/readmit`, other)), nothing(await asked(`records/req_${"0".repeat(32)}/readmit`, other)));
    assert.deepEqual(nothing(await asked("forget", other, wish)), nothing(await asked("forget", other, { ...wish, source: "nobody" })));
    assert.ok((await names()).includes(nameOf(refused.moved)), "nothing came of it");
  });

  test("ids that are none, and records that are not there", async () => {
    assert.equal((await readmit(`req_${"0".repeat(32)}`)).status, 404);
    for (const id of ["x", "..%2Fx", "req_0", `req_${"0".repeat(31)}g`]) assert.equal((await readmit(id)).status, 404, id);
    const nobody = await exchange(kept.url, { target: `/admin/v1/records/${refused.moved.requestId}/readmit` });
    assert.equal(nobody.status, 401);
  });

  test("./scripts/readmit", async () => {
    const child = spawn("bash", [join(ROOT, "scripts", "readmit"), "--url", kept.url, refused.taken.requestId], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: right.HOOKGATE_ADMIN_TOKEN } });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
    const [code] = await once(child, "close");
    assert.deepEqual([code, text], [0, "readmitted: the event is on its way.\n"]);
    await backend.wait(refused.taken.id);
  });
});

describe("what is not kept", () => {
  const forged = (source, more) => ({ ...shopEvent(gate, source), ...more });
  const keptOf = async (source, tenant = "demo") => (await gate.archived()).filter((name) => name.startsWith(`quarantine/${tenant}/${source}/`)).length;
  /** Waits for the next minute, in which a source has its six anew. */
  const freshMinute = () => sleep(60_000 - (Date.now() % 60_000) + 50);

  test("shapes, larger bodies, other sources, and anything without the secret", async () => {
    await gate.send(forged("kept", { headers: [] }));
    await gate.send(forged("kept", { body: "x".repeat(65_537) }));
    await gate.send(forged("kept", { headers: [["x-shop-timestamp", "1"], ["x-shop-signature", "sha256=zz"]] }));
    await gate.send(forged("custom", { body: "{}" }));
    const { requestId } = await gate.send(forged("kept", { body: "y".repeat(65_536) }));
    await until(async () => (await keptOf("kept")) > 0, "what is kept");
    await sleep(1_000);
    assert.deepEqual((await gate.archived()).filter((name) => name.startsWith("quarantine/")), [`quarantine/demo/kept/${requestId}`]);

    const without = await startGate({ without: ["QUARANTINE_KEY"] });
    try {
      await without.send({ ...shopEvent(without, "kept"), body: "{}" });
      await without.line({ event: "alarm", what: "quarantine_off", secret_name: "QUARANTINE_KEY" });
      await sleep(1_000);
      assert.deepEqual((await without.archived()).filter((name) => name.startsWith("quarantine/")), []);
      assert.equal((await without.send({ method: "GET", target: "/healthz" })).status, 200);
    } finally {
      await without.stop();
    }
  });

  test("what is kept has its record whatever the record's bounds say, or nobody could have it judged again", async () => {
    const own = await startGate();
    try {
      const day = Math.floor(Date.now() / DAY_MS) * DAY_MS;
      await own.recorded(
        `WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 5000)
         INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text)
         SELECT 'a-full-day-' || n, 'demo', 'other', ?1 + n, 'refused', '', '', '', '{}' FROM row RETURNING 1`,
        day,
      );
      // Its message must not overtake its place.
      const kept = await own.send({ ...shopEvent(own, "kept"), body: "{}", headers: [...shopEvent(own, "kept").headers, ["x-test-fault", "RECORD.batch=late:1200"]] });
      const other = await own.send({ ...shopEvent(own, "custom"), body: "{}" });
      assert.deepEqual([kept.status, other.status], [401, 401]);
      await until(async () => (await own.recorded("SELECT id FROM records WHERE id = ?1", kept.requestId)).length, "its record");
      const told = await until(async () => {
        const answer = await post(`records/${kept.requestId}/readmit`, undefined, own);
        return typeOf(answer) !== "not-logged" && answer;
      }, "its place in the log");
      assert.deepEqual([told.status, typeOf(told)], [422, "refused-again"]);
      await until(async () => (await own.recorded("SELECT number FROM counts WHERE source = 'custom' AND verdict = 'refused'")).length, "the other's count");
      assert.deepEqual(await own.recorded("SELECT id FROM records WHERE id = ?1", other.requestId), []);
    } finally {
      await own.stop();
    }
  });

  test("5,000 forgeries keep no more than there is room for", async (t) => {
    const database = await gate.mf.getD1Database("RECORD");
    const row = "INSERT INTO quarantine (id, tenant, source, at_ms, bytes) VALUES (?1, ?2, ?3, ?4, 1)";
    const fill = (count, source, tenant) => database.batch(Array.from({ length: count }, (_, number) => database.prepare(row).bind(`${source}-${tenant}-${number}`, tenant, source, Date.now())));
    await fill(98, "kept-exact", "demo");
    const body = "{}";
    const send = async () => {
      for (let number = 0; number < 500; number += 1) assert.equal((await gate.send(forged("kept-exact", { body }))).status, 401);
    };
    const began = Date.now();
    await Promise.all(Array.from({ length: 10 }, send));
    t.diagnostic(`5000 forgeries in ${Date.now() - began} ms`);
    await sleep(1_500);
    assert.equal(await keptOf("kept-exact"), 2, "98 and 2 are a hundred");
    // And of all sources of a tenant together, whose place another tenant still has.
    await fill(300 - 101, "another", "demo");
    await freshMinute();
    await gate.send(forged("kept", { body }));
    await gate.send(forged("kept-elsewhere", { body }));
    await until(async () => (await keptOf("kept-elsewhere", "other")) === 1, "what is kept of the other tenant");
    await sleep(1_500);
    assert.equal(await keptOf("kept"), 1);
    // And of all tenants.
    await fill(1_000 - 301, "another", "third");
    await gate.send(forged("kept-elsewhere", { body }));
    await sleep(1_500);
    assert.equal(await keptOf("kept-elsewhere", "other"), 1);
    assert.equal((await gate.recorded("SELECT count(*) AS number FROM quarantine"))[0].number, 1_000);
  });
});
