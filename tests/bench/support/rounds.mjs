// Contenders in alternating rounds. In each round every contender gets the same number of requests, and
// what counts is the ratio of the processor time it took to the base's in that round: whatever makes the
// machine slow for a while hits both.
import { CONTENDERS } from "../contenders.mjs";
import { openLoad } from "./generator.mjs";
import { VERDICTS, bytesOf, request } from "./requests.mjs";
import { startWorkerd } from "./workerd.mjs";

/** Distinct requests of a row, sent in turn. */
const REQUESTS = 32;
const REQUESTS_BYTES_MAX = 4_000_000;

/** Requests of one round: some tens of milliseconds, so that a change of the machine's mood hits all alike. */
const countFor = (bytes) => (bytes <= 2_048 ? 400 : bytes <= 32_768 ? 240 : bytes <= 300_000 ? 60 : 20);
/** Rounds before the first that counts: the compilers are done then. */
const WARM_UPS = 12;

/** Of large forgeries the gate reads 160 MB at once and sheds what comes then (src/flood.rs): a row of them stays below. */
const FORGED_BYTES_MAX = 120_000_000;
const SHED_ABOVE_BYTES = 16_384;

/** How many requests of this row a round has, if there are so many rounds. */
const countOf = ({ verdict, bytes }, rounds) =>
  verdict === "forged" && bytes > SHED_ABOVE_BYTES
    ? Math.max(1, Math.min(countFor(bytes), Math.floor(FORGED_BYTES_MAX / bytes / rounds)))
    : countFor(bytes);

/** Fewer ratios have no interval: statistics.mjs. */
const ROUNDS_MIN = 6;

export const rotated = (list, by) => list.map((_, index) => list[(index + by) % list.length]);

/** Starts these contenders, runs `body` with them by name, and stops them. */
export async function withContenders(names, { texts, cores }, body, start = startWorkerd) {
  const running = {};
  try {
    for (const name of names) {
      running[name] = await start(CONTENDERS[name], texts, { core: cores?.measured });
      running[name].load = await openLoad(running[name].port);
    }
    return await body(running);
  } finally {
    for (const { load, stop } of Object.values(running)) {
      load?.close();
      await stop();
    }
  }
}

/**
 * Microseconds of processor time a request, by contender, one value a round; at most `rounds` of them, and no
 * more than `seconds` allow, warming up included. With `fresh`, no request is sent twice.
 */
export async function measureRow(
  row,
  names,
  running,
  { texts, rounds, seconds = Infinity, warmUps = WARM_UPS, count = countOf(row, rounds + warmUps), fresh = false },
) {
  const distinct = fresh ? count : Math.max(1, Math.min(REQUESTS, Math.floor(REQUESTS_BYTES_MAX / row.bytes)));
  const make = () => Array.from({ length: distinct }, () => bytesOf(request(row, texts)));
  const same = fresh ? undefined : make();
  const once = async (name, checking) => {
    const { load, cpu } = running[name];
    const requests = same ?? make();
    const before = cpu();
    const ms = await load.send(requests, count, expectation(name, row, checking));
    return { cpuUs: (cpu() - before) / 1e3 / count, ms };
  };
  const end = performance.now() + seconds * 1e3;
  for (const name of names) {
    await running[name].set?.(VERDICTS[row.verdict].stubs ?? {});
    for (let turn = 0; turn < warmUps; turn += 1) await once(name, turn === 0);
  }
  const spent = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds && (performance.now() < end || round < ROUNDS_MIN); round += 1) {
    for (const name of rotated(names, round)) spent[name].push((await once(name, false)).cpuUs);
  }
  return spent;
}

/** What every answer of a contender must be; the bodies are looked at where `checking`. */
export function expectation(name, row, checking) {
  const { status, says } = CONTENDERS[name].answers?.(row.verdict) ?? VERDICTS[row.verdict];
  const check = checking && says !== undefined ? (body) => (body.includes(`"${says}"`) ? undefined : `no "${says}"`) : undefined;
  return { status, check };
}
