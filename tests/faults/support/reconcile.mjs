// The books at the end of a run: what was sent, what was answered, what the log says, what the backend got, and what
// lies among the dead letters. Everything must add up; what need not is listed in docs/guarantees.md, and counted here.
import { KINDS } from "./traffic.mjs";

/** The log's last lines die with the process that writes them. */
const LAST_LINES_MS = 300;
/** Between a backend's answer and the ledger's note of it: the ledger's time-out and some turns of a busy machine. */
const UNTIL_DONE_MS = 6_500;
/** A batch's ten messages, four at a time, each with two waits for the ledger, one for the backend and one for a letter. */
const BATCH_MS_MAX = 45_000;
/** A batch that began so long before the end of the run and is not over shows that something waits without an end. */
const BATCH_MS_SEEN = 25_000;

/**
 * `{ violations: [{ rule, event, text }], windows, counts }`.
 *   requests, events  traffic.mjs
 *   deliveries        backend.mjs
 *   lines             the log: `{ at, line }`
 *   letters           by event id: the digest of the dead letter's content, undefined where that is not to be found
 *   kills             `{ from, to }`: when the gate was killed, and when it was there again
 *   end               when the run ended
 *   waiting           what is still held somewhere, as text; undefined where nothing is
 */
export function reconcile({ requests, events, deliveries, lines, letters, kills, end, waiting }) {
  const violations = [];
  const broken = (rule, event, text) => violations.push({ rule, event, text });
  const killedNear = (begin, end) => kills.some(({ from, to }) => from <= end && to >= begin);
  const grouped = (list, keyOf) => {
    const groups = new Map();
    for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
    return groups;
  };

  // ---- every request has one verdict --------------------------------------------------------------
  const verdicts = grouped(lines.filter(({ line }) => line.event === "verdict"), ({ line }) => line.trace_id);
  const known = new Set(requests.map(({ trace }) => trace));
  for (const trace of verdicts.keys()) if (!known.has(trace)) broken("one verdict for each request", undefined, `a verdict for a request that nobody sent: ${trace}`);
  for (const request of requests) {
    const found = (verdicts.get(request.trace) ?? []).map(({ line }) => line);
    const { event, status } = request;
    if (found.length > 1) broken("one verdict for each request", event, `${found.length} verdicts for request ${request.trace}`);
    if (status === undefined) {
      if (!killedNear(request.at - 50, request.answeredAt + 50)) broken("every request is answered", event, `no answer (${request.error}) to request ${request.trace}, and nothing was killed`);
      continue;
    }
    if (!KINDS[event.kind].includes(status)) broken("our failure is never the sender's", event, `a ${event.kind} request was answered ${status}`);
    const [line] = found;
    if (line === undefined) {
      if (!killedNear(request.at, request.answeredAt + LAST_LINES_MS)) broken("one verdict for each request", event, `no verdict for request ${request.trace}, answered ${status}`);
      continue;
    }
    const answered = { accepted: 200, revived: 200, duplicate: 200, unavailable: 503 }[line.verdict] ?? "4xx";
    const isSame = answered === "4xx" ? status >= 400 && status < 500 : status === answered;
    if (!isSame || line.request_id !== request.requestId) broken("one verdict for each request", event, `answered ${status}, recorded as ${line.verdict}`);
  }

  // ---- what was refused is nowhere; what was taken is somewhere -------------------------------------
  const byId = new Map(events.map((event) => [event.id, event]));
  const of = grouped(deliveries, ({ eventId }) => eventId);
  for (const delivery of deliveries) {
    const event = byId.get(delivery.eventId);
    if (event === undefined || event.kind !== "genuine") broken("what was refused is not delivered", event, `delivered all the same: ${delivery.eventId}`);
    else if (delivery.digest !== event.digest) broken("byte for byte", event, "the backend got other bytes");
    if (!delivery.isSigned) broken("signed by the gate", event, "its signature does not verify");
  }
  let windows = 0;
  const counts = { taken: 0, delivered: 0, dead: 0, again: 0 };
  const doneUnheard = grouped(
    lines.filter(({ line }) => line.event === "fault" && line.ask === "done" && !line.fault.startsWith("late:6")),
    ({ line }) => `hg_${line.key.slice(0, 40)}`,
  );
  const attempts = grouped(lines.filter(({ line }) => line.event === "delivery"), ({ line }) => line.event_id);
  for (const event of events) {
    const mine = of.get(event.id) ?? [];
    const took = mine.filter((delivery) => delivery.took).sort((left, right) => left.at - right.at);
    if (event.taken) counts.taken += 1;
    if (took.length > 0) counts.delivered += 1;
    if (letters.has(event.id)) counts.dead += 1;
    if (event.taken && took.length === 0 && !letters.has(event.id)) broken("no loss", event, "answered 2xx, and neither at the backend nor among the dead letters");
    if (letters.has(event.id) && letters.get(event.id) !== event.digest) broken("byte for byte", event, letters.get(event.id) === undefined ? "its dead letter has no content" : "its dead letter has other bytes");
    if (new Set(mine.map(({ id }) => id)).size > 1) broken("one idempotency key", event, "delivered under several webhook-ids");

    // ---- once, but for the windows ------------------------------------------------------------------
    for (const delivery of took.slice(0, -1)) {
      counts.again += 1;
      const tried = (attempts.get(event.id) ?? []).filter(({ line }) => line.attempt === delivery.attempt).map(({ line }) => line);
      // The gate did not hear of it: the backend said nothing, or something else, or said it too late.
      const unheard = !tried.some(({ status }) => status >= 200 && status < 300) && (delivery.fate !== "ok" || tried.some(({ outcome }) => outcome === "timed_out"));
      const unreported = (doneUnheard.get(delivery.id) ?? []).some(({ at }) => at >= delivery.at);
      const killed = killedNear(delivery.at, (delivery.answeredAt ?? delivery.at) + UNTIL_DONE_MS);
      if (unheard || unreported || killed) windows += 1;
      else broken("once, but for the windows", event, `delivered ${took.length} times; nothing befell attempt ${delivery.attempt}`);
    }
  }

  // ---- nothing goes on for ever -----------------------------------------------------------------------
  const batches = grouped(lines.filter(({ line }) => line.event === "batch"), ({ line }) => line.batch);
  for (const [begun, ended] of batches.values()) {
    const ms = (ended?.at ?? end) - begun.at;
    const isOver = ended === undefined ? killedNear(begun.at, end) || ms < BATCH_MS_SEEN : ms < BATCH_MS_MAX;
    if (!isOver) broken("a batch ends", undefined, ended === undefined ? `one went on for ${ms} ms, and to the end of the run` : `one took ${ms} ms`);
  }
  if (waiting !== undefined) broken("nothing waits for ever", undefined, waiting);
  return { violations, windows, counts };
}

/** An event's life, shortest first: what was sent, said, written down, and delivered, in order of time. */
export function life(event, { requests, lines, deliveries, start }) {
  const traces = new Map(requests.filter((request) => request.event === event).map((request) => [request.trace, request]));
  const keys = new Set();
  for (const { line } of lines) if (line.dedup_key !== undefined && (line.event_id === event.id || traces.has(line.trace_id))) keys.add(line.dedup_key);
  const requestIds = new Set([...traces.values()].map(({ requestId }) => requestId).filter(Boolean));
  const facts = [];
  for (const { at, answeredAt, trace, phase, status, said, error } of traces.values()) {
    facts.push([at, `sent (${trace.slice(0, 8)}) in "${phase}"`]);
    facts.push([answeredAt, `answered ${status ?? error} ${said ?? ""} (${trace.slice(0, 8)})`]);
  }
  for (const { at, line } of lines) {
    const isMine =
      line.event_id === event.id || traces.has(line.trace_id) || keys.has(line.key) || requestIds.has(line.request_id) || String(line.detail ?? "").includes(event.id);
    if (isMine) {
      const { event: what, verdict, reason, held_at, memory, attempt, outcome, status, next, fault, call, ask, detail, what: name } = line;
      const told = { verdict, reason, held_at, memory, attempt, outcome, status, next, call, ask, fault, what: name, detail };
      facts.push([at, `log: ${what} ${Object.entries(told).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`).join(" ")}`]);
    }
  }
  for (const { at, eventId, attempt, fate, took, status } of deliveries) {
    if (eventId === event.id) facts.push([at, `backend: attempt ${attempt}, fate ${fate}, ${took ? "took it" : "did not take it"}, answered ${status ?? "nothing"}`]);
  }
  facts.sort(([left], [right]) => left - right);
  const told = facts.map(([at, text]) => `    ${((at - start) / 1000).toFixed(3).padStart(8)} s  ${text}`);
  return [`  ${event.id} of ${event.source}, ${event.kind}`, ...(told.length > 40 ? [...told.slice(0, 25), "    …", ...told.slice(-15)] : told)].join("\n");
}
