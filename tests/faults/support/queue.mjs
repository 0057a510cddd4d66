// A queue that keeps what it took: a process of its own, one file, and no answer before the file is on the disk.
//
// It stands in for the platform's queues, because miniflare's are gone after a kill and never run two consumers at
// once. Like the platform's, it brings messages in no order, several batches at a time, some of them twice; repeats
// after a delay what was to be retried; brings again what a consumer died with; and moves what was retried too often
// to the dead-letter queue, where there is one.
//
//   node queue.mjs '{"file":…, "port":…, "seed":…, "queues":{"NAME":{"deadLetterQueue":…}}, "maxRetries":…}'
//
//   POST /send/NAME      [{ "body": …, "delaySeconds": … }]  204, or 429 while it is overloaded
//   GET  /metrics/NAME   what the binding's metrics() tells
//   POST /control        { "target": URL of the gate, "overloaded": boolean, "aheadMs": number, "paused": boolean }
//   GET  /state          { "ready", "delayed", "inFlight" }, by queue

import { closeSync, existsSync, fdatasync, openSync, readFileSync, writeSync } from "node:fs";
import { createServer, request as httpRequest, Agent } from "node:http";
import { promisify } from "node:util";
import { chance } from "./random.mjs";

const { file, port, seed, queues, maxRetries, plant } = JSON.parse(process.argv[2]);
const BATCHES_AT_ONCE = 8;
const BATCH_MESSAGES = 10;
/** A batch that is not answered by then comes again. */
const VISIBILITY_MS = 12_000;
/** Of what was acknowledged, so much is brought again all the same: at least once is all that a queue promises. */
const BROUGHT_AGAIN = 0.03;
/** After a consumer that could not be reached, or died. */
const PAUSE_MS = 150;

const random = chance(seed);
const setting = { target: undefined, overloaded: false, aheadMs: 0, paused: false };
const now = () => Date.now() + setting.aheadMs;

/** By queue and id. `at`: not before. */
const messages = new Map(Object.keys(queues).map((name) => [name, new Map()]));
const batchesOf = new Map(Object.keys(queues).map((name) => [name, 0]));
let nextId = 1;

// ---- the file -------------------------------------------------------------------------------------

/** One step of a message's life; the file is all of them. */
function apply({ op, queue, id, body, at, attempts }) {
  const held = messages.get(queue);
  if (op === "put") held.set(id, { id, body, at, attempts, inFlight: false, sentAt: at });
  else if (op === "wait") Object.assign(held.get(id) ?? {}, { at, attempts, inFlight: false });
  else if (op === "drop") held.delete(id);
  nextId = Math.max(nextId, Number(id) + 1);
}

if (existsSync(file)) {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    // The last line of a killed process may be torn; nobody was told of it.
    try {
      apply(JSON.parse(line));
    } catch {
      continue;
    }
  }
}
const descriptor = openSync(file, "a");
writeSync(descriptor, "\n");
const sync = promisify(fdatasync);
let unwritten = [];
let writing;

/** Resolves when the steps are on the disk, and applied. Several callers share one write. */
function record(...steps) {
  unwritten.push(...steps);
  writing ??= Promise.resolve().then(flush);
  return writing;
}

async function flush() {
  const steps = unwritten;
  unwritten = [];
  writing = undefined;
  writeSync(descriptor, steps.map((step) => `${JSON.stringify(step)}\n`).join(""));
  await sync(descriptor);
  for (const step of steps) apply(step);
  turn();
}

const freshId = () => String(nextId++);

function accept(queue, list) {
  const puts = list.map(({ body, delaySeconds = 0 }) => ({ op: "put", queue, id: freshId(), body, at: now() + delaySeconds * 1000, attempts: 0 }));
  if (plant !== "queue-answers-first") return record(...puts);
  // Nothing reaches the disk before the process dies, in the worst case.
  for (const step of puts) apply(step);
  turn();
}

// ---- consumers ------------------------------------------------------------------------------------

const agent = new Agent({ keepAlive: false });

/** Begins as many batches as there may be. */
function turn() {
  if (setting.target === undefined || setting.paused) return;
  for (const [queue, held] of messages) {
    let ready = random.shuffled([...held.values()].filter((message) => !message.inFlight && message.at <= now()));
    while (ready.length > 0 && batchesOf.get(queue) < BATCHES_AT_ONCE) {
      const size = 1 + random.below(BATCH_MESSAGES);
      void bring(queue, ready.slice(0, size));
      ready = ready.slice(size);
    }
  }
}
setInterval(turn, 25);

async function bring(queue, batch) {
  batchesOf.set(queue, batchesOf.get(queue) + 1);
  for (const message of batch) message.inFlight = true;
  if (plant === "queue-forgets-at-dispatch") await record(...batch.map(({ id }) => ({ op: "drop", queue, id })));
  const asked = {
    queue,
    messages: batch.map(({ id, body, sentAt, attempts }) => ({ id, body, at: sentAt, attempts: attempts + 1 })),
  };
  const outcome = await consume(asked);
  batchesOf.set(queue, batchesOf.get(queue) - 1);
  await record(...batch.flatMap((message) => after(queue, message, outcome)));
}

function after(queue, message, { reached, settled }) {
  const { id, body } = message;
  // Nobody was there: that is no attempt.
  if (!reached) return [{ op: "wait", queue, id, at: now() + PAUSE_MS, attempts: message.attempts }];
  const decided = settled?.[id];
  if (decided?.ack) {
    const again = random.is(BROUGHT_AGAIN);
    return again ? [{ op: "wait", queue, id, at: now() + random.below(2_000), attempts: message.attempts }] : [{ op: "drop", queue, id }];
  }
  const attempts = message.attempts + 1;
  const { deadLetterQueue } = queues[queue];
  if (attempts <= maxRetries || deadLetterQueue === undefined) {
    return [{ op: "wait", queue, id, at: now() + (decided?.delaySeconds ?? 0) * 1000 + PAUSE_MS, attempts }];
  }
  return [
    { op: "put", queue: deadLetterQueue, id: freshId(), body, at: now(), attempts: 0 },
    { op: "drop", queue, id },
  ];
}

/** What the gate decided, by message. Not reached: nobody listened. Undecided: it died, or took too long. */
function consume(asked) {
  return new Promise((resolve) => {
    let reached = false;
    const outgoing = httpRequest(new URL("/-/queue", setting.target), { method: "POST", agent }, async (answer) => {
      try {
        let text = "";
        for await (const part of answer) text += part;
        resolve({ reached: true, settled: answer.statusCode === 200 ? JSON.parse(text) : undefined });
      } catch {
        resolve({ reached: true });
      }
    });
    outgoing.on("socket", (socket) => socket.once("connect", () => (reached = true)));
    outgoing.on("error", () => resolve({ reached }));
    outgoing.setTimeout(VISIBILITY_MS, () => outgoing.destroy());
    outgoing.end(JSON.stringify(asked));
  });
}

// ---- the binding's side -----------------------------------------------------------------------------

function state() {
  const count = (held, is) => [...held.values()].filter(is).length;
  return Object.fromEntries(
    [...messages].map(([name, held]) => [
      name,
      {
        ready: count(held, ({ at, inFlight }) => !inFlight && at <= now()),
        delayed: count(held, ({ at, inFlight }) => !inFlight && at > now()),
        inFlight: count(held, ({ inFlight }) => inFlight),
      },
    ]),
  );
}

const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const [, what, name] = request.url.split("/");
  const answer = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(value === undefined ? undefined : JSON.stringify(value));
  switch (what) {
    case "send":
      if (setting.overloaded) return answer(429);
      await accept(name, JSON.parse(text));
      return answer(204);
    case "metrics": {
      const held = [...messages.get(name).values()];
      const oldest = held.reduce((oldest, { sentAt }) => Math.min(oldest, sentAt), Infinity);
      const bytes = held.reduce((bytes, { body }) => bytes + body.length, 0);
      return answer(200, { backlogCount: held.length, backlogBytes: bytes, oldestMessageTimestamp: held.length === 0 ? 0 : oldest });
    }
    case "control":
      Object.assign(setting, JSON.parse(text));
      turn();
      return answer(204);
    case "state":
      return answer(200, state());
    default:
      return answer(404);
  }
});
server.listen(port, "127.0.0.1", () => process.send?.("listening"));
// Nobody is to be left behind by a harness that was killed.
process.on("disconnect", () => {
  closeSync(descriptor);
  process.exit();
});
