// The gate beside the providers' own SDKs: each request is judged by both, whoever signed it.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GATE, PROVIDERS, signersOf } from "./providers.mjs";
import { URL_OF_HOOK } from "./providers/shared.mjs";
import { chance, changed } from "./support/chance.mjs";
import { CASES } from "./support/cases.mjs";
import { ROOT, judge, scheme, signedByGate } from "./support/gate.mjs";
import { README, withTables } from "./table.mjs";

// Random requests for each signer.
const RANDOM = 60;
const SEED = 20_261_122;
// Behind a bound, by more than the test takes.
const MARGIN_SECONDS = 90;
// Characters that are easily changed on the way: white space, escapes, text beyond ASCII.
const BODY = (id) => `{ "id": "${id}",\n\t"event_id":"${id}", "type": "invoice.paid", "note": "Zürich \\u00e9 \u{1F600} \u{FFFD} </script>" , "amount": 1.10}`;

/** A request, signed by the SDK or by the gate. */
async function signed(provider, signer, { secret, key, ageSeconds = 0, id = "evt_1", plain }) {
  const atMs = Date.now() - ageSeconds * 1000;
  const { scheme: name, source } = provider;
  let body = Buffer.from(plain ?? (provider.body ?? BODY)(id, atMs));
  if (signer === GATE) return signedByGate({ scheme: name, secret, body, id, ageSeconds, source });
  if (provider.signBody) body = Buffer.from(await provider.signBody({ secret, text: body.toString() }));
  const proof = await provider.sign({ secret, key, body, text: body.toString(), id, atMs });
  const headers = [["content-type", provider.content ?? "application/json"], ...proof];
  return { scheme: name, method: "POST", url: URL_OF_HOOK, headers, body, secret };
}

/** What the SDK says to it, as a server would ask. */
async function asked(provider, request) {
  const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
  try {
    return (await provider.verify({ ...request, headers, text: request.body.toString() })) === false ? "reject" : "accept";
  } catch {
    return "reject";
  }
}

const shown = ({ headers, body, secret }) => JSON.stringify({ headers, body: body.toString(), secret });

for (const provider of PROVIDERS) {
  const signers = signersOf(provider);
  const title = `${provider.scheme} and ${provider.sdk}`;
  test(title, async () => {
    const { differs } = provider;
    const table = scheme(provider.scheme);
    const rows = [];
    const dice = chance(SEED);
    for (const signer of signers) {
      const pair = provider.pair ?? (() => ({ secret: provider.secret() }));
      const [keys, { secret: other }] = [pair(), pair()];
      const { tolerance_seconds: tolerance = 0, future_seconds: future = 0 } = table.time ?? {};
      const stale = await signed(provider, signer, { ...keys, ageSeconds: tolerance + MARGIN_SECONDS });
      const early = await signed(provider, signer, { ...keys, ageSeconds: -future - MARGIN_SECONDS });
      const plain = provider.body ? undefined : await signed(provider, signer, { ...keys, plain: "invoice in words" });
      // The gate does not sign what it would refuse.
      const dotted = signer === GATE ? undefined : await signed(provider, signer, { ...keys, id: "evt.1" });
      // The last, and asked about at once: Paddle's SDK gives it five seconds.
      const genuine = await signed(provider, signer, keys);
      const nowMs = Date.now();
      const here = [];
      for (const { name, make, expect } of CASES) {
        const request = make(genuine, table, { stale, early, other, plain, dotted });
        if (request !== undefined) here.push({ signer, name, request, nowMs, expected: expect(table) });
      }
      for (let count = 0; count < RANDOM; count += 1) here.push({ signer, name: "random", request: changed(genuine, dice), nowMs });
      for (const row of here) row.theirs = await asked(provider, row.request);
      rows.push(...here);
    }
    const verdicts = await judge(rows);
    const wrong = [];
    for (const name of Object.keys(differs)) assert.ok(CASES.some((known) => known.name === name && known.name !== "genuine"), `no case "${name}"`);
    for (const [index, { signer, name, request, expected, theirs }] of rows.entries()) {
      const { verdict, reason } = verdicts[index];
      if (expected === undefined) {
        // What it takes, they take; what they take besides is written in a way that it does not read.
        const isForm = /^(malformed_|missing_signed_part$)/.test(reason) && Object.keys(differs).length > 0;
        if (theirs !== verdict && !(verdict === "reject" && isForm)) wrong.push(`random: the gate says ${verdict} (${reason}), the SDK ${theirs}: ${shown(request)}`);
        continue;
      }
      if (verdict !== expected) wrong.push(`signed by ${signer}, ${name}: the gate says ${verdict} (${reason}), not ${expected}; the SDK ${theirs}`);
      else if (theirs === verdict && name in differs) wrong.push(`signed by ${signer}, ${name}: listed as different, but both say ${theirs}`);
      else if (theirs !== verdict && !(name in differs)) wrong.push(`signed by ${signer}, ${name}: the gate says ${verdict} (${reason}), the SDK ${theirs}`);
    }
    assert.deepEqual(wrong, []);
  });
}

test("README.md has the tables of today", () => {
  const text = readFileSync(README, "utf8");
  assert.equal(withTables(text), text, "run: node tests/sdk/table.mjs");
});

test("a scheme says whom it was compared with, and no other says so", () => {
  const compared = (name) => scheme(name).about.vector_source?.match(/npm's (\S+)$/)?.[1];
  const schemes = readdirSync(join(ROOT, "src", "schemes")).map((file) => file.replace(/\.toml$/, ""));
  const said = schemes.filter(compared).map((name) => `${name}: ${compared(name)}`);
  assert.deepEqual(said.sort(), PROVIDERS.map((provider) => `${provider.scheme}: ${provider.sdk}`).sort());
});
