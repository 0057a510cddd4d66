// Completes .dev.vars: every secret that sources.toml names, and the gate's own, get a fresh random value in the form
// its provider uses; but for the senders' public keys, which nobody can make up. A value that stands there is never changed. The operator's token goes into a file of its own, and
// the public key of the record's logs into another.
//
//   node scripts/dev-vars.mjs [SOURCES_FILE [DEV_VARS_FILE]]
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, randomInt, randomUUID } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "smol-toml";

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const alphanumeric = (length) =>
  Array.from({ length }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join("");
const hex = (length) => randomBytes(length / 2).toString("hex");
const whsec = (bytes) => `whsec_${randomBytes(bytes).toString("base64")}`;

/** The key that signs the logs of the record, as `hookgate audit keygen` writes it (https://c2sp.org/signed-note). */
export function auditLogKey(name) {
  const { x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const [publicKey, seed] = [x, d].map((text) => Buffer.concat([Buffer.of(1), Buffer.from(text, "base64url")]));
  const id = createHash("sha256").update(`${name}\n`).update(publicKey).digest("hex").slice(0, 8);
  return `PRIVATE+KEY+${name}+${id}+${seed.toString("base64")}`;
}

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Its second line: what exports of the logs are checked with. Nothing, where the key has another form. */
export function auditPublicKey(key) {
  const [, name, id, seed] = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([0-9A-Za-z+/]{44})$/.exec(key ?? "") ?? [];
  if (name === undefined) return undefined;
  const [kind, ...bytes] = Buffer.from(seed, "base64");
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(bytes)]);
  const { x } = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  return `${name}+${id}+${Buffer.concat([Buffer.of(kind), Buffer.from(x, "base64url")]).toString("base64")}`;
}

/** An operator's token, as `hookgate admin token` makes it (src/admin/operators.rs). */
export const freshToken = () => `hookgate_${randomBytes(32).toString("base64url")}`;
/** The line of ADMINS for who has this token. */
export const adminsLine = (name, role, tenants, token) => `${name} ${role} ${tenants} sha256:${createHash("sha256").update(token).digest("hex")}`;
/** Where the token of this machine's gate is: .dev.vars has its hash, as a deployed gate has it. */
export const TOKEN_FILE = ".dev.admin-token";
/** The public key of this machine's logs: for `hookgate audit verify`, and the console's Verify. */
export const LOG_KEY_FILE = ".dev.audit-key";

/** How each provider's secret looks. Names not listed get 64 hex characters. */
export const FORMS = {
  GITHUB_SECRET: () => hex(40),
  STRIPE_SECRET: () => `whsec_${alphanumeric(32)}`,
  STANDARD_WEBHOOKS_SECRET: () => whsec(32),
  SVIX_SECRET: () => whsec(24),
  SLACK_SECRET: () => hex(32),
  SHOPIFY_SECRET: () => hex(64),
  KOOGALLERY_SECRET: () => randomUUID(),
  HEROKU_SECRET: () => hex(64),
  VERCEL_SECRET: () => alphanumeric(24),
  CUSTOM_SECRET: () => hex(32),
  DELIVERY_SECRET: () => whsec(32),
  AUDIT_LOG_KEY: () => auditLogKey("localhost/audit"),
};

/** What the gate itself needs: it signs deliveries to the backend and the logs of the record. */
const OWN = ["DELIVERY_SECRET", "AUDIT_LOG_KEY"];

/** Names of the secrets that sign what the gate sends: to each destination, and alerts. */
function signingNames(sourcesText) {
  const { destinations = {}, alerts } = parse(sourcesText);
  return [...Object.values(destinations), alerts].map((table) => table?.secret).filter((name) => typeof name === "string");
}

const LISTS = ["secrets", "retired_secrets"];

/**
 * Every name in any `secrets = [...]` or `retired_secrets = [...]` of the sources file, in its order, without repeats; what
 * sources name besides, as a handshake's token or as a pin; and the one that refused requests are kept under, where a
 * source keeps some.
 */
export function secretNames(sourcesText) {
  const names = new Set();
  const walk = (value, key) => {
    if (Array.isArray(value)) {
      for (const item of value) {
        if (LISTS.includes(key) && typeof item === "string") names.add(item);
        else walk(item);
      }
    } else if (value !== null && typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) walk(inner, name);
    }
  };
  const parsed = parse(sourcesText);
  walk(parsed);
  for (const { handshake_token: token, pins = {} } of Object.values(parsed.sources ?? {})) {
    if (typeof token === "string") names.add(token);
    for (const pin of Object.values(pins)) if (typeof pin === "string" && pin.startsWith("$")) names.add(pin.slice(1));
  }
  if (Object.values(parsed.sources ?? {}).some(({ quarantine }) => quarantine === true)) names.add("QUARANTINE_KEY");
  return [...names];
}

const BUILT_IN = join(import.meta.dirname, "../src/schemes");

/** The scheme of this name: the file's own, or a built-in one. Nothing, where there is none: the build says so. */
function schemeOf(name, own) {
  if (Object.hasOwn(own, name)) return own[name];
  const file = join(BUILT_IN, `${name}.toml`);
  return /^[a-z0-9-]+$/.test(name) && existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
}

/**
 * Names of secrets that hold a sender's public key, each with its source. A random value would be none, or worse: 32 bytes are a key
 * of Ed25519, and everything would be refused.
 */
export function publicKeyNames(sourcesText) {
  const { sources = {}, schemes = {} } = parse(sourcesText);
  const names = new Map();
  for (const [source, table] of Object.entries(sources)) {
    if (schemeOf(String(table.scheme), schemes)?.key?.encoding !== "public-key") continue;
    for (const name of LISTS.flatMap((list) => table[list] ?? [])) names.set(name, source);
  }
  return names;
}

/** NAME=value lines, as wrangler reads them; quotes around a value are not part of it. */
export function parseDevVars(text) {
  const values = new Map();
  for (const line of text.split("\n")) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) values.set(match[1], match[2].replace(/^(["'])(.*)\1$/, "$2"));
  }
  return values;
}

/**
 * What to append to `devVarsText`, which names that adds, which stand there empty, and which are public keys that are not there,
 * each with its source.
 */
export function complete(sourcesText, devVarsText) {
  const present = parseDevVars(devVarsText);
  const signing = signingNames(sourcesText);
  const wanted = [...new Set([...secretNames(sourcesText), ...OWN, ...signing])];
  const publicKeys = publicKeyNames(sourcesText);
  const added = wanted.filter((name) => !present.has(name) && !publicKeys.has(name));
  const empty = wanted.filter((name) => present.get(name) === "" && !publicKeys.has(name));
  const left = [...publicKeys].filter(([name]) => !present.get(name));
  const lines = added.map((name) => `${name}=${(FORMS[name] ?? (() => (signing.includes(name) ? whsec(32) : hex(64))))()}\n`);
  const gap = devVarsText !== "" && !devVarsText.endsWith("\n") && added.length > 0 ? "\n" : "";
  return { append: gap + lines.join(""), added, empty, left };
}

function main([sourcesFile = "sources.toml", devVarsFile = ".dev.vars"]) {
  let devVarsText = "";
  try {
    devVarsText = readFileSync(devVarsFile, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  const { append, added, empty, left } = complete(readFileSync(sourcesFile, "utf8"), devVarsText);
  if (append !== "") {
    appendFileSync(devVarsFile, append, { mode: 0o600 });
    chmodSync(devVarsFile, 0o600);
  }
  if (!parseDevVars(devVarsText).has("ADMINS")) {
    const tokenFile = join(dirname(devVarsFile), TOKEN_FILE);
    const token = freshToken();
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    chmodSync(tokenFile, 0o600);
    const gap = /[^\n]$/.test(devVarsText + append) ? "\n" : "";
    appendFileSync(devVarsFile, `${gap}ADMINS=${adminsLine("dev", "operate", "*", token)}\n`, { mode: 0o600 });
    console.log(`==> a fresh operator's token in ${tokenFile}, and its line in ${devVarsFile}: ADMINS`);
  }
  const publicKey = auditPublicKey(parseDevVars(devVarsText + append).get("AUDIT_LOG_KEY"));
  if (publicKey !== undefined) writeFileSync(join(dirname(devVarsFile), LOG_KEY_FILE), `${publicKey}\n`);
  if (added.length > 0) console.log(`==> fresh random secrets in ${devVarsFile}: ${added.join(", ")}`);
  if (empty.length > 0) {
    console.log(`==> empty in ${devVarsFile}, left as it is: ${empty.join(", ")}. Delete the line to get a fresh value.`);
  }
  for (const [name, source] of left) {
    console.log(`==> not in ${devVarsFile}, and yours to put there: ${name}, the public key of [sources.${source}]'s sender: in PEM, as a JWK, in base64, or in hex. Until then the source answers 503.`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`dev-vars: ${error.message}`);
    process.exit(1);
  }
}
