// Keys that a provider gives to the account alone, by their id: asked for with its secret, at one host, and kept.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { Response } from "miniflare";
import { startGate } from "./support/gate.mjs";
import { startOutside } from "./support/outside.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { freshId } from "./support/sign.mjs";

const URL_OF_KEYS = "https://sandbox.plaid.com/webhook_verification_key/get";
const SECRET = "canary-plaid-api-secret";
const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const keys = { now: pair(), next: pair(), expired: pair() };
const outside = startOutside();
/** What Plaid was asked. */
const asked = [];
let given = ["now", "expired"];

/** As https://plaid.com/docs/api/webhooks/webhook-verification/ has it. */
async function plaid(request) {
  const body = await request.json();
  asked.push({ method: request.method, type: request.headers.get("content-type"), ...body });
  if (body.client_id !== "5b1e4c2a" || body.secret !== SECRET || !given.includes(body.key_id)) {
    return Response.json({ error_type: "INVALID_INPUT", error_code: "INVALID_WEBHOOK_VERIFICATION_KEY_ID" }, { status: 400 });
  }
  const jwk = keys[body.key_id].publicKey.export({ format: "jwk" });
  const key = { ...jwk, alg: "ES256", use: "sig", kid: body.key_id, created_at: 1_560_466_143, expired_at: body.key_id === "expired" ? 1_560_466_143 : null };
  return Response.json({ key, request_id: "RZ6Omi1bzzwDaLo" });
}

let gate;
before(async () => {
  outside.put(URL_OF_KEYS, plaid);
  const secrets = freshSecrets();
  secrets.PLAID_API_SECRET = SECRET;
  gate = await startGate({ secrets, outside });
});
after(() => gate.stop());

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function post(kid, { key = keys[kid], header = {}, body = JSON.stringify({ webhook_type: "ITEM", item_id: freshId() }) } = {}) {
  const claims = { iat: Math.floor(Date.now() / 1000), request_body_sha256: createHash("sha256").update(body).digest("hex") };
  const signed = `${encode({ alg: "ES256", typ: "JWT", kid, ...header })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: key.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return gate.send({ target: "/hooks/plaid-fetched", headers: [["plaid-verification", `${signed}.${signature}`]], body });
}
const verdictOf = async (answer) => {
  const { verdict, reason, key_id } = await gate.verdict(answer);
  return [answer.status, verdict, reason ?? key_id];
};

test("a key is asked for once, with the account's secret and nothing else of ours", async () => {
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual(await verdictOf(await post("now")), [200, "accepted", "now"]);
  }
  assert.deepEqual(asked, [{ method: "POST", type: "application/json", client_id: "5b1e4c2a", secret: SECRET, key_id: "now" }]);
});

test("what is wrong without its key is refused before anything is asked", async () => {
  const before = asked.length;
  for (const [answer, reason] of [
    [await post("now", { header: { kid: undefined } }), "token_not_allowed"],
    [await post("now", { header: { kid: "../../item/get" } }), "token_not_allowed"],
    [await post("now", { header: { kid: "now#x" } }), "token_not_allowed"],
    [await post("now", { header: { kid: "k".repeat(201) } }), "token_not_allowed"],
    [await post("now", { header: { kid: ["now"] } }), "token_not_allowed"],
    [await post("now", { header: { alg: "HS256" } }), "malformed_signature"],
    [await post("now", { header: { jku: "https://evil.example/" } }), "malformed_signature"],
    [await post("now", { key: keys.next }), "signature_mismatch"],
  ]) {
    assert.equal((await gate.verdict(answer)).reason, reason);
    assert.ok([400, 401].includes(answer.status));
  }
  assert.equal(asked.length, before);
});

test("a key that expired, and one that is not there, are our failure, and asked for within bounds", async () => {
  assert.deepEqual(await verdictOf(await post("expired")), [503, "unavailable", "key_unknown"]);
  const before = asked.length;
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual(await verdictOf(await post("next")), [503, "unavailable", "key_unfetched"]);
  }
  assert.equal(asked.length - before, 1, "a failure is not repeated at once");
  // Whoever names one key after another does not have us ask for each.
  for (let count = 0; count < 12; count += 1) await post(`made-up-${count}`, { key: keys.next });
  assert.ok(asked.length <= 7, `${asked.length} requests`);
  assert.deepEqual(await verdictOf(await post("now")), [200, "accepted", "now"], "the known key is not disturbed");
});

test("no log line has the secret", () => {
  assert.ok(gate.logs.length > 10);
  assert.ok(!JSON.stringify(gate.logs).includes(SECRET));
});
