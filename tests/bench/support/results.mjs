// What was measured, where, and by which commit: tests/bench/results.json, and the tables drawn from it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { CONTENDERS } from "../contenders.mjs";
import { replaced, table } from "./tables.mjs";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const RESULTS = join(ROOT, "tests", "bench", "results.json");
const PAGE = join(ROOT, "docs", "performance.md");
const PACKAGES = ["workerd", "miniflare", "standardwebhooks", "svix", "stripe", "@octokit/webhooks", "@hookflo/tern"];

const git = (...args) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
const version = (name) => JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")).version;

/** What a figure depends on besides the code. */
export function circumstances(cores) {
  const [{ model }] = cpus();
  return {
    measured: new Date().toISOString().slice(0, 10),
    commit:
      git("rev-parse", "--short=12", "HEAD") +
      (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", with changes"),
    machine: `${model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release().split("-")[0]}`,
    load: `${loadavg()[0].toFixed(1)} processes waiting or running at the start`,
    cores: cores === undefined ? "contender and load generator share all cores" : "contender and load generator on a core each",
    versions: { node: process.versions.node, ...Object.fromEntries(PACKAGES.map((name) => [name, version(name)])) },
  };
}

/** Keeps the result of a part; those of the others stay as they are. */
export function keep(name, result) {
  writeFileSync(RESULTS, `${JSON.stringify({ ...known(), [name]: result }, rounded, 1)}\n`);
}

const known = () => (existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : {});

const rounded = (_, value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value);

/** Draws the tables of docs/performance.md. */
export function draw(parts) {
  const results = known();
  let page = readFileSync(PAGE, "utf8");
  const present = Object.entries(CONTENDERS).filter(([, { modules }]) => modules !== undefined);
  const rows = present.map(([name, { about }]) => [`\`${name}\``, about]);
  page = replaced(page, "contenders", table(["contender", "what it is"], rows));
  for (const [name, part] of Object.entries(parts)) {
    const result = results[name];
    if (result === undefined) continue;
    page = replaced(page, name, `${part.draw(result)}\n\n${source(result.circumstances)}`);
  }
  writeFileSync(PAGE, page);
}

const source = ({ commit, measured, machine, load, cores, versions: { workerd, node } }) =>
  `Commit ${commit}, ${measured}. ${machine}; ${cores}; ${load}; workerd ${workerd}, node ${node}.`;
