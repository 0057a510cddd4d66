// Fresh random secrets for every run, in the form that each scheme wants.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { adminsLine, auditLogKey, freshToken } from "../../../scripts/dev-vars.mjs";

const SOURCES = parse(readFileSync(join(import.meta.dirname, "..", "sources.toml"), "utf8"));
const WHSEC = ["standard-webhooks", "svix"];

/** Names of all sources, with what sources.toml says of each. */
export const sources = SOURCES.sources;

/** Every secret that the Worker needs, by name; and HOOKGATE_ADMIN_TOKEN, which it must not have. */
export function freshSecrets() {
  const secrets = {};
  for (const { scheme, secrets: names = [], pins = {}, handshake_token: token } of Object.values(SOURCES.sources)) {
    if (token !== undefined) secrets[token] = randomBytes(32).toString("hex");
    for (const pin of Object.values(pins)) if (pin.startsWith("$")) secrets[pin.slice(1)] = randomBytes(32).toString("hex");
    for (const name of names) secrets[name] = name.endsWith("_PUBLIC_KEY") ? publicKey() : WHSEC.includes(scheme) ? whsec() : randomBytes(32).toString("hex");
  }
  for (const { secret } of [...Object.values(SOURCES.destinations), SOURCES.alerts]) secrets[secret] = whsec();
  secrets.QUARANTINE_KEY = randomBytes(32).toString("base64");
  secrets.AUDIT_LOG_KEY = auditLogKey("gate.example/audit");
  // The token is the operator's: a gate is started with the line alone.
  secrets.HOOKGATE_ADMIN_TOKEN = freshToken();
  secrets.ADMINS = adminsLine("admin", "operate", "*", secrets.HOOKGATE_ADMIN_TOKEN);
  return secrets;
}

const whsec = () => `whsec_${randomBytes(32).toString("base64")}`;

/** Of a key whose other half nobody keeps. */
const publicKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });
