// The tamper-evident log of each tenant, and checks of it that this browser does itself.

import { ask, fetched } from "./api.mjs";
import { badge, doing, el, facts, field, foreign, panel } from "./dom.mjs";
import { grouped } from "./text.mjs";
import { base64, bytesOf, checkRecord, checkSignature, isContinued, isSame, lowestLevel, readCheckpoint, readKey, rootOf, spell } from "./tlog.mjs";

/** Public keys and heads only: nothing here is secret. */
const KEY = "hookgate.log.key";
const headKey = (origin) => `hookgate.log.head.${origin}`;

export async function log({ params, scope }) {
  const { sources = [] } = await ask("sources").catch(() => ({}));
  const tenants = [...new Set([...(scope.tenants ?? [...sources.map(({ tenant }) => tenant), "_"]), ...(params.tenant ? [params.tenant] : [])])].sort();
  const key = keyField();
  return el(
    "div",
    { class: "view" },
    el("h1", { tabindex: "-1" }, "The log"),
    el("p", {}, "Each tenant's record has a log that shows what was altered, removed or invented. Its head is the checkpoint, signed once a minute when there is something new."),
    panel("The key", key.form),
    el("div", { class: "cards" }, await Promise.all(tenants.map((tenant) => card(tenant, key)))),
    panel("What that shows, and what not", bounds()),
  );
}

function keyField() {
  const input = el("textarea", { rows: "2", spellcheck: "false", autocomplete: "off", change: () => localStorage.setItem(KEY, input.value.trim()) });
  input.value = localStorage.getItem(KEY) ?? "";
  return { value: () => input.value.trim(), form: field("Public key of the logs", input, "NAME+ID+BASE64, the second line of hookgate audit keygen, kept outside this account. This browser keeps it; it is no secret.") };
}

async function card(tenant, key) {
  const place = el("div", { class: "outcome" });
  const found = await checkpointOf(tenant).catch((problem) => problem);
  const name = tenant === "_" ? "_ (sent to no source)" : tenant;
  const section = el("section", { class: "panel", "aria-label": `Log of ${name}` }, el("h2", {}, foreign(name, "span")));
  if (!found.root) {
    section.append(el("p", { class: "none" }, found.status === 404 ? "No checkpoint: nothing of this tenant was logged yet." : `${found.title ?? found.message} ${found.detail ?? ""}`));
    return section;
  }
  section.append(
    facts([["Log", foreign(found.origin)], ["Entries", grouped(found.size)], ["Root", foreign(base64(found.root))], ["Signed by", found.signatures.map(({ name: signer }) => [foreign(signer), " "])]]),
    el("div", { class: "actions" }, doing("Verify", place, () => verified(tenant, key.value()), { class: "primary", "aria-label": `Verify the log of ${name}` })),
    place,
  );
  return section;
}

const checkpointOf = async (tenant) => readCheckpoint(await (await fetched(`log/${tenant}/checkpoint`)).text());

/** Reads tiles, each once. */
function tilesOf(tenant) {
  const known = new Map();
  return async (level, index, width) => {
    const name = `${level}/${index}`;
    const full = `log/${tenant}/tile/${level}/${spell(index)}`;
    if ((known.get(name)?.length ?? 0) >= width * 32) return known.get(name);
    // A part of a tile may have been replaced by the whole one in between.
    const part = width < 256 && (await fetched(`${full}.p/${width}`).catch((problem) => (problem.status === 404 ? undefined : Promise.reject(problem))));
    const bytes = new Uint8Array(await (part || (await fetched(full))).arrayBuffer());
    known.set(name, bytes);
    return bytes;
  };
}

const good = (...words) => el("div", { class: "notice good" }, badge("accepted", "OK"), " ", words);
const bad = (text) => el("div", { class: "notice bad", role: "alert" }, badge("refused", "Not as it was signed"), " ", text);

async function verified(tenant, keyLine) {
  try {
    if (keyLine === "") return el("p", { class: "notice bad" }, "Paste the public key of the logs above first.");
    const checkpoint = await checkpointOf(tenant);
    await checkSignature(checkpoint, await readKey(keyLine));
    if (checkpoint.origin.includes("/") && !checkpoint.origin.endsWith(`/${tenant}`)) return bad(`This is the log of ${checkpoint.origin}, not of ${tenant}.`);
    const tile = tilesOf(tenant);
    const began = performance.now();
    if (!isSame(await rootOf(checkpoint.size, tile), checkpoint.root)) return bad("The hashes in the archive are not those of the checkpoint.");
    const continued = await continues(checkpoint, tile);
    if (continued === false) return bad("The log does not continue the one that this browser verified before: its history was written anew, an older one was put back, or its hashes in the archive were changed.");
    localStorage.setItem(headKey(checkpoint.origin), JSON.stringify({ size: checkpoint.size, root: base64(checkpoint.root) }));
    const level = lowestLevel(checkpoint.size);
    return good(
      `The key signed the checkpoint, and its root is that of the ${grouped(checkpoint.size)} hashes in the archive`,
      level === 0 ? "" : ` (read from level ${level} of its tiles)`,
      continued === undefined ? ". This browser keeps this head, and the next check compares with it." : `, and it continues the head of ${grouped(continued)} entries that this browser verified before.`,
      el("span", { class: "aside" }, `${Math.round(performance.now() - began)} ms in this browser`),
    );
  } catch (problem) {
    return bad(`${problem.title ?? problem.message} ${problem.detail ?? ""}`);
  }
}

/** The size of the head that was verified last here, if the log continues it. `undefined`: there was none; `false`: it does not. */
async function continues(checkpoint, tile) {
  const kept = JSON.parse(localStorage.getItem(headKey(checkpoint.origin)) ?? "null");
  if (kept === null) return undefined;
  return (await isContinued({ size: kept.size, root: bytesOf(kept.root) }, checkpoint, tile)) && kept.size;
}

/** What a check of a record's place in its log brings. */
export async function recordVerified(item) {
  try {
    const { index, text } = item.proof;
    const checkpoint = await checkRecord(item);
    const what = text === null ? `Its entry is number ${grouped(index)} of ${grouped(checkpoint.size)}; the text is gone, its time was over.` : `This text is what entry ${grouped(index)} of ${grouped(checkpoint.size)} was made of, and its path leads to the checkpoint's root.`;
    const keyLine = localStorage.getItem(KEY) ?? "";
    if (keyLine === "") return el("p", { class: "notice" }, `${what} Who signed that was not checked: the page of the log takes the key.`);
    await checkSignature(checkpoint, await readKey(keyLine));
    return good(`${what} The key signed the checkpoint.`);
  } catch (problem) {
    return bad(problem.message);
  }
}

const bounds = () =>
  el(
    "ul",
    {},
    el("li", {}, "Shown: the archive's hashes are those that the log's key signed, and, from the second check on, that nothing of what this browser saw before was changed."),
    el("li", {}, "Not shown: that each record's text is the one that was logged. hookgate audit verify checks entries and records too, names each that was altered, and asks nobody."),
    el("li", {}, "Not against whoever may deploy the Worker: this page comes from it as well. A checkpoint that had left the account, or a witness, shows a rewritten log; without one the log is tamper-evident against store access only."),
    el("li", {}, "Not claimed by anybody: that everything was logged. The verdict lines are the exact account."),
  );
