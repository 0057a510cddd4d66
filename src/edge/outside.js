// What is asked of others: a provider's document, a visit to a URL, WebCrypto. Nothing here decides.

/** The promise, or nothing after so long. Nothing of the platform has a time-out of its own. */
export function withinMs(promise, ms) {
  let timer;
  const expired = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
}

/** Status, Cache-Control and text of a document of at most so many bytes; only the status where that is not 200. With a body it is
 * asked for by a POST. */
export async function fetchDocument(url, bytesMax, ms, body) {
  const asked = body === undefined ? {} : { method: "POST", body, headers: { "user-agent": "hookgate", "content-type": "application/json" } };
  const response = await ask(url, ms, asked);
  if (response.status !== 200) {
    await response.body?.cancel();
    return [response.status];
  }
  const text = await textOf(response, bytesMax);
  return [response.status, response.headers.get("cache-control") ?? undefined, text];
}

async function textOf(response, bytesMax) {
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
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** Posts a text; status and text of the answer. */
export async function postText(url, body, bytesMax, ms) {
  const response = await ask(url, ms, { method: "POST", body });
  return [response.status, await textOf(response, bytesMax)];
}

/** The status of a GET whose answer is of no interest. */
export async function visit(url, ms) {
  const response = await ask(url, ms);
  await response.body?.cancel();
  return response.status;
}

/** A redirect would lead to a host that nobody listed. */
const ask = (url, ms, more) => fetch(url, { redirect: "manual", signal: AbortSignal.timeout(ms), headers: { "user-agent": "hookgate" }, ...more });

const ALGORITHMS = {
  "rsa-sha1": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1" },
  "rsa-sha256": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  "rsa-sha384": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  "rsa-sha512": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  // RFC 9421, section 3.3.1: the salt is as long as the hash.
  "rsa-pss-sha512": { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 },
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  "ecdsa-p256-sha384": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-384" },
  "ecdsa-p384-sha256": { name: "ECDSA", namedCurve: "P-384", hash: "SHA-256" },
  "ecdsa-p384-sha384": { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
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

/** The public half of a private Ed25519 key, and its signature of the message. */
export async function signEd25519(pkcs8, message) {
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const signature = await crypto.subtle.sign("Ed25519", key, message);
  return [Uint8Array.fromBase64(x, { alphabet: "base64url" }), new Uint8Array(signature)];
}
