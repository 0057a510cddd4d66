// The tamper-evident log in real workerd: it grows, is published and witnessed, survives what fails around it,
// and its export is checked by the tool.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { startBackend } from "./support/backend.mjs";
import { ROOT, startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { sleep, until } from "./support/wait.mjs";
import { isSigned, startWitness } from "./support/witness.mjs";

const TOOL = join(ROOT, "target", "debug", "hookgate");
const DAY_MS = 86_400_000;
const run = promisify(execFile);

/** The tool's exit code and words. */
async function tool(...args) {
  try {
    const { stdout } = await run(TOOL, ["audit", ...args]);
    return { code: 0, stdout: stdout.trim(), stderr: "" };
  } catch ({ code, stdout, stderr }) {
    return { code, stdout: stdout.trim(), stderr: stderr.trim() };
  }
}

/** A record, and its entry as docs/audit-log.md says. */
function recordOf(n, timeMs = 1_760_000_000_000 + n, members = {}) {
  const id = `req_${String(n).padStart(32, "0")}`;
  const salt = randomBytes(16);
  const record = JSON.stringify({ v: 1, n, ...members });
  const commitment = createHash("sha256").update(Buffer.of(0)).update(salt).update(record).digest("base64");
  return { line: { id, salt: salt.toString("hex"), record }, entry: `hookgate-audit/v1 record\n${id}\n${timeMs}\n${commitment}\n` };
}
const records = (from, count) => Array.from({ length: count }, (_, n) => recordOf(from + n));

const secrets = freshSecrets();
const SEED = randomBytes(32);
let backend;
/** The public key that stands for all tenants' logs. */
let key;
before(async () => {
  backend = await startBackend();
  const [, , name, id, ...seed] = secrets.AUDIT_LOG_KEY.split("+");
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed.join("+"), "base64").subarray(1)]);
  const { x } = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  key = `${name}+${id}+${Buffer.concat([Buffer.of(1), Buffer.from(x, "base64url")]).toString("base64")}`;
});
after(() => backend.stop());

const vkeyOf = async (tenant) => (await tool("vkey", "--key", key, "--tenant", tenant)).stdout;
/** A file of a tenant's log, as the operator gets it. */
const file = (gate, tenant, path, token = secrets.HOOKGATE_ADMIN_TOKEN) =>
  gate.send({ method: "GET", target: `/admin/v1/log/${tenant}/${path}`, headers: [["authorization", `Bearer ${token}`]] });
const sizeOf = (note) => Number(note.split("\n")[1]);
/** A checkpoint of this size, waited for. */
const checkpoint = (gate, tenant, size, holds = () => true) =>
  until(async () => {
    const { status, text } = await file(gate, tenant, "checkpoint");
    return status === 200 && sizeOf(text) === size && holds(text) && text;
  }, `the checkpoint of ${size}`);

/** The log as a directory, with these records. */
async function exported(gate, tenant, lines) {
  const directory = mkdtempSync(join(tmpdir(), "hookgate-export-"));
  const bucket = await gate.mf.getR2Bucket("ARCHIVE");
  let cursor;
  do {
    const page = await bucket.list({ prefix: `log/${tenant}/`, cursor });
    for (const { key: name } of page.objects) {
      const path = join(directory, name.slice(`log/${tenant}/`.length));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, Buffer.from(await (await bucket.get(name)).arrayBuffer()));
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  writeFileSync(join(directory, "records.ndjson"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return directory;
}

/** Somebody else who keeps every checkpoint that is posted; `status` is what it answers. */
async function startKeeper() {
  const keeper = { kept: [], status: 204 };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (keeper.status < 300) keeper.kept.push(Buffer.concat(parts).toString());
    response.writeHead(keeper.status).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  keeper.url = `http://127.0.0.1:${server.address().port}/`;
  keeper.stop = () => server.close();
  return keeper;
}

/** Runs `act` with a gate, its witness and its keeper; `again` kills the gate and starts it on the same storage. */
async function withLog(act, { tenants = ["acme"], variables = {}, without = [] } = {}) {
  const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
  const witness = await startWitness("witness.example/w1", SEED, await Promise.all(tenants.map(vkeyOf)));
  const keeper = await startKeeper();
  const all = { WITNESS_URL: witness.url, WITNESS_KEY: witness.key, CHECKPOINT_URL: keeper.url, ...variables };
  const start = () => startGate({ secrets, keep, backend, variables: all, without });
  let gate = await start();
  const again = async () => {
    await gate.stop();
    return (gate = await start());
  };
  try {
    await act({ gate, witness, keeper, again });
  } finally {
    await gate.stop();
    await witness.stop();
    keeper.stop();
    rmSync(keep, { recursive: true, force: true });
  }
}

const isCosigned = (note) => note.includes("— witness.example/w1 ");

describe("the log", () => {
  test("records get their places once, a checkpoint follows, and the witness has signed it", () =>
    withLog(async ({ gate, witness, keeper }) => {
      const all = records(0, 300);
      const first = await gate.append("acme", all.slice(0, 5).map(({ entry }) => entry));
      assert.deepEqual(first.json, [0, 1, 2, 3, 4]);
      await checkpoint(gate, "acme", 5);
      // Again, with new ones among them: a queue delivers twice.
      const mixed = await gate.append("acme", [all[3], all[5], all[0]].map(({ entry }) => entry));
      assert.deepEqual(mixed.json, [3, 5, 0]);
      await gate.append("acme", all.map(({ entry }) => entry));
      const note = await checkpoint(gate, "acme", 300, isCosigned);
      assert.ok(isSigned(note, await vkeyOf("acme")), note);
      assert.match(note, /^gate\.example\/audit\/acme\n300\n/);
      await until(() => keeper.kept.some((kept) => sizeOf(kept) === 300), "the checkpoint elsewhere");
      assert.equal((await witness.known())["gate.example/audit/acme"].size, 300);

      const directory = await exported(gate, "acme", all.map(({ line }) => line));
      const kept = join(directory, "kept");
      writeFileSync(kept, keeper.kept[0]);
      const sound = await tool("verify", directory, "--key", key, "--tenant", "acme", "--witness", witness.key, "--checkpoint", kept, "--json");
      const report = JSON.parse(sound.stdout);
      assert.equal(sound.code, 0, sound.stdout);
      assert.deepEqual([report.ok, report.size, report.records, report.kept], [true, 300, 300, 1]);
      // One record less, and one with another word.
      const lines = all.map(({ line }) => line);
      lines[42] = { ...lines[42], record: lines[42].record.replace("42", "43") };
      lines.splice(7, 1);
      writeFileSync(join(directory, "records.ndjson"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      const altered = await tool("verify", directory, "--key", key, "--tenant", "acme");
      assert.equal(altered.code, 1);
      assert.match(altered.stderr, new RegExp(`removed: record "${all[7].line.id}", entry 7`));
      assert.match(altered.stderr, new RegExp(`altered: record "${all[42].line.id}", entry 42`));
      assert.match(altered.stdout, /tamper-evident against store access only/);
      rmSync(directory, { recursive: true });
    }));

  test("an entry of long ago has its place still when its id is known no longer: a dead letter was sent again", () =>
    withLog(async ({ gate }) => {
      const [young, ...all] = [recordOf(999, Date.now()), ...records(0, 300)];
      await gate.append("acme", all.map(({ entry }) => entry));
      await checkpoint(gate, "acme", 300);
      await gate.send({ target: "/-/sweep?tenant=acme" });
      // One that is as old and was never there is new; so is a young one, whose id would be known.
      const again = await gate.append("acme", [all[299], all[0], recordOf(998), all[270], young].map(({ entry }) => entry));
      assert.deepEqual(again.json, [299, 0, 300, 270, 301]);
    }));

  test("the operator gets its files, and nobody else; and nothing but its files", () =>
    withLog(async ({ gate }) => {
      await gate.append("acme", records(0, 3).map(({ entry }) => entry));
      await checkpoint(gate, "acme", 3);
      const bundle = await file(gate, "acme", "tile/entries/000.p/3");
      assert.equal(bundle.status, 200);
      assert.match(bundle.text, /hookgate-audit\/v1 record/);
      for (const path of ["tile/0/000.p/2", "tile/0/000", "tile/1/000.p/1"]) assert.equal((await file(gate, "acme", path)).status, 404, path);
      assert.equal((await file(gate, "other", "checkpoint")).status, 404);
      assert.equal((await file(gate, "acme", "checkpoint", "wrong")).status, 401);
    }));

  test("two tenants' logs are two, and an entry that is none is refused as a whole", () =>
    withLog(
      async ({ gate }) => {
        await Promise.all(["acme", "other"].map((tenant, n) => gate.append(tenant, records(10 * n, 2 + n).map(({ entry }) => entry))));
        const notes = [await checkpoint(gate, "acme", 2), await checkpoint(gate, "other", 3)];
        assert.notEqual(notes[0].split("\n")[2], notes[1].split("\n")[2]);
        const wrong = await gate.append("acme", [recordOf(5).entry, "not an entry"]);
        assert.equal(wrong.status, 500);
        assert.deepEqual((await gate.append("acme", [recordOf(6).entry])).json, [2]);
      },
      { tenants: ["acme", "other"] },
    ));

  test("expired is not removed: a run of retention is an entry", () =>
    withLog(async ({ gate, witness }) => {
      const now = Date.now();
      const old = [0, 1].map((n) => recordOf(n, now - 90 * DAY_MS));
      const young = [2, 3].map((n) => recordOf(n, now));
      await gate.append("acme", [...old, ...young].map(({ entry }) => entry));
      const run = recordOf(9, now, { texts: 2, texts_before_ms: now - 30 * DAY_MS });
      await gate.append("acme", [`${run.entry.replace(" record\n", " retention\n")}${now - 30 * DAY_MS}\n2\n`]);
      await checkpoint(gate, "acme", 5, isCosigned);
      const directory = await exported(gate, "acme", [...young, run].map(({ line }) => line));
      const { code, stdout, stderr } = await tool("verify", directory, "--key", key, "--tenant", "acme", "--witness", witness.key);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /3 records as they were logged, 2 expired in 1 runs of retention/);
      rmSync(directory, { recursive: true });
    }));
});

test("a refusal is recorded and logged, and what the operator exports is in order", async () => {
  await withLog(
    async ({ gate, witness }) => {
      const answers = [];
      for (let n = 0; n < 4; n += 1) answers.push(await gate.send({ target: "/hooks/custom", body: `{"n":${n}}` }));
      for (const { status } of answers) assert.equal(status, 401);
      await checkpoint(gate, "demo", 4, isCosigned);
      const place = mkdtempSync(join(tmpdir(), "hookgate-export-"));
      const directory = join(place, "export");
      const script = join(ROOT, "scripts", "audit");
      const { stdout } = await run("bash", [script, "--url", gate.url, "export", "demo", directory], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: secrets.HOOKGATE_ADMIN_TOKEN } });
      assert.match(stdout, /4 entries of gate\.example\/audit\/demo, 4 records/);
      const { code, stdout: told, stderr } = await tool("verify", directory, "--key", key, "--tenant", "demo", "--witness", witness.key);
      assert.equal(code, 0, stderr);
      assert.match(told, /4 records as they were logged/);
      // Somebody with the database: one row is gone, one is another, one was never there.
      const [first, second, third] = await gate.recorded();
      await gate.recorded("DELETE FROM records WHERE id = ?1", first.id);
      await gate.recorded("UPDATE records SET text = replace(text, 'missing_signature', 'unknown_source') WHERE id = ?1", second.id);
      await gate.recorded("UPDATE records SET text = NULL, salt = NULL WHERE id = ?1", third.id);
      const forged = "INSERT INTO records SELECT 'req_forged', tenant, source, 1, verdict, reason, leaf_hash, salt, text, address, address_salt FROM records WHERE id = ?1";
      await gate.recorded(forged, second.id);
      rmSync(directory, { recursive: true });
      await run("bash", [script, "--url", gate.url, "export", "demo", directory], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: secrets.HOOKGATE_ADMIN_TOKEN } });
      const altered = await tool("verify", directory, "--key", key, "--tenant", "demo", "--json");
      assert.equal(altered.code, 1);
      const findings = JSON.parse(altered.stdout).findings.map(({ what, id }) => `${what} ${id}`).sort();
      const expected = [`record_removed ${first.id}`, `record_altered ${second.id}`, `record_removed ${third.id}`, "record_inserted req_forged"];
      assert.deepEqual(findings, expected.sort());
      rmSync(place, { recursive: true });
    },
    { tenants: ["demo"] },
  );
});

test("an older, genuine log that was put back into the archive is told by what the log's object knows", () =>
  withLog(async ({ gate, witness }) => {
    const all = records(0, 8).map(({ entry }) => entry);
    await gate.append("acme", all.slice(0, 5));
    const old = await checkpoint(gate, "acme", 5, isCosigned);
    await gate.append("acme", all);
    await checkpoint(gate, "acme", 8, isCosigned);
    // The files of five entries are still there: partial ones stay.
    await (await gate.mf.getR2Bucket("ARCHIVE")).put("log/acme/checkpoint", old);
    const place = mkdtempSync(join(tmpdir(), "hookgate-export-"));
    const directory = join(place, "export");
    const { stdout } = await run("bash", [join(ROOT, "scripts", "audit"), "--url", gate.url, "export", "acme", directory], { env: { ...process.env, HOOKGATE_ADMIN_TOKEN: secrets.HOOKGATE_ADMIN_TOKEN } });
    assert.match(stdout, /The archive is behind: its checkpoint has 5 entries, the log's own 8/);
    const args = ["verify", directory, "--key", key, "--tenant", "acme", "--witness", witness.key];
    const told = JSON.parse((await tool(...args, "--json")).stdout);
    assert.deepEqual(told.findings.filter(({ what }) => what !== "record_removed"), [{ what: "archive_behind", size: 5, newest: 8 }]);
    assert.ok(told.age_seconds < 60 && told.checkpoint_at.startsWith("20"), JSON.stringify(told));
    // Whoever has the files alone sees its age: in a minute it would be too old.
    rmSync(join(directory, "newest"));
    assert.equal((await tool(...args, "--max-age", "5m")).stderr.includes("too old"), false);
    const late = await tool(...args, "--since", new Date(Date.now() + 5_000).toISOString());
    assert.equal(late.code, 1);
    assert.match(late.stderr, /too old: the checkpoint is of 20/);
    for (const wrong of [["--max-age", "5"], ["--since", "yesterday"]]) assert.equal((await tool(...args, ...wrong)).code, 2, wrong);
    const unasked = await tool("verify", directory, "--key", key);
    assert.deepEqual([unasked.code, unasked.stderr.includes("--tenant TENANT is missing")], [2, true]);
    assert.equal((await tool("verify", directory, "--key", key, "--tenant", "other")).code, 1);
    rmSync(place, { recursive: true });
  }));

describe("what fails", () => {
  test("a witness that was not told of the log: that is no contradiction", () =>
    withLog(
      async ({ gate, keeper }) => {
        await gate.append("acme", records(0, 2).map(({ entry }) => entry));
        const { detail } = await gate.line({ event: "alarm", what: "log_unwitnessed" });
        assert.equal(detail, "acme: the witness answered 404");
        await until(() => keeper.kept.some((kept) => sizeOf(kept) === 2), "the checkpoint elsewhere");
        assert.deepEqual(gate.lines({ what: "log_contradicted" }), []);
      },
      { tenants: [] },
    ));

  test("the archive is away: nothing is signed whose files are not there, and all of it is when it is back", () =>
    withLog(async ({ gate, witness }) => {
      await gate.faults("ARCHIVE.put=fail");
      const all = records(0, 10);
      await gate.append("acme", all.map(({ entry }) => entry));
      await gate.line({ event: "alarm", what: "log_run_failed" });
      assert.equal((await file(gate, "acme", "checkpoint")).status, 404);
      await gate.faults("");
      await checkpoint(gate, "acme", 10, isCosigned);
      assert.equal((await witness.known())["gate.example/audit/acme"].size, 10);
    }));

  test("a write takes effect and reports a failure: the log goes on as one history", () =>
    withLog(async ({ gate, keeper }) => {
      await gate.faults("ARCHIVE.put=lost%50");
      for (let n = 0; n < 5; n += 1) {
        await gate.append("acme", records(10 * n, 10).map(({ entry }) => entry));
        await sleep(200);
      }
      await gate.faults("");
      await checkpoint(gate, "acme", 50, isCosigned);
      await until(() => keeper.kept.some((kept) => sizeOf(kept) === 50), "the checkpoint elsewhere");
      const directory = await exported(gate, "acme", []);
      const kept = keeper.kept.flatMap((note, n) => {
        writeFileSync(join(directory, `kept-${n}`), note);
        return ["--checkpoint", join(directory, `kept-${n}`)];
      });
      const report = JSON.parse((await tool("verify", directory, "--key", key, "--tenant", "acme", ...kept, "--json")).stdout);
      // Without records every one of them is missing; besides, all is in order.
      assert.deepEqual([...new Set(report.findings.map(({ what }) => what))], ["record_removed"]);
      assert.equal(report.kept, keeper.kept.length);
      rmSync(directory, { recursive: true });
    }));

  test("the runtime is killed between the entries and the checkpoint: it follows, with the same places", () =>
    withLog(async ({ gate, again }) => {
      await gate.faults("ARCHIVE.put=hang");
      const all = records(0, 4).map(({ entry }) => entry);
      await gate.append("acme", all);
      await sleep(200);
      const next = await again();
      assert.deepEqual((await next.append("acme", all)).json, [0, 1, 2, 3]);
      await checkpoint(next, "acme", 4, isCosigned);
    }));

  test("the place elsewhere is away: the witness has signed all the same, and it gets the newest when it is back", () =>
    withLog(async ({ gate, keeper }) => {
      keeper.status = 500;
      await gate.append("acme", records(0, 2).map(({ entry }) => entry));
      await checkpoint(gate, "acme", 2, isCosigned);
      const { detail } = await gate.line({ event: "alarm", what: "log_failed" });
      assert.match(detail, /checkpoint_to: status 500/);
      keeper.status = 204;
      await until(() => keeper.kept.some((kept) => sizeOf(kept) === 2 && isCosigned(kept)), "the checkpoint elsewhere");
    }));

  test("without its key the log grows and says that it is not signed; with the key what is there is signed", () =>
    withLog(
      async ({ gate }) => {
        await gate.append("acme", records(0, 2).map(({ entry }) => entry));
        assert.equal((await gate.line({ event: "alarm", what: "log_unsigned" })).detail, "acme");
        await until(async () => (await file(gate, "acme", "tile/0/000.p/2")).status === 200, "its hashes");
        assert.equal((await file(gate, "acme", "checkpoint")).status, 404);
      },
      { without: ["AUDIT_LOG_KEY"] },
    ));

  test("a key whose id is not its own signs nothing", () =>
    withLog(
      async ({ gate }) => {
        await gate.append("acme", records(0, 2).map(({ entry }) => entry));
        assert.match((await gate.line({ event: "alarm", what: "log_failed" })).detail, /AUDIT_LOG_KEY is not a key/);
        assert.equal((await file(gate, "acme", "checkpoint")).status, 404);
      },
      { variables: { AUDIT_LOG_KEY: secrets.AUDIT_LOG_KEY.replace(/\+[0-9a-f]{8}\+/, "+00000000+") } },
    ));
});

describe("whoever has the account", () => {
  test("rewrites the history with the log's own key: the witness does not sign, an alarm says so, and its checkpoint exposes it", () =>
    withLog(async ({ gate, witness }) => {
      const all = records(0, 20);
      await gate.append("acme", all.map(({ entry }) => entry));
      await checkpoint(gate, "acme", 20, isCosigned);
      // The same key, on storage where record 7 says something else.
      const forged = [...all];
      forged[7] = recordOf(7);
      forged.push(recordOf(20));
      const other = await startGate({ secrets, backend, variables: { WITNESS_URL: witness.url, WITNESS_KEY: witness.key } });
      try {
        await other.append("acme", forged.map(({ entry }) => entry));
        const note = await checkpoint(other, "acme", 21);
        assert.ok(isSigned(note, await vkeyOf("acme")), "the forged history is signed");
        await other.line({ event: "alarm", what: "log_contradicted" });
        assert.ok(!isCosigned((await file(other, "acme", "checkpoint")).text));
        const directory = await exported(other, "acme", forged.map(({ line }) => line));
        const alone = await tool("verify", directory, "--key", key, "--tenant", "acme");
        assert.equal(alone.code, 0, "by itself it is in order");
        const kept = join(directory, "kept");
        writeFileSync(kept, (await witness.known())["gate.example/audit/acme"].note);
        const exposed = await tool("verify", directory, "--key", key, "--tenant", "acme", "--checkpoint", kept);
        assert.equal(exposed.code, 1);
        assert.match(exposed.stderr, /rewritten: among entries 0 to 19, since the checkpoint of size 20 left/);
        const unwitnessed = await tool("verify", directory, "--key", key, "--tenant", "acme", "--witness", witness.key);
        assert.equal(unwitnessed.code, 1);
        rmSync(directory, { recursive: true });
      } finally {
        await other.stop();
      }
    }));

  test("begins the log anew with less in it: the witness knows more than there is", () =>
    withLog(async ({ gate, witness }) => {
      await gate.append("acme", records(0, 20).map(({ entry }) => entry));
      await checkpoint(gate, "acme", 20, isCosigned);
      const other = await startGate({ secrets, backend, variables: { WITNESS_URL: witness.url, WITNESS_KEY: witness.key } });
      try {
        await other.append("acme", records(0, 5).map(({ entry }) => entry));
        assert.match((await other.line({ event: "alarm", what: "log_contradicted" })).detail, /knows 20 entries of 5/);
      } finally {
        await other.stop();
      }
    }));
});
