// A backend to watch: it prints each event that the gate delivers, and keeps the last ones.
//
//   POST /anything                     takes an event
//   GET /events                        what came, oldest first
//   DELETE /events                     forgets it
//   POST /fail?status=503&count=3      refuses the next three deliveries (&retry_after=SECONDS)
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseDevVars } from "./dev-vars.mjs";
import { fail, oneLine } from "./terminal.mjs";

const PORT = Number(process.env.BACKEND_PORT ?? 8788);
const EVENTS_MAX = 10_000;
/** Ten thousand of the largest events would not fit in a laptop's memory. */
const KEPT_BYTES_MAX = 256 * 1024 * 1024;
/** Standard Webhooks: how far the signed time may be from now. */
const TOLERANCE_SECONDS = 300;

const events = [];
let keptBytes = 0;
let failing = { status: 503, count: 0, retryAfter: undefined };

function deliverySecret() {
  try {
    return parseDevVars(readFileSync(".dev.vars", "utf8")).get("DELIVERY_SECRET") || undefined;
  } catch {
    return undefined;
  }
}

/** The gate signs each delivery as Standard Webhooks says; a real backend checks it like this. */
function judgeSignature(headers, body) {
  const secret = deliverySecret();
  if (secret === undefined) return "signature not checked (no DELIVERY_SECRET)";
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signatures } = headers;
  if (!id || !time || !signatures) return "SIGNATURE MISSING";
  if (!/^\d{1,12}$/.test(time) || Math.abs(Date.now() / 1000 - Number(time)) > TOLERANCE_SECONDS) return "SIGNATURE TOO OLD";
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest();
  const right = signatures.split(" ").some((signature) => {
    if (!signature.startsWith("v1,")) return false;
    const given = Buffer.from(signature.slice(3), "base64");
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return right ? "signature right" : "SIGNATURE WRONG";
}

function keep(event, bytes) {
  events.push({ event, bytes });
  keptBytes += bytes;
  while (events.length > EVENTS_MAX || (keptBytes > KEPT_BYTES_MAX && events.length > 1)) {
    keptBytes -= events.shift().bytes;
  }
}

function answerJson(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(value)}\n`);
}

function take(request, response, body) {
  const { headers } = request;
  const [id, source, type] = ["hookgate-event-id", "hookgate-source", "hookgate-event-type"].map((name) => headers[name] ?? "");
  const line = [
    new Date().toISOString().slice(11, 23),
    `source=${oneLine(source) || "-"}`,
    `type=${oneLine(type) || "-"}`,
    `id=${oneLine(id) || "-"}`,
    `${body.length} bytes`,
    judgeSignature(headers, body),
  ].join("  ");
  if (failing.count > 0) {
    failing.count -= 1;
    console.log(`backend  ${line}  refused with ${failing.status} as asked, ${failing.count} more to refuse`);
    if (failing.retryAfter !== undefined) response.setHeader("retry-after", failing.retryAfter);
    return answerJson(response, failing.status, { status: "refused as asked" });
  }
  console.log(`backend  ${line}`);
  keep({ id, source, type, headers, body_base64: body.toString("base64") }, body.length);
  return answerJson(response, 200, { status: "taken" });
}

function setFailing(url, response) {
  const number = (name, fallback) => Number(url.searchParams.get(name) ?? fallback);
  const status = number("status", 503);
  const count = number("count", 1);
  const retryAfter = url.searchParams.get("retry_after") ?? undefined;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599 && Number.isInteger(count) && count >= 0)) {
    return answerJson(response, 400, { error: "status is 200 to 599, count a number of deliveries" });
  }
  if (retryAfter !== undefined && !/^[\x20-\x7e]*$/.test(retryAfter)) {
    return answerJson(response, 400, { error: "retry_after is seconds or an HTTP date" });
  }
  failing = { status, count, retryAfter };
  return answerJson(response, 200, { status, count });
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("error", () => response.destroy());
  request.on("end", () => {
    let url;
    try {
      url = new URL(request.url, "http://backend");
    } catch {
      return answerJson(response, 400, { error: "not a URL" });
    }
    const { pathname } = url;
    if (request.method === "GET" && pathname === "/events") {
      return answerJson(response, 200, events.map(({ event }) => event));
    }
    if (request.method === "DELETE" && pathname === "/events") {
      events.length = 0;
      keptBytes = 0;
      return answerJson(response, 200, { status: "forgotten" });
    }
    if (request.method === "POST" && pathname === "/fail") return setFailing(url, response);
    if (request.method === "POST") return take(request, response, Buffer.concat(chunks));
    return answerJson(response, 404, { error: "POST an event, or GET /events" });
  });
});
server.on("error", (error) => fail(`backend: cannot listen on 127.0.0.1:${PORT}: ${error.message}`));
// Loopback only: whoever reaches it reads every event.
server.listen(PORT, "127.0.0.1");
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
