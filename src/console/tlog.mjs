// Checks a log in the browser: the signature of its checkpoint (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint), and the
// root of its tree from its tiles (https://c2sp.org/tlog-tiles; RFC 9162, section 2.1).

const WIDTH = 256;
const HASH_BYTES = 32;
/** How many tiles are read of the lowest level that is read whole: 65,536 hashes. A larger log is read from a higher level. */
const TILES_MAX = 256;
const ED25519 = 1;

const utf8 = new TextEncoder();
export const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
export const isSame = (left, right) => left.length === right.length && left.every((byte, index) => byte === right[index]);

async function sha256(...parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}
export const leafHash = (entry) => sha256(Uint8Array.of(0), entry);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** A checkpoint with its signatures. Throws a sentence where it is none. */
export function readCheckpoint(note) {
  const at = note.lastIndexOf("\n\n");
  const text = note.slice(0, at + 1);
  const [origin, size, root] = text.split("\n");
  const lines = note.slice(at + 2).split("\n").filter((line) => line !== "");
  if (at < 0 || !origin || !/^(0|[1-9][0-9]*)$/.test(size ?? "") || !Number.isSafeInteger(Number(size))) throw new Error("What the gate gave is no checkpoint.");
  const signatures = lines.map((line) => {
    const [dash, name, encoded] = line.split(" ");
    if (dash !== "\u2014" || !encoded) throw new Error("A signature of the checkpoint cannot be read.");
    const bytes = bytesOf(encoded);
    return { name, id: bytes.slice(0, 4), bytes: bytes.slice(4) };
  });
  return { origin, size: Number(size), root: bytesOf(root), text, signatures };
}

/** A public key, as `hookgate audit vkey` prints it: `name+id+base64`. */
export async function readKey(line) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line.trim()) ?? [];
  const bytes = encoded && bytesOf(encoded);
  if (!bytes || bytes.length !== 33 || bytes[0] !== ED25519) throw new Error("That is no public key of a log: it reads NAME+ID+BASE64, and a key that begins with PRIVATE belongs nowhere but in the Worker.");
  if (id !== hex(await keyId(name, bytes))) throw new Error("The key's id does not fit its name and its bytes: it was not copied whole.");
  return { name, bytes };
}

const keyId = async (name, bytes) => (await sha256(utf8.encode(`${name}\n`), bytes)).slice(0, 4);

/** Whether this key, or the one of this log that it stands for, signed the checkpoint. Throws a sentence where it did not. */
export async function checkSignature(checkpoint, key) {
  if (checkpoint.origin !== key.name && !checkpoint.origin.startsWith(`${key.name}/`)) throw new Error(`The checkpoint is of ${checkpoint.origin}, and the key is of ${key.name}.`);
  const id = await keyId(checkpoint.origin, key.bytes);
  const signature = checkpoint.signatures.find((signature) => signature.name === checkpoint.origin && isSame(signature.id, id));
  if (!signature) throw new Error("The checkpoint has no signature of this key.");
  const imported = await crypto.subtle.importKey("raw", key.bytes.slice(1), "Ed25519", false, ["verify"]).catch(() => {
    throw new Error("This browser's WebCrypto has no Ed25519: take a newer one, or hookgate audit verify.");
  });
  if (!(await crypto.subtle.verify("Ed25519", imported, signature.bytes, utf8.encode(checkpoint.text)))) throw new Error("The signature of the checkpoint is not good.");
}

/** An index in groups of three digits, all but the last behind an x. */
export function spell(index) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}

/** The lowest level that is read whole for a tree of this size; 0: every leaf's hash. */
export function lowestLevel(size) {
  let level = 0;
  while (Math.ceil(size / WIDTH ** (level + 1)) > TILES_MAX) level += 1;
  return level;
}

/**
 * The root of the first `size` leaves. `tile` brings the bytes of one: `(level, index, width)`.
 * A level's hashes stand for full subtrees, so what is behind the last of them is found one level below.
 */
export async function rootOf(size, tile) {
  if (size === 0) return sha256();
  const peaks = [];
  const push = async (hash, height) => {
    let top = { hash, height };
    while (peaks.at(-1)?.height === top.height) top = { hash: await nodeHash(peaks.pop().hash, top.hash), height: top.height + 1 };
    peaks.push(top);
  };
  const lowest = lowestLevel(size);
  for (let level = lowest; level >= 0; level -= 1) {
    const count = Math.floor(size / WIDTH ** level);
    for (let from = level === lowest ? 0 : Math.floor(count / WIDTH) * WIDTH; from < count; from += WIDTH) {
      const width = Math.min(WIDTH, count - from);
      const bytes = await tile(level, from / WIDTH, width);
      if (bytes.length < width * HASH_BYTES) throw new Error(`A file of hashes is too short: level ${level}, ${from / WIDTH}.`);
      for (let index = 0; index < width; index += 1) await push(bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES), 8 * level);
    }
  }
  let root = peaks.pop().hash;
  while (peaks.length > 0) root = await nodeHash(peaks.pop().hash, root);
  return root;
}

/**
 * Whether a log with the head `now` has the entries of the head `before`, and in its places. Both roots are made of the same hashes, which are those
 * of a consistency proof (RFC 9162, section 2.1.4.1): whatever tiles lie in the archive, ones that fit both show it.
 */
export async function isContinued(before, now, tile) {
  if (before.size > now.size) return false;
  if (before.size === 0) return isSame(before.root, await sha256());
  const [then, since] = await twoRoots(before.size, 0, now.size, now.size, tile);
  return isSame(then, before.root) && isSame(since, now.root);
}

/** The root of the first `count` leaves from `start` on, and that of all up to `end`, in a tree of `size`. */
async function twoRoots(count, start, end, size, tile) {
  if (count === end - start) {
    const root = await rangeRoot(start, end, size, tile);
    return [root, root];
  }
  const half = halfOf(end - start);
  const right = start + half;
  if (count <= half) {
    const [then, since] = await twoRoots(count, start, right, size, tile);
    return [then, await nodeHash(since, await rangeRoot(right, end, size, tile))];
  }
  const left = await rangeRoot(start, right, size, tile);
  const [then, since] = await twoRoots(count - half, right, end, size, tile);
  return [await nodeHash(left, then), await nodeHash(left, since)];
}

/** The root of the leaves from `start` to `end`, a subtree of a tree of `size`, from the highest tiles that have it. */
async function rangeRoot(start, end, size, tile) {
  const length = end - start;
  let level = 0;
  while (WIDTH ** (level + 1) <= length) level += 1;
  const unit = WIDTH ** level;
  if (length !== unit) {
    const middle = start + halfOf(length);
    return nodeHash(await rangeRoot(start, middle, size, tile), await rangeRoot(middle, end, size, tile));
  }
  const index = start / unit;
  const at = (index % WIDTH) * HASH_BYTES;
  const first = index - (index % WIDTH);
  const bytes = await tile(level, first / WIDTH, Math.min(WIDTH, Math.floor(size / unit) - first));
  if (bytes.length < at + HASH_BYTES) throw new Error(`A file of hashes is too short: level ${level}, ${first / WIDTH}.`);
  return bytes.slice(at, at + HASH_BYTES);
}

/** The largest power of two below `length`, which is at least 2. */
function halfOf(length) {
  let half = 1;
  while (half * 2 < length) half *= 2;
  return half;
}

/** The root that a leaf's hash and its path lead to (RFC 9162, section 2.1.3.2). `undefined`: the path does not fit the place. */
export async function rootFrom(leaf, index, size, path) {
  if (!(index < size)) return undefined;
  let [node, last, root] = [index, size - 1, leaf];
  for (const hash of path) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      root = await nodeHash(hash, root);
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    } else {
      root = await nodeHash(root, hash);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 ? root : undefined;
}

/**
 * Checks that a record is an entry of the log whose checkpoint the proof has: its salt and text make the commitment of the entry, and the
 * entry's path leads to the root. Throws a sentence where it does not. Brings the checkpoint, whose signature is another matter.
 */
export async function checkRecord({ id, record, leaf_hash: leaf, proof }) {
  const checkpoint = readCheckpoint(proof.checkpoint);
  const [kind, entryId, , commitment] = proof.entry.split("\n");
  if (kind !== "hookgate-audit/v1 record" || entryId !== id || hex(bytesOf(commitment)) !== leaf) throw new Error("The log's entry is not this record's.");
  if (proof.text !== null) {
    const salt = Uint8Array.from(proof.salt.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    if (hex(await sha256(Uint8Array.of(0), salt, utf8.encode(proof.text))) !== leaf) throw new Error("The text is not the one that was logged.");
    if (JSON.stringify(JSON.parse(proof.text)) !== JSON.stringify(record)) throw new Error("What is shown here is not the text that was logged.");
  }
  const root = await rootFrom(await leafHash(utf8.encode(proof.entry)), proof.index, checkpoint.size, proof.hashes.map(bytesOf));
  if (root === undefined || !isSame(root, checkpoint.root)) throw new Error("The path does not lead to the checkpoint's root.");
  return checkpoint;
}
