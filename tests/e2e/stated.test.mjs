// Senders that state what they sign, in workerd, where WebCrypto checks the public keys. Their vectors: vectors.test.mjs.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { startOutside } from "./support/outside.mjs";
import { sources } from "./support/secrets.mjs";
import { freshId } from "./support/sign.mjs";
import { document, readVector } from "./support/vectors.mjs";

const secretOf = (scheme) => `${scheme.toUpperCase().replaceAll("-", "_")}_SECRET`;
const outside = startOutside();
let gate;
before(async () => (gate = await startGate({ outside })));
after(() => gate.stop());

const send = (source, target, headers, body, nowMs) => {
  const clock = nowMs === undefined ? [] : [["x-test-now", String(nowMs)]];
  return gate.send({ target: `/hooks/${source}${target}`, headers: [...headers, ...clock], body });
};

test("the backend is given what was signed, and nothing of what was not", async () => {
  const reference = freshId();
  const key = Buffer.from(gate.secrets[secretOf("adyen-classic")], "hex");
  const item = { pspReference: reference, merchantAccountCode: "Shop", merchantReference: "a:b", amount: { value: 1130, currency: "EUR" }, eventCode: "AUTHORISATION", success: "true" };
  const text = `${reference}::Shop:a:b:1130:EUR:AUTHORISATION:true`;
  const notification = (more) => JSON.stringify({ live: "true", notificationItems: [{ NotificationRequestItem: { ...item, ...more, additionalData: { hmacSignature: createHmac("sha256", key).update(text).digest("base64") } } }] });
  const answer = await send("adyen-classic", "", [["content-type", "application/json"]], notification({ reason: "unsigned" }));
  assert.deepEqual([answer.status, answer.text], [200, "[accepted]"]);
  const [delivery] = await gate.backend.wait(reference);
  assert.deepEqual(JSON.parse(delivery.body), { notificationItems: [{ NotificationRequestItem: { ...item, amount: { value: "1130", currency: "EUR" } } }] });
  const again = await send("adyen-classic", "", [["content-type", "application/json"]], notification({ reason: "another" }));
  assert.equal((await gate.verdict(again)).verdict, "duplicate");

  const sid = freshId();
  const url = sources.twilio.pins.url;
  const signature = createHmac("sha1", gate.secrets[secretOf("twilio")]).update(`${url}MessageSid${sid}To+1`).digest("base64");
  const form = [["content-type", "application/x-www-form-urlencoded"], ["x-twilio-signature", signature]];
  assert.equal((await send("twilio", "", form, `To=%2B1&MessageSid=${sid}`)).status, 204);
  const [callback] = await gate.backend.wait(sid);
  assert.equal(callback.body.toString(), `MessageSid=${sid}&To=%2B1`);
  // The same characters, cut in another place: the same event.
  const moved = await send("twilio", "", form, `MessageSid=${sid}T&o=%2B1`);
  assert.equal((await gate.verdict(moved)).verdict, "duplicate");
});

test("a message with the CRC-32 of another is that other one", async () => {
  const [first, forged] = ["pair-first.vector", "forged-with-the-same-crc.vector"].map((name) => readVector("paypal", name));
  assert.notDeepEqual(first.body, forged.body);
  for (const [url, file] of first.documents) outside.put(url, document(file));
  for (const { headers, body, now_ms } of [first, forged]) {
    const answer = await send("paypal", "", headers, body, now_ms);
    assert.ok(["accepted", "duplicate"].includes((await gate.verdict(answer)).verdict));
  }
  const last = await send("paypal", "", forged.headers, forged.body, forged.now_ms);
  assert.equal((await gate.verdict(last)).verdict, "duplicate");
});

test("headers that a request names are looked up, and signed", async () => {
  const body = JSON.stringify({ sys: { id: freshId() } });
  const sent = (topic, { signedTopic = topic, target = "", signedTarget = target } = {}) => {
    const now = Date.now();
    const names = "content-type,x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic";
    const line = `content-type:application/json;x-contentful-signed-headers:${names};x-contentful-timestamp:${now};x-contentful-topic:${signedTopic}`;
    const encoded = signedTarget && `?${encodeURI(encodeURIComponent(signedTarget.slice(1)))}`;
    const text = ["POST", `/hooks/contentful${encoded}`, line, body].join("\n");
    const signature = createHmac("sha256", gate.secrets[secretOf("contentful")]).update(text).digest("hex");
    const headers = [["content-type", "application/json"], ["x-contentful-signed-headers", names], ["x-contentful-timestamp", String(now)], ["x-contentful-topic", topic], ["x-contentful-signature", signature]];
    return send("contentful", target, headers, body);
  };
  const verdictOf = async (answer) => {
    const { verdict, reason } = await gate.verdict(answer);
    return reason ?? verdict;
  };
  assert.equal(await verdictOf(await sent("Entry.publish")), "accepted");
  assert.equal(await verdictOf(await sent("Entry.publish")), "duplicate");
  assert.equal(await verdictOf(await sent("Entry.unpublish")), "accepted", "another topic is another event");
  assert.equal(await verdictOf(await sent("Entry.publish", { signedTopic: "Entry.unpublish" })), "signature_mismatch");
  assert.equal(await verdictOf(await sent("Entry.publish", { target: "?a=1&b=%20" })), "accepted");
  assert.equal(await verdictOf(await sent("Entry.publish", { target: "?a=1", signedTarget: "?a=2" })), "signature_mismatch");
});

test("a token is for one method, one path and one query", async () => {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const sent = (target, canonical, claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const qsh = createHash("sha256").update(canonical).digest("hex");
    const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ iss: "jira:1314039", iat: now, exp: now + 180, qsh, ...claims })}`;
    const signature = createHmac("sha256", gate.secrets[secretOf("atlassian-connect")]).update(signed).digest("base64url");
    return send("atlassian-connect", target, [["content-type", "application/json"], ["authorization", `JWT ${signed}.${signature}`]], JSON.stringify({ webhookEvent: "jira:issue_created", id: freshId() }));
  };
  for (const [target, canonical, claims, ended] of [
    ["", "POST&/hooks/atlassian-connect&", {}, "accepted"],
    ["?b=2&a=1&a=0", "POST&/hooks/atlassian-connect&a=0,1&b=2", {}, "accepted"],
    ["?b=2", "POST&/hooks/atlassian-connect&", {}, "token_not_allowed"],
    ["", "POST&/hooks/another&", {}, "token_not_allowed"],
    ["", "POST&/hooks/atlassian-connect&", { iss: "jira:2" }, "pin_mismatch"],
    ["", "POST&/hooks/atlassian-connect&", { exp: undefined }, "token_not_allowed"],
  ]) {
    const { verdict, reason } = await gate.verdict(await sent(target, canonical, claims));
    assert.equal(reason ?? verdict, ended, `${target} ${canonical} ${JSON.stringify(claims)}`);
  }
});
