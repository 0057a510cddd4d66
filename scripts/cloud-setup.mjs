// What one environment of wrangler.toml needs in the Cloudflare account: looked at, made, corrected.
// Started by scripts/cloud-setup, which has the usage text. All of it goes through wrangler's command
// line; the formats read here are those of wrangler 4.164.0, and scripts/cloud-setup.test.mjs holds
// the installed one to them.
import { spawnSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual, stripVTControlCharacters } from "node:util";
import { parse } from "smol-toml";
import { secretNames } from "./dev-vars.mjs";
import { oneLine } from "./terminal.mjs";

const ENVIRONMENTS = ["development", "test", "staging", "production"];
const FLAGS = ["--check", "--write", "--accept-24h", "--undo-help"];
/** src/delivery.rs knows a queue's role by its name; and whatever is named otherwise is not the gate's. */
const PREFIX = "hookgate-";
const OWN_SECRETS = ["ADMINS", "AUDIT_LOG_KEY"];
/** What a queue can be told to keep; and the most of the free plan. */
const RETENTION_SECONDS_MIN = 60;
const RETENTION_SECONDS_MAX = 1_209_600;
const RETENTION_SECONDS_FREE = 86_400;
/** Tables that need something in the account which this script does not make. */
const NOT_MADE = ["hyperdrive", "vectorize", "pipelines", "mtls_certificates", "dispatch_namespaces", "secrets_store_secrets"];
const KV_ID = /^[0-9a-f]{32}$/;
const D1_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/**
 * Contents that are too long for a message (src/event/claim_check.rs). Each is named by one message, which may be
 * held by the ledger, wait on the queue of events, and then on that of dead letters, whose consumer copies the
 * content out. What is sent again gets a fresh one.
 */
const CONTENT = { rule: "hookgate-claim", prefix: "claim/" };
/** For a message that neither queue takes, and for the retries of its provider: as long as dead letters are looked after. */
const HELD_DAYS = 30;
const contentDays = (retention) => Math.ceil((2 * retention) / 86_400) + HELD_DAYS;
/**
 * Refused requests that sources keep (src/quarantine.rs): the cron removes each after 72 hours. This is for what a crash
 * or somebody's hand in the database left behind; rules count whole days.
 */
const REFUSED = { rule: "hookgate-quarantine", prefix: "quarantine/", days: 5, words: "refused requests live for 5 days" };
/** What else is in the bucket is kept until it is delivered, or until an operator decides. */
const KEPT = ["dead/", "dead-content/", "spool/"];
const TIMEOUT_MS = 120_000;
const CONFIG_FILE = "wrangler.toml";
const SOURCES_FILE = "sources.toml";

const WRANGLER = process.env.HOOKGATE_WRANGLER || join(import.meta.dirname, "../node_modules/wrangler/bin/wrangler.js");

/** Ends the run: first a sentence, then lines that belong to it. */
class Stop extends Error {
  constructor(sentence, lines = []) {
    super(sentence);
    this.lines = lines;
  }
}

function wrongUsage(sentence) {
  console.error(`${sentence}: see ./scripts/cloud-setup --help`);
  process.exit(2);
}

// -- What the files ask for -------------------------------------------------------------------------

function readToml(file) {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Stop(`${file}: ${oneLine(error.message)}`);
  }
}

function readPlan(environment) {
  const config = readToml(CONFIG_FILE);
  const table = environment === "development" ? config : config.env?.[environment];
  if (table === undefined) throw new Stop(`${CONFIG_FILE} has no [env.${environment}].`);
  const sources = readToml(SOURCES_FILE);

  const retention = sources.queue_retention_seconds;
  if (!Number.isInteger(retention) || retention < RETENTION_SECONDS_MIN || retention > RETENTION_SECONDS_MAX) {
    throw new Stop(`${SOURCES_FILE}: queue_retention_seconds must be ${RETENTION_SECONDS_MIN} to ${RETENTION_SECONDS_MAX}.`);
  }
  const { producers = [], consumers = [] } = table.queues ?? {};
  const queues = new Set([...producers, ...consumers].flatMap(({ queue, dead_letter_queue: dead }) => (dead === undefined ? [queue] : [queue, dead])));
  const buckets = table.r2_buckets ?? [];
  const databases = table.d1_databases ?? [];
  for (const [kind, name] of [...[...queues].map((name) => ["queue", name]), ...buckets.map(({ bucket_name: name }) => ["bucket", name]), ...databases.map(({ database_name: name }) => ["database", name])]) {
    if (typeof name !== "string" || !name.startsWith(PREFIX)) {
      throw new Stop(`${CONFIG_FILE}: ${environment}: the ${kind} ${oneLine(name)} is refused: names that do not begin with ${PREFIX} may be someone else's.`);
    }
  }
  // `kv namespace create` takes --env for a part of the title, so it cannot be told the environment's account.
  if (config.account_id !== undefined && table.account_id !== undefined && config.account_id !== table.account_id) {
    throw new Stop(`${CONFIG_FILE}: account_id of ${environment} differs from that at the top: leave the top one out, so that nothing lands in the wrong account.`);
  }
  const destinations = Object.values(sources.destinations ?? {}).map(({ secret }) => secret);
  return {
    environment,
    retention,
    account: table.account_id ?? config.account_id,
    worker: table.name ?? (environment === "development" ? config.name : `${config.name}-${environment}`),
    queues: [...queues],
    consumed: consumers.map(({ queue }) => queue),
    namespaces: table.kv_namespaces ?? [],
    buckets,
    databases,
    notMade: NOT_MADE.filter((key) => table[key] !== undefined),
    secrets: [...new Set([...secretNames(readFileSync(SOURCES_FILE, "utf8")), ...destinations, sources.alerts?.secret, ...OWN_SECRETS])].filter((name) => typeof name === "string"),
    // The top level is chosen with an empty name.
    envFlag: environment === "development" ? '--env ""' : `--env ${environment}`,
    envArgs: ["--env", environment === "development" ? "" : environment],
  };
}

const kvTitle = (binding, environment) => `${PREFIX}${binding.toLowerCase().replaceAll("_", "-")}-${environment}`;

function duration(seconds) {
  if (seconds % 86_400 === 0 && seconds > 86_400) return `${seconds / 86_400} days`;
  if (seconds % 3600 === 0) return `${seconds / 3600} hours`;
  return `${seconds} seconds`;
}

// -- wrangler ---------------------------------------------------------------------------------------

/** Wrangler's own words, without colours, empty lines and its invitation to report bugs. */
function messageOf(stderr) {
  const lines = stripVTControlCharacters(stderr).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !/^If you think this is a bug|^🪵/u.test(line)).map((line) => oneLine(line, 500));
}

/** One command of wrangler, not interactive. A failure is for the caller to judge. */
function ask(plan, args, more = {}) {
  const environment = {
    ...process.env,
    ...(plan.account === undefined ? {} : { CLOUDFLARE_ACCOUNT_ID: plan.account }),
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
    // Some answers are asked for unsanitized below; they must not end up on the disk.
    WRANGLER_WRITE_LOGS: "false",
    WRANGLER_LOG: "log",
    WRANGLER_LOG_SANITIZE: "true",
    ...more,
  };
  // The environment is this script's argument and nothing else.
  delete environment.CLOUDFLARE_ENV;
  const words = [...args, "--config", CONFIG_FILE];
  const [program, first] = /\.[cm]?js$/.test(WRANGLER) ? [process.execPath, [WRANGLER]] : [WRANGLER, []];
  const { status, stdout, stderr, error } = spawnSync(program, [...first, ...words], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  let message = messageOf(stderr ?? "");
  if (error?.code === "ETIMEDOUT") message = [`no answer within ${TIMEOUT_MS / 1000} s; whether it took effect is unknown, --check tells`];
  else if (error !== undefined) message = [oneLine(error.message)];
  else if (message.length === 0) message = ["it gave no reason"];
  return { ok: status === 0 && error === undefined, stdout: stripVTControlCharacters(stdout ?? ""), message, command: `wrangler ${args.map((arg) => arg || '""').join(" ")}` };
}

function failed({ command, message }) {
  const login = message.some((line) => /CLOUDFLARE_API_TOKEN|log(ged)? ?in|authentication error/i.test(line)) ? ["Log in with: npx wrangler login"] : [];
  return new Stop(`${command} failed:`, [...message, ...login]);
}

/** A command that must work. */
function must(plan, args) {
  const answer = ask(plan, args);
  if (!answer.ok) throw failed(answer);
  return answer;
}

function jsonOf({ stdout, command }) {
  try {
    const value = JSON.parse(stdout);
    if (Array.isArray(value)) return value;
  } catch {
    // said below
  }
  throw new Stop(`${command} answered with something else than a JSON list; is this the pinned wrangler?`);
}

// -- Queues -----------------------------------------------------------------------------------------

/**
 * The retention in the API's answer. `queues info` fetches it and does not print it; its debug output
 * shows the whole answer (headers redacted): RESPONSE: {…} -- END CF API RESPONSE.
 */
function retentionIn(stdout, name) {
  for (const [, text] of stdout.matchAll(/^RESPONSE: ([^]*?)^-- END CF API RESPONSE$/gm)) {
    try {
      const { result } = JSON.parse(text);
      const queue = [result].flat().find((item) => item?.queue_name === name);
      if (Number.isInteger(queue?.settings?.message_retention_period)) return queue.settings.message_retention_period;
    } catch {
      // not JSON, as when sanitized: not told
    }
  }
  return undefined;
}

/** `undefined` when there is no such queue; `retention` is `undefined` when wrangler does not tell it. */
function readQueue(plan, name) {
  const answer = ask(plan, ["queues", "info", name], { WRANGLER_LOG: "debug", WRANGLER_LOG_SANITIZE: "false" });
  if (!answer.ok) {
    if (answer.message.join(" ").includes(`Queue "${name}" does not exist`)) return undefined;
    throw failed(answer);
  }
  // Wrangler takes the first queue that the API finds for a name, and `queues update` would rename it.
  const told = /^Queue Name: (.*)$/m.exec(answer.stdout)?.[1];
  if (told !== name) throw new Stop(`${answer.command} answered about ${oneLine(told ?? "no queue")}; nothing was changed.`);
  return { retention: retentionIn(answer.stdout, name) };
}

const tooShort = (plan, words) =>
  new Stop(`Cloudflare does not let it keep messages for ${duration(plan.retention)}, which queue_retention_seconds of ${SOURCES_FILE} asks for.`, [
    ...words,
    "The free Workers plan keeps them for 24 hours at most: take the paid plan, or accept that events which",
    "stay undelivered for 24 hours are lost: --accept-24h. (Set queue_retention_seconds = 86400 as well, and",
    "the build holds the retry schedule to it.)",
  ]);

/** Creates or updates a queue, with 24 hours if more is refused and that was accepted. Returns what it keeps. */
function setRetention(plan, verb, name, accept24h) {
  const say = (seconds) => ask(plan, ["queues", verb, name, "--message-retention-period-secs", String(seconds)]);
  let wanted = plan.retention;
  let answer = say(wanted);
  // Wrangler puts its own sentence in the place of the API's error 100128; others are shown as they are.
  if (!answer.ok && wanted > RETENTION_SECONDS_FREE && /queue settings are invalid|retention|free (plan|tier)/i.test(answer.message.join(" "))) {
    if (!accept24h) throw tooShort(plan, answer.message);
    wanted = RETENTION_SECONDS_FREE;
    answer = say(wanted);
  }
  if (!answer.ok) throw failed(answer);

  const after = readQueue(plan, name);
  if (after === undefined) throw new Stop(`${answer.command} said yes, but the queue is not there; run this again.`);
  if (after.retention === undefined) return `told to keep messages for ${duration(wanted)} (this wrangler cannot show whether it does)`;
  if (after.retention !== wanted) {
    if (after.retention !== RETENTION_SECONDS_FREE) throw new Stop(`${answer.command} said yes, but the queue keeps messages for ${after.retention} s; run this again.`);
    if (!accept24h) throw tooShort(plan, ["The queue was taken, but keeps messages for 24 hours."]);
  }
  return keeps(after.retention, plan);
}

const keeps = (seconds, plan) => `keeps messages for ${duration(seconds)}${seconds === plan.retention ? "" : " only, as accepted"}`;

function queueStep(plan, name, { check, accept24h }) {
  const queue = readQueue(plan, name);
  if (queue === undefined) {
    if (check) return ["missing", "not there"];
    return ["created", setRetention(plan, "create", name, accept24h)];
  }
  const { retention } = queue;
  if (retention === plan.retention || (accept24h && plan.retention > retention && retention === RETENTION_SECONDS_FREE)) return ["ok", keeps(retention, plan)];
  if (retention === undefined) {
    if (check) return ["unknown", `there, but this wrangler cannot show how long it keeps messages (${duration(plan.retention)} wanted)`];
    return ["set", setRetention(plan, "update", name, accept24h)];
  }
  if (check) return ["differs", `keeps messages for ${duration(retention)}, not ${duration(plan.retention)}`];
  return ["changed", `kept messages for ${duration(retention)}, now ${setRetention(plan, "update", name, accept24h)}`];
}

// -- KV ---------------------------------------------------------------------------------------------

const kvList = (plan) => jsonOf(must(plan, ["kv", "namespace", "list"]));

/** Replaces the one line with the useless id, and looks whether that and nothing else changed. */
function writeId(plan, tables, member, { binding, [member]: before }, id) {
  const text = readFileSync(CONFIG_FILE, "utf8");
  const lines = text.split("\n");
  const places = lines.flatMap((line, index) => (new RegExp(`^\\s*${member}\\s*=\\s*"([^"]*)"`).exec(line)?.[1] === before ? [index] : []));
  if (places.length !== 1) return false;
  lines[places[0]] = lines[places[0]].replace(`"${before}"`, `"${id}"`);
  const written = lines.join("\n");
  const expected = parse(text);
  const table = plan.environment === "development" ? expected : expected.env[plan.environment];
  table[tables].find((one) => one.binding === binding)[member] = id;
  if (!isDeepStrictEqual(parse(written), expected)) return false;
  const draft = `${CONFIG_FILE}.new`;
  writeFileSync(draft, written);
  renameSync(draft, CONFIG_FILE);
  return true;
}

function kvStep(plan, namespace, { check, write }) {
  const { binding, id } = namespace;
  // wrangler.toml leaves it out on purpose where a deploy may make the namespace.
  if (id === undefined) return ["ok", `no id in ${CONFIG_FILE}: the first deploy makes the namespace`];
  const list = kvList(plan);
  if (KV_ID.test(id)) {
    if (list.some((one) => one?.id === id)) return ["ok", `namespace ${id} is there`];
    return [check ? "missing" : "todo", `no namespace ${id} in this account: correct the id in ${CONFIG_FILE}, or choose the right account`];
  }
  const title = kvTitle(binding, plan.environment);
  let found = list.filter((one) => one?.title === title);
  const made = found.length === 0;
  if (made && check) return ["missing", `no namespace ${title}, and no id in ${CONFIG_FILE}`];
  if (made) {
    // Without --env, which would become a part of the title.
    must(plan, ["kv", "namespace", "create", title]);
    found = kvList(plan).filter((one) => one?.title === title);
  }
  if (found.length !== 1 || !KV_ID.test(found[0].id)) {
    throw new Stop(`wrangler kv namespace list shows ${found.length} namespaces ${title} after ${made ? "making one; run this again" : "looking for one"}.`);
  }
  const state = made ? `namespace ${title} made` : `namespace ${title} is there`;
  const section = plan.environment === "development" ? "kv_namespaces" : `env.${plan.environment}.kv_namespaces`;
  const line = `put into ${CONFIG_FILE}, under [[${section}]] with binding = "${binding}": id = "${found[0].id}"`;
  if (check) return ["missing", `${state}, but its id is not in ${CONFIG_FILE}; ${line}`];
  if (write) {
    if (writeId(plan, "kv_namespaces", "id", namespace, found[0].id)) return [made ? "created" : "changed", `${state}, its id ${found[0].id} written into ${CONFIG_FILE}`];
    return ["todo", `${state}; no single line to write into was found, so do it by hand: ${line}`, made];
  }
  return ["todo", `${state}; ${line}`, made];
}

// -- R2 ---------------------------------------------------------------------------------------------

function bucketStep(plan, { bucket_name: name, jurisdiction }, { check }) {
  const where = jurisdiction === undefined ? [] : ["--jurisdiction", jurisdiction];
  const listed = must(plan, ["r2", "bucket", "list", ...where]).stdout.matchAll(/^name: +(\S+)$/gm);
  if ([...listed].some(([, one]) => one === name)) return ["ok", "there"];
  // The list is the API's first page only. 10006: no such bucket, as wrangler's own deploy reads it.
  const info = ask(plan, ["r2", "bucket", "info", name, "--json", ...where]);
  if (info.ok) return ["ok", "there"];
  if (!info.message.join(" ").includes("[code: 10006]")) throw failed(info);
  if (check) return ["missing", "not there"];
  must(plan, ["r2", "bucket", "create", name, ...where]);
  return ["created", "made"];
}

/** Rules that end objects, as `lifecycle list` shows them. */
function expirations({ stdout }) {
  const blocks = stdout.split(/\n\s*\n|(?=^name:)/m);
  const value = (block, label) => new RegExp(`^${label}: +(.*)$`, "m").exec(block)?.[1].trim();
  return blocks.flatMap((block) => {
    const days = /Expire objects after ([\d.]+) days/.exec(value(block, "action") ?? "")?.[1];
    // One on a date ends whatever is there then.
    const onDate = /Expire objects on /.test(value(block, "action") ?? "");
    if (value(block, "enabled") !== "Yes" || (days === undefined && !onDate)) return [];
    const prefix = value(block, "prefix");
    return [{ name: value(block, "name"), prefix: prefix === "(all prefixes)" ? "" : prefix, days: onDate ? 0 : Number(days) }];
  });
}

/** What ends by itself, with the line of its step. */
function endings(plan) {
  const days = contentDays(plan.retention);
  const contents = { ...CONTENT, line: "lifecycle", days, words: `contents of messages live for ${days} days` };
  return plan.secrets.includes("QUARANTINE_KEY") ? [contents, { ...REFUSED, line: "lifecycle of quarantine" }] : [contents];
}

function lifecycleStep(plan, { bucket_name: name, jurisdiction }, { rule: ourName, prefix, days, words }, { check }) {
  const where = jurisdiction === undefined ? [] : ["--jurisdiction", jurisdiction];
  const listed = ask(plan, ["r2", "bucket", "lifecycle", "list", name, ...where]);
  if (!listed.ok && check && listed.message.join(" ").includes("[code: 10006]")) return ["missing", "no bucket"];
  if (!listed.ok) throw failed(listed);
  const rules = expirations(listed);
  const touches = (rule, prefix) => rule.prefix.startsWith(prefix) || prefix.startsWith(rule.prefix);
  const harmful = rules.find((rule) => KEPT.some((prefix) => touches(rule, prefix)) || (prefix === CONTENT.prefix && rule.name !== ourName && touches(rule, prefix) && rule.days < days));
  if (harmful !== undefined) return [check ? "differs" : "todo", `the rule ${oneLine(harmful.name)} ends what must be kept: npx wrangler r2 bucket lifecycle remove ${name} --name ${oneLine(harmful.name)}`];
  const ours = rules.find((rule) => rule.name === ourName);
  if (ours?.prefix === prefix && ours.days === days) return ["ok", words];
  if (check) return [ours === undefined ? "missing" : "differs", `${words}: ${ours === undefined ? "no rule says so" : `the rule ${ourName} says otherwise`}`];
  const known = new RegExp(`^name: +${ourName}$`, "m").test(listed.stdout);
  if (known) must(plan, ["r2", "bucket", "lifecycle", "remove", name, "--name", ourName, ...where]);
  must(plan, ["r2", "bucket", "lifecycle", "add", name, ourName, prefix, "--expire-days", String(days), ...where]);
  return [known ? "changed" : "created", words];
}

// -- D1 ---------------------------------------------------------------------------------------------

const d1List = (plan) => jsonOf(must(plan, ["d1", "list", "--json"]));

function databaseStep(plan, database, { check, write }) {
  const { binding, database_name: name, database_id: id } = database;
  if (id === undefined) return ["ok", `no id in ${CONFIG_FILE}: the first deploy makes the database`];
  let found = d1List(plan);
  if (D1_ID.test(id)) {
    if (found.some((one) => one?.uuid === id)) return ["ok", `database ${id} is there`];
    return [check ? "missing" : "todo", `no database ${id} in this account: correct the id in ${CONFIG_FILE}, or choose the right account`];
  }
  found = found.filter((one) => one?.name === name);
  const made = found.length === 0;
  if (made && check) return ["missing", `no database ${name}, and no id in ${CONFIG_FILE}`];
  if (made) {
    must(plan, ["d1", "create", name]);
    found = d1List(plan).filter((one) => one?.name === name);
  }
  if (found.length !== 1 || !D1_ID.test(found[0].uuid)) {
    throw new Stop(`wrangler d1 list shows ${found.length} databases ${name} after ${made ? "making one; run this again" : "looking for one"}.`);
  }
  const { uuid } = found[0];
  const state = made ? `database ${name} made` : `database ${name} is there`;
  const section = plan.environment === "development" ? "d1_databases" : `env.${plan.environment}.d1_databases`;
  const line = `put into ${CONFIG_FILE}, under [[${section}]] with binding = "${binding}": database_id = "${uuid}"`;
  if (check) return ["missing", `${state}, but its id is not in ${CONFIG_FILE}; ${line}`];
  if (!write) return ["todo", `${state}; ${line}`, made];
  if (!writeId(plan, "d1_databases", "database_id", database, uuid)) return ["todo", `${state}; no single line to write into was found, so do it by hand: ${line}`, made];
  database.database_id = uuid;
  return [made ? "created" : "changed", `${state}, its id ${uuid} written into ${CONFIG_FILE}`];
}

/** Its tables. Wrangler keeps a list of what was applied in the database itself, and applies what is not in it. */
function migrationsStep(plan, { binding, database_id: id }, { check }) {
  const apply = `npx wrangler d1 migrations apply ${binding} --remote ${plan.envFlag}`;
  if (!D1_ID.test(id ?? "")) return [check ? "missing" : "todo", `after ${id === undefined ? "the first deploy" : `its id is in ${CONFIG_FILE}`}: ${id === undefined ? apply : "run this again"}`];
  const where = [binding, "--remote", ...plan.envArgs];
  const listed = must(plan, ["d1", "migrations", "list", ...where]).stdout;
  if (listed.includes("No migrations to apply!")) return ["ok", "all applied"];
  const names = [...listed.matchAll(/\b\d+_\w+\.sql\b/g)].map(([name]) => name).join(", ");
  if (check) return ["missing", `not applied: ${names}`];
  must(plan, ["d1", "migrations", "apply", ...where]);
  return ["changed", `applied: ${names}`];
}

// -- Secrets: names only ----------------------------------------------------------------------------

function secretsStep(plan, { check }) {
  const state = check ? "missing" : "todo";
  const put = (name) => [state, `secret ${name}`, `npx wrangler secret put ${name} ${plan.envFlag}`];
  const answer = ask(plan, ["secret", "list", ...plan.envArgs]);
  if (!answer.ok) {
    if (!answer.message.some((line) => line.includes(`Worker "${plan.worker}"`) && line.includes("not found"))) throw failed(answer);
    return [[state, `Worker ${plan.worker}`, `not deployed yet, and secrets come after it: npx wrangler deploy ${plan.envFlag}`], ...plan.secrets.map(put)];
  }
  const present = new Set(jsonOf(answer).map((secret) => secret?.name));
  const missing = plan.secrets.filter((name) => !present.has(name));
  if (missing.length === 0) return [["ok", "secrets", `all ${plan.secrets.length} are there`]];
  return [...(missing.length < plan.secrets.length ? [["ok", "secrets", `${plan.secrets.length - missing.length} of ${plan.secrets.length} are there`]] : []), ...missing.map(put)];
}

// -- The run ----------------------------------------------------------------------------------------

/** [name, look-and-make → lines of [state, name, words, and whether something was made although work is left]] */
function stepsOf(plan, options) {
  const single = (name, step) => [name, () => {
    const [state, words, made] = step();
    return [[state, name, words, made]];
  }];
  return [
    ...plan.queues.map((queue) => single(`queue ${queue}`, () => queueStep(plan, queue, options))),
    ...plan.namespaces.map((namespace) => single(`KV ${namespace.binding}`, () => kvStep(plan, namespace, options))),
    ...plan.buckets.map((bucket) => single(`bucket ${bucket.bucket_name}`, () => bucketStep(plan, bucket, options))),
    ...plan.buckets.flatMap((bucket) => endings(plan).map((ending) => single(`${ending.line} ${bucket.bucket_name}`, () => lifecycleStep(plan, bucket, ending, options)))),
    ...plan.databases.map((database) => single(`D1 ${database.binding}`, () => databaseStep(plan, database, options))),
    ...plan.databases.map((database) => single(`tables of ${database.binding}`, () => migrationsStep(plan, database, options))),
    ...plan.notMade.map((key) => single(key, () => [options.check ? "unknown" : "todo", "this script does not look after these: make them by hand"])),
    ["secrets", () => secretsStep(plan, options)],
  ];
}

const CHANGES = new Set(["created", "changed", "set"]);

function run(plan, options) {
  const steps = stepsOf(plan, options);
  let changes = 0;
  let open = 0;
  for (const [index, [name, step]] of steps.entries()) {
    let lines;
    try {
      lines = step();
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      console.error(`${"failed".padEnd(8)} ${name}: ${error.message}`);
      for (const line of error.lines) console.error(`         ${line}`);
      const rest = steps.slice(index + 1).map(([later]) => later);
      console.error(`${plan.environment}: stopped there${rest.length === 0 ? "" : `; not looked at: ${rest.join(", ")}`}. Run it again when that is solved: what is done is recognized.`);
      return 1;
    }
    for (const [state, what, words, made] of lines) {
      console.log(`${state.padEnd(8)} ${what}: ${words}`);
      if (CHANGES.has(state) || made) changes += 1;
      else if (state !== "ok") open += 1;
      if (made) open += 1;
    }
  }
  if (options.check) {
    console.log(open === 0 ? `${plan.environment}: all in order` : `${plan.environment}: ${open} not in order`);
    return open === 0 ? 0 : 1;
  }
  const done = changes === 0 ? "nothing to change" : `${changes} made or changed`;
  console.log(`${plan.environment}: ${done}${open === 0 ? "" : `; ${open} left for you (todo)`}`);
  return 0;
}

function undoHelp(plan) {
  const { envFlag, worker } = plan;
  const lines = [
    `How to take ${plan.environment} back. Nothing here is run for you.`,
    "",
    "The last deploy only:",
    `  npx wrangler deployments list ${envFlag}`,
    `  npx wrangler rollback ${envFlag}                 # or: rollback VERSION-ID`,
    "    Brings back an earlier version's code, variables and bindings. Loses nothing that is stored, and",
    "    brings nothing stored back: queues, KV, R2 and Durable Objects stay as they are. Wrangler asks if",
    "    secrets changed since. Not possible across a Durable Object migration. wrangler.toml and",
    "    sources.toml stay too: the next deploy brings the undone version again.",
    "",
    "Everything, in this order; each step loses more:",
    ...plan.consumed.map((queue) => `  npx wrangler queues consumer worker remove ${queue} ${worker}`),
    "    Delivery stops. Messages wait, and are lost when the queue's retention ends.",
    `  npx wrangler delete ${envFlag}`,
    `    The gate ${worker} stops answering: events of providers that do not retry are lost. Its secrets are`,
    "    gone (nobody can read them back), and so is the ledger: what was delivered is forgotten, and events",
    "    that it holds and the queue has not taken yet are lost.",
    ...plan.queues.map((queue) => `  npx wrangler queues delete ${queue}`),
    "    Loses every event that was answered with 2xx and not delivered yet.",
    ...plan.namespaces.map(({ binding, id }) =>
      KV_ID.test(id ?? "") ? `  npx wrangler kv namespace delete --namespace-id ${id}` : `  npx wrangler kv namespace delete NAME          # of ${binding}: see npx wrangler kv namespace list`,
    ),
    "    Loses the memory of what was seen: old events, sent again, are accepted again.",
    ...plan.buckets.map(({ bucket_name: bucket }) => `  npx wrangler r2 bucket delete ${bucket}`),
    "    Loses the dead letters, and events in spool/ and contents in claim/ that are not delivered yet. Works on an empty bucket only: what is in it must be deleted first.",
    ...plan.databases.map(({ database_name: database }) => `  npx wrangler d1 delete ${database}`),
    "    Loses the record of refusals.",
  ];
  console.log(lines.join("\n"));
}

function main(args) {
  const words = args.filter((word) => !word.startsWith("--"));
  const flags = args.filter((word) => word.startsWith("--"));
  const unknown = flags.find((flag) => !FLAGS.includes(flag));
  if (unknown !== undefined) wrongUsage(`There is no option ${oneLine(unknown)}`);
  if (words.length !== 1) wrongUsage(words.length === 0 ? "An environment is needed" : "One environment at a time");
  const [environment] = words;
  if (!ENVIRONMENTS.includes(environment)) wrongUsage(`There is no environment ${oneLine(environment)}, only ${ENVIRONMENTS.join(", ")}`);
  const has = (flag) => flags.includes(flag);
  if (has("--check") && has("--write")) wrongUsage("--check changes nothing, so it does not go with --write");
  if (has("--undo-help") && flags.length > 1) wrongUsage("--undo-help goes with no other option");

  const plan = readPlan(environment);
  if (has("--undo-help")) return undoHelp(plan);
  process.exitCode = run(plan, { check: has("--check"), write: has("--write"), accept24h: has("--accept-24h") });
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error([error.message, ...error.lines].join("\n"));
  process.exitCode = 1;
}
