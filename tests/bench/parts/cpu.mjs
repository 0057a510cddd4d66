// Processor time a request, as a ratio to each rival's.
import { CONTENDERS } from "../contenders.mjs";
import { HELD, ROWS } from "../rows.mjs";
import { startReal } from "../support/real.mjs";
import { bodyBytesMax } from "../support/requests.mjs";
import { measureRow, withContenders } from "../support/rounds.mjs";
import { median, standing, summary } from "../support/statistics.mjs";
import { range, table, times } from "../support/tables.mjs";

const WHOLE = { rounds: 61, seconds: 60 };
const QUICK = { warmUps: 6, seconds: 12 };
/** The local simulators take milliseconds for a request. */
const REAL = { rounds: 25, count: 60, warmUps: 4, fresh: true };

/** With in-memory stand-ins for the bindings. */
export const cpu = {
  measure: (setting) => measureRows(setting, ROWS, WHOLE),
  draw: (result) =>
    [drawBars(result), "All ratios (their intervals are in `results.json`):", drawRatios(result), drawTimes(result)].join("\n\n"),
};

/** With the real local bindings. */
export const real = {
  measure: (setting) =>
    measureRows(
      setting,
      ROWS.filter((row) => row.real),
      REAL,
      startReal,
    ),
  draw: drawRatios,
};

/** `{ rows: [{ name, us, ratios }], bars }`. */
async function measureRows(setting, rows, pace, start) {
  const { quick, options, say, judged } = setting;
  const result = { rows: [], bars: [] };
  for (const row of rows) {
    if (options.row ? !options.row.includes(row.name) : quick && row.quick.length === 0) continue;
    if (row.bytes > bodyBytesMax(row.source)) {
      say(`${row.name}: not measured: the source takes ${bodyBytesMax(row.source)} bytes at most`);
      result.rows.push({ name: row.name, unmeasured: `the source takes ${bodyBytesMax(row.source)} bytes at most` });
      continue;
    }
    const bases = (quick ? row.quick : row.against).filter(
      (name) => present(name) && (options.contender?.includes(name) ?? true),
    );
    const names = ["gate", ...bases];
    const limits = { ...pace, ...(quick ? QUICK : {}), rounds: options.rounds ?? pace.rounds };
    const spent = await withContenders(
      names,
      setting,
      (running) => measureRow(row, names, running, { ...limits, texts: setting.texts }),
      start,
    );
    const us = Object.fromEntries(names.map((name) => [name, median(spent[name])]));
    const ratios = Object.fromEntries(
      bases.map((name) => [name, summary(spent.gate.map((value, round) => value / spent[name][round]))]),
    );
    result.rows.push({ name: row.name, us, ratios });
    say(`${row.name}: ${names.map((name) => `${name} ${us[name].toFixed(0)} us`).join(", ")}`);
    // The bars are about the Worker; under miniflare its own cost is the smaller part.
    if (start !== undefined) continue;
    for (const base of bases)
      if (row.bars[base] !== undefined) {
        // Where a bar is not reached yet, CI sees to it that it does not get farther away.
        const most = (quick ? HELD[row.name] : undefined) ?? row.bars[base];
        result.bars.push(judged(`${row.name} / ${base}`, ratios[base], most));
      }
  }
  return result;
}

const present = (name) => CONTENDERS[name].modules !== undefined;

function drawBars({ rows }) {
  const cells = rows.flatMap(({ name, ratios, unmeasured }) => {
    const { bars } = ROWS.find((row) => row.name === name);
    return Object.entries(bars)
      .filter(([base]) => unmeasured !== undefined || ratios[base] !== undefined)
      .map(([base, most]) => {
        if (unmeasured !== undefined) return [name, base, "–", unmeasured, times(most), "not measured"];
        return [name, base, times(ratios[base].median), range(ratios[base]), times(most), standing(ratios[base], most)];
      });
  });
  return table(["request", "the gate against", "ratio", "95 %", "at most", ""], cells);
}

function drawRatios({ rows }) {
  const names = contendersOf(rows, "ratios");
  const cells = rows
    .filter(({ ratios }) => ratios)
    .map(({ name, ratios }) => [name, ...names.map((base) => (ratios[base] ? times(ratios[base].median) : ""))]);
  return table(["the gate's cost, times that of", ...names], cells);
}

function drawTimes({ rows }) {
  const names = contendersOf(rows, "us");
  const cells = rows
    .filter(({ us }) => us)
    .map(({ name, us }) => [name, ...names.map((contender) => us[contender]?.toFixed(0) ?? "")]);
  return table(["µs a request", ...names], cells);
}

const contendersOf = (rows, figure) =>
  Object.keys(CONTENDERS).filter((name) => rows.some((row) => row[figure]?.[name] !== undefined));
