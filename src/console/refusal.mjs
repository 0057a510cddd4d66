// One refusal, in words, and what an operator can do about it.

import { ask } from "./api.mjs";
import { badge, confirmed, doing, el, facts, foreign, link, panel, time } from "./dom.mjs";
import { grouped, words } from "./text.mjs";
import { recordVerified } from "./log.mjs";

/** What has a place of its own on the page. */
const SHOWN = new Set(["v", "record", "time", "verdict", "reason", "tenant", "source", "header_names", "user_agent", "path", "method", "diagnosis", "body_sample"]);

export async function refusal({ rest, operates }) {
  const item = await ask(`records/${encodeURIComponent(rest[0])}`);
  const { record, explanation, diagnosis } = item;
  const isAction = record?.record === "admin" || record?.record === "readmission";
  return el(
    "div",
    { class: "view" },
    el("p", { class: "trail" }, link("/refusals", {}, "Refusals"), " / ", foreign(item.id)),
    el("h1", { tabindex: "-1" }, isAction ? ["Done by ", foreign(record.operator, "span")] : (explanation?.title ?? words(item.reason))),
    el("p", { class: "lead" }, badge(item.verdict, item.verdict), " ", el("code", {}, item.reason), " · ", item.source ? foreign(item.source) : "no source", " · ", time(item.at), " UTC"),
    !isAction && el(
      "div",
      { class: "columns" },
      panel("What happened", explanation?.detail && el("p", {}, explanation.detail), record?.evidence !== undefined && facts([["Evidence", foreign([record.evidence, record.evidence_value].filter((part) => part !== undefined).map(asText).join(" "))]])),
      panel("What to do", el("p", {}, diagnosis?.remedy ?? explanation?.what_to_do ?? "Nothing is known to do."), diagnosis && explanation?.what_to_do ? el("p", { class: "hint" }, explanation.what_to_do) : "", diagnosed(item)),
    ),
    !isAction && actions(item, operates),
    record?.readmitted ? panel("Of which refusal", facts([["Refusal", link(`/refusals/${encodeURIComponent(record.readmitted)}`, {}, foreign(record.readmitted))], ["Judged again", [badge(record.verdict, record.verdict), " ", record.reason ? foreign(record.reason) : ""]]])) : "",
    record ? request(item) : panel("The request", el("p", { class: "none" }, item.expired ? "Its time is over: the text is gone, and the leaf hash stays, so that the log can be checked for ever." : "There is no text.")),
    proof(item),
  );
}

function diagnosed({ diagnosis, record }) {
  if (diagnosis) return el("div", { class: "notice good" }, badge("accepted", "Diagnosis"), " ", el("strong", {}, diagnosis.title), el("span", { class: "aside" }, diagnosis.name));
  if (record?.diagnosis === "none") return el("p", { class: "hint" }, "None of the mistakes that senders usually make explains the signature: another secret, or another body.");
  return "";
}

function request({ id, tenant, configured, record, client_address: address }) {
  const others = Object.entries(record).filter(([name]) => !SHOWN.has(name) && name !== "evidence" && name !== "evidence_value" && !(name === "request_id" && record[name] === id));
  return panel(
    "The request",
    facts([
      ["Method and path", record.path && [foreign(record.method), " ", foreign(record.path)]],
      ["User agent", record.user_agent && foreign(record.user_agent)],
      ["Client address", address ? [foreign(address), " ", link("/refusals", { client_address: address }, "all of this address")] : undefined],
      ["Tenant", tenant === "_" ? "none: the path named no source" : [foreign(tenant), configured ? "" : " is not configured: he has left, or somebody wrote this into the database"]],
      ["Record", foreign(id)],
      ...others.map(([name, value]) => [words(name), foreign(asText(value))]),
    ]),
    record.header_names && el("h3", {}, "Names of headers"),
    record.header_names?.length > 0 ? el("ul", { class: "names" }, record.header_names.map((name) => el("li", {}, foreign(name)))) : "",
    record.body_sample ? [el("h3", {}, "How the body begins"), el("p", { class: "hint" }, "Each letter is shown as a, each digit as 0."), el("pre", { class: "foreign", tabindex: "0" }, record.body_sample)] : "",
  );
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function actions(item, operates) {
  const { id, source, record, kept_body: kept } = item;
  const event = record?.event_id;
  const place = el("div", { class: "outcome" });
  const readmit = async () => {
    if (!(await confirmed("Verify it again, and admit it?", "The kept body is verified with the secrets of now, and its time judged at the time that was logged. If that holds, the event is taken as any other, and recorded as readmitted.", "Re-admit"))) return undefined;
    const told = await ask(`records/${encodeURIComponent(id)}/readmit`, { method: "POST" });
    const isNew = told.status === "readmitted";
    return el("p", { class: "notice good" }, badge(isNew ? "accepted" : "duplicate", told.status), isNew ? " The event is on its way, as any other." : " The event was taken before: nothing is sent.");
  };
  return panel(
    "Actions",
    kept
      ? el("p", {}, `Its body is kept: ${grouped(kept.bytes)} bytes, until `, time(kept.kept_until), " UTC.")
      : el("p", { class: "hint" }, "Its body was not kept, so it cannot be verified again here: have the sender send it again."),
    el(
      "div",
      { class: "actions" },
      kept && operates ? doing("Re-admit", place, readmit, { class: "primary" }) : "",
      source && operates ? link("/forget", { source, ...(record?.dedup_key ? { dedup_key: record.dedup_key } : { event_id: event }) }, "Forget an event of this source") : "",
      operates ? "" : el("span", { class: "hint" }, "To change something needs the role operate."),
    ),
    place,
  );
}

function proof(item) {
  const { log, leaf_hash: leaf } = item;
  const place = el("div", { class: "outcome" });
  return panel(
    "In the log",
    log?.state === "contradicted" && el("p", { class: "notice bad", role: "alert" }, badge("refused", "Altered"), " What stands here is not what was logged. Export the log, and check it with hookgate audit verify: it names each record that was changed."),
    facts([["State", words(log?.state ?? "unknown")], ["Log of", foreign(log?.tenant ?? item.tenant)], ["Leaf hash", foreign(leaf)]]),
    item.proof
      ? [el("div", { class: "actions" }, doing("Check its place in the log", place, () => recordVerified(item))), place]
      : el("p", { class: "hint" }, "There is no proof yet: the log takes records within a minute."),
  );
}
