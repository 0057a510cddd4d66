// The first page: what happened in a time, what fires, and how each source is.

import { attempt } from "./api.mjs";
import { chart } from "./chart.mjs";
import { badge, el, failure, field, foreign, link, panel, select, time } from "./dom.mjs";
import { sourcesTable } from "./sources.mjs";
import { grouped, share, utc, words } from "./text.mjs";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** By name: how long, the step of the counts, and how its times are written. */
const RANGES = {
  "1h": ["Last hour", HOUR_MS, "minute", MINUTE_MS, (at) => utc(at).slice(11, 16)],
  "24h": ["Last 24 hours", DAY_MS, "hour", HOUR_MS, (at) => utc(at).slice(5, 16)],
  "7d": ["Last 7 days", 7 * DAY_MS, "hour", HOUR_MS, (at) => utc(at).slice(5, 16)],
  "30d": ["Last 30 days", 30 * DAY_MS, "day", DAY_MS, (at) => utc(at).slice(0, 10)],
};
const REASONS_MAX = 8;
const TILES = ["accepted", "duplicate", "refused", "unavailable"];

export async function overview({ params, go, scope }) {
  const range = Object.hasOwn(RANGES, params.range ?? "") ? params.range : "24h";
  const [, length, step, stepMs, format] = RANGES[range];
  const to = Math.ceil(Date.now() / stepMs) * stepMs;
  const asked = { tenant: params.tenant, source: params.source, from: new Date(to - length).toISOString(), to: new Date(to).toISOString() };
  const [verdicts, reasons, sources, alerts] = await Promise.all([
    attempt("counts", { params: { ...asked, step, by: "verdict" } }),
    attempt("counts", { params: { ...asked, step: "day", by: "reason" } }),
    attempt("sources"),
    attempt("alerts"),
  ]);
  const isOf = (item) => (!params.tenant || item.tenant === params.tenant) && (!params.source || (item.source ?? item.name) === params.source);
  const known = sources.sources ?? [];
  return el(
    "div",
    { class: "view" },
    el("div", { class: "heading" }, el("h1", { tabindex: "-1" }, "Overview"), choices(params, range, known, go, scope)),
    firing((alerts.alerts ?? []).filter(isOf), alerts),
    verdicts.counts ? numbers(verdicts.counts, { from: to - length, to, stepMs, step, format }) : failure(verdicts),
    el(
      "div",
      { class: "columns" },
      panel("Top reasons", reasons.counts ? topReasons(reasons.counts, asked, params) : failure(reasons)),
      panel("What is not here", verdicts.counts ? notHere(verdicts.counts) : failure(verdicts)),
    ),
    panel("Sources", sources.sources ? sourcesTable(known.filter(isOf)) : failure(sources)),
  );
}

function choices(params, range, sources, go, scope) {
  const tenants = scope.tenants ?? [...new Set(sources.map(({ tenant }) => tenant))].sort();
  const named = (names, all) => [["", all], ...names.map((name) => [name, name])];
  const form = el(
    "form",
    { class: "choices", submit: (event) => event.preventDefault(), change: () => go("/", Object.fromEntries(new FormData(form))) },
    field("Time", select("range", Object.entries(RANGES).map(([name, [text]]) => [name, text]), range)),
    field("Tenant", select("tenant", named(tenants, "All"), params.tenant)),
    field("Source", select("source", named(sources.filter(({ tenant }) => !params.tenant || tenant === params.tenant).map(({ name }) => name), "All"), params.source)),
  );
  return form;
}

function firing(alerts, asked) {
  if (!asked.alerts) return asked.status === 404 ? undefined : failure(asked);
  const now = alerts.filter(({ state }) => state === "firing");
  if (now.length === 0) return el("p", { class: "notice good" }, badge("accepted", "OK"), " No alert is firing.");
  return el(
    "ul",
    { class: "alerts", "aria-label": "Firing alerts" },
    now.map(({ rule, source, tenant, since, value, threshold }) =>
      el("li", { class: "notice bad" }, badge("refused", "Firing"), " ", el("strong", {}, words(rule)), source ? [" on ", foreign(source)] : "", tenant ? [" of ", foreign(tenant)] : "", since ? [" since ", time(since)] : "", value === undefined || value === null ? "" : `: ${value} against ${threshold}`)),
  );
}

function numbers(counts, { from, to, stepMs, step, format }) {
  const buckets = [];
  for (let at = from; at < to; at += stepMs) buckets.push({ at, numbers: {} });
  const sums = {};
  for (const { at, verdict, number } of counts) {
    const bucket = buckets[Math.floor((new Date(at).getTime() - from) / stepMs)];
    if (bucket) bucket.numbers[verdict] = (bucket.numbers[verdict] ?? 0) + number;
    sums[verdict] = (sums[verdict] ?? 0) + number;
  }
  const all = Object.values(sums).reduce((sum, number) => sum + number, 0);
  return panel(
    "Verdicts",
    el("ul", { class: "tiles" }, TILES.map((verdict) => el("li", { class: "tile" }, el("span", { class: `swatch ${verdict}`, "aria-hidden": "true" }), el("span", { class: "tile-name" }, verdict), el("span", { class: "tile-number" }, grouped(sums[verdict] ?? 0)), el("span", { class: "tile-share" }, share(sums[verdict] ?? 0, all))))),
    chart(buckets, `a ${step}`, format),
  );
}

function topReasons(counts, asked, params) {
  const sums = new Map();
  for (const { verdict, reason, number } of counts) if (reason) sums.set(reason, { verdict, number: (sums.get(reason)?.number ?? 0) + number });
  const top = [...sums].sort(([, left], [, right]) => right.number - left.number).slice(0, REASONS_MAX);
  if (top.length === 0) return el("p", { class: "none" }, "Nothing was refused.");
  const [[, { number: highest }]] = top;
  return el(
    "ol",
    { class: "reasons" },
    top.map(([reason, { verdict, number }]) =>
      el("li", {}, link("/refusals", { reason, verdict: verdict === "refused" ? undefined : verdict, tenant: params.tenant, source: params.source, from: asked.from, to: asked.to }, words(reason)), el("meter", { min: 0, max: highest, value: number, "aria-label": `${reason}: ${number}` }), el("span", { class: "number" }, grouped(number)))),
  );
}

/** Whoever compares with the platform's own number sees what ended without a verdict, instead of not knowing of it. */
function notHere(counts) {
  const held = counts.reduce((sum, { number }) => sum + number, 0);
  const told = el("output", {}, "");
  const compare = () => {
    const theirs = Number(input.value);
    if (input.value === "" || !Number.isInteger(theirs) || theirs < 0) return (told.textContent = "");
    const missing = theirs - held;
    return (told.textContent = missing >= 0 ? `${grouped(missing)} invocations have no verdict here.` : `There are ${grouped(-missing)} verdicts more than that: the times are not the same, or counts of before came later.`);
  };
  const input = el("input", { inputmode: "numeric", autocomplete: "off", pattern: "[0-9]*", input: compare });
  return [
    el("p", {}, `Here are ${grouped(held)} verdicts. They are not claimed to be all: what an isolate had counted and not sent when it ended is missing (at most 25 s of it), and so is a request that the platform ended itself.`),
    field("Requests that Cloudflare counted in this time", input, "From the Worker's metrics, without those for /admin and /healthz."),
    told,
    el("p", { class: "hint" }, "The exact account is the log: one line for each verdict."),
  ];
}

