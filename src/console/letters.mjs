// What could not be delivered, and what an operator does about an event: send it again, or forget its key.

import { ask } from "./api.mjs";
import { confirmed, doing, el, facts, field, foreign, link, panel, select, table, time } from "./dom.mjs";
import { grouped, words } from "./text.mjs";

export async function letters({ params }) {
  const { dead_letters: found, cursor } = await ask("dead-letters", { params: { cursor: params.cursor } });
  return el(
    "div",
    { class: "view" },
    el("h1", { tabindex: "-1" }, "Dead letters"),
    el("p", { class: "hint" }, "Events that were taken and could not be delivered. Each is kept, byte for byte, until you decide."),
    table(
      "Dead letters",
      [
        ["Died (UTC)", ({ id, died_at: at }) => link(`/letters/${encodeURIComponent(id)}`, {}, time(at))],
        ["Source", ({ source, tenant }) => [foreign(source), el("span", { class: "aside" }, tenant ?? "")]],
        ["Reason", ({ reason, last_status: status }) => [words(reason), status ? el("span", { class: "aside" }, `status ${status}`) : ""]],
        ["Attempts", ({ attempts }) => grouped(attempts), "number"],
        ["Event", ({ event_id: event, event_type: kind }) => [foreign(event), kind ? el("span", { class: "aside" }, kind) : ""], "wide"],
        ["Sent again (UTC)", ({ redriven_at: at }) => time(at)],
      ],
      found,
      { empty: "None. Everything that was taken is delivered, or on its way." },
    ),
    el("p", { class: "paging" }, params.cursor ? [link("/letters", {}, "First page"), " "] : "", cursor ? link("/letters", { cursor }, "Next page") : ""),
  );
}

export async function letter({ rest, operates }) {
  const id = encodeURIComponent(rest[0]);
  const found = await ask(`dead-letters/${id}`);
  const place = el("div", { class: "outcome" });
  const redrive = (again) => async () => {
    const text = again ? "The backend may see the event a second time, under the same webhook-id." : "The event goes to its backend as another run, under the same webhook-id.";
    if (!(await confirmed("Send it again?", text, "Send again"))) return undefined;
    const told = await ask(`dead-letters/${id}/redrive`, { method: "POST", body: again ? { again: true } : {} });
    // A message of the record has no run.
    return el("p", { class: "notice good" }, told.run === undefined ? "Sent again." : `Sent again, as run ${told.run}.`);
  };
  return el(
    "div",
    { class: "view" },
    el("p", { class: "trail" }, link("/letters", {}, "Dead letters"), " / ", foreign(found.id)),
    el("h1", { tabindex: "-1" }, words(found.reason)),
    panel(
      "The letter",
      facts([["Died (UTC)", time(found.died_at)], ["Attempts", grouped(found.attempts)], ["Last status", found.last_status], ["Sent again (UTC)", found.redriven_at && time(found.redriven_at)], ["As run", found.redriven_run]]),
      operates
        ? el("div", { class: "actions" }, doing("Send again", place, redrive(false), { class: "primary" }), doing("Send again all the same", place, redrive(true)))
        : el("p", { class: "hint" }, "To send it again needs the role operate."),
      place,
    ),
    panel("The message", el("p", { class: "hint" }, "As the queue had it. A body stands in data_base64; a long one is kept apart."), el("pre", { class: "foreign", tabindex: "0" }, indented(found.message))),
  );
}

/** What was not JSON when it died stays as it is. */
function indented(message) {
  try {
    return JSON.stringify(JSON.parse(message), null, 2);
  } catch {
    return message;
  }
}

export async function forget({ params, operates }) {
  const { sources = [] } = await ask("sources").catch(() => ({}));
  const names = [...new Set([...sources.map(({ name }) => name), ...(params.source ? [params.source] : [])])].sort();
  const place = el("div", { class: "outcome" });
  const forgotten = async () => {
    const { source, dedup_key: key, event_id: id, again } = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    if (!source || !key === !id) return el("p", { class: "notice bad" }, "Name the source, and the event by its id or by its key.");
    const given = { source, ...(key ? { dedup_key: key } : { event_id: id }), ...(again && { again: true }) };
    if (!(await confirmed("Forget this key?", "The next delivery of this event by its provider is taken as new, and reaches the backend another time, as another run.", "Forget"))) return undefined;
    const { run } = await ask("forget", { method: "POST", body: given });
    return el("p", { class: "notice good" }, `Forgotten: the next delivery is run ${run}.`);
  };
  const form = el(
    "form",
    { class: "stacked", submit: (event) => (event.preventDefault(), button.click()) },
    field("Source", names.length > 0 ? select("source", names.map((name) => [name, name]), params.source ?? names[0]) : el("input", { name: "source", value: params.source ?? "", autocomplete: "off" })),
    field("Event id", el("input", { name: "event_id", value: params.event_id ?? "", autocomplete: "off", spellcheck: "false" }), "As the provider calls the event."),
    field("Or its key", el("input", { name: "dedup_key", value: params.dedup_key ?? "", autocomplete: "off", spellcheck: "false" }), "dedup_key in a line of the log: 64 digits."),
    el("label", { class: "choice" }, el("input", { type: "checkbox", name: "again", value: "yes" }), "Also while it is on its way, or where the ledger does not know it"),
  );
  const button = doing("Forget", place, forgotten, { class: "primary" });
  return el(
    "div",
    { class: "view" },
    el("h1", { tabindex: "-1" }, "Forget an event"),
    el("p", {}, "The gate answers a known event as a duplicate. When the backend lost one, have it forgotten, and have the provider send it again."),
    operates ? panel("Which event", form, el("div", { class: "actions" }, button), place) : el("p", { class: "notice" }, "That needs the role operate."),
  );
}
