// What an answer waits for: which calls of the bindings, how many, and nothing else. Shown by counting them,
// and by how long answers take when each call takes as long as in production.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CONTENDERS } from "./contenders.mjs";
import { openLoad } from "./support/generator.mjs";
import { VERDICTS, bytesOf, freshTexts, request } from "./support/requests.mjs";
import { median } from "./support/statistics.mjs";
import { startWorkerd } from "./support/workerd.mjs";

const KV_HOT_MS = 10;
const KV_COLD_MS = 150;
/** Written while the answer leaves: long enough to be seen if anything waited for it. */
const DELAYS = { "SEEN.put": 500, "EVENTS.send": 60, "LEDGER.ask": 30 };
const TOLERANCE = 0.05;
const REQUESTS = 25;
const WARM_UPS = 400;

const texts = freshTexts();
const directory = mkdtempSync(join(tmpdir(), "hookgate-bench-logs-"));
const log = join(directory, "gate.log");
let gate;
let least;

before(async () => {
  gate = await startWorkerd(CONTENDERS.gate, texts, { log });
  least = await startWorkerd(CONTENDERS["js-awaits"], texts);
  for (const way of WAYS) await repeated(gate, way.verdict, signed(way), WARM_UPS);
});

after(async () => {
  await gate.stop();
  await least.stop();
  rmSync(directory, { recursive: true });
});

const signed = ({ verdict, source = "standard" }) => bytesOf(request({ verdict, source, bytes: 1_024 }, texts));

/** Sends one request after the other; resolves to the median of their times in milliseconds. */
async function repeated({ port }, verdict, bytes, count = REQUESTS) {
  const load = await openLoad(port, 1);
  const took = [];
  for (let sent = 0; sent < count; sent += 1)
    took.push(await load.send([bytes], 1, { status: VERDICTS[verdict]?.status ?? 200 }));
  load.close();
  return median(took);
}

/** What goes into the record goes there after the answer, and a flush of it when its time has come. */
const besidesTheRecord = ({ "AUDIT.send": _, ...calls }) => calls;

const HOT = { ...DELAYS, "SEEN.get": KV_HOT_MS };
const COLD = { ...DELAYS, "SEEN.get": KV_COLD_MS };
const HELD = { "SEEN.get": 1, "EVENTS.send": 1 };

const WAYS = [
  { verdict: "accepted", source: "standard", delays: HOT, awaited: HELD, unawaited: { "SEEN.put": 1 }, path: "/queue" },
  { verdict: "accepted", source: "standard", delays: COLD, awaited: HELD, unawaited: { "SEEN.put": 1 }, path: "/queue" },
  { verdict: "accepted", source: "standard-ledger", delays: HOT, awaited: { "LEDGER.ask": 1 }, path: "/ledger" },
  { verdict: "duplicate", source: "standard", delays: COLD, awaited: { "SEEN.get": 1, "LEDGER.ask": 1 }, path: "/seen" },
  { verdict: "duplicate", source: "standard-ledger", delays: HOT, awaited: { "LEDGER.ask": 1 }, path: "/ledger" },
];

for (const way of WAYS) {
  const { verdict, source, delays, awaited, unawaited = {}, path } = way;
  const sum = Object.keys(awaited).reduce((total, name) => total + delays[name], 0);
  test(`${verdict} on ${source}: ${sum} ms for ${Object.keys(awaited).join(" and ")}`, async () => {
    for (const one of [gate, least]) await one.set({ ...VERDICTS[verdict].stubs, delays });
    // At the same time, so that whatever delays timers on this machine delays both.
    const [took, must] = await Promise.all([
      repeated(gate, verdict, signed(way)),
      repeated(least, undefined, bytesOf({ method: "POST", target: path, headers: [], body: "{}" })),
    ]);
    const each = Object.entries({ ...awaited, ...unawaited }).map(([name, count]) => [name, count * REQUESTS]);
    assert.deepEqual(besidesTheRecord((await gate.calls()).calls), Object.fromEntries(each));
    assert.ok(took >= sum * (1 - TOLERANCE), `p50 ${took.toFixed(1)} ms: something was not awaited`);
    assert.ok(took <= must * (1 + TOLERANCE), `p50 ${took.toFixed(1)} ms, where the calls alone take ${must.toFixed(1)} ms`);
  });
}

test("no read of KV was cut off by its slice", () => {
  const lines = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.includes('"memory":'));
  assert.ok(lines.length > 0);
  assert.deepEqual(
    lines.filter((line) => !/"memory":"(seen|unseen)"/.test(line)),
    [],
  );
});

/** Of a source and minute six refusals are sent to the record one by one; the test may see two minutes, and a flush. */
const RECORDED_MAX = 2 * 6 + 1;

for (const verdict of ["forged", "stale", "unknown", "malformed"]) {
  test(`${verdict} asks nothing of any binding but the record, few times and after its answer`, async () => {
    // So long that the answers would tell if they waited for it.
    await gate.set({ delays: { "AUDIT.send": 2_000 } });
    const took = await repeated(gate, verdict, signed({ verdict }));
    const { "AUDIT.send": recorded = 0, ...others } = (await gate.calls()).calls;
    assert.deepEqual(others, {});
    assert.ok(recorded <= RECORDED_MAX, `${recorded} messages`);
    assert.ok(took < 1_000, `${took} ms`);
  });
}
