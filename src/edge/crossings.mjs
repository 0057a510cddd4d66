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
