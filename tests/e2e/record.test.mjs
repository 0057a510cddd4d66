// The record of refusals, in real workerd and D1: what is stored, what a flood costs, and what goes again.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT, startGate } from "./support/gate.mjs";
import { freshId, shopEvent, sign } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");
const leafHash = ({ salt, text }) => sha256(Buffer.of(0), Buffer.from(salt, "hex"), text);
const isWhole = (row) => row.text !== null && leafHash(row) === row.leaf_hash;

/** The row of an answer, waited for. */
const rowOf = ({ requestId }, from = gate) => until(async () => (await from.recorded("SELECT * FROM records WHERE id = ?1", requestId))[0], `the record ${requestId}`);
const counted = (source, from = gate) => from.recorded(`SELECT tenant, source, verdict, reason, sum(number) AS number, count(*) AS rows, min(first_ms) AS first, max(last_ms) AS last
  FROM counts WHERE source = ?1 GROUP BY 1, 2, 3, 4 ORDER BY verdict, reason`, source);
/** A message of the audit queue, as the gate makes it. */
function messageOf(id, members, text = "{}") {
  const salt = randomBytes(16).toString("hex");
  return JSON.stringify({ auditversion: 1, id, tenant: "demo", verdict: "refused", reason: "stale", leaf_hash: leafHash({ salt, text }), salt, text, ...members });
}
/** Waits for the next minute if this one has less left. */
async function freshMinute(needsMs = 5_000) {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < needsMs) await sleep(left + 50);
}

test("a refusal: who, when, what, why, and the leaf that its text hashes to", async () => {
  const request = shopEvent(gate, "custom", { headers: [["user-agent", "shop-sender/2.1"], ["cf-connecting-ip", "203.0.113.77"]] });
  const answer = await gate.send({ ...request, body: `${request.body} ` });
  assert.equal(answer.status, 401);
  const row = await rowOf(answer);
  assert.ok(isWhole(row));
  assert.deepEqual([row.tenant, row.source, row.verdict, row.reason], ["demo", "custom", "refused", "signature_mismatch"]);
  const record = JSON.parse(row.text);
  const line = await gate.verdict(answer);
  for (const [member, value] of Object.entries(line)) if (member !== "event") assert.deepEqual(record[member], value, member);
  assert.deepEqual([record.v, record.record, record.path, record.user_agent], [1, "refusal", "/hooks/custom", "shop-sender/2.1"]);
  assert.equal(Date.parse(record.time), row.at_ms);
  assert.ok(Math.abs(row.at_ms - Date.now()) < 10_000);
  assert.equal(record.body_sha256, sha256(`${request.body} `));
  assert.ok(record.header_names.includes("user-agent"));
  // The address stands beside the text, which has its network and a hash that says nothing once the salt is gone.
  assert.ok(!row.text.includes(row.address));
  assert.equal(record.client_address_sha256, sha256(Buffer.from(row.address_salt, "hex"), row.address));
  assert.equal(record.client_network, row.address.replace(/\.\d+$/, ".0/24"));
  assert.equal(record.body_sample, undefined, "no sample unless the source wants one");
  const { hypothesis } = await gate.line({ event: "diagnosis", request_id: answer.requestId });
  assert.equal(record.diagnosis, hypothesis);
});

test("its leaf gets a place in the log of its tenant, and what comes twice keeps it", async () => {
  const row = await rowOf(await gate.send({ ...shopEvent(gate, "custom"), headers: [] }));
  const commitment = Buffer.from(row.leaf_hash, "hex").toString("base64");
  const entry = `hookgate-audit/v1 record\n${row.id}\n${row.at_ms}\n${commitment}\n`;
  const archive = await gate.mf.getR2Bucket("ARCHIVE");
  const logged = async () => {
    const { objects } = await archive.list({ prefix: "log/demo/tile/entries/" });
    const texts = await Promise.all(objects.map(async ({ key }) => (await archive.get(key)).text()));
    return texts.filter((text) => text.includes(entry)).map((text) => text.split(entry).length - 1);
  };
  const before = await until(async () => (await logged())[0] && logged(), "its entry");
  assert.ok(before.every((times) => times === 1));
  // As the queue brings it once more.
  const { tenant, source, at_ms, verdict, reason, id, leaf_hash, salt, text } = row;
  const again = await gate.consume([JSON.stringify({ auditversion: 1, id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text })], { queue: "hookgate-audit" });
  assert.equal(again.explicitAcks.length, 1);
  await rowOf(await gate.send({ ...shopEvent(gate, "custom"), headers: [] }));
  await sleep(600);
  assert.ok((await logged()).every((times) => times === 1));
  await gate.faults("AUDIT_LOG.append=fail");
  const unlogged = { auditversion: 1, id: "req_unlogged", tenant, source, at_ms, verdict, reason, leaf_hash, salt, text };
  const failed = await gate.consume([JSON.stringify(unlogged)], { queue: "hookgate-audit" });
  await gate.faults("");
  assert.deepEqual([failed.explicitAcks.length, failed.retryMessages.length], [0, 1], "a message is over when its leaf is logged");
  assert.equal((await gate.consume([JSON.stringify(unlogged)], { queue: "hookgate-audit" })).explicitAcks.length, 1);
});

test("what was refused before its body was read, and what is our fault, is recorded as well", async () => {
  const early = await gate.send({ target: "/hooks/custom", body: "{}" });
  assert.equal(early.status, 401);
  const none = await gate.send({ target: "/hooks/no-such-source/x?y=z", body: "{}" });
  assert.equal(none.status, 404);
  const ours = await gate.send(shopEvent(gate, "steady", { headers: [["x-test-fault", "EVENTS.send=fail,LEDGER.ask=fail,ARCHIVE.put=fail"]] }));
  assert.equal(ours.status, 503);
  const rows = await Promise.all([early, none, ours].map((answer) => rowOf(answer)));
  assert.deepEqual(rows.map(({ tenant, source, verdict, reason }) => [tenant, source, verdict, reason]), [
    ["demo", "custom", "refused", "missing_signature"],
    ["_", "", "refused", "unknown_source"],
    ["demo", "steady", "unavailable", "hold_failed"],
  ]);
  assert.ok(rows.every(isWhole));
  const [{ body_sha256: hash }, { path }] = rows.map(({ text }) => JSON.parse(text));
  assert.deepEqual([hash, path], [undefined, "/hooks/no-such-source/x"]);
});

test("a sample shows how a body is built, where the source wants one", async () => {
  const secret = randomBytes(16).toString("hex");
  const body = `\r\n{ "card" : "${secret}", "n": 12 }`;
  const row = await rowOf(await gate.send(sign("sampled", "my-shop", "wrong", body)));
  const { body_sample: sample } = JSON.parse(row.text);
  assert.equal(sample, `\r\n{ "card" : "${secret.replace(/[a-f]/g, "a").replace(/\d/g, "0")}", "n": 00 }`.slice(0, 40));
});

test("no credential stands in any column, wherever it travelled", async () => {
  const canaries = new Map(Object.entries(gate.secrets).map(([name, value]) => [name, value.replace(/^whsec_/, "")]));
  const canary = (name) => {
    const value = randomBytes(16).toString("hex");
    canaries.set(name, value);
    return value;
  };
  /** As providers spell theirs: lower case, with separators. */
  const spelled = (name, form) => {
    const value = form(randomBytes(16).toString("hex"));
    canaries.set(`${name} ${value}`, value);
    return value;
  };
  const letters = (hex) => hex.replace(/\d/g, (digit) => "ghijklmnop"[digit]);
  const forms = [
    (hex) => `sk_live_${letters(hex).slice(0, 14)}`,
    (hex) => `whsec_${letters(hex)}`,
    (hex) => `ghp_${letters(hex).slice(0, 12)}`,
    (hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, "$1-$2-$3-$4-$5"),
    (hex) => hex.match(/../g).join("-"),
    (hex) => letters(hex).match(/.{16}/g).join("."),
  ];
  const headers = () => [
    ["authorization", `Bearer ${canary("authorization")}`],
    ["cookie", `session=${canary("cookie")}`],
    ["x-shop-token", canary("a credential that the scheme names")],
    [`x-${canary("a header's name")}`, "1"],
    ["user-agent", `agent/1 (${canary("a user agent")})`],
    ["x-shop-signature", canary("a signature")],
  ];
  const requests = [
    { target: `/hooks/sampled?access_token=${canary("a query")}`, headers: headers(), body: JSON.stringify({ token: canary("a body") }) },
    { target: `/hooks/${canary("a path")}?sig=${canary("an unknown source's query")}`, headers: headers(), body: "{}" },
    { target: `/hooks/custom/${canary("the end of a path")}`, headers: headers(), body: "{}" },
    { ...sign("bearer", "bearer", canary("a wrong bearer"), JSON.stringify({ id: freshId() })) },
    ...forms.flatMap((form) =>
      [spelled("a path", form), "sampled"].map((name) => ({
        target: `/hooks/${name}/${spelled("its end", form)}`,
        headers: [[spelled("a header's name", form), "1"]],
        body: JSON.stringify({ [spelled("a member", form)]: 1 }),
      })),
    ),
  ];
  // Each in a minute of its own: no more than a few of one are described one by one.
  for (const [index, request] of requests.entries()) {
    const headers = [...(request.headers ?? []), ["x-test-now", String(Date.now() + index * 60_000)]];
    await rowOf(await gate.send({ method: "POST", ...request, headers }));
  }
  const rows = [...(await gate.recorded()), ...(await gate.recorded("SELECT * FROM counts"))].map((row) => JSON.stringify(row));
  assert.ok(rows.length > 4 && canaries.size > 60);
  const leaks = rows.flatMap((row) => [...canaries].filter(([, value]) => row.includes(value) || row.includes(Buffer.from(value).toString("base64").slice(0, -4))).map(([name]) => `${name} in ${row}`));
  assert.deepEqual(leaks, []);
  assert.ok(rows.some((row) => row.includes("hookgate-redacted")));
});

test("who changes records while they are written is found out, and the log has what the gate sent", async () => {
  const own = await startGate();
  try {
    await own.recorded(`CREATE TRIGGER hidden AFTER INSERT ON records WHEN NEW.source = 'custom' BEGIN
      UPDATE records SET text = replace(text, 'missing_signature', 'unknown_source'), leaf_hash = '${"ab".repeat(32)}' WHERE id = NEW.id; END`);
    const answer = await own.send({ ...shopEvent(own, "custom"), headers: [] });
    const { detail } = await own.line({ event: "alarm", what: "record_contradicted" });
    assert.equal(detail, answer.requestId);
    const row = await rowOf(answer, own);
    assert.match(row.text, /unknown_source/);
    const sent = { ...row, text: row.text.replaceAll("unknown_source", "missing_signature") };
    const bundle = await until(async () => (await own.adminAt("/admin/v1/log/demo/tile/entries/000.p/1")).text, "its entry");
    assert.ok(bundle.includes(Buffer.from(leafHash(sent), "hex").toString("base64")), bundle);
    assert.ok(!bundle.includes(Buffer.from(row.leaf_hash, "hex").toString("base64")));
    const honest = await own.send({ ...shopEvent(own, "steady"), headers: [] });
    assert.ok(isWhole(await rowOf(honest, own)));
    assert.equal(own.lines({ event: "alarm", what: "record_contradicted" }).length, 1);
  } finally {
    await own.stop();
  }
});

describe("a flood", () => {
  // FORGERIES=100000 FLUSH_MS=25000 is the one that docs/record.md tells of: as many, and flushes as deployed.
  const FLOOD = Number(process.env.FORGERIES ?? 5_000);
  const FLUSH_MS = Number(process.env.FLUSH_MS ?? 700);

  test(`of ${FLOOD} forgeries: four records a minute, exact counts, and few messages`, { timeout: 120_000 + FLOOD * 10 }, async () => {
    const own = await startGate({ variables: { FLUSH_MS: String(FLUSH_MS) } });
    try {
      await freshMinute(15_000);
      const request = { ...shopEvent(own, "exact"), body: "{}" };
      const began = Date.now();
      for (let sent = 0; sent < FLOOD; sent += 50) await Promise.all(Array.from({ length: 50 }, () => own.send(request)));
      const took = Date.now() - began;
      const minutes = Math.floor(Date.now() / 60_000) - Math.floor(began / 60_000) + 1;
      const records = await until(async () => {
        const [{ number }] = await own.recorded("SELECT count(*) AS number FROM records WHERE source = 'exact'");
        const [row] = await counted("exact", own);
        return number + (row?.number ?? 0) === FLOOD && number;
      }, "all of them, as records and as counts", FLUSH_MS + 30_000);
      assert.equal(records, 4 * minutes);
      const [count, ...others] = await counted("exact", own);
      assert.deepEqual([others.length, count.verdict, count.reason, count.number], [0, "refused", "signature_mismatch", FLOOD - records]);
      assert.ok(count.first >= began && count.last <= Date.now() && count.first <= count.last);
      assert.equal(own.lines({ event: "verdict", source: "exact" }).length, FLOOD, "the log has a line for each");
      assert.ok(count.rows <= minutes, `${count.rows} rows of counts`);
      const flushes = Math.ceil((Date.now() - began) / FLUSH_MS) + 1;
      const [{ number: messages }] = await own.recorded("SELECT count(*) AS number FROM counted");
      assert.ok(messages >= 1 && messages <= flushes, `${messages} messages of counts`);
      // What is not like them is not hidden by them: in the same minute, or this shows nothing.
      const missing = await own.send({ ...request, headers: [] });
      assert.equal(JSON.parse((await rowOf(missing, own)).text).reason, "missing_signature");
      console.log(`# ${FLOOD} forgeries in ${took} ms: ${records} records, ${messages} messages of counts, ${count.rows} rows of counts`);
    } finally {
      await own.stop();
    }
  });

  test("from many isolates: the consumer stores no more than sixty of a source and minute, and counts the rest", async () => {
    const at = Date.now() - 600_000;
    const bodies = Array.from({ length: 200 }, (_, number) => messageOf(`req_flood${number}`, { source: "exact", at_ms: at - (at % 60_000) + number }));
    for (let from = 0; from < 200; from += 50) {
      const { explicitAcks } = await gate.consume(bodies.slice(from, from + 50), { queue: "hookgate-audit" });
      assert.equal(explicitAcks.length, 50);
    }
    const stored = () => gate.recorded("SELECT count(*) AS number FROM records WHERE id LIKE 'req_flood%'");
    assert.deepEqual(await stored(), [{ number: 60 }]);
    const stale = async () => (await counted("exact")).find(({ reason }) => reason === "stale");
    const { number, rows, first, last } = await stale();
    assert.deepEqual([number, rows, last - first], [140, 1, 139]);
    // What comes twice is stored once.
    await gate.consume(bodies.slice(0, 50), { queue: "hookgate-audit" });
    assert.deepEqual([await stored(), (await stale()).number], [[{ number: 60 }], 140]);
    const counts = JSON.stringify({ auditversion: 1, id: "cnt_twice", counts: [{ tenant: "demo", source: "twice", verdict: "accepted", reason: "", minute: 1, number: 7, first_ms: 60_000, last_ms: 60_001 }] });
    for (let turn = 0; turn < 2; turn += 1) await gate.consume([counts, counts], { queue: "hookgate-audit" });
    assert.deepEqual((await counted("twice")).map(({ number }) => number), [7]);
    // Another isolate's are added to the same row.
    await gate.consume([counts.replace("cnt_twice", "cnt_other").replace("60001", "60007")], { queue: "hookgate-audit" });
    assert.deepEqual((await counted("twice")).map(({ number, rows, last }) => [number, rows, last]), [[14, 1, 60_007]]);
  });

  test("that goes on all day: behind a day's bound one of each minute is stored, and none behind the tenant's", async () => {
    // A day of the past: its records, as if they had come all day long.
    const day = (back) => Math.floor(Date.now() / 86_400_000 - back) * 86_400_000;
    const had = (source, at, number) =>
      gate.recorded(
        `WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < ?3)
         INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text)
         SELECT 'day_' || ?1 || ?2 || n, 'flooded', ?1, ?2 + n * 10000, 'refused', 'stale', '', '', '{}' FROM row RETURNING 1`,
        source,
        at,
        number,
      );
    const come = async (source, at, minutes) => {
      const ids = minutes.map((minute, number) => `req_${source}_${at}_${minute}_${number}`);
      const bodies = ids.map((id, number) => messageOf(id, { tenant: "flooded", source, at_ms: at + minutes[number] * 60_000 }));
      assert.equal((await gate.consume(bodies, { queue: "hookgate-audit" })).explicitAcks.length, ids.length);
      return (await gate.recorded(`SELECT count(*) AS number FROM records WHERE id LIKE 'req_${source}_${at}_%'`))[0].number;
    };
    const late = [1_400, 1_400, 1_400, 1_401, 1_401];
    await had("long", day(2), 1_997);
    assert.equal(await come("long", day(2), late), 4, "three fill the day, then one of a minute that has none");
    assert.equal(await come("other", day(2), late), 5, "each source has its own");
    assert.equal(await come("long", day(1), late), 5, "and each day");
    await had("more", day(2), 1_999);
    await had("most", day(2), 994);
    assert.equal(await come("last", day(2), late), 1, "the tenant's day is full with the first of them");
    assert.deepEqual((await counted("last")).map(({ number }) => number), [4]);
    await gate.recorded("DELETE FROM records WHERE tenant = 'flooded' RETURNING 1");
  });

  test("what operators did is stored whatever the bounds say, and takes no refusal's place", async () => {
    const day = Math.floor(Date.now() / 86_400_000 - 3) * 86_400_000;
    const action = { verdict: "admin", reason: "dead_letter_shown", source: "" };
    const come = async (prefix, number, members) => {
      const bodies = Array.from({ length: number }, (_, index) => messageOf(`${prefix}${index}`, { at_ms: day + index, ...members }));
      for (let from = 0; from < number; from += 50) await gate.consume(bodies.slice(from, from + 50), { queue: "hookgate-audit" });
      return (await gate.recorded(`SELECT count(*) AS number FROM records WHERE id LIKE '${prefix}%'`))[0].number;
    };
    // To no source, as many actions are: in one minute, before the refusals and beside them.
    assert.equal(await come("its-act-a", 70, { tenant: "_", ...action }), 70);
    assert.equal(await come("its-req-a", 70, { tenant: "_", source: "", reason: "unknown_source" }), 60);
    const mixed = Array.from({ length: 40 }, (_, index) => [
      messageOf(`its-act-b${index}`, { tenant: "watched", at_ms: day, ...action, source: "shop" }),
      messageOf(`its-req-b${index}`, { tenant: "watched", at_ms: day, source: "shop" }),
    ]);
    for (const part of [mixed.slice(0, 20), mixed.slice(20)]) await gate.consume(part.flat(), { queue: "hookgate-audit" });
    const stored = await gate.recorded("SELECT verdict, count(*) AS number FROM records WHERE tenant = 'watched' GROUP BY 1 ORDER BY 1");
    assert.deepEqual(stored.map(({ verdict, number }) => [verdict, number]), [["admin", 40], ["refused", 40]]);
    // A day of looks leaves the tenant its refusals; a day of refusals leaves what an operator had judged again.
    const had = (verdict) =>
      gate.recorded(
        `WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 5000)
         INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text)
         SELECT ?1 || n, 'watched', 'other', ?2 + n * 10000, ?1, '', '', '', '{}' FROM row RETURNING 1`,
        verdict,
        day,
      );
    const late = { tenant: "watched", source: "last", at_ms: day + 80_000_000 };
    await had("admin");
    assert.equal(await come("its-req-c", 1, late), 1);
    await had("refused");
    assert.equal(await come("its-req-d", 1, late), 0);
    assert.equal(await come("its-act-d", 1, { ...late, verdict: "admin", reason: "refusal_readmitted" }), 1);
    await gate.recorded("DELETE FROM records WHERE tenant = 'watched' RETURNING 1");
  });

  test("counts of long ago are those of hours, and what they tell is the same", async () => {
    const own = await startGate();
    try {
      const hour = Math.floor(Date.now() / 86_400_000) * 1_440 + 720;
      const count = (id, minute, number, verdict = "accepted") =>
        JSON.stringify({ auditversion: 1, id, counts: [{ tenant: "other", source: "old", verdict, reason: "", minute, number, first_ms: minute * 60_000 + 1, last_ms: minute * 60_000 + 9 }] });
      const minutes = [hour - 60, hour - 59, hour - 2, hour - 1, hour, hour + 5];
      const bodies = [...minutes.map((minute, index) => count(`cnt_${index}`, minute, 10 ** index)), count("cnt_other", hour - 30, 7, "duplicate")];
      await own.consume(bodies, { queue: "hookgate-audit" });
      const rows = async () =>
        (await own.recorded("SELECT minute, verdict, number, first_ms, last_ms FROM counts WHERE source = 'old' ORDER BY verdict, minute")).map((row) => [row.verdict, row.minute - hour, row.number, row.first_ms / 60_000 - hour, row.last_ms / 60_000 - hour].map((value) => (typeof value === "number" ? Math.floor(value) : value)));
      await own.ahead(14 * 86_400_000);
      await own.tick();
      assert.equal((await rows()).length, 7, "as long as a message could come again");
      // One hour each time that the cron comes by.
      await own.ahead(16 * 86_400_000);
      await own.tick();
      const folded = [["accepted", -60, 1_111, -60, -1], ["accepted", 0, 10_000, 0, 0], ["accepted", 5, 100_000, 5, 5], ["duplicate", -60, 7, -30, -30]];
      assert.deepEqual(await rows(), folded);
      await own.tick();
      folded.splice(1, 2, ["accepted", 0, 110_000, 0, 5]);
      assert.deepEqual(await rows(), folded);
      await own.tick();
      assert.deepEqual(await rows(), folded);
      // Which messages were added is known no longer.
      assert.deepEqual(await own.recorded("SELECT * FROM counted"), []);
    } finally {
      await own.stop();
    }
  });

  test("that has filled the database: refusals are counted, nobody is told, and records come again with the room", async () => {
    const own = await startGate();
    try {
      await own.faults("RECORD.batch=size:7000000000");
      await own.tick();
      assert.equal((await own.line({ event: "alarm", what: "record_filling" })).bytes, 7_000_000_000);
      assert.equal((await rowOf(await own.send({ ...shopEvent(own, "custom"), headers: [] }), own)).source, "custom");
      await own.faults("RECORD.batch=size:8000000000");
      await own.tick();
      assert.equal((await own.line({ event: "alarm", what: "record_full" })).bytes, 8_000_000_000);
      const answer = await own.send({ ...shopEvent(own, "exact"), headers: [] });
      assert.equal(answer.status, 401);
      await until(async () => (await counted("exact", own))[0]?.number === 1, "a count");
      assert.deepEqual(await own.recorded("SELECT id FROM records WHERE id = ?1", answer.requestId), []);
      assert.equal((await own.send({ method: "GET", target: "/healthz" })).status, 200, "events are taken as ever");
      await own.faults("");
      await own.tick();
      await rowOf(await own.send({ ...shopEvent(own, "steady"), headers: [] }), own);
    } finally {
      await own.stop();
    }
  });
});

test("every end is in the record once: records and counts together are the requests", async () => {
  const source = "neighbour";
  const event = shopEvent(gate, source);
  const before = gate.lines({ event: "verdict", source }).length;
  assert.equal(before, 0);
  const requests = [event, event, event, { ...event, body: "{}" }, { ...event, method: "PUT" }, ...Array.from({ length: 12 }, () => ({ ...event, headers: [] }))];
  for (const request of requests) await gate.send(request);
  const all = await until(async () => {
    const [{ number }] = await gate.recorded("SELECT count(*) AS number FROM records WHERE source = ?1", source);
    const counts = await counted(source);
    return number + counts.reduce((sum, count) => sum + count.number, 0) === requests.length && counts;
  }, "all of them");
  assert.deepEqual(all.filter(({ reason }) => reason === "").map(({ verdict, number }) => [verdict, number]), [["accepted", 1], ["duplicate", 2]]);
});

test("what cannot be stored comes again, and what nobody can read ends among the dead letters", async () => {
  const queue = "hookgate-audit";
  const bodies = ["one", "two"].map((id) => messageOf(id, { source: "again", at_ms: Date.now() }));
  const stored = async () => (await gate.recorded("SELECT id FROM records WHERE source = 'again' ORDER BY id")).map(({ id }) => id);
  for (const fault of ["fail", "lost"]) {
    await gate.faults(`RECORD.batch=${fault}`);
    const failed = await gate.consume(bodies, { queue });
    await gate.faults("");
    assert.deepEqual([failed.explicitAcks, failed.retryMessages.map(({ delaySeconds }) => delaySeconds)], [[], [30, 30]]);
    await gate.line({ event: "alarm", what: "record_failed" });
    assert.deepEqual(await stored(), fault === "fail" ? [] : ["one", "two"]);
  }
  const again = await gate.consume(bodies, { queue });
  assert.deepEqual([again.explicitAcks.length, await stored()], [2, ["one", "two"]]);

  const altered = messageOf("three", { source: "again", at_ms: Date.now(), text: "{ }" });
  const { explicitAcks, retryMessages } = await gate.consume(["{}", '{"auditversion":2}', "nonsense", altered], { queue });
  assert.deepEqual([explicitAcks.length, retryMessages.length], [0, 4]);
  await gate.line({ event: "alarm", what: "record_unreadable", detail: "message-2" });
});

test("a message of the record that became a dead letter loses its address, and can be sent again", async () => {
  const source = "revived";
  const text = JSON.stringify({ v: 1, client_network: "203.0.113.0/24" });
  const body = messageOf("req_revived", { source, at_ms: Date.now(), address: "203.0.113.77", address_salt: "00" }, text);
  const countsOf = (id, minute) =>
    JSON.stringify({ auditversion: 1, id, counts: [{ tenant: "demo", source, verdict: "accepted", reason: "", minute, number: 7, first_ms: minute * 60_000, last_ms: minute * 60_000 + 1 }] });
  const counts = countsOf("cnt_revived", Math.floor(Date.now() / 60_000));
  assert.equal((await gate.consume([body, counts], { queue: "hookgate-dead-letters" })).explicitAcks.length, 2);
  const letters = (await gate.letters()).filter(({ reason }) => reason === "given_up_by_platform");
  assert.deepEqual(letters.map(({ tenant }) => tenant).sort(), ["demo", null].sort());
  for (const { id } of letters) {
    const { json: kept } = await gate.admin(`/${id}`);
    assert.ok(!kept.message.includes("203.0.113.77") && !kept.message.includes("address"), kept.message);
    const first = await gate.admin(`/${id}/redrive`, { method: "POST" });
    assert.deepEqual([first.status, first.json], [202, { status: "redriven", id }]);
    const second = await gate.admin(`/${id}/redrive`, { method: "POST" });
    assert.equal(second.status, 409);
    assert.equal((await gate.admin(`/${id}/redrive`, { method: "POST", body: '{"again":true}' })).status, 202);
  }
  const row = await rowOf({ requestId: "req_revived" });
  assert.ok(isWhole(row));
  assert.deepEqual([row.text, row.address, row.address_salt], [text, null, null]);
  const number = async () => (await counted(source))[0]?.number;
  await until(async () => (await number()) === 7, "the counts");
  await sleep(500);
  assert.equal(await number(), 7, "sent twice, added once");
  // Nobody knows any more whether these were.
  await gate.consume([countsOf("cnt_ancient", 1)], { queue: "hookgate-dead-letters" });
  const [{ id: ancient }] = (await gate.letters()).filter(({ reason, redriven_at: at }) => reason === "given_up_by_platform" && at === null);
  const refused = await gate.admin(`/${ancient}/redrive`, { method: "POST" });
  assert.deepEqual([refused.status, refused.json.type], [409, "urn:hookgate:problem:counts-forgotten"]);
  assert.equal((await gate.admin(`/${ancient}/redrive`, { method: "POST", body: '{"again":true}' })).status, 202);
});

test("what the queue does not take is offered again", async () => {
  const fault = { headers: [["x-test-fault", "AUDIT.send=fail"]] };
  const answer = await gate.send({ ...shopEvent(gate, "steady"), headers: fault.headers });
  assert.equal(answer.status, 401, "the answer does not depend on it");
  await gate.line({ event: "notice", what: "audit_unsent" });
  await gate.send(shopEvent(gate, "steady"));
  await rowOf(answer);
});

test("a tenant's records go when their time is over: address first, then the text; the leaf stays, and the removal is recorded", async () => {
  const own = await startGate();
  try {
    const DAY_MS = 86_400_000;
    const days = async (number) => {
      await own.ahead(number * DAY_MS);
      await own.tick();
    };
    const send = () => own.send({ ...shopEvent(own, "custom"), headers: [["cf-connecting-ip", "203.0.113.77"]] });
    const row = await rowOf(await send(), own);
    const other = await rowOf(await own.send({ ...shopEvent(own, "exact-neighbour"), headers: [] }), own);
    await own.send(shopEvent(own, "custom"));
    await until(async () => (await counted("custom", own)).length > 0, "a count");
    assert.deepEqual([row.tenant, other.tenant], ["demo", "other"]);
    const now = async ({ id }) => (await own.recorded("SELECT * FROM records WHERE id = ?1", id))[0];
    const removals = () => own.recorded("SELECT * FROM records WHERE verdict = 'retention' ORDER BY at_ms");

    await days(2);
    assert.deepEqual(await now(row), row, "two days are within every time");
    // [tenants.demo] client_address_days = 3, audit_days = 10; the other tenant has the default.
    await days(5);
    assert.deepEqual(await now(row), { ...row, address: null, address_salt: null });
    assert.deepEqual(await now(other), other);
    await days(12);
    assert.deepEqual(await now(row), { ...row, address: null, address_salt: null, text: null, salt: null });
    assert.notEqual((await now(other)).text, null);
    const said = await until(async () => (await removals()).length === 2 && (await removals()), "a record of each removal");
    assert.ok(said.every(isWhole));
    assert.deepEqual(
      said.map(({ text }) => JSON.parse(text)).map(({ record, tenant, texts, addresses, audit_days: days }) => [record, tenant, texts, addresses, days]),
      [
        ["retention", "demo", 0, 1, 10],
        ["retention", "demo", 1, 0, 10],
      ],
    );
    await days(200);
    await until(async () => (await now(other)).text === null, "the default's end");
    assert.ok((await removals()).every(({ text }) => text !== null), "what says that records were removed stays");
    assert.deepEqual(await own.recorded("SELECT * FROM counts WHERE source = 'custom'"), []);
  } finally {
    await own.stop();
  }
});

test("run after run removes what is over, also where it is the newest that there is", async () => {
  const own = await startGate();
  try {
    const at = Date.now() - 20 * 86_400_000;
    const texts = async () => (await own.recorded("SELECT count(*) AS number FROM records WHERE verdict = 'refused' AND text IS NOT NULL"))[0].number;
    const runs = async () => (await own.recorded("SELECT count(*) AS number FROM records WHERE verdict = 'retention'"))[0].number;
    for (let run = 1; run <= 4; run += 1) {
      for (let number = 0; number < 5; number += 1) {
        await own.recorded("INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text) VALUES (?1, 'demo', 'custom', ?2, 'refused', 'stale', '00', '11', '{}')", `req_${run}_${number}`, at + run);
      }
      await own.tick();
      assert.equal(await texts(), 0, `run ${run}`);
      await until(async () => (await runs()) === run, "what says that they were removed");
    }
    assert.deepEqual(own.lines({ what: "record_failed" }), []);
  } finally {
    await own.stop();
  }
});

test("a database of the first version keeps its rows when it becomes one of the second", async () => {
  const own = await startGate();
  try {
    const apply = async (file) => {
      const sql = readFileSync(join(ROOT, "migrations", file), "utf8").replaceAll(/^ *--.*$/gm, "");
      for (const statement of sql.split(";").filter((text) => text.trim() !== "")) await own.recorded(statement);
    };
    for (const table of ["records", "counts", "counted"]) await own.recorded(`DROP TABLE ${table}`);
    await apply("0001_record.sql");
    const rows = [
      ["req_a", "demo", "s", 3, "refused", "stale", "aa", "00", "{}", "203.0.113.77", "01"],
      ["req_b", "demo", "s", 2, "refused", "stale", "bb", null, null, null, null],
      ["ret_c", "demo", "", 1, "retention", "", "cc", "00", "{}", null, null],
    ];
    for (const row of rows) await own.recorded("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", ...row);
    await own.recorded("INSERT INTO counts VALUES ('demo', 1, 's', 'refused', 'stale', 'cnt_old', 7, 1, 2)");
    await apply("0002_record_rows.sql");
    assert.deepEqual((await own.recorded("SELECT * FROM records ORDER BY id")).map((row) => Object.values(row)), rows);
    const rowids = (await own.recorded("SELECT id FROM records ORDER BY rowid")).map(({ id }) => id);
    assert.deepEqual(rowids, ["req_b", "ret_c", "req_a"], "those without a text lie together");
    const indices = (await own.recorded("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'records' AND sql IS NOT NULL ORDER BY name")).map(({ name }) => name);
    assert.deepEqual(indices, ["records_of_source", "records_with_address", "records_with_text"]);
    // What an isolate of the former version counted beside it is the same sum.
    await own.consume([JSON.stringify({ auditversion: 1, id: "cnt_new", counts: [{ tenant: "demo", source: "s", verdict: "refused", reason: "stale", minute: 1, number: 5, first_ms: 0, last_ms: 9 }] })], { queue: "hookgate-audit" });
    const [count] = await counted("s", own);
    assert.deepEqual([count.number, count.rows, count.first, count.last], [12, 2, 0, 9]);
  } finally {
    await own.stop();
  }
});

test("without the database the gate says that it is not sound, and takes events all the same", async () => {
  const bare = await startGate({ without: ["AUDIT", "RECORD"] });
  try {
    assert.equal((await bare.send({ method: "GET", target: "/healthz" })).status, 503);
    await bare.line({ event: "alarm", what: "binding_missing", detail: "RECORD" });
    assert.equal((await bare.send(shopEvent(bare, "custom"))).json?.status, "accepted");
    assert.equal((await bare.send({ ...shopEvent(bare, "custom"), headers: [] })).status, 401);
    await bare.line({ event: "notice", what: "audit_unsent" });
  } finally {
    await bare.stop();
  }
});
