// What providers publish: certificates around keys that the tests made, and sets of keys.
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";

export const rsaPair = (bits = 2048) => generateKeyPairSync("rsa", { modulusLength: bits });

const publicKeyOf = (key) => (typeof key === "string" ? createPublicKey(key) : key);

const length = (count) => (count < 0x80 ? [count] : count < 0x100 ? [0x81, count] : [0x82, count >> 8, count & 0xff]);
const element = (tag, ...parts) => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...length(content.length)]), content]);
};
const sequence = (...parts) => element(0x30, ...parts);
const object = (...bytes) => element(0x06, Buffer.from(bytes));
/** As X.509 writes a time before 2050. */
const utcTime = (date) => element(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`));
const nameOf = (commonName) => sequence(element(0x31, sequence(object(0x55, 0x04, 0x03), element(0x0c, Buffer.from(commonName)))));

const HOUR_MS = 3_600_000;

const RSA_HASHES = { sha1: 0x05, sha256: 0x0b, sha384: 0x0c, sha512: 0x0d };
const ECDSA_HASHES = { sha256: 0x02, sha384: 0x03 };
const algorithmOf = (key, hash) =>
  key?.asymmetricKeyType === "ec"
    ? sequence(object(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, ECDSA_HASHES[hash]))
    : sequence(object(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, RSA_HASHES[hash]), element(0x05));
/** The extensions of one that may issue others: basicConstraints, critical. */
const authorityExtensions = element(
  0xa3,
  sequence(sequence(object(0x55, 0x1d, 0x13), element(0x01, Buffer.from([0xff])), element(0x04, sequence(element(0x01, Buffer.from([0xff])))))),
);

/**
 * A certificate in PEM. By itself it is signed by nobody: the gate trusts the host it comes from, and says so.
 *   from, to    when it holds; by default from an hour ago to in an hour
 *   by          who issued it: `{ name, key, hash }`, the key a private one, the hash by default SHA-256
 *   authority   whether it may issue others
 */
export function certificate(publicKey, commonName, { from = new Date(Date.now() - HOUR_MS), to = new Date(Date.now() + HOUR_MS), by, authority = false } = {}) {
  const key = publicKeyOf(publicKey).export({ type: "spki", format: "der" });
  const hash = by?.hash ?? "sha256";
  const algorithm = algorithmOf(by?.key, hash);
  const name = nameOf(commonName);
  const issuer = by === undefined ? name : nameOf(by.name);
  const version = element(0xa0, element(0x02, Buffer.from([2])));
  const serial = element(0x02, Buffer.from([1]));
  const inner = sequence(version, serial, algorithm, issuer, sequence(utcTime(from), utcTime(to)), name, key, ...(authority ? [authorityExtensions] : []));
  const signature = by === undefined ? Buffer.alloc(256) : sign(hash, inner, by.key);
  const der = sequence(inner, algorithm, element(0x03, Buffer.from([0]), signature));
  const lines = der.toString("base64").match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** A set of keys, by their ids. */
export const keySet = (keys) =>
  JSON.stringify({ keys: Object.entries(keys).map(([kid, key]) => ({ ...publicKeyOf(key).export({ format: "jwk" }), kid, use: "sig", alg: "RS256" })) });
