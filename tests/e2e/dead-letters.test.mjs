// The operator's door: who may use it, what it shows, what survives a restart, and sending again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startBackend } from "./support/backend.mjs";
import { ROOT, startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { freshId, shopEvent, sign } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
const secrets = freshSecrets();
let backend;
let gate;
before(async () => {
  backend = await startBackend();
  gate = await startGate({ secrets, keep, backend });
});
after(async () => {
  await gate.stop();
  backend.stop();
  rmSync(keep, { recursive: true, force: true });
});

/** An event that the backend refuses once: its id, body and letter. */
async function died({ body = JSON.stringify({ id: freshId(), note: "Zürich" }), id = freshId() } = {}) {
  backend.plan(id, 400);
  const answer = await gate.send(sign("github", "github", secrets.GITHUB_SECRET, body, { id, type: "push" }));
  assert.equal(answer.json?.status, "accepted", answer.text);
  const letter = await until(async () => (await gate.letters()).find(({ request_id: by }) => by === answer.requestId), "its letter");
  return { id, body: Buffer.from(body), letter, requestId: answer.requestId };
}

/** Runs ./scripts/dead to its end. */
async function dead(...args) {
  const child = spawn("bash", [join(ROOT, "scripts", "dead"), "--url", gate.url, ...args], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: secrets.HOOKGATE_ADMIN_TOKEN } });
  const out = [];
  const err = [];
  child.stdout.on("data", (part) => out.push(part));
  child.stderr.on("data", (part) => err.push(part));
  const [code] = await once(child, "close");
  return { code, bytes: Buffer.concat(out), out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

describe("the door", () => {
  const PATHS = ["", "/raw-0000", "/raw-0000/redrive", "/../../../healthz"];

  test("without an operator it is not there", async () => {
    const absent = await startGate({ secrets, without: ["ADMINS"], backend });
    const broken = await startGate({ secrets, variables: { ADMINS: secrets.ADMINS.slice(0, -1) }, backend });
    try {
      for (const [closed, token] of [[absent, secrets.HOOKGATE_ADMIN_TOKEN], [absent, ""], [broken, secrets.HOOKGATE_ADMIN_TOKEN]]) {
        for (const path of PATHS.slice(0, 3)) assert.equal((await closed.admin(path, { token })).status, 404, path);
      }
      await broken.line({ event: "alarm", what: "admins_unreadable", detail: "1" });
    } finally {
      await Promise.all([absent.stop(), broken.stop()]);
    }
  });

  test("on another host than ADMIN_HOST it is not there", async () => {
    const hosted = await startGate({ secrets, variables: { ADMIN_HOST: "admin.example" }, backend });
    try {
      assert.equal((await hosted.admin()).status, 404);
    } finally {
      await hosted.stop();
    }
  });

  test("401 for every other token, and a notice without it", async () => {
    const { HOOKGATE_ADMIN_TOKEN: token } = secrets;
    for (const wrong of [null, "", "x", token.slice(1), `${token}x`, token.toLowerCase(), ` ${token}x`, "é".repeat(10), randomBytes(32).toString("base64url")]) {
      const answer = await gate.admin("", { token: wrong === "é".repeat(10) ? Buffer.from(wrong).toString("latin1") : wrong });
      assert.deepEqual([answer.status, answer.headers["www-authenticate"]], [401, "Bearer"], wrong);
      await gate.line({ event: "notice", what: "admin_refused", request_id: answer.requestId });
    }
    const basic = await gate.send({ method: "GET", target: "/admin/v1/dead-letters", headers: [["authorization", `Basic ${Buffer.from(`admin:${token}`).toString("base64")}`]] });
    assert.equal(basic.status, 401);
    const inQuery = await gate.send({ method: "GET", target: `/admin/v1/dead-letters?token=${token}` });
    assert.equal(inQuery.status, 401);
  });

  test("ids and methods that are none are 404", async () => {
    for (const path of ["/none", "/../secrets", "/%2e%2e%2fseen", "/RAW-0000", "/dead%2Fx", `/${"a".repeat(5_000)}`, "/a/b", "/raw-0000/redrive/again"]) {
      assert.equal((await gate.admin(path)).status, 404, path);
      assert.equal((await gate.admin(`${path}/redrive`, { method: "POST" })).status, 404, path);
    }
    for (const method of ["DELETE", "PUT", "PATCH"]) assert.equal((await gate.admin("", { method })).status, 404, method);
    for (const cursor of ["nonsense", "%zz", ""]) assert.ok([200, 400, 503].includes((await gate.admin(`?cursor=${cursor}`)).status));
  });
});

describe("letters", () => {
  test("listed in pages, each once", async () => {
    const texts = Array.from({ length: 45 }, () => `not a message ${freshId()}`);
    assert.equal((await gate.consume(texts)).explicitAcks.length, texts.length);
    await until(async () => (await gate.archived()).length >= texts.length, "45 letters");
    const first = await gate.admin();
    assert.equal(first.json.dead_letters.length, 20);
    assert.equal(typeof first.json.cursor, "string");
    const ids = (await gate.letters()).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, (await gate.archived()).length);
    // The same message again is the same letter.
    await gate.consume(texts.slice(0, 5));
    await sleep(200);
    assert.equal((await gate.archived()).length, ids.length);
  });

  test("one is shown byte for byte, with reason, attempts and what is known of its event", async () => {
    const { id, body, letter, requestId } = await died({ body: randomBytes(2_000) });
    const { event_id, source, tenant, type, reason, attempts, last_status, body_bytes, redriven_at, died_at } = letter;
    assert.deepEqual({ event_id, source, tenant, type, reason, attempts, last_status, body_bytes, redriven_at }, { event_id: id, source: "github", tenant: "demo", type: "push", reason: "rejected_by_backend", attempts: 1, last_status: 400, body_bytes: 2_000, redriven_at: null });
    assert.ok(Math.abs(Date.parse(died_at) - Date.now()) < 10_000);
    const { json } = await gate.admin(`/${letter.id}`);
    const message = JSON.parse(json.message);
    assert.deepEqual(Buffer.from(message.data_base64, "base64"), body);
    assert.deepEqual([message.requestid, message.run], [requestId, 0]);
  });

  test("what one cannot send: a letter that is no event is 422, the archive's failure 503", async () => {
    const [{ id }] = (await gate.letters()).filter(({ reason }) => reason === "unreadable");
    assert.equal((await gate.admin(`/${id}/redrive`, { method: "POST" })).status, 422);
    const failing = (path, method, faults) =>
      gate.send({ method, target: `/admin/v1/dead-letters${path}`, headers: [["authorization", `Bearer ${secrets.HOOKGATE_ADMIN_TOKEN}`], ["x-test-fault", faults]] });
    assert.equal((await failing("", "GET", "ARCHIVE.list=fail")).status, 503);
    assert.equal((await failing(`/${id}`, "GET", "ARCHIVE.get=fail")).status, 503);
    const { letter } = await died();
    assert.equal((await failing(`/${letter.id}/redrive`, "POST", "ARCHIVE.put=fail")).status, 503, "what cannot be marked is not sent");
    assert.equal((await gate.admin(`/${letter.id}`)).json.redriven_at, null);
    assert.equal((await failing(`/${letter.id}/redrive`, "POST", "EVENTS.send=fail")).status, 503);
    assert.equal((await gate.admin(`/${letter.id}/redrive`, { method: "POST" })).status, 409, "marked before it was sent");
    assert.equal((await gate.admin(`/${letter.id}/redrive`, { method: "POST", body: '{"again":true}' })).status, 202);
    await backend.wait(letter.event_id, 2);
  });
});

describe("sending again", () => {
  test("the same webhook-id and body, as the next run; a second time only when asked for", async () => {
    const { id, body, letter } = await died();
    const first = await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    assert.deepEqual([first.status, first.json], [202, { status: "redriven", id: letter.id, run: 1 }]);
    const [dying, redriven] = await backend.wait(id, 2);
    assert.equal(redriven.headers["webhook-id"], dying.headers["webhook-id"]);
    assert.deepEqual([redriven.headers["hookgate-run"], redriven.headers["hookgate-attempt"]], ["1", "1"]);
    assert.deepEqual(redriven.body, body);
    assert.equal(redriven.headers["x-hub-signature-256"], dying.headers["x-hub-signature-256"]);

    for (const refused of ["", "{}", '{"again":false}', '{"again":"true"}', "[]", "not json"]) {
      const second = await gate.admin(`/${letter.id}/redrive`, { method: "POST", body: refused });
      assert.deepEqual([second.status, second.json.type], [409, "urn:hookgate:problem:already-redriven"], refused);
    }
    const again = await gate.admin(`/${letter.id}/redrive`, { method: "POST", body: '{"again":true}' });
    assert.deepEqual([again.status, again.json.run], [202, 2]);
    assert.equal((await backend.wait(id, 3))[2].headers["hookgate-run"], "2");
    const shown = (await gate.admin(`/${letter.id}`)).json;
    assert.ok(Date.parse(shown.redriven_at) > 0);
    assert.equal(JSON.parse(shown.message).run, 0, "the letter keeps the message as it died");
  });

  test("an event that dies in a second run leaves a second letter", async () => {
    const { id, letter } = await died();
    backend.plan(id, 410);
    await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    const second = await until(async () => (await gate.letters()).find((other) => other.event_id === id && other.id !== letter.id), "the second letter");
    assert.equal(second.last_status, 410);
    const [key, run] = letter.id.split("-");
    assert.deepEqual([run, second.id.split("-").slice(0, 2)], ["0", [key, "1"]]);
    await gate.admin(`/${second.id}/redrive`, { method: "POST" });
    assert.equal((await backend.wait(id, 3))[2].headers["hookgate-run"], "2");
  });

  test("a redriven event is still a duplicate at the door", async () => {
    const event = shopEvent(gate);
    backend.plan(event.id, 400);
    await gate.send(event);
    const letter = await until(async () => (await gate.letters()).find(({ event_id: id }) => id === event.id), "its letter");
    await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    assert.equal((await gate.send(event)).json.status, "duplicate");
    assert.equal((await backend.wait(event.id, 2)).length, 2);
  });
});

describe("sending again what is not dead any more", () => {
  const refusal = async ({ id }) => {
    const { status, json } = await gate.admin(`/${id}/redrive`, { method: "POST" });
    return [status, json.type?.replace("urn:hookgate:problem:", "")];
  };
  const insist = ({ id }) => gate.admin(`/${id}/redrive`, { method: "POST", body: '{"again":true}' });

  /** A letter whose event its provider has brought again, under `faults`, with these next attempts. */
  async function revived(faults, ...plan) {
    const event = shopEvent(gate, "exact");
    backend.plan(event.id, 400, ...plan);
    await gate.send(event);
    const letter = await until(async () => (await gate.letters()).find(({ event_id: id }) => id === event.id), "its letter");
    await gate.faults(faults);
    assert.equal((await gate.verdict(await gate.send(event))).verdict, "revived");
    return { ...event, letter };
  }

  test("while the backend has it in hand: refused, and delivered once", async () => {
    const { id, letter } = await revived("", { status: 200, afterMs: 700 });
    await backend.wait(id, 2);
    const answer = await gate.admin(`/${letter.id}/redrive`, { method: "POST" });
    assert.deepEqual([answer.status, answer.json.type], [409, "urn:hookgate:problem:being-delivered"]);
    assert.match(answer.json.detail, /at most \d+ seconds/);
    await gate.line({ event: "delivery", event_id: id, result: "delivered" });
    assert.deepEqual(await refusal(letter), [409, "already-delivered"]);
    await sleep(300);
    assert.equal(backend.of(id).length, 2);
  });

  test("held, or between two attempts: refused, and delivered once", async () => {
    const { id, letter } = await revived("EVENTS.send=fail,EVENTS.sendBatch=fail", 500);
    assert.deepEqual(await refusal(letter), [409, "on-its-way"]);
    await gate.faults("");
    await gate.tick();
    await gate.line({ event: "delivery", event_id: id, result: "retry" });
    assert.deepEqual(await refusal(letter), [409, "on-its-way"]);
    await gate.line({ event: "delivery", event_id: id, result: "delivered" });
    assert.deepEqual((await backend.wait(id, 3)).map(({ headers }) => headers["hookgate-run"]), ["0", "1", "1"]);
    assert.equal((await gate.admin(`/${letter.id}`)).json.redriven_at, null, "what was not sent is not marked");
  });

  test("delivered meanwhile: refused, unless the operator insists", async () => {
    const { id, letter } = await revived("");
    await gate.line({ event: "delivery", event_id: id, result: "delivered" });
    assert.deepEqual(await refusal(letter), [409, "already-delivered"]);
    const again = await insist(letter);
    assert.deepEqual([again.status, again.json.run], [202, 2]);
    assert.equal((await backend.wait(id, 3))[2].headers["hookgate-run"], "2");
  });

  test("./scripts/dead says what becomes of it, and how to insist", async () => {
    const { id, letter } = await revived("");
    await gate.line({ event: "delivery", event_id: id, result: "delivered" });
    const refused = await dead("redrive", letter.id);
    assert.notEqual(refused.code, 0);
    assert.match(refused.err, /409 .*has it.*--again/);
    assert.equal((await dead("redrive", letter.id, "--again")).code, 0);
    await backend.wait(id, 3);
  });
});

describe("after a restart of the runtime", () => {
  test("letters and memory are there, byte for byte, and ./scripts/dead lists, shows and sends them", async () => {
    const event = shopEvent(gate);
    await gate.send(event);
    const { id, body, letter } = await died({ body: Buffer.concat([Buffer.from("{\"a\":\"\u001b[31m"), randomBytes(200)]) });
    const before = (await gate.admin(`/${letter.id}`)).text;
    await gate.stop();
    gate = await startGate({ secrets, keep, backend });
    assert.equal((await gate.admin(`/${letter.id}`)).text, before);
    assert.equal((await gate.send(event)).json.status, "duplicate");

    const listed = await dead("list");
    assert.equal(listed.code, 0, listed.err);
    assert.ok(listed.out.includes(letter.id) && listed.out.includes("rejected_by_backend"), listed.out);
    assert.match(listed.out, /\d+ dead letters\n$/);
    const shown = await dead("show", letter.id);
    assert.equal(shown.code, 0, shown.err);
    assert.deepEqual(JSON.parse(shown.out), JSON.parse(before));
    const shownBody = await dead("show", letter.id, "--body");
    assert.equal(shownBody.code, 0, shownBody.err);
    assert.deepEqual(shownBody.bytes, body);

    const redriven = await dead("redrive", letter.id);
    assert.equal(redriven.code, 0, redriven.err);
    assert.match(redriven.out, /run 1/);
    assert.equal((await backend.wait(id, 2))[1].headers["hookgate-run"], "1");
    const second = await dead("redrive", letter.id);
    assert.notEqual(second.code, 0);
    assert.match(second.err, /409/);
    const again = await dead("redrive", letter.id, "--again");
    assert.equal(again.code, 0, again.err);
    assert.equal((await backend.wait(id, 3))[2].headers["hookgate-run"], "2");
    assert.notEqual((await dead("show", "raw-none")).code, 0);
  });
});
