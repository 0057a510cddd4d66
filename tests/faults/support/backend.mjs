// A backend that writes down what took effect, and what it said of it.
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { sleep } from "../../e2e/support/wait.mjs";

export const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

/**
 * Starts it. `fate()` is asked for each delivery: `ok`, or
 *   fail     500 at once, without effect
 *   lost     takes effect, then the connection breaks
 *   hang     no answer ever, without effect
 *   late:MS  takes effect after MS milliseconds, then 200
 *   limit    429, without effect
 *   refuse   400, without effect: no retry will change that
 */
export async function startBackend({ secret, fate }) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const deliveries = [];

  const server = createServer(async (request, response) => {
    const delivery = { at: Date.now(), took: false, status: undefined };
    const parts = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      return; // the gate died while it sent
    }
    const body = Buffer.concat(parts);
    const { headers } = request;
    const id = headers["webhook-id"];
    const mac = createHmac("sha256", key).update(`${id}.${headers["webhook-timestamp"]}.`).update(body).digest("base64");
    Object.assign(delivery, {
      id,
      eventId: headers["hookgate-event-id"],
      attempt: Number(headers["hookgate-attempt"]),
      run: Number(headers["hookgate-run"]),
      digest: digest(body),
      isSigned: headers["webhook-signature"] === `v1,${mac}`,
      fate: fate(headers["hookgate-tenant"]),
    });
    deliveries.push(delivery);
    const answer = (status) => {
      Object.assign(delivery, { status, answeredAt: Date.now() });
      response.writeHead(status).end();
    };
    const [kind, detail] = delivery.fate.split(":");
    switch (kind) {
      case "fail":
        return answer(500);
      case "limit":
        return answer(429);
      case "refuse":
        return answer(400);
      case "hang":
        return;
      case "lost":
        delivery.took = true;
        return request.socket.resetAndDestroy();
      case "late":
        await sleep(Number(detail));
      // falls through
      case "ok":
        delivery.took = true;
        return answer(200);
      default:
        throw new TypeError(`unknown fate ${delivery.fate}`);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/events`,
    deliveries,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
