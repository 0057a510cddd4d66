// Every way a request can end, as the sender sees it and as the record has it.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startGate } from "./support/gate.mjs";
import { sources } from "./support/secrets.mjs";
import { freshId, shopEvent, sign, sortedJson } from "./support/sign.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const ONE_PER_SCHEME = ["github", "stripe", "standard-webhooks", "svix", "slack", "shopify", "koogallery", "koogallery-v1", "heroku", "vercel", "custom"];

/** A body in which every scheme finds an id and a type where it looks for them. */
function bodyFor(scheme, id) {
  switch (scheme) {
    case "koogallery-v1":
      return `activity=refreshInstance&orderId=${id}&productId=p-1&instanceId=i-1`;
    case "koogallery-v2":
      return JSON.stringify({ orderId: id, activity: "refreshInstance", orderLineId: id, testFlag: "0", nothing: null });
    case "slack":
      return JSON.stringify({ event_id: id, type: "event_callback", event: { type: "test.event" } });
    case "heroku":
      return JSON.stringify({ webhook_metadata: { event: { id, include: "test.event" } } });
    default:
      return JSON.stringify({ id, type: "test.event", event: "test.event" });
  }
}

const signed = (source, id, { secret = gate.secrets[sources[source].secrets[0]], ...options } = {}) =>
  sign(source, sources[source].scheme, secret, bodyFor(sources[source].scheme, id), { id, type: "test.event", ...options });

const isKooGallery = (source) => source.startsWith("koogallery");
const wordOf = ({ json }) => json.status ?? json.resultCode;

describe("every scheme", () => {
  for (const source of ONE_PER_SCHEME) {
    test(`${source}: accepted, then a duplicate; forged is refused`, async () => {
      const id = freshId();
      const first = signed(source, id);
      const accepted = await gate.send(first);
      assert.deepEqual([accepted.status, wordOf(accepted)], [200, isKooGallery(source) ? "000000" : "accepted"], accepted.text);
      const line = await gate.verdict(accepted);
      assert.equal(line.verdict, "accepted");
      assert.deepEqual([line.tenant, line.source, line.scheme], ["demo", source, sources[source].scheme]);
      assert.equal(line.key_id, sources[source].secrets[0]);
      assert.deepEqual([line.colo, line.country], ["TST", "NL"]);

      // The provider's own retry: signed anew where the scheme signs the attempt.
      const duplicate = await gate.send(signed(source, id, { at: Date.now() + 1_000 }));
      assert.deepEqual([duplicate.status, wordOf(duplicate)], [200, isKooGallery(source) ? "000000" : "duplicate"], duplicate.text);
      const again = await gate.verdict(duplicate);
      assert.deepEqual([again.verdict, again.duplicate_of, again.dedup_key], ["duplicate", accepted.requestId, line.dedup_key]);

      const forged = await gate.send(signed(source, freshId(), { secret: randomBytes(32).toString("hex") }));
      if (isKooGallery(source)) assert.deepEqual([forged.status, forged.json.resultCode], [200, "000001"]);
      else assert.equal(forged.status, 401, forged.text);
      const refused = await gate.verdict(forged);
      assert.deepEqual([refused.verdict, refused.reason, refused.key_id], ["refused", "signature_mismatch", undefined]);

      const eventId = line.event_id;
      const deliveries = await gate.backend.wait(eventId);
      assert.equal(deliveries.length, 1);
      const { body, headers } = deliveries[0];
      assert.equal(headers["webhook-id"], `hg_${line.dedup_key.slice(0, 40)}`);
      assert.equal(headers["hookgate-event-type"], line.event_type);
      if (source === "koogallery") assert.equal(body.toString(), sortedJson(first.body));
      else if (source === "koogallery-v1") assert.equal(new URLSearchParams(body.toString()).get("orderId"), id);
      else assert.equal(body.toString(), first.body);
    });
  }

  test("koogallery: an answer is 200 with a result code and signed as Huawei's page says", async () => {
    for (const source of ["koogallery", "koogallery-v1"]) {
      const secret = gate.secrets[sources[source].secrets[0]];
      const answer = await gate.send(signed(source, freshId()));
      assert.deepEqual([answer.status, answer.json.resultCode], [200, "000000"]);
      const mac = createHmac("sha256", secret).update(answer.text).digest("base64");
      assert.equal(answer.headers["body-sign"], `sign_type="HMAC-SHA256", signature= "${mac}"`);
      // Refusals are alike and not signed: nobody but the holder of the key gets a signature of ours.
      const refused = [signed(source, freshId(), { at: Date.now() - 86_400_000 }), signed(source, freshId(), { secret: "wrong" }), { ...signed(source, freshId()), target: `/hooks/${source}` }];
      for (const request of refused) {
        const { status, json, headers } = await gate.send(request);
        assert.deepEqual([status, json.resultCode, headers["body-sign"]], [200, "000001", undefined]);
      }
    }
  });

  test("slack: a signed challenge is echoed as plain text and is no event; an unsigned one is refused", async () => {
    const challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";
    const body = JSON.stringify({ token: "t", challenge, type: "url_verification" });
    const before = gate.backend.deliveries.length;
    const request = sign("slack", "slack", gate.secrets.SLACK_SECRET, body);
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await gate.send(request);
      assert.deepEqual([answer.status, answer.text], [200, challenge]);
      assert.match(answer.headers["content-type"], /^text\/plain/);
      assert.equal((await gate.verdict(answer)).verdict, "challenged");
    }
    assert.equal((await gate.send({ ...request, headers: [["content-type", "application/json"]] })).status, 401);
    const hostile = JSON.stringify({ type: "url_verification", challenge: "<b>\u0000é" });
    const answer = await gate.send(sign("slack", "slack", gate.secrets.SLACK_SECRET, hostile));
    assert.ok(!answer.text.includes("<b>"), "text that is not harmless is not echoed");
    assert.equal(gate.backend.deliveries.slice(before).filter(({ body: given }) => given.equals(Buffer.from(body))).length, 0);
  });

  test("an exact answer that a provider demands, to accepted and duplicate alike", async () => {
    for (const [source, status, type, text] of [["wordless", 204, undefined, ""], ["worded", 202, "text/plain", "[accepted]"]]) {
      const request = signed(source, freshId());
      for (const verdict of ["accepted", "duplicate"]) {
        const answer = await gate.send(request);
        assert.deepEqual([answer.status, answer.headers["content-type"], answer.text], [status, type, text]);
        assert.equal((await gate.verdict(answer)).verdict, verdict);
      }
      assert.equal((await gate.send({ ...request, body: "forged" })).status, 401);
      assert.equal((await gate.send({ ...signed(source, freshId()), method: "GET", body: "" })).status, 405);
    }
  });

  test("shopify: topics that are listed tell equal bodies apart, other unsigned topics count as one", async () => {
    const body = JSON.stringify({ order: freshId() });
    const words = [];
    for (const type of ["orders/create", "orders/paid", "orders/create", "made/up", "made/up-again"]) {
      words.push(wordOf(await gate.send(sign("shopify", "shopify", gate.secrets.SHOPIFY_SECRET, body, { type }))));
    }
    assert.deepEqual(words, ["accepted", "accepted", "duplicate", "accepted", "duplicate"]);
  });

  test("github: unsigned ids make no new event", async () => {
    const body = JSON.stringify({ after: freshId() });
    const words = [];
    for (let turn = 0; turn < 3; turn += 1) words.push(wordOf(await gate.send(sign("github", "github", gate.secrets.GITHUB_SECRET, body, { id: freshId() }))));
    assert.deepEqual(words, ["accepted", "duplicate", "duplicate"]);
  });
});

describe("secrets of a source", () => {
  test("both secrets of a rotation are live, and the record says which one matched", async () => {
    for (const name of ["ROTATION_SECRET", "ROTATION_SECRET_OLD"]) {
      const answer = await gate.send(signed("rotation", freshId(), { secret: gate.secrets[name] }));
      assert.equal(answer.json.status, "accepted");
      assert.equal((await gate.verdict(answer)).key_id, name);
    }
    const answer = await gate.send(signed("rotation", freshId(), { secret: gate.secrets.CUSTOM_SECRET }));
    assert.equal(answer.status, 401, "with all secrets there, a mismatch is the sender's");
  });

  test("a source's secret opens no other source, and one event under two tenants is two", async () => {
    const id = freshId();
    assert.equal((await gate.send(signed("neighbour", id, { secret: gate.secrets.CUSTOM_SECRET }))).status, 401);
    assert.equal((await gate.send(signed("custom", id))).json.status, "accepted");
    assert.equal((await gate.send(signed("neighbour", id))).json.status, "accepted");
    const tenants = (await gate.backend.wait(id, 2)).map(({ headers }) => headers["hookgate-tenant"]);
    assert.deepEqual(tenants.sort(), ["demo", "other"]);
  });

  test("two doors of one group have one memory", async () => {
    const id = freshId();
    assert.equal((await gate.send(signed("group-a", id))).json.status, "accepted");
    assert.equal((await gate.send(signed("group-b", id))).json.status, "duplicate");
  });

  test("observe mode records the verdict, takes nothing and asks to come again", async () => {
    const event = shopEvent(gate, "observed");
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await gate.send(event);
      assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"]);
      const line = await gate.verdict(answer);
      assert.deepEqual([line.verdict, line.key_id, line.identity], ["observed", "OBSERVED_SECRET", "signed-id"]);
    }
    assert.equal((await gate.send({ ...event, body: `${event.body} ` })).status, 401);
    assert.equal(gate.backend.of(event.id).length, 0);
  });
});

describe("statuses", () => {
  test("unknown sources are 404, and other paths too", async () => {
    for (const target of ["/hooks/none", "/hooks/", "/hooks", "/", "/administrator", "/health", "/healthz/"]) {
      const answer = await gate.send({ ...shopEvent(gate), target });
      assert.equal(answer.status, 404, target);
      assert.equal((await gate.verdict(answer)).reason, "unknown_source");
    }
  });

  test("methods that deliver nothing are 405 and name the one that does", async () => {
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]) {
      const answer = await gate.send({ ...shopEvent(gate), method, body: "" });
      assert.deepEqual([answer.status, answer.headers.allow], [405, "POST"], method);
    }
    const answer = await gate.send({ method: "POST", target: "/hooks/koogallery-v1?authToken=x" });
    assert.deepEqual([answer.status, answer.json.resultCode], [200, "000001"], "KooGallery reads 200 only");
  });

  test("refusals are problem+json, not cached, and carry the request id", async () => {
    const event = shopEvent(gate);
    const stale = shopEvent(gate, "custom", { at: Date.now() - 301_000 - 999 });
    for (const [request, status, kind] of [
      [{ ...event, target: "/hooks/none" }, 404, "not-found"],
      [{ ...event, method: "GET", body: "" }, 405, "method-not-allowed"],
      [shopEvent(gate, "small", { padding: "x".repeat(1_000) }), 413, "too-large"],
      [{ ...event, headers: [["x-shop-timestamp", "1"], ["x-shop-signature", "nonsense"]] }, 400, "malformed"],
      [stale, 401, "not-verified"],
    ]) {
      const answer = await gate.send(request);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.deepEqual(Object.keys(answer.json).sort(), ["request_id", "status", "title", "type"]);
      assert.deepEqual([answer.json.type, answer.json.status, answer.json.request_id], [`urn:hookgate:problem:${kind}`, status, answer.requestId]);
    }
  });

  test("whatever is refused after the MAC is answered alike", async () => {
    const event = shopEvent(gate);
    const reasons = {
      signature_mismatch: { ...event, body: `${event.body} ` },
      stale: shopEvent(gate, "custom", { at: Date.now() - 302_000 }),
      from_future: shopEvent(gate, "custom", { at: Date.now() + 62_000 }),
    };
    const answers = [];
    for (const [reason, request] of Object.entries(reasons)) {
      const answer = await gate.send(request);
      assert.equal((await gate.verdict(answer)).reason, reason);
      answers.push(JSON.stringify([answer.status, answer.headers, answer.text]).replaceAll(answer.requestId, "ID"));
    }
    assert.equal(new Set(answers).size, 1, answers.join("\n"));
  });

  test("freshness is judged to the second on both sides", async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    for (const [at, status] of [[now - 298_000, 200], [now - 302_000, 401], [now + 58_000, 200], [now + 63_000, 401]]) {
      assert.equal((await gate.send(shopEvent(gate, "custom", { at }))).status, status, `${(at - now) / 1000} s`);
    }
  });
});

describe("sizes", () => {
  const CAP = 1_000; // of source small, in sources.toml
  const BODY_BYTES_LIMIT = 1_048_576;

  function eventOf(bytes, source = "small", secret = "SMALL_SECRET") {
    const id = freshId();
    const frame = JSON.stringify({ id, event: "sized", pad: "" });
    const body = JSON.stringify({ id, event: "sized", pad: "x".repeat(bytes - frame.length) });
    assert.equal(body.length, bytes);
    return { id, ...sign(source, sources[source].scheme, gate.secrets[secret], body, { id }) };
  }
  const inChunks = (event) => ({ ...event, chunks: event.body.match(/.{1,300}/gs) });

  // Where a body is hashed by WebCrypto, where it is read in steps, and where those end.
  for (const bytes of [8_191, 8_192, 16_384, 16_385, 65_536, 90_000]) {
    test(`a body of ${bytes} bytes is judged by its last byte, under each secret`, async () => {
      for (const [source, secret] of ["standard-webhooks", "github", "rotation"].flatMap((source) => sources[source].secrets.map((secret) => [source, secret]))) {
        const event = eventOf(bytes, source, secret);
        const forged = await gate.send({ ...event, body: `${event.body.slice(0, -1)}]` });
        assert.deepEqual([forged.status, (await gate.verdict(forged)).reason], [401, "signature_mismatch"]);
        const answer = await gate.send(event);
        assert.equal(answer.status, 200, answer.text);
        assert.equal((await gate.verdict(answer)).key_id, secret);
        const [delivery] = await gate.backend.wait(event.id);
        assert.equal(delivery.body.toString(), event.body);
      }
    });
  }

  test("a body of exactly the cap is taken, declared or in chunks", async () => {
    for (const event of [eventOf(CAP), inChunks(eventOf(CAP))]) {
      const answer = await gate.send(event);
      assert.equal(answer.status, 200, answer.text);
      const [delivery] = await gate.backend.wait(event.id);
      assert.equal(delivery.body.toString(), event.body);
    }
  });

  test("one byte more is 413 and leaves no trace in any store", async () => {
    const before = await gate.remembered();
    for (const event of [eventOf(CAP + 1), inChunks(eventOf(CAP + 1)), inChunks(eventOf(50_000))]) {
      const answer = await gate.send(event);
      assert.equal(answer.status, 413);
      const line = await gate.verdict(answer);
      assert.deepEqual([line.reason, line.evidence_value, line.dedup_key], ["body_too_large", CAP, undefined]);
      assert.equal(gate.backend.of(event.id).length, 0);
    }
    // A sender that goes on writing may find the connection closed before it has read the answer.
    const endless = inChunks(eventOf(2_000_000));
    const answer = await gate.send(endless).catch((error) => error);
    assert.ok(answer.status === 413 || ["EPIPE", "ECONNRESET"].includes(answer.code), `${answer.status} ${answer.code}`);
    assert.equal(gate.backend.of(endless.id).length, 0);
    assert.deepEqual(await gate.remembered(), before);
  });

  test("the largest body of all fits on the queue with 16 kB of headers, and arrives byte for byte", async () => {
    const id = freshId();
    const body = randomBytes(BODY_BYTES_LIMIT);
    const extra = Array.from({ length: 60 }, (_, index) => [`x-github-extra-${index}`, "h".repeat(250)]);
    const request = sign("github", "github", gate.secrets.GITHUB_SECRET, body, { id, headers: extra });
    assert.equal((await gate.send(request)).json?.status, "accepted");
    const [delivery] = await gate.backend.wait(id);
    assert.deepEqual(delivery.body, body);
    const over = sign("github", "github", gate.secrets.GITHUB_SECRET, randomBytes(BODY_BYTES_LIMIT + 1));
    assert.equal((await gate.send(over)).status, 413);
  });

  test("headers that do not fit are dropped, never the event", async () => {
    const id = freshId();
    const body = JSON.stringify({ id });
    const extra = Array.from({ length: 90 }, (_, index) => [`x-github-extra-${index}`, "h".repeat(800)]);
    assert.equal((await gate.send(sign("github", "github", gate.secrets.GITHUB_SECRET, body, { id, headers: extra }))).status, 200);
    const [{ headers }] = await gate.backend.wait(id);
    const carried = Object.keys(headers).filter((name) => name.startsWith("x-github-extra-")).length;
    assert.ok(carried > 0 && carried < 90, `${carried} carried`);
    assert.equal(headers["content-type"], "application/json");
  });

  test("of too many headers the signature is not the one that is dropped", async () => {
    const id = freshId();
    const body = JSON.stringify({ id });
    const extra = Array.from({ length: 90 }, (_, index) => [`x-github-extra-${index}`, "h".repeat(800)]);
    await gate.send(sign("github", "github", gate.secrets.GITHUB_SECRET, body, { id, headers: extra }));
    const [{ headers }] = await gate.backend.wait(id);
    assert.match(headers["x-hub-signature-256"] ?? "", /^sha256=/, "the backend's own SDK cannot verify");
  });

  test("a compressed body is carried as it is", async () => {
    const id = freshId();
    const body = gzipSync(JSON.stringify({ id, text: "a".repeat(5_000) }));
    const request = sign("github", "github", gate.secrets.GITHUB_SECRET, body, { id, headers: [["content-encoding", "gzip"]] });
    assert.equal((await gate.send(request)).json?.status, "accepted");
    const [delivery] = await gate.backend.wait(id);
    assert.deepEqual(delivery.body, body);
    assert.equal(delivery.headers["content-encoding"], "gzip");
  });
});

describe("health", () => {
  const health = (of) => of.send({ method: "GET", target: "/healthz" });

  test("200, and not a word about sources", async () => {
    const answer = await health(gate);
    assert.deepEqual([answer.status, answer.text], [200, '{"status":"ok"}']);
  });

  test("503 when a binding, a delivery secret or a destination's address is missing", async () => {
    const missing = ["SEEN", "EVENTS", "DEAD_LETTERS", "ARCHIVE", "LEDGER", "DELIVERY_SECRET", "BACKEND_URL"];
    await Promise.all(
      missing.map(async (name) => {
        const lame = await startGate({ without: [name], backend: gate.backend });
        try {
          const answer = await health(lame);
          assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"], name);
          for (const source of Object.keys(sources)) assert.ok(!answer.text.includes(source));
          // Whichever is missing, there is a place left to hold an event.
          assert.equal((await lame.send(shopEvent(lame))).status, 200, name);
          if (name === "SEEN") await lame.line({ event: "alarm", what: "memory_unwritten" });
        } finally {
          await lame.stop();
        }
      }),
    );
  });
});
