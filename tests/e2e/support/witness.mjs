// A witness of logs in a process of its own, as https://c2sp.org/tlog-witness describes one, written from the
// specifications with node:crypto: it shares no code with what it watches.
//
//   node witness.mjs NAME SEED_IN_HEX LOG_VKEY…   says {"url":…,"key":…} on its first line
//
// GET /known brings the checkpoints that it signed, by origin. It remembers in memory only.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const keyId = (name, kind, key) => sha256(Buffer.from(`${name}\n`), Buffer.of(kind), key).subarray(0, 4);
const publicKeyOf = (raw) => createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]), format: "der", type: "spki" });

/** RFC 9162, section 2.1.4.2. */
export function isConsistent(proof, oldSize, oldRoot, newSize, newRoot) {
  if (oldSize === 0) return proof.length === 0;
  if (oldSize === newSize) return proof.length === 0 && oldRoot.equals(newRoot);
  const path = [...proof];
  if ((oldSize & (oldSize - 1)) === 0) path.unshift(oldRoot);
  if (path.length === 0) return false;
  let [fn, sn] = [oldSize - 1, newSize - 1];
  while (fn % 2 === 1) [fn, sn] = [fn >> 1, sn >> 1];
  let [fr, sr] = [path[0], path[0]];
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else sr = nodeHash(sr, c);
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  return sn === 0 && fr.equals(oldRoot) && sr.equals(newRoot);
}

/** Text and signature lines of a note. */
function noteOf(text) {
  const at = text.lastIndexOf("\n\n");
  const lines = text.slice(at + 2).split("\n").filter(Boolean);
  const signatures = lines.map((line) => /^— (\S+) (\S+)$/.exec(line)).map(([, name, base64]) => ({ name, bytes: Buffer.from(base64, "base64") }));
  return { text: text.slice(0, at + 1), signatures };
}

/** Whether a note bears a signature of this log's key. */
export function isSigned(note, vkey) {
  const [name, id, ...rest] = vkey.split("+");
  const key = Buffer.from(rest.join("+"), "base64");
  const { text, signatures } = noteOf(note);
  return signatures.some(
    ({ name: by, bytes }) =>
      by === name && bytes.subarray(0, 4).toString("hex") === id && key[0] === 1 && verify(null, Buffer.from(text), publicKeyOf(key.subarray(1)), bytes.subarray(4)),
  );
}

function serve(name, seed, logs) {
  const secret = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]), format: "der", type: "pkcs8" });
  const raw = Buffer.from(createPublicKey(secret).export({ format: "jwk" }).x, "base64url");
  const id = keyId(name, 4, raw);
  const known = new Map();
  const add = (body) => {
    const at = body.indexOf("\n\n");
    const [first, ...proof] = body.slice(0, at).split("\n");
    const oldSize = Number(/^old (0|[1-9][0-9]*)$/.exec(first)?.[1] ?? NaN);
    const note = body.slice(at + 2);
    const { text } = noteOf(note);
    const [origin, size, root] = text.split("\n");
    const newSize = Number(size);
    const log = logs.find((vkey) => vkey.startsWith(`${origin}+`));
    if (log === undefined) return [404, ""];
    if (!isSigned(note, log)) return [403, ""];
    if (!(oldSize <= newSize)) return [400, ""];
    const last = known.get(origin);
    if (oldSize !== (last?.size ?? 0)) return [409, `${last?.size ?? 0}\n`];
    const newRoot = Buffer.from(root, "base64");
    if (oldSize === newSize && last !== undefined && !last.root.equals(newRoot)) return [409, ""];
    if (!isConsistent(proof.map((line) => Buffer.from(line, "base64")), oldSize, last?.root, newSize, newRoot)) return [422, ""];
    known.set(origin, { size: newSize, root: newRoot, note });
    const time = Math.floor(Date.now() / 1_000);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), secret);
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(BigInt(time));
    return [200, `— ${name} ${Buffer.concat([id, stamp, signature]).toString("base64")}\n`];
  };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (request.url === "/known") {
      return response.end(JSON.stringify(Object.fromEntries([...known].map(([origin, { size, note }]) => [origin, { size, note }]))));
    }
    let [status, text] = [404, ""];
    if (request.method === "POST" && request.url === "/add-checkpoint") [status, text] = add(Buffer.concat(parts).toString());
    response.writeHead(status).end(text);
  });
  server.listen(0, "127.0.0.1", () => {
    const key = `${name}+${id.toString("hex")}+${Buffer.concat([Buffer.of(4), raw]).toString("base64")}`;
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, key }));
  });
}

/** Starts a witness of these logs. */
export async function startWitness(name, seed, logs) {
  const child = spawn(process.execPath, [import.meta.filename, name, seed.toString("hex"), ...logs], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  const { url, key } = JSON.parse(line);
  return {
    url,
    key,
    known: async () => (await fetch(`${url}/known`)).json(),
    async stop() {
      child.kill();
      await once(child, "exit");
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const [name, seed, ...logs] = process.argv.slice(2);
  serve(name, Buffer.from(seed, "hex"), logs);
}
