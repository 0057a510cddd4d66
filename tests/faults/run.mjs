// The fault suite's command: see README.md beside this file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freshSecrets } from "../e2e/support/secrets.mjs";
import { sleep } from "../e2e/support/wait.mjs";
import { digest, startBackend } from "./support/backend.mjs";
import { PAIRS_MAX, SINGLES_MAX, plan } from "./support/plan.mjs";
import { chance } from "./support/random.mjs";
import { life, reconcile } from "./support/reconcile.mjs";
import { startRuntime } from "./support/runtime.mjs";
import { traffic } from "./support/traffic.mjs";

const USAGE = `usage: scripts/faults [--quick] [--seed NUMBER] [options]
       scripts/faults --planted | --bulkhead [--quick]

  --quick         each fault alone, some pairs, one kill of each process and of both: under a minute
  --seed NUMBER   the same plan, traffic and order again; by default another each time
  --single NUMBER so many faults alone; all ${SINGLES_MAX} by default
  --pairs NUMBER  so many pairs of faults; all ${PAIRS_MAX} by default, 8 with --quick
  --plant NAME    a bug to be found, for the suite's own tests (support/planted.mjs)

Ends with 1 when the books do not add up, and tells the shortest life that shows it.`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    single: { type: "string" },
    pairs: { type: "string" },
    plant: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(USAGE);
  process.exit();
}
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
const single = Number(options.single ?? SINGLES_MAX);
const pairs = Number(options.pairs ?? (options.quick ? 8 : PAIRS_MAX));

/** How long a fault stands, and how many events it meets. */
const PHASE_MS = options.quick ? 700 : 1_500;
const PHASE_EVENTS = options.quick ? 12 : 25;
/** Between two faults everything works. */
const PEACE_MS = options.quick ? 150 : 400;
/** So much time passes for leases and delays with each phase: less than a lease in all that one delivery can last. */
const JUMP_MS = 3_000;
/** At the end nothing is under way when time passes. */
const LEAP_MS = 45_000;
const DRAIN_MS_MAX = 60_000;
const PEACE = { name: "peace", faults: "" };

const random = chance(seed);
const secrets = freshSecrets();
const keep = mkdtempSync(join(tmpdir(), "hookgate-faults-"));
const lines = [];
const kills = [];
let phase = PEACE;
const fates = random.fork();
const backend = await startBackend({
  secret: secrets.DELIVERY_SECRET,
  fate: () => (phase.backend !== undefined && (phase.share === 100 || fates.is(0.8)) ? phase.backend : "ok"),
});
const start = Date.now();
const runtime = await startRuntime({ keep, seed, secrets, backendUrl: backend.url, plant: options.plant, onLine: (line, at) => lines.push({ line, at }) });
const providers = traffic({ random: random.fork(), secrets, url: runtime.url, now: () => Date.now() + runtime.aheadMs(), plant: options.plant });
const phases = plan({ random, single, pairs, kills: options.quick ? 1 : 6 });
console.log(`seed ${seed}: ${phases.length} phases`);

/** What holds something still, or nothing. */
async function waiting() {
  const queues = Object.entries(await runtime.queueState());
  const archive = await runtime.archive();
  const spooled = (await archive.list({ prefix: "spool/" })).objects.length;
  await runtime.cron();
  const since = lines.findLastIndex(({ line }) => line.event === "backlog" && line.at === "queue");
  const earlier = lines.slice(0, since).findLastIndex(({ line }) => line.event === "backlog" && line.at === "queue");
  const held = lines.slice(earlier + 1).filter(({ line }) => line.event === "backlog" && line.at === "ledger");
  const places = [
    ...queues.map(([name, { ready, delayed, inFlight }]) => [name, ready + delayed + inFlight]),
    ["spool", spooled],
    ["ledger", held.reduce((sum, { line }) => sum + line.messages, 0)],
  ].filter(([, messages]) => messages > 0);
  const underWay = queues.reduce((sum, [, { ready, inFlight }]) => sum + ready + inFlight, 0);
  return { underWay, text: places.length === 0 ? undefined : places.map(([name, messages]) => `${messages} in ${name}`).join(", ") };
}

let left;
try {
  for (const next of phases) {
    phase = next;
    await runtime.faults(next.faults);
    if (next.overloaded) await runtime.control({ overloaded: true });
    const sending = providers.send(PHASE_EVENTS, PHASE_MS, next);
    if (next.kill !== undefined) {
      await sleep(random.below(PHASE_MS));
      const from = Date.now();
      await Promise.all([next.kill !== "queue" && runtime.killGate(), next.kill !== "gate" && runtime.killQueue()]);
      if (next.kill !== "queue") kills.push({ from, to: Date.now() });
    }
    await sending;
    if (random.is(0.3)) void runtime.cron().catch(() => {});
    await runtime.faults("");
    if (next.overloaded) await runtime.control({ overloaded: false });
    phase = PEACE;
    await runtime.jump(JUMP_MS);
    await sleep(PEACE_MS);
  }
  while (providers.sending() > 0) await sleep(50);
  const untold = await providers.last(PEACE);
  const end = Date.now() + DRAIN_MS_MAX;
  do {
    left = await waiting();
    if (left.text === undefined) break;
    if (left.underWay === 0) await runtime.jump(LEAP_MS);
    await sleep(300);
  } while (Date.now() < end);
  if (untold > 0) console.log(`${untold} events were taken with their provider's last retry`);
} finally {
  phase = PEACE;
}

// What the backend may get once more shows itself by now.
await sleep(500);
const letters = new Map();
const archive = await runtime.archive();
for (let cursor; ; ) {
  const page = await archive.list({ prefix: "dead/", cursor });
  for (const { key } of page.objects) {
    const letter = await (await archive.get(key)).json();
    const message = typeof letter.message === "string" ? JSON.parse(letter.message) : letter.message;
    const apart = message.data_base64 === undefined ? await archive.get(`dead-content/${letter.id}`) : undefined;
    const content = apart ? Buffer.from(await apart.arrayBuffer()) : message.data_base64 && Buffer.from(message.data_base64, "base64");
    letters.set(message.id, content && digest(content));
  }
  if (!page.truncated) break;
  cursor = page.cursor;
}
const books = { requests: providers.requests, events: providers.events, deliveries: backend.deliveries, lines, letters, kills, end: Date.now(), waiting: left.text };
const { violations, windows, counts } = reconcile(books);
await runtime.stop();
backend.stop();
rmSync(keep, { recursive: true, force: true });

const strikes = lines.filter(({ line }) => line.event === "fault").length;
const others = lines.filter(({ line }) => line.event === "other");
console.log(
  [
    `${providers.requests.length} requests, ${providers.events.length} events, ${strikes} faults struck, ${kills.length} kills of the gate, ${Math.round((Date.now() - start) / 1000)} s`,
    `${counts.taken} events taken: ${counts.delivered} at the backend, ${counts.dead} among the dead letters; ${counts.again} deliveries once more, ${windows} of them in a stated window`,
    ...(others.length > 0 ? [`${others.length} lines of others in the log, as: ${others[0].line.message.slice(0, 200)}`] : []),
  ].join("\n"),
);
if (violations.length > 0) {
  const rules = new Map();
  for (const violation of violations) rules.set(violation.rule, [...(rules.get(violation.rule) ?? []), violation]);
  for (const [rule, broken] of rules) {
    console.error(`\nBROKEN: ${rule} (${broken.length} times)`);
    const lives = broken.filter(({ event }) => event !== undefined).map((violation) => [violation, life(violation.event, { ...books, start })]);
    lives.sort(([, one], [, other]) => one.split("\n").length - other.split("\n").length);
    console.error(lives.length > 0 ? `  ${lives[0][0].text}\n${lives[0][1]}` : `  ${broken[0].text}`);
  }
  const same = ["quick", "single", "pairs", "plant"].filter((name) => options[name]).map((name) => (options[name] === true ? ` --${name}` : ` --${name} ${options[name]}`));
  console.error(`\nThe same again: ./scripts/faults --seed ${seed}${same.join("")}`);
}
process.exitCode = violations.length > 0 ? 1 : 0;
