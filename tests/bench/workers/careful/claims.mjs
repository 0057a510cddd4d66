// What a request claims about itself, by its headers: refused here if it has not the right shape.

const SIGNATURES_MAX = 16;
const TAG_BYTES = 32;
const TAG_CHARACTERS = 44;
const refused = (reason, status, evidence) => ({ refused: reason, status, evidence });
const malformed = (what, evidence) => refused(`malformed_${what}`, 400, evidence);
const missing = (what) => refused(`missing_${what}`, 401);

/** `{ signatures, time, timeMs, id }`, or what is wrong. */
export function readClaims(headers) {
  const list = headers.get("webhook-signature");
  if (list === null) return missing("signature");
  const signatures = readSignatures(list);
  if (!Array.isArray(signatures)) return signatures;
  const time = headers.get("webhook-timestamp");
  if (time === null) return missing("time");
  if (!/^(0|[1-9][0-9]{0,10})$/.test(time)) return malformed("time", "not_a_time");
  const id = headers.get("webhook-id");
  if (id === null) return missing("signed_part");
  if (id === "") return malformed("signed_part", "empty");
  // The signed text could be read in two ways.
  if (id.includes(".")) return malformed("signed_part", "contains_delimiter");
  return { signatures, time, timeMs: Number(time) * 1_000, id };
}

function readSignatures(list) {
  if (list === "") return malformed("signature", "empty");
  if (list.includes(", ")) return malformed("signature", "repeated");
  const signatures = [];
  let found = 0;
  let wrong;
  for (const item of list.includes(" ") ? list.split(" ") : [list]) {
    const text = item.trim();
    if (!text.startsWith("v1,")) continue;
    found += 1;
    const signature = readSignature(text.slice(3));
    if (typeof signature === "string") wrong = signature;
    else signatures.push(signature);
  }
  if (found === 0) return malformed("signature", "no_known_version");
  if (found > SIGNATURES_MAX) return malformed("signature", "too_many");
  return signatures.length === 0 ? malformed("signature", wrong) : signatures;
}

const STRICT = { lastChunkHandling: "strict" };

function readSignature(text) {
  try {
    const bytes = Uint8Array.fromBase64(text, STRICT);
    if (bytes.length === TAG_BYTES && text.length === TAG_CHARACTERS) return bytes;
    // The decoder skips white space; a signature has none.
    return /\s/.test(text) ? "not_base64" : "wrong_length";
  } catch {
    return "not_base64";
  }
}
