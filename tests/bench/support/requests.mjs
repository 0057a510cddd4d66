// What is sent: events of a realistic shape and exact size, signed as their provider signs them, and
// what must come back.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { freshId, sign } from "../../e2e/support/sign.mjs";
import { CF_HEADER } from "./workerd.mjs";

export const CONFIG = parse(readFileSync(join(import.meta.dirname, "..", "sources.toml"), "utf8"));

/** The largest body of a source that sets no `body_bytes_max`: config/rules.rs. */
const BODY_BYTES_LIMIT = 1_048_576;

/** The largest body that a source takes. */
export const bodyBytesMax = (source) => CONFIG.sources[source].body_bytes_max ?? BODY_BYTES_LIMIT;

const WHSEC = ["standard-webhooks", "svix"];

/** Fresh secrets and what else the Workers find in `env`, by name. */
export function freshTexts() {
  const texts = { ENVIRONMENT: "test", ALLOW_PRIVATE_DESTINATIONS: "true", BACKEND_URL: "http://127.0.0.1:9/" };
  for (const { scheme, secrets } of Object.values(CONFIG.sources)) {
    for (const name of secrets) texts[name] = WHSEC.includes(scheme) ? whsec() : randomBytes(32).toString("hex");
  }
  for (const { secret } of Object.values(CONFIG.destinations)) texts[secret] = whsec();
  return texts;
}

const whsec = () => `whsec_${randomBytes(32).toString("base64")}`;

/** An invoice as a billing provider would send it, `bytes` long. */
export function eventBody(id, bytes) {
  const head = `{"id":"${id}","type":"invoice.paid","timestamp":"2026-01-31T09:26:53.589Z","data":{"customer":"cus_9f2a","currency":"eur","total":129900,"lines":[`;
  const line = (number) =>
    `{"line":${number},"sku":"SKU-${1000 + number}","description":"Café au lait, 250 g","quantity":2,"amount":4330,"tax":null}`;
  let text = head;
  const end = (filler) => `],"memo":"${"m".repeat(filler)}"}}`;
  const room = () => bytes - Buffer.byteLength(text) - end(0).length;
  for (let number = 1; room() > line(number).length + 2; number += 1) text += (number === 1 ? "" : ",") + line(number);
  if (room() < 0) throw new RangeError(`${bytes} bytes are too few for an event`);
  return text + end(room());
}

/** The ledger's reply to an event that it has. */
export const DUPLICATE = '{"reply":"duplicate"}';

/** Ends of a request, by name: how it differs from a good one, and what every answer to it is. */
export const VERDICTS = {
  accepted: { status: 200, says: "accepted" },
  duplicate: {
    status: 200,
    says: "duplicate",
    stubs: { seen: `req_${"0".repeat(32)} ${"0".repeat(32)}`, reply: DUPLICATE },
  },
  observed: { status: 503, says: "urn:hookgate:problem:unavailable" },
  forged: { status: 401, says: "urn:hookgate:problem:not-verified", alter: forge },
  stale: { status: 401, says: "urn:hookgate:problem:not-verified", ageMs: 3_600_000 },
  unknown: { status: 404, says: "urn:hookgate:problem:not-found", source: "nobody" },
  malformed: { status: 400, says: "urn:hookgate:problem:malformed", alter: misshape },
};

const SIGNATURE = /signature/;

/** The right shape, and another MAC. */
function forge(name, value) {
  return SIGNATURE.test(name) ? value.replace(/.(?=.{6}$)/, (character) => (character === "0" ? "1" : "0")) : value;
}

/** A signature that is none. */
function misshape(name, value) {
  return SIGNATURE.test(name) ? value.slice(0, -10) : value;
}

/** `{ method, target, headers, body }` of one request with this end. */
export function request(row, texts) {
  const { alter, ageMs = 0, source = row.source } = VERDICTS[row.verdict];
  const { scheme, secrets } = CONFIG.sources[row.source];
  const id = freshId();
  const made = sign(row.source, scheme, texts[secrets[0]], eventBody(id, row.bytes), { id, at: Date.now() - ageMs });
  return {
    ...made,
    target: `/hooks/${source}`,
    headers: made.headers.map(([name, value]) => [name, alter?.(name, value) ?? value]),
  };
}

/**
 * What Cloudflare's edge adds to a request, and what senders send besides the signature. The gate's cost
 * depends on how many headers there are, so there must be as many as in production.
 */
const SURROUNDINGS = [
  ["accept", "*/*"],
  // As much as "gzip, br"; but miniflare would compress the answers, which the gate has no part in.
  ["accept-encoding", "identity"],
  ["cdn-loop", "cloudflare; loops=1"],
  ["cf-connecting-ip", "203.0.113.7"],
  ["cf-ipcountry", "IE"],
  ["cf-ray", "8f2c1d7e9a3b4c5d-DUB"],
  ["cf-visitor", '{"scheme":"https"}'],
  ["user-agent", "Billing-Webhooks/1.0"],
  ["x-forwarded-for", "203.0.113.7"],
  ["x-forwarded-proto", "https"],
  ["x-real-ip", "203.0.113.7"],
  [
    CF_HEADER,
    JSON.stringify({
      colo: "DUB",
      country: "IE",
      asn: 16509,
      asOrganization: "Amazon.com, Inc.",
      city: "Dublin",
      continent: "EU",
      latitude: "53.33820",
      longitude: "-6.25910",
      timezone: "Europe/Dublin",
      httpProtocol: "HTTP/1.1",
      tlsVersion: "TLSv1.3",
      tlsCipher: "AEAD-AES128-GCM-SHA256",
      clientTcpRtt: 1,
      edgeRequestKeepAliveStatus: 1,
    }),
  ],
];

/** A larger body is written beside its head instead of copied behind it. */
const JOINED_BYTES_MAX = 65_536;

/** The bytes on the wire. */
export function bytesOf({ method, target, headers, body }) {
  const content = Buffer.from(body);
  const lines = [["host", "gate.example"], ...SURROUNDINGS, ["content-length", content.length], ...headers].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  return content.length > JOINED_BYTES_MAX ? [head, content] : Buffer.concat([head, content]);
}
