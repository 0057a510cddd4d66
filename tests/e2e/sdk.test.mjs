// Signed by the providers' own SDKs, delivered byte for byte, and verified behind the gate by an SDK.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Webhooks } from "@octokit/webhooks";
import Stripe from "stripe";
import { Webhook as Svix } from "svix";
import { startGate } from "./support/gate.mjs";
import { freshId } from "./support/sign.mjs";

const { Webhook: StandardWebhook } = createRequire(import.meta.url)("standardwebhooks");

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

// Characters that are easily changed on the way: white space, escapes, text beyond ASCII, a final newline.
const bodyOf = (id) => `{ "id": "${id}",\n\t"type": "invoice.paid", "note": "Zürich \\u00e9 \u{1F600} </script>" , "amount": 1.10}\n`;

/** Posts, expects `accepted`, and gives back the delivery, whose own signature the SDK has verified. */
async function through(source, headers, body, id) {
  const answer = await gate.send({ target: `/hooks/${source}`, headers: [["content-type", "application/json"], ...headers], body });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.status, "accepted");
  const verdict = await gate.verdict(answer);
  assert.deepEqual([verdict.verdict, verdict.source, verdict.event_id], ["accepted", source, id]);
  const [delivery] = await gate.backend.wait(id);
  assert.deepEqual(delivery.body, Buffer.from(body), "the body changed on its way");
  assert.equal(delivery.headers["content-type"], "application/json");
  new StandardWebhook(gate.secrets.DELIVERY_SECRET).verify(delivery.body.toString(), delivery.headers, { jsonParse: false });
  return delivery;
}

test("stripe signs, and verifies what the backend is given", async () => {
  const id = freshId();
  const body = bodyOf(id);
  const { webhooks } = new Stripe("sk_test_of_nobody");
  const secret = gate.secrets.STRIPE_SECRET;
  const signature = webhooks.generateTestHeaderString({ payload: body, secret });
  const delivery = await through("stripe", [["Stripe-Signature", signature]], body, id);
  assert.equal(webhooks.constructEvent(delivery.body, delivery.headers["stripe-signature"], secret).id, id);
});

test("octokit signs, and verifies what the backend is given", async () => {
  const id = freshId();
  const body = bodyOf(id);
  const octokit = new Webhooks({ secret: gate.secrets.GITHUB_SECRET });
  const headers = [["X-GitHub-Delivery", id], ["X-GitHub-Event", "push"], ["X-Hub-Signature-256", await octokit.sign(body)]];
  const delivery = await through("github", headers, body, id);
  assert.equal(await octokit.verify(delivery.body.toString(), delivery.headers["x-hub-signature-256"]), true);
  assert.equal(delivery.headers["x-github-event"], "push");
  assert.equal(delivery.headers["hookgate-event-type"], "push");
});

test("standardwebhooks signs, and verifies what the backend is given", async () => {
  const id = freshId();
  const body = bodyOf(id);
  const sdk = new StandardWebhook(gate.secrets.STANDARD_WEBHOOKS_SECRET);
  const at = new Date();
  const headers = [["Webhook-Id", id], ["Webhook-Timestamp", String(Math.floor(at / 1000))], ["Webhook-Signature", sdk.sign(id, at, body)]];
  const delivery = await through("standard-webhooks", headers, body, id);
  // The names are the gate's own now (H6); the originals stand beside them and still verify.
  assert.notEqual(delivery.headers["webhook-id"], id);
  const original = (name) => delivery.headers[`hookgate-original-webhook-${name}`];
  const originals = Object.fromEntries(["id", "timestamp", "signature"].map((name) => [`webhook-${name}`, original(name)]));
  sdk.verify(delivery.body.toString(), originals, { jsonParse: false });
});

test("svix signs, and verifies what the backend is given", async () => {
  const id = freshId();
  const body = bodyOf(id);
  const sdk = new Svix(gate.secrets.SVIX_SECRET);
  const at = new Date();
  const headers = [["svix-id", id], ["svix-timestamp", String(Math.floor(at / 1000))], ["svix-signature", sdk.sign(id, at, body)]];
  const delivery = await through("svix", headers, body, id);
  sdk.verify(delivery.body.toString(), delivery.headers); // throws where it does not verify
});

test("the SDK refuses a delivery whose body, id or time was changed", async () => {
  const id = freshId();
  const body = bodyOf(id);
  const sdk = new Svix(gate.secrets.SVIX_SECRET);
  const at = new Date();
  const headers = [["svix-id", id], ["svix-timestamp", String(Math.floor(at / 1000))], ["svix-signature", sdk.sign(id, at, body)]];
  const delivery = await through("svix", headers, body, id);
  const ours = new StandardWebhook(gate.secrets.DELIVERY_SECRET);
  const time = Number(delivery.headers["webhook-timestamp"]);
  for (const [text, changed] of [
    [`${body} `, {}],
    [body, { "webhook-id": "hg_0" }],
    [body, { "webhook-timestamp": String(time + 1) }],
  ]) {
    assert.throws(() => ours.verify(text, { ...delivery.headers, ...changed }, { jsonParse: false }), /No matching signature/);
  }
});
