// Five hundred copies at once, twenty times, on each road (guarantees.md, G3 and G4).
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { shopEvent } from "./support/sign.mjs";
import { sleep, until } from "./support/wait.mjs";

const EVENTS = 20;
const COPIES = 500;
/** As long as a second delivery takes to show itself, once nothing waits any more. */
const A_WHILE_MS = 500;

let gate;
const agent = new Agent({ keepAlive: true, maxSockets: COPIES });
before(async () => (gate = await startGate()));
after(async () => {
  agent.destroy();
  await gate.stop();
});

/** One copy: the status in its answer. Connections are kept: opening them would take longer than the storm. */
function send({ method, target, headers, body }) {
  const { hostname, port } = new URL(gate.url);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ agent, hostname, port, method, path: target, headers: Object.fromEntries(headers) }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      assert.equal(answer.statusCode, 200);
      resolve(JSON.parse(Buffer.concat(parts)).status);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function storm(source, t) {
  const started = Date.now();
  const admitted = [];
  const ids = [];
  for (let turn = 0; turn < EVENTS; turn += 1) {
    const event = shopEvent(gate, source);
    const answers = await Promise.all(Array.from({ length: COPIES }, () => send(event)));
    const accepted = answers.filter((status) => status === "accepted").length;
    assert.equal(accepted + answers.filter((status) => status === "duplicate").length, COPIES);
    admitted.push(accepted);
    ids.push(event.id);
  }
  const ms = Date.now() - started;
  for (const id of ids) await gate.backend.wait(id);
  // The copies that were admitted are behind them in the queue.
  await until(async () => {
    await gate.tick();
    return gate.lines({ event: "backlog", at: "queue" }).at(-1).messages === 0;
  }, "an empty queue", 60_000);
  await sleep(A_WHILE_MS);
  for (const id of ids) assert.equal(gate.backend.of(id).length, 1, `deliveries of ${id}`);
  t.diagnostic(`${source}: ${EVENTS} events, ${COPIES} copies each in ${ms} ms; admitted ${admitted.join(" ")}; delivered once each`);
  return admitted;
}

test("ledger road: one of five hundred is accepted, and delivered", async (t) => {
  for (const accepted of await storm("exact", t)) assert.equal(accepted, 1);
});

// Copies in flight pass KV together: a stated limit. The ledger removes them before the backend.
test("KV road: more may be accepted, and one is delivered", async (t) => {
  for (const accepted of await storm("steady", t)) assert.ok(accepted >= 1);
});
