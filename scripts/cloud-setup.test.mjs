// scripts/cloud-setup from outside, against a stand-in for wrangler; and the real wrangler against a
// stand-in for Cloudflare's API, so that the first stand-in says what the real one says.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "smol-toml";
import { CREATED, idOf, queueOf, uuidOf } from "./testing/fake-wrangler.mjs";

const SCRIPTS = import.meta.dirname;
const read = (file) => readFileSync(join(SCRIPTS, "..", file), "utf8");
const SOURCES = read("sources.toml");
const ID = idOf("hookgate-seen-staging");
const DATABASE = "hookgate-record-staging";
const MIGRATION = "0001_record.sql";

// The tests' own wrangler.toml has the project's shape, and neither its ids nor its numbers of anything.
const environment = (prefix, suffix, id, database) => `
[[${prefix}kv_namespaces]]
binding = "SEEN"
${id}
[[${prefix}queues.producers]]
binding = "EVENTS"
queue = "hookgate-events${suffix}"
[[${prefix}queues.producers]]
binding = "DEAD_LETTERS"
queue = "hookgate-dead-letters${suffix}"
[[${prefix}queues.consumers]]
queue = "hookgate-events${suffix}"
dead_letter_queue = "hookgate-dead-letters${suffix}"
[[${prefix}queues.consumers]]
queue = "hookgate-dead-letters${suffix}"
[[${prefix}r2_buckets]]
binding = "ARCHIVE"
bucket_name = "hookgate-archive${suffix}"
[[${prefix}d1_databases]]
binding = "RECORD"
database_name = "hookgate-record${suffix}"
${database}
`;
const WRANGLER = `name = "hookgate"\nmain = "entry.mjs"\ncompatibility_date = "2026-11-01"\n${environment("", "", "", "")}
${environment("env.staging.", "-staging", 'id = "PUT-THE-STAGING-NAMESPACE-ID-HERE" # as printed', 'database_id = "PUT-THE-STAGING-DATABASE-ID-HERE"')}
${environment("env.production.", "-production", 'id = "PUT-THE-PRODUCTION-NAMESPACE-ID-HERE"', 'database_id = "PUT-THE-PRODUCTION-DATABASE-ID-HERE"')}`;

const QUEUES = ["hookgate-events-staging", "hookgate-dead-letters-staging"];
const NEEDED = ["GITHUB_SECRET", "DELIVERY_SECRET", "ALERT_SECRET", "ADMINS", "AUDIT_LOG_KEY"];
const SMALL_SOURCES = `version = 1
queue_retention_seconds = 1209600
[destinations.backend]
url = "$BACKEND_URL"
secret = "DELIVERY_SECRET"
[alerts]
webhook = "$ALERT_URL"
secret = "ALERT_SECRET"
[sources.github]
tenant = "demo"
secrets = ["GITHUB_SECRET"]
destination = "backend"
shared_secret = "a-group-and-no-secret"
`;

/** The same, and what it refuses is kept. */
const KEEPING = `${SMALL_SOURCES}quarantine = true\n`;

/** A directory with the two files and an account, and what runs the script in it. */
function place(t, account = {}, { wrangler = WRANGLER, sources = SMALL_SOURCES } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "hookgate-cloud-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "wrangler.toml"), wrangler);
  writeFileSync(join(directory, "sources.toml"), sources);
  mkdirSync(join(directory, "migrations"));
  writeFileSync(join(directory, "migrations", MIGRATION), "CREATE TABLE records (id TEXT);");
  const file = join(directory, "account.json");
  const account_ = { queues: {}, namespaces: {}, buckets: [], lifecycles: {}, databases: {}, workers: {}, plan: "paid", calls: [], ...account };
  writeFileSync(file, JSON.stringify(account_));
  const setup = (...args) => setupWith({}, ...args);
  const setupWith = async (env, ...args) => {
    const child = spawn(process.execPath, [join(SCRIPTS, "cloud-setup.mjs"), ...args], {
      cwd: directory,
      env: { ...process.env, HOOKGATE_WRANGLER: join(SCRIPTS, "testing/fake-wrangler.mjs"), FAKE_WRANGLER_STATE: file, ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const [code] = await once(child, "close");
    return { code, stdout, stderr, lines: stdout.trimEnd().split("\n") };
  };
  return {
    directory,
    setup,
    setupWith,
    account: () => JSON.parse(readFileSync(file, "utf8")),
    change: (more) => writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...more })),
    toml: () => readFileSync(join(directory, "wrangler.toml"), "utf8"),
  };
}

/** The account without the record of what was asked. */
const things = ({ calls, variables, ...rest }) => rest;
const isChange = (args) => args.some((word) => ["create", "update", "delete", "put", "add", "remove"].includes(word));

const COMPLETE = {
  queues: Object.fromEntries(QUEUES.map((name) => [name, 1_209_600])),
  namespaces: { "hookgate-seen-staging": ID },
  buckets: ["hookgate-archive-staging"],
  lifecycles: { "hookgate-archive-staging": [["hookgate-claim", "claim/", 58]] },
  databases: { [DATABASE]: [MIGRATION] },
  workers: { "hookgate-staging": NEEDED },
};

test("a fresh account: all is made, the rest is listed with its command; a second run changes nothing", async (t) => {
  const { setup, account, toml } = place(t);
  const first = await setup("staging", "--write");
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(first.lines, [
    "created  queue hookgate-events-staging: keeps messages for 14 days",
    "created  queue hookgate-dead-letters-staging: keeps messages for 14 days",
    `created  KV SEEN: namespace hookgate-seen-staging made, its id ${ID} written into wrangler.toml`,
    "created  bucket hookgate-archive-staging: made",
    "created  lifecycle hookgate-archive-staging: contents of messages live for 58 days",
    `created  D1 RECORD: database ${DATABASE} made, its id ${uuidOf(DATABASE)} written into wrangler.toml`,
    `changed  tables of RECORD: applied: ${MIGRATION}`,
    "todo     Worker hookgate-staging: not deployed yet, and secrets come after it: npx wrangler deploy --env staging",
    ...NEEDED.map((name) => `todo     secret ${name}: npx wrangler secret put ${name} --env staging`),
    "staging: 7 made or changed; 6 left for you (todo)",
  ]);
  assert.deepEqual(things(account()), { ...COMPLETE, workers: {}, plan: "paid" });
  // Exactly that line, its comment and every other byte kept.
  assert.equal(toml(), WRANGLER.replace("PUT-THE-STAGING-NAMESPACE-ID-HERE", ID).replace("PUT-THE-STAGING-DATABASE-ID-HERE", uuidOf(DATABASE)));

  const asked = account().calls.length;
  const second = await setup("staging", "--write");
  assert.equal(second.code, 0);
  assert.match(second.stdout, /\nstaging: nothing to change; 6 left for you \(todo\)\n$/);
  assert.equal(second.lines.filter((line) => line.startsWith("ok ")).length, 7);
  assert.equal(account().calls.slice(asked).some(isChange), false);
});

test("--check says what is missing and changes nothing, and is content afterwards", async (t) => {
  const { setup, account, change, toml } = place(t);
  const before = await setup("staging", "--check");
  assert.equal(before.code, 1);
  assert.deepEqual(before.lines.slice(0, 8), [
    "missing  queue hookgate-events-staging: not there",
    "missing  queue hookgate-dead-letters-staging: not there",
    "missing  KV SEEN: no namespace hookgate-seen-staging, and no id in wrangler.toml",
    "missing  bucket hookgate-archive-staging: not there",
    "missing  lifecycle hookgate-archive-staging: no bucket",
    `missing  D1 RECORD: no database ${DATABASE}, and no id in wrangler.toml`,
    "missing  tables of RECORD: after its id is in wrangler.toml: run this again",
    "missing  Worker hookgate-staging: not deployed yet, and secrets come after it: npx wrangler deploy --env staging",
  ]);
  assert.equal(before.lines.at(-1), "staging: 13 not in order");
  assert.equal(account().calls.some(isChange), false);
  assert.equal(toml(), WRANGLER);

  await setup("staging", "--write");
  change({ workers: { "hookgate-staging": ["DELIVERY_SECRET", "ALERT_SECRET", "ADMINS", "AUDIT_LOG_KEY", "OTHER"] } });
  const almost = await setup("staging", "--check");
  assert.equal(almost.code, 1);
  assert.deepEqual(almost.lines.slice(-3), [
    "ok       secrets: 4 of 5 are there",
    "missing  secret GITHUB_SECRET: npx wrangler secret put GITHUB_SECRET --env staging",
    "staging: 1 not in order",
  ]);
  change({ workers: COMPLETE.workers });
  const after = await setup("staging", "--check");
  assert.deepEqual([after.code, after.lines.slice(-2)], [0, ["ok       secrets: all 5 are there", "staging: all in order"]]);
});

test("without --write the line for wrangler.toml is printed, and the file stays", async (t) => {
  const { setup, toml, account } = place(t);
  const expected = `put into wrangler.toml, under [[env.staging.kv_namespaces]] with binding = "SEEN": id = "${ID}"`;
  const first = await setup("staging");
  assert.ok(first.stdout.includes(`todo     KV SEEN: namespace hookgate-seen-staging made; ${expected}\n`), first.stdout);
  assert.match(first.stdout, /staging: 6 made or changed; 9 left for you/);
  const second = await setup("staging");
  assert.ok(second.stdout.includes(`todo     KV SEEN: namespace hookgate-seen-staging is there; ${expected}\n`), second.stdout);
  assert.equal(toml(), WRANGLER);
  assert.deepEqual(Object.keys(account().namespaces), ["hookgate-seen-staging"]);
  const check = await setup("staging", "--check");
  assert.equal(check.code, 1);
  assert.match(check.stdout, /missing {2}KV SEEN: namespace hookgate-seen-staging is there, but its id is not in wrangler\.toml/);
});

test("--write leaves the file alone when it cannot tell which line is meant", async (t) => {
  const wrangler = WRANGLER.replace("PUT-THE-STAGING-", "PUT-THE-PRODUCTION-");
  const { setup, toml } = place(t, {}, { wrangler });
  const { code, stdout } = await setup("staging", "--write");
  assert.equal(code, 0);
  assert.match(stdout, /^todo {5}KV SEEN: .*no single line to write into was found, so do it by hand: put into wrangler\.toml/m);
  assert.equal(toml(), wrangler.replace("PUT-THE-STAGING-DATABASE-ID-HERE", uuidOf(DATABASE)), "nothing but the id that it could place");
});

test("development: no id is no fault, and its commands name the top level", async (t) => {
  const { setup } = place(t);
  const { code, stdout } = await setup("development");
  assert.equal(code, 0);
  assert.match(stdout, /^ok {7}KV SEEN: no id in wrangler\.toml: the first deploy makes the namespace$/m);
  assert.match(stdout, /^todo {5}secret ADMINS: npx wrangler secret put ADMINS --env ""$/m);
});

test("a database whose tables are behind is found and brought up", async (t) => {
  const wrangler = WRANGLER.replace("PUT-THE-STAGING-NAMESPACE-ID-HERE", ID).replace("PUT-THE-STAGING-DATABASE-ID-HERE", uuidOf(DATABASE));
  const { setup, account } = place(t, { ...COMPLETE, databases: { [DATABASE]: [] } }, { wrangler });
  const check = await setup("staging", "--check");
  assert.equal(check.code, 1);
  assert.match(check.stdout, /^missing {2}tables of RECORD: not applied: 0001_record\.sql$/m);
  assert.deepEqual(account().databases, { [DATABASE]: [] });
  assert.match((await setup("staging")).stdout, /^changed {2}tables of RECORD: applied: 0001_record\.sql$/m);
  assert.match((await setup("staging", "--check")).stdout, /^ok {7}tables of RECORD: all applied$/m);
  const other = place(t, { ...COMPLETE, databases: {} }, { wrangler });
  assert.match((await other.setup("staging", "--check")).stdout, new RegExp(`^missing {2}D1 RECORD: no database ${uuidOf(DATABASE)} in this account`, "m"));
});

test("an id of another account is reported", async (t) => {
  const { setup } = place(t, { ...COMPLETE, namespaces: {} }, { wrangler: WRANGLER.replace("PUT-THE-STAGING-NAMESPACE-ID-HERE", ID) });
  const { code, stdout } = await setup("staging", "--check");
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`^missing  KV SEEN: no namespace ${ID} in this account`, "m"));
});

test("a wrong retention is found and corrected", async (t) => {
  const { setup, account } = place(t, { ...COMPLETE, queues: { [QUEUES[0]]: 345_600, [QUEUES[1]]: 1_209_600 } });
  const check = await setup("staging", "--check");
  assert.equal(check.lines[0], "differs  queue hookgate-events-staging: keeps messages for 4 days, not 14 days");
  assert.equal(account().queues[QUEUES[0]], 345_600);
  const { lines } = await setup("staging");
  assert.equal(lines[0], "changed  queue hookgate-events-staging: kept messages for 4 days, now keeps messages for 14 days");
  assert.equal(lines[1], "ok       queue hookgate-dead-letters-staging: keeps messages for 14 days");
  assert.equal(account().queues[QUEUES[0]], 1_209_600);
});

test("a retention that wrangler does not show is set again and called unknown", async (t) => {
  const { setup, account } = place(t, { ...COMPLETE, queues: { [QUEUES[0]]: 60, [QUEUES[1]]: 60 }, sanitized: true });
  const check = await setup("staging", "--check");
  assert.equal(check.code, 1);
  assert.match(check.lines[0], /^unknown {2}queue hookgate-events-staging: there, but this wrangler cannot show how long it keeps messages/);
  const { code, lines } = await setup("staging");
  assert.equal(code, 0);
  assert.match(lines[0], /^set {6}queue hookgate-events-staging: told to keep messages for 14 days \(this wrangler cannot show/);
  assert.deepEqual(Object.values(account().queues), [1_209_600, 1_209_600]);
});

for (const plan of ["free", "free-silent"]) {
  test(`the free plan (${plan}) is refused, unless 24 hours are accepted`, async (t) => {
    const { setup, account } = place(t, { plan });
    const refused = await setup("staging");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^failed {3}queue hookgate-events-staging: Cloudflare does not let it keep messages for 14 days/);
    assert.match(refused.stderr, plan === "free" ? /The specified queue settings are invalid\./ : /The queue was taken, but keeps messages for 24 hours\./);
    assert.match(refused.stderr, /--accept-24h/);
    assert.match(refused.stderr, /not looked at: queue hookgate-dead-letters-staging, KV SEEN, bucket hookgate-archive-staging, lifecycle hookgate-archive-staging, D1 RECORD, tables of RECORD, secrets\./);

    const accepted = await setup("staging", "--accept-24h", "--write");
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.match(accepted.stdout, /^created {2}queue hookgate-dead-letters-staging: keeps messages for 24 hours only, as accepted$/m);
    assert.deepEqual(Object.values(account().queues), [86_400, 86_400]);
    const again = await setup("staging", "--accept-24h");
    assert.match(again.stdout, /\nstaging: nothing to change/);
    const lenient = await setup("staging", "--check", "--accept-24h");
    assert.equal(lenient.lines[0], "ok       queue hookgate-events-staging: keeps messages for 24 hours only, as accepted");
    const strict = await setup("staging", "--check");
    assert.equal(strict.lines[0], "differs  queue hookgate-events-staging: keeps messages for 24 hours, not 14 days");
    assert.equal((await setup("staging")).code, 1);
  });
}

test("wrangler failing midway: its own words, the step, what was not reached; and the next run goes on", async (t) => {
  const failure = { command: "r2 bucket create", text: "A request to the Cloudflare API (/accounts/account/r2/buckets) failed.", notes: ["Please enable R2 through the Cloudflare Dashboard. \u001b[2J[code: 10042]"] };
  const { setup, change } = place(t, { failure });
  const { code, stderr, lines } = await setup("staging", "--write");
  assert.equal(code, 1);
  assert.equal(lines.length, 3);
  assert.equal(
    stderr,
    [
      "failed   bucket hookgate-archive-staging: wrangler r2 bucket create hookgate-archive-staging failed:",
      "         ✘ [ERROR] A request to the Cloudflare API (/accounts/account/r2/buckets) failed.",
      "         Please enable R2 through the Cloudflare Dashboard. [code: 10042]",
      "staging: stopped there; not looked at: lifecycle hookgate-archive-staging, D1 RECORD, tables of RECORD, secrets. Run it again when that is solved: what is done is recognized.",
      "",
    ].join("\n"),
  );
  change({ failure: undefined });
  const next = await setup("staging");
  assert.equal(next.code, 0);
  assert.match(next.stdout, /staging: 3 made or changed; 8 left/);
});

test("not logged in, and no wrangler at all", async (t) => {
  const text = "In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.";
  const { setup, setupWith } = place(t, { failure: { command: "queues info", text, notes: [] } });
  for (const flags of [[], ["--check"]]) {
    const { code, stdout, stderr } = await setup("staging", ...flags);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /In a non-interactive environment[^]*Log in with: npx wrangler login\n/);
  }
  const none = await setupWith({ HOOKGATE_WRANGLER: "/nowhere/wrangler" }, "staging");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /wrangler queues info hookgate-events-staging failed:\n.*ENOENT/);
});

test("an answer about another queue changes nothing", async (t) => {
  const { setup, account } = place(t, { ...COMPLETE, queues: { [QUEUES[0]]: 60 }, otherQueue: "hookgate-events-staging-old" });
  const { code, stderr } = await setup("staging");
  assert.equal(code, 1);
  assert.match(stderr, /answered about hookgate-events-staging-old; nothing was changed\./);
  assert.equal(account().calls.some(isChange), false);
});

test("a bucket beyond the list's first page is found", async (t) => {
  const many = Array.from({ length: 30 }, (_, index) => `a-${index}`);
  const { setup, account } = place(t, { ...COMPLETE, buckets: [...many, "hookgate-archive-staging"] });
  const { stdout } = await setup("staging");
  assert.match(stdout, /^ok {7}bucket hookgate-archive-staging: there$/m);
  assert.equal(account().buckets.length, 31);
});

test("contents live for as long as a message may name them: a wrong rule is found and corrected", async (t) => {
  const bucket = "hookgate-archive-staging";
  for (const [rule, words] of [
    [["hookgate-claim", "claim/", 7], "differs"],
    [["hookgate-claim", "claim/demo/", 58], "differs"],
  ]) {
    const { setup, account } = place(t, { ...COMPLETE, lifecycles: { [bucket]: [["other", "other/", 1], rule] } });
    const check = await setup("staging", "--check");
    assert.match(check.stdout, new RegExp(`^${words} {2}lifecycle ${bucket}: `, "m"));
    assert.deepEqual(account().lifecycles[bucket][1], rule);
    assert.match((await setup("staging")).stdout, new RegExp(`^changed  lifecycle ${bucket}: contents of messages live for 58 days$`, "m"));
    assert.deepEqual(account().lifecycles[bucket], [["other", "other/", 1], ["hookgate-claim", "claim/", 58]]);
  }
});

test("a source that keeps refused requests needs a secret, and a rule that ends them", async (t) => {
  const bucket = "hookgate-archive-staging";
  const place_ = (account) => place(t, { ...COMPLETE, ...account }, { sources: KEEPING });
  const { setup, account } = place_({});
  const check = await setup("staging", "--check");
  assert.match(check.stdout, /^missing {2}secret QUARANTINE_KEY:/m);
  assert.match(check.stdout, new RegExp(`^missing {2}lifecycle of quarantine ${bucket}: refused requests live for 5 days`, "m"));
  assert.match((await setup("staging")).stdout, new RegExp(`^created  lifecycle of quarantine ${bucket}: `, "m"));
  assert.deepEqual(account().lifecycles[bucket], [["hookgate-claim", "claim/", 58], ["hookgate-quarantine", "quarantine/", 5]]);
  assert.match((await setup("staging", "--check")).stdout, new RegExp(`^ok {7}lifecycle of quarantine ${bucket}: `, "m"));
});

test("a rule that ends what must be kept is named, and left to the operator", async (t) => {
  const bucket = "hookgate-archive-staging";
  for (const rule of [["all", "", 90], ["old", "dead/", 90], ["short", "claim/demo", 7], ["d", "d", 1_000]]) {
    const { setup, account } = place(t, { ...COMPLETE, lifecycles: { [bucket]: [rule, ["hookgate-claim", "claim/", 58]] } });
    assert.match((await setup("staging", "--check")).stdout, new RegExp(`^differs {2}lifecycle ${bucket}: the rule ${rule[0]} ends what must be kept`, "m"));
    assert.match((await setup("staging")).stdout, new RegExp(`^todo {5}lifecycle ${bucket}: the rule ${rule[0]} ends`, "m"));
    assert.equal(account().lifecycles[bucket].length, 2);
  }
});

test("names that may be someone else's are refused before anything is asked", async (t) => {
  for (const name of ["hookgate-events-staging", "hookgate-dead-letters-staging", "hookgate-archive-staging", DATABASE]) {
    const { setup, account } = place(t, {}, { wrangler: WRANGLER.replaceAll(`"${name}"`, `"shop-${name}"`) });
    const { code, stderr } = await setup("staging");
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^wrangler\\.toml: staging: the (queue|bucket|database) shop-${name} is refused`));
    assert.deepEqual(account().calls, []);
  }
});

test("the environment is the argument, and the account is that of wrangler.toml", async (t) => {
  const { setupWith, account } = place(t, {}, { wrangler: WRANGLER.replace('name = "hookgate"', 'name = "hookgate"\naccount_id = "aaa"') });
  await setupWith({ CLOUDFLARE_ENV: "production", CLOUDFLARE_ACCOUNT_ID: "of-the-shell" }, "staging");
  const { CLOUDFLARE_ENV, CLOUDFLARE_ACCOUNT_ID, WRANGLER_WRITE_LOGS } = account().variables;
  assert.deepEqual([CLOUDFLARE_ENV, CLOUDFLARE_ACCOUNT_ID, WRANGLER_WRITE_LOGS], [undefined, "aaa", "false"]);
  const two = WRANGLER.replace('name = "hookgate"', 'name = "hookgate"\naccount_id = "aaa"').replace("[[env.staging.kv_namespaces]]", '[env.staging]\naccount_id = "bbb"\n[[env.staging.kv_namespaces]]');
  const other = place(t, {}, { wrangler: two });
  const refused = await other.setup("staging");
  assert.deepEqual([refused.code, other.account().calls], [1, []]);
  assert.match(refused.stderr, /account_id of staging differs/);
});

test("wrong usage ends with 2, a broken file with 1", async (t) => {
  const { setup, account, directory } = place(t);
  const wrong = [[], ["prod"], ["constructor"], ["staging", "test"], ["staging", "--force"], ["staging", "--check", "--write"], ["staging", "--check", "--undo-help"]];
  for (const args of wrong) {
    const { code, stdout, stderr } = await setup(...args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, /^[^\n]+: see \.\/scripts\/cloud-setup --help\n$/);
  }
  assert.match((await setup("test")).stderr, /^wrangler\.toml has no \[env\.test\]\.\n$/);
  writeFileSync(join(directory, "sources.toml"), SMALL_SOURCES.replace("1209600", "1209601"));
  const { code, stderr } = await setup("staging");
  assert.equal(code, 1);
  assert.match(stderr, /queue_retention_seconds must be 60 to 1209600/);
  assert.deepEqual(account().calls, []);
});

test("--undo-help asks wrangler nothing and names every resource", async (t) => {
  const { setup, account } = place(t);
  const { code, stdout } = await setup("production", "--undo-help");
  assert.equal(code, 0);
  for (const command of [
    "deployments list --env production",
    "rollback --env production",
    "delete --env production",
    "queues consumer worker remove hookgate-events-production hookgate-production",
    "queues delete hookgate-events-production",
    "queues delete hookgate-dead-letters-production",
    "kv namespace delete ",
    "r2 bucket delete hookgate-archive-production",
    "d1 delete hookgate-record-production",
  ]) assert.ok(stdout.includes(`  npx wrangler ${command}`), command);
  assert.deepEqual(account().calls, []);
});

test("the project's own files: every environment can be looked at, and every secret is known", async (t) => {
  const wrangler = read("wrangler.toml");
  const sources = parse(SOURCES);
  const names = new Set([...Object.values(sources.sources).flatMap(({ secrets }) => secrets), ...Object.values(sources.destinations).map(({ secret }) => secret), "ADMINS", "AUDIT_LOG_KEY"]);
  for (const environment of ["development", "test", "staging", "production"]) {
    const { setup } = place(t, {}, { wrangler, sources: SOURCES });
    const { code, stdout, stderr } = await setup(environment, "--check");
    assert.equal(code, 1);
    assert.equal(stderr, "");
    assert.deepEqual([...stdout.matchAll(/^missing {2}secret (\S+):/gm)].map(([, name]) => name).sort(), [...names].sort());
  }
});

// -- The real wrangler ------------------------------------------------------------------------------

/** A lifecycle rule as the API describes it. */
const ruleOf = ([id, prefix, days]) => ({ id, enabled: true, conditions: { prefix }, deleteObjectsTransition: { condition: { type: "Age", maxAge: days * 86_400 } } });

/** Cloudflare's API, as far as needed, over an account in the form of the fake's. */
async function startApi(t, account) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text.startsWith("{") ? JSON.parse(text) : {};
    const { pathname, searchParams } = new URL(request.url, "http://api");
    const path = pathname.replace("/client/v4/accounts/account/", "");
    const answer = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value, null, 2));
    const ok = (result) => answer(200, { success: true, errors: [], messages: [], result });
    const no = (status, code, message) => answer(status, { success: false, errors: [{ code, message }], messages: [], result: null });
    const queue = ([name, seconds]) => queueOf(name, seconds);
    const what = `${request.method} ${path.split("/")[0]}`;
    if (what === "GET queues") return ok(Object.entries(account.queues).map(queue).filter(({ queue_name: name }) => name === searchParams.get("name")));
    if (what === "POST queues") return ok(queueOf(body.queue_name, (account.queues[body.queue_name] = body.settings.message_retention_period)));
    if (what === "PATCH queues") {
      const name = Object.keys(account.queues).find((one) => `queues/${idOf(one)}` === path);
      return ok(queueOf(name, (account.queues[name] = body.settings.message_retention_period)));
    }
    if (what === "GET storage") return ok(searchParams.get("page") === "2" ? [] : Object.entries(account.namespaces).map(([title, id]) => ({ id, title, supports_url_encoding: true })));
    if (what === "POST storage") return ok({ id: (account.namespaces[body.title] = idOf(body.title)), title: body.title });
    const lifecycle = /^r2\/buckets\/(.*)\/lifecycle$/.exec(path)?.[1];
    if (lifecycle !== undefined && request.method === "GET") return ok({ rules: (account.lifecycles[lifecycle] ?? []).map(ruleOf) });
    if (lifecycle !== undefined && request.method === "PUT") {
      account.lifecycles[lifecycle] = body.rules.map(({ id, conditions, deleteObjectsTransition: { condition } }) => [id, conditions.prefix, condition.maxAge / 86_400]);
      return ok(null);
    }
    if (path === "r2/buckets" && request.method === "GET") return ok({ buckets: account.buckets.map((name) => ({ name, creation_date: CREATED })) });
    if (what === "GET r2") return no(404, 10006, "The specified bucket does not exist.");
    if (what === "POST r2") return ok({ name: account.buckets[account.buckets.push(body.name) - 1], creation_date: CREATED });
    if (path === "d1/database" && request.method === "GET") return ok(Object.keys(account.databases).map((name) => ({ uuid: uuidOf(name), name })));
    if (path === "d1/database") return ok({ uuid: uuidOf(body.name), name: ((account.databases[body.name] = []), body.name) });
    if (what === "POST d1" && path.endsWith("/query")) {
      const applied = account.databases[Object.keys(account.databases).find((name) => path.includes(uuidOf(name)))];
      const inserted = /INSERT INTO .*d1_migrations.*\s*values \('([^']*)'\)/i.exec(body.sql)?.[1];
      if (inserted !== undefined) applied.push(inserted);
      const results = /^\s*SELECT/i.test(body.sql) ? applied.map((name, id) => ({ id, name, applied_at: CREATED })) : [];
      return ok([{ results, success: true, meta: { duration: 1 } }]);
    }
    if (what === "GET workers") return no(404, 10007, "This Worker does not exist on your account.");
    return no(500, 1, `not expected: ${request.method} ${request.url}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/client/v4`;
}

// About fifteen starts of wrangler, at a second each. When wrangler changes what it prints, this fails first.
test("the installed wrangler leads to the same lines and the same account", async (t) => {
  const start = () => ({ queues: { [QUEUES[0]]: 345_600 }, namespaces: {}, buckets: [], lifecycles: {}, databases: {}, workers: {}, plan: "paid" });
  const account = start();
  const api = await startApi(t, account);
  const real = place(t);
  const home = join(real.directory, "home");
  mkdirSync(home);
  const env = { HOOKGATE_WRANGLER: "", CLOUDFLARE_API_BASE_URL: api, CLOUDFLARE_API_TOKEN: "token-of-this-test", CLOUDFLARE_ACCOUNT_ID: "account", HOME: home, XDG_CONFIG_HOME: home, NO_PROXY: "127.0.0.1" };
  const { code, stdout, stderr } = await real.setupWith(env, "staging", "--write");
  assert.deepEqual([code, stderr], [0, ""]);
  const fake = place(t, start());
  assert.equal(stdout, (await fake.setup("staging", "--write")).stdout);
  assert.deepEqual(account, things(fake.account()));
  assert.equal(real.toml(), fake.toml());
});
