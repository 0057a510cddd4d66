// Handshakes in workerd: each answered byte for byte, recorded, and nothing of it held; and each with its wrong request.
import assert from "node:assert/strict";
import { createHash, createHmac, createPrivateKey, sign as signBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshId, sign } from "./support/sign.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const JSON_TYPE = ["content-type", "application/json"];
const NOSNIFF = { "x-content-type-options": "nosniff", "cache-control": "no-store", "content-security-policy": "default-src 'none'; sandbox" };
const secretOf = (name) => gate.secrets[`${name.toUpperCase()}_SECRET`];
const hmac = (name, text, encoding) => createHmac("sha256", secretOf(name)).update(text).digest(encoding);
const get = (target, headers = [], method = "GET") => gate.send({ method, target: `/hooks/${target}`, headers });
const post = (target, body, headers = []) => gate.send({ method: "POST", target: `/hooks/${target}`, headers: [JSON_TYPE, ...headers], body });

/** Status, content type and body, exactly; the headers that keep a browser from running it; and its line. */
async function answered(answer, status, type, text) {
  assert.deepEqual([answer.status, answer.headers["content-type"], answer.text], [status, type, text]);
  for (const [name, value] of Object.entries(NOSNIFF)) assert.equal(answer.headers[name], value, name);
  const line = await gate.verdict(answer);
  assert.deepEqual([line.verdict, line.reason, line.held_at, line.event_id], ["challenged", undefined, undefined, undefined]);
  return line;
}

async function refused(answer, status, reason) {
  const line = await gate.verdict(answer);
  assert.deepEqual([answer.status, line.verdict, line.reason], [status, "refused", reason], answer.text);
  return line;
}

describe("an echo", () => {
  test("slack: verified like any request", async () => {
    const body = JSON.stringify({ type: "url_verification", challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd" });
    const good = sign("slack", "slack", secretOf("slack"), body);
    await answered(await gate.send(good), 200, "text/plain; charset=utf-8", "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd");
    await refused(await post("slack", body), 401, "missing_signature");
  });

  test("dropbox: a GET, and nothing that could be a header or longer than a word", async () => {
    await answered(await get("dropbox?challenge=%3Cb%3Eabc%20123"), 200, "text/plain; charset=utf-8", "<b>abc 123");
    for (const text of ["a%0D%0Aset-cookie:%20a", "%C3%A9", "a".repeat(513)]) await refused(await get(`dropbox?challenge=${text}`), 403, "handshake_refused");
    for (const query of ["", "?challenge=", "?challenge=a&challenge=b", "?challenge=%"]) await refused(await get(`dropbox${query}`), 405, "method_not_allowed");
  });

  test("okta: its header in a member", async () => {
    await answered(await get("okta", [["x-okta-verification-challenge", 'a"b']]), 200, "application/json", '{"verification":"a\\"b"}');
    await refused(await get("okta"), 405, "method_not_allowed");
  });

  test("meta: only for who knows the token, and the app secret is not it", async () => {
    const ask = (token, mode = "subscribe") => get(`meta?hub.mode=${mode}&hub.challenge=1158201444&hub.verify_token=${token}`);
    const token = gate.secrets.META_VERIFY_TOKEN;
    await answered(await ask(token), 200, "text/plain; charset=utf-8", "1158201444");
    for (const wrong of ["", "wrong", token.slice(1), `${token}a`, secretOf("meta"), `${token}&hub.verify_token=${token}`]) {
      const answer = await ask(wrong);
      await refused(answer, 403, "handshake_refused");
      assert.equal(answer.text, "");
    }
    await refused(await ask(token, "unsubscribe"), 405, "method_not_allowed");
  });
});

describe("an echo of what nobody signs", () => {
  test("graph: the text of the query, and notifications only with their state", async () => {
    const text = "Validation: Testing client application<b>";
    await answered(await post(`graph?validationToken=${encodeURIComponent(text)}`, ""), 200, "text/plain; charset=utf-8", text);
    await refused(await post(`graph?validationToken=${"a".repeat(513)}`, ""), 403, "handshake_refused");
    await refused(await post("graph?validationToken=", ""), 401, "missing_signature");
    const notice = (clientState) => JSON.stringify({ value: [{ id: freshId(), subscriptionId: "s", clientState, changeType: "created" }] });
    assert.equal((await gate.verdict(await post("graph", notice(secretOf("graph"))))).verdict, "accepted");
    await refused(await post("graph", notice(`${secretOf("graph")}a`)), 401, "signature_mismatch");
    const marked = await post("graph?validationToken=abc", notice(secretOf("graph")));
    assert.equal((await gate.verdict(marked)).verdict, "accepted", "a URL makes no handshake of an event");
    await refused(await post("graph?validationToken=abc", notice("another")), 401, "signature_mismatch");
  });

  test("monday: with and without a token, and no event goes by in its guise", async () => {
    const challenge = '{"challenge":"3eZbrw1aBm2rZgRNFdxV"}';
    await answered(await post("monday-shaken", challenge), 200, "application/json", challenge);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(Date.now() / 1000);
    const token = (secret) => {
      const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ aud: "https://hook.example.com/hooks/monday-shaken", iat: seconds, exp: seconds + 300 })}`;
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    };
    const good = token(gate.secrets.MONDAY_SHAKEN_SECRET);
    await answered(await post("monday-shaken", challenge, [["authorization", good]]), 200, "application/json", challenge);
    await refused(await post("monday-shaken", challenge, [["authorization", token("another")]]), 401, "signature_mismatch");
    await refused(await post("monday-shaken", '{"challenge":"a","event":{"type":"x"}}'), 401, "missing_signature");
  });

  test("trello: a HEAD, which says nothing", async () => {
    const answer = await get("trello", [], "HEAD");
    assert.deepEqual([answer.status, answer.text], [200, ""]);
    assert.equal((await gate.verdict(answer)).verdict, "challenged");
    await refused(await get("trello"), 405, "method_not_allowed");
    const body = JSON.stringify({ action: { id: freshId(), type: "updateCard" } });
    const mac = (url) => createHmac("sha1", secretOf("trello")).update(body + url).digest("base64");
    const send = (url) => post("trello", body, [["x-trello-webhook", mac(url)]]);
    assert.equal((await gate.verdict(await send("https://hook.example.com/hooks/trello"))).verdict, "accepted");
    await refused(await send("https://hook.example.com/hooks/trello/"), 401, "signature_mismatch");
  });
});

test("discord: a ping is verified, and answered as each endpoint must", async () => {
  const seed = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 7)]);
  const key = createPrivateKey({ key: seed, format: "der", type: "pkcs8" });
  const send = (source, body, by = (bytes) => signBytes(null, bytes, key)) => {
    const seconds = String(Math.floor(Date.now() / 1000));
    return post(source, body, [["x-signature-timestamp", seconds], ["x-signature-ed25519", by(Buffer.from(seconds + body)).toString("hex")]]);
  };
  const ping = '{"id":"1","type":1,"version":1}';
  await answered(await send("discord-shaken", ping), 200, "application/json", '{"type":1}');
  await refused(await send("discord-shaken", ping, () => Buffer.alloc(64, 1)), 401, "signature_mismatch");
  const event = '{"version":1,"application_id":"1","type":0}';
  await answered(await send("discord-events-shaken", event), 204, "application/json", "");
  await refused(await send("discord-events-shaken", event, () => Buffer.alloc(64, 1)), 401, "signature_mismatch");
});

describe("a MAC of a token", () => {
  test("zoom: verified like an event", async () => {
    const ask = (plainToken, secret = secretOf("zoom")) => {
      const body = JSON.stringify({ payload: { plainToken }, event_ts: 1, event: "endpoint.url_validation" });
      const seconds = String(Math.floor(Date.now() / 1000));
      const mac = createHmac("sha256", secret).update(`v0:${seconds}:${body}`).digest("hex");
      return post("zoom", body, [["x-zm-request-timestamp", seconds], ["x-zm-signature", `v0=${mac}`]]);
    };
    const token = "qgg8vlvZRS6UYooatFL8Aw";
    await answered(await ask(token), 200, "application/json", `{"plainToken":"${token}","encryptedToken":"${hmac("zoom", token, "hex")}"}`);
    await refused(await ask(token, "another"), 401, "signature_mismatch");
    // What could be the text of an event is no token: it is an event.
    assert.equal((await gate.verdict(await ask("v0:1750000000:{}"))).verdict, "accepted");
  });

  test("x: a token, and never what an event could be made of", async () => {
    const token = "9b4507b3-9040-4669-9ca3-6b94edb50553";
    await answered(await get(`x?crc_token=${token}`), 200, "application/json", `{"response_token":"sha256=${hmac("x", token, "base64")}"}`);
    const event = '{"for_user_id":"1","tweet_create_events":[]}';
    for (const text of [event, "[]", '"a"', "a b", "1&2", "é", "a".repeat(129)]) {
      await refused(await get(`x?crc_token=${encodeURIComponent(text)}`), 403, "handshake_refused");
    }
    // What the gate signed is no event, although the signature is right.
    const forged = await post("x", token, [["x-twitter-webhooks-signature", `sha256=${hmac("x", token, "base64")}`]]);
    await refused(forged, 400, "malformed_signed_part");
    const genuine = await post("x", event, [["x-twitter-webhooks-signature", `sha256=${hmac("x", event, "base64")}`]]);
    assert.equal((await gate.verdict(genuine)).verdict, "accepted");
  });
});

test("xero: right ones 200, wrong ones 401, never with a body, and no event", async () => {
  const send = (body, secret = secretOf("xero")) => post("xero", body, [["x-xero-signature", createHmac("sha256", secret).update(body).digest("base64")]]);
  const intent = '{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "S0m3r4Nd0mt3xt"}';
  await answered(await send(intent), 200, undefined, "");
  const wrong = await send(intent, "another");
  await refused(wrong, 401, "signature_mismatch");
  assert.deepEqual([wrong.text, wrong.headers["content-type"], wrong.headers["set-cookie"]], ["", undefined, undefined]);
  const event = `{"events":[{"eventCategory":"CONTACT","eventType":"UPDATE","eventDateUtc":"2025-10-09T08:53:20"}],"firstEventSequence":1,"lastEventSequence":1,"entropy":"${freshId()}"}`;
  const accepted = await send(event);
  assert.deepEqual([accepted.status, accepted.text, (await gate.verdict(accepted)).event_type], [200, "", "CONTACT.UPDATE"]);
});

describe("a secret that a provider hands over", () => {
  const OPEN = Date.parse("2026-01-31T09:10:00Z");
  const at = (now) => [["x-test-now", String(now)]];
  const fingerprint = (secret) => createHash("sha256").update(secret).digest("hex").slice(0, 32);

  test("asana: its header comes back while the window is open, and nowhere else is it seen", async () => {
    const secret = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
    const offer = (now, more = []) => gate.send({ method: "POST", target: "/hooks/asana", headers: [["x-hook-secret", secret], ...at(now), ...more] });
    const answer = await offer(OPEN);
    const line = await answered(answer, 200, undefined, "");
    assert.equal(answer.headers["x-hook-secret"], secret);
    assert.equal(line.offered_sha256, fingerprint(secret));
    for (const now of [Date.parse("2026-01-31T09:15:00Z"), Date.parse("2026-01-31T08:59:00Z"), Date.now()]) {
      const closed = await offer(now);
      await refused(closed, 403, "handshake_closed");
      assert.equal(closed.headers["x-hook-secret"], undefined);
    }
    // With a signature it is an event, and it is not the secret of the source that was handed over.
    const mac = createHmac("sha256", secret).update("").digest("hex");
    await refused(await offer(OPEN, [["x-hook-signature", mac]]), 401, "signature_mismatch");
    assert.ok(!JSON.stringify(gate.logs).includes(secret));
  });

  test("notion: one in a window, read by the operator, once, and never verified with", async () => {
    const body = (token) => JSON.stringify({ verification_token: token });
    const offer = (token, now = OPEN) => post("notion", body(token), at(now));
    const [first, second] = [`secret_${freshId()}`, `secret_${freshId()}`];
    const take = (options) => gate.adminAt("/admin/v1/offers/notion", { method: "POST", ...options });
    assert.equal((await take()).status, 404);
    await refused(await offer(first, Date.now()), 403, "handshake_closed");
    const line = await answered(await offer(first), 200, undefined, "");
    assert.equal(line.offered_sha256, fingerprint(first));
    const taken = await refused(await offer(second), 403, "handshake_taken");
    assert.equal(taken.offered_sha256, fingerprint(second));
    const mac = createHmac("sha256", first).update(body("x")).digest("hex");
    await refused(await post("notion", body("x"), [["x-notion-signature", `sha256=${mac}`], ...at(OPEN)]), 401, "signature_mismatch");
    assert.equal((await take({ token: "0".repeat(64) })).status, 401);
    assert.equal((await gate.adminAt("/admin/v1/offers/notion")).status, 404);
    const kept = await gate.objects("offer/");
    assert.equal(kept.length, 1);
    assert.ok(!kept[0].includes(first), "it lies there in clear");
    const read = await take();
    assert.deepEqual([read.status, read.json, read.headers["cache-control"]], [200, { source: "notion", secret: first }, "no-store"]);
    assert.equal((await take()).status, 404);
    // The button can be pressed once more.
    await answered(await offer(second), 200, undefined, "");
    assert.equal((await take()).json.secret, second);
    const logs = JSON.stringify(gate.logs);
    assert.ok(!logs.includes(first) && !logs.includes(second));
    for (const strange of ['{"verification_token":["a"]}', '{"verification_token":""}', '{"verification_token":"a","type":"page.created"}', "verification_token=a", ""]) {
      await refused(await post("notion", strange, at(OPEN)), 401, "missing_signature");
    }
  });

  test("notion: before there is a secret, and not when nobody could read it", async () => {
    const offer = (gate) => gate.send({ method: "POST", target: "/hooks/notion", headers: [JSON_TYPE, ...at(OPEN)], body: '{"verification_token":"secret_a"}' });
    const young = await startGate({ without: ["NOTION_SECRET"] });
    try {
      assert.equal((await offer(young)).status, 200);
      const event = await young.send({ method: "POST", target: "/hooks/notion", headers: [JSON_TYPE, ["x-notion-signature", `sha256=${"0".repeat(64)}`]], body: "{}" });
      assert.deepEqual([event.status, (await young.verdict(event)).reason], [503, "secret_missing"]);
    } finally {
      await young.stop();
    }
    const closed = await startGate({ without: ["ADMINS"] });
    try {
      const answer = await offer(closed);
      assert.deepEqual([answer.status, (await closed.verdict(answer)).reason], [503, "offer_unkept"]);
    } finally {
      await closed.stop();
    }
  });
});

test("dropbox: equal notifications are one in a burst and two after it, and the delivery waits for its end", async () => {
  const body = `{"list_folder":{"accounts":["dbid:${freshId()}"]}}`;
  const send = (now) => post("dropbox", body, [["x-dropbox-signature", hmac("dropbox", body, "hex")], ["x-test-now", String(now)]]);
  // By the consumer's clock the second burst is to end in a few seconds.
  const window = Math.floor(Date.now() / 10_000) * 10_000;
  const verdicts = [];
  for (const now of [window - 9_000, window - 4_000, window + 1_000, window + 6_000]) verdicts.push(await gate.verdict(await send(now)));
  assert.deepEqual(verdicts.map(({ verdict }) => verdict), ["accepted", "duplicate", "accepted", "duplicate"]);
  assert.equal(verdicts[0].identity, "ping");
  const deliveries = await Promise.all([0, 2].map((index) => gate.backend.wait(verdicts[index].event_id)));
  assert.ok(Date.now() >= window + 10_000, "it was delivered before its burst was over");
  for (const [{ body: delivered }] of deliveries) assert.equal(delivered.toString(), body);
});

describe("the methods of handshakes", () => {
  const SOURCES = ["github", "stripe", "slack", "zoom", "dropbox", "okta", "meta", "x", "asana", "notion", "xero", "trello", "graph", "monday-shaken", "custom"];
  const ASKING = "?challenge=a&crc_token=a&hub.mode=subscribe&hub.challenge=a&validationToken=a";

  test("reach only those that have such a handshake", async () => {
    for (const source of SOURCES) {
      const gets = ["dropbox", "meta", "x"].includes(source);
      const answer = await get(`${source}${ASKING}`);
      assert.equal(answer.status === 405, !gets, source);
      const allowed = { okta: "POST, GET", trello: "POST, HEAD" }[source] ?? "POST";
      if (!gets) assert.equal(answer.headers.allow, allowed, source);
      for (const method of ["HEAD", "OPTIONS", "PUT", "DELETE"]) {
        const heads = source === "trello" && method === "HEAD";
        assert.equal((await get(`${source}${ASKING}`, [], method)).status, heads ? 200 : 405, `${source} ${method}`);
      }
    }
  });

  test("a stranger's body is read no further than a handshake is long", async () => {
    const long = JSON.stringify({ verification_token: "a", more: "a".repeat(5_000) });
    await refused(await post("notion", long), 401, "missing_signature");
    await refused(await gate.send({ method: "POST", target: "/hooks/notion", headers: [JSON_TYPE], chunks: [long] }), 401, "missing_signature");
  });
});
