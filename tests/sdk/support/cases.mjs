// What is done to a genuine request, and what the gate is to say of it. The places and the encodings
// are those of the scheme's own table.

const REFUSED = () => "reject";
/** A token proves the sender, and nothing of the body. */
const UNLESS_TOKEN = (table) => (table.signed.includes("token") ? "accept" : "reject");
/** Where values of the body are signed, the white space between them is not. */
const UNLESS_VALUES = (table) => (table.signed.includes("joined") ? "accept" : UNLESS_TOKEN(table));

/** Where a scheme writes `what` ("signature", "time", "id"): `["header", NAME]`, `["signature", FIELD]`, … */
function placeOf(table, what) {
  const written = { signature: table.signature?.at, time: table.time?.at, id: table.id }[what];
  if (written === undefined) return [undefined];
  const colon = written.indexOf(":");
  return [written.slice(0, colon), written.slice(colon + 1)];
}

const lower = (name) => name.toLowerCase();
const valueOf = (request, name) => request.headers.find(([known]) => lower(known) === lower(name))?.[1];
const withHeader = (request, name, value) => ({
  ...request,
  headers: [...request.headers.filter(([known]) => lower(known) !== lower(name)), ...(value === undefined ? [] : [[name, value]])],
});

/**
 * The signature's header with each signature in it replaced by `change(encoded, prefix)`. Nothing where
 * `change` gives nothing.
 */
function withSignature(request, table, change) {
  const [kind, name] = placeOf(table, "signature");
  if (kind === "json") {
    const content = request.body.toString();
    const written = name.slice(1).split("/").reduce((value, member) => value?.[member], JSON.parse(content));
    const changed = change(written, "");
    return changed === undefined ? undefined : { ...request, body: Buffer.from(content.replace(JSON.stringify(written), JSON.stringify(changed))) };
  }
  if (kind !== "header") return undefined;
  if (table.message_signature) {
    const [, label, encoded] = valueOf(request, name).match(/^(\w+=:)(.*):$/);
    const changed = change(encoded, label);
    return changed && withHeader(request, name, `${changed}:`);
  }
  const { split, pair, take = [], strip = "" } = table.signature;
  const items = split === undefined ? [valueOf(request, name)] : valueOf(request, name).split(split);
  const changed = items.map((item) => {
    const prefix = split === undefined ? strip : `${take[0]}${pair}${strip}`;
    const at = item.indexOf(prefix);
    return at < 0 || item.slice(0, at).trim() !== "" ? item : change(item.slice(at + prefix.length), item.slice(0, at + prefix.length));
  });
  return changed.includes(undefined) ? undefined : withHeader(request, name, changed.join(split));
}

const otherOf = (alphabet, character) => alphabet[(alphabet.indexOf(character) + 1) % alphabet.length];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ALPHABETS = { hex: "0123456789abcdef", "hex-any-case": "0123456789abcdef", "base64-url": `${LETTERS}-_` };
const alphabetOf = ({ encoding }) => ALPHABETS[encoding] ?? `${LETTERS}+/`;
const isHex = (table) => table.signature.encoding.startsWith("hex");
const isBase64 = (table) => table.signature.encoding === "base64";
const isUrlSafe = (table) => table.signature.encoding === "base64-url";

/** The time as the request writes it, replaced by `change(text)`. */
function withTime(request, table, change) {
  const [kind, name] = placeOf(table, "time");
  if (table.message_signature) {
    const stated = valueOf(request, "signature-input");
    const changed = change(stated.match(/;created=(\d+)/)[1]);
    return changed && withHeader(request, "signature-input", stated.replace(/;created=\d+/, `;created=${changed}`));
  }
  if (kind === "header") {
    const changed = change(valueOf(request, name));
    return changed && withHeader(request, name, changed);
  }
  if (kind !== "signature") return undefined;
  const [, header] = placeOf(table, "signature");
  const { split, pair } = table.signature;
  const items = valueOf(request, header).split(split);
  return withHeader(request, header, items.map((item) => {
    const [field, ...rest] = item.split(pair);
    return field.trim() === name ? `${field}${pair}${change(rest.join(pair))}` : item;
  }).join(split));
}

/**
 * `make(request, table, made)` gives the changed request, or nothing where the scheme has no such thing.
 * `made.stale` and `made.early` are requests signed at another time, `made.plain` and `made.dotted` with another body
 * or id; `made.other` is another secret.
 */
export const CASES = [
  { name: "genuine", make: (request) => request, expect: () => "accept" },
  {
    name: "a letter of the body changed",
    make: (request) => ({ ...request, body: Buffer.from(request.body.toString().replace("invoice", "invoicf")) }),
    expect: UNLESS_TOKEN,
  },
  { name: "a newline behind the body", make: (request) => ({ ...request, body: Buffer.concat([request.body, Buffer.from("\n")]) }), expect: UNLESS_VALUES },
  {
    name: "a byte that is no UTF-8 where U+FFFD was signed",
    make: (request) => {
      const at = request.body.indexOf("\u{FFFD}");
      return at < 0 ? undefined : { ...request, body: Buffer.concat([request.body.subarray(0, at), Buffer.from([0xff]), request.body.subarray(at + 3)]) };
    },
    expect: UNLESS_TOKEN,
  },
  { name: "another secret", make: (request, table, { other }) => ({ ...request, secret: other }), expect: REFUSED },
  {
    name: "the signature's first character changed",
    make: (request, table) => withSignature(request, table, (encoded, prefix) => prefix + otherOf(alphabetOf(table.signature), encoded[0]) + encoded.slice(1)),
    expect: REFUSED,
  },
  { name: "the signature cut short", make: (request, table) => withSignature(request, table, (encoded, prefix) => prefix + encoded.slice(0, 20)), expect: REFUSED },
  { name: "the signature empty", make: (request, table) => withSignature(request, table, (encoded, prefix) => prefix), expect: REFUSED },
  {
    name: "no signature",
    make: (request, table) => {
      const [kind, name] = placeOf(table, "signature");
      return kind === "header" ? withHeader(request, name) : undefined;
    },
    expect: REFUSED,
  },
  {
    name: "hex in capitals",
    make: (request, table) => (isHex(table) ? withSignature(request, table, (encoded, prefix) => prefix + encoded.toUpperCase()) : undefined),
    expect: (table) => (table.signature.encoding === "hex-any-case" ? "accept" : "reject"),
  },
  {
    name: "base64 without its padding",
    make: (request, table) => (isBase64(table) ? withSignature(request, table, (encoded, prefix) => (encoded.endsWith("=") ? prefix + encoded.replace(/=+$/, "") : undefined)) : undefined),
    expect: REFUSED,
  },
  {
    name: "base64 with unused bits set",
    // 32 bytes leave two bits over in the last character, 20 bytes the same, 64 bytes four.
    make: (request, table) =>
      isBase64(table) || isUrlSafe(table)
        ? withSignature(request, table, (encoded, prefix) => unusedBits(table, encoded) && prefix + unusedBits(table, encoded))
        : undefined,
    expect: REFUSED,
  },
  {
    name: "base64 of URLs with padding",
    make: (request, table) => (isUrlSafe(table) ? withSignature(request, table, (encoded, prefix) => `${prefix}${encoded}${"=".repeat(-encoded.length & 3)}`) : undefined),
    expect: REFUSED,
  },
  {
    name: "base64 of URLs",
    make: (request, table) => (isBase64(table) ? withSignature(request, table, (encoded, prefix) => urlSafe(encoded) && prefix + urlSafe(encoded)) : undefined),
    expect: REFUSED,
  },
  {
    name: "text behind the signature",
    make: (request, table) => withSignature(request, table, (encoded, prefix) => `${prefix}${encoded}zz`),
    expect: REFUSED,
  },
  {
    name: "the signature twice",
    make: (request, table) => {
      const { split } = table.signature;
      return split === undefined ? undefined : withSignature(request, table, (encoded, prefix) => `${prefix}${encoded}${split}${prefix}${encoded}`);
    },
    expect: () => "accept",
  },
  {
    name: "a wrong signature before the right one",
    make: (request, table) => {
      const { split } = table.signature;
      return split === undefined ? undefined : withSignature(request, table, (encoded, prefix) => `${prefix}${wrong(table, encoded)}${split}${prefix}${encoded}`);
    },
    expect: () => "accept",
  },
  {
    name: "a wrong signature behind the right one",
    make: (request, table) => {
      const { split } = table.signature;
      return split === undefined ? undefined : withSignature(request, table, (encoded, prefix) => `${prefix}${encoded}${split}${prefix}${wrong(table, encoded)}`);
    },
    expect: () => "accept",
  },
  {
    name: "the right signature under another version",
    make: (request, table) => {
      const { split, pair } = table.signature;
      return split === undefined ? undefined : withSignature(request, table, (encoded) => `v9${pair}${encoded}`);
    },
    expect: REFUSED,
  },
  {
    name: "forty wrong signatures before the right one",
    make: (request, table) => {
      const { split } = table.signature;
      if (split === undefined) return undefined;
      return withSignature(request, table, (encoded, prefix) => `${`${prefix}${wrong(table, encoded)}${split}`.repeat(40)}${prefix}${encoded}`);
    },
    expect: REFUSED,
  },
  {
    name: "the header twice",
    // As a server hands over a header that came twice.
    make: (request, table) => {
      const [kind, name] = placeOf(table, "signature");
      return kind === "header" && table.signature.split === undefined ? withHeader(request, name, `${valueOf(request, name)}, ${valueOf(request, name)}`) : undefined;
    },
    expect: REFUSED,
  },
  { name: "too old", make: (request, table, { stale }) => (table.time ? stale : undefined), expect: REFUSED },
  { name: "too far ahead", make: (request, table, { early }) => (table.time ? early : undefined), expect: REFUSED },
  {
    name: "the time changed by one",
    make: (request, table) => withTime(request, table, (text) => (/^\d+$/.test(text) ? String(Number(text) - 1) : text.replace(/\d(?=\D*$)/, (digit) => (digit === "0" ? "1" : "0")))),
    expect: REFUSED,
  },
  { name: "a zero before the time", make: (request, table) => withTime(request, table, (text) => (/^\d+$/.test(text) ? `0${text}` : undefined)), expect: REFUSED },
  { name: "text behind the time", make: (request, table) => withTime(request, table, (text) => `${text}x`), expect: REFUSED },
  { name: "no time", make: (request, table) => (placeOf(table, "time")[0] === "header" ? withHeader(request, placeOf(table, "time")[1]) : undefined), expect: REFUSED },
  { name: "another id", make: (request, table) => (placeOf(table, "id")[0] === "header" ? withHeader(request, placeOf(table, "id")[1], "msg_other") : undefined), expect: REFUSED },
  { name: "an id with a dot", make: (request, table, { dotted }) => (placeOf(table, "id")[0] === "header" && table.signed.includes("literal:.") ? dotted : undefined), expect: REFUSED },
  { name: "the secret without its prefix", make: (request, table) => (request.secret.startsWith("whsec_") && table.key.strip ? { ...request, secret: request.secret.slice(6) } : undefined), expect: (table) => (table.key.encoding === "base64-if-prefixed" ? "reject" : "accept") },
  {
    name: "a body that is no JSON",
    // A hash without a key can be made longer by whoever has seen it: JSON cannot.
    make: (request, table, { plain }) => (placeOf(table, "time")[0] === "json" || !table.signed.includes("body") ? undefined : plain),
    expect: (table) => (table.algorithm === "sha256" ? "reject" : "accept"),
  },
];

function unusedBits(table, encoded) {
  const alphabet = alphabetOf(table.signature);
  const text = encoded.replace(/=+$/, "");
  if (text.length % 4 === 0) return undefined;
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)) + 1] + encoded.slice(text.length);
}

const urlSafe = (encoded) => (/[+/]/.test(encoded) ? encoded.replaceAll("+", "-").replaceAll("/", "_") : undefined);
const wrong = (table, encoded) => otherOf(alphabetOf(table.signature), encoded[0]) + encoded.slice(1);
