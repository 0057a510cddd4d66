// Posts the signed requests that it reads, one JSON object a line, and says what the gate answered.
// Started by scripts/send, which has the usage text.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { createInterface } from "node:readline";
import { fail, oneLine } from "./terminal.mjs";

const ANSWER_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 30_000;
const EXPLAINED_MAX = 3;

const [base, repeatText, concurrencyText, logFile] = process.argv.slice(2);
const repeat = wholeNumber("--repeat", repeatText);
const concurrency = wholeNumber("--concurrency", concurrencyText);

function wholeNumber(name, text) {
  if (!/^[1-9]\d{0,6}$/.test(text ?? "")) fail(`${name} must be a whole number from 1, not '${oneLine(text)}'.`);
  return Number(text);
}

/** Plain node:http, because some schemes need GET, exact header case or a repeated header. */
function post({ method, target, headers, body_base64: bodyBase64 }) {
  const body = Buffer.from(bodyBase64 ?? "", "base64");
  const url = new URL(base);
  const start = url.protocol === "https:" ? httpsRequest : httpRequest;
  const rawHeaders = headers.flat();
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!names.has("host")) rawHeaders.push("Host", url.host);
  if (!names.has("content-length") && !names.has("transfer-encoding") && (body.length > 0 || method !== "GET")) {
    rawHeaders.push("Content-Length", String(body.length));
  }
  return new Promise((resolve, reject) => {
    const outgoing = start(
      { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || undefined, method, path: url.pathname.replace(/\/$/, "") + target, headers: rawHeaders },
      (answer) => {
        const chunks = [];
        let length = 0;
        answer.on("data", (chunk) => {
          length += chunk.length;
          if (length <= ANSWER_BYTES_MAX) chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString("utf8") }));
      },
    );
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** {kind, words}: what became of the webhook. */
export function judge({ status, headers, text }) {
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  if (status === 200 && (json?.status === "accepted" || json?.status === "duplicate")) {
    return { kind: json.status, words: json.status };
  }
  // KooGallery is answered over HTTP 200 whatever happened; its code says what.
  if (status === 200 && typeof json?.resultCode === "string") {
    // 000004: held, and in progress until a backend can answer.
    const taken = ["000000", "000004"].includes(json.resultCode);
    return { kind: taken ? "taken" : "refused", words: `${taken ? "taken" : "refused"} (resultCode ${oneLine(json.resultCode)})` };
  }
  if (status >= 200 && status < 300) return { kind: "answered", words: `answered (${status})` };
  if (status === 503) {
    const after = headers["retry-after"];
    return { kind: "not taken", words: `not taken (503${after ? `, retry after ${oneLine(after)} s` : ""})` };
  }
  const title = typeof json?.title === "string" ? `: ${oneLine(json.title)}` : "";
  if (status >= 400 && status < 500) return { kind: "refused", words: `refused (${status}${title})` };
  return { kind: "failed", words: `failed (${status}${title})` };
}

const jobs = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  const signed = JSON.parse(line);
  for (let copy = 0; copy < repeat; copy += 1) jobs.push(signed);
}
if (jobs.length === 0) process.exit(1); // the signing tool has said why

/** The answer never says which check failed; the record and the gate's own log do. Said a few times, not a thousand. */
function explain(requestId) {
  explained += 1;
  if (explained > EXPLAINED_MAX || requestId === "") return;
  const { PORT } = process.env;
  const port = PORT && PORT !== "8787" ? `PORT=${oneLine(PORT)} ` : "";
  const records = logFile ? `${port}./scripts/records` : `./scripts/records --url ${oneLine(base)}`;
  const line = logFile ? `grep -a ${requestId} ${logFile}` : "the line with this request id in the gate's log";
  console.log(`  why: ${records} show ${requestId}   (some seconds after the answer; at once: ${line})`);
}

const counts = new Map();
let explained = 0;
let unreachable;
let next = 0;
async function worker() {
  while (next < jobs.length && unreachable === undefined) {
    const job = jobs[next];
    next += 1;
    try {
      const answer = await post(job);
      const { kind, words } = judge(answer);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      const requestId = oneLine(answer.headers["hookgate-request-id"] ?? "");
      console.log(`${words}${requestId ? `  request ${requestId}` : ""}`);
      if (kind === "refused" || kind === "not taken" || kind === "failed") {
        explain(requestId);
      }
    } catch (error) {
      unreachable = error;
    }
  }
}
await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, worker));

if (unreachable !== undefined) {
  const cause = unreachable.errors?.[0]?.message ?? unreachable.message;
  fail(`No answer from ${base}: ${oneLine(cause)}. Does ./scripts/dev run in another terminal?`);
}
if (jobs.length > 1) {
  console.log([...counts].map(([kind, count]) => `${count} ${kind}`).join(", "));
}
const good = ["accepted", "duplicate", "taken", "answered"];
process.exit([...counts.keys()].every((kind) => good.includes(kind)) ? 0 : 1);
