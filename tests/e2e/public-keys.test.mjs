// Signatures that a public key checks: the providers' published messages, and messages signed here as they sign.
import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { OAuth2Client } from "google-auth-library";
import { Response } from "miniflare";
import SnsValidator from "sns-validator";
import { certificate, keySet, rsaPair } from "./support/certificates.mjs";
import { ROOT, startGate } from "./support/gate.mjs";
import { startOutside } from "./support/outside.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { freshId } from "./support/sign.mjs";

const VECTORS = JSON.parse(readFileSync(join(ROOT, "tests", "vectors", "cloud.json"), "utf8"));
const ecdsa = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PUBLISHED_TOKEN = "tok-123";
const outside = startOutside();

let gate;
before(async () => {
  const secrets = freshSecrets();
  secrets.EVENTBRIDGE_TOKEN = PUBLISHED_TOKEN;
  secrets.ECDSA_PUBLIC_KEY = ecdsa.publicKey.export({ type: "spki", format: "pem" });
  gate = await startGate({ secrets, outside });
});
after(() => gate.stop());

const post = (target, body, headers = []) => gate.send({ target, headers, body });

// ---- vectors -------------------------------------------------------------------------------------

const SOURCES = {
  "sns-v1": "sns-published-1",
  "sns-v2": "sns-published-2",
  "eventbridge-v2-rsa-sha256": "alibaba-eventbridge",
  "entra-jwt": "azure-event-grid-entra",
  "google-oidc-jwt": "google-pubsub",
  "standard-webhooks-v1a-ed25519": "standard-webhooks-v1a",
};
const JWKS = {
  "entra-jwt": "https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/discovery/v2.0/keys",
  "google-oidc-jwt": "https://www.googleapis.com/oauth2/v3/certs",
};

const memberOf = (body, ...names) => {
  const values = JSON.parse(body);
  return names.map((name) => values[name]).find((value) => value !== undefined);
};

test("every vector comes out in workerd as it does natively", async () => {
  let counted = 0;
  for (const vector of VECTORS) {
    const isSmn = vector.scheme === "smn-rsa-cert";
    const source = isSmn ? (vector.published ? "smn-published" : "smn") : SOURCES[vector.scheme];
    // Its certificate was made for a test, so it does not bear Amazon's name: see the test below.
    const isForeign = vector.scheme === "sns-v2" && vector.body_utf8.includes("MyTopic");
    if (source === undefined || isForeign) continue;
    counted += 1;
    const certUrl = vector.headers["x-eventbridge-signature-url"] ?? (vector.body_utf8.includes("ert") ? memberOf(vector.body_utf8, "SigningCertURL", "signing_cert_url") : undefined);
    // Of Huawei's certificate only the key is known; a certificate is made around it.
    const pem = vector.cert_pem ?? (vector.public_key_pem && certificate(vector.public_key_pem, "smn", { from: new Date(0), to: new Date("2049-01-01") }));
    if (pem) outside.put(certUrl, pem);
    if (vector.jwks) outside.put(JWKS[vector.scheme], JSON.stringify(vector.jwks));
    const nowMs = vector.now_unix_ms ?? (vector.now_unix ?? vector.timestamp_unix) * 1_000;
    const confirms = vector.event_type === "SubscriptionConfirmation";
    if (confirms) outside.put(memberOf(vector.body_utf8, "subscribe_url"), "confirmed");
    const query = new URL(vector.url).search;
    const answer = await gate.send({
      method: vector.method,
      target: `/hooks/${source}${query}`,
      headers: [...Object.entries(vector.headers), ["x-test-now", String(nowMs)]],
      body: vector.body_utf8,
    });
    const verdict = await gate.verdict(answer);
    const title = `${vector.scheme} ${vector.reason ?? vector.event_id}: ${JSON.stringify(verdict)}`;
    if (vector.expect === "accept") {
      assert.equal(answer.status, 200, title);
      assert.equal(verdict.verdict, confirms ? "challenged" : "accepted", title);
      if (!confirms) assert.equal(verdict.event_id, vector.event_id, title);
    } else {
      assert.equal(answer.status, 401, title);
      assert.equal(verdict.verdict, "refused", title);
    }
  }
  assert.equal(counted, 24);
});

// ---- Amazon SNS, signed here ---------------------------------------------------------------------

const amazon = rsaPair();
const TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders";
const CERT = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
outside.put(CERT, certificate(amazon.publicKey, "sns.amazonaws.com"));

/** As SNS signs: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
function snsMessage(members, { key = amazon.privateKey, version = "2" } = {}) {
  const message = {
    Type: "Notification",
    MessageId: freshId(),
    TopicArn: TOPIC,
    Message: "hello",
    Timestamp: new Date().toISOString(),
    SignatureVersion: version,
    SigningCertURL: CERT,
    ...members,
  };
  const names = message.Type === "Notification" ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const present = names.filter((name) => message[name] !== undefined);
  const text = present.map((name) => `${name}\n${message[name]}\n`).join("");
  message.Signature = sign(version === "1" ? "sha1" : "sha256", Buffer.from(text), key).toString("base64");
  return message;
}

const sns = (message, source = "sns") => post(`/hooks/${source}`, JSON.stringify(message), [["content-type", "text/plain; charset=UTF-8"]]);

test("a notification of either version comes through with what is signed, once", async () => {
  for (const version of ["1", "2"]) {
    const message = { ...snsMessage({ Subject: "an order", Message: "line\nline\nMessageId\nforged" }, { version }), MessageAttributes: { unsigned: { Type: "String", Value: "x" } } };
    const answer = await sns(message);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.status, "accepted");
    const verdict = await gate.verdict(answer);
    assert.deepEqual([verdict.key_id, verdict.identity, verdict.event_type], ["SimpleNotificationService-0123456789abcdef.pem", "signed-id", "Notification"]);
    const [delivery] = await gate.backend.wait(message.MessageId);
    const { MessageAttributes: _, ...signed } = message;
    assert.deepEqual(JSON.parse(delivery.body), signed, "what is signed, with its proof, and nothing else");
    assert.equal((await sns(message)).json.status, "duplicate");
  }
  assert.equal(outside.of(CERT), 1, "the certificate is fetched once");
});

test("what was changed, moved or is another's is refused without a fetch", async () => {
  const before = outside.visits.length;
  const message = snsMessage({ Subject: "an order" });
  const { Subject, ...without } = message;
  const elsewhere = (url) => ({ ...message, SigningCertURL: url });
  for (const [wrong, reason, status] of [
    [{ ...message, Message: "another" }, "signature_mismatch", 401],
    [{ ...message, MessageId: "another" }, "signature_mismatch", 401],
    // Under the same signature, the id and the subject read as one id.
    [{ ...without, MessageId: `${message.MessageId}\nSubject\n${Subject}` }, "malformed_signed_part", 400],
    [snsMessage({ TopicArn: "arn:aws:sns:eu-west-1:123456789012:others" }), "pin_mismatch", 401],
    [snsMessage({ TopicArn: `${TOPIC} ` }), "pin_mismatch", 401],
    [elsewhere("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [elsewhere("https://sns.s3.amazonaws.com/SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [elsewhere("https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [elsewhere("https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [elsewhere("https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [elsewhere("http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [elsewhere("https://sns.eu-west-1.amazonaws.com/?Action=x&y=SimpleNotificationService-a.pem"), "url_not_allowed", 401],
    [{ ...message, SignatureVersion: "3" }, "malformed_signature", 400],
    [{ ...message, Signature: undefined }, "missing_signature", 401],
    [{ ...message, Type: "Other" }, "malformed_signed_part", 400],
    [snsMessage({ Timestamp: new Date(Date.now() - 86_500_000).toISOString() }), "stale", 401],
    [{ ...message, Timestamp: "yesterday" }, "malformed_time", 400],
  ]) {
    const answer = await sns(wrong);
    const verdict = await gate.verdict(answer);
    assert.deepEqual([verdict.reason, answer.status], [reason, status], JSON.stringify(wrong));
  }
  const doubled = JSON.stringify(message).replace("{", `{"MessageId":"first",`);
  const answer = await post("/hooks/sns", doubled);
  assert.deepEqual([(await gate.verdict(answer)).evidence, answer.status], ["repeated_name", 400]);
  assert.equal(outside.visits.length, before);
});

test("sns-validator takes what SNS sent here, and what the backend is given", async () => {
  // It fetches by itself; what it asks for is the certificate.
  const { get } = https;
  https.get = (url, answered) => {
    assert.equal(url, CERT);
    answered(Object.assign(Readable.from([certificate(amazon.publicKey, "sns.amazonaws.com")]), { statusCode: 200 }));
    return new EventEmitter();
  };
  try {
    const validate = promisify((message, done) => new SnsValidator().validate(message, done));
    for (const version of ["1", "2"]) {
      const message = snsMessage({ Subject: "an order", Message: "line\nline" }, { version });
      await validate({ ...message });
      assert.equal((await sns(message)).status, 200);
      const [delivery] = await gate.backend.wait(message.MessageId);
      await validate(JSON.parse(delivery.body));
      await assert.rejects(validate({ ...JSON.parse(delivery.body), Message: "another" }), /signature/);
    }
  } finally {
    https.get = get;
  }
});

const subscribeUrl = (token, topic = TOPIC, action = "ConfirmSubscription") => `https://sns.eu-west-1.amazonaws.com/?Action=${action}&TopicArn=${topic}&Token=${token}`;
const confirmation = (members) => snsMessage({ Type: "SubscriptionConfirmation", Token: "token1", SubscribeURL: subscribeUrl("token1"), ...members });

test("a subscription is confirmed for the pinned topic, by the one URL that does it", async () => {
  const url = subscribeUrl("token1");
  outside.put(url, "<ConfirmSubscriptionResponse/>");
  const answer = await sns(confirmation());
  assert.deepEqual([answer.status, answer.json.status], [200, "challenged"]);
  assert.equal((await gate.verdict(answer)).verdict, "challenged");
  assert.equal(outside.of(url), 1);
  const before = outside.visits.length;
  for (const members of [
    { SubscribeURL: subscribeUrl("token1", TOPIC, "Unsubscribe") },
    { SubscribeURL: subscribeUrl("token2") },
    { SubscribeURL: subscribeUrl("token1", "arn:aws:sns:eu-west-1:123456789012:others") },
    { SubscribeURL: `${url}&Endpoint=x` },
    { SubscribeURL: `${url}&Token=token2` },
    { SubscribeURL: url.replace("eu-west-1", "us-east-1") },
    { SubscribeURL: url.replace(".com/", ".com.evil.example/") },
    { SubscribeURL: url.replace("/?", "/x?") },
    { SubscribeURL: url.replace("token1", "token1%26") , Token: "token1%26" },
  ]) {
    const answer = await sns(confirmation(members));
    assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [401, "url_not_allowed"], members.SubscribeURL);
  }
  const other = await sns(confirmation({ TopicArn: "arn:aws:sns:eu-west-1:123456789012:others" }));
  assert.equal((await gate.verdict(other)).reason, "pin_mismatch");
  const forged = await sns({ ...confirmation(), Message: "forged" });
  assert.equal((await gate.verdict(forged)).reason, "signature_mismatch");
  assert.equal(outside.visits.length, before, "nothing else was visited");
});

test("an unsubscription's URL is never visited, because it would subscribe again", async () => {
  const message = snsMessage({ Type: "UnsubscribeConfirmation", Token: "token1", SubscribeURL: subscribeUrl("token1") });
  const before = outside.visits.length;
  const answer = await sns(message);
  assert.equal(answer.json.status, "accepted");
  await gate.backend.wait(message.MessageId);
  assert.equal(outside.visits.length, before);
});

test("a visit that fails is our failure", async () => {
  for (const [token, page] of [
    ["failing", () => new Response("no", { status: 500 })],
    ["moved", () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } })],
  ]) {
    outside.put(subscribeUrl(token), page);
    const answer = await sns(confirmation({ Token: token, SubscribeURL: subscribeUrl(token) }));
    assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"]);
    assert.equal((await gate.verdict(answer)).reason, "confirmation_failed");
  }
  assert.equal(outside.of("https://evil.example/"), 0);
});

// ---- fetching ------------------------------------------------------------------------------------

test("a certificate that is not there, not Amazon's, short or out of date is never used", async () => {
  const hour = 3_600_000;
  const at = (name) => `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name}.pem`;
  const weak = rsaPair(1024);
  for (const [name, page, key, reason] of [
    ["moved", () => new Response(null, { status: 302, headers: { location: CERT } }), amazon, "key_unfetched"],
    ["long", "x".repeat(70_000), amazon, "key_unfetched"],
    ["other", certificate(amazon.publicKey, "evil.example"), amazon, "key_unusable"],
    ["weak", certificate(weak.publicKey, "sns.amazonaws.com"), weak, "key_unusable"],
  ]) {
    outside.put(at(name), page);
    const answer = await sns(snsMessage({ SigningCertURL: at(name) }, { key: key.privateKey }));
    assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [503, reason], name);
  }
  // The budget of looks is a minute's; this source has its own.
  const old = at("old").replace("eu-west-1", "eu-west-2");
  outside.put(old, certificate(amazon.publicKey, "sns.amazonaws.com", { from: new Date(Date.now() - 9 * hour), to: new Date(Date.now() - hour) }));
  const message = snsMessage({ SigningCertURL: old, TopicArn: "arn:aws:sns:eu-west-2:123456789012:flooded" });
  const answer = await sns(message, "sns-flooded");
  assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [503, "key_unusable"]);
});

test("forged URLs cost six fetches a minute, and a failure is not tried again at once", async () => {
  const before = outside.visits.length;
  const forged = (name) => snsMessage({ SigningCertURL: `https://sns.eu-west-2.amazonaws.com/SimpleNotificationService-${name}.pem`, TopicArn: "arn:aws:sns:eu-west-2:123456789012:flooded" });
  for (let count = 0; count < 12; count += 1) {
    const answer = await sns(forged(`forged${count}`), "sns-flooded");
    assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [503, "key_unfetched"]);
  }
  const again = await sns(forged("forged0"), "sns-flooded");
  assert.equal(again.status, 503);
  // One was used by the test above.
  assert.ok(outside.visits.length - before <= 6, `${outside.visits.length - before} fetches`);
  // A source beside it is not disturbed.
  assert.equal((await sns(snsMessage({}))).status, 200);
});

test("what one isolate fetched, KV has for the next", async () => {
  const kept = (await gate.remembered()).filter((name) => name.startsWith("document/1/"));
  assert.ok(kept.includes(`document/1/${CERT}`), kept.join(" "));
});

// ---- chains --------------------------------------------------------------------------------------

const authorities = {
  rsa: rsaPair(),
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
};
const issuedBy = (kind, hash, publicKey, name = "sns.amazonaws.com", more = {}) => certificate(publicKey, name, { by: { name: `${kind} authority`, key: authorities[kind].privateKey, hash }, ...more });
const authority = (kind, byKind, hash, more = {}) => issuedBy(byKind, hash, authorities[kind].publicKey, `${kind} authority`, { authority: true, ...more });
const chained = (source, name, document) => {
  const url = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name}.pem`;
  outside.put(url, document);
  return () => sns(snsMessage({ SigningCertURL: url, TopicArn: `arn:aws:sns:eu-west-1:123456789012:${source}` }), `sns-${source}`);
};

test("a document that carries the issuers of its certificate is taken when each issued the one before", async () => {
  for (const [name, ...document] of [
    ["rsa256", issuedBy("rsa", "sha256", amazon.publicKey), authority("rsa", "rsa", "sha256")],
    ["rsa384", issuedBy("rsa", "sha384", amazon.publicKey), authority("rsa", "rsa", "sha512")],
    ["p256", issuedBy("p256", "sha256", amazon.publicKey), authority("p384", "p384", "sha384"), authority("p256", "p384", "sha256")],
    ["p256with384", issuedBy("p256", "sha384", amazon.publicKey), authority("p256", "rsa", "sha256")],
    ["oldroot", issuedBy("rsa", "sha256", amazon.publicKey), authority("rsa", "rsa", "sha1")],
  ]) {
    const send = chained("chains", name, document.join(""));
    for (let count = 0; count < 2; count += 1) {
      const answer = await send();
      assert.equal(answer.json?.status, "accepted", `${name}: ${JSON.stringify(await gate.verdict(answer))}`);
    }
    assert.equal(outside.of(`https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name}.pem`), 1, "it is fetched and checked once");
  }
});

test("a chain that does not hold is our failure, and the log says where it breaks", async () => {
  const stranger = rsaPair();
  const impostor = certificate(amazon.publicKey, "sns.amazonaws.com", { by: { name: "rsa authority", key: stranger.privateKey } });
  const right = issuedBy("rsa", "sha256", amazon.publicKey);
  const root = authority("rsa", "rsa", "sha256");
  for (const [name, words, ...document] of [
    ["forged", "a certificate's signature is not its issuer's", impostor, root],
    ["plain", "an issuer is no authority that may issue certificates", right, authority("rsa", "rsa", "sha256", { authority: false })],
    ["sha1", "a certificate is signed in a way that does not count", issuedBy("rsa", "sha1", amazon.publicKey), root],
    ["apart", "none of the certificates that it carries issued the first", right, certificate(stranger.publicKey, "stranger")],
    ["ten", "it carries more certificates than six", right, ...Array(9).fill(root)],
  ]) {
    const send = chained("broken-chains", name, document.join(""));
    for (let count = 0; count < 2; count += 1) {
      const answer = await send();
      assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [503, "key_unusable"], name);
    }
    const url = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name}.pem`;
    await gate.line({ event: "alarm", what: "chain_broken", detail: `${url}: ${words}` });
    assert.equal(outside.of(url), 1, "it is not tried again at once");
    assert.ok(!(await gate.remembered()).includes(`document/1/${url}`), "nor kept");
  }
  // One of a chain is out of date.
  const hour = 3_600_000;
  const over = { from: new Date(Date.now() - 9 * hour), to: new Date(Date.now() - hour) };
  const late = chained("broken-chains", "late", [right, authority("rsa", "rsa", "sha256", over)].join(""));
  assert.deepEqual([(await late()).status, (await gate.verdict(await late())).reason], [503, "key_unusable"]);
});

// ---- tokens --------------------------------------------------------------------------------------

const google = { now: rsaPair(), next: rsaPair() };
const GOOGLE = JWKS["google-oidc-jwt"];
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
function token({ header = {}, claims = {}, key = google.now.privateKey } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const head = encode(typeof header === "string" ? header : { alg: "RS256", kid: "now", typ: "JWT", ...header });
  const body = encode(
    typeof claims === "string"
      ? claims
      : { aud: "https://hook.example.com/eventarc", email: "push@proj.iam.gserviceaccount.com", email_verified: true, iss: "https://accounts.google.com", iat: now, exp: now + 3600, ...claims },
  );
  return `${head}.${body}.${sign("sha256", Buffer.from(`${head}.${body}`), key).toString("base64url")}`;
}
const eventarc = (bearer, id = freshId()) =>
  post("/hooks/google-eventarc", `{"order":1}`, [["authorization", `Bearer ${bearer}`], ["ce-id", id], ["ce-source", "//pubsub"], ["ce-type", "order.paid"], ["content-type", "application/json"]]);

test("one token brings many events, each once", async () => {
  outside.put(GOOGLE, () => new Response(keySet({ now: google.now.publicKey }), { headers: { "cache-control": "public, max-age=19800" } }));
  // The set of the vectors is still remembered, and does not have this key: it is asked once more.
  const bearer = token();
  const [one, two] = [freshId(), freshId()];
  for (const [id, status] of [[one, "accepted"], [two, "accepted"], [one, "duplicate"]]) {
    const answer = await eventarc(bearer, id);
    assert.equal(answer.json.status, status, answer.text);
  }
  const [delivery] = await gate.backend.wait(one);
  assert.deepEqual([delivery.body.toString(), delivery.headers["ce-type"], delivery.headers.authorization], [`{"order":1}`, "order.paid", undefined]);
});

test("google-auth-library takes the tokens that are taken here, and refuses as we do", async () => {
  const certs = { now: google.now.publicKey.export({ type: "spki", format: "pem" }) };
  const verified = (bearer) => new OAuth2Client().verifySignedJwtWithCertsAsync(bearer, certs, "https://hook.example.com/eventarc", ["https://accounts.google.com"], 7200);
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await verified(token())).getPayload().email, "push@proj.iam.gserviceaccount.com");
  for (const wrong of [
    token({ claims: { aud: "https://others" } }),
    token({ claims: { iss: "https://evil.example" } }),
    token({ claims: { iat: now - 90_000, exp: now - 86_400 } }),
    token({ header: { kid: "next" } }),
    token({ key: google.next.privateKey }),
  ]) {
    await assert.rejects(verified(wrong));
    assert.notEqual((await eventarc(wrong)).status, 200);
  }
});

test("a token that is not meant for us, or chooses how it is checked, is refused", async () => {
  const now = Math.floor(Date.now() / 1000);
  const before = outside.of(GOOGLE);
  const hmac = `${encode({ alg: "HS256", kid: "now" })}.${encode({})}.${encode("x")}`;
  for (const [bearer, reason] of [
    [token({ claims: { aud: "https://others" } }), "pin_mismatch"],
    [token({ claims: { aud: undefined } }), "pin_mismatch"],
    [token({ claims: { aud: ["https://others", "https://another"] } }), "pin_mismatch"],
    [token({ claims: { email: "x@evil.iam.gserviceaccount.com" } }), "pin_mismatch"],
    [token({ claims: { email_verified: "true" } }), "token_not_allowed"],
    [token({ claims: { email_verified: undefined } }), "token_not_allowed"],
    [token({ claims: { iss: "https://evil.example" } }), "token_not_allowed"],
    [token({ claims: { exp: undefined } }), "token_not_allowed"],
    [token({ claims: { exp: now + 1e9 } }), "token_not_allowed"],
    [token({ claims: { iat: now - 7200, exp: now - 120 } }), "stale"],
    [token({ claims: { iat: now + 600, exp: now + 1200 } }), "from_future"],
    [token({ claims: { nbf: now + 600 } }), "from_future"],
    [token({ claims: `{"aud":"https://hook.example.com/eventarc","aud":"https://others"}` }), "malformed_signature"],
    [token({ header: { alg: "none" } }), "token_not_allowed"],
    [hmac, "token_not_allowed"],
    [token({ header: { jku: "https://evil.example/keys" } }), "token_not_allowed"],
    [token({ header: { x5u: "https://evil.example/keys" } }), "token_not_allowed"],
    [token({ header: { jwk: {} } }), "token_not_allowed"],
    [token({ header: { crit: ["exp"] } }), "token_not_allowed"],
    [token({ header: { kid: undefined } }), "token_not_allowed"],
    [token({ header: `{"alg":"RS256","alg":"RS256","kid":"now"}` }), "malformed_signature"],
    [token({ key: google.next.privateKey }), "signature_mismatch"],
    [`${token()}.`, "malformed_signature"],
    ["x", "malformed_signature"],
  ]) {
    const answer = await eventarc(bearer);
    const verdict = await gate.verdict(answer);
    assert.deepEqual([verdict.verdict, verdict.reason], ["refused", reason], bearer);
    assert.ok([400, 401].includes(answer.status));
  }
  const list = await eventarc(token({ claims: { aud: ["https://others", "https://hook.example.com/eventarc"] } }));
  assert.equal(list.json.status, "accepted");
  assert.equal(outside.of(GOOGLE), before, "nothing was fetched");
});

test("a key that the set does not have yet is asked for once a minute, and never the sender's fault", async () => {
  const next = () => token({ header: { kid: "next" }, key: google.next.privateKey });
  const before = outside.of(GOOGLE);
  for (let count = 0; count < 3; count += 1) {
    const answer = await eventarc(next());
    assert.deepEqual([answer.status, (await gate.verdict(answer)).reason], [503, "key_unknown"]);
  }
  assert.ok(outside.of(GOOGLE) - before <= 1);
  assert.equal((await eventarc(token())).json.status, "accepted", "the known key is not disturbed");
});

// ---- the others ----------------------------------------------------------------------------------

const ENTRA = VECTORS.find(({ scheme, expect }) => scheme === "entra-jwt" && expect === "accept");
const VALIDATION = VECTORS.find(({ scheme, expect }) => scheme === "eventgrid-validation" && expect === "accept");

test("Event Grid's validation is answered exactly, and only with a token", async () => {
  const clock = ["x-test-now", String(ENTRA.now_unix * 1_000)];
  const headers = [["aeg-event-type", "SubscriptionValidation"], ["content-type", "application/json"], clock];
  const answer = await post("/hooks/azure-event-grid-entra", VALIDATION.body_utf8, [["authorization", ENTRA.headers.Authorization], ...headers]);
  assert.equal(answer.status, 200);
  assert.equal(answer.text, `{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}`);
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  const wrong = VECTORS.find(({ scheme, expect }) => scheme === "entra-jwt" && expect === "reject");
  for (const authorization of [wrong.headers.Authorization, "Bearer x", undefined]) {
    const refused = await post("/hooks/azure-event-grid-entra", VALIDATION.body_utf8, [...(authorization ? [["authorization", authorization]] : []), ...headers]);
    assert.ok([400, 401].includes(refused.status));
    assert.ok(!refused.text.includes("512d38b6"), refused.text);
  }
});

test("a sender's own key: ECDSA in DER", async () => {
  const body = JSON.stringify({ id: freshId() });
  const signature = sign("sha256", Buffer.from(body), ecdsa.privateKey).toString("base64");
  const answer = await post("/hooks/ecdsa", body, [["x-signature", signature]]);
  assert.equal(answer.json?.status, "accepted", JSON.stringify(await gate.verdict(answer)));
  const forged = await post("/hooks/ecdsa", `${body} `, [["x-signature", signature]]);
  assert.equal((await gate.verdict(forged)).reason, "signature_mismatch");
  const mangled = await post("/hooks/ecdsa", body, [["x-signature", Buffer.from("no DER").toString("base64")]]);
  assert.equal(mangled.status, 401);
  // WebCrypto would take this form; the scheme does not, here as little as natively.
  const raw = sign("sha256", Buffer.from(body), { key: ecdsa.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64");
  const otherwise = await post("/hooks/ecdsa", body, [["x-signature", raw]]);
  assert.equal((await gate.verdict(otherwise)).reason, "signature_mismatch");
  assert.equal(createPublicKey(gate.secrets.ECDSA_PUBLIC_KEY).asymmetricKeyType, "ec");
});

test("Alibaba SMQ's short key, with a secret in the URL that does the work", async () => {
  const alibaba = rsaPair(512);
  const url = "https://mns-cert.oss-cn-hangzhou.aliyuncs.com/x509_public_certificate.pem";
  outside.put(url, certificate(alibaba.publicKey, "notify", { from: new Date("2015-07-02"), to: new Date("2016-07-01") }));
  const send = async ({ key = gate.secrets.SMQ_URL_SECRET, owner = "1321669497458181", body = "hello", sent = body } = {}) => {
    const target = `/hooks/alibaba-smq?key=${key}`;
    const plain = { "content-md5": createHash("md5").update(body).digest("base64"), "content-type": "text/plain", date: new Date().toUTCString() };
    const mns = { "x-mns-message-id": freshId(), "x-mns-request-id": "1", "x-mns-signing-cert-url": Buffer.from(url).toString("base64"), "x-mns-topic-name": "orders", "x-mns-topic-owner": owner, "x-mns-version": "2015-06-06" };
    const lines = Object.entries(mns).map(([name, value]) => `${name}:${value}\n`).join("");
    const text = `POST\n${plain["content-md5"]}\n${plain["content-type"]}\n${plain.date}\n${lines}${target}`;
    const authorization = sign("sha1", Buffer.from(text), alibaba.privateKey).toString("base64");
    const answer = await post(target, sent, [...Object.entries(plain), ...Object.entries(mns), ["authorization", authorization]]);
    return [answer.status, (await gate.verdict(answer)).reason];
  };
  assert.deepEqual(await send(), [200, undefined]);
  assert.deepEqual(await send({ key: "wrong" }), [401, "pin_mismatch"]);
  assert.deepEqual(await send({ owner: "1" }), [401, "pin_mismatch"]);
  assert.deepEqual(await send({ sent: "hellO" }), [401, "body_digest_mismatch"]);
});
