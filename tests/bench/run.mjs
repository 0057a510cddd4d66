// The benchmark's command: see README.md beside this file.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cold } from "./parts/cold.mjs";
import { cpu, real } from "./parts/cpu.mjs";
import { latency } from "./parts/latency.mjs";
import { size } from "./parts/size.mjs";
import { throughput } from "./parts/throughput.mjs";
import { ROWS } from "./rows.mjs";
import { pin, twoCores } from "./support/process.mjs";
import { profile } from "./support/profile.mjs";
import { freshTexts } from "./support/requests.mjs";
import { standing } from "./support/statistics.mjs";
import { circumstances, draw, keep } from "./support/results.mjs";

/** Each measures something and draws its table: `measure(setting)` and `draw(result)`. */
const PARTS = { size, cpu, real, latency, throughput, cold };
const QUICK = ["size", "cpu"];

const USAGE = `usage: scripts/bench [--quick | --check] [options]

  --quick            the rows that CI holds to their bars
  --check            only the tests: does the hand-written rival do the gate's job, and what do answers wait for?
  --unchecked        without that test, while the gate is being worked on
  --part NAME        only this part: ${Object.keys(PARTS).join(", ")}
  --row NAME         only this row of rows.mjs
  --contender NAME   only this one beside the gate
  --rounds NUMBER    instead of each part's own
  --profile NAME     only where this contender spends the time of each --row
  --draw             only draws docs/performance.md anew from the kept results

The whole run, and a --part of it, writes tests/bench/results.json and docs/performance.md; the other
options choose what to look at, and write nothing. Ends with 1 when a bar does not hold.`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    unchecked: { type: "boolean", default: false },
    draw: { type: "boolean", default: false },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
    part: { type: "string", multiple: true },
    row: { type: "string", multiple: true },
    contender: { type: "string", multiple: true },
    rounds: { type: "string" },
  },
});

// So that what was started is stopped as well.
process.once("SIGINT", () => process.exit(130));
process.exitCode = await main();

async function main() {
  if (options.help) return console.log(USAGE);
  if (options.draw) return draw(PARTS);
  if (options.profile) return profiles();
  if (!options.unchecked && !isFair()) return 1;
  if (options.check) return 0;
  const { quick, row, contender, rounds } = options;
  const cores = twoCores();
  const setting = {
    quick,
    options: { row, contender, rounds: rounds === undefined ? undefined : Number(rounds) },
    texts: freshTexts(),
    cores,
    say: (text) => console.log(text),
    judged,
  };
  const about = circumstances(cores);
  const kept = !quick && !row && !contender && !rounds && !options.unchecked;
  if (cores !== undefined) pin(process.pid, cores.measuring);
  const names = Object.keys(PARTS).filter(
    (name) => options.part?.includes(name) ?? (quick ? QUICK.includes(name) : row === undefined || name === "cpu"),
  );
  const results = {};
  for (const name of names) {
    const result = await PARTS[name].measure(setting);
    results[name] = { circumstances: about, ...result };
    if (kept) {
      keep(name, results[name]);
      draw(PARTS);
    }
  }
  const bars = Object.values(results).flatMap(({ bars }) => bars);
  for (const bar of bars) console.log(told(bar));
  return bars.some(({ standing }) => standing === "above the bar") ? 1 : 0;
}

async function profiles() {
  for (const name of options.row ?? [])
    await profile(
      options.profile,
      ROWS.find((row) => row.name === name),
      freshTexts(),
      console.log,
    );
}

/** A figure beside its bar. */
function judged(name, { median, interval }, most) {
  return { name, median, interval, most, standing: standing({ median, interval }, most) };
}

function told({ name, median, interval, most, standing }) {
  const figure = (value) => (Number.isInteger(value) && value > 10 ? String(value) : value.toFixed(3));
  const noise = interval[0] === interval[1] ? "" : ` (${interval.map(figure).join(" to ")})`;
  return `${standing.padEnd(16)} ${name}: ${figure(median)}${noise}, at most ${most}`;
}

/** Whether the hand-written rival does the gate's job: without that no row counts. With --check, the other tests too. */
function isFair() {
  const files = readdirSync(import.meta.dirname).filter((file) =>
    options.check ? file.endsWith(".test.mjs") : file === "careful.test.mjs",
  );
  const paths = files.map((file) => join(import.meta.dirname, file));
  const reporter = options.check ? "spec" : "dot";
  const { status, stdout } = spawnSync(process.execPath, [
    "--test",
    "--test-concurrency=1",
    `--test-reporter=${reporter}`,
    ...paths,
  ]);
  if (status !== 0 || options.check) process.stdout.write(stdout);
  return status === 0;
}
