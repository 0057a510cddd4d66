// Events whose content is too long for a message: it is kept in R2, and the message has the claim check.
import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ROOT, startGate } from "./support/gate.mjs";
import { freshId, sign, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const BODY_BYTES_LIMIT = 1_048_576;

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const contents = async () => (await gate.archived()).filter((key) => key.startsWith("claim/"));
const bucket = () => gate.mf.getR2Bucket("ARCHIVE");

/** An event that no message can hold, at a source of the custom scheme. */
function longEvent(source = "steady", { id = freshId(), bytes = 200_000 } = {}) {
  const frame = JSON.stringify({ id, event: "long", pad: "" });
  const body = Buffer.from(frame.replace('""', `"${randomBytes(bytes).toString("base64").slice(0, bytes - frame.length)}"`));
  assert.equal(body.length, bytes);
  const scheme = source.endsWith("hasty") ? "hasty" : "my-shop";
  return { id, ...sign(source, scheme, gate.secrets[`${source.toUpperCase().replaceAll("-", "_")}_SECRET`], body, { id }) };
}

async function expect(request, status, wanted = {}) {
  const answer = await gate.send(request);
  assert.deepEqual([answer.status, answer.json?.status], [200, status], answer.text);
  const line = await gate.verdict(answer);
  for (const [name, value] of Object.entries(wanted)) assert.equal(line[name], value, name);
  return answer;
}

/** What the backend got once, byte for byte and under our signature. */
async function delivered({ id, body }) {
  const [{ headers, body: got }, ...more] = await gate.backend.wait(id);
  assert.deepEqual(more, []);
  assert.ok(Buffer.compare(got, Buffer.from(body)) === 0, "not byte for byte");
  assert.equal(headers["content-length"], String(got.length));
  const key = Buffer.from(gate.secrets.DELIVERY_SECRET.replace("whsec_", ""), "base64");
  const text = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), got]);
  assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", key).update(text).digest("base64")}`);
  return headers;
}

for (const source of ["steady", "exact"]) {
  describe(`a long content, source ${source}`, () => {
    test("is kept under a random name, and arrives byte for byte", async () => {
      const before = await contents();
      for (const bytes of [96_000, 200_000, BODY_BYTES_LIMIT]) {
        const event = longEvent(source, { bytes });
        await expect(event, "accepted", { held_at: source === "exact" ? "ledger" : "queue", body_bytes: bytes });
        const headers = await delivered(event);
        assert.equal(headers["content-type"], "application/json");
      }
      const kept = (await contents()).filter((key) => !before.includes(key));
      assert.equal(kept.length, 3);
      const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
      for (const key of kept) assert.match(key, new RegExp(`^claim/demo/${source}/${today}/[0-9a-f]{32}$`));
    });

    test("one byte more than the largest body is 413, and nothing is kept", async () => {
      const before = await contents();
      const answer = await gate.send(longEvent(source, { bytes: BODY_BYTES_LIMIT + 1 }));
      assert.deepEqual([answer.status, (await gate.verdict(answer)).evidence_value], [413, BODY_BYTES_LIMIT]);
      assert.deepEqual(await contents(), before);
    });

    test("a copy of it is a duplicate, and writes nothing", async () => {
      const event = longEvent(source);
      await expect(event, "accepted");
      await delivered(event);
      const before = await contents();
      for (let turn = 0; turn < 3; turn += 1) await expect(event, "duplicate", { memory: "seen" });
      assert.deepEqual(await contents(), before);
      await delivered(event);
    });

    test("a forged one is 401, and nothing is kept", async () => {
      const before = await contents();
      const event = longEvent(source);
      event.body[event.body.length - 10] ^= 1;
      assert.equal((await gate.send(event)).status, 401);
      assert.deepEqual(await contents(), before);
    });

    test("R2 fails: 503, nothing is held, and the sender's retry is taken", async () => {
      for (const fault of ["ARCHIVE.put=fail", "ARCHIVE.put=lost", "ARCHIVE.put=hang"]) {
        const event = longEvent(source);
        const answer = await gate.send(under(event, fault));
        assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"], fault);
        assert.equal((await gate.verdict(answer)).reason, "content_unkept");
        assert.equal(gate.backend.of(event.id).length, 0);
        await expect(event, "accepted");
        await delivered(event);
      }
    });

    test("the memories fail: it goes on without them", async () => {
      const event = longEvent(source);
      await expect(under(event, "SEEN.get=fail,LEDGER.ask.seek=fail"), "accepted", { memory: "failed" });
      await delivered(event);
    });

    test("queue and ledger fail: the spool has the message, and the cron brings it", async () => {
      const event = longEvent(source);
      await expect(under(event, "EVENTS.send=fail,LEDGER.ask.arrive=fail"), "accepted", { held_at: "spool" });
      assert.equal((await gate.spooled()).length, 1);
      await gate.tick();
      await delivered(event);
    });

    test("the queue fails, or the ledger: the detour has it", async () => {
      const event = longEvent(source);
      const [down, other] = source === "exact" ? ["LEDGER.ask.arrive=fail", "queue"] : ["EVENTS.send=fail", "ledger"];
      await expect(under(event, down), "accepted", { held_at: other });
      await delivered(event);
    });

    test("all holds fail: 503, and what was put is named by nothing", async () => {
      const event = longEvent(source);
      const faults = "EVENTS.send=fail,LEDGER.ask.arrive=fail";
      const before = await contents();
      // The third hold is R2 as well: only its second put fails.
      const answer = await gate.send(under(event, `${faults},ARCHIVE.put=refuse:specversion`));
      assert.equal(answer.status, 503, answer.text);
      assert.equal((await contents()).length, before.length + 1);
      await expect(event, "accepted");
      await delivered(event);
    });
  });
}

describe("every scheme", () => {
  test("a canonical form of a mebibyte travels as that form", async () => {
    const body = JSON.stringify({ z: 1, orderId: freshId(), orderLineId: "1", activity: "refundInstance", pad: "p".repeat(700_000) });
    const request = sign("koogallery", "koogallery-v2", gate.secrets.KOOGALLERY_SECRET, body);
    const answer = await gate.send(request);
    assert.equal(answer.json?.resultCode, "000000", answer.text);
    const delivery = await until(() => gate.backend.deliveries.find(({ headers }) => headers["hookgate-request-id"] === answer.requestId), "its delivery");
    assert.equal(delivery.body.toString(), JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body)).sort())));
  });

  test("three hundred kilobytes of noise under every header scheme", async () => {
    for (const [source, scheme] of [["github", "github"], ["standard-webhooks", "standard-webhooks"], ["svix", "svix"], ["stripe", "stripe"]]) {
      const event = { id: freshId(), body: randomBytes(300_000) };
      const request = sign(source, scheme, gate.secrets[`${source.toUpperCase().replaceAll("-", "_")}_SECRET`], event.body, { id: event.id });
      const answer = await gate.send(request);
      assert.equal(answer.json?.status, "accepted", answer.text);
      const delivery = await until(() => gate.backend.deliveries.find(({ headers }) => headers["hookgate-request-id"] === answer.requestId), "its delivery");
      assert.ok(Buffer.compare(delivery.body, event.body) === 0);
    }
  });
});

describe("the consumer", () => {
  /** An event that the backend has refused, and so the message that it travelled in. */
  async function died(source = "steady") {
    const event = longEvent(source);
    gate.backend.plan(event.id, 400);
    const answer = await gate.send(event);
    assert.equal(answer.json?.status, "accepted", answer.text);
    const letter = await until(async () => (await gate.letters()).find(({ request_id: by }) => by === answer.requestId), "its letter");
    return { ...event, letter, message: JSON.parse((await gate.admin(`/${letter.id}`)).json.message) };
  }
  /** The same under a key that the ledger does not know. */
  const anew = (message, changes = {}) => {
    const id = freshId();
    return { id, text: JSON.stringify({ ...message, id, dedupkey: id.slice(4).padEnd(64, "0"), ...changes }) };
  };

  test("a content that is missing is never delivered: an alarm, and a dead letter", async () => {
    const { message } = await died();
    const { id, text } = anew(message, { dataref: `${message.dataref}0` });
    await gate.consume([text]);
    await gate.line({ event: "alarm", what: "content_missing" });
    const letter = await until(async () => (await gate.letters()).find(({ event_id: of }) => of === id), "its letter");
    assert.equal(letter.reason, "content_missing");
    assert.equal(gate.backend.of(id).length, 0);
    assert.equal((await gate.admin(`/${letter.id}/content`)).status, 404);
    const redriven = await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    assert.deepEqual([redriven.status, redriven.json.type], [422, "urn:hookgate:problem:content-missing"]);
  });

  test("a content that is not the one that was kept is never delivered", async () => {
    const { message } = await died();
    for (const change of [Buffer.from("another"), Buffer.alloc(message.databytes)]) {
      const key = `claim/demo/steady/20260101/${freshId()}`;
      await (await bucket()).put(key, change);
      const { id, text } = anew(message, { dataref: key });
      await gate.consume([text]);
      const letter = await until(async () => (await gate.letters()).find(({ event_id: of }) => of === id), "its letter");
      assert.equal(letter.reason, "content_altered");
      assert.equal(gate.backend.of(id).length, 0);
      await gate.line({ event: "alarm", what: "content_altered" });
    }
  });

  test("while R2 does not answer the event waits, and no attempt at the backend is made", async () => {
    const { message, body } = await died();
    const { id, text } = anew(message);
    // Without the slow queue, so that it is this message that comes again.
    await gate.faults("ARCHIVE.get=fail,EVENTS_SLOW.send=fail");
    const { retryMessages, explicitAcks } = await gate.consume([text]);
    await gate.faults("");
    assert.deepEqual([retryMessages.length, explicitAcks.length], [1, 0]);
    assert.equal(gate.backend.of(id).length, 0);
    await gate.consume([text], { attempts: 2 });
    await delivered({ id, body });
  });

  test("a backend that is late gets it again, whole", async () => {
    const event = longEvent();
    gate.backend.plan(event.id, 503);
    await expect(event, "accepted");
    const [first, second] = await gate.backend.wait(event.id, 2);
    assert.deepEqual([first.body.length, Buffer.compare(first.body, second.body)], [event.body.length, 0]);
  });

  test("a dead letter has the content copied out, and is shown, and sent again under a fresh name", async () => {
    const { id, body, letter, message } = await died();
    assert.equal(letter.body_bytes, body.length);
    assert.ok((await gate.archived()).includes(`dead-content/${letter.id}`));
    // Where it came from its life may end.
    await (await bucket()).delete(message.dataref);

    const child = spawn("bash", [join(ROOT, "scripts", "dead"), "--url", gate.url, "show", letter.id, "--body"], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: gate.secrets.HOOKGATE_ADMIN_TOKEN } });
    const parts = [];
    child.stdout.on("data", (part) => parts.push(part));
    assert.deepEqual(await once(child, "close"), [0, null]);
    assert.ok(Buffer.compare(Buffer.concat(parts), body) === 0, "shown otherwise");

    const answer = await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    assert.equal(answer.status, 202, answer.text);
    const [dying, redriven] = await gate.backend.wait(id, 2);
    assert.ok(Buffer.compare(redriven.body, body) === 0);
    assert.deepEqual([redriven.headers["webhook-id"], redriven.headers["hookgate-run"]], [dying.headers["webhook-id"], "1"]);
    assert.equal((await contents()).includes(message.dataref), false);
  });

  test("without a content of its own a letter shows none", async () => {
    const id = freshId();
    gate.backend.plan(id, 400);
    const answer = await gate.send(sign("github", "github", gate.secrets.GITHUB_SECRET, JSON.stringify({ id }), { id }));
    const letter = await until(async () => (await gate.letters()).find(({ request_id: by }) => by === answer.requestId), "its letter");
    assert.equal((await gate.admin(`/${letter.id}/content`)).status, 404);
    assert.equal((await gate.admin(`/${letter.id}/content`, { token: "x" })).status, 401);
  });
});
