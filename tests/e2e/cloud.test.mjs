// Cloud providers in workerd: credentials, tokens, canonical requests, permissions, and KooGallery's calls.
import assert from "node:assert/strict";
import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { sources } from "./support/secrets.mjs";
import { freshId, sign, sortedJson } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const BODIES = {
  cloudevents: (id) => JSON.stringify({ of: id }),
  eventbridge: (id) => JSON.stringify({ id, "detail-type": "test.event", source: "e2e" }),
  "event-grid": (id) => JSON.stringify([{ id, topic: "t", eventType: "test.event", data: {} }]),
  apig: (id) => JSON.stringify({ id, source: "e2e", type: "test.event" }),
  netlify: (id) => JSON.stringify({ id, state: "ready", updated_at: "2025-10-09T08:53:20Z" }),
  "koogallery-kit": (id) => JSON.stringify({ instanceId: id, flag: 1, nothing: null }),
  "koogallery-v1-post": (id) => JSON.stringify({ activity: "refreshInstance", orderId: id, productId: "1" }),
};

/** Java's SHA1PRNG, seeded with the access key: its first bytes are the AES key. */
function sha1prng(seed, count) {
  const sha1 = (bytes) => createHash("sha1").update(bytes).digest();
  const signed = (byte) => (byte > 127 ? byte - 256 : byte);
  let state = sha1(seed);
  let stream = Buffer.alloc(0);
  while (stream.length < count) {
    const output = sha1(state);
    stream = Buffer.concat([stream, output]);
    let carry = 1;
    state = Buffer.from(state.map((byte, index) => {
      const sum = signed(byte) + signed(output[index]) + carry;
      carry = sum >> 8;
      return sum & 255;
    }));
  }
  return stream.subarray(0, count);
}

/** A field as KooGallery encrypts it. */
function encrypted(secret, bytes, text) {
  const iv = randomBytes(8).toString("hex");
  const cipher = createCipheriv(bytes === 32 ? "aes-256-cbc" : "aes-128-cbc", sha1prng(secret, bytes), iv);
  return iv + Buffer.concat([cipher.update(text), cipher.final()]).toString("base64");
}

const secretOf = (source) => gate.secrets[sources[source].secrets[0]];
const signed = (source, id, { secret = secretOf(source), ...options } = {}) =>
  sign(source, sources[source].scheme, secret, BODIES[source](id), { id, ...options });

describe("every family", () => {
  for (const source of Object.keys(BODIES)) {
    test(`${source}: accepted, then a duplicate, delivered without the credential; forged is refused`, async () => {
      const id = freshId();
      const first = signed(source, id);
      const accepted = await gate.send(first);
      assert.equal(accepted.status, 200, accepted.text);
      const line = await gate.verdict(accepted);
      assert.deepEqual([line.verdict, line.scheme, line.key_id], ["accepted", sources[source].scheme, sources[source].secrets[0]]);
      const again = await gate.verdict(await gate.send(signed(source, id, { at: Date.now() + 1_000 })));
      assert.deepEqual([again.verdict, again.dedup_key], ["duplicate", line.dedup_key]);
      const refused = await gate.verdict(await gate.send(signed(source, freshId(), { secret: randomBytes(32).toString("hex") })));
      assert.deepEqual([refused.verdict, refused.reason], ["refused", "signature_mismatch"]);
      const [{ body, headers }] = await gate.backend.wait(line.event_id);
      const text = body.toString();
      if (source === "koogallery-kit") assert.equal(text, sortedJson(first.body));
      else if (source === "koogallery-v1-post") assert.deepEqual(JSON.parse(text), JSON.parse(first.body));
      else assert.equal(text, first.body);
      const sent = JSON.stringify(headers);
      assert.ok(!sent.includes(secretOf(source)) && !sent.includes(Buffer.from(secretOf(source)).toString("base64")));
    });
  }

  test("apig: what is not signed as it came is refused, UNSIGNED-PAYLOAD among it", async () => {
    const good = signed("apig", freshId());
    const altered = { ...good, body: BODIES.apig(freshId()) };
    const changes = [altered, { ...good, target: `${good.target}?a=1` }, { ...altered, headers: [...good.headers, ["x-sdk-content-sha256", "UNSIGNED-PAYLOAD"]] }];
    for (const request of changes) assert.equal((await gate.verdict(await gate.send(request))).reason, "signature_mismatch");
    const unnamed = good.headers.map(([name, value]) => [name, value.replace("content-type;", "not a name!;")]);
    assert.equal((await gate.verdict(await gate.send({ ...good, headers: unnamed }))).reason, "missing_signed_part");
  });

  test("apig: a signed host is the one that was called", async () => {
    const right = await gate.send(signed("apig", freshId(), { host: gate.host }));
    assert.equal((await gate.verdict(right)).verdict, "accepted");
    const wrong = await gate.send(signed("apig", freshId(), { host: "another.example" }));
    assert.equal((await gate.verdict(wrong)).reason, "signature_mismatch");
  });

  test("netlify: a genuine token does not carry another body", async () => {
    const good = signed("netlify", freshId());
    assert.equal((await gate.verdict(await gate.send({ ...good, body: BODIES.netlify(freshId()) }))).reason, "signature_mismatch");
  });

  test("koogallery-kit: the interface stands behind the source's name, and nothing else may", async () => {
    const id = freshId();
    const good = signed("koogallery-kit", id);
    const accepted = await gate.send({ ...good, target: `${good.target}/produceAPI/v2/tenantSync` });
    assert.equal((await gate.verdict(accepted)).event_type, "tenantSync");
    assert.equal((await gate.send({ ...good, target: `${good.target}/produceAPI/v2/other` })).status, 404);
  });

  test("cloudevents: attributes are decoded, and what is not text is refused", async () => {
    const id = freshId();
    const event = signed("cloudevents", `${id}%20%E2%82%AC`);
    assert.equal((await gate.verdict(await gate.send(event))).event_id, `/e2e|${id} €`);
    const broken = { ...event, headers: [...event.headers, ["ce-subject", "%C0%A0"]] };
    const answer = await gate.send(broken);
    assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [400, "malformed_event"]);
  });
});

describe("permission to send", () => {
  const ask = (headers, source = "cloudevents") => gate.send({ method: "OPTIONS", target: `/hooks/${source}`, headers });

  test("an allowed origin is told so, exactly as the specification demands", async () => {
    for (const [rate, allowed] of [["120", "120"], [undefined, "*"]]) {
      const asked = [["webhook-request-origin", "eventgrid.azure.net"], ...(rate ? [["webhook-request-rate", rate]] : [])];
      const answer = await ask(asked);
      const { allow, "webhook-allowed-origin": origin, "webhook-allowed-rate": given } = answer.headers;
      assert.deepEqual([answer.status, answer.text, allow, origin, given], [200, "", "POST", "eventgrid.azure.net", allowed]);
      assert.equal((await gate.verdict(answer)).verdict, "permitted");
    }
  });

  test("nobody else is", async () => {
    for (const headers of [
      [],
      [["webhook-request-origin", "evil.example"]],
      [["webhook-request-origin", "EVENTGRID.azure.net"]],
      [["webhook-request-origin", "x.eventgrid.azure.net"]],
      [["webhook-request-origin", "sender.example, evil.example"]],
      [["webhook-request-origin", "sender.example"], ["webhook-request-rate", "many"]],
      [["webhook-request-origin", "sender.example"], ["webhook-request-rate", "0"]],
    ]) {
      const answer = await ask(headers);
      assert.deepEqual([answer.status, answer.headers["webhook-allowed-origin"]], [405, undefined], JSON.stringify(headers));
    }
    assert.equal((await ask([["webhook-request-origin", "sender.example"]], "custom")).status, 405);
  });
});

describe("koogallery is a call", () => {
  const call = (body, options) => gate.send(sign("koogallery", "koogallery-v2", gate.secrets.KOOGALLERY_SECRET, JSON.stringify(body), options));

  test("twenty twins of one order are told one instance, which is the delivery's webhook-id", async () => {
    const order = freshId();
    const twins = Array.from({ length: 20 }, (_, index) =>
      call({ activity: "newInstance", orderId: order, orderLineId: "1", businessId: `b-${index}` }));
    const answers = await Promise.all(twins);
    for (const { status, json, text, headers } of answers) {
      assert.deepEqual([status, json.resultCode], [200, "000000"], text);
      const mac = createHmac("sha256", gate.secrets.KOOGALLERY_SECRET).update(text).digest("base64");
      assert.equal(headers["body-sign"], `sign_type="HMAC-SHA256", signature= "${mac}"`);
    }
    const instances = new Set(answers.map(({ json }) => json.instanceId));
    assert.equal(instances.size, 1);
    const deliveries = await gate.backend.wait(`newInstance|${order}|1`);
    assert.equal(deliveries[0].headers["webhook-id"], [...instances][0]);
    const other = await call({ activity: "newInstance", orderId: order, orderLineId: "2" });
    assert.ok(!instances.has(other.json.instanceId));
  });

  test("a query is answered and brings no event; a status is an event each time", async () => {
    const asked = await call({ activity: "queryInstance", instanceId: "i" });
    assert.deepEqual([asked.status, asked.json.resultCode, asked.json.instanceId], [200, "000004", undefined]);
    assert.equal((await gate.verdict(asked)).verdict, "challenged");
    for (let turn = 0; turn < 2; turn += 1) {
      const frozen = await call({ activity: "updateInstanceStatus", instanceId: "i", status: "FREEZE" });
      const line = await gate.verdict(frozen);
      assert.deepEqual([frozen.json.resultCode, line.verdict], ["000000", "accepted"]);
      await gate.backend.wait(line.event_id);
    }
    // By now the query would have come, if it were an event.
    assert.ok(gate.backend.deliveries.every(({ headers }) => headers["hookgate-event-type"] !== "queryInstance"));
  });

  test("V1's personal data reaches the backend in plain text, and what cannot be opened as it came", async () => {
    const secret = gate.secrets.KOOGALLERY_V1_POST_SECRET;
    for (const [encryptType, bytes] of [["1", 32], ["2", 16]]) {
      const orderId = freshId();
      const fields = { activity: "newInstance", orderId, productId: "1", encryptType, mobilePhone: encrypted(secret, bytes, "15905222222"), email: "A1b2C3d4E5f6G7h8caH2rSDA0mX82/mB/PWahg==" };
      const answer = await gate.send(sign("koogallery-v1-post", "koogallery-v1-post", secret, JSON.stringify(fields)));
      assert.equal(answer.json.resultCode, "000000");
      const [{ body }] = await gate.backend.wait(`newInstance|${orderId}|1`);
      const { mobilePhone, email, orderId: order } = JSON.parse(body.toString());
      assert.deepEqual([mobilePhone, email, order], ["15905222222", fields.email, orderId]);
    }
  });

  test("what was signed with a secret that is gone goes on as it came, and the log says so", async () => {
    const secret = gate.secrets.KOOGALLERY_V1_POST_SECRET;
    const orderId = freshId();
    const mobilePhone = encrypted(secret, 32, "15905222222");
    const fields = { activity: "newInstance", orderId, productId: "1", encryptType: "1", mobilePhone };
    const id = `newInstance|${orderId}|1`;
    gate.backend.plan(id, 400);
    const answer = await gate.send(sign("koogallery-v1-post", "koogallery-v1-post", secret, JSON.stringify(fields)));
    const isIts = ({ request_id: requestId }) => requestId === answer.requestId;
    const letter = await until(async () => (await gate.letters()).find(isIts), "its letter");
    const { message } = (await gate.admin(`/${letter.id}`)).json;
    // As it would come back after a rotation.
    const requestid = `req_${freshId()}`;
    await gate.consume([JSON.stringify({ ...JSON.parse(message), keyid: "KOOGALLERY_V1_POST_SECRET_OLD", run: 1, requestid })]);
    const deliveries = await gate.backend.wait(id, 2);
    assert.equal(JSON.parse(deliveries[1].body.toString()).mobilePhone, mobilePhone);
    await gate.line({ event: "alarm", what: "field_closed", request_id: requestid });
  });

  test("V1 is told where the product is found", async () => {
    const body = JSON.stringify({ activity: "newInstance", orderId: freshId(), productId: "1" });
    const answer = await gate.send(sign("koogallery-v1-post", "koogallery-v1-post", gate.secrets.KOOGALLERY_V1_POST_SECRET, body));
    assert.equal(answer.json.appInfo.frontEndUrl, "https://app.example/");
    assert.match(answer.json.instanceId, /^hg_[0-9a-f]{40}$/);
  });
});
