// The command: see README.md beside this file.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { summary } from "../support/statistics.mjs";
import { start } from "./workerd.mjs";

const { values: options } = parseArgs({
  options: {
    "rows-max": { type: "string", default: "10000000" },
    rounds: { type: "string", default: "31" },
  },
});
const SIZES = [10_000, 100_000, 1_000_000, 10_000_000].filter((rows) => rows <= Number(options["rows-max"]));
const ROUNDS = Number(options.rounds);
/** Events of one turn: enough to be timed, few against the smallest object. */
const TURN = 100;
/** More of them, because the clock in an object counts whole milliseconds. */
const SQL_TURN = 500;
const FAR_MS = Date.parse("2100-01-01");
/** A message of the usual kind: an event of 1 KB in its envelope. */
const MESSAGE = "m".repeat(2_200);

const BARS = { call: 1.2, sql: 2, growth: 1.05 };

const objectOf = (rows) => `rows-${rows}`;
const freshKeys = (count) => Array.from({ length: count }, () => randomBytes(32).toString("hex"));
const request = (key, ask) => JSON.stringify({ key, expires_ms: FAR_MS, ...ask });
const ARRIVE = { ask: "arrive" };
const NOTE = { ask: "note" };
const CLAIM = { ask: "claim", run: 0, owner: 7, lease_ms: 45_000 };
const DONE = { ask: "done", run: 0 };
const LIFE = [ARRIVE, CLAIM, DONE];
const WHOLE = "arrive, claim, done";

const program = promisify(execFile);
const writeOut = () => program("sync", databases());

const directory = mkdtempSync(join(tmpdir(), "hookgate-ledger-"));
// However this ends: these are gigabytes.
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const workerd = await start(directory);
let held = true;
try {
  await main();
} finally {
  await workerd.stop();
}
process.exitCode = held ? 0 : 1;

function databases() {
  const files = readdirSync(directory, { recursive: true }).filter((file) => /Ledger.*\.sqlite(-wal)?$/.test(file));
  return files.map((file) => join(directory, file));
}

async function main() {
  for (const rows of SIZES) await fill(rows);
  // The system writes for a while what was filled in; nobody is to be timed beside that.
  await writeOut();
  await countRows();
  await measureCalls();
  await measureSql();
  await measureCold();
  for (const road of ["kv", "ledger"]) await loadConstantly(road);
}

function say(what, figures) {
  console.log(JSON.stringify({ bench: "ledger", what, ...figures }));
}

function bar(is) {
  held &&= is;
  return is;
}

// -- Rows in bulk -----------------------------------------------------------------------------------

/** Chunks of a quarter of what is there: its pages are split, and left as full as by single inserts. */
async function fill(rows) {
  const started = Date.now();
  const object = objectOf(rows);
  const [model] = freshKeys(1);
  await asked(object, [model], CLAIM, "go");
  await asked(object, [model], DONE, "noted");
  for (let have = 1; have < rows; ) {
    const chunk = Math.min(rows - have, Math.max(500, Math.floor(have / 4)));
    await workerd.call(object, "fill", model, chunk);
    have += chunk;
    if (chunk > 100_000) await sleep(300);
  }
  const [count, bytes] = [await workerd.call(object, "count"), await workerd.call(object, "size")];
  if (count !== rows) throw new Error(`${count} rows instead of ${rows}`);
  say("filled", { rows, bytes, bytes_per_row: round(bytes / rows), seconds: round((Date.now() - started) / 1_000) });
}

// -- Rows read and written ------------------------------------------------------------------------------

async function countRows() {
  const written = new Set();
  for (const rows of SIZES) {
    const object = objectOf(rows);
    const [held, claimed, noted] = freshKeys(3);
    const steps = [
      ["arrive", held, ARRIVE],
      ["arrive, a copy", held, ARRIVE],
      ["relay", undefined],
      ["claim", held, CLAIM],
      ["done", held, DONE],
      ["claim, first seen", claimed, CLAIM],
      ["note", noted, NOTE],
    ];
    const figures = {};
    for (const [name, key, ask] of steps) {
      const seen =
        key === undefined
          ? await workerd.call(object, "watchedAlarm")
          : await workerd.call(object, "watchedAsk", request(key, ask), ...(ask === ARRIVE ? [MESSAGE] : []));
      figures[name] = { read: seen.read, written: seen.written, alarms_set: seen.alarms.set };
    }
    written.add(JSON.stringify(Object.values(figures).map((figure) => figure.written)));
    await workerd.call(object, "forget", [held, claimed, noted]);
    say("rows", { rows, ...figures });
  }
  say("rows written", { same_at_all_sizes: bar(written.size === 1) });
}

// -- Whole calls -----------------------------------------------------------------------------------------

async function asked(object, keys, ask, reply) {
  const replies = await workerd.ask(object, keys.map((key) => request(key, ask)), ask === ARRIVE ? MESSAGE : undefined);
  for (const text of replies) {
    if (JSON.parse(text).reply !== reply) throw new Error(`${ask.ask}: ${text} instead of ${reply}`);
  }
}

async function relayed(object) {
  while (await workerd.call(object, "isHolding")) await sleep(1);
}

/** Microseconds of processor time and of waiting, for each of a turn's calls. */
async function timed(work, calls = TURN) {
  const [cpu, wall] = [workerd.cpuNs(), performance.now()];
  await work();
  const cpuUs = (workerd.cpuNs() - cpu) / 1_000 / calls;
  return { cpu: cpuUs, wall: ((performance.now() - wall) * 1_000) / calls };
}

/** The mean of a life's three calls in front of each figure. */
function withMean(spent) {
  const mean = (kind) => LIFE.reduce((total, { ask }) => total + spent[ask][kind], 0) / LIFE.length;
  return { [WHOLE]: { cpu: mean("cpu"), wall: mean("wall") }, ...spent };
}

async function measureCalls() {
  await alternate("call", BARS.call, async (rows) => {
    const object = objectOf(rows);
    const [keys, firstSeen] = [freshKeys(TURN), freshKeys(TURN)];
    const known = await workerd.call(object, "sample", freshKeys(TURN));
    const spent = {
      arrive: await timed(async () => {
        await asked(object, keys, ARRIVE, "new");
        await relayed(object);
      }),
      claim: await timed(() => asked(object, keys, CLAIM, "go")),
      done: await timed(() => asked(object, keys, DONE, "noted")),
      "claim, first seen": await timed(() => asked(object, firstSeen, CLAIM, "go")),
      "arrive, a copy": await timed(() => asked(object, known, ARRIVE, "duplicate")),
    };
    await workerd.call(object, "forget", [...keys, ...firstSeen]);
    return withMean(spent);
  });
}

// -- The SQL alone ---------------------------------------------------------------------------------------

async function measureSql() {
  await alternate("sql", BARS.sql, async (rows) => {
    const object = objectOf(rows);
    const [example, ...keys] = freshKeys(1 + SQL_TURN);
    // Every time: an object that was left alone for a while has forgotten it.
    await workerd.call(object, "learn", example, LIFE.map((ask) => request(example, ask)), MESSAGE);
    const spent = {};
    for (const [step, { ask }] of LIFE.entries()) {
      let ms;
      const { cpu } = await timed(async () => (ms = await workerd.call(object, "repeat", step, keys, TURN)), SQL_TURN);
      spent[ask] = { cpu, wall: (ms * 1_000) / SQL_TURN };
    }
    await workerd.call(object, "forget", [example, ...keys]);
    return withMean(spent);
  });
}

// -- Without the system's page cache -----------------------------------------------------------------------

async function measureCold() {
  await alternate("cold call", undefined, async (rows) => {
    // What is not on the disk yet cannot leave the cache.
    await writeOut();
    for (const file of databases()) await program("dd", [`if=${file}`, "iflag=nocache", "count=0", "status=none"]);
    const object = objectOf(rows);
    const keys = freshKeys(TURN);
    const spent = await timed(() => asked(object, keys, CLAIM, "go"));
    await workerd.call(object, "forget", keys);
    return { "claim, first seen": spent };
  }, 7);
}

// -- Rounds ----------------------------------------------------------------------------------------------

/** Each size takes its turn in each round; a ratio is to the smallest size in the same round. */
async function alternate(what, most, turn, rounds = ROUNDS) {
  for (const rows of SIZES) await turn(rows);
  const spent = [];
  for (let index = 0; index < rounds; index += 1) {
    const round = {};
    for (let step = 0; step < SIZES.length; step += 1) {
      const rows = SIZES[(index + step) % SIZES.length];
      round[rows] = await turn(rows);
    }
    spent.push(round);
  }
  const largest = SIZES.at(-1);
  for (const name of Object.keys(spent[0][largest])) {
    for (const rows of SIZES) {
      const of = (kind) => spread(spent.map((round) => round[rows][name][kind]));
      const ratio = (kind) => spread(spent.map((round) => round[rows][name][kind] / round[SIZES[0]][name][kind]));
      const [cpu, wall] = [ratio("cpu"), ratio("wall")];
      const judged = most !== undefined && rows === largest && name === WHOLE;
      const verdict = judged ? { bar: most, within: bar(cpu.median <= most) } : {};
      say(what, { name, rows, cpu_us: of("cpu"), wall_us: of("wall"), cpu_ratio: cpu, wall_ratio: wall, ...verdict });
    }
  }
}

function spread(values) {
  const { median, quartiles } = summary(values);
  const [p25, p75] = quartiles;
  return Object.fromEntries(Object.entries({ median, p25, p75 }).map(([name, value]) => [name, Number(value.toFixed(3))]));
}

function round(value) {
  return Number(value.toFixed(1));
}

// -- Storage under a constant load ---------------------------------------------------------------------------

/** Twenty lives of a row long, with as many events alive at a time as the smallest object has rows. */
async function loadConstantly(road) {
  const [alive, everyMs, lives, batch] = [10_000, 1_000, 20, 500];
  const object = `load-${road}`;
  const sizes = [];
  let fromMs = Date.now();
  for (let life = 1; life <= lives; life += 1) {
    const total = { read: 0, written: 0, alarms: 0 };
    for (let sent = 0; sent < alive; sent += batch) {
      const load = { road, keys: freshKeys(batch), fromMs, everyMs, lifeMs: alive * everyMs };
      const seen = await workerd.call(object, "load", load, road === "ledger" ? MESSAGE : undefined);
      fromMs += batch * everyMs;
      total.read += seen.read;
      total.written += seen.written;
      total.alarms += seen.alarms.set;
    }
    const [rows, bytes] = [await workerd.call(object, "count"), await workerd.call(object, "size")];
    sizes.push(bytes);
    const each = Object.fromEntries(Object.entries(total).map(([name, value]) => [`${name}_per_event`, round(value / alive)]));
    say("constant load", { road, events: life * alive, alive, rows, bytes, ...each });
  }
  const half = sizes.length / 2;
  const growth = Math.max(...sizes.slice(half)) / Math.max(...sizes.slice(0, half));
  say("storage", { road, growth: Number(growth.toFixed(3)), bar: BARS.growth, within: bar(growth <= BARS.growth) });
}
