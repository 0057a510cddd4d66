// A backend that keeps what it was given, and fails on demand, one event at a time.
import { once } from "node:events";
import { createServer } from "node:http";
import { sleep, until } from "./wait.mjs";

/**
 * Starts a backend on a free port. A step of a plan is one delivery's fate:
 * a status, `{ status, headers, afterMs }`, `"hang"` (no answer), `"reset"` (the connection breaks),
 * `"hang-body"` (a 200 whose body never ends). After its plan an event is answered 200.
 */
export async function startBackend() {
  const deliveries = [];
  const plans = new Map();

  const server = createServer(async (request, response) => {
    const at = Date.now();
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // the gate was stopped while it sent
    }
    const { method, url, headers, rawHeaders } = request;
    const id = headers["hookgate-event-id"];
    const delivery = { at, method, url, headers, rawHeaders, id, body: Buffer.concat(chunks) };
    deliveries.push(delivery);
    const step = plans.get(id)?.shift() ?? 200;
    switch (step) {
      case "hang":
        return;
      case "reset":
        return request.socket.resetAndDestroy();
      case "hang-body":
        response.writeHead(200, { "content-length": "1000" }).write("the beginning of a body");
        return;
      default: {
        const { status, headers: extra = {}, afterMs = 0 } = typeof step === "number" ? { status: step } : step;
        if (afterMs > 0) await sleep(afterMs);
        response.writeHead(status, extra).end(status === 204 ? undefined : "the backend's answer");
      }
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const of = (id) => deliveries.filter((delivery) => delivery.id === id);
  return {
    url: `http://127.0.0.1:${server.address().port}/events`,
    deliveries,
    /** What becomes of the deliveries of event `id`, in order. */
    plan: (id, ...steps) => plans.set(id, steps),
    of,
    /** The deliveries of event `id`, as soon as there are `count` of them. */
    wait: (id, count = 1, timeoutMs = 20_000) =>
      until(() => (of(id).length >= count ? of(id) : undefined), `${count} deliveries of ${id}`, timeoutMs),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
