// Bodies that are too long to be read whole: they go into R2 while they are verified, and are an object only if they are.
import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { Budget, NO_ROOM } from "../../src/edge/intake.mjs";
import { STREAM_MS, Upload } from "../../src/edge/upload.mjs";
import { startGate } from "./support/gate.mjs";
import { freshId, shopEvent, sign, under } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const MEGABYTE = 1_048_576;
const STREAM_BYTES_LIMIT = 26_214_400;
const SOURCES = { streamed: "github", "streamed-exact": "standard-webhooks" };
const SECRETS = { streamed: "STREAMED_SECRET", "streamed-exact": "STREAMED_EXACT_SECRET" };

let gate;
/** A gate of its own, because it waits for as long as the other tests take. */
let patient;
let stalled;
before(async () => {
  [gate, patient] = await Promise.all([startGate(), startGate()]);
  stalled = Object.keys(SOURCES).map(stall);
});
after(() => Promise.all([gate.stop(), patient.stop()]));

const contents = async () => (await gate.archived()).filter((key) => key.startsWith("claim/"));
const intake = async () => (await gate.send({ method: "GET", target: "/-/intake" })).json;

function longEvent(source, bytes, { id = freshId(), secret = gate.secrets[SECRETS[source]], at } = {}) {
  return { id, ...sign(source, SOURCES[source], secret, randomBytes(bytes), { id, at }) };
}
const forged = (event) => {
  const body = Buffer.from(event.body);
  body[body.length - 1] ^= 1;
  return { ...event, body };
};

async function expect(request, status, wanted = {}) {
  const answer = await gate.send(request);
  assert.deepEqual([answer.status, answer.json?.status], [200, status], answer.text);
  const line = await gate.verdict(answer);
  for (const [name, value] of Object.entries(wanted)) assert.equal(line[name], value, name);
  return answer;
}

async function delivered({ body }, answer) {
  const delivery = await until(() => gate.backend.deliveries.find(({ headers }) => headers["hookgate-request-id"] === answer.requestId), "its delivery");
  assert.equal(Buffer.compare(delivery.body, body), 0, "not byte for byte");
  const { headers } = delivery;
  assert.equal(headers["content-length"], String(body.length));
  const key = Buffer.from(gate.secrets.DELIVERY_SECRET.replace("whsec_", ""), "base64");
  const mac = createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`).update(body).digest("base64");
  assert.equal(headers["webhook-signature"], `v1,${mac}`);
  return delivery;
}

const deliveries = (answer) => gate.backend.deliveries.filter(({ headers }) => headers["hookgate-request-id"] === answer.requestId).length;

/** Sends three of four megabytes, and then nothing more. */
function stall(source) {
  const { headers, body } = sign(source, SOURCES[source], patient.secrets[SECRETS[source]], randomBytes(4 * MEGABYTE));
  const upload = { answer: "", began: Date.now(), answeredMs: undefined };
  const socket = connect(Number(new URL(patient.url).port), "127.0.0.1");
  socket.on("error", () => {}); // the gate breaks off what it will not read
  socket.on("data", (part) => {
    upload.answer += part;
    upload.answeredMs ??= Date.now() - upload.began;
  });
  socket.write([`POST /hooks/${source} HTTP/1.1`, "host: gate", `content-length: ${body.length}`, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n"));
  socket.write(body.subarray(0, 3 * MEGABYTE));
  return upload;
}

for (const source of Object.keys(SOURCES)) {
  describe(`source ${source}`, () => {
    test("twenty megabytes arrive byte for byte, and never lie in memory", async () => {
      const before = await contents();
      await intake();
      const event = longEvent(source, 20 * MEGABYTE);
      const answer = await expect(event, "accepted", { body_bytes: 20 * MEGABYTE });
      await delivered(event, answer);
      assert.equal((await contents()).length, before.length + 1);
      const { bytes, peak } = await intake();
      assert.equal(bytes, 0);
      assert.ok(peak <= 2 * 65_536, `${peak} bytes at once`);
    });

    test("a copy is a duplicate, and keeps nothing", async () => {
      const event = longEvent(source, 3 * MEGABYTE);
      const answer = await expect(event, "accepted");
      await delivered(event, answer);
      const before = await contents();
      await expect(event, "duplicate", { memory: "seen", content_differs: undefined });
      assert.deepEqual(await contents(), before);
      assert.equal(deliveries(answer), 1);
    });

    test("twenty forged megabytes are 401, and leave no object", async () => {
      const before = await gate.archived();
      const event = longEvent(source, 20 * MEGABYTE);
      const answer = await gate.send(forged(event));
      assert.equal(answer.status, 401);
      const line = await gate.verdict(answer);
      assert.deepEqual([line.reason, line.dedup_key], ["signature_mismatch", undefined]);
      await sleep(300);
      assert.deepEqual(await gate.archived(), before);
      assert.equal((await intake()).bytes, 0);
    });

    test("a length just over what is read whole, and the longest", async () => {
      for (const bytes of [MEGABYTE + 1, MEGABYTE + 65_536, STREAM_BYTES_LIMIT]) {
        const event = longEvent(source, bytes);
        await delivered(event, await expect(event, "accepted"));
      }
    });

    test("one byte more is 413 before anything is read, and so is what declares no length", async () => {
      const before = await gate.archived();
      const tooLong = longEvent(source, STREAM_BYTES_LIMIT + 1);
      const answer = await gate.send({ ...tooLong, headers: [...tooLong.headers, ["content-length", String(STREAM_BYTES_LIMIT + 1)]], body: "" }).catch((error) => error);
      if (answer.status !== undefined) assert.equal(answer.status, 413);
      const event = longEvent(source, 2 * MEGABYTE);
      const chunked = await gate.send({ ...event, chunks: [event.body.subarray(0, MEGABYTE), event.body.subarray(MEGABYTE)] }).catch((error) => error);
      assert.ok(chunked.status === 413 || ["EPIPE", "ECONNRESET"].includes(chunked.code), `${chunked.status} ${chunked.code}`);
      assert.deepEqual(await gate.archived(), before);
    });

    test("what breaks off is not admitted, and leaves no object", async () => {
      const before = await gate.archived();
      const { headers, body } = longEvent(source, 4 * MEGABYTE);
      const socket = connect(Number(new URL(gate.url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write([`POST /hooks/${source} HTTP/1.1`, "host: gate", `content-length: ${body.length}`, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n"));
      socket.write(body.subarray(0, 3 * MEGABYTE));
      await sleep(500);
      assert.ok((await intake()).bytes > 0, "nothing is under way");
      socket.destroy();
      await until(async () => (await intake()).bytes === 0, "its end");
      await sleep(300);
      assert.deepEqual(await gate.archived(), before);
    });

    test("R2 fails: 503 and not held; the sender's retry is taken", async () => {
      for (const fault of ["ARCHIVE.put=fail", "ARCHIVE.put=lost"]) {
        const event = longEvent(source, 3 * MEGABYTE);
        const answer = await gate.send(under(event, fault));
        assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"], fault);
        assert.equal((await gate.verdict(answer)).reason, "content_unkept", fault);
        await delivered(event, await expect(event, "accepted"));
      }
      assert.equal((await intake()).bytes, 0);
    });

    test("queue and ledger fail: the spool has the message; all fail: 503", async () => {
      const event = longEvent(source, 3 * MEGABYTE);
      const down = "EVENTS.send=fail,LEDGER.ask.arrive=fail";
      const refused = await gate.send(under(event, `${down},ARCHIVE.put=refuse:specversion`));
      assert.equal(refused.status, 503, refused.text);
      const answer = await expect(under(event, down), "accepted", { held_at: "spool" });
      await gate.tick();
      await delivered(event, answer);
    });
  });
}

test("the older of two secrets is as good, and a stale stamp is not", async () => {
  const event = longEvent("streamed", 2 * MEGABYTE, { secret: gate.secrets.STREAMED_SECRET_OLD });
  const answer = await expect(event, "accepted", { key_id: "STREAMED_SECRET_OLD" });
  await delivered(event, answer);
  const before = await gate.archived();
  const stale = longEvent("streamed-exact", 2 * MEGABYTE, { at: Date.now() - 3_600_000 });
  const late = await gate.send(stale);
  assert.deepEqual([late.status, (await gate.verdict(late)).reason], [401, "stale"]);
  await sleep(200);
  assert.deepEqual(await gate.archived(), before);
});

test("many at once, genuine and forged: each gets its own end", async () => {
  const events = Array.from({ length: 8 }, (_, index) => longEvent(index % 2 ? "streamed" : "streamed-exact", 5 * MEGABYTE));
  const answers = await Promise.all(events.map((event, index) => gate.send(index % 4 < 2 ? event : forged(event))));
  assert.deepEqual(answers.map(({ status }) => status), events.map((_, index) => (index % 4 < 2 ? 200 : 401)));
  for (const [index, event] of events.entries()) if (index % 4 < 2) await delivered(event, answers[index]);
  const { bytes, peak } = await intake();
  assert.equal(bytes, 0);
  assert.ok(peak <= 12 * MEGABYTE, `${peak}`);
  // Other sources do not mind.
  await expect(shopEvent(gate), "accepted");
});

describe("what lies in memory of a body that goes by", () => {
  const { DigestStream, FixedLengthStream } = { DigestStream: crypto.DigestStream, FixedLengthStream: globalThis.FixedLengthStream };
  before(() => {
    // workerd's own, as far as an upload needs them.
    crypto.DigestStream = class extends WritableStream {
      constructor(name) {
        const hash = createHash(name.replace("-", ""));
        let resolve;
        const digest = new Promise((settle) => (resolve = settle));
        super({ write: (chunk) => void hash.update(chunk), close: () => resolve(hash.digest()) });
        this.digest = digest;
      }
    };
    globalThis.FixedLengthStream = class extends TransformStream {
      constructor() {
        super({}, { highWaterMark: 0 }, { highWaterMark: 0 });
      }
    };
  });
  after(() => {
    crypto.DigestStream = DigestStream;
    globalThis.FixedLengthStream = FixedLengthStream;
  });

  /** Sends `length` bytes through; R2 takes them as slowly as `pace` says. */
  async function goBy(length, { budget = new Budget(), pace = () => undefined } = {}) {
    const seen = { read: 0, passed: 0, most: 0, ended: undefined };
    const note = () => (seen.most = Math.max(seen.most, seen.read - seen.passed));
    const bucket = {
      async put(_key, readable) {
        try {
          for await (const chunk of readable) {
            await pace();
            seen.passed += chunk.byteLength;
          }
          seen.ended = "kept";
        } catch (error) {
          seen.ended = "refused";
          throw error;
        }
      },
    };
    const body = {
      getReader: () => ({
        async readAtLeast(_count, view) {
          seen.read += view.byteLength;
          note();
          return { value: view, done: false };
        },
        cancel: async () => {},
      }),
    };
    const upload = new Upload(7, bucket, { key: "k", length, texts: [["SHA-256", new Uint8Array(), new Uint8Array()]] }, budget);
    return { seen, upload, budget, hashes: await upload.read(body) };
  }

  test("two chunks at most, and all but the last one has gone when it is judged", async () => {
    for (const length of [STREAM_BYTES_LIMIT, MEGABYTE + 1, 65_536 * 20, 65_536 * 20 + 1]) {
      for (const pace of [undefined, () => new Promise((resolve) => setImmediate(resolve))]) {
        const { seen, upload, budget, hashes } = await goBy(length, { pace });
        assert.equal(Buffer.compare(hashes[0], createHash("sha256").update(Buffer.alloc(length)).digest()), 0);
        assert.ok(seen.most <= 3 * 65_536, `${seen.most} bytes at once`);
        assert.equal(seen.read, length);
        const last = length % 65_536 || 65_536;
        await sleep(0);
        assert.ok(seen.passed <= length - last, "the last chunk was let go");
        assert.equal(budget.bytes, 2 * 65_536);
        await upload.commit();
        assert.deepEqual([seen.passed, seen.ended], [length, "kept"]);
        upload.end();
        assert.equal(budget.bytes, 0);
      }
    }
  });

  test("what is not committed is refused by what takes it", async () => {
    const { seen, upload, budget } = await goBy(2 * MEGABYTE);
    upload.end();
    await until(() => seen.ended !== undefined, "the end of the put");
    assert.deepEqual([seen.ended, budget.bytes], ["refused", 0]);
  });

  test("without room nothing is begun", async () => {
    const budget = new Budget();
    while (budget.take(7, 65_536, true));
    const { seen, upload, hashes } = await goBy(2 * MEGABYTE, { budget });
    assert.deepEqual([hashes, seen.read], [NO_ROOM, 0]);
    const before = budget.bytes;
    upload.end();
    assert.equal(budget.bytes, before);
  });
});

test("a body that stops on its way is cut off with 503, and leaves no object", async () => {
  await until(() => stalled.every(({ answer }) => answer !== ""), "their answers", STREAM_MS + 10_000);
  for (const { answer, answeredMs } of stalled) {
    assert.match(answer, /^HTTP\/1\.1 503 [^]*retry-after: 10/i);
    assert.ok(answeredMs >= STREAM_MS - 100 && answeredMs < STREAM_MS + 3_000, `after ${answeredMs} ms`);
  }
  await until(() => patient.lines({ reason: "body_too_slow", verdict: "unavailable" }).length === stalled.length, "their verdicts");
  assert.equal((await patient.send({ method: "GET", target: "/-/intake" })).json.bytes, 0, "not all was given back");
  await sleep(300);
  assert.deepEqual(await patient.archived(), []);
});
