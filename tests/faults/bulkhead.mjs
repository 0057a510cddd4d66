// One tenant's backend hangs, another tenant sends far more than it may deliver: what a third one notices of it.
//
//   node bulkhead.mjs [--quick] [--plant no-bulkhead]
//
// Five runs; in each the healthy tenant's time from the gate's 2xx to its backend's, alone and then beside the others. The
// median of the five ratios of the 99th percentiles is held to its bar. --quick looks at one run, and at no times.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Agent, request as httpRequest } from "node:http";
import { freshSecrets, sources } from "../e2e/support/secrets.mjs";
import { shopEvent } from "../e2e/support/sign.mjs";
import { sleep } from "../e2e/support/wait.mjs";
import { startBackend } from "./support/backend.mjs";
import { startRuntime } from "./support/runtime.mjs";

const { values: options } = parseArgs({ options: { quick: { type: "boolean", default: false }, plant: { type: "string", default: "" } } });

const RUNS = options.quick ? 1 : 5;
const MEASURE_MS = options.quick ? 4_000 : 12_000;
/** That a backend hangs is known after its time-out, two seconds here, three times. */
const LEARN_MS = 6_000;
/** In memory where there is such a place: what else writes to this machine's disk is not the question. */
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
/** Events a second. */
const RATE = { healthy: 15, hanging: 10, flooding: 30 };
const BACKEND_MS = 50;
const RATIO_MAX = 2;
/** The gate's turn-taking is by the second, and a second's burst is free. */
const FLOOD_SECONDS_FREE = 3;

const secrets = freshSecrets();
const percentile = (list, share) => list.toSorted((left, right) => left - right)[Math.ceil(list.length * share) - 1];
const median = (list) => percentile(list, 0.5);
const broken = [];

async function run() {
  const keep = mkdtempSync(join(SCRATCH, "hookgate-bulkhead-"));
  const fates = { healthy: `late:${BACKEND_MS}`, flooding: `late:${BACKEND_MS}`, hanging: "hang" };
  const backend = await startBackend({ secret: secrets.DELIVERY_SECRET, fate: (tenant) => fates[tenant] });
  const runtime = await startRuntime({ keep, seed: 1, secrets, backendUrl: backend.url, plant: options.plant, onLine: () => {} });
  const agent = new Agent({ keepAlive: true });
  const taken = new Map();

  const post = (event) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(runtime.url);
      const outgoing = httpRequest({ agent, hostname, port, method: "POST", path: event.target, headers: Object.fromEntries(event.headers) }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode));
      });
      outgoing.on("error", reject);
      outgoing.end(event.body);
    });

  /** Sends events of `source` for a while, evenly; their ids. */
  async function send(source, ms) {
    const ids = [];
    const sent = [];
    const end = Date.now() + ms;
    for (let turn = 0; Date.now() < end; turn += 1) {
      const event = shopEvent({ secrets }, source);
      ids.push(event.id);
      sent.push(
        post(event).then((status) => {
          if (status !== 200) broken.push(`an event of ${source} was answered ${status}`);
          taken.set(event.id, Date.now());
        }),
      );
      await sleep(Math.max(0, end - ms + ((turn + 1) * 1000) / RATE[source] - Date.now()));
    }
    await Promise.all(sent);
    return ids;
  }

  /** Milliseconds from the gate's answer to the backend's, of each. */
  async function waits(ids) {
    const arrived = () => new Map(backend.deliveries.filter(({ answeredAt }) => answeredAt).map(({ eventId, answeredAt }) => [eventId, answeredAt]));
    for (let turn = 0; turn < 100 && !ids.every((id) => arrived().has(id)); turn += 1) await sleep(100);
    const at = arrived();
    const missing = ids.filter((id) => !at.has(id)).length;
    if (missing > 0) broken.push(`${missing} of ${ids.length} events of the healthy tenant had not arrived after ten seconds`);
    return ids.filter((id) => at.has(id)).map((id) => Math.max(0, at.get(id) - taken.get(id)));
  }

  await send("healthy", 1_000); // objects and connections are there
  const alone = await waits(await send("healthy", MEASURE_MS));
  const started = Date.now();
  const others = ["hanging", "flooding"].map((source) => send(source, LEARN_MS + MEASURE_MS));
  await sleep(LEARN_MS);
  const beside = await waits(await send("healthy", MEASURE_MS));
  await Promise.all(others);
  const seconds = (Date.now() - started) / 1000;
  const flooded = backend.deliveries.filter(({ eventId, fate }) => fate === fates.flooding && taken.has(eventId)).length - alone.length - beside.length - RATE.healthy;
  const allowed = sources.flooding.deliveries_per_second_max * (seconds + FLOOD_SECONDS_FREE);
  if (flooded > allowed) broken.push(`the flooding tenant had ${flooded} deliveries in ${seconds} s, and may have ${allowed}`);
  const state = await runtime.queueState();
  agent.destroy();
  await runtime.stop();
  backend.stop();
  rmSync(keep, { recursive: true, force: true });
  return { alone: percentile(alone, 0.99), beside: percentile(beside, 0.99), median: [median(alone), median(beside)], slow: state["hookgate-slow"], fast: state["hookgate-events"] };
}

const ratios = [];
for (let turn = 0; turn < RUNS; turn += 1) {
  const { alone, beside, median, slow, fast } = await run();
  ratios.push(beside / Math.max(alone, 1));
  const wait = ({ ready, delayed, inFlight }) => ready + delayed + inFlight;
  console.log(`alone: p50 ${median[0]} ms, p99 ${alone} ms; beside the others: p50 ${median[1]} ms, p99 ${beside} ms; ratio ${ratios.at(-1).toFixed(2)}; ${wait(fast)} wait on the fast queue, ${wait(slow)} on the slow one`);
}
const ratio = median(ratios);
if (!options.quick) {
  console.log(`median ratio ${ratio.toFixed(2)}, at most ${RATIO_MAX}`);
  if (ratio > RATIO_MAX) broken.push(`the healthy tenant waits ${ratio.toFixed(2)} times as long beside the others`);
}
for (const sentence of broken.slice(0, 5)) console.error(`BROKEN: ${sentence}`);
process.exitCode = broken.length > 0 ? 1 : 0;
