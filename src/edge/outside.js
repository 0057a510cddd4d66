// What is asked of others: a provider's document, a visit to a URL, WebCrypto. Nothing here decides.

/** The promise, or nothing after so long. Nothing of the platform has a time-out of its own. */
export function withinMs(promise, ms) {
  let timer;
  const expired = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
}

/** Status, Cache-Control and text of a document of at most so many bytes; only the status where that is not 200. */
export async function fetchDocument(url, bytesMax, ms) {
  const response = await ask(url, ms);
  if (response.status !== 200) {
    await response.body?.cancel();
    return [response.status];
  }
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > bytesMax) throw new RangeError("too long"); // leaving the loop cancels the stream
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  return [response.status, response.headers.get("cache-control") ?? undefined, text];
}

/** The status of a GET whose answer is of no interest. */
export async function visit(url, ms) {
  const response = await ask(url, ms);
  await response.body?.cancel();
  return response.status;
}

/** A redirect would lead to a host that nobody listed. */
const ask = (url, ms) => fetch(url, { redirect: "manual", signal: AbortSignal.timeout(ms), headers: { "user-agent": "hookgate" } });

const ALGORITHMS = {
  "rsa-sha1": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1" },
  "rsa-sha256": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ed25519: { name: "Ed25519" },
};
const KEYS_MAX = 64;
/** Imported keys: those of providers, and few. */
const keys = new Map();

/** Whether the holder of the key signed the message. */
export async function verifySignature(name, keyId, spki, signature, message) {
  const algorithm = ALGORITHMS[name];
  const id = `${name} ${keyId}`;
  let key = keys.get(id);
  if (key === undefined) {
    key = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]);
    if (keys.size >= KEYS_MAX) keys.clear();
    keys.set(id, key);
  }
  return crypto.subtle.verify(algorithm, key, signature, message);
}
