// A secret that a provider handed over: kept for the operator, who reads it once.

const ENCODER = new TextEncoder();
const KEEP_MS = 3_000;

/** Nobody can make it without the Worker's secret: who reads the bucket reads no secret. */
async function keyOf(secretKey) {
  const material = await crypto.subtle.importKey("raw", ENCODER.encode(secretKey), "HKDF", false, ["deriveKey"]);
  const derived = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: ENCODER.encode("hookgate offer 2") };
  return crypto.subtle.deriveKey(derived, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

const cipherOf = (iv, name) => ({ name: "AES-GCM", iv, additionalData: ENCODER.encode(name) });

async function keep(bucket, name, secretKey, secret) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const closed = await crypto.subtle.encrypt(cipherOf(iv, name), await keyOf(secretKey), ENCODER.encode(secret));
  const bytes = new Uint8Array([...iv, ...new Uint8Array(closed)]);
  // Of two at once only one is written: nobody takes the place of what the operator is about to read.
  return (await bucket.put(name, bytes, { onlyIf: { etagDoesNotMatch: "*" } })) !== null;
}

/** Keeps a secret. False: there is one under this name. */
export function keepOffer(bucket, name, secretKey, secret) {
  let timer;
  const expired = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("it took too long")), KEEP_MS)));
  return Promise.race([keep(bucket, name, secretKey, secret), expired]).finally(() => clearTimeout(timer));
}

/** Gives a secret out, and keeps it no longer. `undefined`: there is none. */
export async function takeOffer(bucket, name, secretKey) {
  const object = await bucket.get(name);
  if (object === null) return undefined;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const cipher = cipherOf(bytes.subarray(0, 12), name);
  const secret = await crypto.subtle.decrypt(cipher, await keyOf(secretKey), bytes.subarray(12));
  await bucket.delete(name);
  return new TextDecoder().decode(secret);
}
