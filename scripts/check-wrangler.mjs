// wrangler.toml against itself: the environments have the same shape, and share nothing by accident.
// Bindings, vars and queues are not inherited in wrangler, so a forgotten one fails only when used.
import { readFileSync } from "node:fs";
import { parse } from "smol-toml";

const ENVIRONMENTS = ["development", "test", "staging", "production"];
const CRONS_EXPECTED = ["*/5 * * * *"];
/** Not inherited either, and without a rule of their own here. */
const NOT_INHERITED_UNCHECKED = [
  "define", "secrets", "services", "analytics_engine_datasets", "version_metadata", "ratelimits", 
  "tail_consumers", "secrets_store_secrets", "workflows", "hyperdrive", "unsafe",
];
/** The platform's highest: our own schedule must end first. */
const MAX_RETRIES = 100;

const EVENTS = "hookgate-events";
const SLOW = "hookgate-slow";
const DEAD_LETTERS = "hookgate-dead-letters";
const AUDIT = "hookgate-audit";

const problems = [];
const problem = (place, sentence) => problems.push(`${place}: ${sentence}`);

const file = process.argv[2] ?? "wrangler.toml";
const config = parse(readFileSync(file, "utf8"));
const environments = new Map([["development", config], ...Object.entries(config.env ?? {})]);

for (const name of ENVIRONMENTS) if (!environments.has(name)) problem(`env.${name}`, "missing; write it out in full");
for (const name of environments.keys()) if (!ENVIRONMENTS.includes(name)) problem(`env.${name}`, "not an environment that scripts/check-wrangler.mjs knows; add it there");

/** Everything not inherited, as far as code can see it: binding names and var names. */
function shape(environment) {
  const bindings = (list) => (list ?? []).map(({ binding }) => binding).sort();
  return {
    // The one that only development and test may have is looked at below.
    vars: Object.keys(environment.vars ?? {}).filter((name) => name !== "ALLOW_PRIVATE_DESTINATIONS").sort(),
    kv: bindings(environment.kv_namespaces),
    queues: bindings(environment.queues?.producers),
    r2: bindings(environment.r2_buckets),
    d1: bindings(environment.d1_databases),
    objects: (environment.durable_objects?.bindings ?? []).map(({ name, class_name: type }) => `${name} ${type}`).sort(),
    // An environment whose backend pulls its events itself has no consumer for them here.
    consumers: (environment.queues?.consumers ?? [])
      .filter(({ queue }) => !queue.startsWith(EVENTS))
      .map(({ queue, dead_letter_queue: dead, ...limits }) => ({ ...limits, has_dead_letter_queue: dead !== undefined })),
    // Tables that this check has no rule for must at least be the same everywhere.
    others: Object.keys(environment).filter((key) => NOT_INHERITED_UNCHECKED.includes(key)).sort(),
  };
}

const expectedShape = JSON.stringify(shape(config));
const owners = new Map();
function ownedBy(environment, kind, resource) {
  const key = `${kind} ${resource}`;
  const owner = owners.get(key);
  if (owner !== undefined && owner !== environment) problem(environment, `${key} belongs to ${owner} too; every environment has its own`);
  owners.set(key, environment);
}

for (const [name, environment] of environments) {
  if (JSON.stringify(shape(environment)) !== expectedShape) {
    problem(name, `differs in its bindings from development:\n    ${JSON.stringify(shape(environment))}\n    ${expectedShape}`);
  }
  const allowed = environment.vars?.ALLOW_PRIVATE_DESTINATIONS;
  if (allowed !== undefined && !["development", "test"].includes(name))
    problem(name, "vars.ALLOW_PRIVATE_DESTINATIONS is for development and test: elsewhere a destination must be a public address");
  if (environment.vars?.ENVIRONMENT !== name) problem(name, `vars.ENVIRONMENT must be "${name}"`);

  const { producers = [], consumers = [] } = environment.queues ?? {};
  const queueOf = Object.fromEntries(producers.map(({ binding, queue }) => [binding, queue]));
  const consumerOf = new Map(consumers.map((consumer) => [consumer.queue, consumer]));
  if (consumerOf.size !== consumers.length) problem(name, "a queue has two consumers");
  for (const { queue } of producers) {
    ownedBy(name, "queue", queue);
    if (consumerOf.has(queue)) continue;
    if (queue.startsWith(EVENTS)) console.log(`${file}: ${name}: no consumer for ${queue}: the backend must pull it, or its messages expire`);
    else problem(name, `nothing consumes ${queue}; its messages would expire`);
  }
  for (const queue of consumerOf.keys()) {
    if (!producers.some((producer) => producer.queue === queue)) problem(name, `${queue} is consumed but not bound`);
  }
  // src/delivery.rs, queue_role: the Worker knows a queue's role by the beginning of its name.
  for (const [binding, prefix] of [["EVENTS", EVENTS], ["EVENTS_SLOW", SLOW], ["DEAD_LETTERS", DEAD_LETTERS], ["AUDIT", AUDIT]]) {
    if (!queueOf[binding]?.startsWith(prefix)) problem(name, `the queue of ${binding} must be named ${prefix}…`);
  }
  for (const binding of ["EVENTS", "EVENTS_SLOW", "AUDIT"]) {
    const consumer = consumerOf.get(queueOf[binding]);
    if (consumer === undefined || consumer.dead_letter_queue === queueOf.DEAD_LETTERS) continue;
    problem(name, `the consumer of ${binding} must name the queue of DEAD_LETTERS as its dead_letter_queue; without one, exhausted messages are deleted`);
  }
  if (consumerOf.get(queueOf.DEAD_LETTERS)?.dead_letter_queue !== undefined) problem(name, "dead letters must not have dead letters");
  for (const { queue, max_retries: retries } of consumers) {
    if (retries !== MAX_RETRIES) problem(name, `max_retries of ${queue} must be ${MAX_RETRIES}`);
  }
  if (!environment.d1_databases?.some(({ binding }) => binding === "RECORD")) problem(name, "the database RECORD is not bound: refusals would be recorded nowhere but in the log");
  for (const { database_name: database, migrations_dir: migrations } of environment.d1_databases ?? []) {
    ownedBy(name, "database", database);
    if (migrations !== undefined) problem(name, "the migrations of a database stand in migrations/: leave migrations_dir out");
  }
  for (const { bucket_name: bucket } of environment.r2_buckets ?? []) ownedBy(name, "bucket", bucket);
  for (const { id } of environment.kv_namespaces ?? []) if (id !== undefined) ownedBy(name, "KV namespace", id);

  if (JSON.stringify(environment.triggers?.crons) !== JSON.stringify(CRONS_EXPECTED)) {
    problem(name, `triggers.crons must be written out as ${JSON.stringify(CRONS_EXPECTED)}; left out, it is inherited`);
  }
  const observability = environment.observability ?? config.observability ?? {};
  if (observability.enabled !== true || observability.logs?.enabled !== true) problem(name, "observability and its logs must be enabled");
  if (observability.logs?.invocation_logs !== false) problem(name, "observability.logs.invocation_logs must be false: those lines carry URLs and headers with secrets");
  if (observability.redact_query_string !== true) problem(name, "observability.redact_query_string must be true");
  if ((environment.preview_urls ?? config.preview_urls) !== false) problem(name, "preview_urls must be false: a preview would take real webhooks");
  if (environment.logpush === true || config.logpush === true) problem(name, "logpush carries the same URLs as invocation logs; leave it off");
}

if (problems.length > 0) {
  console.error(problems.map((sentence) => `${file}: ${sentence}`).join("\n"));
  process.exit(1);
}
console.log(`${file}: ${environments.size} environments agree`);
