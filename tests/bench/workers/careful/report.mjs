// What the sender is told, and what the log is told. A verdict is one of
//   { accepted | duplicate | revived | observed: true }
//   { refused: reason, status, evidence, value }
//   { unavailable: reason }

const PROBLEMS = {
  400: ["malformed", "Malformed request"],
  401: ["not-verified", "Not verified"],
  404: ["not-found", "No such source"],
  405: ["method-not-allowed", "Method not allowed"],
  413: ["too-large", "Body too large"],
  503: ["unavailable", "Temporarily unavailable"],
};
const MORE_HEADERS = {
  401: { "www-authenticate": "Webhook-Signature" },
  405: { allow: "POST" },
  503: { "retry-after": "10" },
};

export function answer(verdict, { ids }) {
  if (verdict.accepted || verdict.revived) return said("accepted", ids.request);
  if (verdict.duplicate) return said("duplicate", ids.request);
  const status = verdict.refused === undefined ? 503 : verdict.status;
  const [kind, title] = PROBLEMS[status];
  const body = `{"type":"urn:hookgate:problem:${kind}","title":"${title}","status":${status},"request_id":"${ids.request}"}`;
  return new Response(body, {
    status,
    headers: { "content-type": "application/problem+json", ...MORE_HEADERS[status], ...always(ids.request) },
  });
}

const said = (status, id) =>
  new Response(`{"status":"${status}","request_id":"${id}"}`, { headers: { "content-type": "application/json", ...always(id) } });

const always = (id) => ({ "hookgate-request-id": id, "cache-control": "no-store", "x-content-type-options": "nosniff" });

/** Writes the verdict's line. `seen` is what is known of the request: entry.mjs. */
export function record(seen, verdict) {
  const { request, ids, source, event, road } = seen;
  const now = Date.now();
  const cf = request.cf;
  console.log(
    JSON.stringify({
      event: "verdict",
      request_id: ids.request,
      trace_id: ids.trace,
      verdict: nameOf(verdict),
      reason: verdict.refused ?? verdict.unavailable,
      evidence: verdict.evidence,
      evidence_value: verdict.value,
      secrets_tried: verdict.secretsTried,
      tolerance_seconds: verdict.toleranceSeconds,
      secret_name: verdict.secretName,
      declared_bytes: verdict.declaredBytes,
      unknown_path: verdict.refused === "unknown_source" ? shownPath(verdict.path) : undefined,
      tenant: source?.tenant,
      source: source?.name,
      scheme: source?.scheme,
      key_id: seen.keyId,
      event_id: event?.id,
      event_type: event?.type,
      dedup_key: event?.dedup,
      identity: seen.identity,
      skew_ms: seen.signedMs === undefined ? undefined : now - seen.signedMs,
      memory: road?.memory,
      held_at: road?.heldAt,
      duplicate_of: road?.duplicateOf,
      content_differs: road?.contentDiffers,
      method: request.method,
      body_bytes: seen.bodyBytes,
      duration_ms: now - seen.started,
      colo: cf?.colo,
      country: cf?.country,
      ray_id: request.headers.get("cf-ray") ?? undefined,
    }),
  );
}

const PATH_BYTES_MAX = 160;
const WORD_BYTES_MAX = 48;
const REDACTED = "hookgate-redacted";

/** A path without what could be a token: of its segments only those that look like words. */
function shownPath(path) {
  let shown = "";
  for (const [index, segment] of path.split("/").entries()) {
    if (index > 0) shown += "/";
    if (shown.length + segment.length > PATH_BYTES_MAX) return shown + REDACTED;
    shown += isWord(segment) ? segment : REDACTED;
  }
  return shown;
}

const isWord = (text) =>
  text.length <= WORD_BYTES_MAX && /^[a-z0-9._-]*$/.test(text) && !/[0-9a-z]{20}/.test(text) && (text.match(/[0-9]/g)?.length ?? 0) <= 4;

function nameOf(verdict) {
  if (verdict.refused !== undefined) return "refused";
  if (verdict.unavailable !== undefined) return "unavailable";
  return Object.keys(verdict)[0];
}

/** Writes what an operator should act on. */
export const alarm = (what, more) => console.log(JSON.stringify({ event: "alarm", what, ...more }));
export const notice = (what, more) => console.log(JSON.stringify({ event: "notice", what, ...more }));
