// From the queue to the backend: retries, what is sent, and what becomes of what cannot be delivered.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent, sign } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const { Webhook } = createRequire(import.meta.url)("standardwebhooks");

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

/** Sends an event whose deliveries go like this; its id. */
async function planned(steps, { source = "custom", ...options } = {}) {
  const event = shopEvent(gate, source, options);
  gate.backend.plan(event.id, ...steps);
  const answer = await gate.send(event);
  assert.equal(answer.json?.status, "accepted", answer.text);
  return { ...event, requestId: answer.requestId };
}

/** The dead letter of an event, waited for. */
const letterOf = (requestId) =>
  until(async () => (await gate.letters()).find((letter) => letter.request_id === requestId), `the dead letter of ${requestId}`, 20_000);

const whole = async ({ id }) => (await gate.admin(`/${id}`)).json;
const allWhole = async () => Promise.all((await gate.letters()).map(whole));
/** The dead letter whose message is this, waited for. */
const kept = (isIt) => until(async () => (await allWhole()).find(({ message }) => isIt(message)), "a dead letter");
const gapMs = ([first, second]) => second.at - first.at;

// These wait for the queue's delays, so they wait together.
describe("attempts", { concurrency: true }, () => {
  test("5xx and 429 are tried again under one webhook-id, with counted attempts", async () => {
    const { id, requestId, body } = await planned([500, 429]);
    const deliveries = await gate.backend.wait(id, 3);
    assert.deepEqual(deliveries.map(({ headers }) => headers["hookgate-attempt"]), ["1", "2", "3"]);
    assert.deepEqual(deliveries.map(({ headers }) => headers["hookgate-run"]), ["0", "0", "0"]);
    assert.equal(new Set(deliveries.map(({ headers }) => headers["webhook-id"])).size, 1);
    for (const delivery of deliveries) {
      assert.equal(delivery.body.toString(), body);
      new Webhook(gate.secrets.DELIVERY_SECRET).verify(delivery.body.toString(), delivery.headers, { jsonParse: false });
    }
    // Each attempt is stamped anew, or a delay would make the delivery stale for the backend's SDK.
    assert.ok(Number(deliveries[2].headers["webhook-timestamp"]) > Number(deliveries[0].headers["webhook-timestamp"]));
    await gate.line({ event: "delivery", result: "delivered", request_id: requestId });
    assert.deepEqual(gate.lines({ event: "delivery", request_id: requestId }).map(({ attempt, result, status }) => [attempt, result, status]), [[1, "retry", 500], [2, "retry", 429], [3, "delivered", 200]]);
  });

  test("time-outs and broken connections are tried again", async () => {
    const { id, requestId } = await planned(["hang", "reset"]);
    const deliveries = await gate.backend.wait(id, 3);
    assert.ok(gapMs(deliveries) >= 1_900, "one second of time-out, one of delay");
    await gate.line({ event: "delivery", result: "delivered", request_id: requestId });
    assert.deepEqual(gate.lines({ event: "delivery", request_id: requestId }).map(({ outcome }) => outcome), ["timed_out", "unreachable", "answered"]);
  });

  test("a backend that nobody can reach: given up after the attempts, with the reason", async () => {
    const { requestId } = await planned([], { source: "nowhere" });
    const letter = await letterOf(requestId);
    assert.deepEqual([letter.reason, letter.attempts, letter.last_status], ["attempts_exhausted", 2, null]);
  });

  test("Retry-After is honoured, and without one the delay is our own", async () => {
    const asked = await planned([{ status: 503, headers: { "retry-after": "3" } }], { source: "patient" });
    const dated = await planned([{ status: 503, headers: { "retry-after": "Wed, 21 Oct 2099 07:28:00 GMT" } }], { source: "patient" });
    const broken = await planned([{ status: 503, headers: { "retry-after": "tomorrow" } }], { source: "patient" });
    const gap = gapMs(await gate.backend.wait(asked.id, 2));
    assert.ok(gap >= 2_950, `${gap} ms`);
    const delay = async ({ requestId }) => (await gate.line({ event: "delivery", result: "retry", request_id: requestId })).retry_in_seconds;
    assert.deepEqual([await delay(asked), await delay(dated), await delay(broken)], [3, 4, 1], "at most the destination's longest delay");
  });

  test("attempts end: a dead letter with the last status", async () => {
    const { id, requestId } = await planned([500, 502, 503, 200]);
    const letter = await letterOf(requestId);
    assert.deepEqual([letter.reason, letter.attempts, letter.last_status], ["attempts_exhausted", 3, 503]);
    assert.equal(gate.backend.of(id).length, 3);
    await gate.line({ event: "alarm", what: "dead_letter", detail: letter.id });
  });

  test("a status that no retry mends: a dead letter at once", async () => {
    for (const status of [400, 401, 404, 410, 422]) {
      const { id, requestId } = await planned([status]);
      const letter = await letterOf(requestId);
      assert.deepEqual([letter.reason, letter.attempts, letter.last_status], ["rejected_by_backend", 1, status]);
      assert.equal(gate.backend.of(id).length, 1);
    }
  });

  test("every 2xx is a delivery, whatever its body does", async () => {
    for (const step of [201, 202, 204, 299, "hang-body"]) {
      const { id, requestId } = await planned([step]);
      await gate.line({ event: "delivery", result: "delivered", request_id: requestId });
      assert.equal(gate.backend.of(id).length, 1);
    }
  });

  test("redirects are not followed", async () => {
    for (const status of [301, 302, 307, 308]) {
      const { id, requestId } = await planned([{ status, headers: { location: `${gate.backend.url}?elsewhere` } }]);
      const letter = await letterOf(requestId);
      assert.deepEqual([letter.reason, letter.last_status], ["rejected_by_backend", status]);
      assert.equal(gate.backend.of(id).length, 1);
    }
  });

  test("one bad message does not disturb its neighbours", async () => {
    const events = Array.from({ length: 12 }, () => shopEvent(gate));
    gate.backend.plan(events[3].id, "hang", "reset");
    gate.backend.plan(events[5].id, 400);
    gate.backend.plan(events[7].id, "reset", 500);
    await Promise.all(events.map((event) => gate.send(event)));
    for (const [index, count] of [[3, 3], [7, 3]]) await gate.backend.wait(events[index].id, count);
    await sleep(300);
    const counts = events.map(({ id }) => gate.backend.of(id).length);
    assert.deepEqual(counts, events.map((_, index) => ({ 3: 3, 7: 3 })[index] ?? 1));
  });
});

describe("what the backend is given", () => {
  test("our names are ours: a sender's headers of the same name stand beside them", async () => {
    const ours = { "webhook-id": "theirs", "webhook-signature": "v1,theirs", "hookgate-tenant": "other", "hookgate-attempt": "99", "hookgate-made-up": "1" };
    const { id } = await planned([], { headers: Object.entries(ours) });
    const [{ headers, rawHeaders }] = await gate.backend.wait(id);
    assert.match(headers["webhook-id"], /^hg_[0-9a-f]{40}$/);
    assert.deepEqual([headers["hookgate-tenant"], headers["hookgate-attempt"], headers["hookgate-source"]], ["demo", "1", "custom"]);
    assert.equal(headers["hookgate-made-up"], undefined, "a sender speaks in our name");
    for (const name of Object.keys(ours)) assert.equal(headers[`hookgate-original-${name}`], ours[name]);
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    assert.equal(new Set(names).size, names.length, "a name stands twice");
    new Webhook(gate.secrets.DELIVERY_SECRET).verify(gate.backend.of(id)[0].body.toString(), headers, { jsonParse: false });
  });

  test("what belongs to the connection or the platform is not carried, even if the scheme asks for it", async () => {
    const { id } = await planned([], { headers: [["x-forwarded-for", "192.0.2.1"], ["x-forwarded-host", "evil.example"], ["cf-connecting-ip", "192.0.2.1"], ["cf-made-up", "1"], ["x-other", "not in the list"], ["te", "trailers"]] });
    const [{ headers }] = await gate.backend.wait(id);
    for (const name of ["x-forwarded-for", "x-forwarded-host", "cf-connecting-ip", "cf-made-up", "x-other", "te"]) assert.equal(headers[name], undefined, name);
    assert.equal(headers.host, new URL(gate.backend.url).host);
  });

  test("sign = original: the provider's headers are untouched, and both signatures verify", async () => {
    const id = `msg_${freshId()}`;
    const body = JSON.stringify({ type: "user.created" });
    const request = sign("original", "standard-webhooks", gate.secrets.ORIGINAL_SECRET, body, { id });
    assert.equal((await gate.send(request)).json?.status, "accepted");
    const [{ headers, body: given }] = await gate.backend.wait(id);
    assert.equal(headers["webhook-id"], id);
    new Webhook(gate.secrets.ORIGINAL_SECRET).verify(given.toString(), headers, { jsonParse: false });
    const ours = Object.fromEntries(["id", "timestamp", "signature"].map((name) => [`webhook-${name}`, headers[`hookgate-${name}`]]));
    assert.match(ours["webhook-id"], /^hg_/);
    new Webhook(gate.secrets.ORIGINAL_DELIVERY_SECRET).verify(given.toString(), ours, { jsonParse: false });
  });

  test("one trace from the sender to the backend", async () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const sender = `00-${trace}-00f067aa0ba902b7-01`;
    const { id, requestId } = await planned([], { headers: [["traceparent", sender]] });
    const [{ headers }] = await gate.backend.wait(id);
    assert.match(headers.traceparent, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    assert.notEqual(headers.traceparent, sender);
    for (const event of ["verdict", "delivery"]) assert.equal((await gate.line({ event, request_id: requestId })).trace_id, trace);

    const broken = await planned([], { headers: [["traceparent", `00-${trace}-0000000000000000-01`]] });
    const [fresh] = await gate.backend.wait(broken.id);
    assert.ok(!fresh.headers.traceparent.includes(trace), "an invalid trace is not continued");
  });
});

describe("messages that cannot be delivered are kept", () => {
  /** A message as this gate writes it, to be changed. */
  async function message() {
    const { requestId } = await planned([400]);
    return JSON.parse((await whole(await letterOf(requestId))).message);
  }

  test("unreadable, of a newer version, of an unknown source, of another tenant; good ones beside them arrive", async () => {
    const good = await message();
    const made = [];
    const fresh = (changes) => {
      const dedupkey = freshId().slice(4).padEnd(64, "0");
      made.push(`hg_${dedupkey.slice(0, 40)}`);
      return JSON.stringify({ ...good, requestid: `req_${freshId()}`, dedupkey, ...changes });
    };
    const neighbours = [freshId(), freshId()];
    const bodies = {
      unreadable: `{"half a message": ${freshId()}`,
      unknown_version: fresh({ hookgateversion: "3", a_new_member: 1 }),
      unknown_source: fresh({ source: "gone" }),
      changed_hands: fresh({ tenant: "other" }),
      broken_body: fresh({ data_base64: "%%%" }),
      broken_headers: fresh({ originalheaders: "[[" }),
      strange_version: JSON.stringify({ hookgateversion: "99", everything: "else" }),
    };
    const expected = { unreadable: "unreadable", unknown_version: "unknown_version", unknown_source: "unknown_source", changed_hands: "unknown_source", broken_body: "unreadable", broken_headers: "unreadable", strange_version: "unknown_version" };
    const all = [fresh({ id: neighbours[0] }), ...Object.values(bodies), fresh({ id: neighbours[1] })];
    const result = await gate.consume(all);
    assert.deepEqual([result.outcome, result.explicitAcks.length, result.retryMessages.length], ["ok", all.length, 0]);
    for (const id of neighbours) assert.equal((await gate.backend.wait(id)).length, 1);
    const letters = await until(async () => {
      const wholes = await allWhole();
      const found = Object.entries(bodies).map(([name, text]) => [name, wholes.find((letter) => letter.message === text)]);
      return found.every(([, letter]) => letter) && Object.fromEntries(found);
    }, "all letters, byte for byte");
    for (const [name, reason] of Object.entries(expected)) assert.equal(letters[name].reason, reason, name);
    // Events of other tests may still be on their way to the same backend.
    const delivered = gate.backend.deliveries.filter(({ headers }) => made.includes(headers["webhook-id"]));
    assert.equal(delivered.length, 2, "nothing is delivered in another's name");
    const redriven = await gate.admin(`/${letters.unknown_version.id}/redrive`, { method: "POST" });
    assert.equal(redriven.status, 422);
  });

  test("of a source that has changed hands: nobody else's ledger is asked, and nothing is sent again in its name", async () => {
    const [id, dedupkey] = [freshId(), freshId().slice(4).padEnd(64, "0")];
    const theirs = { ...(await message()), id, dedupkey, requestid: `req_${freshId()}` };
    await gate.consume([JSON.stringify(theirs)]);
    await gate.backend.wait(id);
    await gate.line({ event: "delivery", result: "delivered", request_id: theirs.requestid });
    // Under the same key: whoever asked would hear that it is delivered, and that there is nothing to keep.
    const requestid = `req_${freshId()}`;
    await gate.consume([JSON.stringify({ ...theirs, tenant: "other", requestid })]);
    const letter = await letterOf(requestid);
    assert.equal((await whole(letter)).reason, "unknown_source");
    const redriven = await gate.admin(`/${letter.id}/redrive?again=true`, { method: "POST" });
    assert.deepEqual([redriven.status, redriven.json.type], [422, "urn:hookgate:problem:unknown-source"]);
  });

  test("a message that is no text", async () => {
    const made = { made: `by somebody else ${freshId()}` };
    assert.equal((await gate.consume([made])).explicitAcks.length, 1);
    const letter = await kept((message) => message === JSON.stringify(made));
    assert.equal(letter.reason, "unreadable");
  });

  test("what the platform itself moved to the dead letters", async () => {
    const text = JSON.stringify({ ...(await message()), requestid: "req_moved", dedupkey: "ab".repeat(32) });
    assert.equal((await gate.consume([text], { queue: "hookgate-dead-letters" })).explicitAcks.length, 1);
    const letter = await whole(await letterOf("req_moved"));
    assert.deepEqual([letter.reason, letter.message], ["given_up_by_platform", text]);
  });

  test("what comes over a queue that is not ours", async () => {
    const text = `from nowhere ${freshId()}`;
    assert.equal((await gate.consume([text], { queue: "somebody-elses" })).explicitAcks.length, 1);
    assert.equal((await kept((message) => message === text)).reason, "unknown_queue");
    await gate.line({ event: "alarm", what: "queue_unknown", detail: "somebody-elses" });
  });

  test("the largest event, which does not fit into a dead letter's message", async () => {
    const id = freshId();
    const body = Buffer.alloc(92_832, '"');
    gate.backend.plan(id, 400);
    const answer = await gate.send(sign("github", "github", gate.secrets.GITHUB_SECRET, body, { id }));
    const letter = await whole(await letterOf(answer.requestId));
    assert.deepEqual(Buffer.from(JSON.parse(letter.message).data_base64, "base64"), body);
    assert.equal((await gate.admin(`/${letter.id}/redrive`, { method: "POST" })).status, 202);
    assert.deepEqual((await gate.backend.wait(id, 2))[1].body, body);
  });

  test("while the dead-letter queue or the archive fails, nothing is acknowledged that is not kept", async () => {
    const texts = [freshId(), freshId(), freshId()].map((id) => `not a message ${id}`);

    await gate.faults("DEAD_LETTERS.send=fail");
    assert.equal((await gate.consume([texts[0]])).explicitAcks.length, 1);
    assert.ok((await allWhole()).some(({ message: of }) => of === texts[0]), "kept in the archive directly");

    await gate.faults("DEAD_LETTERS.send=fail,ARCHIVE.put=fail");
    const result = await gate.consume([texts[1]]);
    assert.deepEqual([result.explicitAcks, result.retryMessages.length], [[], 1]);

    await gate.faults("ARCHIVE.put=fail");
    const buried = await gate.consume([texts[2]], { queue: "hookgate-dead-letters" });
    assert.deepEqual([buried.explicitAcks, buried.retryMessages.length], [[], 1]);
    await gate.line({ event: "alarm", what: "dead_letter_unkept" });
    await gate.faults("");
  });
});
