// Contenders in alternating rounds. In each round every contender gets the same number of requests, and
// what counts is the ratio of the processor time it took to the base's in that round: whatever makes the
// machine slow for a while hits both.
import { CONTENDERS } from "../contenders.mjs";
import { load } from "./generator.mjs";
import { VERDICTS, bytesOf, request } from "./requests.mjs";
import { startWorkerd } from "./workerd.mjs";

/** Distinct requests of one round, sent in turn. */
const REQUESTS = 32;
const REQUESTS_BYTES_MAX = 4_000_000;

/** About a quarter of a second of work. */
const countFor = (bytes) => (bytes <= 2_048 ? 2_000 : bytes <= 32_768 ? 1_200 : bytes <= 300_000 ? 300 : 80);

const rotated = (list, by) => list.map((_, index) => list[(index + by) % list.length]);

/** What a contender must answer in this row. */
export const expected = (name, row) => CONTENDERS[name].answers?.(row.verdict) ?? VERDICTS[row.verdict];

/** Starts these contenders, runs `body` with them by name, and stops them. */
export async function withContenders(names, texts, cores, body) {
  const running = {};
  try {
    for (const name of names) running[name] = await startWorkerd(CONTENDERS[name], texts, { core: cores?.measured });
    return await body(running);
  } finally {
    await Promise.all(Object.values(running).map(({ stop }) => stop()));
  }
}

/** Sends the row's requests to a contender. The bodies of the answers are looked at where `checking`. */
async function send(name, row, running, texts, count, checking) {
  const { status, says } = expected(name, row);
  const check = checking && says !== undefined ? (body) => (body.includes(`"${says}"`) ? undefined : `no "${says}"`) : undefined;
  const distinct = Math.max(1, Math.min(REQUESTS, count, Math.floor(REQUESTS_BYTES_MAX / row.bytes)));
  const requests = Array.from({ length: distinct }, () => bytesOf(request(row, texts)));
  const before = running.cpu();
  const ms = await load(running.port, requests, count, { status, check });
  return { cpuUs: (running.cpu() - before) / 1e3 / count, ms };
}

/** Microseconds of processor time a request, by contender, one value a round. */
export async function measureRow(row, names, running, texts, { rounds, warmUps }) {
  const spent = Object.fromEntries(names.map((name) => [name, []]));
  const count = countFor(row.bytes);
  for (const name of names) {
    await running[name].set(VERDICTS[row.verdict].stubs ?? {});
    for (let turn = 0; turn < warmUps; turn += 1) await send(name, row, running[name], texts, count, true);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const name of rotated(names, round)) {
      const { cpuUs } = await send(name, row, running[name], texts, count, round === 0);
      spent[name].push(cpuUs);
    }
  }
  return spent;
}
