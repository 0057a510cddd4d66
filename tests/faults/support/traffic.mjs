// Providers, and an attacker: fresh events on every source, twins, retries, replays, forgeries, broken requests.
import { exchange } from "../../e2e/support/http.mjs";
import { sign } from "../../e2e/support/sign.mjs";
import { sleep } from "../../e2e/support/wait.mjs";
import { sources } from "../../e2e/support/secrets.mjs";
import { digest } from "./backend.mjs";

/** Both roads; two tenants; a backend that is tried for long, and one that is given up after three attempts. */
const SOURCES = ["stubborn-hasty", "exact-stubborn-hasty", "stubborn-hasty", "exact-stubborn-hasty", "neighbour", "github"];
/** Takes bodies as streams. */
const STREAMED = "stubborn-streamed";
/** Of the bodies, in bytes: most fit a message; some travel apart from it; and some are never in memory as a whole. */
const LARGE_BYTES = 100_000;
const STREAMED_BYTES = 1_100_000;
const LARGE_SHARE = 0.1;
const STREAMED_SHARE = 0.04;
/** A provider's patience with one request; the slowest scheme answers within five seconds. */
const RETRIES = 3;

/** What a request may be answered, by what it is. */
export const KINDS = {
  genuine: [200, 503],
  forged: [401, 503],
  broken: [400, 401, 503],
};

export function traffic({ random, secrets, url, now, plant }) {
  const events = [];
  const requests = [];
  let sending = 0;

  function make(random, source, kind, phase) {
    const id = `evt_${random.hex(32)}`;
    const { scheme, secrets: names } = sources[source];
    const least = source === STREAMED ? STREAMED_BYTES : random.is(LARGE_SHARE) ? LARGE_BYTES : 0;
    const body = JSON.stringify({ id, event: "order.paid", note: "x".repeat(least + random.below(200)), amount: random.below(100_000) });
    const event = { id, source, kind, phase, random, body, digest: digest(Buffer.from(body)), requests: [], taken: false };
    event.signed = () => {
      const request = sign(source, scheme, secrets[names[0]], body, { id, at: now() });
      if (kind === "forged" && plant !== "forgeries-are-signed") {
        request.headers = request.headers.map(([name, value]) => [name, name.includes("signature") ? value.replace(/.(?=.{9}$)/, (one) => (one === "0" ? "1" : "0")) : value]);
      }
      // Without its signature nobody can say what it is.
      if (kind === "broken") request.headers = request.headers.filter(([name]) => !name.includes("signature"));
      return request;
    };
    events.push(event);
    return event;
  }

  /** One request and its answer, if one came. */
  async function send(event, request, phase) {
    const trace = event.random.hex(32);
    const sent = { event, trace, phase: phase.name, at: Date.now(), ahead: now() - Date.now() };
    requests.push(sent);
    event.requests.push(sent);
    sending += 1;
    try {
      const answer = await exchange(url, { ...request, headers: [...request.headers, ["traceparent", `00-${trace}-${event.random.hex(16)}-01`]] });
      Object.assign(sent, { status: answer.status, said: answer.json?.status, requestId: answer.requestId });
      if (answer.status === 200 && event.kind === "genuine") event.taken = true;
    } catch (error) {
      sent.error = error.code ?? error.message;
    }
    sent.answeredAt = Date.now();
    sending -= 1;
    return sent;
  }

  /** An event's way: twins now and then, the provider's retries, and somebody who replays what he saw. */
  async function live(event, phase) {
    const { random } = event;
    const first = event.signed();
    const copies = event.kind === "genuine" && random.is(0.2) ? 1 + random.below(3) : 0;
    const replays = event.kind === "genuine" && random.is(0.15);
    const twins = Array.from({ length: copies }, () => send(event, random.is(0.5) ? first : event.signed(), phase));
    let answer = await send(event, first, phase);
    await Promise.all(twins);
    for (let retry = 0; retry < RETRIES && event.kind === "genuine" && !event.taken; retry += 1) {
      await sleep(200 + random.below(600));
      answer = await send(event, event.signed(), phase);
    }
    if (replays) {
      await sleep(random.below(1_500));
      await send(event, first, phase);
    }
    return answer;
  }

  return {
    events,
    requests,
    sending: () => sending,
    /** `count` events over `ms` milliseconds. Does not wait for their answers. */
    async send(count, ms, phase) {
      for (let turn = 0; turn < count; turn += 1) {
        const kind = random.is(0.1) ? "forged" : random.is(0.03) ? "broken" : "genuine";
        // A put that never ends keeps its sender waiting for half a minute: longer than a phase.
        const isStreamed = random.is(STREAMED_SHARE) && !phase.faults.includes("ARCHIVE.put=hang");
        void live(make(random.fork(), isStreamed ? STREAMED : random.one(SOURCES), kind, phase.name), phase);
        await sleep((ms / count) * 2 * (random.below(100) / 100));
      }
    },
    /** The provider's last retry of what it was never told is taken. */
    async last(phase) {
      const untold = events.filter(({ kind, taken }) => kind === "genuine" && !taken);
      for (const event of untold) await send(event, event.signed(), phase);
      return untold.length;
    },
  };
}

