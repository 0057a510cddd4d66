// The operator's view of dead letters. Started by scripts/dead, which has the usage text.
import { call as callGate } from "./admin.mjs";
import { fail, oneLine, safeJson } from "./terminal.mjs";

const PAGES_MAX = 10_000;

const [base, command, ...rest] = process.argv.slice(2);

const call = (method, path, body) =>
  callGate(base, method, `dead-letters${path}`, { body, anything: path.endsWith("/content") });

const time = (value) => (typeof value === "number" ? new Date(value).toISOString() : oneLine(value ?? "-"));

async function list() {
  let cursor = null;
  let count = 0;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { json } = await call("GET", cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`);
    for (const letter of json.dead_letters) {
      count += 1;
      const again = letter.redriven_at ? `  redriven ${time(letter.redriven_at)}` : "";
      console.log(oneLine(letter.id));
      console.log(`  source ${oneLine(letter.source)}  event ${oneLine(letter.event_id)}  ${oneLine(letter.body_bytes)} bytes`);
      console.log(`  died ${time(letter.died_at)} after ${oneLine(letter.attempts)} attempts: ${oneLine(letter.reason)}${again}`);
    }
    cursor = json.cursor ?? null;
    if (cursor === null) break;
  }
  console.log(count === 0 ? "no dead letters" : `${count} dead letter${count === 1 ? "" : "s"}`);
}

async function show(id, bodyOnly) {
  const { text, json } = await call("GET", `/${encodeURIComponent(id)}`);
  if (!bodyOnly) return console.log(safeJson(text));
  let message = {};
  try {
    message = JSON.parse(json.message) ?? {};
  } catch {
    // An unreadable message has no body apart from itself.
  }
  const { dataref, data_base64: base64 } = message;
  if (typeof dataref === "string") return process.stdout.write((await call("GET", `/${encodeURIComponent(id)}/content`)).bytes);
  if (typeof base64 !== "string") fail("This dead letter has no body in its record: look at it without --body.");
  return process.stdout.write(Buffer.from(base64, "base64"));
}

async function redrive(id, again) {
  const { json } = await call("POST", `/${encodeURIComponent(id)}/redrive`, { again });
  const run = json.run === undefined ? "" : ` (run ${oneLine(json.run)})`;
  console.log(`${oneLine(json.status)}${run}: it is on the queue again.`);
}

const flags = rest.filter((word) => word.startsWith("--"));
const words = rest.filter((word) => !word.startsWith("--"));
const allowed = { list: [0, []], show: [1, ["--body"]], redrive: [1, ["--again"]] }[command];
if (allowed === undefined || words.length !== allowed[0] || flags.some((flag) => !allowed[1].includes(flag))) {
  fail("That is not a command: see ./scripts/dead --help");
}
if (command === "list") await list();
if (command === "show") await show(words[0], flags.includes("--body"));
if (command === "redrive") await redrive(words[0], flags.includes("--again"));
