// The benchmark's command: see README.md beside this file.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CONTENDERS } from "./contenders.mjs";
import { ROWS } from "./rows.mjs";
import { pin, twoCores } from "./support/process.mjs";
import { freshTexts } from "./support/requests.mjs";
import { measureRow, withContenders } from "./support/rounds.mjs";
import { median, summary } from "./support/statistics.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    row: { type: "string", multiple: true },
    contender: { type: "string", multiple: true },
    rounds: { type: "string" },
  },
});

/** Whether the rivals do what they are compared for: without that no row counts. */
function isFair(reporter) {
  const tests = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".test.mjs"));
  const files = tests.map((file) => join(import.meta.dirname, file));
  const { status, stdout } = spawnSync(process.execPath, ["--test", `--test-reporter=${reporter}`, ...files]);
  if (status !== 0 || options.check) process.stdout.write(stdout);
  return status === 0;
}

if (!isFair(options.check ? "spec" : "dot")) process.exit(1);
if (options.check) process.exit(0);

const rows = ROWS.filter(({ name, quick }) => (options.row ? options.row.includes(name) : !options.quick || quick));
const pace = { rounds: Number(options.rounds ?? 61), seconds: options.quick ? 12 : undefined };
const cores = twoCores();
if (cores !== undefined) pin(process.pid, cores.measuring);
const texts = freshTexts();
let failed = false;

for (const row of rows) {
  const bases = row.bars.map(({ base }) => base);
  const others = options.quick ? (bases.length > 0 ? bases : ["js-careful"]) : row.against;
  const names = ["gate", ...new Set([...others, ...bases])].filter((name) => !options.contender || options.contender.includes(name) || bases.includes(name));
  const spent = await withContenders(names, texts, cores, (running) => measureRow(row, names, running, texts, pace));
  console.log(`${row.name}`);
  for (const name of names) console.log(`  ${name.padEnd(16)} ${median(spent[name]).toFixed(1).padStart(8)} us a request`);
  for (const { base, most } of row.bars) {
    const ratio = summary(spent.gate.map((value, round) => value / spent[base][round]));
    const over = ratio.interval[0] > most;
    failed ||= over;
    const range = `${ratio.interval[0].toFixed(3)} to ${ratio.interval[1].toFixed(3)}`;
    console.log(`  ${over ? "FAILED" : "ok"}: ${ratio.median.toFixed(3)} (${range}) times ${base}, at most ${most}`);
  }
}
process.exitCode = failed ? 1 : 0;
