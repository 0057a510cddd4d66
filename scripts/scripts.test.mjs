// The scripts beside this file, tried from outside: started as programs, answered by stand-ins.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FORMS, LOG_KEY_FILE, TOKEN_FILE, auditPublicKey, complete, parseDevVars, secretNames } from "./dev-vars.mjs";
import { oneLine, safeJson } from "./terminal.mjs";

const SCRIPTS = import.meta.dirname;
const directory = mkdtempSync(join(tmpdir(), "hookgate-scripts-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Runs one script to its end. */
async function run(script, args, { input = "", env = {} } = {}) {
  const child = spawn(process.execPath, [join(SCRIPTS, script), ...args], { cwd: directory, env: { ...process.env, ...env } });
  const output = { stdout: [], stderr: [] };
  child.stdout.on("data", (chunk) => output.stdout.push(chunk));
  child.stderr.on("data", (chunk) => output.stderr.push(chunk));
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, bytes: Buffer.concat(output.stdout), stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString() };
}

/** A server that answers with `handle(request, body)` → [status, headers, text]; what it saw is in `seen`. */
async function standIn(t, handle) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    seen.push({ method: request.method, url: request.url, headers: request.headers, rawHeaders: request.rawHeaders, body });
    const [status, headers, text] = handle(request, body, seen.length);
    response.writeHead(status, headers).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { base: `http://127.0.0.1:${server.address().port}`, seen };
}

// -- dev-vars ---------------------------------------------------------------------------------------

const EXPECTED_FORMS = {
  GITHUB_SECRET: /^[0-9a-f]{40}$/,
  STRIPE_SECRET: /^whsec_[0-9A-Za-z]{32}$/,
  STANDARD_WEBHOOKS_SECRET: /^whsec_[0-9A-Za-z+/]{43}=$/,
  SVIX_SECRET: /^whsec_[0-9A-Za-z+/]{32}$/,
  SLACK_SECRET: /^[0-9a-f]{32}$/,
  SHOPIFY_SECRET: /^[0-9a-f]{64}$/,
  KOOGALLERY_SECRET: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  HEROKU_SECRET: /^[0-9a-f]{64}$/,
  VERCEL_SECRET: /^[0-9A-Za-z]{24}$/,
  CUSTOM_SECRET: /^[0-9a-f]{32}$/,
  DELIVERY_SECRET: /^whsec_[0-9A-Za-z+/]{43}=$/,
  AUDIT_LOG_KEY: /^PRIVATE\+KEY\+localhost\/audit\+[0-9a-f]{8}\+[0-9A-Za-z+/]{44}$/,
};

test("every secret has its provider's form and is fresh each time", () => {
  assert.deepEqual(Object.keys(FORMS).sort(), Object.keys(EXPECTED_FORMS).sort());
  for (const [name, form] of Object.entries(FORMS)) {
    assert.match(form(), EXPECTED_FORMS[name], name);
    assert.notEqual(form(), form(), name);
  }
});

test("secret names are found wherever the sources file has them", () => {
  const sources = '[[sources]]\nname = "a"\nsecrets = ["A_SECRET", "A_SECRET_OLD"]\n[b.inner]\nsecrets = ["B_SECRET", "A_SECRET"]\n';
  assert.deepEqual(secretNames(sources), ["A_SECRET", "A_SECRET_OLD", "B_SECRET"]);
  const kinds = `[sources.a]
secrets = ["A"]
retired_secrets = ["A_OLD"]
handshake_token = "A_TOKEN"
pins = { url = "https://gate.example/", account = "$A_ACCOUNT" }
[sources.b]
quarantine = true
`;
  assert.deepEqual(secretNames(kinds), ["A", "A_OLD", "A_TOKEN", "A_ACCOUNT", "QUARANTINE_KEY"]);
});

test("the public key of the logs belongs to the private one, and stands beside .dev.vars", async () => {
  const key = FORMS.AUDIT_LOG_KEY();
  const [name, id, base64] = auditPublicKey(key).split(/\+(.{8})\+/);
  assert.equal(name, "localhost/audit");
  const bytes = Buffer.from(base64, "base64");
  assert.deepEqual([bytes.length, bytes[0]], [33, 1]);
  // The id is made of name and public key (https://c2sp.org/signed-note): another key has another.
  assert.equal(createHash("sha256").update(`${name}\n`).update(bytes).digest("hex").slice(0, 8), id);
  for (const none of [undefined, "", "kept", auditPublicKey(key)]) assert.equal(auditPublicKey(none), undefined);
  writeFileSync(join(directory, "sources.toml"), "");
  writeFileSync(join(directory, "log.vars"), `AUDIT_LOG_KEY=${key}\n`);
  assert.equal((await run("dev-vars.mjs", ["sources.toml", "log.vars"])).code, 0);
  assert.equal(readFileSync(join(directory, LOG_KEY_FILE), "utf8"), `${auditPublicKey(key)}\n`);
  rmSync(join(directory, TOKEN_FILE));
});

test("a missing secret is added, a present one is never touched, an empty one is reported", () => {
  const sources = 'x = { secrets = ["GITHUB_SECRET", "MINE", "EMPTY"] }\n';
  const before = 'GITHUB_SECRET="kept"\nEMPTY=\nAUDIT_LOG_KEY=kept'; // no newline at the end
  const { append, added, empty } = complete(sources, before);
  assert.deepEqual([added, empty], [["MINE", "DELIVERY_SECRET"], ["EMPTY"]]);
  const values = parseDevVars(before + append);
  assert.equal(values.get("GITHUB_SECRET"), "kept");
  assert.equal(values.get("AUDIT_LOG_KEY"), "kept");
  assert.equal(values.get("EMPTY"), "");
  assert.match(values.get("MINE"), /^[0-9a-f]{64}$/);
  assert.equal(complete(sources, before + append).append, "");
  const signing = complete(`${sources}[destinations.second]\nsecret = "SECOND"\n[alerts]\nsecret = "TELL"\n`, before + append);
  assert.match(signing.append, /^SECOND=whsec_[0-9A-Za-z+/]{43}=\nTELL=whsec_[0-9A-Za-z+/]{43}=\n$/, "what signs deliveries and alerts is as Standard Webhooks has it");
});

test("a sender's public key is not made up, but asked for", async () => {
  const source = (name, scheme, keys) => `[sources.${name}]\nscheme = "${scheme}"\n${keys}\n`;
  const sources = `${source("interactions", "discord-interactions", 'secrets = ["DISCORD_KEY", "DISCORD_KEY_NEW"]\nretired_secrets = ["DISCORD_KEY_OLD"]')}
${source("partner", "my-ed25519", 'secrets = ["PARTNER_KEY"]\nhandshake_token = "PARTNER_TOKEN"\npins = { url = "$PARTNER_URL" }')}
${source("inline", "standard-webhooks-v1a", 'public_keys = ["whpk_AAAA"]')}
${source("git", "github", 'secrets = ["GITHUB_SECRET"]')}
${source("mistaken", "../schemes/plaid", 'secrets = ["MISTAKEN"]')}
[schemes.my-ed25519]
algorithm = "ed25519"
key = { encoding = "public-key" }
`;
  const vars = "DISCORD_KEY_NEW=kept\nDISCORD_KEY_OLD=\nAUDIT_LOG_KEY=kept\nDELIVERY_SECRET=kept\nADMINS=kept\n";
  const { added, empty, left } = complete(sources, vars);
  assert.deepEqual(added, ["GITHUB_SECRET", "MISTAKEN", "PARTNER_TOKEN", "PARTNER_URL"]);
  assert.deepEqual(empty, []);
  assert.deepEqual(left, [["DISCORD_KEY", "interactions"], ["DISCORD_KEY_OLD", "interactions"], ["PARTNER_KEY", "partner"]]);

  writeFileSync(join(directory, "public.toml"), sources);
  writeFileSync(join(directory, "public.vars"), vars);
  const { code, stdout, stderr } = await run("dev-vars.mjs", ["public.toml", "public.vars"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^==> not in public\.vars, and yours to put there: DISCORD_KEY, the public key of \[sources\.interactions\]'s sender: in PEM, as a JWK, in base64, or in hex\./m);
  const after = readFileSync(join(directory, "public.vars"), "utf8");
  assert.match(after, /^GITHUB_SECRET=[0-9a-f]{40}$/m);
  assert.doesNotMatch(after, /^(DISCORD_KEY|PARTNER_KEY)=/m);
});

test("a fresh operator: the token beside .dev.vars, its line inside, and neither touched again", async (t) => {
  writeFileSync(join(directory, "sources.toml"), "");
  const vars = join(directory, "operator.vars");
  writeFileSync(vars, "X=1"); // no newline at the end
  const first = await run("dev-vars.mjs", ["sources.toml", "operator.vars"]);
  assert.equal(first.code, 0, first.stderr);
  const token = readFileSync(join(directory, TOKEN_FILE), "utf8").trim();
  assert.match(token, /^hookgate_[\w-]{43}$/);
  const before = readFileSync(vars, "utf8");
  assert.equal(parseDevVars(before).get("ADMINS"), `dev operate * sha256:${createHash("sha256").update(token).digest("hex")}`);
  assert.equal(parseDevVars(before).get("X"), "1");
  assert.ok(!before.includes(token) && !first.stdout.includes(token));
  for (const file of [vars, join(directory, TOKEN_FILE)]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  await run("dev-vars.mjs", ["sources.toml", "operator.vars"]);
  assert.equal(readFileSync(vars, "utf8"), before);
  assert.equal(readFileSync(join(directory, TOKEN_FILE), "utf8").trim(), token);

  const { base, seen } = await standIn(t, () => answer(200, { dead_letters: [], cursor: null }));
  assert.equal((await run("dead.mjs", [base, "list"], { env: { HOOKGATE_ADMIN_TOKEN: "" } })).code, 0);
  assert.equal(seen[0].headers.authorization, `Bearer ${token}`, "the scripts find it");
  rmSync(join(directory, TOKEN_FILE));
  const none = await run("dead.mjs", [base, "list"], { env: { HOOKGATE_ADMIN_TOKEN: "" } });
  assert.match(none.stderr, /^No admin token: .*\.dev\.admin-token\.$/m);
});

// -- terminal ---------------------------------------------------------------------------------------

test("what strangers wrote cannot act on the terminal", () => {
  assert.equal(oneLine("a\u001b[31m\r\nb\u009b\u202ec"), "a?[31m??b??c");
  const json = JSON.stringify({ text: "\u001b\u007f\u009b\u202e" });
  assert.doesNotMatch(safeJson(json), /[\u001b\u007f\u009b\u202e]/);
  assert.deepEqual(JSON.parse(safeJson(json)), JSON.parse(json));
});

test("the scripts and the native tool take the same characters for harmful, and those are Unicode's", () => {
  const source = readFileSync(join(SCRIPTS, "../src/bin/hookgate/tool/terminal.rs"), "utf8");
  const ranges = [...source.matchAll(/\('\\u\{([0-9a-f]+)\}', '\\u\{([0-9a-f]+)\}'\)/g)].map(([, first, last]) => [parseInt(first, 16), parseInt(last, 16)]);
  assert.ok(ranges.length > 10);
  const isWithin = (point) => point < 0x20 || (point >= 0x7f && point <= 0x9f) || ranges.some(([first, last]) => first <= point && point <= last);
  const apart = [];
  for (let point = 0; point <= 0x10ffff; point += 1) {
    const isHarmful = oneLine(String.fromCodePoint(point)) === "?" && point !== 0x3f;
    if (isHarmful !== isWithin(point)) apart.push(point.toString(16));
  }
  assert.deepEqual(apart, []);
  const tags = JSON.stringify({ text: "a\u{e0041}\u200bb" });
  assert.match(safeJson(tags), /^[ -~]*$/);
  assert.deepEqual(JSON.parse(safeJson(tags)), JSON.parse(tags));
});

// -- check-wrangler ---------------------------------------------------------------------------------

const WRANGLER = readFileSync(join(SCRIPTS, "../wrangler.toml"), "utf8");
const MISTAKES = [
  ["an environment without its crons", '[env.staging.triggers]\ncrons = ["*/5 * * * *"]\n', "", /staging: triggers\.crons/],
  ["a queue shared by two environments", "hookgate-events-staging", "hookgate-events-production", /hookgate-events-production belongs to/],
  ["a consumer without dead letters", 'dead_letter_queue = "hookgate-dead-letters-test"\n', "", /test: the consumer of EVENTS/],
  ["a forgotten binding", '[[env.production.r2_buckets]]\nbinding = "ARCHIVE"\nbucket_name = "hookgate-archive-production"\n', "", /production: differs in its bindings/],
  ["a forgotten object", '[[env.test.durable_objects.bindings]]\nname = "LEDGER"\nclass_name = "Ledger"\n', "", /test: differs in its bindings/],
  ["invocation logs", "invocation_logs = false", "invocation_logs = true", /invocation_logs must be false/],
  ["private destinations in production", 'ENVIRONMENT = "production"', 'ENVIRONMENT = "production"\nALLOW_PRIVATE_DESTINATIONS = "true"', /production: vars\.ALLOW_PRIVATE_DESTINATIONS/],
  ["an environment's name", 'ENVIRONMENT = "staging"', 'ENVIRONMENT = "production"', /staging: vars\.ENVIRONMENT/],
];

test("a port is one that can be listened on", async () => {
  for (const port of ["", "0", "00", "65536", "99999", "123456", "80a", "-1"]) {
    const child = spawn("bash", ["-c", `. "${join(SCRIPTS, "lib.sh")}"; check_port PORT "${port}"`], { cwd: directory });
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    const [code] = await once(child, "close");
    assert.equal(code, 1, `PORT=${port}`);
    assert.match(said, /PORT must be a port number/, `PORT=${port}`);
  }
});

test("a lock has one holder, also when holders are killed", async () => {
  const hold = `. "${join(SCRIPTS, "lib.sh")}"; TOOLS="${directory}"; hold_lock work
    if [ -e "$TOOLS/inside" ]; then echo two >&2; exit 1; fi
    : >"$TOOLS/inside"; sleep 0.02; rm "$TOOLS/inside"; [ "$0" != killed ] || kill -9 $$`;
  const holders = Array.from({ length: 24 }, (_, index) => spawn("bash", ["-c", hold, index % 4 === 0 ? "killed" : "released"], { cwd: directory }));
  const ends = await Promise.all(holders.map(async (holder) => (await once(holder, "close")).join(" ")));
  assert.deepEqual(ends.toSorted(), [...Array(6).fill(" SIGKILL"), ...Array(18).fill("0 ")]);
});

test("wrangler.toml passes its check", async () => {
  const { code, stderr } = await run("check-wrangler.mjs", [join(SCRIPTS, "../wrangler.toml")]);
  assert.equal(code, 0, stderr);
});

for (const [name, right, wrong, expected] of MISTAKES) {
  test(`check-wrangler finds ${name}`, async () => {
    assert.ok(WRANGLER.includes(right), "this test's text is not in wrangler.toml any more");
    const file = join(directory, "wrangler.toml");
    writeFileSync(file, WRANGLER.replaceAll(right, wrong));
    const { code, stderr } = await run("check-wrangler.mjs", [file]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  });
}

// -- backend ----------------------------------------------------------------------------------------

async function startBackend(t) {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const key = Buffer.alloc(32, 7);
  writeFileSync(join(directory, ".dev.vars"), `DELIVERY_SECRET=whsec_${key.toString("base64")}\n`);
  const child = spawn(process.execPath, [join(SCRIPTS, "backend.mjs")], { cwd: directory, env: { ...process.env, BACKEND_PORT: String(port) } });
  t.after(() => child.kill());
  const lines = [];
  child.stdout.on("data", (chunk) => lines.push(...chunk.toString().trimEnd().split("\n")));
  const base = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const up = await fetch(`${base}/events`).then(() => true, () => false);
    if (up) return { base, key, lines };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the backend did not start");
}

test("the backend keeps events byte for byte, judges our signature and fails on demand", async (t) => {
  const { base, key, lines } = await startBackend(t);
  const body = Buffer.from([0, 255, 10, 13, 128]);
  const time = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", key).update(`id-1.${time}.`).update(body).digest("base64");
  const deliver = (headers) =>
    fetch(`${base}/in`, { method: "POST", body, headers: { "hookgate-event-id": "id-1", "hookgate-source": "github", "hookgate-event-type": "push", ...headers } });
  const signed = { "webhook-id": "id-1", "webhook-timestamp": time, "webhook-signature": `v1,AAAA v1,${signature}` };

  await fetch(`${base}/fail?status=429&count=1&retry_after=7`, { method: "POST" });
  const refused = await deliver(signed);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "7"]);
  assert.equal((await deliver(signed)).status, 200);
  await deliver({ ...signed, "webhook-id": "id-2" });
  await deliver({});

  const events = await (await fetch(`${base}/events`)).json();
  assert.equal(events.length, 3);
  const [{ id, source, type, headers, body_base64: base64 }] = events;
  assert.deepEqual([id, source, type, headers["webhook-id"]], ["id-1", "github", "push", "id-1"]);
  assert.deepEqual(Buffer.from(base64, "base64"), body);
  assert.deepEqual(
    lines.map((line) => /signature right|SIGNATURE [A-Z ]+[A-Z]|$/.exec(line)[0]),
    ["signature right", "signature right", "SIGNATURE WRONG", "SIGNATURE MISSING"],
  );
  await fetch(`${base}/events`, { method: "DELETE" });
  assert.deepEqual(await (await fetch(`${base}/events`)).json(), []);
});

// -- send -------------------------------------------------------------------------------------------

const signedLine = (more = {}) =>
  `${JSON.stringify({ method: "POST", target: "/hooks/github", headers: [["X-Twice", "a"], ["X-Twice", "b"]], body_base64: Buffer.from("{}").toString("base64"), ...more })}\n`;
const answer = (status, value, headers = {}) => [status, { "hookgate-request-id": "r-1", ...headers }, JSON.stringify(value)];

test("send posts the same bytes each time, with its headers as they are", async (t) => {
  const { base, seen } = await standIn(t, (_request, _body, count) => answer(200, { status: count === 1 ? "accepted" : "duplicate" }));
  const { code, stdout } = await run("send.mjs", [base, "3", "1", ""], { input: signedLine() });
  assert.equal(code, 0);
  assert.equal(stdout, "accepted  request r-1\nduplicate  request r-1\nduplicate  request r-1\n1 accepted, 2 duplicate\n");
  for (const { method, url, body, rawHeaders } of seen) {
    assert.deepEqual([method, url, body.toString()], ["POST", "/hooks/github", "{}"]);
    assert.deepEqual(rawHeaders.slice(0, 4), ["X-Twice", "a", "X-Twice", "b"]);
  }
});

const ANSWERS = [
  ["a refusal", answer(401, { title: "Not \u001bverified" }), 1, /^refused \(401: Not \?verified\) {2}request r-1\n {2}why: (PORT=\d+ )?\.\/scripts\/records show r-1 .*grep -a r-1 gate\.log\)\n$/],
  ["trouble of the gate", answer(503, {}, { "retry-after": "9" }), 1, /^not taken \(503, retry after 9 s\)/],
  ["KooGallery's yes", answer(200, { resultCode: "000000" }), 0, /^taken \(resultCode 000000\)/],
  ["KooGallery's no", answer(200, { resultCode: "000001" }), 1, /^refused \(resultCode 000001\)/],
  ["a handshake", answer(200, {}), 0, /^answered \(200\)/],
  ["a crash", answer(500, {}), 1, /^failed \(500\)/],
];
for (const [name, reply, expectedCode, expected] of ANSWERS) {
  test(`send understands ${name}`, async (t) => {
    const { base } = await standIn(t, () => reply);
    const { code, stdout } = await run("send.mjs", [base, "1", "1", "gate.log"], { input: signedLine({ method: "GET", body_base64: "" }) });
    assert.match(stdout, expected);
    assert.equal(code, expectedCode);
  });
}

test("send says when nobody answers, and refuses a bad number", async () => {
  const nobody = await run("send.mjs", ["http://127.0.0.1:9", "1", "1", ""], { input: signedLine() });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /^No answer from .*scripts\/dev/);
  const number = await run("send.mjs", ["http://127.0.0.1:9", "0", "1", ""], { input: signedLine() });
  assert.match(number.stderr, /^--repeat must be a whole number/);
});

// -- dead -------------------------------------------------------------------------------------------

const TOKEN = { HOOKGATE_ADMIN_TOKEN: "token-of-this-test" };
const letter = (id) => ({ id, source: "github", type: "push", event_id: "e\u001b[2J", reason: "status_500", attempts: 8, died_at: 0, body_bytes: 3, redriven_at: null });

test("dead list follows the cursor and shows no control characters", async (t) => {
  const { base, seen } = await standIn(t, ({ url }) =>
    answer(200, url.includes("cursor=a%2Fb") ? { dead_letters: [letter("two")], cursor: null } : { dead_letters: [letter("one")], cursor: "a/b" }),
  );
  const { code, stdout } = await run("dead.mjs", [base, "list"], { env: TOKEN });
  assert.equal(code, 0);
  assert.match(stdout, /^one\n.*e\?\[2J.*\n.*8 attempts: status_500\ntwo\n[^]*\n2 dead letters\n$/);
  assert.ok(seen.every(({ headers }) => headers.authorization === "Bearer token-of-this-test"));
});

test("records show says whether a refusal's request is kept, and what that is good for", async (t) => {
  const shown = { id: "r-1", at: "T", tenant: "a", source: "s", verdict: "refused", reason: "signature_mismatch", explanation: { title: "t", detail: "d", what_to_do: "w" }, diagnosis: null, log: { state: "logged" }, client_address: null, record: {} };
  const { base } = await standIn(t, (_request, _body, count) => answer(200, { ...shown, kept_body: count === 1 ? { bytes: 2, kept_until: "UNTIL" } : null }));
  const env = { HOOKGATE_ADMIN_TOKEN: "t" };
  const [kept, gone] = [await run("records.mjs", [base, "show", "r-1"], { env }), await run("records.mjs", [base, "show", "r-1"], { env })];
  assert.deepEqual([kept.code, gone.code], [0, 0], kept.stderr + gone.stderr);
  assert.match(kept.stdout, /^ {2}kept {5}its request, until UNTIL: \.\/scripts\/readmit r-1 judges it again$/m);
  assert.doesNotMatch(gone.stdout, /readmit/);
});

test("records show says why a refusal may not be there yet, and nothing of it where there is no record at all", async (t) => {
  const { base } = await standIn(t, ({ url }) => answer(404, { title: url.endsWith("/r-1") ? "No such record" : "Not found" }));
  const env = { HOOKGATE_ADMIN_TOKEN: "t" };
  const [missing, nothing] = [await run("records.mjs", [base, "show", "r-1"], { env }), await run("records.mjs", [base, "show", "r-2"], { env })];
  assert.deepEqual([missing.code, nothing.code], [1, 1]);
  assert.match(missing.stderr, /^404 No such record: .*some seconds after its answer.*docs\/record\.md\)$/m);
  assert.equal(nothing.stderr, "404 Not found\n");
});

test("dead show gives the record as it is, or the body's bytes", async (t) => {
  const bytes = Buffer.from([0, 255, 27]);
  const record = { id: "x/1", note: "\u009b", message: JSON.stringify({ data_base64: bytes.toString("base64") }) };
  const { base, seen } = await standIn(t, () => answer(200, record));
  assert.deepEqual(JSON.parse((await run("dead.mjs", [base, "show", "x/1"], { env: TOKEN })).stdout), record);
  assert.deepEqual((await run("dead.mjs", [base, "show", "x/1", "--body"], { env: TOKEN })).bytes, bytes);
  assert.equal(seen[0].url, "/admin/v1/dead-letters/x%2F1");
});

test("offer prints the secret alone, once asked, and nothing that a terminal would obey", async (t) => {
  const secrets = ["secret_abc", "a\u001b[2J"];
  const { base, seen } = await standIn(t, () => answer(200, { source: "notion", secret: secrets.shift() }));
  assert.equal((await run("offer.mjs", [base, "notion"], { env: TOKEN })).stdout, "secret_abc\n");
  const strange = await run("offer.mjs", [base, "notion"], { env: TOKEN });
  assert.deepEqual([strange.code, strange.stdout], [1, ""]);
  assert.deepEqual(seen.map(({ method, url }) => `${method} ${url}`), Array(2).fill("POST /admin/v1/offers/notion"));
  const { base: empty } = await standIn(t, () => answer(404, { title: "Nothing was handed over" }));
  const none = await run("offer.mjs", [empty, "notion"], { env: TOKEN });
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /Nothing was handed over/);
});

test("dead redrive asks once and prints what the gate refuses", async (t) => {
  const { base, seen } = await standIn(t, (_request, body) =>
    JSON.parse(body).again ? answer(202, { status: "redriven", run: 2 }) : answer(409, { title: "Already redriven", detail: "Use --again." }),
  );
  const refused = await run("dead.mjs", [base, "redrive", "one"], { env: TOKEN });
  assert.deepEqual([refused.code, refused.stderr], [1, "409 Already redriven: Use --again.\n"]);
  const taken = await run("dead.mjs", [base, "redrive", "one", "--again"], { env: TOKEN });
  assert.deepEqual([taken.code, taken.stdout], [0, "redriven (run 2): it is on the queue again.\n"]);
  assert.deepEqual(seen.map(({ method, url }) => `${method} ${url}`), Array(2).fill("POST /admin/v1/dead-letters/one/redrive"));
});
