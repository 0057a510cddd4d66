// Operators: who is let in, what each is told, a browser's session, and what the record has of it.
import assert from "node:assert/strict";
import { createHash, createHmac, createSign, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { adminsLine, freshToken } from "../../scripts/dev-vars.mjs";
import { startBackend } from "./support/backend.mjs";
import { keySet, rsaPair } from "./support/certificates.mjs";
import { startGate } from "./support/gate.mjs";
import { startOutside } from "./support/outside.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { freshId, shopEvent, sign } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
const secrets = freshSecrets();
const { HOOKGATE_ADMIN_TOKEN: ADMIN, ADMINS } = secrets;
/** Sees everything and changes nothing; sees one tenant; sees another. */
const [READER, DEMO, OTHER] = [freshToken(), freshToken(), freshToken()];
secrets.ADMINS = [
  "# who may what",
  ADMINS,
  adminsLine("reader", "read", "*", READER),
  adminsLine("demos", "operate", "demo", DEMO),
  adminsLine("others", "operate", "other,_", OTHER),
  "broken operate * sha256:00",
].join("\n");

let backend;
let gate;
/** Of an event of the tenant demo that the backend refused. */
let letter;
before(async () => {
  backend = await startBackend();
  gate = await startGate({ secrets, keep, backend });
  const id = freshId();
  backend.plan(id, 400);
  await gate.send(sign("github", "github", secrets.GITHUB_SECRET, "{}", { id, type: "push" }));
  await gate.consume([`not a message ${id}`]);
  letter = await until(async () => (await gate.letters()).find(({ event_id: event }) => event === id), "its letter");
});
after(async () => {
  await gate.stop();
  backend.stop();
  rmSync(keep, { recursive: true, force: true });
});

const CONSOLE = [["sec-fetch-site", "same-origin"], ["hookgate-console", "1"]];

/** A request to this path with a token (none: null) and these headers. */
const ask = (path, { method = "GET", token = null, headers = [], body = "", at = gate } = {}) =>
  at.send({ method, target: `/admin/v1/${path}`, headers: [...(token === null ? [] : [["authorization", `Bearer ${token}`]]), ...headers], body });

const signIn = (token, { headers = CONSOLE, at = gate } = {}) => ask("session", { method: "POST", headers, body: JSON.stringify({ token }), at });
const cookieOf = (answer) => ["cookie", /^__Host-hookgate=[^;]+/.exec(answer.headers["set-cookie"][0])[0]];

/** What the record has of operators, once it has so many. */
async function actions(where = {}, number = 1) {
  const all = async () => {
    const rows = await gate.recorded("SELECT * FROM records WHERE verdict = 'admin' ORDER BY at_ms, id");
    const found = rows.map(({ text, ...columns }) => ({ ...columns, ...JSON.parse(text) }));
    return found.filter((action) => Object.entries(where).every(([name, value]) => action[name] === value));
  };
  return until(async () => {
    const found = await all();
    return found.length >= number ? found : undefined;
  }, `${number} actions with ${JSON.stringify(where)}`);
}

describe("who is let in", () => {
  const PATHS = [["GET", "whoami"], ["GET", "dead-letters"], ["GET", "no-such-thing"], ["POST", "session"], ["DELETE", "session"], ["POST", "offers/notion"], ["GET", "log/demo/checkpoint"], ["GET", ""], ["PATCH", "%00"]];

  test("nobody learns from a 401 which paths there are", async () => {
    const answers = await Promise.all(PATHS.flatMap(([method, path]) => [null, freshToken(), "x"].map((token) => ask(path, { method, token }))));
    const told = new Set(
      answers.map(({ status, headers, text, requestId }) => {
        const { date, "content-length": _, ...rest } = headers;
        return JSON.stringify([status, rest, text]).replaceAll(requestId, "");
      }),
    );
    assert.equal(told.size, 1, [...told].join("\n"));
    assert.equal(answers[0].status, 401);
    for (const { requestId } of answers) await gate.line({ event: "notice", what: "admin_refused", request_id: requestId });
  });

  test("each is who his line says; a line that is none is an alarm without its text", async () => {
    const who = async (token) => (await ask("whoami", { token })).json;
    assert.deepEqual(await who(ADMIN), { name: "admin", roles: ["read", "operate"], tenants: null });
    assert.deepEqual(await who(READER), { name: "reader", roles: ["read"], tenants: null });
    assert.deepEqual(await who(OTHER), { name: "others", roles: ["read", "operate"], tenants: ["other", "_"] });
    const alarm = await gate.line({ event: "alarm", what: "admins_unreadable" });
    assert.deepEqual(alarm, { event: "alarm", what: "admins_unreadable", detail: "6" });
    assert.equal((await gate.send({ method: "GET", target: "/healthz" })).status, 200, "it takes events all the same");
  });

  test("a host that is not the operators' has nothing", async () => {
    const hosted = await startGate({ secrets, backend, variables: { ADMIN_HOST: "admin.example" } });
    try {
      for (const [method, path] of PATHS) assert.equal((await ask(path, { method, token: ADMIN, at: hosted })).status, 404, path);

      // And on theirs nothing is taken, nor answered with what a sender wrote.
      const host = ["host", "admin.example"];
      const event = sign("github", "github", secrets.GITHUB_SECRET, "{}", { id: freshId(), type: "push" });
      const order = shopEvent({ secrets }, "custom");
      const there = (request) => hosted.send({ ...request, headers: [host, ...(request.headers ?? [])] });
      const handshake = { method: "GET", target: "/hooks/dropbox?challenge=%3Cb%3Eabc" };
      for (const request of [event, order, handshake, { method: "OPTIONS", target: "/hooks/github" }]) {
        const { status, text } = await there(request);
        assert.deepEqual([status, text.includes("abc")], [503, false], request.target);
      }
      assert.equal((await there({ ...event, target: "/hooks/none" })).status, 404);
      assert.equal((await hosted.send(handshake)).text, "<b>abc");
      assert.equal((await ask("whoami", { token: ADMIN, headers: [host], at: hosted })).status, 200);
      assert.equal((await there({ method: "GET", target: "/healthz" })).status, 200);
      assert.equal((await hosted.send(event)).status, 200, "on the senders' host it is taken, and was not before");
    } finally {
      await hosted.stop();
    }
  });
});

describe("what each is told", () => {
  test("a reader looks at everything and changes nothing", async () => {
    for (const path of ["dead-letters", `dead-letters/${letter.id}`, "log/demo/records"]) assert.equal((await ask(path, { token: READER })).status, 200, path);
    for (const path of [`dead-letters/${letter.id}/redrive`, "dead-letters/raw-none/redrive", "offers/notion", "offers/no-such-source"]) {
      const { status, json } = await ask(path, { method: "POST", token: READER });
      assert.deepEqual([status, json.type], [403, "urn:hookgate:problem:not-allowed"], path);
    }
    assert.equal((await ask(`dead-letters/${letter.id}`, { token: ADMIN })).json.redriven_at, null);
  });

  test("what belongs to another tenant is as if it were not there", async () => {
    const plain = ({ status, text, requestId }) => [status, text.replaceAll(requestId, "")];
    for (const [method, foreign, absent] of [
      ["GET", `dead-letters/${letter.id}`, "dead-letters/raw-none"],
      ["GET", `dead-letters/${letter.id}/content`, "dead-letters/raw-none/content"],
      ["POST", `dead-letters/${letter.id}/redrive`, "dead-letters/raw-none/redrive"],
      ["GET", "log/demo/checkpoint", "log/no-such-tenant/checkpoint"],
      ["GET", "log/demo/records", "log/no-such-tenant/records"],
      ["POST", "offers/notion", "offers/no-such-source"],
    ]) {
      assert.deepEqual(plain(await ask(foreign, { method, token: OTHER })), plain(await ask(absent, { method, token: OTHER })), foreign);
    }
    assert.deepEqual((await ask("dead-letters", { token: OTHER })).json, { dead_letters: [], cursor: null });
    assert.equal((await ask(`dead-letters/${letter.id}`, { token: ADMIN })).json.redriven_at, null);
  });

  test("his own tenant's is there; what is nobody's is for who sees all", async () => {
    const ids = async (token) => (await ask("dead-letters", { token })).json.dead_letters.map(({ id, tenant }) => [id.slice(0, 3), tenant]);
    assert.deepEqual(await ids(DEMO), [[letter.id.slice(0, 3), "demo"]]);
    assert.ok((await ids(ADMIN)).some(([id, tenant]) => id === "raw" && tenant === null));
    const [raw] = (await gate.letters()).filter(({ id }) => id.startsWith("raw-"));
    assert.equal((await ask(`dead-letters/${raw.id}`, { token: DEMO })).status, 404);
    assert.equal((await ask(`dead-letters/${raw.id}`, { token: READER })).status, 200);
    assert.equal((await ask(`dead-letters/${letter.id}`, { token: DEMO })).status, 200);
  });

  test("pages are the archive's: short ones, and none is left out", async () => {
    const texts = Array.from({ length: 45 }, () => `not a message ${freshId()}`);
    await gate.consume(texts);
    await until(async () => (await gate.archived()).length >= 47, "47 letters");
    const found = [];
    let cursor = "";
    let pages = 0;
    do {
      const { json } = await ask(`dead-letters${cursor}`, { token: DEMO });
      found.push(...json.dead_letters);
      cursor = json.cursor === null ? null : `?cursor=${encodeURIComponent(json.cursor)}`;
      pages += 1;
    } while (cursor !== null);
    assert.deepEqual([found.map(({ id }) => id), pages], [[letter.id], 3]);
  });
});

describe("a browser's session", () => {
  test("a token makes a cookie, and the cookie is the operator until he signs out", async () => {
    const answer = await signIn(DEMO);
    assert.deepEqual([answer.status, answer.text], [204, ""]);
    assert.match(answer.headers["set-cookie"][0], /^__Host-hookgate=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800$/);
    const cookie = cookieOf(answer);
    const whoami = () => ask("whoami", { headers: [["cookie", `theme=dark; ${cookie[1]}`]] });
    assert.equal((await whoami()).json.name, "demos");
    const [row] = await gate.recorded("SELECT * FROM admin_sessions WHERE operator = 'demos'");
    assert.equal(row.id, createHash("sha256").update(cookie[1].split("=")[1]).digest("hex"));
    assert.ok(Math.abs(row.expires_ms - Date.now() - 28_800_000) < 10_000);

    const out = await ask("session", { method: "DELETE", headers: [cookie, ...CONSOLE] });
    assert.deepEqual([out.status, out.headers["set-cookie"][0]], [204, "__Host-hookgate=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"]);
    assert.equal((await whoami()).status, 401);
    assert.equal((await gate.recorded("SELECT * FROM admin_sessions")).length, 0);
  });

  test("no other token, page or length signs in, and a stranger's body is not read", async () => {
    const refused = [
      await signIn(freshToken()),
      await signIn(""),
      await signIn(DEMO, { headers: [] }),
      await signIn(DEMO, { headers: [CONSOLE[0]] }),
      await signIn(DEMO, { headers: [["sec-fetch-site", "cross-site"], CONSOLE[1]] }),
      await ask("session", { method: "POST", headers: CONSOLE, body: "not json" }),
      await ask("session", { method: "POST", headers: CONSOLE, body: JSON.stringify({ token: DEMO, padding: "x".repeat(1_024) }) }),
      await gate.send({ method: "POST", target: "/admin/v1/session", headers: CONSOLE, chunks: [JSON.stringify({ token: DEMO })] }),
    ];
    for (const { status, headers, requestId } of refused) {
      assert.deepEqual([status, headers["set-cookie"]], [401, undefined]);
      await gate.line({ what: "admin_refused", detail: "sign_in", request_id: requestId });
    }
    assert.equal((await gate.recorded("SELECT * FROM admin_sessions")).length, 0);
  });

  test("what a browser sends without being asked changes nothing", async () => {
    const cookie = cookieOf(await signIn(ADMIN));
    const redrive = (headers) => ask(`dead-letters/${letter.id}/redrive`, { method: "POST", headers: [cookie, ...headers] });
    for (const headers of [[], [CONSOLE[0]], [CONSOLE[1]], [["sec-fetch-site", "cross-site"], CONSOLE[1]], [["sec-fetch-site", "same-site"], CONSOLE[1]], [["sec-fetch-site", "none"], CONSOLE[1]]]) {
      const { status, json } = await redrive(headers);
      assert.deepEqual([status, json.type], [403, "urn:hookgate:problem:not-from-here"], JSON.stringify(headers));
    }
    const get = (site) => ask("whoami", { headers: [cookie, ["sec-fetch-site", site]] });
    assert.deepEqual([(await get("cross-site")).status, (await get("same-site")).status, (await get("none")).status], [403, 403, 200]);
    assert.equal((await ask("session", { method: "DELETE", headers: [cookie] })).status, 403);
    assert.equal((await ask(`dead-letters/${letter.id}`, { headers: [cookie] })).json.redriven_at, null);
    const { event_id: event } = letter;
    assert.equal((await redrive(CONSOLE)).status, 202);
    await backend.wait(event, 2);
  });

  test("a role and a scope are the line's, by cookie as by token", async () => {
    const [reader, other] = [cookieOf(await signIn(READER)), cookieOf(await signIn(OTHER))];
    assert.equal((await ask(`dead-letters/${letter.id}`, { headers: [reader] })).status, 200);
    assert.equal((await ask(`dead-letters/${letter.id}/redrive`, { method: "POST", headers: [reader, ...CONSOLE] })).status, 403);
    assert.equal((await ask(`dead-letters/${letter.id}`, { headers: [other] })).status, 404);
  });

  test("the database cannot make one, and what hangs in it is our failure", async () => {
    const cookie = cookieOf(await signIn(READER));
    const digest = (text) => createHash("sha256").update(text).digest("hex");
    const forged = randomBytes(32).toString("base64url");
    await gate.recorded("INSERT INTO admin_sessions SELECT ?1, operator, expires_ms, mac FROM admin_sessions WHERE operator = 'reader' LIMIT 1", digest(forged));
    const down = ["x-test-fault", "RECORD.batch=fail"];
    const bring = (text, headers = []) => ask("whoami", { headers: [["cookie", `__Host-hookgate=${text}`], ...headers] });
    assert.equal((await bring(forged)).status, 401);
    assert.deepEqual([(await bring(forged, [down])).status, (await bring("x", [down])).status], [503, 401], "what has not the form of one is not looked up");
    await gate.recorded("UPDATE admin_sessions SET expires_ms = expires_ms + 1 WHERE id = ?1", digest(cookie[1].split("=")[1]));
    assert.equal((await ask("whoami", { headers: [cookie] })).status, 401);
    const failed = await ask("whoami", { headers: [cookieOf(await signIn(READER)), down] });
    assert.deepEqual([failed.status, failed.headers["retry-after"]], [503, "10"]);
  });

  test("twenty for each, and none beyond its time", async () => {
    const first = cookieOf(await signIn(OTHER));
    await gate.recorded("UPDATE admin_sessions SET expires_ms = expires_ms - 1000 WHERE operator = 'others'");
    for (let number = 0; number < 20; number += 1) await signIn(OTHER);
    assert.equal((await gate.recorded("SELECT * FROM admin_sessions WHERE operator = 'others'")).length, 20);
    assert.equal((await ask("whoami", { headers: [first] })).status, 401);

    const cookie = cookieOf(await signIn(DEMO));
    const in8hours = ["x-test-now", String(Date.now() + 28_800_000)];
    assert.equal((await ask("whoami", { headers: [cookie, in8hours] })).status, 401);
    assert.equal((await ask("whoami", { headers: [cookie] })).status, 200);
    await gate.ahead(28_801_000);
    await gate.tick();
    await gate.ahead(0);
    assert.equal((await gate.recorded("SELECT * FROM admin_sessions")).length, 0);
  });

  test("it ends with its line: changed, or gone", async () => {
    const cookie = cookieOf(await signIn(DEMO));
    const stays = cookieOf(await signIn(READER));
    await gate.stop();
    const lines = secrets.ADMINS.replace("demos operate demo", "demos operate demo,other");
    gate = await startGate({ secrets, variables: { ADMINS: lines }, keep, backend });
    assert.equal((await ask("whoami", { headers: [cookie] })).status, 401);
    assert.deepEqual((await ask("whoami", { token: DEMO })).json.tenants, ["demo", "other"]);
    assert.equal((await ask("whoami", { headers: [stays] })).json.name, "reader");
    await gate.stop();
    gate = await startGate({ secrets, keep, backend });
  });

  for (const environment of ["production", "staging"]) {
    test(`in ${environment} there is none without a host name of its own`, async () => {
      const bare = await startGate({ secrets, backend, variables: { ENVIRONMENT: environment } });
      try {
        assert.equal((await ask("whoami", { token: DEMO, at: bare })).status, 200);
        assert.equal((await signIn(freshToken(), { at: bare })).status, 401);
        const { status, headers, json } = await signIn(DEMO, { at: bare });
        assert.deepEqual([status, headers["set-cookie"], json.type], [403, undefined, "urn:hookgate:problem:not-allowed"]);
        const cookie = cookieOf(await signIn(DEMO));
        assert.equal((await ask("whoami", { headers: [cookie], at: bare })).status, 401);
      } finally {
        await bare.stop();
      }
    });
  }
});

describe("Cloudflare Access", () => {
  const TEAM = "https://acme.cloudflareaccess.com";
  const CERTS = `${TEAM}/cdn-cgi/access/certs`;
  const AUD = randomBytes(32).toString("hex");
  const [pair, stranger] = [rsaPair(), rsaPair()];
  const base64url = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const outside = startOutside();
  let vouched;
  before(async () => {
    outside.put(CERTS, keySet({ one: pair.publicKey }));
    const lines = "ana operate demo access:Ana@example.com\nben read * access:ben@example.com";
    vouched = await startGate({ secrets, backend, outside, variables: { ADMINS: `${secrets.ADMINS}\n${lines}`, ACCESS_TEAM: TEAM, ACCESS_AUD: AUD } });
  });
  after(() => vouched.stop());

  /** A token as Access makes it, but for what is said otherwise. */
  function assertion(claims = {}, { kid = "one", key = pair.privateKey } = {}) {
    const now = Math.floor(Date.now() / 1_000);
    const said = { aud: [AUD], email: "ana@example.com", iss: TEAM, type: "app", iat: now - 10, nbf: now - 10, exp: now + 3_600, sub: "7335d417", country: "NL", ...claims };
    const signed = `${base64url({ alg: "RS256", kid, typ: "JWT" })}.${base64url(said)}`;
    return ["cf-access-jwt-assertion", `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`];
  }
  const as = (headers, path = "whoami", more = {}) => ask(path, { at: vouched, ...more, headers: [...headers, ...(more.headers ?? [])] });

  test("whom it vouches for is who his line says, and his keys are fetched once", async () => {
    for (const [email, name, roles] of [["ana@example.com", "ana", ["read", "operate"]], ["BEN@example.com", "ben", ["read"]]]) {
      const { status, json } = await as([assertion({ email })]);
      assert.deepEqual([status, json?.name, json?.roles], [200, name, roles]);
    }
    assert.equal(outside.of(CERTS), 1);
    const keys = await vouched.remembered();
    assert.ok(!keys.some((key) => key.includes("cloudflareaccess")), "KV, where others may write, has no key of operators");
  });

  test("whom no line names is told so, and what nobody vouches for is 401", async () => {
    const unknown = await as([assertion({ email: "eve@example.com" })]);
    assert.deepEqual([unknown.status, unknown.json.type], [403, "urn:hookgate:problem:not-allowed"]);
    const old = Math.floor(Date.now() / 1_000) - 7_200;
    const [, right] = assertion();
    for (const [title, wrong] of Object.entries({
      "another's key": assertion({}, { key: stranger.privateKey }),
      "another audience": assertion({ aud: ["x"] }),
      "another team": assertion({ iss: "https://evil.cloudflareaccess.com" }),
      "another kind of token": assertion({ type: "org" }),
      "no address": assertion({ email: undefined }),
      "over": assertion({ iat: old, nbf: old, exp: old + 3_600 }),
      "altered": ["cf-access-jwt-assertion", right.replace(/\.[^.]+\./, `.${base64url({ aud: [AUD], email: "ben@example.com", iss: TEAM, type: "app", iat: old + 7_100, exp: old + 9_000 })}.`)],
      "no token": ["cf-access-jwt-assertion", "x"],
    })) {
      const { status, requestId } = await as([wrong]);
      assert.equal(status, 401, title);
      await vouched.line({ what: "admin_refused", detail: "access", request_id: requestId });
    }
    assert.equal((await ask("whoami", { headers: [assertion()] })).status, 401, "where it is not set, it is nothing");
  });

  test("the database makes no session of a line with an address: all of that line may be known", async () => {
    const cookie = randomBytes(32).toString("base64url");
    const id = createHash("sha256").update(cookie).digest("hex");
    const ends = Date.now() + 3_600_000;
    const mac = createHmac("sha256", "ben read * access:ben@example.com").update(`hookgate session 1\n${id}\n${ends}`).digest("hex");
    await vouched.recorded("INSERT INTO admin_sessions (id, operator, expires_ms, mac) VALUES (?1, 'ben', ?2, ?3)", id, ends, mac);
    assert.equal((await ask("whoami", { at: vouched, headers: [["cookie", `__Host-hookgate=${cookie}`]] })).status, 401);
  });

  test("a browser's change comes from the console, and has its record", async () => {
    const forget = (headers) => as([assertion()], "session", { method: "DELETE", headers });
    assert.deepEqual([(await forget([])).status, (await forget([["sec-fetch-site", "cross-site"], CONSOLE[1]])).status], [403, 403]);
    assert.equal((await forget(CONSOLE)).status, 204);
    const answer = await as([assertion()], "offers/notion", { method: "POST", headers: CONSOLE });
    assert.equal(answer.status, 404);
    const rows = await until(async () => {
      const found = await vouched.recorded("SELECT * FROM records WHERE id = ?1", answer.requestId);
      return found.length > 0 ? found : undefined;
    }, "its record");
    const { operator, by } = JSON.parse(rows[0].text);
    assert.deepEqual([operator, by], ["ana", "access"]);
    assert.equal((await as([assertion({ email: "ben@example.com" })], "offers/notion", { method: "POST", headers: CONSOLE })).status, 403);
  });

  test("a bearer token is looked at first, and a key that is new is found", async () => {
    assert.equal((await as([assertion()], "whoami", { token: READER })).json.name, "reader");
    assert.equal((await as([assertion()], "whoami", { token: freshToken() })).status, 401);
    outside.put(CERTS, keySet({ one: pair.publicKey, two: stranger.publicKey }));
    const inHalfAnHour = ["x-test-now", String(Date.now() + 1_800_000)];
    const { status } = await as([assertion({}, { kid: "two", key: stranger.privateKey }), inHalfAnHour]);
    assert.equal(status, 200);
  });

  test("keys that cannot be fetched are our failure", async () => {
    const dark = startOutside();
    const cut = await startGate({ secrets, backend, outside: dark, variables: { ACCESS_TEAM: TEAM, ACCESS_AUD: AUD } });
    try {
      const { status, headers } = await ask("whoami", { at: cut, headers: [assertion()] });
      assert.deepEqual([status, headers["retry-after"]], [503, "10"]);
      for (let number = 0; number < 10; number += 1) assert.equal((await ask("whoami", { at: cut, headers: [assertion()] })).status, 503);
      assert.equal(dark.of(CERTS), 1, "and it is not asked again at once");
      await cut.line({ event: "alarm", what: "key_unfetched" });
      assert.equal((await ask("whoami", { at: cut, token: READER })).status, 200);
    } finally {
      await cut.stop();
    }
  });
});

describe("what the record has", () => {
  test("each change and each attempt, in the log of the tenant whose thing it was", async () => {
    const redrive = (token) => ask(`dead-letters/${letter.id}/redrive`, { method: "POST", token, headers: [["cf-connecting-ip", "203.0.113.77"]] });
    const [done, forbidden, foreign] = [await redrive(DEMO), await redrive(READER), await redrive(OTHER)];
    assert.deepEqual([done.status, forbidden.status, foreign.status], [409, 403, 404]);
    for (const [answer, operator, tenant] of [[done, "demos", "demo"], [forbidden, "reader", "_"], [foreign, "others", "_"]]) {
      const [action] = await actions({ request_id: answer.requestId });
      const { id, source, verdict, reason, leaf_hash: leaf, salt, record, by, about, status, client_network: network } = action;
      assert.deepEqual({ id, source, verdict, reason, record, by, about, status, network }, { id: answer.requestId, source: "", verdict: "admin", reason: "dead_letter_redriven", record: "admin", by: "token", about: letter.id, status: answer.status, network: "203.0.113.0/24" });
      assert.deepEqual([action.operator, action.tenant], [operator, tenant]);
      const [{ text }] = await gate.recorded("SELECT text FROM records WHERE id = ?1", id);
      assert.equal(createHash("sha256").update(Buffer.concat([Buffer.of(0), Buffer.from(salt, "hex"), Buffer.from(text)])).digest("hex"), leaf);
      const line = await gate.line({ what: "admin_answered", request_id: id });
      assert.deepEqual([line.operator, line.detail, line.status], [operator, "dead_letter_redriven", answer.status]);
    }
    const bucket = await gate.mf.getR2Bucket("ARCHIVE");
    const isLogged = async () => {
      const { objects } = await bucket.list({ prefix: "log/demo/tile/entries/" });
      const bundles = await Promise.all(objects.map(async ({ key }) => (await bucket.get(key)).text()));
      return bundles.some((bundle) => bundle.includes(done.requestId));
    };
    await until(isLogged, "its entry in the tenant's log");
  });

  test("who signed in and out, and nothing of who did not", async () => {
    const answer = await signIn(DEMO);
    const out = await ask("session", { method: "DELETE", headers: [cookieOf(answer), ...CONSOLE] });
    const failed = await signIn(freshToken());
    const [signedIn] = await actions({ request_id: answer.requestId });
    assert.deepEqual([signedIn.action, signedIn.operator, signedIn.by, signedIn.status], ["signed_in", "demos", "token", 204]);
    const [signedOut] = await actions({ request_id: out.requestId });
    assert.deepEqual([signedOut.action, signedOut.by], ["signed_out", "session"]);
    assert.equal((await gate.recorded("SELECT * FROM records WHERE id = ?1", failed.requestId)).length, 0);
  });

  test("a look, once a minute for each operator and thing; a list that is looked at all the time is one", async () => {
    const at = ["x-test-now", String(Math.floor(Date.now() / 60_000) * 60_000 + 3_600_000)];
    const look = (path, token) => ask(path, { token, headers: [at] });
    const first = await look("dead-letters", READER);
    for (let number = 0; number < 20; number += 1) await look("dead-letters", READER);
    const shown = await look(`dead-letters/${letter.id}`, READER);
    await look(`dead-letters/${letter.id}`, READER);
    await look("whoami", READER);
    const other = await look(`dead-letters/${letter.id}`, DEMO);
    await look("dead-letters/raw-none", READER);
    const last = await signIn(READER);
    await actions({ request_id: last.requestId });
    const found = (await actions()).filter(({ time }) => Date.parse(time) > Date.now() + 1_800_000).map(({ id, action, tenant }) => [id, action, tenant]);
    assert.deepEqual(found.sort(), [[first.requestId, "dead_letters_listed", "_"], [shown.requestId, "dead_letter_shown", "demo"], [other.requestId, "dead_letter_shown", "demo"]].sort());
  });

  test("a name that is no tenant's becomes no log, whoever made it up", async () => {
    // Signed, it would be a head with this root.
    const planted = `demo\n7\n${randomBytes(32).toString("base64")}`;
    for (const path of ["records", "export", "counts"]) {
      const { status, json } = await ask(`${path}?${new URLSearchParams({ tenant: planted })}`, { token: ADMIN });
      assert.deepEqual([status, json.type], [400, "urn:hookgate:problem:bad-parameter"], path);
    }
    const id = `req_${randomBytes(16).toString("hex")}`;
    const sql = "INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text) VALUES (?1, ?2, '', 1, 'refused', 'stale', ?3, ?3, '{}')";
    await gate.recorded(sql, id, planted, "00".repeat(32));
    const looks = [];
    for (const path of [`records/${id}`, "records?tenant=nobody", "export?tenant=nobody", "log/nobody/records"]) looks.push(await ask(path, { token: ADMIN }));
    for (const { status, requestId } of looks) {
      const [{ tenant }] = await actions({ request_id: requestId });
      assert.deepEqual([status, tenant], [200, "_"]);
    }
    const configured = await ask("records?tenant=other&to=1970-01-01T00:00:00Z", { token: ADMIN });
    assert.equal((await actions({ request_id: configured.requestId }))[0].tenant, "other", "nothing was found, and there is such a tenant");

    // Its text is over: what is said of its removal would be its log's first entry.
    await gate.tick();
    await gate.line({ event: "alarm", what: "record_failed", detail: "rows of 1 that are no tenants" });
    const salt = "00".repeat(16);
    const leaf = createHash("sha256").update(Buffer.concat([Buffer.of(0), Buffer.from(salt, "hex"), Buffer.from("{}")])).digest("hex");
    const queued = { auditversion: 1, id: `${id}0`, tenant: planted, source: "", at_ms: Date.now(), verdict: "refused", reason: "stale", leaf_hash: leaf, salt, text: "{}" };
    await gate.consume([JSON.stringify(queued)], { queue: "hookgate-audit" });
    await gate.line({ event: "alarm", what: "record_unreadable" });
    const entry = `hookgate-audit/v1 record\n${id}\n1\n${Buffer.alloc(32).toString("base64")}\n`;
    assert.equal((await gate.append(encodeURIComponent(planted), [entry])).status, 500, "the log's own object takes none");
    const rows = await gate.recorded("SELECT id FROM records WHERE tenant IN (?1, 'nobody')", planted);
    assert.deepEqual(rows, [{ id }]);
    const { objects } = await (await gate.mf.getR2Bucket("ARCHIVE")).list({ prefix: "log/" });
    assert.deepEqual(objects.filter(({ key }) => !/^log\/(?:demo|other|_)\//.test(key)), []);
    await gate.recorded("DELETE FROM records WHERE id = ?1", id);
  });

  test("a flood of refusals does not push it out", async () => {
    const now = ["x-test-now", String(Math.floor(Date.now() / 60_000) * 60_000 + 7_200_000)];
    const salt = "00".repeat(16);
    const leaf = createHash("sha256").update(Buffer.concat([Buffer.of(0), Buffer.from(salt, "hex"), Buffer.from("{}")])).digest("hex");
    const row = (number) => ({ auditversion: 1, id: `req_flood${number}`, tenant: "_", source: "", at_ms: Number(now[1]), verdict: "refused", reason: "unknown_source", leaf_hash: leaf, salt, text: "{}" });
    await gate.consume(Array.from({ length: 61 }, (_, number) => JSON.stringify(row(number))), { queue: "hookgate-audit" });
    const stored = await gate.recorded("SELECT id FROM records WHERE id LIKE 'req_flood%'");
    assert.equal(stored.length, 60, "the minute is full");
    const answer = await ask("dead-letters", { token: ADMIN, headers: [now] });
    await actions({ request_id: answer.requestId });
  });

  test("an audit queue that is down stops nobody, and the alarm says what it would have had", async () => {
    const answer = await ask(`dead-letters/${letter.id}/redrive`, { method: "POST", token: ADMIN, body: '{"again":true}', headers: [["x-test-fault", "AUDIT.send=fail"]] });
    assert.equal(answer.status, 202);
    const alarm = await gate.line({ event: "alarm", what: "admin_unrecorded" });
    const { operator, action, about, status } = JSON.parse(alarm.unrecorded);
    assert.deepEqual({ operator, action, about, status }, { operator: "admin", action: "dead_letter_redriven", about: letter.id, status: 202 });
  });

  test("no token and no cookie is written anywhere", async () => {
    const cookie = cookieOf(await signIn(ADMIN))[1].split("=")[1];
    await ask("whoami", { headers: [["cookie", `__Host-hookgate=${cookie}`]] });
    const rows = JSON.stringify([await gate.recorded(), await gate.recorded("SELECT * FROM admin_sessions"), gate.logs]);
    for (const secret of [ADMIN, READER, DEMO, OTHER, cookie]) assert.ok(!rows.includes(secret));
    assert.ok(!rows.includes(createHash("sha256").update(ADMIN).digest("hex")), "nor the hash of one");
  });
});
