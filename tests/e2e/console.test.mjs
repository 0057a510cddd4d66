// The console in a real browser, on the built Worker: what an operator does there, what a stranger's text does there (nothing),
// and who can use it without a mouse, or without seeing it.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openPage, startBrowser } from "./support/browser.mjs";
import { ROOT, startGate } from "./support/gate.mjs";
import { freshSecrets } from "./support/secrets.mjs";
import { shopEvent } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Without the description of the API, which is served with the API. */
const FILES = readdirSync(join(ROOT, "src/console")).filter((name) => name !== "openapi.json");
const MINUTE_MS = 60_000;
/** What no text of the page may have: it would be shown as something else than it is. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;

const secrets = freshSecrets();
const TOKEN = secrets.HOOKGATE_ADMIN_TOKEN;
let gate;
let browser;
before(async () => {
  gate = await startGate({ secrets });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

const get = (at, target, headers = []) => at.send({ method: "GET", target, headers });
/** Waits until a part behind the # is shown whose beginning this is. */
const isAt = (page, route) => page.waitForFunction((wanted) => location.hash.startsWith(wanted) && document.getElementById("main")?.dataset.at === location.hash && !document.querySelector("main[aria-busy]"), route);
async function show(page, route) {
  await page.goto(`/admin${route}`);
  // Another part behind the # loads nothing anew.
  await isAt(page, route);
}
/** The text of the page as it can be read. */
const read = (page) => page.locator("main").innerText();

async function signIn(page, route = "#/") {
  await page.goto(`/admin${route}`);
  await page.getByLabel("Operator's token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await isAt(page, route);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Puts refusals into the database, as somebody could who writes there. */
async function plant(rows) {
  const database = await gate.mf.getD1Database("RECORD");
  const put = database.prepare("INSERT INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  await database.batch(rows.map(({ id, tenant = "demo", source = "github", at = Date.now() - MINUTE_MS, verdict = "refused", reason = "stale", record = {}, address = null }) => {
    const text = JSON.stringify({ v: 1, record: "refusal", time: new Date(at).toISOString(), request_id: id, verdict, reason, tenant, source, method: "POST", path: `/hooks/${source}`, header_names: [], ...record });
    return put.bind(id, tenant, source, at, verdict, reason, createHash("sha256").update(text).digest("hex"), randomBytes(16).toString("hex"), text, address);
  }));
}

/** The public half of the key of the logs. */
function publicKey() {
  const [, , name, id, ...seed] = secrets.AUDIT_LOG_KEY.split("+");
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed.join("+"), "base64").subarray(1)]);
  const { x } = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  return `${name}+${id}+${Buffer.concat([Buffer.of(1), Buffer.from(x, "base64url")]).toString("base64")}`;
}

describe("its files", () => {
  test("each is there for a browser, with headers that let nothing else in", async () => {
    for (const path of ["/admin", "/admin/", "/admin?x=y", ...FILES.filter((name) => name !== "index.html").map((name) => `/admin/${name}`)]) {
      const { status, headers, text } = await get(gate, path);
      assert.equal(status, 200, path);
      const file = path.slice("/admin/".length);
      assert.equal(text, readFileSync(join(ROOT, "src/console", FILES.includes(file) ? file : "index.html"), "utf8"), path);
      const policy = new Map(headers["content-security-policy"].split("; ").map((rule) => [rule.slice(0, rule.indexOf(" ")), rule.slice(rule.indexOf(" ") + 1)]));
      assert.equal(policy.get("default-src"), "'none'");
      for (const [rule, value] of policy) assert.ok(["'none'", "'self'", "'script'"].includes(value), `${rule} ${value}`);
      for (const rule of ["frame-ancestors", "base-uri"]) assert.equal(policy.get(rule), "'none'");
      assert.equal(policy.get("require-trusted-types-for"), "'script'");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cross-origin-opener-policy"], "same-origin");
      assert.equal(headers["cross-origin-resource-policy"], "same-origin");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["strict-transport-security"], undefined, "not over http");
      assert.match(headers["content-type"], /^(text\/(html|css|javascript); charset=utf-8|image\/svg\+xml)$/);
    }
    const { text } = await get(gate, "/admin");
    assert.ok(!/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=/.test(text), "nothing in the page is inline");
  });

  test("nothing else is a file, and what is none is told nothing without a token", async () => {
    for (const path of ["/admin/index.html", "/admin/app.mjs/", "/admin/../src/console/app.mjs", "/admin/console.mjs", "/admin/app.mjs%00"]) {
      const { status, headers } = await get(gate, path);
      assert.ok([401, 404].includes(status), `${path}: ${status}`);
      assert.equal(headers["content-security-policy"], undefined);
    }
    for (const method of ["POST", "PUT", "DELETE"]) assert.equal((await gate.send({ method, target: "/admin", headers: [] })).status, 401, method);
  });

  test("on another host than the operator's, and without an operator, it is not there", async () => {
    const elsewhere = await startGate({ secrets, backend: gate.backend, variables: { ADMIN_HOST: "admin.example" } });
    const nobody = await startGate({ secrets, backend: gate.backend, without: ["ADMINS"] });
    try {
      for (const closed of [elsewhere, nobody]) {
        for (const path of ["/admin", "/admin/", ...FILES.map((name) => `/admin/${name}`), "/admin/v1/whoami"]) {
          const { status, headers } = await get(closed, path);
          assert.deepEqual([status, headers["content-security-policy"]], [404, undefined], path);
        }
      }
    } finally {
      await elsewhere.stop();
      await nobody.stop();
    }
  });
});

describe("an operator's day", () => {
  test("who is not signed in sees where to, and a wrong token opens nothing", async () => {
    const { page, context, amiss } = await openPage(browser, gate.url);
    await page.goto("/admin#/refusals?source=github");
    const field = page.getByLabel("Operator's token");
    await field.waitFor();
    assert.equal(await field.getAttribute("autocomplete"), "off");
    assert.equal(await field.getAttribute("type"), "password");
    await field.fill("x".repeat(43));
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("No operator has this token").waitFor();
    assert.equal(await page.getByRole("navigation").count(), 0);
    assert.deepEqual(await context.cookies(), []);
    assert.deepEqual(amiss, []);
    await context.close();
  });

  test("what is typed into the form stays when the address changes, and an answer from before the signing in ends nothing", async () => {
    const { page, context, amiss } = await openPage(browser, gate.url);
    await page.goto("/admin");
    const field = page.getByLabel("Operator's token");
    await field.waitFor();
    // Whoever is asked about from now on is answered as he is here before the signing in, and when the test says so.
    const held = [];
    const hold = async (route) => {
      const response = await route.fetch();
      await new Promise((goOn) => held.push(goOn));
      await route.fulfill({ response });
    };
    const isHeld = async (count) => {
      while (held.length < count) await page.waitForTimeout(10);
    };
    await page.route("**/admin/v1/whoami", hold, { times: 2 });
    await field.fill(TOKEN);
    await page.goto("/admin#/refusals");
    await isHeld(1);
    held[0]();
    await isAt(page, "#/refusals");
    assert.equal(await field.inputValue(), TOKEN);
    assert.ok(await field.evaluate((input) => input === document.activeElement));
    await page.goto("/admin#/letters");
    await isHeld(2);
    await page.keyboard.press("Enter");
    const out = page.getByRole("button", { name: "Sign out" });
    await out.waitFor();
    const late = page.waitForResponse("**/admin/v1/whoami");
    held[1]();
    assert.equal((await late).status(), 401);
    await show(page, "#/refusals");
    assert.ok(await out.isVisible());
    assert.equal(await field.count(), 0);
    assert.deepEqual(amiss, []);
    await context.close();
  });

  test("signs in, filters by the address, opens a refusal, and goes back", async () => {
    const event = { ...shopEvent(gate, "exact"), headers: [["user-agent", "partner/1.0"]] };
    const { requestId } = await gate.send(event);
    const late = Array.from({ length: 3 }, (_, n) => ({ id: `req_${String(n).padStart(32, "0")}`, reason: "stale", record: { evidence: "age_ms", evidence_value: 3_600_000 + n } }));
    await plant(late);
    await until(async () => (await gate.recorded("SELECT id FROM records WHERE id = ?1", requestId)).length === 1, "the record");
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, "#/refusals?source=exact");
    // The link of a colleague shows what he saw, and the cookie is nothing for scripts.
    assert.equal(await page.getByLabel("Source").inputValue(), "exact");
    assert.equal(await page.getByRole("rowheader").count(), 1);
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.name.startsWith("__Host-")], [true, true, "Strict", true]);
    assert.ok(!JSON.stringify(await page.evaluate(() => [document.cookie, { ...localStorage }, { ...sessionStorage }])).includes(TOKEN));

    await page.getByLabel("Source").selectOption("github");
    await page.getByLabel("Reason").fill("stale");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await isAt(page, "#/refusals?source=github&reason=stale");
    assert.equal(await page.getByRole("rowheader").count(), 3);
    await page.goBack();
    await isAt(page, "#/refusals?source=exact");
    assert.equal(await page.getByRole("rowheader").count(), 1);

    await page.getByRole("rowheader").getByRole("link").click();
    await isAt(page, `#/refusals/${requestId}`);
    const text = await read(page);
    for (const expected of ["missing_signature", "partner/1.0", "What to do", "/hooks/exact", requestId]) assert.ok(text.includes(expected), `${expected}: ${text}`);
    await page.goBack();
    await isAt(page, "#/refusals?source=exact");

    await page.getByLabel("From (UTC)").fill("yesterday");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await isAt(page, "#/refusals?source=exact");
    assert.ok(await page.getByLabel("From (UTC)").evaluate((field) => !field.validity.valid), "what is no time is not sent");
    await page.getByLabel("From (UTC)").fill("2026-01-31 14:00");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await isAt(page, "#/refusals?source=exact&from=2026-01-31T14%3A00%3A00Z");
    assert.equal(await page.getByLabel("From (UTC)").inputValue(), "2026-01-31 14:00:00");

    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download what is filtered" }).click()]);
    const lines = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ id }) => id), [requestId]);
    assert.deepEqual(amiss, []);
    await context.close();
  });

  test("the overview has each verdict in the chart, in numbers and as a table", async () => {
    const at = Date.now() - 5 * MINUTE_MS;
    const minute = Math.floor(at / MINUTE_MS);
    const counts = [["accepted", "", 1_204], ["duplicate", "", 31], ["refused", "signature_mismatch", 407]].map(([verdict, reason, number]) => ({ tenant: "demo", source: "shopify", verdict, reason, minute, number, first_ms: at, last_ms: at }));
    await gate.consume([JSON.stringify({ auditversion: 1, id: `cnt_${randomBytes(8).toString("hex")}`, counts })], { queue: "hookgate-audit" });
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, "#/?range=1h&tenant=demo&source=shopify");
    const tiles = await page.locator(".tile").allInnerTexts();
    assert.deepEqual(tiles.map((tile) => tile.replaceAll(/\s+/g, " ")), ["accepted 1,204 73 %", "duplicate 31 1.9 %", "refused 407 25 %", "unavailable 0 0 %"]);
    assert.match(await page.getByRole("img", { name: /^Not taken/ }).getAttribute("aria-label"), /^Not taken: 407 in all, at most 407 a minute$/);
    assert.equal(await page.locator("rect.bar.refused").count(), 1);
    await page.getByText("The same as a table").click();
    assert.deepEqual(await page.getByRole("region", { name: "Verdicts over time" }).getByRole("row").nth(1).getByRole("cell").allInnerTexts(), ["1,204", "31", "407"]);
    // Cloudflare's own number, and what of it is not here.
    await page.getByLabel("Requests that Cloudflare counted in this time").fill("1700");
    assert.match(await read(page), /58 invocations have no verdict here/);
    await page.getByRole("link", { name: "signature mismatch" }).click();
    await isAt(page, "#/refusals?");
    assert.equal(await page.getByLabel("Reason").inputValue(), "signature_mismatch");
    assert.deepEqual(amiss, []);
    await context.close();
  });

  for (const forcedColors of ["none", "active"]) {
    test(`the legend shows each verdict as its bars are, none like another; forced colors: ${forcedColors}`, async () => {
      const at = Date.now() - 5 * MINUTE_MS;
      const verdicts = [["accepted", "revived", "duplicate", "challenged", "permitted"], ["refused", "unavailable", "observed"]];
      const counts = verdicts.flat().map((verdict) => ({ tenant: "legend", source: "shopify", verdict, reason: "", minute: Math.floor(at / MINUTE_MS), number: 3, first_ms: at, last_ms: at }));
      await gate.consume([JSON.stringify({ auditversion: 1, id: `cnt_${randomBytes(8).toString("hex")}`, counts })], { queue: "hookgate-audit" });
      for (const colorScheme of ["light", "dark"]) {
        const { page, context, amiss } = await openPage(browser, gate.url, { colorScheme, forcedColors });
        await signIn(page, "#/?range=1h&tenant=legend");
        const looks = await page.evaluate(() =>
          [...document.querySelectorAll(".strip")].map((strip) =>
            [...strip.querySelectorAll(".key")].map((key) => {
              const swatch = getComputedStyle(key.querySelector(".swatch"));
              const bar = getComputedStyle(strip.querySelector(`.bar.${key.textContent}`));
              const isHollow = bar.stroke !== "none";
              return { verdict: key.textContent, fill: bar.fill, isHollow, swatch: swatch.backgroundColor, look: `${bar.fill} ${bar.stroke} ${bar.strokeDasharray}`, isSameEdge: !isHollow || (swatch.borderTopColor === bar.stroke && (swatch.borderTopStyle === "dotted") === (bar.strokeDasharray !== "none")) };
            }),
          ),
        );
        assert.deepEqual(looks.map((strip) => strip.map(({ verdict }) => verdict)), verdicts);
        for (const { verdict, fill, swatch, isSameEdge } of looks.flat()) assert.deepEqual([fill, isSameEdge], [swatch, true], `${verdict}, ${colorScheme}`);
        for (const strip of looks) assert.equal(new Set(strip.map(({ look }) => look)).size, strip.length, `${colorScheme}: ${JSON.stringify(strip)}`);
        const hollow = looks.flat().filter(({ isHollow }) => isHollow).map(({ verdict }) => verdict);
        assert.deepEqual(hollow, ["revived", "challenged", "permitted"], "told apart without their colours");
        assert.deepEqual(amiss, []);
        await context.close();
      }
    });
  }

  test("checks in the browser that a record is the one that was logged, and is told when it is not", async () => {
    const { requestId } = await gate.send({ ...shopEvent(gate, "exact"), headers: [] });
    await until(async () => (await gate.adminAt(`/admin/v1/records/${requestId}`, { token: TOKEN })).json?.proof, "its proof");
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, `#/refusals/${requestId}`);
    const place = page.getByRole("region", { name: "In the log" });
    const check = () => place.getByRole("button", { name: "Check its place in the log" }).click();
    await check();
    await place.getByText(/Who signed that was not checked/).waitFor();
    await page.evaluate((key) => localStorage.setItem("hookgate.log.key", key), publicKey());
    await check();
    await place.getByText(/its path leads to the checkpoint's root. The key signed the checkpoint/).waitFor();
    // A gate that lies in its answer: each member of the proof is one of the things that are checked.
    const { json: told } = await gate.adminAt(`/admin/v1/records/${requestId}`, { token: TOKEN });
    const flipped = (text) => text.replace(/[A-Za-z]/, (letter) => (letter === "A" ? "B" : "A"));
    for (const [lie, pattern] of [
      [{ ...told, record: { ...told.record, user_agent: "another" } }, /not the text that was logged/],
      [{ ...told, proof: { ...told.proof, text: told.proof.text.replace("refused", "rofused") } }, /The text is not the one that was logged/],
      [{ ...told, proof: { ...told.proof, salt: told.proof.salt.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) } }, /The text is not the one that was logged/],
      [{ ...told, proof: { ...told.proof, entry: told.proof.entry.replace(/\n(\d+)\n/, "\n1\n") } }, /The path does not lead to the checkpoint's root/],
      [{ ...told, proof: { ...told.proof, index: told.proof.index + 1 } }, /The path does not lead to the checkpoint's root/],
      [{ ...told, proof: { ...told.proof, checkpoint: told.proof.checkpoint.replace(/\n— (\S+) (.*)\n$/, (_, name, signature) => `\n— ${name} ${signature.slice(0, 20)}${flipped(signature.slice(20))}\n`) } }, /The signature of the checkpoint is not good/],
    ]) {
      await page.route(`**/admin/v1/records/${requestId}`, (route) => route.fulfill({ json: lie }), { times: 1 });
      await page.reload();
      await check();
      await place.getByText(pattern).waitFor();
    }
    // And one that tells of it: the database's row was changed behind the gate.
    await gate.recorded("UPDATE records SET text = replace(text, 'refused', 'refuted') WHERE id = ?1", requestId);
    await page.reload();
    await place.getByText("What stands here is not what was logged").waitFor();
    assert.deepEqual(amiss, []);
    await context.close();
  });

  test("sends a dead letter again, after he was asked", async () => {
    const event = shopEvent(gate, "exact");
    gate.backend.plan(event.id, 400);
    await gate.send(event);
    const letter = await until(async () => (await gate.letters()).find(({ event_id: id }) => id === event.id), "its letter");
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, "#/letters");
    await page.locator(`a[href="#/letters/${letter.id}"]`).click();
    await isAt(page, `#/letters/${letter.id}`);
    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    assert.equal((await gate.backend.wait(event.id)).length, 1, "nothing was sent");
    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send again" }).click();
    await page.locator(".outcome").getByText("Sent again, as run").waitFor();
    await until(async () => (await gate.backend.wait(event.id)).length === 2, "the second delivery");
    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send again" }).click();
    await page.getByRole("alert").getByText("This dead letter was sent again before").waitFor();
    assert.deepEqual(amiss, []);
    await context.close();
  });

  test("re-admits a refusal whose secret was mended, and forgets the event after it", async () => {
    const keep = mkdtempSync(join(tmpdir(), "hookgate-e2e-"));
    const broken = await startGate({ secrets: { ...secrets, KEPT_SECRET: "0".repeat(64) }, keep, backend: gate.backend });
    const event = shopEvent({ secrets }, "kept");
    const { status, requestId } = await broken.send(event);
    assert.equal(status, 401);
    await until(async () => (await broken.adminAt(`/admin/v1/records/${requestId}`, { token: TOKEN })).json?.log?.state === "logged", "its place in the log");
    await broken.stop();
    const mended = await startGate({ secrets, keep, backend: gate.backend });
    const { page, context, amiss } = await openPage(browser, mended.url);
    try {
      await signIn(page, "#/refusals?source=kept&reason=signature_mismatch");
      await page.getByRole("rowheader").getByRole("link").click();
      await isAt(page, `#/refusals/${requestId}`);
      const place = page.getByRole("region", { name: "Actions" });
      await place.getByText(/^Its body is kept: \d+ bytes, until/).waitFor();
      await place.getByRole("button", { name: "Re-admit" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
      assert.equal(gate.backend.of(event.id).length, 0, "nothing was sent");
      await place.getByRole("button", { name: "Re-admit" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Re-admit" }).click();
      await place.getByText("The event is on its way, as any other.").waitFor();
      const [{ headers }] = await gate.backend.wait(event.id);
      assert.equal(headers["hookgate-readmitted"], "true");
      const { dedup_key: key } = await mended.line({ event: "delivery", event_id: event.id, result: "delivered" });

      await show(page, "#/forget?source=kept");
      await page.getByLabel("Or its key").fill(key);
      const forget = async () => {
        await page.getByRole("button", { name: "Forget", exact: true }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Forget" }).click();
      };
      // The ledger is told of the delivery after the line is written.
      await until(async () => {
        await forget();
        await page.locator(".outcome .notice").waitFor();
        return (await page.locator(".outcome").innerText()).includes("the next delivery is run 1");
      }, "the event to be forgotten");
      assert.equal((await mended.send(event)).json?.status, "accepted");
      await until(() => gate.backend.of(event.id).length === 2, "the second delivery");
      assert.deepEqual(amiss, []);
    } finally {
      await context.close();
      await mended.stop();
      rmSync(keep, { recursive: true, force: true });
    }
  });

  test("verifies the log, and is told when it is not the one that was signed", async () => {
    const tenant = "demo";
    const entries = (from, count) => Array.from({ length: count }, (_, n) => `hookgate-audit/v1 record\nreq_log${from + n}\n${1_760_000_000_000 + from + n}\n${randomBytes(32).toString("base64")}\n`);
    const checkpoint = (holds) => until(async () => {
      const { status, text } = await gate.adminAt(`/admin/v1/log/${tenant}/checkpoint`, { token: TOKEN });
      return status === 200 && holds(Number(text.split("\n")[1])) && Number(text.split("\n")[1]);
    }, "a checkpoint");
    for (let from = 0; from < 300; from += 100) await gate.append(tenant, entries(from, 100));
    const size = await checkpoint((entries) => entries >= 300);
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, `#/log?tenant=${tenant}`);
    const card = page.getByRole("region", { name: `Log of ${tenant}` });
    const verify = card.getByRole("button", { name: /^Verify/ });
    const told = async (pattern) => {
      await verify.click();
      await card.locator(".outcome").getByText(pattern).waitFor();
    };
    await told(/Paste the public key/);
    const key = page.getByLabel("Public key of the logs");
    const [name, id] = publicKey().split("+");
    await key.fill(`${name}+${id}+${Buffer.concat([Buffer.of(1), randomBytes(32)]).toString("base64")}`);
    await told(/it was not copied whole/);
    await key.fill(secrets.AUDIT_LOG_KEY);
    await told(/That is no public key/);
    await key.fill(publicKey());
    await told(new RegExp(`the root|its root is that of the ${size} hashes`));
    // The first head is compared with the next.
    await gate.append(tenant, entries(300, 20));
    const grown = await checkpoint((entries) => entries >= size + 20);
    await told(new RegExp(`of the ${grown} hashes in the archive, and it continues the head of ${size} entries`));

    const bucket = await gate.mf.getR2Bucket("ARCHIVE");
    const bytesOf = async (name) => Buffer.from(await (await bucket.get(name)).arrayBuffer());
    const tile = `log/${tenant}/tile/0/000`;
    const whole = await bytesOf(tile);
    const changed = Buffer.from(whole);
    changed[17 * 32] ^= 1;
    await bucket.put(tile, changed);
    await told(/The hashes in the archive are not those of the checkpoint/);
    await bucket.put(tile, whole);
    await told(/it continues the head of/);
    const signed = await bytesOf(`log/${tenant}/checkpoint`);
    await bucket.put(`log/${tenant}/checkpoint`, signed.toString().replace(`\n${grown}\n`, `\n${grown - 1}\n`));
    await told(/The signature of the checkpoint is not good/);
    await bucket.put(`log/${tenant}/checkpoint`, signed);
    // Another history, as the browser's memory has it: whole, signed, and not the continuation.
    await page.evaluate((root) => {
      const head = Object.keys(localStorage).find((name) => name.startsWith("hookgate.log.head."));
      localStorage.setItem(head, JSON.stringify({ ...JSON.parse(localStorage.getItem(head)), root }));
    }, randomBytes(32).toString("base64"));
    await told(/The log does not continue the one that this browser verified before/);
    assert.deepEqual(amiss, []);
    await context.close();
  });

  test("signs out, and nothing is shown any more, not even by the back button", async () => {
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, "#/refusals");
    await show(page, "#/letters");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Operator's token").waitFor();
    assert.deepEqual(await context.cookies(), []);
    await page.goBack();
    await isAt(page, "#/refusals");
    await page.getByLabel("Operator's token").waitFor();
    assert.equal(await page.getByRole("row").count(), 0);
    assert.deepEqual(amiss, []);
    await context.close();
  });
});

describe("what strangers wrote", () => {
  const CORPUS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror=\"window.ran = 1\">",
    "<svg/onload=window.ran=1>",
    "\"><iframe srcdoc='<script>parent.ran=1</script>'>",
    "' onmouseover='window.ran=1' autofocus onfocus='window.ran=1",
    "javascript:window.ran=1",
    "data:text/html,<script>window.ran=1</script>",
    "</title></textarea></noscript><style>*{display:none}</style>",
    "=cmd|' /C calc'!A0",
    "+1+1-@SUM(A1:A9)",
    "\u001b[2J\u001b]0;owned\u0007\u001b[31mred",
    "gpj.\u202eexe.invoice\u202c \u2066isolated\u2069",
    "pay\u200bpal\u2060 \ufeff\u00ad\u{e0041}",
    "{{constructor.constructor('window.ran=1')()}} ${window.ran=1} <%= 1 %> #{1}",
    "__proto__",
    "%3Cscript%3E %00 \\u003cscript\\u003e",
    "\u0000\r\n\t\u2028\u2029 line ends",
    `long ${"A".repeat(6_000)}`,
  ];

  test("executes nothing, loads nothing, and is shown as what it is", async () => {
    const rows = CORPUS.map((text, n) => ({
      id: `req_hostile${n}`,
      at: Date.now() - n * 1_000,
      reason: n % 2 === 0 ? "signature_mismatch" : text.slice(0, 60),
      address: text.slice(0, 60),
      record: { path: text, user_agent: text, header_names: [text, "accept"], event_id: text, evidence: text, diagnosis: text, key_id: text, country: text, client_network: text, body_sample: text, method: text, [text]: text },
    }));
    await plant(rows);
    const { page, context, amiss } = await openPage(browser, gate.url);
    await signIn(page, "#/refusals");
    const visible = (text) => text.slice(0, 50).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufeff]/gu, (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
    const checked = async (n, place) => {
      const shown = await page.evaluate(() => ({
        text: document.body.textContent,
        alien: [...document.querySelectorAll("script:not([src='/admin/app.mjs']), iframe, object, embed, style, base, form[action], img:not([src='/admin/icon.svg']), [style], a[href]:not([href^='#/'], .skip)")].map(({ outerHTML }) => outerHTML),
        listening: [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some(({ name }) => name.startsWith("on"))).length,
        ran: window.ran,
      }));
      assert.deepEqual([shown.alien, shown.listening, shown.ran], [[], 0, undefined], `${place} ${n}`);
      assert.ok(!HIDDEN.test(shown.text.replaceAll("\t", "")), `${place} ${n}: a character that hides`);
      if (n !== undefined) assert.ok(shown.text.includes(visible(CORPUS[n])), `${place} ${n}: ${CORPUS[n]}`);
    };
    for (const [n] of CORPUS.entries()) await checked(n, "list");
    for (const [n, { id }] of rows.entries()) {
      await show(page, `#/refusals/${id}`);
      await checked(n, id);
    }
    for (const [n, text] of CORPUS.entries()) {
      if (text.length > 1_000) continue;
      for (const route of [`#/refusals?${new URLSearchParams({ event_id: text, tenant: text, source: text, reason: text })}`, `#/forget?${new URLSearchParams({ source: text, event_id: text })}`, `#/log?${new URLSearchParams({ tenant: text })}`, `#/?${new URLSearchParams({ range: text, source: text })}`, `#/${encodeURIComponent(text)}`, `#/refusals/${encodeURIComponent(text)}`]) {
        await page.goto(`/admin${route}`);
        await isAt(page, "#/");
        await checked(undefined, route);
      }
      assert.ok(n >= 0);
    }
    assert.deepEqual(amiss, []);
    await context.close();
  });
});

describe("without a mouse, and without seeing it", () => {
  const PAGES = ["#/", "#/refusals?source=github", "#/refusals/req_axe", "#/letters", "#/forget", "#/log?tenant=demo"];
  before(() => plant([{ id: "req_axe", reason: "signature_mismatch", record: { user_agent: "x/1", header_names: ["accept"], body_sample: "{}", diagnosis: "none" } }]));

  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 320]) {
      test(`axe finds nothing: ${colorScheme}, ${width} wide`, async () => {
        const { page, context, amiss } = await openPage(browser, gate.url, { colorScheme, viewport: { width, height: 800 } });
        const violations = async (place) => {
          await page.evaluate(AXE);
          const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
          assert.deepEqual(found.violations.map(({ id, nodes }) => `${place}: ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`), []);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${place} scrolls sideways`);
        };
        await page.goto("/admin");
        await page.getByLabel("Operator's token").waitFor();
        await violations("sign in");
        await signIn(page);
        for (const route of PAGES) {
          await show(page, route);
          await violations(route);
        }
        assert.deepEqual(amiss, []);
        await context.close();
      });
    }
  }

  test("everything is reached by the keyboard, and is seen to be", async () => {
    const { page, context, amiss } = await openPage(browser, gate.url);
    const focused = () => page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return { name: (element.getAttribute("aria-label") ?? element.textContent.trim()).slice(0, 40), tag: element.tagName, isSeen: (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== "none" };
    });
    const tabTo = async (wanted) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press("Tab");
        const now = await focused();
        if (now.tag !== "BODY") assert.ok(now.isSeen, `the focus on ${now.tag} ${now.name} is not seen`);
        if (wanted(now)) return now;
      }
      throw new Error("never reached");
    };
    await page.goto("/admin#/");
    await page.getByLabel("Operator's token").waitFor();
    // The only field has the focus already.
    await page.keyboard.type(TOKEN);
    await page.keyboard.press("Enter");
    await isAt(page, "#/");
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await page.waitForFunction(() => document.activeElement.tagName === "H1");
    await page.keyboard.press("Shift+Tab");
    await tabTo(({ name }) => name === "The same as a table");
    await page.reload();
    await isAt(page, "#/");
    await tabTo(({ name }) => name === "Skip to the content");
    await tabTo(({ name }) => name === "Refusals");
    await page.keyboard.press("Enter");
    await isAt(page, "#/refusals");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Refusals", "the heading is read first");
    assert.equal(await page.title(), "Refusals · hookgate");
    assert.equal(await page.getByRole("status").textContent(), "Refusals");
    await tabTo(({ tag, name }) => tag === "A" && /^\d{4}-/.test(name));
    await page.keyboard.press("Enter");
    await isAt(page, "#/refusals/");
    await tabTo(({ name }) => name === "Forget an event of this source");
    await page.keyboard.press("Enter");
    await isAt(page, "#/forget");
    const [label] = await page.getByLabel("Event id").evaluateAll((fields) => fields.map(({ value }) => value));
    if (label === "") {
      await tabTo(({ tag }) => tag === "INPUT");
      await page.keyboard.type("evt-of-nobody");
    }
    await tabTo(({ tag, name }) => tag === "BUTTON" && name === "Forget");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal((await focused()).name, "Forget", "the focus is back where it was");
    assert.deepEqual(amiss, []);
    await context.close();
  });
});
