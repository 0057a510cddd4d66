// Every file of tests/vectors, sent to the built Worker byte for byte: it says what it says natively (tests/vectors.rs).
//
// A file names its own secrets and pins, and many name the same, which no gate takes at two sources: so each set of them
// is a configuration of its own (support/wrap.mjs), with one source of the name that is in the files' paths, and signed there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response } from "miniflare";
import { ROOT, startGate } from "./support/gate.mjs";
import { startOutside } from "./support/outside.mjs";
import { document, schemeOf, schemes, variablesFor, vectorsOf } from "./support/vectors.mjs";
import { until } from "./support/wait.mjs";

/** What cannot come over HTTP as it stands in its file: what is said to it there, and why. */
const OTHERWISE = {
  "huawei-sdk-hmac/signed-header-missing.vector": ["signature_mismatch", "the header that it lacks is Host, which every request of HTTP/1.1 has"],
};
/** Of the schemes that are answered 200 whatever was decided. */
const answersAlways = (scheme) => schemeOf(scheme).answer === "koogallery";

/** Whether its key is the provider's, and asked for. */
const isFetched = (scheme) => ["certificate", "key-set", "key-request"].includes(schemeOf(scheme).key.encoding);

/** Vectors whose receiver knows the same, and finds the same outside. */
const sets = Object.values(Object.groupBy(schemes.flatMap(vectorsOf), ({ scheme, knows, documents }) => JSON.stringify([scheme, knows, documents])));
const outside = startOutside();
/** By title: the answer, and the verdict's line. */
const ended = new Map();
let gate;

before(async () => {
  gate = await startGate({ outside });
  const variables = Object.fromEntries(sets.map(([first], number) => [number, variablesFor(first, number)]));
  await gate.send({ target: "/-/variables", body: JSON.stringify(variables) });
  const kv = await gate.mf.getKVNamespace("SEEN");
  const answers = [];
  for (const [number, set] of sets.entries()) {
    // What one set fetched is not known to the next.
    if (isFetched(set[0].scheme)) {
      // It is written after the answer, and that may be late: what was deleted must not be there when one looks again.
      for (let looks = 0; looks < 3; looks += 1) {
        const known = (await gate.remembered()).filter((name) => name.startsWith("document/"));
        if (known.length > 0) looks = 0;
        await Promise.all(known.map((name) => kv.delete(name)));
        await sleep(20);
      }
      outside.clear();
    }
    for (const [url, file] of set[0].documents) put(url, document(file));
    const send = async ({ title, method, target, headers, body, now_ms }) => {
      const told = [["x-test-variables", String(number)], ["x-test-now", now_ms]];
      answers.push([title, await gate.send({ method, target, headers: [...headers, ...told], body }).catch((error) => error)]);
    };
    // There is one clock, it does not go back, and what is fetched is asked for once.
    const inTime = set.toSorted((one, other) => one.now_ms - other.now_ms);
    const together = set[0].documents.length > 0 ? inTime.map((vector) => [vector]) : Object.values(Object.groupBy(inTime, ({ now_ms }) => now_ms));
    for (const some of together) await Promise.all(some.map(send));
  }
  const lines = await until(() => {
    const found = new Map(gate.lines({ event: "verdict" }).map((line) => [line.request_id, line]));
    return found.size >= answers.filter(([, { requestId }]) => requestId).length && found;
  }, "a verdict for each request");
  for (const [title, answer] of answers) ended.set(title, { answer, line: lines.get(answer.requestId) ?? {} });
});
after(() => gate.stop());

/** What stands behind a `#` is asked for in a body, as Plaid is. */
function put(url, text) {
  const [address, id] = url.split("#");
  if (id === undefined) return outside.put(address, text);
  const known = async (request) => (await request.json()).key_id === id;
  outside.put(address, async (request) => ((await known(request)) ? new Response(text) : new Response("{}", { status: 400 })));
}

for (const scheme of schemes) {
  test(scheme, () => {
    const wrong = [];
    for (const vector of vectorsOf(scheme)) {
      const { answer, line } = ended.get(vector.title);
      const got = { verdict: line.reason ?? line.verdict ?? String(answer), status: Math.trunc(answer.status / 100) };
      const expected = expectedOf(vector);
      // Another vector may have brought the same event.
      if (got.verdict === "duplicate") got.verdict = "accepted";
      for (const member of ["event_id", "event_type"].filter((name) => vector[name] !== undefined)) {
        expected[member] = vector[member];
        got[member] = line[member];
      }
      if (JSON.stringify(got) !== JSON.stringify(expected)) wrong.push(`${vector.title}: ${JSON.stringify(got)}, not ${JSON.stringify(expected)} (${answer.status})`);
    }
    assert.deepEqual(wrong, []);
  });
}

function expectedOf({ scheme, title, expect: natively }) {
  const expect = OTHERWISE[title]?.[0] ?? natively;
  if (expect === "accept") return { verdict: "accepted", status: 2 };
  if (expect.startsWith("key_")) return { verdict: expect, status: 5 };
  return { verdict: expect, status: answersAlways(scheme) ? 2 : 4 };
}

test("a retry is the same event in workerd, and the next one another", () => {
  // A ping's name is the window in which it came.
  const isPing = (scheme) => schemeOf(scheme).identity.some(({ ping }) => ping);
  for (const scheme of schemes.filter((name) => !isPing(name))) {
    const [first, retry, next] = ["first", "retry", "next"].map((name) => ended.get(`${scheme}/pair-${name}.vector`).line.dedup_key);
    assert.ok(first, scheme);
    assert.equal(retry, first, scheme);
    assert.notEqual(next, first, scheme);
  }
});

test("an event has the key that it has natively", () => {
  const keys = readFileSync(join(ROOT, "tests", "vectors", "keys.txt"), "utf8").trim().split("\n").map((line) => line.split(" "));
  assert.ok(keys.length > 50);
  for (const [scheme, key] of keys) assert.equal(ended.get(`${scheme}/pair-first.vector`).line.dedup_key, key, scheme);
});

test("none is left out, and each that comes out otherwise says why", () => {
  const all = schemes.flatMap(vectorsOf);
  assert.equal(ended.size, all.length);
  assert.ok(ended.size > 1_000, `${ended.size} vectors`);
  for (const [title, [otherwise]] of Object.entries(OTHERWISE)) {
    const vector = all.find((known) => known.title === title);
    assert.ok(vector !== undefined && vector.expect !== otherwise, title);
  }
});
