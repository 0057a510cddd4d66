// Ids of a request: one to ask about, and the trace it belongs to (W3C Trace Context).

const BATCH = 64;
const BYTES = 40; // 16 for the request's id, 24 for trace and span
const pool = new Uint8Array(BATCH * BYTES);
let used = BATCH;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zero = (text) => /^0*$/.test(text);

/** `{ request, trace, traceparent }`; `header` is the sender's traceparent or null. */
export function ids(header) {
  if (used === BATCH) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const random = pool.subarray(used * BYTES, ++used * BYTES).toHex();
  let trace = random.slice(32, 64);
  let flags = "01";
  const match = header === null ? null : TRACEPARENT.exec(header.trim());
  if (
    match !== null &&
    match[1] !== "ff" &&
    !zero(match[2]) &&
    !zero(match[3]) &&
    (match[1] !== "00" || match[5] === undefined)
  ) {
    trace = match[2];
    flags = match[4];
  }
  return { request: `req_${random.slice(0, 32)}`, trace, traceparent: `00-${trace}-${random.slice(64)}-${flags}` };
}
