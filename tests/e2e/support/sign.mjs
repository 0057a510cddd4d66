// The providers' ways of signing, written from their pages with node:crypto; none of the gate's code.
import { createHash, createHmac, randomUUID } from "node:crypto";

const hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text);
const seconds = (at) => String(Math.floor(at / 1000));
const joined = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const whsecKey = (secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const JSON_TYPE = ["content-type", "application/json"];

/** `{ id, at, headers }` become what each provider makes of them. */
const standard = (prefix) => (secret, body, { id, at }) => {
  const mac = hmac("sha256", whsecKey(secret), joined(id, ".", seconds(at), ".", body)).digest("base64");
  return { headers: [[`${prefix}-id`, id], [`${prefix}-timestamp`, seconds(at)], [`${prefix}-signature`, `v1,${mac}`]] };
};

const shop = (secret, body, { at }) => ({
  headers: [
    ["x-shop-timestamp", seconds(at)],
    ["x-shop-signature", `sha256=${hmac("sha256", secret, joined(seconds(at), ".", body)).digest("hex")}`],
  ],
});

/** Top-level members sorted, nulls dropped, compact. Good for the plain bodies that tests use. */
function sortedJson(body) {
  const members = Object.entries(JSON.parse(body)).filter(([, value]) => value !== null);
  return JSON.stringify(Object.fromEntries(members.sort(([left], [right]) => (left < right ? -1 : 1))));
}

const compactUtc = (at) => new Date(at).toISOString().replace(/\D/g, "");

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const base64url = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");

const SCHEMES = {
  cloudevents: (secret, body, { id, type }) => ({
    headers: [["authorization", `Bearer ${secret}`], ["ce-specversion", "1.0"], ["ce-id", id], ["ce-source", "/e2e"], ["ce-type", type]],
  }),
  "aws-eventbridge": (secret) => ({ headers: [["authorization", `Basic ${Buffer.from(secret).toString("base64")}`]] }),
  "azure-event-grid": (secret) => ({ headers: [], query: `code=${secret}` }),
  "huawei-sdk-hmac": (secret, body, { at, source, host }) => {
    const date = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
    const named = [["content-type", "application/json"], ...(host ? [["host", host]] : []), ["x-sdk-date", date]];
    const names = named.map(([name]) => name).join(";");
    const lines = named.map(([name, value]) => `${name}:${value}\n`).join("");
    const request = ["POST", `/hooks/${source}/`, "", lines, names, sha256(body)].join("\n");
    const signature = hmac("sha256", secret, `SDK-HMAC-SHA256\n${date}\n${sha256(request)}`).digest("hex");
    return { headers: [["x-sdk-date", date], ["authorization", `SDK-HMAC-SHA256 Access=ak, SignedHeaders=${names}, Signature=${signature}`]] };
  },
  netlify: (secret, body) => {
    const token = `${base64url({ typ: "JWT", alg: "HS256" })}.${base64url({ iss: "netlify", sha256: sha256(body) })}`;
    return { headers: [["x-webhook-signature", `${token}.${hmac("sha256", secret, token).digest("base64url")}`]] };
  },
  "koogallery-kit": (secret, body, { at }) => {
    const nonce = randomUUID();
    const signature = hmac("sha256", secret, `${secret}${nonce}${at}${sortedJson(body)}`).digest("hex");
    return { headers: [["x-sign", signature], ["x-timestamp", String(at)], ["x-nonce", nonce]] };
  },
  "koogallery-v1-post": (secret, body, { at }) => {
    const fields = { ...JSON.parse(body), timeStamp: compactUtc(at) };
    const text = Object.entries(fields).map(([name, value]) => `${name}=${value}`).sort().join("&");
    const token = hmac("sha256", secret + fields.timeStamp, text).digest("base64");
    return { headers: [["authtoken", token]], body: JSON.stringify(fields) };
  },
  github: (secret, body, { id, type }) => ({
    headers: [["x-github-delivery", id], ["x-github-event", type], ["x-hub-signature-256", `sha256=${hmac("sha256", secret, body).digest("hex")}`]],
  }),
  stripe: (secret, body, { at }) => ({
    headers: [["stripe-signature", `t=${seconds(at)},v1=${hmac("sha256", secret, joined(seconds(at), ".", body)).digest("hex")}`]],
  }),
  "standard-webhooks": standard("webhook"),
  svix: standard("svix"),
  slack: (secret, body, { at }) => ({
    headers: [
      ["x-slack-request-timestamp", seconds(at)],
      ["x-slack-signature", `v0=${hmac("sha256", secret, joined("v0:", seconds(at), ":", body)).digest("hex")}`],
    ],
  }),
  shopify: (secret, body, { id, type }) => ({
    headers: [["x-shopify-event-id", id], ["x-shopify-topic", type], ["x-shopify-hmac-sha256", hmac("sha256", secret, body).digest("base64")]],
  }),
  "koogallery-v2": (secret, body, { at }) => {
    const nonce = randomUUID();
    const inner = hmac("sha256", secret, sortedJson(body)).digest("hex");
    const signature = hmac("sha256", secret, `${secret}${nonce}${at}${inner}`).digest("hex");
    return { headers: [], query: `signature=${signature}&timestamp=${at}&nonce=${nonce}` };
  },
  "koogallery-v1": (secret, query, { at }) => {
    const pairs = [...new URLSearchParams(query), ["timeStamp", compactUtc(at)]];
    const text = pairs.map(([name, value]) => `${name}=${value}`).sort().join("&");
    const token = hmac("sha256", secret + compactUtc(at), text).digest("base64");
    return { method: "GET", headers: [], query: new URLSearchParams([...pairs, ["authToken", token]]).toString(), body: "" };
  },
  heroku: (secret, body) => ({ headers: [["heroku-webhook-hmac-sha256", hmac("sha256", secret, body).digest("base64")]] }),
  vercel: (secret, body) => ({ headers: [["x-vercel-signature", hmac("sha1", secret, body).digest("hex")]] }),
  "my-shop": shop,
  wordless: (secret, body) => ({ headers: [["x-shop-signature", hmac("sha256", secret, body).digest("base64")]] }),
  worded: (secret, body) => ({ headers: [["x-shop-signature", hmac("sha256", secret, body).digest("base64")]] }),
  hasty: shop,
  bearer: (secret, body) => ({ headers: [], query: `sig=${hmac("sha512", Buffer.from(secret, "hex"), body).digest("hex")}` }),
};

export const canSign = (scheme) => scheme in SCHEMES;

/** A request to `source`, signed under `scheme` with `secret`. */
export function sign(source, scheme, secret, body, { id = freshId(), type = "test.event", at = Date.now(), headers = [], host } = {}) {
  const signed = SCHEMES[scheme](secret, body, { id, type, at, source, host });
  return {
    method: signed.method ?? "POST",
    target: `/hooks/${source}${signed.query === undefined ? "" : `?${signed.query}`}`,
    headers: [...(scheme === "koogallery-v1" ? [] : [JSON_TYPE]), ...signed.headers, ...headers],
    body: signed.body ?? body,
  };
}

/** An event of the custom schemes: what most tests need. */
export function shopEvent(gate, source = "custom", { id = freshId(), headers = [], at, ...more } = {}) {
  const secret = gate.secrets[`${source.toUpperCase().replaceAll("-", "_")}_SECRET`];
  const scheme = source.endsWith("hasty") ? "hasty" : "my-shop";
  const body = JSON.stringify({ id, event: "order.paid", ...more });
  return { id, ...sign(source, scheme, secret, body, { id, headers, at }) };
}

/** The event again, as the provider's retry, with these effects going wrong (wrap.mjs). */
export const under = (event, faults) => ({ ...event, headers: [...event.headers, ["x-test-fault", faults]] });

export const freshId = () => `evt_${randomUUID().replaceAll("-", "")}`;
export { sortedJson };
