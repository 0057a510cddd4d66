// Requests exactly as written: header order and case, repeated headers, chunks, odd paths, no retries.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";

const TIMEOUT_MS = 20_000;

/**
 * Sends `{ method, target, headers: [[name, value], …], body, chunks }`. `chunks` (also an async iterable) are
 * sent one by one without a content-length. Resolves to status, headers, text, json (where it is) and ms.
 */
export function exchange(base, { method = "POST", target, headers = [], body = "", chunks }) {
  const url = new URL(base);
  const bytes = Buffer.from(body);
  const has = (name) => headers.some(([known]) => known.toLowerCase() === name);
  const raw = [...(has("host") ? [] : ["Host", url.host]), ...headers.flat()];
  if (chunks !== undefined) raw.push("Transfer-Encoding", "chunked");
  else if (!has("content-length") && (bytes.length > 0 || method === "POST")) raw.push("Content-Length", String(bytes.length));
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: url.hostname, port: url.port, method, path: target, headers: raw, agent: false }, async (answer) => {
      const parts = [];
      try {
        for await (const part of answer) parts.push(part);
      } catch (error) {
        return reject(error);
      }
      resolve(answerOf(answer.statusCode, answer.headers, Buffer.concat(parts).toString(), Date.now() - started));
    });
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error("no answer in time")));
    outgoing.on("error", reject);
    if (chunks === undefined) return outgoing.end(bytes);
    void drip(outgoing, chunks);
  });
}

async function drip(outgoing, chunks) {
  for await (const chunk of chunks) outgoing.write(chunk);
  outgoing.end();
}

/** Sends these bytes on a connection of their own; for what no client would write. */
export async function exchangeBytes(base, bytes) {
  const url = new URL(base);
  const socket = connect(Number(url.port), url.hostname);
  const parts = [];
  socket.on("data", (part) => parts.push(part));
  socket.on("error", () => {}); // a server may break off what it will not read
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  socket.write(bytes);
  await once(socket, "close");
  const text = Buffer.concat(parts).toString();
  const [head, ...rest] = text.split("\r\n\r\n");
  const [statusLine, ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => [line.split(":")[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  return answerOf(Number(statusLine.split(" ")[1]), headers, rest.join("\r\n\r\n"));
}

function answerOf(status, headers, text, ms) {
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status, headers, text, json, ms, requestId: headers["hookgate-request-id"] };
}
