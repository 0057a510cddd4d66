// The load: requests written beforehand, over a few kept connections of HTTP/1.1. Closed loop: each
// connection sends its next request when the answer to the last one is there.
import { once } from "node:events";
import { connect } from "node:net";

const CONNECTIONS = 4;
const SILENCE_MS_MAX = 20_000;
/** workerd closes a connection that brings nothing for five seconds. */
const IDLE_MS_MAX = 3_000;

/** Opens connections to a contender, and keeps them between one load and the next. */
export async function openLoad(port, connections = CONNECTIONS) {
  let sockets = [];
  let used = -Infinity;
  const close = () => sockets.forEach((socket) => socket.destroy());
  const renew = async () => {
    close();
    sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  };
  return {
    /**
     * Sends `count` requests, taken in turn from `requests` (buffers, or arrays of buffers), and resolves to
     * the milliseconds that took. Every answer's status must be `status`; `check`, where given, sees each body.
     */
    async send(requests, count, { status, check }) {
      if (performance.now() - used > IDLE_MS_MAX) await renew();
      const load = { requests, count, status, check, sent: 0 };
      const started = performance.now();
      await Promise.all(sockets.map((socket) => work(socket, load)));
      used = performance.now();
      return used - started;
    },
    close,
  };
}

export async function open(port) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket.setNoDelay(true);
}

function work(socket, load) {
  return new Promise((resolve, reject) => {
    const reader = new AnswerReader();
    const listeners = {
      timeout: () => end(new Error("no answer in time")),
      error: (error) => end(error),
      close: () => end(new Error("the connection was closed")),
      data(part) {
        const answer = reader.push(part);
        if (answer === undefined) return;
        const wrong =
          answer.status !== load.status ? `status ${answer.status} and not ${load.status}` : load.check?.(answer.body);
        if (wrong) end(new Error(`a wrong answer: ${wrong}: ${answer.body}`));
        else next();
      },
    };
    const end = (error) => {
      for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
      socket.setTimeout(0);
      if (error === undefined) resolve();
      else reject(error);
    };
    const next = () => {
      if (load.sent === load.count) return end();
      write(socket, load.requests[load.sent++ % load.requests.length]);
    };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    socket.setTimeout(SILENCE_MS_MAX);
    next();
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
  for (let at = 0; ;) {
    const line = rest.indexOf("\r\n", at);
    const size = Number.parseInt(rest.slice(at, line), 16);
    if (size === 0) return body;
    body += rest.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
