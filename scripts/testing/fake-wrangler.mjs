// A stand-in for wrangler's command line, as far as scripts/cloud-setup.mjs uses it. The account is a
// JSON file, FAKE_WRANGLER_STATE:
//
//   { queues: { NAME: SECONDS }, namespaces: { TITLE: ID }, buckets: [NAME], workers: { NAME: [SECRET] },
//     lifecycles: { BUCKET: [[NAME, PREFIX, DAYS]] }, databases: { NAME: [MIGRATION] },
//     plan: "paid" | "free" | "free-silent",   free: more than 24 h is refused; silent: taken, and cut to 24 h
//     failure: { command, text, notes },       that command fails so
//     sanitized: true,                         the debug output does not show the API's answers
//     otherQueue: NAME,                        `queues info` answers about this one
//     calls: [[ARGUMENT]],                     what was asked, in order
//     variables: { NAME: VALUE } }             those of the last call that wrangler would heed
//
// Formats were read in wrangler 4.164.0 (wrangler-dist/cli.js; the place is named at each), and seen in
// its output against a stand-in for the API. The last test of cloud-setup.test.mjs compares the two.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "smol-toml";

export const idOf = (name) => createHash("sha256").update(name).digest("hex").slice(0, 32);
/** A database's. */
export const uuidOf = (name) => idOf(name).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
export const CREATED = "2026-11-22T00:00:00Z";
export const FREE_SECONDS = 86_400;
/** The API gives so many when not asked for more. */
const PAGE_OF_BUCKETS = 20;

/** A queue as the API describes it. */
export const queueOf = (name, seconds) => ({
  queue_id: idOf(name),
  queue_name: name,
  created_on: CREATED,
  modified_on: CREATED,
  producers_total_count: 0,
  producers: [],
  consumers_total_count: 0,
  consumers: [],
  settings: { delivery_delay: 0, delivery_paused: false, message_retention_period: seconds },
});

class Failure extends Error {
  constructor(text, notes = []) {
    super(text);
    this.notes = notes;
  }
}

// src/cfetch, throwFetchError: an APIError, whose notes are the API's errors.
const apiError = (resource, message) =>
  new Failure(`A request to the Cloudflare API (/accounts/account/${resource}) failed.`, [
    message,
    "",
    "If you think this is a bug, please open an issue at: \u001b[4mhttps://github.com/cloudflare/workers-sdk/issues/new/choose\u001b[0m",
  ]);

/** What a queue keeps when told to keep `seconds`. 100128 is replaced by wrangler: src/queues/utils.ts, handleFetchError. */
function granted(state, seconds) {
  if (state.plan === "free" && seconds > FREE_SECONDS) throw new Failure("The specified queue settings are invalid.");
  return state.plan === "free-silent" ? Math.min(seconds, FREE_SECONDS) : seconds;
}

const COMMANDS = {
  // src/queues/cli/commands/info.ts; the missing queue: deploy-helpers, getQueue
  "queues info": (state, name) => {
    const queue = name in state.queues ? queueOf(name, state.queues[name]) : undefined;
    const lines = [];
    if (process.env.WRANGLER_LOG === "debug") {
      // src/cfetch, fetchInternalBase; the headers are left out here
      const text = JSON.stringify({ success: true, errors: [], messages: [], result: queue === undefined ? [] : [queue] });
      const shown = process.env.WRANGLER_LOG_SANITIZE === "false" && !state.sanitized ? text : "omitted; set WRANGLER_LOG_SANITIZE=false to include sanitized data";
      lines.push("-- START CF API RESPONSE: OK 200", `RESPONSE: ${shown}`, "-- END CF API RESPONSE");
    }
    if (queue === undefined) throw new Failure(`Queue "${name}" does not exist. To create it, run: wrangler queues create ${name}`);
    return [
      ...lines,
      `Queue Name: ${state.otherQueue ?? name}`,
      `Queue ID: ${queue.queue_id}`,
      `Created On: ${CREATED}`,
      `Last Modified: ${CREATED}`,
      "Number of Producers: 0",
      "Number of Consumers: 0",
    ];
  },
  // src/queues/cli/commands/create.ts
  "queues create": (state, name, { "message-retention-period-secs": seconds }) => {
    if (name in state.queues) throw apiError("queues", `Queue name '${name}' is already taken. Please use a different name and try again. [code: 11009]`);
    state.queues[name] = granted(state, Number(seconds));
    return [
      `🌀 Creating queue '${name}'`,
      `✅ Created queue '${name}'`,
      "",
      "Configure your Worker to send messages to this queue:",
      "",
      "[[queues.producers]]",
      `queue = "${name}"`,
      `binding = "${name.replaceAll("-", "_")}"`,
      "",
      "Configure your Worker to consume messages from this queue:",
      "",
      "[[queues.consumers]]",
      `queue = "${name}"`,
      "",
    ];
  },
  // src/queues/cli/commands/update.ts
  "queues update": (state, name, { "message-retention-period-secs": seconds }) => {
    if (!(name in state.queues)) throw new Failure(`Queue "${name}" does not exist. To create it, run: wrangler queues create ${name}`);
    state.queues[name] = granted(state, Number(seconds));
    return [`Updating queue ${name}.`, `Updated queue ${name}.`];
  },
  // src/kv/index.ts, kvNamespaceListCommand: JSON, sorted by title
  "kv namespace list": (state) => {
    const list = Object.entries(state.namespaces).sort().map(([title, id]) => ({ id, title, supports_url_encoding: true }));
    return [JSON.stringify(list, null, "  ")];
  },
  // src/kv/index.ts, kvNamespaceCreateCommand: --env becomes a part of the title
  "kv namespace create": (state, name, { env }) => {
    const title = env ? `${env}-${name}` : name;
    if (title in state.namespaces) throw new Failure(`A KV namespace with the title "${title}" already exists.`);
    state.namespaces[title] = idOf(title);
    return [
      "Resource location: remote ",
      "",
      `🌀 Creating namespace with title "${title}"`,
      "✨ Success!",
      "To access your new KV Namespace in your Worker, add the following snippet to your configuration file:",
      "[[kv_namespaces]]",
      `binding = "${name.replaceAll("-", "_")}"`,
      `id = "${idOf(title)}"`,
      "",
    ];
  },
  // src/r2/bucket.ts, r2BucketListCommand: one request, so one page; values aligned by formatLabelledValues
  "r2 bucket list": ({ buckets }) => [
    "Listing buckets...",
    [...buckets].sort().slice(0, PAGE_OF_BUCKETS).map((name) => `name:           ${name}\ncreation_date:  ${CREATED}`).join("\n\n"),
  ],
  // src/r2/bucket.ts, r2BucketInfoCommand
  "r2 bucket info": ({ buckets }, name) => {
    if (!buckets.includes(name)) throw apiError(`r2/buckets/${name}`, "The specified bucket does not exist. [code: 10006]");
    const info = { name, created: CREATED, location: "WEUR", default_storage_class: "(unknown)", object_count: "0", bucket_size: "0 B" };
    return [JSON.stringify(info, null, 4)];
  },
  // src/r2/bucket.ts, r2BucketCreateCommand
  "r2 bucket create": ({ buckets }, name) => {
    buckets.push(name);
    return [
      `Creating bucket '${name}'...`,
      `✅ Created bucket '${name}' with default storage class of Standard.`,
      "To access your new R2 Bucket in your Worker, add the following snippet to your configuration file:",
      "[[r2_buckets]]",
      `bucket_name = "${name}"`,
      `binding = "${name.replaceAll("-", "_")}"`,
      "",
    ];
  },
  // src/r2/lifecycle.ts; the table: src/r2/helpers/bucket.ts, tableFromLifecycleRulesResponse
  "r2 bucket lifecycle list": ({ buckets, lifecycles }, name) => {
    if (!buckets.includes(name)) throw apiError(`r2/buckets/${name}/lifecycle`, "The specified bucket does not exist. [code: 10006]");
    const rules = lifecycles[name] ?? [];
    const shown = rules.map(([rule, prefix, days]) => `name:     ${rule}\nenabled:  Yes\nprefix:   ${prefix || "(all prefixes)"}\naction:   Expire objects after ${days} days`);
    return [`Listing lifecycle rules for bucket '${name}'...`, rules.length === 0 ? `There are no lifecycle rules for bucket '${name}'.` : shown.join("\n\n")];
  },
  "r2 bucket lifecycle remove": ({ lifecycles }, name, { name: rule }) => {
    lifecycles[name] = lifecycles[name].filter(([known]) => known !== rule);
    return [`Removing lifecycle rule '${rule}' from bucket '${name}'...`, `Lifecycle rule '${rule}' removed from bucket '${name}'.`];
  },
  "r2 bucket lifecycle add": ({ lifecycles }, name, { "expire-days": days }, [, rule, prefix]) => {
    (lifecycles[name] ??= []).push([rule, prefix, Number(days)]);
    return [`Adding lifecycle rule '${rule}' to bucket '${name}'...`, `✨ Added lifecycle rule '${rule}' to bucket '${name}'.`];
  },
  // src/d1/list.ts
  "d1 list": ({ databases }) => [JSON.stringify(Object.keys(databases).map((name) => ({ uuid: uuidOf(name), name, version: "production" })), null, 2)],
  // src/d1/create.ts
  "d1 create": ({ databases }, name) => {
    databases[name] = [];
    return [`✅ Successfully created DB '${name}'`, "Created your new D1 database.", ""];
  },
  // src/d1/migrations/list.ts
  "d1 migrations list": (state, binding, values) => {
    const waiting = unapplied(state, binding, values).names;
    return waiting.length === 0 ? ["✅ No migrations to apply!"] : ["Migrations to be applied:", ...waiting.map((name) => `│ ${name} │`)];
  },
  // src/d1/migrations/apply.ts
  "d1 migrations apply": (state, binding, values) => {
    const { applied, names } = unapplied(state, binding, values);
    applied.push(...names);
    return names.map((name) => `│ ${name} │ ✅     │`);
  },
  // src/secret/index.ts, secretListCommand: JSON, names and types
  "secret list": ({ workers }, _name, { env, config }) => {
    const { name } = parse(readFileSync(config, "utf8"));
    const worker = env ? `${name}-${env}` : name;
    if (!(worker in workers)) {
      throw new Failure(`Worker "${worker}"${env ? ` (env: ${env})` : ""} not found.`, [
        "",
        "If this is a new Worker, run `wrangler deploy` first to create it.",
        "Otherwise, check that the Worker name is correct and you're logged into the right account.",
      ]);
    }
    return [JSON.stringify(workers[worker].map((secret) => ({ name: secret, type: "secret_text" })), null, "  ")];
  },
};

/** What a database has, and which files it does not. */
function unapplied({ databases }, binding, { env, config, remote }) {
  const file = parse(readFileSync(config, "utf8"));
  const { database_name: name, database_id: id } = (env ? file.env[env] : file).d1_databases.find((one) => one.binding === binding);
  if (!remote || uuidOf(name) !== id) throw new Failure(`Couldn't find a D1 DB with the name or binding '${binding}' in your wrangler.toml file.`);
  return { applied: databases[name], names: readdirSync("migrations").filter((file) => !databases[name].includes(file)).sort() };
}

function main(args) {
  const file = process.env.FAKE_WRANGLER_STATE;
  const state = JSON.parse(readFileSync(file, "utf8"));
  const command = Object.keys(COMMANDS).find((words) => args.join(" ").startsWith(`${words} `));
  (state.calls ??= []).push(args);
  state.variables = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(CLOUDFLARE|WRANGLER)_/.test(name)));
  try {
    if (command === undefined) throw new Failure(`Unknown arguments: ${args.join(", ")}`);
    const { values, positionals } = parseArgs({
      args: args.slice(command.split(" ").length),
      allowPositionals: true,
      options: { config: { type: "string" }, env: { type: "string" }, json: { type: "boolean" }, remote: { type: "boolean" }, jurisdiction: { type: "string" }, "message-retention-period-secs": { type: "string" }, "expire-days": { type: "string" }, name: { type: "string" } },
    });
    if (state.failure?.command === command) throw new Failure(state.failure.text, state.failure.notes);
    for (const line of COMMANDS[command](state, positionals[0], values, positionals)) console.log(line);
  } catch (error) {
    // esbuild's formatMessagesSync, always in colour: src/logger.ts, formatMessage
    const notes = (error.notes ?? []).map((note) => `  ${note}\n`).join("");
    console.log("");
    console.error(`\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1m${error.message}\u001b[0m\n\n${notes === "" ? "" : `${notes}\n`}`);
    process.exitCode = 1;
  }
  writeFileSync(file, JSON.stringify(state, null, 2));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
