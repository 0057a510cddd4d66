// The fuzz targets' command: ./scripts/fuzz. Builds them, gives each its first inputs, runs two at a time.
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { PLANTED, plantIn, plantedName } from "./planted.mjs";

const ROOT = join(import.meta.dirname, "..");
const TOOLS = join(ROOT, ".tools");
/** What runs write: first inputs that are made, inputs that were found, inputs that broke a rule. */
const WORK = join(TOOLS, "fuzz");
const LOG = join(ROOT, "fuzz/log.md");
const CORPUS = join(ROOT, "fuzz/corpus");

/** Where each target begins, besides its directory of fuzz/corpus. The vectors are requests as they are. */
const FIRST = {
  strangers: ["tests/vectors"],
  captured: ["genuine"],
  headers: ["heads"],
  pointers: ["bodies"],
  canonical: ["bodies"],
  public_keys: ["tests/documents", "heads"],
  stored: [],
  sources: ["src/schemes", "tests/e2e/sources.toml", "sources.toml"],
};
const TARGETS = Object.keys(FIRST);

/** Longer inputs cost time and show nothing that shorter ones do not; a certificate takes two thousand bytes. */
const INPUT_BYTES_MAX = 8_192;
/** An input that takes longer than this is a finding too. */
const INPUT_SECONDS_MAX = 5;
/** The stored corpus: short inputs that reach what the first inputs do not. */
const STORED_BYTES_MAX = 2_048;
const STORED_FILES_MAX = 40;

const USAGE = `usage: scripts/fuzz [options] [TARGET…]
       scripts/fuzz --planted
       scripts/fuzz --minimise [TARGET…]

  --seconds NUMBER  for each target; 10 by default. A minute and more begins where the last such run ended
                    and writes a line to fuzz/log.md
  --seed NUMBER     1 by default
  --again FILE TARGET  runs the target on this one input
  --minimise        keeps in fuzz/corpus the shortest of what long runs found
  --planted         plants bugs in a copy of the sources, each of which must be found

targets: ${TARGETS.join(", ")}
Ends with 1 when a target finds something; the input is kept in .tools/fuzz.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    again: { type: "string" },
    minimise: { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(USAGE);
  process.exit();
}
const seconds = whole(options.seconds, "--seconds");
const seed = whole(options.seed, "--seed");
const unknown = positionals.filter((name) => !TARGETS.includes(name));
if (unknown.length > 0) die(`${unknown.join(", ")}: no such target; there are ${TARGETS.join(", ")}`);
const targets = positionals.length > 0 ? positionals : TARGETS;
const isLong = seconds >= 60;

function whole(text, name) {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) die(`${name} ${text}: use a whole number`);
  return Number(text);
}

function die(text) {
  console.error(text);
  process.exit(2);
}

/** Coverage as LLVM's fuzzer reads it, by flags that the stable compiler has. No sanitizer: they need the nightly one, and the gate has no unsafe code. */
const RUSTFLAGS = [
  "--cfg fuzzing",
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Ccodegen-units=1",
].join(" ");

/** Builds the targets of these sources and gives the directory of their programs. */
function build(sources, names) {
  const host = /^host: (.*)$/m.exec(output("rustc", ["-vV"]))[1];
  const directory = join(TOOLS, "target/fuzz", host, "release");
  if (!existsSync(directory)) console.log("==> compiling the fuzzer and what the gate is made of (two to three minutes, once)");
  // With a target named, cargo leaves build scripts and macros without these flags.
  const options = ["build", "--quiet", "--release", "--locked", "--target", host, "--target-dir", join(TOOLS, "target/fuzz")];
  const bins = names.flatMap((name) => ["--bin", name]);
  const env = { ...process.env, RUSTFLAGS };
  const built = spawnSync("cargo", [...options, ...bins], { cwd: join(sources, "fuzz"), env, stdio: "inherit" });
  if (built.status !== 0) process.exit(1);
  return directory;
}

function output(program, words) {
  return spawnSync(program, words, { cwd: ROOT, encoding: "utf8" }).stdout;
}

/** First inputs that are made of the vectors. */
const MADE = ["genuine", "heads", "bodies"];

function makeFirstInputs() {
  for (const name of MADE) {
    rmSync(join(WORK, "first", name), { recursive: true, force: true });
    mkdirSync(join(WORK, "first", name), { recursive: true });
  }
  for (const entry of readdirSync(join(ROOT, "tests/vectors"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".vector")) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    const end = bytes.indexOf("\n\n");
    const file = `${basename(entry.parentPath)}-${basename(entry.name, ".vector")}`;
    const head = bytes.subarray(0, end).toString();
    // What a provider sent. The others hold signatures of requests that no file has: to undo what was altered is no forgery.
    if (/^expect: (accept|stale|from_future)$/m.test(head)) writeFileSync(join(WORK, "first/genuine", file), bytes);
    // As the edge hands a head over: method, URL, then names and values; and the values alone are read line by line.
    const lines = head.split("\n").map((line) => /^(\w+): (.*)$/s.exec(line)?.slice(1) ?? []);
    const value = (wanted) => lines.find(([key]) => key === wanted)?.[1] ?? "";
    const headers = lines.filter(([key]) => key === "header").map(([, text]) => text.replace(": ", "\n"));
    writeFileSync(join(WORK, "first/heads", file), [value("method"), `https://gate.example${value("target")}`, ...headers].join("\n"));
    const body = bytes.subarray(end + 2);
    if (body.length > 0) writeFileSync(join(WORK, "first/bodies", file), body);
  }
}

/** libFuzzer takes directories only, and each file of `sources` is given one. */
function firstInputs(target) {
  const directories = [];
  for (const name of FIRST[target]) {
    const made = join(WORK, "first", basename(name));
    const path = MADE.includes(name) ? made : join(ROOT, name);
    if (statSync(path).isDirectory()) directories.push(path);
    else {
      mkdirSync(made, { recursive: true });
      cpSync(path, join(made, basename(name)));
      directories.push(made);
    }
  }
  if (existsSync(join(CORPUS, target))) directories.push(join(CORPUS, target));
  return directories;
}

/** Runs one target; ends with what it found, and how far it came. */
function fuzz(programs, target, { from = "short", program = target } = {}) {
  const found = join(WORK, from, target);
  if (from === "short") rmSync(found, { recursive: true, force: true });
  mkdirSync(found, { recursive: true });
  const broken = join(WORK, "broken", `${target}-`);
  mkdirSync(join(WORK, "broken"), { recursive: true });
  const words = [`-max_total_time=${seconds}`, `-seed=${seed}`, `-max_len=${INPUT_BYTES_MAX}`, `-timeout=${INPUT_SECONDS_MAX}`, "-rss_limit_mb=1024", "-print_final_stats=1", `-artifact_prefix=${broken}`];
  return new Promise((resolve) => {
    let text = "";
    const child = spawn(join(programs, program), [...words, found, ...firstInputs(target)], { cwd: WORK, env: { ...process.env, RUST_BACKTRACE: "0" } });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
    child.on("close", (code) => {
      const last = (pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
      const runs = last(/^#(\d+)\t/gm);
      const edges = last(/ cov: (\d+) /g);
      const features = last(/ ft: (\d+) /g);
      resolve({ target, ok: code === 0 && runs > 0, runs, edges, features, text, input: /Test unit written to (.*)/.exec(text)?.[1] });
    });
  });
}

/** What a target said of what it found: the rule, and how to see it again. */
function story({ target, text, input }) {
  const said = text.slice(Math.max(0, text.search(/panicked at|ERROR: libFuzzer/))).split("\n");
  return [...said.slice(0, 6).map((line) => line.slice(0, 2_000)), ...(input ? [`The same again: ./scripts/fuzz --again ${input} ${target}`] : [])].join("\n");
}

async function inTurn(names, run) {
  const waiting = [...names];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await run(name);
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
}

function log({ target, runs, edges, features }) {
  const commit = output("git", ["rev-parse", "--short=12", "HEAD"]).trim() + (output("git", ["status", "--porcelain", "--", "src", "fuzz/src"]).trim() ? " and changes" : "");
  appendFileSync(LOG, `| ${new Date().toISOString().slice(0, 10)} | ${target} | ${seed} | ${seconds} | ${runs} | ${edges} | ${features} | ${commit} |\n`);
}

/** Bugs in a copy of the sources; each must be found by the target that is there for it, in the time of a short run. */
async function planted() {
  const copy = join(WORK, "planted");
  plantIn(ROOT, copy);
  const programs = build(copy, [...new Set(Object.values(PLANTED).map(({ target }) => plantedName(target)))]);
  let missed = 0;
  await inTurn(Object.keys(PLANTED), async (bug) => {
    const { target, told } = PLANTED[bug];
    const end = await fuzz(programs, target, { program: plantedName(target) });
    const found = !end.ok && told.test(end.text);
    if (!found) missed += 1;
    console.log(`${found ? "ok" : "not ok"} - ${bug}: ${found ? `found ${end.runs > 0 ? `after ${end.runs} inputs` : "among the first inputs"}` : `not found by ${target}\n${story(end)}`}`);
    if (end.input) rmSync(end.input, { force: true });
  });
  count(Object.keys(PLANTED).length - missed, missed);
}

function count(passed, failed) {
  console.log(`# pass ${passed}\n# fail ${failed}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Keeps the shortest inputs that reach what the first ones do not. */
function minimise(programs, target) {
  const merged = join(WORK, "merged", target);
  rmSync(merged, { recursive: true, force: true });
  mkdirSync(merged, { recursive: true });
  const words = ["-merge=1", `-max_len=${STORED_BYTES_MAX}`, "-rss_limit_mb=1024"];
  // The first inputs are merged first, so that nothing is kept that they reach.
  const first = join(WORK, "merged", `${target}-first`);
  rmSync(first, { recursive: true, force: true });
  mkdirSync(first, { recursive: true });
  const seeds = firstInputs(target).filter((directory) => !directory.startsWith(CORPUS));
  for (const directory of seeds) cpSync(directory, first, { recursive: true });
  const before = new Set(readdirSync(first, { recursive: true }));
  const own = [join(CORPUS, target), join(WORK, "long", target)].filter((directory) => existsSync(directory));
  spawnSync(join(programs, target), [...words, first, ...own], { cwd: WORK, stdio: "ignore" });
  const added = readdirSync(first, { recursive: true }).filter((name) => !before.has(name));
  const sized = added.map((name) => ({ name, bytes: statSync(join(first, name)).size })).sort((one, other) => one.bytes - other.bytes);
  const written = readdirSync(join(CORPUS, target), { withFileTypes: true }).filter(({ name }) => name.startsWith("found-"));
  for (const { name } of written) rmSync(join(CORPUS, target, name));
  for (const { name } of sized.slice(0, STORED_FILES_MAX)) cpSync(join(first, name), join(CORPUS, target, `found-${name.slice(0, 12)}`));
  console.log(`${target}: ${Math.min(sized.length, STORED_FILES_MAX)} of ${sized.length} kept`);
}

mkdirSync(WORK, { recursive: true });
makeFirstInputs();
if (options.planted) {
  await planted();
} else {
  const programs = build(ROOT, targets);
  if (options.again) {
    process.exitCode = spawnSync(join(programs, targets[0]), [options.again], { stdio: "inherit" }).status;
  } else if (options.minimise) {
    for (const target of targets) {
      mkdirSync(join(CORPUS, target), { recursive: true });
      minimise(programs, target);
    }
  } else {
    let failed = 0;
    await inTurn(targets, async (target) => {
      const end = await fuzz(programs, target, { from: isLong ? "long" : "short" });
      if (!end.ok) failed += 1;
      console.log(`${end.ok ? "ok" : "not ok"} - ${target}: ${end.runs} inputs, ${end.edges} edges, ${end.features} features${end.ok ? "" : `\n${story(end)}`}`);
      if (isLong && end.ok) log(end);
    });
    count(targets.length - failed, failed);
  }
}
