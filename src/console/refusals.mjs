// Refusals by filters, which stand in the address: a link to a colleague shows what is seen here.

import { attempt, fetched } from "./api.mjs";
import { badge, doing, el, failure, field, foreign, link, select, table, time } from "./dom.mjs";
import { grouped, utc, words } from "./text.mjs";

const PAGE = 50;
/** An export of more than so many pages is better made by a program: the read API has a cursor. */
const EXPORT_PAGES_MAX = 200;
/** The record has more than refusals; where nothing is said it is those that are looked for. */
const VERDICTS = { "": "refused", unavailable: "unavailable", admin: "done by operators", any: "any" };
const wanted = (asked) => ({ ...asked, verdict: asked.verdict === "any" ? undefined : (asked.verdict ?? "refused") });
const FILTERS = ["tenant", "source", "verdict", "reason", "key_id", "from", "to", "client_address", "request_id", "event_id"];
/** Of these, the ones that are asked for less often. */
const MORE = ["client_address", "request_id", "event_id", "key_id"];
const FORMATS = { ndjson: "NDJSON", csv: "CSV", ocsf: "OCSF" };

const filtersOf = (params) => Object.fromEntries(FILTERS.filter((name) => params[name]).map((name) => [name, params[name]]));
/** Times are written in UTC, whatever the browser's own zone is. */
const TIME = "\\d{4}-\\d{2}-\\d{2}([ T]\\d{2}:\\d{2}(:\\d{2})?)?";
const rfcOf = (text) => {
  const [day, clock = "00:00:00"] = text.split(/[ T]/);
  return text === "" ? "" : `${day}T${clock.length === 5 ? `${clock}:00` : clock}Z`;
};

export async function refusals({ params, go, scope }) {
  const asked = filtersOf(params);
  const [found, sources] = await Promise.all([attempt("records", { params: { ...wanted(asked), cursor: params.cursor, limit: PAGE } }), attempt("sources")]);
  return el(
    "div",
    { class: "view" },
    el("h1", { tabindex: "-1" }, "Refusals"),
    filterForm(asked, sources.sources ?? [], go, scope),
    found.records ? listOf(found, asked, params) : failure(found),
    found.records && exporting(asked),
  );
}

function filterForm(asked, sources, go, scope) {
  const tenants = scope.tenants ?? [...new Set([...sources.map(({ tenant }) => tenant), "_"])].sort();
  const named = (names, chosen) => [["", "All"], ...[...new Set([...names, ...(chosen ? [chosen] : [])])].map((name) => [name, name])];
  const input = (name, attributes = {}) => el("input", { name, value: asked[name] ?? "", autocomplete: "off", spellcheck: "false", ...attributes });
  const at = (name) => input(name, { placeholder: "2026-01-31 14:00", pattern: TIME, title: "2026-01-31 14:00, in UTC", value: asked[name] ? utc(asked[name]) : "" });
  const form = el(
    "form",
    {
      class: "filters",
      role: "search",
      submit: (event) => {
        event.preventDefault();
        const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
        go("/refusals", { ...given, from: rfcOf(given.from), to: rfcOf(given.to) });
      },
    },
    field("Tenant", select("tenant", named(tenants, asked.tenant).map(([value, text]) => [value, value === "_" ? "_ (no source)" : text]), asked.tenant)),
    field("Source", sources.length > 0 ? select("source", named(sources.map(({ name }) => name), asked.source), asked.source) : input("source")),
    field("Verdict", select("verdict", Object.entries(VERDICTS), asked.verdict)),
    field("Reason", input("reason", { placeholder: "signature_mismatch" })),
    field("From (UTC)", at("from")),
    field("To (UTC)", at("to")),
    el(
      "details",
      { class: "more", open: MORE.some((name) => asked[name]) },
      el("summary", {}, "Address and ids"),
      el("div", { class: "more-fields" }, field("Client address", input("client_address")), field("Request id", input("request_id", { placeholder: "req_…" })), field("Event id", input("event_id")), field("Key id", input("key_id"))),
    ),
    el("div", { class: "actions" }, el("button", { class: "primary" }, "Filter"), link("/refusals", {}, "Clear")),
  );
  return form;
}

function listOf({ records, cursor }, asked, params) {
  return el(
    "section",
    { class: "panel", "aria-label": "Refusals found" },
    table(
      "Refusals, newest first",
      [
        ["Time (UTC)", ({ id, at }) => link(`/refusals/${encodeURIComponent(id)}`, {}, time(at))],
        ["Source", ({ source, tenant, configured }) => [source ? foreign(source) : el("span", { class: "none" }, "none"), el("span", { class: "aside" }, tenant, configured ? "" : ": not configured")]],
        ["Reason", ({ verdict, reason }) => [badge(verdict, verdict), " ", link("/refusals", { ...asked, reason }, words(reason))]],
        ["From", ({ client_address: address, record }) => [foreign(address ?? record?.client_network), record?.country ? el("span", { class: "aside" }, record.country) : ""]],
        ["Request", ({ record, expired }) => (record ? told(record) : el("span", { class: "none" }, expired ? "expired" : "–")), "wide"],
        ["User agent", ({ record }) => foreign(record?.user_agent), "wide"],
      ],
      records,
      { empty: cursor ? "None among those that were looked at. Older ones may fit." : "No refusal fits. Those above a flood's bound are counted in the overview, not listed here." },
    ),
    el(
      "p",
      { class: "paging" },
      `${grouped(records.length)} shown${asked.from || asked.request_id ? "" : ", of 24 hours: set a time for others"}`,
      params.cursor ? [" · ", link("/refusals", asked, "Newest")] : "",
      cursor ? [" · ", link("/refusals", { ...asked, cursor }, "Older")] : "",
    ),
  );
}

/** Of an operator's action: whose, and on what. */
const told = (record) => (record.operator ? [foreign(record.operator), " ", foreign(record.about ?? record.readmitted)] : [foreign(record.method), " ", foreign(record.path)]);

function exporting(asked) {
  const place = el("span", {});
  const format = select("format", Object.entries(FORMATS), "ndjson");
  return el("div", { class: "export" }, field("Export as", format), doing("Download what is filtered", place, () => exported(format.value, asked)), place);
}

/** All pages in one file. A CSV's heading is the same on each page, and stands once. */
async function exported(format, asked) {
  const parts = [];
  let heading;
  let cursor;
  let pages = 0;
  do {
    const response = await fetched("export", { params: { ...wanted(asked), format, cursor } });
    let text = await response.text();
    if (format === "csv") {
      const first = text.slice(0, text.indexOf("\n") + 1);
      if (heading === undefined) heading = first;
      else if (first === heading) text = text.slice(first.length);
    }
    parts.push(text);
    cursor = response.headers.get("hookgate-cursor");
    pages += 1;
  } while (cursor && pages < EXPORT_PAGES_MAX);
  const url = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  const name = `hookgate-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format === "csv" ? "csv" : "ndjson"}`;
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return el("span", { class: cursor ? "notice bad" : "aside" }, `${name}${cursor ? `: the first ${EXPORT_PAGES_MAX} pages. There are more: narrow the filters.` : ""}`);
}
