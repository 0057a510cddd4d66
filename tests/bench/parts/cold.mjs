// The first request of a fresh process: what a new isolate costs.
import { CONTENDERS } from "../contenders.mjs";
import { BARS, ROWS } from "../rows.mjs";
import { openLoad } from "../support/generator.mjs";
import { bytesOf, request } from "../support/requests.mjs";
import { expectation, rotated } from "../support/rounds.mjs";
import { median, summary } from "../support/statistics.mjs";
import { ms, range, table, times } from "../support/tables.mjs";
import { startWorkerd } from "../support/workerd.mjs";

const ROUNDS = 25;
const NAMES = ["gate", "js-careful", "js-nothing"];
const ROW = ROWS.find(({ name }) => name === "accepted-1k");

export const cold = {
  async measure({ texts, cores, options, say, judged }) {
    const seen = Object.fromEntries(NAMES.map((name) => [name, []]));
    for (let round = 0; round < (options.rounds ?? ROUNDS); round += 1) {
      for (const name of rotated(NAMES, round)) seen[name].push(await once(name, texts, cores));
    }
    const result = { medians: {}, ratios: {}, bars: [] };
    for (const name of NAMES)
      result.medians[name] = Object.fromEntries(
        FIGURES.map(([figure]) => [figure, median(seen[name].map((one) => one[figure]))]),
      );
    for (const [figure] of FIGURES)
      result.ratios[figure] = summary(seen.gate.map((one, round) => one[figure] / seen["js-careful"][round][figure]));
    for (const figure of ["firstCpuMs", "startCpuMs"])
      result.bars.push(judged(`cold ${figure} / js-careful`, result.ratios[figure], BARS.coldStart));
    say(`cold: ${NAMES.map((name) => `${name} ${ms(result.medians[name].firstCpuMs)} ms`).join(", ")} for the first answer`);
    return result;
  },
  draw({ medians, ratios }) {
    const rows = FIGURES.map(([figure, text]) => [
      text,
      ...NAMES.map((name) => ms(medians[name][figure])),
      times(ratios[figure].median),
      range(ratios[figure]),
    ]);
    return table(["ms", ...NAMES, "gate / js-careful", "95 %"], rows);
  },
};

const FIGURES = [
  ["firstCpuMs", "ready to first answer, processor"],
  ["firstMs", "ready to first answer, wall"],
  ["startCpuMs", "start to first answer, processor"],
  ["startMs", "start to first answer, wall"],
];

async function once(name, texts, cores) {
  const { port, readyMs, cpu, stop } = await startWorkerd(CONTENDERS[name], texts, { core: cores?.measured });
  try {
    const load = await openLoad(port, 1);
    const ready = cpu();
    const firstMs = await load.send([bytesOf(request(ROW, texts))], 1, expectation(name, ROW, true));
    const answered = cpu();
    load.close();
    return { firstCpuMs: (answered - ready) / 1e6, firstMs, startCpuMs: answered / 1e6, startMs: readyMs + firstMs };
  } finally {
    await stop();
  }
}
