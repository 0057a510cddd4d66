// The description of the operator's API against the gate: every operation is called, and what it answers is held against
// its schema.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
// JSON Schema 2020-12, which OpenAPI 3.1 is written in; to write a validator is not this project's work.
import Ajv from "ajv/dist/2020.js";
import { ROOT, startGate } from "./support/gate.mjs";
import { shopEvent } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

const description = JSON.parse(readFileSync(join(ROOT, "src", "console", "openapi.json"), "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true, formats: { "date-time": (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text)) } });
ajv.addSchema(strict(description), "description");

/** The same where an object has no member that is not described: clients are to allow for new ones, and this test is not. */
function strict(schema) {
  if (Array.isArray(schema)) return schema.map(strict);
  if (schema === null || typeof schema !== "object") return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  return inner.type === "object" && inner.properties !== undefined ? { additionalProperties: false, ...inner } : inner;
}

let gate;
/** What stands in the place of a path's parameters, and what is asked for besides. */
let samples;
before(async () => {
  gate = await startGate();
  const event = shopEvent(gate, "custom");
  const refused = await gate.send({ ...event, body: `${event.body}\n` });
  await gate.consume([JSON.stringify({ not: "an event" })]);
  const letter = await until(async () => (await gate.letters())[0], "a dead letter");
  const id = refused.requestId;
  await until(async () => (await gate.adminAt(`/admin/v1/records/${id}`)).json?.log?.state === "logged", "its proof");
  await gate.recorded(
    "INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash) VALUES ('req_expired', 'demo', 'custom', ?1, 'refused', 'stale', ?2)",
    Date.now(),
    createHash("sha256").update(randomBytes(8)).digest("hex"),
  );
  samples = {
    searchRecord: [{}, { query: "limit=1" }, { query: "request_id=req_expired" }, { query: "limt=1", status: 400 }],
    explainRecord: [{ id }, { id: "req_expired" }, { id: "req_none", status: 404 }],
    countEnds: [{}, { query: "by=verdict&step=minute" }, { query: "by=x", status: 400 }],
    exportRecord: [{}, { query: "format=csv&limit=1" }, { query: "format=ocsf" }, { query: "format=xml", status: 400 }],
    describe: [{}],
    whoAmI: [{}],
    signIn: [{ body: { token: gate.secrets.HOOKGATE_ADMIN_TOKEN }, status: 204 }, { body: { token: "none" }, status: 401 }],
    signOut: [{ status: 204 }],
    showNewest: [{ tenant: "demo" }, { tenant: "nobody", status: 404 }],
    readmit: [{ id, status: 404 }, { id: `req_${"0".repeat(32)}`, status: 404 }],
    showSources: [{}],
    showAlerts: [{}],
    listDeadLetters: [{}],
    showDeadLetter: [{ id: letter.id }, { id: "none-here", status: 404 }],
    showDeadContent: [{ id: letter.id, status: 404 }],
    redrive: [{ id: letter.id, status: 422 }, { id: "none-here", status: 404 }],
    showCheckpoint: [{ tenant: "demo" }, { tenant: "nobody", status: 404 }],
    showTile: [{ tenant: "demo", level: "0", index: await partial() }, { tenant: "nobody", level: "0", index: "000", status: 404 }],
    listLogged: [{ tenant: "demo" }],
    takeOffer: [{ source: "custom", status: 404 }],
    forget: [
      { body: { source: "custom", event_id: event.id, again: true } },
      { body: { source: "custom", event_id: "evt_none" }, status: 404 },
      { body: { source: "no-such-source", event_id: "evt_none" }, status: 404 },
      { body: {}, status: 400 },
    ],
  };
});
after(() => gate.stop());

/** The newest tile, which is not full. */
async function partial() {
  const { text } = await gate.adminAt("/admin/v1/log/demo/checkpoint");
  return `000.p/${text.split("\n")[1]}`;
}

const operations = Object.entries(description.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
const pointer = (text) => text.replaceAll("~", "~0").replaceAll("/", "~1");
const resolved = (object) => (object.$ref === undefined ? object : object.$ref.slice(2).split("/").reduce((at, name) => at[name], description));

test("the gate serves the description itself", async () => {
  const { json, headers } = await gate.adminAt("/admin/v1/openapi.json");
  assert.equal(headers["content-type"], "application/json");
  assert.deepEqual(json, description);
});

test("every operation has its samples here, and its own name", () => {
  assert.deepEqual(operations.map(({ operation }) => operation.operationId).sort(), Object.keys(samples).sort());
});

for (const { path, method, operation } of operations) {
  test(`${method} ${path} answers as it is described`, async () => {
    for (const { query, body, status = 200, ...values } of samples[operation.operationId]) {
      const target = path.replace(/\{(\w+)\}/g, (_, name) => values[name]);
      const answer = await gate.send({
        method,
        target: `/admin/v1${target}${query === undefined ? "" : `?${query}`}`,
        // A session begins as the console begins it.
        headers: operation.security?.length === 0 ? [["sec-fetch-site", "same-origin"], ["hookgate-console", "1"]] : [["authorization", `Bearer ${gate.secrets.HOOKGATE_ADMIN_TOKEN}`]],
        body: body && JSON.stringify(body),
      });
      assert.equal(answer.status, status, `${target}: ${answer.text}`);
      isDescribed(answer, operation);
    }
    const stranger = await gate.adminAt(`/admin/v1${path.replace(/[{}]/g, "")}`, { method, token: "x".repeat(43) });
    assert.equal(stranger.status, 401);
    isDescribed(stranger, operation);
  });
}

/** Whether an answer is one that the operation may have. */
function isDescribed(answer, operation) {
  const described = operation.responses[answer.status];
  assert.ok(described !== undefined, `${operation.operationId} may not answer ${answer.status}`);
  const { content, headers = {} } = resolved(described);
  if (content === undefined) return assert.equal(answer.text, "");
  const kind = answer.headers["content-type"];
  assert.ok(kind in content, `${operation.operationId} answers ${kind}`);
  for (const [name, value] of Object.entries(answer.headers)) if (name === "hookgate-cursor") assert.ok(name in headers && value.length > 0);
  if (!/json$/.test(kind) || /ndjson/.test(kind)) return;
  const at = described.$ref ?? `#/paths/${pointer(pathOf(operation))}/${methodOf(operation)}/responses/${answer.status}`;
  const validate = ajv.compile({ $ref: `description${encodeURI(`${at}/content/${pointer(kind)}/schema`)}` });
  assert.ok(validate(answer.json), `${operation.operationId}: ${ajv.errorsText(validate.errors)}`);
}

const pathOf = (wanted) => operations.find(({ operation }) => operation === wanted).path;
const methodOf = (wanted) => operations.find(({ operation }) => operation === wanted).method.toLowerCase();

test("each line of an export is a record of the description", async () => {
  const { text } = await gate.adminAt("/admin/v1/export");
  const validate = ajv.compile({ $ref: "description#/components/schemas/Record" });
  const lines = text.trimEnd().split("\n");
  assert.ok(lines.length > 0);
  for (const line of lines) assert.ok(validate(JSON.parse(line)), ajv.errorsText(validate.errors));
});

test("the parameters that are described are those that are known", async () => {
  for (const { path, method, operation } of operations) {
    const named = (operation.parameters ?? []).map(resolved).filter((parameter) => parameter.in === "query").map(({ name }) => name);
    if (method !== "GET" || operation.responses[400] === undefined) continue;
    const { json } = await gate.adminAt(`/admin/v1${path}?no-such-parameter=1`);
    assert.deepEqual(json.detail.split("Known are: ")[1].split(", ").sort(), named.sort(), path);
  }
});
