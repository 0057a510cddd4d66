// The hand-written rival does the gate's job, or its row counts for nothing: the same requests go to both,
// and answers, log lines, messages and what is asked of the bindings must be the same.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CASES, FAULTS } from "./support/cases.mjs";
import { CONTENDERS } from "./contenders.mjs";
import { exchange } from "../e2e/support/http.mjs";
import { until } from "../e2e/support/wait.mjs";
import { freshTexts } from "./support/requests.mjs";
import { startWorkerd } from "./support/workerd.mjs";

const PAIR = ["gate", "js-careful"];
const texts = freshTexts();
const directory = mkdtempSync(join(tmpdir(), "hookgate-bench-logs-"));
const started = [];
let whole;
let lacking;

before(async () => {
  whole = await pair(texts);
  const { STANDARD_SECRET, ...less } = texts;
  lacking = await pair({ ...less, STANDARD_ROTATING_SECRET_OLD: "whsec_*" });
});

after(async () => {
  for (const running of started) await running.stop();
  rmSync(directory, { recursive: true });
});

async function pair(known) {
  const both = [];
  for (const name of PAIR) {
    const log = join(directory, `${started.length}-${name}.log`);
    const running = await startWorkerd(CONTENDERS[name], known, { log });
    started.push(running);
    both.push({ name, log, ...running });
  }
  return both;
}

for (const { name, of = "whole", stubs = {}, lastly = {}, make } of [...CASES, ...FAULTS]) {
  test(name, async () => {
    const request = await make(texts);
    const [gate, careful] = await Promise.all(
      (of === "whole" ? whole : lacking).map((one) => outcome(one, request, stubs, lastly)),
    );
    assert.deepEqual(careful, gate);
  });
}

/** Options that may as well be left out. KV gives text unless it is asked for something else. */
const SAYS_NOTHING = ["{}", '{"type":"text"}', '"text"', "null"];

/** All that a request leads to, without what is new each time. */
async function outcome({ port, log, set, calls }, request, stubs, lastly) {
  await set(stubs);
  const answer = await exchange(`http://127.0.0.1:${port}`, request);
  const id = answer.headers["hookgate-request-id"];
  assert.match(id ?? "", /^req_[0-9a-f]{32}$/, `an answer without a request id: ${answer.status} ${answer.text}`);
  const lines = () => readFileSync(log, "utf8").split("\n");
  const verdict = await until(
    () => lines().find((line) => line.includes('"event":"verdict"') && line.includes(id)),
    "the verdict's line",
  );
  // What happens after the answer is over when the bindings hear no more.
  let asked = await until(async () => {
    const heard = await calls();
    return Object.entries(lastly).every(([name, count]) => heard.calls[name] >= count) && heard;
  }, "the last call of a binding");
  for (let again = await calls(); JSON.stringify(again) !== JSON.stringify(asked); again = await calls()) asked = again;
  // The record is the gate's alone: it is written after the answer, and in a flood a few times.
  delete asked.calls["AUDIT.send"];
  delete asked.last["AUDIT.send"];
  for (const args of Object.values(asked.last)) if (SAYS_NOTHING.includes(JSON.stringify(args.at(-1)))) args.pop();
  const { date, ...headers } = answer.headers;
  return masked({ status: answer.status, headers, text: answer.text, verdict, asked });
}

/** Fresh ids and times out; what must agree between the parts of one outcome is compared before. */
function masked(outcome) {
  const trace = /"trace_id":"([0-9a-f]{32})"/.exec(outcome.verdict)[1];
  return JSON.parse(
    JSON.stringify(outcome)
      .replaceAll(trace, "TRACE")
      .replace(/req_(?!0{32})[0-9a-f]{32}/g, "req_ID")
      // By what it tells contents apart is each one's own affair.
      .replace(/(req_ID )(?:[0-9a-f]{16}|[0-9a-f]{32})"/g, '$1PRINT"')
      .replace(/00-TRACE-[0-9a-f]{16}/g, "00-TRACE-SPAN")
      .replace(/(receivedtime\\*":\\*")[-0-9T:.]+Z/g, "$1TIME")
      .replace(/(\\"(?:duration_ms|skew_ms|evidence_value)\\":)(-?)\d+/g, (whole, name, sign) =>
        name.includes("evidence") ? whole.replace(/\d{3}$/, "nnn") : `${name}${sign}0`,
      )
      .replace(/(expires_ms\\*":)\d+/g, "$1TIME")
      .replace(/spool\/[0-9a-f]{32}/g, "spool/NAME")
      // The difference of two texts of a hundred kilobytes takes all the memory there is.
      .replace(/[A-Za-z0-9+/=]{1000,}/g, (text) => createHash("sha256").update(text).digest("hex")),
  );
}
