// Answers a second, when there is always another request waiting.
import { ROWS } from "../rows.mjs";
import { openLoad } from "../support/generator.mjs";
import { bytesOf, request } from "../support/requests.mjs";
import { expectation, rotated, withContenders } from "../support/rounds.mjs";
import { median, summary } from "../support/statistics.mjs";
import { range, table, times } from "../support/tables.mjs";

const ROUNDS = 31;
const CONNECTIONS = 32;
const COUNT = 1_500;
const WARM_UPS = 4;
const NAMES = ["gate", "js-careful", "js-read-body", "npm-tern"];
const ROW = ROWS.find(({ name }) => name === "accepted-1k");

export const throughput = {
  async measure(setting) {
    const { texts, options, say } = setting;
    const rate = Object.fromEntries(NAMES.map((name) => [name, []]));
    await withContenders(NAMES, setting, async (running) => {
      const requests = Array.from({ length: 32 }, () => bytesOf(request(ROW, texts)));
      const loads = {};
      for (const name of NAMES) loads[name] = await openLoad(running[name].port, CONNECTIONS);
      const once = async (name) => (COUNT / (await loads[name].send(requests, COUNT, expectation(name, ROW, false)))) * 1e3;
      for (const name of NAMES) for (let turn = 0; turn < WARM_UPS; turn += 1) await once(name);
      for (let round = 0; round < (options.rounds ?? ROUNDS); round += 1)
        for (const name of rotated(NAMES, round)) rate[name].push(await once(name));
      for (const load of Object.values(loads)) load.close();
    });
    const result = { perSecond: {}, ratios: {}, bars: [] };
    for (const name of NAMES) {
      result.perSecond[name] = median(rate[name]);
      if (name !== "gate") result.ratios[name] = summary(rate.gate.map((value, round) => value / rate[name][round]));
    }
    say(`throughput: ${NAMES.map((name) => `${name} ${result.perSecond[name].toFixed(0)} a second`).join(", ")}`);
    return result;
  },
  draw: ({ perSecond, ratios }) =>
    table(
      ["contender", "answers a second", "the gate's / its", "95 %"],
      Object.entries(perSecond).map(([name, value]) => [
        name,
        value.toFixed(0),
        ratios[name] ? times(ratios[name].median) : "",
        ratios[name] ? range(ratios[name]) : "",
      ]),
    ),
};
