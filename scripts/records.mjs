// The operator's view of the record. Started by scripts/records, which has the usage text.
import { call as callGate } from "./admin.mjs";
import { fail, oneLine, safeJson } from "./terminal.mjs";

const FILTERS = ["tenant", "source", "verdict", "reason", "key_id", "event_id", "ray_id", "request_id", "client_address", "from", "to"];
const COMMANDS = {
  list: [...FILTERS, "limit"],
  show: [],
  counts: ["tenant", "source", "from", "to", "step", "by"],
  export: [...FILTERS, "format"],
};
/** The most that the gate gives in one answer. */
const PAGE = 200;
const LIST = 50;

const [base, command, ...rest] = process.argv.slice(2);

/** Parameters, flags without a value, and words. */
function read(args, known) {
  const [parameters, flags, words] = [{}, [], []];
  for (let at = 0; at < args.length; at += 1) {
    const name = args[at].startsWith("--") ? args[at].slice(2) : undefined;
    if (name === undefined) words.push(args[at]);
    else if (["json", "proof"].includes(name)) flags.push(name);
    else if (!known.includes(name)) fail(`--${oneLine(name)} is not known here: see ./scripts/records --help`);
    else if (args[at + 1] === undefined) fail(`--${name} needs a value: see ./scripts/records --help`);
    else parameters[name] = args[(at += 1)];
  }
  return { parameters, flags, words };
}

const call = (path, parameters, options) => callGate(base, "GET", `${path}?${new URLSearchParams(parameters)}`, options);

/** The newest records that match, so many at most. */
async function* records({ limit, ...parameters }) {
  let wanted = Number(limit);
  let cursor = null;
  do {
    const page = { ...parameters, limit: String(Math.min(wanted, PAGE)), ...(cursor !== null && { cursor }) };
    const { json } = await call("records", page);
    yield* json.records;
    wanted -= json.records.length;
    cursor = json.cursor;
  } while (cursor !== null && wanted > 0);
}

async function list(parameters) {
  const limit = parameters.limit ?? String(LIST);
  if (!/^[1-9]\d{0,5}$/.test(limit)) fail("--limit is a whole number");
  let count = 0;
  for await (const { id, at, tenant, source, verdict, reason, record, client_address: address, configured } of records({ ...parameters, limit })) {
    count += 1;
    const from = address ?? record?.client_network ?? "?";
    console.log(`${oneLine(at)}  ${oneLine(`${tenant}/${source}`).padEnd(24)} ${oneLine(verdict)} ${oneLine(reason).padEnd(22)} ${oneLine(from).padEnd(18)} ${oneLine(id)}`);
    if (configured === false) console.log(`    ${NOT_CONFIGURED}`);
    if (record?.user_agent !== undefined) console.log(`    ${oneLine(record.method)} ${oneLine(record.path)}  ${oneLine(record.user_agent, 80)}`);
  }
  const more = count === Number(limit) ? "; there may be more: see --limit and export" : "";
  console.log(count === 0 ? "no records" : `${count} record${count === 1 ? "" : "s"}${more}`);
}

async function show(id, flags) {
  const hint = { "No such record": "a refusal is there some seconds after its answer; of many in a minute only the first are kept one by one, the rest is in counts and in the log (docs/record.md)" };
  const { json, text } = await callGate(base, "GET", `records/${encodeURIComponent(id)}`, { hint });
  if (flags.includes("json")) return console.log(safeJson(text));
  if (flags.includes("proof")) return proof(json);
  const { explanation, diagnosis, log, record } = json;
  console.log(`${oneLine(json.at)}  ${oneLine(json.tenant)}/${oneLine(json.source)}  ${oneLine(json.verdict)} ${oneLine(json.reason)}`);
  console.log(`  ${oneLine(explanation.title)}`);
  console.log(`  why      ${oneLine(explanation.detail, 1000)}`);
  console.log(`  do       ${oneLine(explanation.what_to_do, 1000)}`);
  if (diagnosis !== null) {
    console.log(`  mistake  ${oneLine(diagnosis.name)}: ${oneLine(diagnosis.title, 1000)}`);
    console.log(`  remedy   ${oneLine(diagnosis.remedy, 1000)}`);
  }
  if (json.configured === false) console.log(`  tenant   ${NOT_CONFIGURED}`);
  console.log(`  log      ${oneLine(STATES[log.state] ?? log.state)}`);
  if (json.kept_body) console.log(`  kept     its request, until ${oneLine(json.kept_body.kept_until)}: ./scripts/readmit ${oneLine(json.id)} judges it again`);
  if (json.client_address !== null) console.log(`  client   ${oneLine(json.client_address)}`);
  for (const [name, value] of Object.entries(record ?? {})) console.log(`  ${oneLine(name).padEnd(24)} ${oneLine(typeof value === "string" ? value : JSON.stringify(value), 1000)}`);
  if (record === null) console.log(json.expired ? "  its text is gone: its time was over" : "  its text is no JSON: somebody altered it");
}

const NOT_CONFIGURED = "its tenant is not configured: he has left, or somebody wrote this into the database";

const STATES = {
  logged: "it is in the tenant's log, as it stands here",
  waiting: "it is in the tenant's log, and no checkpoint has it yet",
  contradicted: "ALTERED: it is not what was logged, or does not agree with itself",
  unknown: "the log was not reached, or does not know it any more: see ./scripts/audit export",
};

/** https://c2sp.org/tlog-proof */
function proof({ proof: found }) {
  if (found === null) fail("There is no proof of it yet.");
  process.stdout.write(`c2sp.org/tlog-proof@v1\nindex ${found.index}\n${found.hashes.map((hash) => `${hash}\n`).join("")}\n${found.checkpoint}`);
}

async function counts(parameters) {
  const { json } = await call("counts", parameters);
  for (const { at, source, verdict, reason, number, last } of json.counts) {
    const what = [source, verdict, reason].filter((name) => name !== null && name !== "").map((name) => oneLine(name));
    console.log(`${oneLine(at)}  ${String(number).padStart(10)}  ${what.join(" ")}  (the last ${oneLine(last)})`);
  }
  const sum = json.counts.reduce((sum, { number }) => sum + number, 0);
  console.log(`${sum} recorded from ${oneLine(json.from)} to ${oneLine(json.to)}; what the platform ended is in no record`);
}

async function exportAll(parameters) {
  let cursor;
  do {
    const { bytes, headers } = await call("export", { ...parameters, ...(cursor !== undefined && { cursor }) }, { anything: true });
    if (!process.stdout.write(bytes)) await new Promise((done) => process.stdout.once("drain", done));
    cursor = headers.get("hookgate-cursor") ?? undefined;
  } while (cursor !== undefined);
}

if (!Object.hasOwn(COMMANDS, command)) fail("That is not a command: see ./scripts/records --help");
const { parameters, flags, words } = read(rest, COMMANDS[command]);
if (words.length !== (command === "show" ? 1 : 0) || flags.length > (command === "show" ? 1 : 0)) fail("That is not a command: see ./scripts/records --help");
if (command === "list") await list(parameters);
if (command === "show") await show(words[0], flags);
if (command === "counts") await counts(parameters);
if (command === "export") await exportAll(parameters);
