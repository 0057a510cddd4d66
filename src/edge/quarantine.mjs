// Refused requests that are kept for a while (src/quarantine.rs): the archive has them encrypted, the record's database
// has how many there are. All of it goes on after an answer.

/** Of one source; what comes when it is full is not kept, so that forgers who come later push nothing out. */
const OF_SOURCE_MAX = 100;
/** Of a tenant's sources together: who forges requests of one tenant takes no other's place. */
const OF_TENANT_MAX = 300;
/** Of all tenants: 64 MB at most. */
const IN_ALL_MAX = 1_000;
/** src/quarantine.rs, KEPT_MS. */
const KEPT_MS = 72 * 3_600_000;
/** Removed in one call of the archive. */
const LOT = 500;
/** src/quarantine.rs, KEY_CHARACTERS_MIN. */
const KEY_CHARACTERS_MIN = 32;
const NONCE_BYTES = 12;

const RESERVE = `INSERT INTO quarantine (id, tenant, source, at_ms, bytes) SELECT ?1, ?2, ?3, ?4, ?5
  WHERE (SELECT count(*) FROM quarantine WHERE tenant = ?2 AND source = ?3) < ${OF_SOURCE_MAX}
    AND (SELECT count(*) FROM quarantine WHERE tenant = ?2) < ${OF_TENANT_MAX}
    AND (SELECT count(*) FROM quarantine) < ${IN_ALL_MAX}
  ON CONFLICT DO NOTHING`;
const RELEASE = "DELETE FROM quarantine WHERE id = ?1";
const OVER = `SELECT id, tenant, source FROM quarantine WHERE at_ms < ?1 ORDER BY at_ms LIMIT ${LOT}`;

const ENCODER = new TextEncoder();

/** The archive's name of what is kept. None of the three has a slash. */
const nameOf = (tenant, source, id) => `quarantine/${tenant}/${source}/${id}`;

let known = {};

/** Nobody can make it without the secret: who reads the archive reads no request. */
async function keyOf(secret) {
  if (known.secret === secret) return known.key;
  const material = await crypto.subtle.importKey("raw", ENCODER.encode(secret), "HKDF", false, ["deriveKey"]);
  const derived = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: ENCODER.encode("hookgate quarantine 1") };
  const key = await crypto.subtle.deriveKey(derived, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  known = { secret, key };
  return key;
}

/** The name is what is authenticated beside it: tenant, source and record. Moved elsewhere, it does not open. */
const cipherOf = (iv, name) => ({ name: "AES-GCM", iv, additionalData: ENCODER.encode(name) });

/** Method, URL, then name and value of each header, one a line: one crossing instead of forty. */
export function linesOf(request) {
  let lines = `${request.method}\n${request.url}`;
  request.headers.forEach((value, name) => (lines += `\n${name}\n${value}`));
  return lines;
}

/** The length of the text, the text, the body. The text is the time of the refusal, and the head. */
function packed(at, request, body) {
  const head = ENCODER.encode(`${at}\n${linesOf(request)}`);
  const bytes = new Uint8Array(4 + head.length + body.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  bytes.set(body, 4 + head.length);
  return bytes;
}

function unpacked(bytes) {
  const end = 4 + new DataView(bytes.buffer).getUint32(0);
  const head = new TextDecoder().decode(bytes.subarray(4, end));
  const line = head.indexOf("\n");
  return { at: Number(head.slice(0, line)), lines: head.slice(line + 1), body: bytes.subarray(end) };
}

const failed = (error) =>
  console.error(JSON.stringify({ event: "alarm", what: "quarantine_failed", detail: error?.name ?? "unknown" }));

/**
 * Whether there is room for a refused request: then it has a place, by which its record is stored whatever the bounds of
 * the record say (src/audit/store.rs). `draft` has whose it is (src/audit/refusal.rs, Draft).
 */
export async function placeFor(draft, body, env) {
  const [id, tenant, source, , , at] = draft.split("\n", 6);
  if (!(env.QUARANTINE_KEY?.length >= KEY_CHARACTERS_MIN)) return false;
  try {
    const [{ meta }] = await env.RECORD.batch([env.RECORD.prepare(RESERVE).bind(id, tenant, source, Number(at), body.length)]);
    return meta.changes > 0;
  } catch (error) {
    failed(error);
    return false;
  }
}

/**
 * Keeps a refused request that has a place. The place comes first: a crash between the two leaves one that is taken for
 * three days, and no object too many.
 */
export async function keepRefused(draft, request, body, env) {
  const [id, tenant, source, , , at] = draft.split("\n", 6);
  try {
    const name = nameOf(tenant, source, id);
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const closed = await crypto.subtle.encrypt(cipherOf(iv, name), await keyOf(env.QUARANTINE_KEY), packed(at, request, body));
    await env.ARCHIVE.put(name, new Blob([iv, closed]));
  } catch (error) {
    failed(error);
  }
}

/** What is kept of a record: when it was refused, its head and its body. `undefined`: nothing. Rejected: it does not open. */
export async function openKept(env, tenant, source, id) {
  const name = nameOf(tenant, source, id);
  const object = await env.ARCHIVE.get(name);
  if (object === null) return undefined;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const cipher = cipherOf(bytes.subarray(0, NONCE_BYTES), name);
  const key = await keyOf(env.QUARANTINE_KEY);
  return unpacked(new Uint8Array(await crypto.subtle.decrypt(cipher, key, bytes.subarray(NONCE_BYTES))));
}

/** Keeps it no longer: it was taken. */
export async function removeKept(env, tenant, source, id) {
  try {
    await env.ARCHIVE.delete(nameOf(tenant, source, id));
    await env.RECORD.prepare(RELEASE).bind(id).run();
  } catch (error) {
    // It goes with its time. Until then it is a duplicate of the event that it became.
    failed(error);
  }
}

/** Removes what was kept for its time: first the objects, then their places. */
export async function removeOverdue(env) {
  try {
    const { results } = await env.RECORD.prepare(OVER).bind(Date.now() - KEPT_MS).all();
    if (results.length === 0) return;
    await env.ARCHIVE.delete(results.map(({ tenant, source, id }) => nameOf(tenant, source, id)));
    await env.RECORD.batch(results.map(({ id }) => env.RECORD.prepare(RELEASE).bind(id)));
  } catch (error) {
    failed(error);
  }
}
