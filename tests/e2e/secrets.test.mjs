// G10: no secret leaves. And what a missing, broken or shared secret does.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startBackend } from "./support/backend.mjs";
import { startGate } from "./support/gate.mjs";
import { freshSecrets, sources } from "./support/secrets.mjs";
import { canSign, freshId, shopEvent, sign } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

describe("canaries", () => {
  const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
  const canaries = new Map();
  const answers = [];
  let gate;

  const canary = (name) => {
    const value = `canary${randomBytes(16).toString("hex")}`;
    canaries.set(name, value);
    return value;
  };
  const send = async (request) => {
    const answer = await gate.send(request);
    answers.push(answer);
    return answer;
  };

  before(async () => {
    gate = await startGate({ keep });
    for (const [name, value] of Object.entries(gate.secrets)) canaries.set(name, value.replace(/^whsec_/, ""));
    canaries.set("Basic credentials", Buffer.from(gate.secrets.EVENTBRIDGE_SECRET).toString("base64"));
  });
  after(async () => {
    await gate.stop();
    rmSync(keep, { recursive: true, force: true });
  });

  test("traffic of every kind", async () => {
    const body = () => JSON.stringify({ id: freshId(), event_id: freshId(), activity: "refreshInstance", orderId: freshId(), orderLineId: "1" });
    for (const [source, { scheme, secrets }] of Object.entries(sources)) {
      // A public key is no secret, and nothing here could sign for it.
      if (secrets === undefined || secrets[0].endsWith("_PUBLIC_KEY")) continue;
      const unsigned = () => ({ method: "POST", target: `/hooks/${source}`, headers: [], body: body() });
      const signed = () => sign(source, scheme, gate.secrets[secrets[0]], scheme === "koogallery-v1" ? `activity=x&orderId=${freshId()}&productId=1` : body());
      const event = canSign(scheme) ? signed : unsigned;
      const good = event();
      for (const request of [good, good, { ...good, body: `${good.body} ` }, { ...good, headers: [] }, { ...good, method: "PUT" }, event()]) await send(request);
      const query = new URLSearchParams(good.target.split("?")[1]);
      for (const name of ["sig", "signature", "authToken", "code"]) if (query.has(name)) canaries.set(`${source}'s ${name}`, query.get(name));
      for (const extra of [["x-test-hook", "panic"], ["x-test-fault", "EVENTS.send=fail"], ["x-test-fault", "SEEN.get=fail,SEEN.put=fail"]]) {
        await send({ ...event(), headers: [...event().headers, extra, ["x-test-secret", gate.secrets[secrets[0]]]] });
      }
      // The query string of a refused request may hold a token too.
      await send({ ...good, target: `/hooks/${source}?access_token=${canary(`${source}'s query`)}` });
    }
    await send({ method: "POST", target: `/hooks/none?token=${canary("an unknown source's query")}` });
    await send({ method: "GET", target: `/healthz?token=${canary("the health check's query")}` });
  });

  test("credentials in headers: carried as a placeholder, whatever the scheme asks for", async () => {
    const headers = [
      ["authorization", `Bearer ${canary("authorization")}`],
      ["cookie", `session=${canary("cookie")}`],
      ["proxy-authorization", `Basic ${canary("proxy-authorization")}`],
      ["x-shop-token", canary("a credential that the scheme names")],
    ];
    const id = freshId();
    assert.equal((await send(sign("bearer", "bearer", gate.secrets.BEARER_SECRET, JSON.stringify({ id }), { headers }))).json?.status, "accepted");
    const [delivery] = await gate.backend.wait(id);
    for (const name of ["authorization", "cookie", "x-shop-token"]) assert.equal(delivery.headers[name], "hookgate-redacted", name);
    assert.equal(delivery.headers["proxy-authorization"], undefined);
    const plain = shopEvent(gate, "custom", { headers: [["authorization", `Bearer ${canary("another authorization")}`]] });
    await send(plain);
    assert.equal((await gate.backend.wait(plain.id))[0].headers.authorization, undefined);
  });

  test("dead letters and the operator's door", async () => {
    const id = freshId();
    gate.backend.plan(id, 400);
    const headers = [["authorization", `Bearer ${canary("a dead letter's authorization")}`]];
    await send(sign("bearer", "bearer", gate.secrets.BEARER_SECRET, JSON.stringify({ id }), { headers }));
    const letter = await until(async () => (await gate.letters()).find(({ event_id: of }) => of === id), "its letter");
    answers.push(await gate.admin(), await gate.admin(`/${letter.id}`), await gate.admin(`/${letter.id}/redrive`, { method: "POST" }), await gate.admin("", { token: canary("a wrong token") }), await gate.admin(`?token=${canary("the operator's query")}`, { token: null }));
    await gate.backend.wait(id, 2);
  });

  test("none of them stands in a log line, an answer, a delivery, a key, a value or a file", async () => {
    await sleep(300);
    const seen = await gate.mf.getKVNamespace("SEEN");
    const archive = await gate.mf.getR2Bucket("ARCHIVE");
    const places = { log: gate.logs.map(({ message }) => message), answer: answers.map(({ headers, text }) => JSON.stringify(headers) + text) };
    places.delivery = gate.backend.deliveries.map(({ url, rawHeaders, body }) => url + JSON.stringify(rawHeaders) + body);
    places.memory = await Promise.all((await gate.remembered()).map(async (key) => key + (await seen.get(key))));
    places.archive = await Promise.all((await gate.archived()).map(async (key) => key + (await (await archive.get(key)).text())));
    // What is kept of refused requests is encrypted, and no JSON.
    for (const text of places.archive.filter((text) => !text.startsWith("quarantine/"))) places.archive.push(Buffer.from(JSON.parse(text.slice(text.indexOf("{"))).message.match(/"data_base64":"([^"]*)"/)[1], "base64").toString());
    places.file = await until(() => filesIn(keep), "files that stay for as long as they are read");
    for (const [place, texts] of Object.entries(places)) assert.ok(texts.length > 0, `nothing was searched in ${place}`);
    assert.ok(canaries.size > 50);

    const leaks = [];
    for (const [place, texts] of Object.entries(places)) {
      for (const text of texts) {
        for (const [name, value] of canaries) {
          const forms = [value, encodeURIComponent(value), Buffer.from(value).toString("base64").slice(0, -4)];
          if (forms.some((form) => text.includes(form))) leaks.push(`${name} in a ${place}: ${text.slice(0, 300)}`);
        }
      }
    }
    assert.deepEqual(leaks, []);
    // Query strings are written nowhere, secret or not.
    assert.ok(!places.log.some((line) => line.includes("?") || line.includes("access_token")));
  });

  test("the search finds a canary where there is one", async () => {
    const value = canary("one that the sender puts into its own event's id");
    await gate.send(shopEvent(gate, "custom", { id: value }));
    await gate.line({ event_id: value });
    assert.ok(gate.logs.some(({ message }) => message.includes(value)));
  });
});

/** The texts of all files. `undefined`: a database was closed meanwhile, and its log is gone. */
function filesIn(directory) {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  try {
    return files.map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString("latin1"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  }
}

describe("secrets that are not right", { concurrency: true }, () => {
  let backend;
  before(async () => (backend = await startBackend()));
  after(() => backend.stop());

  /** A gate of its own for one test. */
  async function withGate(options, check) {
    const gate = await startGate({ backend, ...options });
    try {
      await check(gate);
    } finally {
      await gate.stop();
    }
  }
  const secrets = freshSecrets();
  const signed = (source, secret = secrets[sources[source].secrets[0]]) => sign(source, sources[source].scheme, secret, JSON.stringify({ id: freshId() }));

  async function assertOurFault(gate, source, reason, requests = [signed(source), signed(source, randomBytes(32).toString("hex"))]) {
    for (const request of requests) {
      const answer = await gate.send(request);
      assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"], `${source}: ${answer.text}`);
      assert.equal((await gate.verdict(answer)).reason, reason);
    }
  }

  test("missing: 503 for good and bad alike, never 401, and a loud line", () =>
    withGate({ secrets, without: ["GITHUB_SECRET"] }, async (gate) => {
      await assertOurFault(gate, "github", "secret_missing");
      await gate.line({ event: "alarm", what: "secret_missing", source: "github", secret_name: "GITHUB_SECRET" });
      assert.equal((await gate.send(signed("stripe"))).status, 200, "no other source minds");
      assert.equal((await gate.send(signed("stripe", "wrong"))).status, 401);
    }));

  test("empty, or only white space", () =>
    withGate({ secrets, variables: { GITHUB_SECRET: "", STRIPE_SECRET: " \n" } }, async (gate) => {
      for (const source of ["github", "stripe"]) {
        const empty = signed(source, source === "github" ? "" : " \n");
        await assertOurFault(gate, source, "secret_missing", [signed(source), empty]);
      }
    }));

  test("not in the form that the scheme says", () =>
    withGate({ secrets, variables: { SVIX_SECRET: "whsec_%%%", DELIVERY_SECRET: secrets.DELIVERY_SECRET } }, async (gate) => {
      await assertOurFault(gate, "svix", "secret_unusable", [signed("svix")]);
      await gate.line({ event: "alarm", what: "secret_unusable", secret_name: "SVIX_SECRET" });
    }));

  test("one of two missing: the other goes on, a mismatch may be our fault", () =>
    withGate({ secrets, without: ["ROTATION_SECRET"] }, async (gate) => {
      const answer = await gate.send(signed("rotation", secrets.ROTATION_SECRET_OLD));
      assert.equal(answer.json.status, "accepted");
      assert.equal((await gate.verdict(answer)).key_id, "ROTATION_SECRET_OLD");
      await assertOurFault(gate, "rotation", "secret_missing");
      const stale = sign("rotation", "my-shop", secrets.ROTATION_SECRET_OLD, "{}", { at: Date.now() - 400_000 });
      assert.equal((await gate.send(stale)).status, 401, "what did verify is judged");
    }));

  test("equal under two tenants: both are 503 and no other is", () =>
    withGate({ secrets, variables: { NEIGHBOUR_SECRET: secrets.CUSTOM_SECRET } }, async (gate) => {
      for (const source of ["custom", "neighbour"]) {
        await assertOurFault(gate, source, "secret_shared", [signed(source, secrets.CUSTOM_SECRET), signed(source, "wrong")]);
        await gate.line({ event: "alarm", what: "secret_shared", source });
      }
      assert.equal((await gate.send(signed("github"))).status, 200);
      assert.ok(!JSON.stringify(gate.logs).includes(secrets.CUSTOM_SECRET));
    }));

  test("equal under one tenant without a group, and equal as keys though not as text", () =>
    withGate({ secrets, variables: { ROTATION_SECRET_OLD: secrets.CUSTOM_SECRET, SVIX_SECRET: secrets.STANDARD_WEBHOOKS_SECRET.replace("whsec_", "v1,whsec_") } }, async (gate) => {
      for (const source of ["custom", "rotation", "svix", "standard-webhooks"]) await assertOurFault(gate, source, "secret_shared", [signed(source)]);
    }));

  test("equal to a delivery secret: the source would take our own deliveries", () =>
    withGate({ secrets, variables: { STANDARD_WEBHOOKS_SECRET: secrets.DELIVERY_SECRET } }, async (gate) => {
      await assertOurFault(gate, "standard-webhooks", "secret_shared", [signed("standard-webhooks", secrets.DELIVERY_SECRET)]);
      assert.equal((await gate.send(signed("github"))).status, 200);
    }));

  test("a delivery secret that is missing: events are taken and kept until it is there", () =>
    withGate({ secrets, without: ["DELIVERY_SECRET"] }, async (gate) => {
      assert.equal((await gate.send(signed("github"))).json.status, "accepted");
      await gate.line({ event: "alarm", what: "destination_unusable", destination: "backend", secret_name: "DELIVERY_SECRET" });
      await gate.line({ event: "alarm", what: "waiting_for_destination", destination: "backend" });
      assert.equal((await gate.archived()).length, 0, "not given up");
    }));

  test("a signature made with an empty key opens nothing", () =>
    withGate({ secrets }, async (gate) => {
      const mac = createHmac("sha256", "").update("{}").digest("hex");
      const answer = await gate.send({ target: "/hooks/github", headers: [["x-hub-signature-256", `sha256=${mac}`]], body: "{}" });
      assert.equal(answer.status, 401);
    }));
});
