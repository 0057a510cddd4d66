// A secret that a provider handed over: kept for the operator, who reads it once.

const ENCODER = new TextEncoder();
const KEEP_MS = 3_000;

/** Nobody can make it without the operator's token: who reads the bucket reads no secret. */
async function keyOf(token) {
  const material = await crypto.subtle.importKey("raw", ENCODER.encode(token), "HKDF", false, ["deriveKey"]);
  const derived = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: ENCODER.encode("hookgate offer 1") };
  return crypto.subtle.deriveKey(derived, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

const cipherOf = (iv, name) => ({ name: "AES-GCM", iv, additionalData: ENCODER.encode(name) });

async function keep(bucket, name, token, secret) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const closed = await crypto.subtle.encrypt(cipherOf(iv, name), await keyOf(token), ENCODER.encode(secret));
  const bytes = new Uint8Array([...iv, ...new Uint8Array(closed)]);
  // Of two at once only one is written: nobody takes the place of what the operator is about to read.
  return (await bucket.put(name, bytes, { onlyIf: { etagDoesNotMatch: "*" } })) !== null;
}

/** Keeps a secret. False: there is one under this name. */
export function keepOffer(bucket, name, token, secret) {
  let timer;
  const expired = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("it took too long")), KEEP_MS)));
  return Promise.race([keep(bucket, name, token, secret), expired]).finally(() => clearTimeout(timer));
}

/** Gives a secret out, and keeps it no longer. `undefined`: there is none. */
export async function takeOffer(bucket, name, token) {
  const object = await bucket.get(name);
  if (object === null) return undefined;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const cipher = cipherOf(bytes.subarray(0, 12), name);
  const secret = await crypto.subtle.decrypt(cipher, await keyOf(token), bytes.subarray(12));
  await bucket.delete(name);
  return new TextDecoder().decode(secret);
}
