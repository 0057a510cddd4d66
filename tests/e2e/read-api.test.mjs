// The read API over the record: every search, count and export is held against the same rows, sorted out here.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, randomBytes, verify } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { adminsLine, freshToken } from "../../scripts/dev-vars.mjs";
import { ROOT, startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { shopEvent } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const ROWS = 700;
const LOOKED_AT = 2_000;

let gate;
let rows;
let counts;
before(async () => {
  const secrets = freshSecrets();
  secrets.GLOBEX_TOKEN = freshToken();
  secrets.ADMINS += `\n${adminsLine("globex", "read", "globex,_", secrets.GLOBEX_TOKEN)}`;
  gate = await startGate({ secrets });
  ({ rows, counts } = seeded());
  await insert("records", rows);
  await insert("counts", counts);
});
after(() => gate.stop());

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256"));

/** Text that acts on a page, a table or a terminal, wherever a stranger could have put it. */
const HOSTILE = ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\u001b[2J\u009b31m", "\u202eevil", "a\"b,c\r\nd", "<script>alert(1)</script>", "'; DROP TABLE records; --", "é😀"];

/** Rows as the consumer would write them: three tenants, five sources, a few hours. */
function seeded() {
  const sources = [["acme", "acme-a"], ["acme", "acme-b"], ["globex", "globex-a"], ["initech", "initech-a"], ["_", ""]];
  const reasons = ["signature_mismatch", "stale", "hold_failed"];
  const records = Array.from({ length: ROWS }, (_, n) => {
    const [tenant, source] = sources[n % sources.length];
    const reason = reasons[n % reasons.length];
    const verdict = reason === "hold_failed" ? "unavailable" : "refused";
    // Some at the same millisecond.
    const at = NOW - Math.floor(n / 3) * 47_000 - 1;
    const id = `req_${createHash("md5").update(String(n)).digest("hex")}`;
    const address = n % 4 === 0 ? null : `203.0.${n % 2}.${n % 250}`;
    const text = JSON.stringify({
      v: 1, record: "refusal", time: new Date(at).toISOString(), request_id: id, verdict, reason,
      ...(tenant !== "_" && { tenant, source }), key_id: `KEY_${n % 7}`, event_id: `evt_${n}`, method: "POST", path: `/hooks/${source}`,
      client_network: `203.0.${n % 2}.0/24`, asn: 64_500 + (n % 3), user_agent: HOSTILE[n % HOSTILE.length], header_names: ["host", HOSTILE[n % HOSTILE.length]],
      body_bytes: n, ray_id: `ray${n}`, ...(n % 5 === 0 && { diagnosis: n % 2 ? "none" : "body_newline_removed" }),
    });
    const salt = randomBytes(16);
    const leaf_hash = sha256(Buffer.of(0), salt, text).digest("hex");
    return { id, tenant, source, at_ms: at, verdict, reason, leaf_hash, salt: salt.toString("hex"), text, address, address_salt: null };
  });
  const expired = { ...records[0], id: "req_expired", at_ms: NOW - 2 * MINUTE_MS, salt: null, text: null, address: null };
  const removal = { ...records[0], id: "ret_1", source: "", verdict: "retention", reason: "", text: '{"v":1,"record":"retention","texts":3}', at_ms: NOW - 3 * MINUTE_MS };
  const numbers = Array.from({ length: 300 }, (_, n) => {
    const [tenant, source] = sources[n % sources.length];
    const [verdict, reason] = [["accepted", ""], ["duplicate", ""], ["refused", "stale"]][n % 3];
    const minute = NOW / MINUTE_MS - 1 - (n % 170);
    return { tenant, minute, source, verdict, reason, message: `cnt_${n}`, number: n + 1, first_ms: minute * MINUTE_MS + 5, last_ms: minute * MINUTE_MS + 59_000 };
  });
  return { rows: [...records, expired, removal], counts: numbers };
}

async function insert(table, items) {
  const names = Object.keys(items[0]);
  const values = names.map((name) => `value ->> '${name}'`);
  await gate.recorded(`INSERT INTO ${table} (${names.join(", ")}) SELECT ${values.join(", ")} FROM json_each(?1)`, JSON.stringify(items));
}

const get = (path, parameters = {}) => gate.adminAt(`/admin/v1/${path}${Object.keys(parameters).length > 0 ? `?${new URLSearchParams(parameters)}` : ""}`);
const ids = (records) => records.map(({ id }) => id);

/** Behind the rows here: what this test reads is recorded, too, and would be found. */
const END = { to: new Date(NOW).toISOString() };

/** All pages of a search, and how many there were. */
async function all(wanted, path = "records") {
  const parameters = { ...END, ...wanted };
  const found = [];
  let cursor = null;
  let pages = 0;
  do {
    const answer = await get(path, cursor === null ? parameters : { ...parameters, cursor });
    assert.equal(answer.status, 200, answer.text);
    found.push(...answer.json.records);
    cursor = answer.json.cursor;
    pages += 1;
  } while (cursor !== null);
  return { found, pages };
}

/** What a search should find. */
function expected(matches, { from = Date.now() - 24 * HOUR_MS, to = Infinity } = {}) {
  const found = rows.filter((row) => row.text !== null && row.at_ms >= from && row.at_ms < to && matches(row, JSON.parse(row.text)));
  return found.sort((one, other) => other.at_ms - one.at_ms || (other.id < one.id ? -1 : 1));
}

test("a record as it is listed", async () => {
  const row = rows[7];
  const { json } = await get("records", { request_id: row.id });
  assert.deepEqual(json, {
    records: [{
      id: row.id, tenant: row.tenant, source: row.source, at: new Date(row.at_ms).toISOString(), verdict: row.verdict, reason: row.reason,
      leaf_hash: row.leaf_hash, expired: false, record: JSON.parse(row.text), client_address: row.address, configured: false,
    }],
    cursor: null,
  });
  const [expired] = (await get("records", { request_id: "req_expired" })).json.records;
  assert.deepEqual([expired.expired, expired.record, expired.client_address, expired.leaf_hash], [true, null, null, rows[0].leaf_hash]);
});

test("a tenant that somebody invented in the database is said to be none of ours", async () => {
  const { requestId } = await gate.send({ ...shopEvent(gate, "custom"), headers: [] });
  const item = async (id) => (await get("records", { request_id: id })).json.records[0];
  const real = await until(() => item(requestId), "its record");
  const nobodys = rows.find(({ tenant, verdict }) => tenant === "_" && verdict === "refused");
  const [invented, toNobody] = await Promise.all([item(rows[7].id), item(nobodys.id)]);
  assert.deepEqual([real, invented, toNobody].map(({ tenant, configured }) => [tenant, configured]), [["demo", true], ["globex", false], ["_", true]]);
  assert.deepEqual([(await get(`records/${rows[7].id}`)).json.configured, (await get(`records/${rows[7].id}`)).json.log.state], [false, "unknown"]);
  const exported = async (format, id) => (await gate.adminAt(`/admin/v1/export?${new URLSearchParams({ format, request_id: id })}`)).text.trimEnd();
  const last = (table) => table.split("\r\n").map((row) => row.split(",").at(-1));
  assert.deepEqual([last(await exported("csv", requestId)), last(await exported("csv", rows[7].id))], [["configured", "true"], ["configured", "false"]]);
  const labels = async (id) => JSON.parse(await exported("ocsf", id)).metadata.labels;
  assert.deepEqual([await labels(requestId), await labels(rows[7].id)], [undefined, ["tenant_not_configured"]]);
});

test("every filter finds what it names, newest first, and all of it over the pages", async () => {
  const row = rows.find(({ address, tenant }) => address !== null && tenant === "globex");
  const text = JSON.parse(row.text);
  const filters = [
    [{}, () => true],
    [{ tenant: "acme" }, ({ tenant }) => tenant === "acme"],
    [{ tenant: "_" }, ({ tenant }) => tenant === "_"],
    [{ tenant: "nobody" }, () => false],
    [{ source: "acme-b" }, ({ source }) => source === "acme-b"],
    [{ tenant: "globex", source: "acme-b" }, () => false],
    [{ verdict: "unavailable" }, ({ verdict }) => verdict === "unavailable"],
    [{ reason: "stale" }, ({ reason }) => reason === "stale"],
    [{ key_id: "KEY_3", tenant: "acme" }, ({ tenant }, { key_id: key }) => key === "KEY_3" && tenant === "acme"],
    [{ event_id: text.event_id }, ({ id }) => id === row.id],
    [{ ray_id: text.ray_id }, ({ id }) => id === row.id],
    [{ request_id: row.id }, ({ id }) => id === row.id],
    [{ request_id: row.id, tenant: "acme" }, () => false],
    [{ client_address: row.address }, ({ address }) => address === row.address],
    [{ client_address: "203.0.1.0/24", reason: "stale" }, ({ reason }, { client_network: network }) => network === "203.0.1.0/24" && reason === "stale"],
  ];
  for (const [filter, matches] of filters) {
    const { found } = await all({ ...filter, limit: 37 });
    assert.deepEqual(ids(found), ids(expected(matches)), JSON.stringify(filter));
  }
  const [from, to] = [NOW - 2 * HOUR_MS, NOW - HOUR_MS];
  const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const { found, pages } = await all({ ...span, limit: 10 });
  assert.deepEqual(ids(found), ids(expected(() => true, { from, to })));
  assert.equal(pages, Math.floor(found.length / 10) + 1);
  const { found: later } = await all({ ...span, from: span.to.replace(".000Z", "+00:00"), to: new Date(NOW).toISOString(), source: "acme-a" });
  assert.deepEqual(ids(later), ids(expected(({ source }) => source === "acme-a", { from: to, to: NOW })));
});

test("whatever is asked for, a call looks at a bounded number of rows, and its cursor goes on", async () => {
  await gate.recorded(
    `INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, text)
     SELECT 'req_many_' || value, 'many', 'many-a', ?1 - value * 1000, 'refused', 'stale', '', json_object('v', 1, 'key_id', iif(value = 2099, 'RARE', 'USUAL'))
     FROM (WITH RECURSIVE numbers(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM numbers WHERE value < ?2) SELECT value FROM numbers)`,
    NOW,
    LOOKED_AT * 2 + 10,
  );
  try {
    const first = await get("records", { tenant: "many", key_id: "RARE" });
    assert.equal(first.json.records.length, 0);
    assert.notEqual(first.json.cursor, null, "more is to be looked at");
    const { found, pages } = await all({ tenant: "many", key_id: "RARE" });
    assert.deepEqual([ids(found), pages], [["req_many_2099"], 3]);
    // With the others' rows between: one tenant's many rows hide nothing of another's.
    const { found: mixed } = await all({ event_id: "evt_1" });
    assert.deepEqual(ids(mixed), [rows[1].id]);
  } finally {
    await gate.recorded("DELETE FROM records WHERE tenant = 'many'");
  }
});

test("a cursor is good for its search, and for that only", async () => {
  const { cursor } = (await get("records", { reason: "stale", limit: 5 })).json;
  assert.equal((await get("records", { reason: "stale", limit: 200, cursor })).status, 200);
  const others = [
    { reason: "hold_failed", cursor },
    { cursor },
    { reason: "stale", tenant: "acme", cursor },
    { reason: "stale", cursor: `${cursor.slice(0, -2)}AA` },
    { reason: "stale", cursor: "MS4wLjAuMC4" },
    { reason: "stale", cursor: "%%%" },
  ];
  for (const parameters of others) {
    const answer = await get("records", parameters);
    assert.equal(answer.status, 400, JSON.stringify(parameters));
    assert.match(answer.json.detail, /^cursor: /);
  }
});

test("a parameter that is not understood is refused by its name, and nothing is searched", async () => {
  const refused = [
    ["records", { sorce: "acme-a" }, /Known are: tenant, source/],
    ["records", { limit: "0" }, /^limit: /],
    ["records", { limit: "201" }, /^limit: /],
    ["records", { from: "yesterday" }, /^from: a time of RFC 3339/],
    ["records", { client_address: "203.0.113.0/25" }, /^client_address: /],
    ["records", { source: "" }, /^source: /],
    ["records", { step: "hour" }, /Known are/],
    ["counts", { step: "week" }, /^step: minute, hour or day/],
    ["counts", { by: "colour" }, /^by: /],
    ["counts", { step: "minute", from: "2020-01-01T00:00:00Z" }, /^step: at most/],
    ["counts", { limit: "7" }, /Known are/],
    ["export", { format: "xml" }, /^format: ndjson, csv or ocsf/],
  ];
  for (const [path, parameters, detail] of refused) {
    const { status, json, headers } = await get(path, parameters);
    assert.equal(status, 400, `${path} ${JSON.stringify(parameters)}`);
    assert.equal(headers["content-type"], "application/problem+json");
    assert.equal(json.type, "urn:hookgate:problem:bad-parameter");
    assert.match(json.detail, detail);
  }
  const repeated = await gate.adminAt("/admin/v1/records?source=a&source=b");
  assert.match(repeated.json.detail, /^source: /);
});

test("without a token there is nothing to read", async () => {
  for (const path of ["records", "records/req_expired", "counts", "export", "openapi.json"]) {
    const answer = await gate.adminAt(`/admin/v1/${path}`, { token: "wrong".repeat(8) });
    assert.equal(answer.status, 401, path);
    assert.ok(!answer.text.includes("req_expired"));
  }
  const posted = await gate.adminAt("/admin/v1/records", { method: "POST" });
  assert.equal(posted.status, 404);
});

test("an operator of some tenants reads of them and of nobody else, whatever he asks for", async () => {
  const token = gate.secrets.GLOBEX_TOKEN;
  const of = async (path, parameters = {}) => gate.adminAt(`/admin/v1/${path}?${new URLSearchParams(path.includes("/") ? {} : { ...END, ...parameters })}`, { token });
  const theirs = ids(expected(({ tenant }) => tenant === "globex" || tenant === "_"));
  const listed = [];
  for (let cursor = null; listed.length === 0 || cursor !== null; ) {
    const { json } = await of("records", { limit: 60, ...(cursor !== null && { cursor }) });
    listed.push(...ids(json.records));
    cursor = json.cursor;
  }
  assert.deepEqual(listed, theirs);
  const foreign = rows.find(({ tenant }) => tenant === "acme");
  const own = rows.find(({ tenant }) => tenant === "globex");
  assert.deepEqual((await of("records", { tenant: "acme" })).json.records, []);
  assert.deepEqual((await of("records", { request_id: foreign.id })).json.records, []);
  assert.deepEqual(ids((await of("records", { request_id: own.id })).json.records), [own.id]);
  // Somebody else's cursor opens nothing.
  const { cursor } = (await get("records", { ...END, limit: 1 })).json;
  assert.ok((await of("records", { limit: 200, cursor })).json.records.every(({ tenant }) => tenant === "globex" || tenant === "_"));
  const [hidden, none, seen] = [await of(`records/${foreign.id}`), await of("records/req_none"), await of(`records/${own.id}`)];
  assert.deepEqual([hidden.status, hidden.json.title, seen.status], [404, none.json.title, 200]);
  const exported = (await of("export", { format: "csv" })).text;
  assert.ok(exported.includes(own.id) && !exported.includes("acme"));
  const sources = (counted) => new Set(counted.json.counts.map(({ source }) => source));
  assert.deepEqual(sources(await of("counts")), new Set(["globex-a", ""]));
  assert.deepEqual(sources(await of("counts", { tenant: "acme" })), new Set());
});

test("counts: stored refusals and counted ends together, exactly", async () => {
  const end = NOW;
  const from = end - 3 * HOUR_MS;
  const ends = [
    ...counts.map((count) => ({ ...count, ms: count.minute * MINUTE_MS })),
    ...rows.filter(({ text, verdict }) => text !== null && verdict !== "retention").map((row) => ({ ...row, ms: row.at_ms, number: 1, first_ms: row.at_ms, last_ms: row.at_ms })),
  ].filter(({ ms }) => ms >= from && ms < end);
  const iso = (ms) => new Date(ms).toISOString();
  const added = (step, by, matches) => {
    const sums = new Map();
    for (const one of ends.filter(matches)) {
      const item = { at: iso(Math.floor(one.ms / step) * step), source: null, verdict: null, reason: null };
      for (const name of by) item[name] = one[name];
      const key = JSON.stringify(item);
      const sum = sums.get(key) ?? { ...item, number: 0, first: iso(one.first_ms), last: iso(one.last_ms) };
      sum.number += one.number;
      if (iso(one.first_ms) < sum.first) sum.first = iso(one.first_ms);
      if (iso(one.last_ms) > sum.last) sum.last = iso(one.last_ms);
      sums.set(key, sum);
    }
    return [...sums.values()];
  };
  const sorted = (list) => list.map((item) => JSON.stringify(item)).sort();
  const span = { from: iso(from), to: iso(end) };
  for (const [parameters, step, by, matches] of [
    [{ step: "hour" }, HOUR_MS, ["source", "verdict", "reason"], () => true],
    [{ step: "minute", by: "verdict" }, MINUTE_MS, ["verdict"], () => true],
    [{ step: "day", by: "reason" }, 24 * HOUR_MS, ["verdict", "reason"], () => true],
    [{ step: "hour", by: "source,verdict", tenant: "acme" }, HOUR_MS, ["source", "verdict"], ({ tenant }) => tenant === "acme"],
    [{ step: "hour", by: "verdict", source: "acme-a" }, HOUR_MS, ["verdict"], ({ source }) => source === "acme-a"],
  ]) {
    const { status, json, text } = await get("counts", { ...span, ...parameters });
    assert.equal(status, 200, text);
    assert.deepEqual([json.from, json.to], [span.from, span.to]);
    assert.deepEqual(sorted(json.counts), sorted(added(step, by, matches)), JSON.stringify(parameters));
  }
  const { json } = await get("counts", { tenant: "nobody" });
  assert.deepEqual(json.counts, []);
});

describe("an export", () => {
  const exported = async (wanted) => {
    const parameters = { ...END, ...wanted };
    let [text, cursor, pages] = ["", null, 0];
    do {
      const answer = await get("export", cursor === null ? parameters : { ...parameters, cursor });
      assert.equal(answer.status, 200, answer.text);
      text += answer.text;
      cursor = answer.headers["hookgate-cursor"] ?? null;
      pages += 1;
    } while (cursor !== null);
    return { text, pages };
  };
  const isHarmless = (text) => /^[ -~\n]*$/.test(text.replaceAll("\r\n", "\n"));

  test("as lines of JSON has every record, and nothing that acts on a terminal", async () => {
    const { text, pages } = await exported({ limit: 100 });
    assert.ok(isHarmless(text));
    const { found } = await all({ limit: 200 });
    assert.deepEqual(text.trimEnd().split("\n").map((line) => JSON.parse(line)), found);
    assert.equal(pages, Math.floor(found.length / 100) + 1);
  });

  test("as a table has no cell that is a formula", async () => {
    const { text } = await exported({ format: "csv", limit: 100 });
    assert.ok(isHarmless(text));
    const [head, ...lines] = text.trimEnd().split("\r\n").map(cells);
    const wanted = expected(() => true);
    assert.equal(lines.length, wanted.length);
    assert.ok(lines.every((line) => line.length === head.length));
    assert.ok(lines.flat().every((cell) => !/^ *[=+\-@\t\r]/.test(cell)), "a cell begins like a formula");
    const at = (name) => head.indexOf(name);
    for (const [index, row] of wanted.entries()) {
      assert.equal(lines[index][at("id")], row.id);
      assert.equal(lines[index][at("client_address")], row.address ?? "");
      const { user_agent: agent = "" } = JSON.parse(row.text);
      const shown = lines[index][at("user_agent")].replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      // A spreadsheet may take a semicolon for the end of a cell.
      const parts = agent.split(";").map((part, place) => ((place === 0 ? /^ *[=+\-@\t\r]/ : /^[ "]*[=+\-@\t\r]/).test(part) ? `'${part}` : part));
      assert.equal(shown, parts.join(";"));
    }
  });

  test("as OCSF has the class, the control and the client that were there", async () => {
    const { text } = await exported({ format: "ocsf", tenant: "acme", limit: 50 });
    assert.ok(isHarmless(text));
    const events = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const wanted = expected(({ tenant, verdict }) => tenant === "acme" && verdict !== "retention");
    assert.deepEqual(events.map(({ metadata }) => metadata.uid), ids(wanted));
    for (const [index, event] of events.entries()) isOcsf(event, wanted[index]);
  });
});

/** The cells of a line as RFC 4180 has them; no cell has a line break in it. */
function cells(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}

/** Required attributes and enumerations of OCSF 1.5.0 (https://schema.ocsf.io/1.5.0/classes/http_activity?profiles=security_control). */
function isOcsf(event, row) {
  const text = JSON.parse(row.text);
  assert.deepEqual([event.class_uid, event.category_uid, event.activity_id, event.type_uid], [4002, 4, 6, 400_206]);
  assert.equal(event.time, row.at_ms);
  assert.ok([2, 3].includes(event.severity_id));
  assert.deepEqual([event.status_id, event.action_id, event.disposition_id], [2, 2, row.verdict === "refused" ? 2 : 27]);
  assert.equal(event.status_detail, row.reason);
  const { version, product, profiles, tenant_uid: tenant } = event.metadata;
  assert.deepEqual([version, product, profiles, tenant], ["1.5.0", { name: "hookgate", vendor_name: "hookgate" }, ["security_control"], row.tenant]);
  assert.deepEqual(event.http_request, { uid: row.id, http_method: "POST", user_agent: text.user_agent, length: text.body_bytes, url: { path: text.path } });
  assert.deepEqual(event.src_endpoint, { ...(row.address && { ip: row.address }), name: text.client_network, autonomous_system: { number: text.asn } });
  assert.deepEqual(event.unmapped, text);
}

/** A refusal that the gate made itself, once its entry is under a checkpoint. */
async function logged() {
  const request = shopEvent(gate, "custom");
  const answer = await gate.send({ ...request, body: request.body.trimEnd() + "\n" });
  assert.equal(answer.status, 401);
  return until(async () => {
    const { status, json } = await get(`records/${answer.requestId}`);
    return status === 200 && json.log.state === "logged" && json;
  }, "its proof");
}

describe("one record", () => {
  test("has its reason in words, its diagnosis with a remedy, and a proof that can be checked without the gate", async () => {
    const record = await logged();
    assert.deepEqual(record.explanation.title, "The signature is wrong");
    assert.ok(record.explanation.detail.length > 0 && record.explanation.what_to_do.length > 0);
    assert.equal(record.diagnosis.name, record.record.diagnosis);
    assert.equal(record.diagnosis.name, "body_newline_removed");
    assert.ok(record.diagnosis.title.includes("newline") && record.diagnosis.remedy.length > 0);
    assert.deepEqual([record.log.tenant, record.kept_body], ["demo", null]);
    const { proof } = record;
    assert.deepEqual(JSON.parse(proof.text), record.record);
    assert.equal(sha256(Buffer.of(0), Buffer.from(proof.salt, "hex"), proof.text).digest("hex"), record.leaf_hash);
    const [kind, id, time, commitment] = proof.entry.split("\n");
    assert.deepEqual([kind, id, Number(time)], ["hookgate-audit/v1 record", record.id, Date.parse(record.at)]);
    assert.equal(Buffer.from(commitment, "base64").toString("hex"), record.leaf_hash);
    // RFC 9162, section 2.1.3.2.
    let hash = sha256(Buffer.of(0), proof.entry).digest();
    let [node, last] = [proof.index, proof.size - 1];
    for (const beside of proof.hashes.map((text) => Buffer.from(text, "base64"))) {
      const isRight = node % 2 === 1 || node === last;
      hash = isRight ? sha256(Buffer.of(1), beside, hash).digest() : sha256(Buffer.of(1), hash, beside).digest();
      if (isRight) while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
      [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    }
    const [origin, size, root] = proof.checkpoint.split("\n");
    assert.deepEqual([origin, Number(size), root], ["gate.example/audit/demo", proof.size, hash.toString("base64")]);
    assert.equal(last, 0);
    isSigned(proof.checkpoint);
  });

  /** By the log's own key, which the secret has. */
  function isSigned(checkpoint) {
    const [, , , , ...seed] = gate.secrets.AUDIT_LOG_KEY.split("+");
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed.join("+"), "base64").subarray(1)]);
    const key = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
    const [text, signatures] = checkpoint.split("\n\n");
    const signature = Buffer.from(signatures.split(" ")[2], "base64").subarray(4);
    assert.ok(verify(null, `${text}\n`, key, signature));
  }

  test("that was altered in the database is said to be, whatever was altered", async () => {
    const { id, record } = await logged();
    const [row] = await gate.recorded("SELECT * FROM records WHERE id = ?1", id);
    const stateWith = async (column, value) => {
      await gate.recorded(`UPDATE records SET ${column} = ?1 WHERE id = ?2`, value, id);
      const { status, json, text } = await get(`records/${id}`);
      await gate.recorded(`UPDATE records SET ${column} = ?1 WHERE id = ?2`, row[column], id);
      assert.equal(status, 200, text);
      return json.log.state;
    };
    const text = JSON.stringify({ ...record, reason: "stale" });
    const rehashed = sha256(Buffer.of(0), Buffer.from(row.salt, "hex"), text).digest("hex");
    for (const [column, value] of [["text", text], ["text", "no JSON"], ["text", "5"], ["salt", "00".repeat(16)], ["leaf_hash", rehashed], ["reason", "stale"], ["verdict", "accepted"], ["source", "steady"], ["at_ms", row.at_ms + 1]]) {
      assert.equal(await stateWith(column, value), "contradicted", `${column} ${value}`);
    }
    assert.equal((await get(`records/${id}`)).json.log.state, "logged");
    await gate.recorded("UPDATE records SET text = NULL, salt = NULL WHERE id = ?1", id);
    const { json: expired } = await get(`records/${id}`);
    assert.deepEqual([expired.log.state, expired.expired, expired.proof.text], ["logged", true, null]);
  });

  test("says what is kept of its request, and until when", async () => {
    const request = shopEvent(gate, "kept");
    const body = `${request.body} `;
    const { requestId } = await gate.send({ ...request, body });
    const { json } = await until(async () => {
      const answer = await get(`records/${requestId}`);
      return answer.json.kept_body && answer;
    }, "what is kept");
    assert.deepEqual(json.kept_body, { bytes: body.length, kept_until: new Date(Date.parse(json.at) + 72 * HOUR_MS).toISOString() });
    await gate.recorded("UPDATE quarantine SET at_ms = ?1 WHERE id = ?2", Date.now() - 72 * HOUR_MS - 1, requestId);
    assert.equal((await get(`records/${requestId}`)).json.kept_body, null, "its time is over");
  });

  test("that no log knows says so, and one that is not there is 404", async () => {
    const { json } = await get(`records/${rows[0].id}`);
    assert.deepEqual([json.log, json.proof], [{ tenant: "acme", state: "unknown" }, null]);
    assert.equal((await get("records/req_none")).status, 404);
    await gate.recorded("UPDATE records SET text = 'no JSON' WHERE id = ?1", rows[3].id);
    const { status, json: list } = await get("records", { limit: 200 });
    assert.equal(status, 200);
    assert.equal(list.records.find(({ id }) => id === rows[3].id).record, null);
    await gate.recorded("UPDATE records SET text = ?1 WHERE id = ?2", rows[3].text, rows[3].id);
  });
});

describe("./scripts/records", () => {
  const run = async (...args) => {
    const env = { ...process.env, HOOKGATE_ADMIN_TOKEN: gate.secrets.HOOKGATE_ADMIN_TOKEN };
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "scripts", "records.mjs"), gate.url, ...args], { env, maxBuffer: 1e8 });
    return stdout;
  };
  const isPrintable = (text) => !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(text);

  test("lists over the pages, and shows nothing that acts on a terminal", async () => {
    const listed = await run("list", "--limit", "450", "--tenant", "acme", "--to", END.to);
    const wanted = expected(({ tenant }) => tenant === "acme");
    assert.deepEqual([...listed.matchAll(/(?:req|ret)_\S+/g)].map(([id]) => id), ids(wanted));
    assert.ok(isPrintable(listed));
    const shown = await run("show", rows[6].id);
    assert.ok(isPrintable(shown) && shown.includes("evil") && /^ {2}why /m.test(shown), shown);
  });

  test("exports every page into one table, and adds up", async () => {
    const table = await run("export", "--format", "csv", "--to", new Date(NOW).toISOString());
    const lines = table.trimEnd().split("\r\n");
    assert.equal(lines.length, 1 + expected(() => true, { from: NOW - 24 * HOUR_MS, to: NOW }).length);
    assert.equal(lines.filter((line) => line.startsWith("id,at,")).length, 1);
    const counted = await run("counts", "--by", "verdict", "--source", "globex-a", "--to", new Date(NOW).toISOString());
    const { json } = await get("counts", { by: "verdict", source: "globex-a", to: new Date(NOW).toISOString() });
    assert.ok(counted.includes(`${json.counts.reduce((sum, { number }) => sum + number, 0)} recorded from `), counted);
  });

  test("writes a proof that other tools read, and refuses what it does not know", async () => {
    const { record } = await logged();
    const text = await run("show", record.request_id, "--proof");
    assert.match(text, /^c2sp\.org\/tlog-proof@v1\nindex \d+\n(?:[A-Za-z0-9+/]{43}=\n)*\ngate\.example\/audit\/demo\n\d+\n/);
    for (const args of [["list", "--sorce", "x"], ["list", "--source"], ["show"], ["export", "extra"], ["drop"]]) await assert.rejects(run(...args));
  });
});

test("what the log knows no longer by its id it finds in the tree, and what was altered it does not", async () => {
  // Its tenant's log is of no use for new entries after that.
  const request = shopEvent(gate, "kept-elsewhere");
  const { requestId } = await gate.send({ ...request, body: `${request.body} ` });
  const read = async () => (await get(`records/${requestId}`)).json;
  const before = await until(async () => {
    const json = await read();
    return json?.log?.state === "logged" && json;
  }, "its proof");
  await gate.send({ target: `/-/sweep?tenant=${before.tenant}` });
  const after = await read();
  assert.deepEqual([after.log.state, after.proof.index, after.proof.entry, after.proof.hashes.length], ["logged", before.proof.index, before.proof.entry, before.proof.hashes.length]);
  await gate.recorded("UPDATE records SET at_ms = at_ms + 1 WHERE id = ?1", requestId);
  const altered = await read();
  assert.deepEqual([altered.log.state, altered.proof], ["unknown", null]);
});

test("a database that does not answer is our failure, and not the operator's", async () => {
  for (const path of ["records", "counts", "export", "records/req_expired"]) {
    const answer = await gate.send({ method: "GET", target: `/admin/v1/${path}`, headers: [["authorization", `Bearer ${gate.secrets.HOOKGATE_ADMIN_TOKEN}`], ["x-test-fault", "RECORD.prepare=fail"]] });
    assert.deepEqual([answer.status, answer.json.type], [503, "urn:hookgate:problem:record-unavailable"], path);
  }
});
