// How long an answer takes at a fixed rate. The times to send at are planned in advance, and a wait counts
// from the planned time: a contender that falls behind cannot slow the questions down (no coordinated
// omission).
import { ROWS } from "../rows.mjs";
import { AnswerReader, open, write } from "../support/generator.mjs";
import { bytesOf, request } from "../support/requests.mjs";
import { expectation, rotated, withContenders } from "../support/rounds.mjs";
import { percentile } from "../support/statistics.mjs";
import { ms, table } from "../support/tables.mjs";

const PER_SECOND = 500;
const SECONDS = 4;
const ROUNDS = 8;
const CONNECTIONS = 24;
const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99, "p99.9": 0.999 };
const NAMES = ["gate", "js-careful", "js-read-body", "js-nothing", "npm-tern"];
const ROW = ROWS.find(({ name }) => name === "accepted-1k");

export const latency = {
  async measure(setting) {
    const { texts, options, say } = setting;
    const waits = Object.fromEntries(NAMES.map((name) => [name, []]));
    await withContenders(NAMES, setting, async (running) => {
      const requests = Array.from({ length: 32 }, () => bytesOf(request(ROW, texts)));
      for (const name of NAMES) await running[name].load.send(requests, 4_000, expectation(name, ROW, true));
      for (let round = 0; round < (options.rounds ?? ROUNDS); round += 1) {
        for (const name of rotated(NAMES, round))
          waits[name].push(...(await openLoop(running[name].port, requests, expectation(name, ROW, false))));
      }
    });
    const result = { perSecond: PER_SECOND, answers: waits.gate.length, ms: {}, bars: [] };
    for (const name of NAMES)
      result.ms[name] = Object.fromEntries(
        Object.entries(SHARES).map(([share, value]) => [share, percentile(waits[name], value)]),
      );
    say(
      `latency: ${NAMES.map((name) => `${name} p50 ${ms(result.ms[name].p50)} ms, p99 ${ms(result.ms[name].p99)} ms`).join("; ")}`,
    );
    return result;
  },
  draw: (result) =>
    table(
      ["ms", ...Object.keys(SHARES)],
      Object.entries(result.ms).map(([name, values]) => [name, ...Object.values(values).map(ms)]),
    ),
};

/** The waits for each answer, in milliseconds from the planned time. */
async function openLoop(port, requests, { status }) {
  const idle = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  const sockets = [...idle];
  const total = PER_SECOND * SECONDS;
  const begun = performance.now() + 20;
  const plannedAt = (index) => begun + (index * 1_000) / PER_SECOND;
  const waiting = [];
  const waits = [];
  return new Promise((resolve, reject) => {
    const end = (error) => {
      for (const socket of sockets) socket.removeAllListeners("close").destroy();
      if (error === undefined) resolve(waits);
      else reject(error);
    };
    const ask = (socket, index) => {
      socket.planned = plannedAt(index);
      write(socket, requests[index % requests.length]);
    };
    for (const socket of sockets) {
      const reader = new AnswerReader();
      socket.once("close", () => end(new Error("the connection was closed")));
      socket.on("data", (part) => {
        const answer = reader.push(part);
        if (answer === undefined) return;
        waits.push(performance.now() - socket.planned);
        if (answer.status !== status) return end(new Error(`a wrong answer: ${answer.status}`));
        if (waits.length === total) return end();
        if (waiting.length > 0) ask(socket, waiting.shift());
        else idle.push(socket);
      });
    }
    let index = 0;
    // Looking at the clock all the time: a timer would be late by up to a millisecond.
    const tick = () => {
      for (; index < total && performance.now() >= plannedAt(index); index += 1) {
        if (idle.length > 0) ask(idle.pop(), index);
        else waiting.push(index);
      }
      if (index < total) setImmediate(tick);
    };
    tick();
  });
}
