// The load: requests written beforehand, over a few kept connections of HTTP/1.1. Closed loop: each
// connection sends its next request when the answer to the last one is there.
import { connect } from "node:net";

const CONNECTIONS = 4;
const IDLE_MS_MAX = 20_000;

/**
 * Sends `count` requests, taken in turn from `requests` (buffers, or arrays of buffers), and resolves to
 * the milliseconds that took. Every answer's status must be `status`; `check`, where given, sees each body.
 */
export async function load(port, requests, count, { status, check, connections = CONNECTIONS }) {
  const state = { port, requests, count, status, check, sent: 0 };
  const started = performance.now();
  await Promise.all(Array.from({ length: Math.min(connections, count) }, () => connection(state)));
  return performance.now() - started;
}

function connection(state) {
  return new Promise((resolve, reject) => {
    const socket = connect(state.port, "127.0.0.1");
    socket.setNoDelay(true);
    const reader = new AnswerReader();
    const fail = (why) => {
      socket.destroy();
      reject(why instanceof Error ? why : new Error(why));
    };
    const next = () => {
      if (state.sent === state.count) {
        socket.end();
        return resolve();
      }
      write(socket, state.requests[state.sent++ % state.requests.length]);
    };
    socket.setTimeout(IDLE_MS_MAX, () => fail("no answer in time"));
    socket.once("error", fail);
    socket.once("close", () => fail("the connection was closed")); // no effect once it has resolved
    socket.once("connect", next);
    socket.on("data", (part) => {
      const answer = reader.push(part);
      if (answer === undefined) return;
      const wrong = answer.status !== state.status ? `status ${answer.status} and not ${state.status}` : state.check?.(answer.body);
      if (wrong) return fail(`a wrong answer: ${wrong}: ${answer.body}`);
      next();
    });
  });
}

export function write(socket, request) {
  if (!Array.isArray(request)) return socket.write(request);
  socket.cork();
  for (const part of request) socket.write(part);
  socket.uncork();
}

/** Reads the answers of one connection, one at a time: no pipelining. */
export class AnswerReader {
  #text = "";

  /** The answer, once `part` completes it. */
  push(part) {
    this.#text += part.latin1Slice();
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const head = this.#text.slice(0, end).toLowerCase();
    const rest = this.#text.slice(end + 4);
    const body = head.includes("\r\ntransfer-encoding: chunked") ? unchunked(rest) : sized(head, rest);
    if (body === undefined) return undefined;
    this.#text = "";
    return { status: Number(head.slice(9, 12)), body };
  }
}

function sized(head, rest) {
  const at = head.indexOf("\r\ncontent-length: ");
  const length = at === -1 ? 0 : Number.parseInt(head.slice(at + 18), 10);
  return rest.length < length ? undefined : rest;
}

function unchunked(rest) {
  if (!rest.endsWith("0\r\n\r\n")) return undefined;
  let body = "";
  for (let at = 0; ; ) {
    const line = rest.indexOf("\r\n", at);
    const size = Number.parseInt(rest.slice(at, line), 16);
    if (size === 0) return body;
    body += rest.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
