// How each source is.

import { badge, el, foreign, link, table, time } from "./dom.mjs";
import { grouped, seconds, share } from "./text.mjs";

/** From here on the clock of a sender is near its tolerance. */
const NEAR = 0.8;

export function sourcesTable(sources) {
  return table(
    "Sources, in the last 24 hours",
    [
      ["Source", ({ name, tenant, scheme }) => [link("/refusals", { source: name, tenant }, foreign(name)), el("span", { class: "aside" }, `${tenant} · ${scheme}`)]],
      ["State", state],
      ["Accepted", ({ accepted }) => grouped(accepted ?? 0), "number"],
      ["Refused", (source) => [grouped(source.refused ?? 0), el("span", { class: "aside" }, share(source.refused ?? 0, whole(source)))], "number"],
      ["Unavailable", ({ unavailable }) => grouped(unavailable ?? 0), "number"],
      ["Last accepted (UTC)", ({ last_accepted_at: at }) => time(at)],
      ["Secrets", ({ secrets = [] }) => (secrets.length === 0 ? el("span", { class: "none" }, "–") : el("ul", { class: "secrets" }, secrets.map(secret)))],
      ["Clock skew", skewOf],
    ],
    sources,
    { empty: "There is no source to show." },
  );
}

const whole = ({ accepted = 0, duplicate = 0, refused = 0, unavailable = 0 }) => accepted + duplicate + refused + unavailable;

function state(source) {
  if (source.quiet) return badge("unavailable", "quiet");
  const isRefused = whole(source) > 0 && (source.refused ?? 0) === whole(source);
  if (isRefused) return badge("refused", "all refused");
  if ((source.unavailable ?? 0) > 0) return badge("unavailable", "unavailable");
  return whole(source) === 0 ? badge("observed", "no traffic") : badge("accepted", "takes events");
}

const secret = ({ name, last_matched_at: at, note }) => el("li", {}, foreign(name), at ? [" matched ", time(at)] : " has not matched", note ? el("span", { class: "aside" }, note) : "");

function skewOf({ skew }) {
  if (!skew) return el("span", { class: "none" }, "no signed time");
  const { p50_seconds: p50, p99_seconds: p99, tolerance_seconds: tolerance } = skew;
  const isNear = Math.abs(p99) > tolerance * NEAR;
  return [
    el("span", { class: isNear ? "skew warn" : "skew" }, `p50 ${seconds(p50)}, p99 ${seconds(p99)}`),
    el("meter", { min: 0, max: tolerance, high: tolerance * NEAR, optimum: 0, value: Math.min(Math.abs(p99), tolerance), "aria-label": `p99 of the skew against the tolerance of ${tolerance} seconds` }),
    el("span", { class: "aside" }, `${isNear ? "near the tolerance of" : "tolerance"} ${seconds(tolerance)}`),
  ];
}
