// What becomes of a refusal after its answer: the mistake is named in the log and in the record, and nothing of it
// reaches the sender.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { freshSecrets, sources } from "./support/secrets.mjs";
import { freshId, sign } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate({ secrets: { ...freshSecrets(), GITHUB_OLD_SECRET: "rotated-out" } })));
after(() => gate.stop());

const secretOf = (source) => gate.secrets[sources[source].secrets[0]];
const body = () => JSON.stringify({ id: freshId(), type: "test.event" });

/** A request to a source over `text`, which is sent as `sent`. */
const over = (source, text, sent = text, secret = secretOf(source)) => ({
  ...sign(source, sources[source].scheme, secret, text, {}),
  body: sent,
});
const diagnosisOf = (answer) => gate.line({ event: "diagnosis", request_id: answer.requestId });

/** The texts of the record's rows of a request. */
const recorded = (answer) =>
  until(async () => {
    const [row] = await gate.recorded("SELECT text FROM records WHERE id = ?", answer.requestId);
    return row && JSON.parse(row.text);
  }, "the refusal in the record");

test("a mistake is named in the log and in the record, and the answer is the same as to a forgery", async () => {
  const text = body();
  const mistaken = await gate.send(over("stripe", text, `${text}\n`));
  const forged = await gate.send(over("stripe", text, text, "another"));
  const found = await diagnosisOf(mistaken);
  assert.deepEqual(
    [found.hypothesis, found.is_proved, found.source, found.key_id],
    ["body_newline_removed", true, "stripe", sources.stripe.secrets[0]],
  );
  assert.match(found.words, /trailing newline/);
  assert.equal((await diagnosisOf(forged)).hypothesis, "none");
  const dull = ({ status, text, requestId, headers }) => [status, text.replaceAll(requestId, "ID"), Object.keys(headers).sort()];
  assert.deepEqual(dull(mistaken), dull(forged));
  assert.equal(mistaken.status, 401);
  assert.equal((await recorded(mistaken)).diagnosis, "body_newline_removed");
  assert.equal((await recorded(forged)).diagnosis, "none");
  // It was refused, and is forgotten.
  assert.equal((await gate.verdict(mistaken)).verdict, "refused");
  assert.equal(gate.lines({ event: "diagnosis", request_id: mistaken.requestId }).length, 1);
});

test("the answer has left before the first hypothesis is tried", async () => {
  const text = body();
  // The larger body is hashed by WebCrypto, and as much is tried as may be.
  for (const [source, long] of [["github", text], ["slack", JSON.stringify({ id: freshId(), text: "x".repeat(60_000) })]]) {
    const answer = await gate.send(over(source, long, `${long}\n`));
    // The sender has the whole answer now. What he does next is in the same log.
    const next = `/hooks/nobody-after-${source}`;
    await gate.send({ target: next });
    await diagnosisOf(answer);
    const order = gate
      .lines()
      .map((line) => {
        if (line.event === "verdict" && line.request_id === answer.requestId) return "verdict";
        if (line.event === "verdict" && line.unknown_path === next) return "sender has the answer";
        if (line.event === "mark" && line.request_id === answer.requestId) return line.what;
        if (line.event === "diagnosis" && line.request_id === answer.requestId) return "diagnosis";
        return undefined;
      })
      .filter((what) => what !== undefined);
    assert.deepEqual(order, ["verdict", "sender has the answer", "diagnosis_begins", "diagnosis"]);
  }
});

test("a secret that was rotated out is named, and lets nobody in", async () => {
  const answer = await gate.send(over("github-rotated", body(), undefined, "rotated-out"));
  assert.equal(answer.status, 401);
  const found = await diagnosisOf(answer);
  assert.deepEqual([found.hypothesis, found.key_id], ["retired_secret", "GITHUB_OLD_SECRET"]);
});

test("a form is told without the body", async () => {
  const text = body();
  const request = over("vercel", text);
  const headers = request.headers.map(([name, value]) => [name, name === "x-vercel-signature" ? Buffer.from(value, "hex").toString("base64") : value]);
  const answer = await gate.send({ ...request, headers });
  assert.equal(answer.status, 400);
  const found = await diagnosisOf(answer);
  assert.deepEqual([found.hypothesis, found.is_proved], ["signature_in_base64", false]);
});

test("in a flood four of a kind are diagnosed in a minute, and no body over 64 KB", async () => {
  const large = JSON.stringify({ id: freshId(), text: "x".repeat(70_000) });
  const answer = await gate.send(over("heroku", large, `${large}\n`));
  assert.equal(answer.status, 401);
  assert.equal((await recorded(answer)).diagnosis, undefined);
  const answers = [];
  for (let number = 0; number < 30; number += 1) answers.push(await gate.send(over("shopify", body(), undefined, "another")));
  await until(() => gate.lines({ event: "verdict", source: "shopify" }).length === 30, "thirty verdicts");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const diagnosed = gate.lines({ event: "diagnosis", source: "shopify" }).length;
  // A minute may have ended in between.
  assert.ok(diagnosed >= 4 && diagnosed <= 8, String(diagnosed));
  assert.equal(gate.lines({ event: "diagnosis", source: "heroku" }).length, 0);
});
