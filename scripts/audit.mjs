// An export of a tenant's log. Started by scripts/audit, which has the usage text.
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { call } from "./admin.mjs";
import { fail, oneLine } from "./terminal.mjs";

const WIDTH = 256;
/** Files that are asked for at once. */
const AT_ONCE = 4;

/** A record that is not in the log after so long was never logged, and the check is to say so. */
const LOGGED_WITHIN_MS = 3_600_000;
/** What is of a later time than that was put there by somebody else. */
const CLOCKS_APART_MS = 300_000;

/** An index in groups of three digits, all but the last behind an x (https://c2sp.org/tlog-tiles). */
export function spell(index) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}

/** The files of a tree of this size besides its checkpoint, each with its full form where it is a part of one. */
export function filesOf(size) {
  const files = [];
  const add = (kind, count) => {
    for (let index = 0; index * WIDTH < count; index += 1) {
      const width = Math.min(WIDTH, count - index * WIDTH);
      const full = `tile/${kind}/${spell(index)}`;
      files.push(width === WIDTH ? [full] : [`${full}.p/${width}`, full]);
    }
  };
  add("entries", size);
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / WIDTH)) add(level, count);
  return files;
}

async function main([base, command, tenant, directory, ...rest]) {
  if (command !== "export" || directory === undefined || rest.length > 0 || !/^(_|[a-z0-9-]{1,64})$/.test(tenant)) {
    fail("That is not a command: see ./scripts/audit --help");
  }
  const place = resolve(directory);
  const file = (path, mayMiss) => call(base, "GET", `log/${tenant}/${path}`, { anything: true, mayMiss });
  const keep = (path, bytes) => {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), bytes);
  };
  // In this order: what the log's object knows is in the archive already, and a record that is logged has been stored
  // before. What expires in between looks removed: export again.
  const newest = await file("newest", true);
  const { bytes: checkpoint, text } = await file("checkpoint");
  const size = Number(text.split("\n")[1]);
  if (!Number.isSafeInteger(size)) fail(`No checkpoint at ${base}: is a hookgate there?`);
  try {
    mkdirSync(place);
  } catch (error) {
    fail(`${directory}: ${oneLine(error.code)}: an export gets a directory of its own.`);
  }
  const files = filesOf(size);
  const logged = new Set();
  const fetchNext = async () => {
    for (let next = files.shift(); next !== undefined; next = files.shift()) {
      for (const path of next) {
        const found = await file(path, true);
        // What is missing is for the check to say.
        if (found === undefined) continue;
        keep(path, found.bytes);
        if (path.startsWith("tile/entries/")) for (const [, id] of found.text.matchAll(/hookgate-audit\/v1 [a-z]+\n([!-~]+)\n/g)) logged.add(id);
        break;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, fetchNext));
  keep("checkpoint", checkpoint);
  if (newest !== undefined) keep("newest", newest.bytes);
  const unlogged = createWriteStream(join(place, "unlogged.ndjson"));
  const lines = createWriteStream(join(place, "records.ndjson"));
  let count = 0;
  let waiting = 0;
  let after = "";
  for (;;) {
    const { json } = await call(base, "GET", `log/${tenant}/records?after=${encodeURIComponent(after)}`);
    if (!Array.isArray(json?.records)) fail(`No records at ${base}: is a hookgate there?`);
    if (json.records.length === 0) break;
    for (const { id, at_ms: time, salt, record } of json.records) {
      const isYoung = time > Date.now() - LOGGED_WITHIN_MS && time < Date.now() + CLOCKS_APART_MS;
      if (!logged.has(id) && isYoung) {
        waiting += 1;
        unlogged.write(`${JSON.stringify({ id, salt, record })}\n`);
        continue;
      }
      lines.write(`${JSON.stringify({ id, salt, record })}\n`);
      count += 1;
    }
    const { at_ms: time, id } = json.records.at(-1);
    after = `${time}-${id}`;
  }
  await Promise.all([lines, unlogged].map((stream) => new Promise((done) => stream.end(done))));
  const known = Number(newest?.text.split("\n")[1] ?? 0);
  if (known > size) console.log(`The archive is behind: its checkpoint has ${size} entries, the log's own ${known}.`);
  console.log(`${directory}: ${size} entries of ${oneLine(text.split("\n")[0])}, ${count} records${waiting > 0 ? `; ${waiting} are younger than the checkpoint (unlogged.ndjson)` : ""}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
