// What requests may take that have proved nothing: room, and time (guarantees.md, G7).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { BODY_MS, Budget, NO_ROOM, Reading, SMALL_BYTES_MAX, TOO_LARGE, UNVERIFIED_BYTES_MAX } from "../../src/edge/intake.mjs";
import { settled } from "../../src/edge/patience.mjs";
import { startGate } from "./support/gate.mjs";
import { shopEvent, sign } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const MEGABYTE = 1_048_576;
/** Waits for as long as it takes. */
const PATIENT = { outcomeOf: settled };

describe("the budget", () => {
  test("small bodies have half to themselves, and no source has more than a quarter of either", () => {
    const budget = new Budget();
    const taken = (source, bytes, isLarge) => {
      let count = 0;
      while (budget.take(source, bytes, isLarge)) count += 1;
      return count * bytes;
    };
    assert.equal(taken(1, MEGABYTE, true), UNVERIFIED_BYTES_MAX / 4);
    assert.equal(taken(2, MEGABYTE, true), UNVERIFIED_BYTES_MAX / 4);
    assert.equal(taken(3, MEGABYTE, true), 0, "two sources have the half of the large ones");
    assert.equal(taken(1, 65_536, false), UNVERIFIED_BYTES_MAX / 4, "small ones of the same source have their own");
    assert.equal(taken(4, 65_536, false), UNVERIFIED_BYTES_MAX / 4);
    assert.equal(taken(5, 1, false), 0);
    assert.deepEqual([budget.bytes, budget.peak], [UNVERIFIED_BYTES_MAX, UNVERIFIED_BYTES_MAX]);
    budget.give(2, MEGABYTE, true);
    assert.equal(taken(3, MEGABYTE, true), MEGABYTE);
  });

  test("what is taken is given back, whatever becomes of the body", async () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const budget = new Budget();
      const random = randomBytes(8);
      const length = random.readUInt32LE() % (3 * SMALL_BYTES_MAX);
      const cap = random[4] < 200 ? MEGABYTE : length >> 1;
      const declares = random[5] < 128;
      // Another body fills the budget up to a point somewhere in this one.
      const room = random[6] < 128 ? UNVERIFIED_BYTES_MAX : random.readUInt16LE(6) * 2;
      for (let source = 100, left = UNVERIFIED_BYTES_MAX - room; left > 0; source += 1) {
        const share = Math.min(left, UNVERIFIED_BYTES_MAX / 4);
        assert.ok(budget.take(source, share, false));
        left -= share;
      }
      const before = budget.bytes;
      const body = randomBytes(length);
      const request = requestOf(body, declares);
      const around = [random[7] % 3, random[3] % 3];
      const reading = new Reading(request, request.headers.get("content-length"), arrivalOf(cap, around), budget);
      const got = (await reading.outcome(PATIENT)).value;
      if (length > cap) assert.ok([TOO_LARGE, NO_ROOM].includes(got) || (length <= 16_384 && declares));
      else if (got !== NO_ROOM) {
        assert.deepEqual(Buffer.from(got), body);
        assert.ok(budget.bytes - before >= length, "not counted whole");
        assert.ok(budget.bytes - before <= 5 * length + 16_384, "counted by far more than it is");
        if (declares && length > 16_384) assert.deepEqual([got.byteOffset, got.buffer.byteLength], [around[0], around[0] + length + around[1]]);
      } else assert.ok(5 * length + 16_384 >= room, `no room for ${length} in ${room}`);
      reading.end();
      assert.equal(budget.bytes, before, `seed ${random.toString("hex")}`);
      reading.end();
      assert.equal(budget.bytes, before, "given back twice");
    }
  });

  test("a request without a body takes nothing", async () => {
    const budget = new Budget();
    const reading = new Reading({ body: null }, null, arrivalOf(MEGABYTE), budget);
    assert.equal((await reading.outcome(PATIENT)).value.byteLength, 0);
    reading.end();
    assert.equal(budget.bytes, 0);
  });

  test("what a request holds that the platform ended is given back when it could not be alive any more", async (context) => {
    context.mock.timers.enable({ apis: ["Date"] });
    const budget = new Budget();
    for (let number = 0; number < 4; number += 1) {
      const stalled = requestOf(Buffer.alloc(MEGABYTE), true, { stallAt: 70_000 });
      void new Reading(stalled, String(MEGABYTE), arrivalOf(MEGABYTE), budget).outcome(PATIENT);
    }
    await sleep(50);
    const held = budget.bytes;
    assert.equal(held, 4 * (16_384 + 262_144));
    while (budget.take(7, 65_536, true));
    context.mock.timers.tick(BODY_MS);
    assert.equal(budget.take(7, 65_536, true), false, "a body may take so long");
    context.mock.timers.tick(10_001);
    const before = budget.bytes;
    assert.equal(budget.take(7, 65_536, true), true);
    assert.equal(budget.bytes, before - held + 65_536);
  });

  test("a body is counted as it comes, not as it declares", async () => {
    for (const [length, stalls] of [
      [null, 65_536],
      [String(MEGABYTE), 262_144],
    ]) {
      const budget = new Budget();
      const request = requestOf(Buffer.alloc(MEGABYTE), true, { stallAt: 70_000 });
      const reading = new Reading(request, length, arrivalOf(MEGABYTE), budget);
      void reading.outcome(PATIENT);
      await sleep(50);
      assert.equal(budget.bytes, 16_384 + stalls, "the first step, and the one that stalls");
      reading.end();
      assert.deepEqual([budget.bytes, request.cancelled], [0, true]);
    }
  });

  test("a body that ends before its length is as long as it is", async () => {
    const budget = new Budget();
    const reading = new Reading(requestOf(Buffer.alloc(50_000, 0x2a), false), "60000", arrivalOf(MEGABYTE, [3, 2]), budget);
    const { value } = await reading.outcome(PATIENT);
    assert.deepEqual(Buffer.from(value), Buffer.alloc(50_000, 0x2a));
    reading.end();
    assert.equal(budget.bytes, 0);
  });
});

/** What `Reading` asks an arrival for. */
const arrivalOf = (bodyBytesMax, roomAround = [0, 0]) => ({ sourceNumber: 7, bodyBytesMax, roomAround });

/** A request as far as `Reading` looks at it; its stream has workerd's `readAtLeast`. */
function requestOf(body, declares, { stallAt = Infinity } = {}) {
  let offset = 0;
  const request = {
    headers: new Headers(declares ? { "content-length": String(body.length) } : {}),
    bytes: async () => new Uint8Array(body),
    cancelled: false,
    body: {
      getReader: () => ({
        async readAtLeast(_count, view) {
          if (offset + view.length > stallAt) return new Promise(() => {});
          const part = body.subarray(offset, offset + view.length);
          offset += part.length;
          view.set(part);
          return { value: view.subarray(0, part.length), done: part.length === 0 };
        },
        cancel: async () => void (request.cancelled = true),
      }),
    },
  };
  return request;
}

describe("the gate", () => {
  let gate;
  before(async () => (gate = await startGate()));
  after(() => gate.stop());

  /** A forged upload that declares a mebibyte, sends most of it, and then a byte now and then. */
  function drip(source, sent = 900_000) {
    const socket = connect(Number(new URL(gate.url).port), "127.0.0.1");
    const { headers } = sign(source, "my-shop", "not the secret", "{}");
    const head = [`POST /hooks/${source} HTTP/1.1`, "host: gate", `content-length: ${MEGABYTE}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
    const upload = { answer: "", closed: false, startedMs: Date.now() };
    socket.on("data", (part) => {
      upload.answer += part;
      upload.answeredMs ??= Date.now() - upload.startedMs;
    });
    socket.on("error", () => {});
    socket.on("close", () => (upload.closed = true));
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.write(Buffer.alloc(sent, 0x20));
    const more = setInterval(() => socket.write(" "), 500);
    upload.stop = () => {
      clearInterval(more);
      socket.destroy();
    };
    return upload;
  }

  test("thirty forged uploads of a mebibyte drip in, and genuine events are taken", async () => {
    const uploads = [...Array(15).fill("custom"), ...Array(15).fill("steady")].map((source) => drip(source));
    try {
      await until(() => uploads.some(({ answer }) => answer !== ""), "an upload that finds no room");
      for (const source of ["custom", "steady", "exact"]) {
        for (let turn = 0; turn < 10; turn += 1) {
          const event = shopEvent(gate, source, { pad: "p".repeat(900) });
          const answer = await gate.send(event);
          assert.equal(answer.status, 200, answer.text);
        }
      }
      const refused = uploads.filter(({ answer }) => answer !== "");
      assert.ok(refused.length >= 18 && refused.length < 30, `${refused.length} of 30 found no room`);
      for (const { answer } of refused) {
        assert.match(answer, /^HTTP\/1\.1 503 /);
        assert.match(answer, /retry-after: 10/i);
      }
      const { json } = await gate.send({ method: "GET", target: "/-/intake" });
      assert.ok(json.bytes > 8 * MEGABYTE && json.peak <= UNVERIFIED_BYTES_MAX / 2 + MEGABYTE, JSON.stringify(json));
      assert.equal(gate.lines({ reason: "no_room", verdict: "unavailable" }).length, refused.length);

      // What is left of them takes too long, and is cut off.
      await until(() => uploads.every(({ answer, closed }) => answer !== "" && closed), "their ends", BODY_MS + 10_000);
      const slow = uploads.filter((upload) => !refused.includes(upload));
      for (const { answer, answeredMs } of slow) {
        assert.match(answer, /^HTTP\/1\.1 503 /);
        assert.match(answer, /retry-after: 10/i);
        assert.ok(answeredMs >= BODY_MS - 100 && answeredMs < BODY_MS + 3_000, `after ${answeredMs} ms`);
      }
      assert.equal(gate.lines({ reason: "body_too_slow" }).length, slow.length);
      assert.equal((await gate.send({ method: "GET", target: "/-/intake" })).json.bytes, 0, "not all was given back");
    } finally {
      for (const upload of uploads) upload.stop();
    }
  });

  test("a small body that never comes to its end is cut off as well", async () => {
    const socket = connect(Number(new URL(gate.url).port), "127.0.0.1");
    let text = "";
    socket.on("data", (part) => (text += part));
    socket.on("error", () => {});
    const { headers } = shopEvent(gate);
    const head = ["POST /hooks/custom HTTP/1.1", "host: gate", "content-length: 100", ...headers.map(([name, value]) => `${name}: ${value}`)];
    socket.write(`${head.join("\r\n")}\r\n\r\n{`);
    const others = gate.lines({ reason: "body_too_slow" }).length;
    // Whoever comes before that changes nothing.
    await sleep(BODY_MS - 1_000);
    await gate.send(shopEvent(gate));
    await sleep(300);
    assert.equal(text, "");
    await sleep(1_000);
    assert.equal((await gate.send(shopEvent(gate))).status, 200);
    await until(() => text !== "", "an answer");
    assert.match(text, /^HTTP\/1\.1 503 [^]*retry-after: 10/i);
    await until(() => gate.lines({ reason: "body_too_slow", verdict: "unavailable" }).length === others + 1, "its verdict");
    assert.equal((await gate.send({ method: "GET", target: "/-/intake" })).json.bytes, 0);
    socket.destroy();
  });

  test("senders who leave take nothing with them", async () => {
    const uploads = [...Array(6).fill("custom"), ...Array(6).fill("steady")].map((source) => drip(source));
    const held = async () => (await gate.send({ method: "GET", target: "/-/intake" })).json.bytes;
    await until(async () => (await held()) > 4 * MEGABYTE, "uploads that are held");
    for (const upload of uploads) upload.stop();
    await until(async () => (await held()) === 0, "what they held to be given back", BODY_MS + 10_000);
  });

  test("nothing is counted any more when it is over, however it ended", async () => {
    const event = shopEvent(gate, "custom", { pad: "p".repeat(90_000) });
    const forged = { ...event, body: `${event.body} ` };
    const inChunks = (request) => ({ ...request, chunks: request.body.match(/.{1,9000}/gs) });
    for (const request of [event, forged, inChunks(forged), inChunks(shopEvent(gate)), shopEvent(gate), { ...event, body: "x".repeat(2 * MEGABYTE) }]) await gate.send(request);
    assert.equal((await gate.send({ method: "GET", target: "/-/intake" })).json.bytes, 0);
  });
});
