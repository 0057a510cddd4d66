// How sources are, and what an operator is told of without asking, in real workerd and D1 (docs/alerts.md).
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent, sign } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

const { Webhook } = createRequire(import.meta.url)("standardwebhooks");

const LOOK_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

/** Takes alerts, and verifies them as an operator's own receiver would; `statuses` are its next answers. */
async function startReceiver() {
  const taken = [];
  const statuses = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const status = statuses.shift() ?? 204;
    taken.push({ headers: request.headers, text: Buffer.concat(parts).toString(), status, at: aheadMs });
    response.writeHead(status, { location: "http://127.0.0.1:9/" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/alerts`,
    taken,
    statuses,
    /** What was answered 2xx, of one rule. */
    of: (rule) => taken.filter(({ status, text }) => status < 300 && JSON.parse(text).data.rule === rule),
    stop: () => server.close(),
  };
}

let gate, receiver;
let aheadMs = 0;
before(async () => {
  receiver = await startReceiver();
  gate = await startGate({ variables: { ALERT_URL: receiver.url } });
});
after(async () => {
  receiver.stop();
  await gate.stop();
});

/** The next cron, five minutes after the last one by its clock; `crons` of them at once. */
async function look(crons = 1) {
  aheadMs += LOOK_MS;
  await gate.ahead(aheadMs);
  const outcomes = await Promise.all(Array.from({ length: crons }, () => gate.tick()));
  assert.ok(outcomes.every(({ outcome }) => outcome === "ok"));
}

/** At the time at which it came, by the cron's clock. */
function verified({ headers, text, at }) {
  const now = Date.now;
  Date.now = () => now() + at;
  try {
    return new Webhook(gate.secrets.ALERT_SECRET).verify(text, headers);
  } finally {
    Date.now = now;
  }
}

/** The requests of a source that the record has. */
const known = async (source, from = gate) =>
  (await from.recorded(
    `SELECT (SELECT count(*) FROM records WHERE source = ?1) + (SELECT coalesce(sum(number), 0) FROM counts WHERE source = ?1) AS number`,
    source,
  ))[0].number;
const recorded = (source, number) => until(async () => (await known(source)) >= number, `${number} requests of ${source} in the record`);
const sourceOf = async (name) => (await gate.adminAt("/admin/v1/sources")).json.sources.find((source) => source.name === name);
const alerts = async () => (await gate.adminAt("/admin/v1/alerts")).json.alerts;

async function forge(source, number) {
  const before = await known(source);
  for (let sent = 0; sent < number; sent += 1) assert.equal((await gate.send({ ...shopEvent(gate, source), body: "{}" })).status, 401);
  await recorded(source, before + number);
}

describe("how a source is", () => {
  test("silent sources are there too, and nobody without a token sees any", async () => {
    const { json, headers } = await gate.adminAt("/admin/v1/sources");
    assert.match(headers["content-type"], /^application\/json/);
    assert.ok(json.sources.length > 40);
    const silent = json.sources.find(({ name }) => name === "exact-neighbour");
    assert.deepEqual(silent, {
      name: "exact-neighbour",
      tenant: "other",
      scheme: "my-shop",
      accepted: 0,
      duplicate: 0,
      refused: 0,
      unavailable: 0,
      last_accepted_at: null,
      secrets: [{ name: "EXACT_NEIGHBOUR_SECRET", last_matched_at: null, note: "has not matched in the last 90 days, or since the record began" }],
      skew: null,
      quiet: false,
      quiet_after_seconds: null,
    });
    for (const target of ["/admin/v1/sources", "/admin/v1/alerts"]) assert.equal((await gate.adminAt(target, { token: "wrong" })).status, 401);
  });

  test("requests by their ends, clocks, and which secret matched", async () => {
    const body = (id) => JSON.stringify({ id, event: "order.paid" });
    const event = (secret, ageMs, id = freshId()) => sign("rotation", "my-shop", gate.secrets[secret], body(id), { at: Date.now() - ageMs });
    const first = event("ROTATION_SECRET", 2_500);
    const requests = [first, first, event("ROTATION_SECRET", 2_500), event("ROTATION_SECRET_OLD", 2_500), event("ROTATION_SECRET", 400_000), event("CUSTOM_SECRET", 0)];
    const statuses = [];
    for (const request of requests) statuses.push((await gate.send(request)).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 401, 401]);
    await recorded("rotation", 6);
    const source = await sourceOf("rotation");
    assert.deepEqual([source.accepted, source.duplicate, source.refused, source.unavailable, source.quiet], [3, 1, 2, 0, false]);
    assert.ok(Math.abs(Date.parse(source.last_accepted_at) - Date.now()) < 30_000);
    assert.deepEqual(source.secrets.map(({ name, note }) => [name, note]), [["ROTATION_SECRET", "in use"], ["ROTATION_SECRET_OLD", "in use"]]);
    const { events, p50_seconds: p50, p99_seconds: p99, tolerance_seconds: tolerance, future_seconds: future } = source.skew;
    assert.deepEqual([events, tolerance, future], [3, 300, 60], "neither the copy nor what is stale");
    assert.ok(p50 > 2 && p99 <= 30, `${p50} ${p99}`);
  });

  test("the old secret is safe to drop once the provider's retries are over", async () => {
    const database = await gate.mf.getD1Database("RECORD");
    const lastUsed = (days) => database.prepare("UPDATE key_uses SET last_ms = ?1 WHERE key_id = 'ROTATION_SECRET_OLD'").bind(Date.now() - days * DAY_MS).run();
    const note = async () => (await sourceOf("rotation")).secrets[1].note;
    const minute = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
    await lastUsed(0.5);
    assert.match(await note(), /^last used \d{4}-\d\d-\d\d \d\d:\d\d, and another one since: safe to drop from \d{4}-\d\d-\d\d \d\d:\d\d on, unless it matches again$/);
    await lastUsed(3);
    assert.equal(await note(), `the old secret was last used ${minute(Date.now() - 3 * DAY_MS)}: safe to drop`);
  });

  test("a message that comes twice is kept once, all of a minute is one row, and goes with the counts", async () => {
    const minute = Math.floor(Date.now() / 60_000);
    const message = (id, last, at = minute) =>
      JSON.stringify({ auditversion: 1, id, counts: [], health: [{ tenant: "demo", source: "heroku", minute: at, keys: { HEROKU_SECRET: last }, skew: { 17: 2, 30: 1 } }] });
    const now = Date.now();
    for (const text of [message("cnt_a", now), message("cnt_a", now), message("cnt_b", now - 5_000)]) {
      assert.equal((await gate.consume([text], { queue: "hookgate-audit" })).explicitAcks.length, 1);
    }
    const skews = () => gate.recorded("SELECT message, histogram FROM skews WHERE source = 'heroku' ORDER BY message");
    const [row, ...others] = await skews();
    assert.deepEqual([others, row.message, JSON.parse(row.histogram)], [[], "", { 17: 4, 30: 2 }]);
    const uses = () => gate.recorded("SELECT last_ms FROM key_uses WHERE source = 'heroku'");
    assert.deepEqual(await uses(), [{ last_ms: now }]);
    // The tenant keeps what it has for ten days.
    const old = now - 12 * DAY_MS;
    const count = { tenant: "demo", source: "vercel", verdict: "accepted", reason: "", minute: Math.floor(old / 60_000), number: 1, first_ms: old, last_ms: old };
    const expired = { auditversion: 1, id: "cnt_old", counts: [count], health: [{ tenant: "demo", source: "vercel", minute: count.minute, keys: { VERCEL_SECRET: old }, skew: { 3: 1 } }] };
    await gate.consume([JSON.stringify(expired)], { queue: "hookgate-audit" });
    const left = () => gate.recorded("SELECT source FROM skews WHERE source = 'vercel' UNION ALL SELECT source FROM key_uses WHERE source = 'vercel'");
    assert.equal((await left()).length, 2);
    await gate.tick();
    assert.deepEqual([(await left()).length, (await skews()).length, (await uses()).length], [0, 1, 1]);
  });
});

describe("alerts", () => {
  test("a source whose every request is refused: told once, signed, and again when it is over", async () => {
    await forge("exact", 7);
    await look();
    assert.deepEqual(receiver.taken, [], "one look may be a chance");
    assert.deepEqual(await alerts(), []);
    // Two crons at the same time.
    await look(2);
    const [message, ...others] = receiver.of("all_refused");
    assert.deepEqual(others, []);
    const { type, data, timestamp } = verified(message);
    assert.equal(type, "alert.firing");
    assert.deepEqual(
      { ...data, since: 0 },
      { rule: "all_refused", tenant: "demo", source: "exact", value: 7, threshold: 5, since: 0, what_to_do: "docs/alerts.md#all_refused: look at the reason and the diagnosis of its last refusals" },
    );
    assert.equal(data.since, timestamp);
    assert.throws(() => new Webhook(gate.secrets.DELIVERY_SECRET).verify(message.text, message.headers));
    const canaries = Object.entries(gate.secrets).filter(([, value]) => JSON.stringify(message).includes(value.replace(/^whsec_/, "")));
    assert.deepEqual(canaries, []);
    assert.equal(gate.lines({ event: "alarm", what: "alert_firing", rule: "all_refused", source: "exact" }).length, 1);
    assert.deepEqual(await alerts(), [{ rule: "all_refused", source: "exact", tenant: "demo", state: "firing", since: data.since, value: 7, threshold: 5 }]);
    assert.deepEqual(await gate.recorded("SELECT * FROM alert_messages"), [], "it is taken");

    // It is over after a quarter of an hour, and two looks more.
    for (let times = 0; times < 6; times += 1) await look();
    const [, over, ...more] = receiver.of("all_refused");
    assert.deepEqual([verified(over).type, more], ["alert.resolved", []]);
    assert.equal(gate.lines({ event: "notice", what: "alert_resolved", rule: "all_refused" }).length, 1);
    assert.deepEqual((await alerts()).map(({ rule, state }) => [rule, state]), [["all_refused", "ok"]]);
  });

  test("what is not taken comes again under its id, before what is newer; a redirect takes nothing", async () => {
    const began = aheadMs;
    await gate.faults("EVENTS.send=fail,EVENTS.sendBatch=fail,LEDGER.wake=fail");
    // As if the record had been lost to view: the places that wait are known without it.
    const event = shopEvent(gate, "steady", { headers: [["x-test-fault", "EVENTS.send=fail,EVENTS.sendBatch=fail,LEDGER.ask=fail"]] });
    assert.equal((await gate.send(event)).status, 200);
    await look();
    receiver.statuses.push(500, 302);
    await look();
    const tries = () => receiver.taken.filter(({ text }) => JSON.parse(text).data.rule === "spool_backlog");
    assert.deepEqual(tries().map(({ status }) => status), [500]);
    const untold = await gate.line({ event: "alarm", what: "alert_untold" });
    assert.deepEqual([untold.detail, untold.untold], ["status 500", 1]);
    await look();
    await look();
    assert.deepEqual(tries().map(({ status }) => status), [500, 302, 204]);
    const ids = tries().map(({ headers }) => headers["webhook-id"]);
    assert.equal(new Set(ids).size, 1);
    assert.equal(new Set(tries().map(({ text }) => text)).size, 1);
    const { data } = verified(tries()[2]);
    assert.deepEqual([data.tenant, data.source, data.threshold], ["_", "", 600]);
    assert.ok(aheadMs - began === 4 * LOOK_MS);
    await gate.faults("");
    for (let times = 0; times < 3; times += 1) await look();
    assert.deepEqual(receiver.of("spool_backlog").map((message) => JSON.parse(message.text).type), ["alert.firing", "alert.resolved"]);
  });

  test("a message that is never taken stands before no newer one, and is given up", async () => {
    const database = await gate.mf.getD1Database("RECORD");
    const hours = (ago) => Date.now() + aheadMs - ago * 3_600_000;
    for (const [rule, made] of [["planted_a", hours(7)], ["planted_b", hours(5)], ["planted_c", hours(4)], ["planted_d", hours(3)]]) {
      await database.prepare("INSERT INTO alert_messages (id, body, made_ms) VALUES (?1, ?2, ?3)").bind(`alr_${rule}`, JSON.stringify({ data: { rule } }), made).run();
    }
    receiver.statuses.push(422, 422, 409);
    await look();
    assert.deepEqual(["planted_a", "planted_b", "planted_c", "planted_d"].map((rule) => receiver.of(rule).length), [0, 0, 0, 1]);
    const left = await gate.recorded("SELECT id FROM alert_messages WHERE id LIKE 'alr_planted%'");
    assert.deepEqual(left, [{ id: "alr_planted_b" }], "a was refused for six hours, c was known, d was taken");
    await look();
    assert.equal(receiver.of("planted_b").length, 1);
  });

  test("a clock that is nearly off, dead letters, and a source that fell silent", async () => {
    const database = await gate.mf.getD1Database("RECORD");
    const now = Date.now() + aheadMs;
    const [minute, source] = [Math.floor(now / 60_000), "slack"];
    const health = { tenant: "demo", source, minute, keys: { SLACK_SECRET: now }, skew: { 30: 30 } };
    await gate.consume([JSON.stringify({ auditversion: 1, id: "cnt_skew", counts: [], health: [health] })], { queue: "hookgate-audit" });
    // Known for eight days, silent for an hour at most, and now for four.
    const rhythm = [now - 8 * DAY_MS, now - 4 * 3_600_000, 0, Math.floor(now / DAY_MS), 3_600_000];
    await database.prepare("INSERT OR REPLACE INTO rhythms (tenant, source, numbers) VALUES ('demo', 'stripe', ?1)").bind(JSON.stringify(rhythm)).run();
    await look();
    const events = Array.from({ length: 5 }, () => shopEvent(gate));
    for (const { id } of events) gate.backend.plan(id, 400);
    for (const event of events) assert.equal((await gate.send(event)).status, 200);
    await until(async () => (await gate.recorded("SELECT * FROM incidents WHERE rule = 'dead_letters' AND source = 'custom'")).length >= 5, "five dead letters", 20_000);
    // They died by the clock of now; the cron is hours ahead of it by then.
    await database.prepare("UPDATE incidents SET at_ms = ?1").bind(Date.now() + aheadMs).run();
    await look();
    const quiet = await sourceOf("stripe");
    assert.equal(quiet.quiet_after_seconds, 3 * 3_600);
    await look();
    const told = ["skew_near_tolerance", "dead_letters", "gone_quiet"].map((rule) => receiver.of(rule).map((message) => verified(message).data)[0]);
    assert.deepEqual(told.map(({ source: of, threshold }) => [of, threshold]), [["slack", 240], ["custom", 5], ["stripe", 10_800]]);
    const [skew, letters, silent] = told.map(({ value }) => value);
    assert.ok(skew >= 240 && skew <= 300 && letters === 5 && silent >= 4 * 3_600, `${skew} ${letters} ${silent}`);
  });

  test("a cron that comes too soon is no look, and a database that is away is said", async () => {
    const before = await gate.recorded("SELECT at_ms FROM evaluation");
    await gate.tick();
    assert.deepEqual(await gate.recorded("SELECT at_ms FROM evaluation"), before);
    await gate.faults("RECORD.batch=fail");
    await look();
    await gate.faults("");
    await gate.line({ event: "alarm", what: "alerts_failed" });
    assert.deepEqual(await gate.recorded("SELECT at_ms FROM evaluation"), before);
    await look();
  });

  test("a database that does not answer is told of all the same, with what waits, and so is its return", async () => {
    const event = shopEvent(gate, "steady", { headers: [["x-test-fault", "EVENTS.send=fail,EVENTS.sendBatch=fail,LEDGER.ask=fail"]] });
    assert.equal((await gate.send(event)).status, 200);
    const told = (rule = "record_unreachable") => receiver.of(rule).map((message) => verified(message));
    const spooled = told("spool_backlog").length;
    await gate.faults("RECORD.batch=fail,RECORD.prepare=fail,EVENTS.send=fail,EVENTS.sendBatch=fail,LEDGER.wake=fail");
    for (let times = 0; times < 2; times += 1) await look();
    assert.deepEqual(told().length, 1);
    const [{ type, data }] = told();
    assert.deepEqual([type, data.tenant, data.source, data.value, data.threshold], ["alert.firing", "_", "", 1, 1]);
    assert.match(data.what_to_do, /^docs\/alerts\.md#record_unreachable: /);
    assert.equal(told("spool_backlog").length, spooled + 1);
    for (let times = 0; times < 3; times += 1) await look();
    assert.equal(told().length, 1);
    await gate.faults("");
    for (let times = 0; times < 3; times += 1) await look();
    assert.deepEqual(told().map(({ type }) => type), ["alert.firing", "alert.resolved"]);
  });

  test("neither is lost where the receiver is away as well", async () => {
    const own = await startReceiver();
    const alone = await startGate({ variables: { ALERT_URL: own.url } });
    try {
      await alone.faults("RECORD.batch=fail");
      own.statuses.push(503);
      for (let ahead = 0; ahead < 3 * LOOK_MS; ahead += LOOK_MS) {
        await alone.ahead(ahead);
        await alone.tick();
      }
      assert.deepEqual(own.taken.map(({ status }) => status), [503, 204]);
      const { detail } = await alone.line({ event: "alarm", what: "alert_untold" });
      assert.equal(detail, "status 503");
    } finally {
      own.stop();
      await alone.stop();
    }
  });
});

test("without an address messages wait, and the log says so", async () => {
  const own = await startGate({ without: ["ALERT_URL"] });
  try {
    for (let sent = 0; sent < 5; sent += 1) await own.send({ ...shopEvent(own, "exact"), body: "{}" });
    await until(async () => (await known("exact", own)) >= 5, "five records");
    for (const ahead of [0, LOOK_MS]) {
      await own.ahead(ahead);
      await own.tick();
    }
    await own.line({ event: "alarm", what: "destination_unusable", destination: "[alerts]", secret_name: "ALERT_URL" });
    const { detail, untold } = await own.line({ event: "alarm", what: "alert_untold" });
    assert.deepEqual([detail, untold], ["the webhook has no address or no secret here", 1]);
    assert.equal((await own.recorded("SELECT * FROM alert_messages")).length, 1);
  } finally {
    await own.stop();
  }
});
