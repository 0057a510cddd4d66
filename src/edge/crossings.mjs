// What would be several calls from wasm, each with its texts decoded and its exceptions caught, as one.

/** The lines of a text, of which an empty one has none. */
export const listOf = (lines) => (lines === "" ? [] : lines.split("\n"));

/** Name and value, one a line, of those of these headers that are there. */
export function linesOfNamed(headers, names) {
  let lines = "";
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) lines += `${name}\n${value}\n`;
  }
  return lines;
}

/** The same of those whose name is one of these or begins with one of the prefixes. */
export function linesOfMatching(headers, names, prefixes) {
  let lines = "";
  headers.forEach((value, name) => {
    if (names.includes(name) || prefixes.some((prefix) => name.startsWith(prefix))) lines += `${name}\n${value}\n`;
  });
  return lines;
}

/** The bytes in base64 (RFC 4648, section 4) between two texts. Encoding them in wasm is several times as slow. */
export const encloseBase64 = (before, bytes, after) => before + bytes.toBase64() + after;

/**
 * A body between two texts. What it was read into serves, if that has just the room (`intake.mjs` makes it for large ones);
 * otherwise this is the one copy that there is of it.
 */
export function enclose(before, body, after) {
  const end = before.length + body.length;
  const whole = end + after.length;
  if (whole === body.length) return body;
  const hasRoom = body.byteOffset === before.length && body.buffer.byteLength === whole;
  const text = hasRoom ? new Uint8Array(body.buffer) : new Uint8Array(whole);
  if (!hasRoom) text.set(body, before.length);
  text.set(before);
  text.set(after, end);
  return text;
}

/** A key for `macOf`. */
export const macKeyOf = (hash, bytes) => crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["sign"]);

export const macOf = (key, text) => crypto.subtle.sign("HMAC", key, text);
