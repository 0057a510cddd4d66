// Numbers over time, as bars and as a table.

import { el } from "./dom.mjs";
import { grouped, utc } from "./text.mjs";

const WIDTH = 960;
const HEIGHT = 88;

/** What is taken and what is not have a strip and a scale each: a thousand accepted events must not hide one refusal. */
export const STRIPS = [
  ["Taken", ["accepted", "revived", "duplicate", "challenged", "permitted"]],
  ["Not taken", ["refused", "unavailable", "observed"]],
];

/**
 * `buckets` are `{ at, numbers }` without gaps, `numbers` by verdict.
 */
export function chart(buckets, stepWords, format = utc) {
  const strips = STRIPS.map(([name, verdicts]) => strip(name, verdicts.filter((verdict) => buckets.some(({ numbers }) => numbers[verdict] > 0)), buckets, stepWords, format));
  return el("div", { class: "chart" }, strips, el("div", { class: "axis", "aria-hidden": "true" }, [0, Math.floor((buckets.length - 1) / 2), buckets.length - 1].map((index) => el("span", {}, format(buckets[index].at)))), tableOf(buckets, format));
}

function strip(name, verdicts, buckets, stepWords, format) {
  const sum = ({ numbers }) => verdicts.reduce((total, verdict) => total + (numbers[verdict] ?? 0), 0);
  const highest = Math.max(1, ...buckets.map(sum));
  const total = buckets.reduce((all, bucket) => all + sum(bucket), 0);
  const slot = WIDTH / buckets.length;
  const bars = buckets.map((bucket, index) => {
    let top = HEIGHT;
    const rects = verdicts.filter((verdict) => bucket.numbers[verdict] > 0).map((verdict) => {
      // One is to be seen beside a thousand.
      const height = Math.max(1.5, (bucket.numbers[verdict] / highest) * (HEIGHT - 2));
      top -= height;
      return el("rect", { class: `bar ${verdict}`, x: index * slot + slot * 0.1, y: Math.max(0, top), width: slot * 0.8, height });
    });
    const told = verdicts.filter((verdict) => bucket.numbers[verdict] > 0).map((verdict) => `${grouped(bucket.numbers[verdict])} ${verdict}`).join(", ");
    return el("g", {}, el("rect", { class: "slot", x: index * slot, y: 0, width: slot, height: HEIGHT }), rects, el("title", {}, `${format(bucket.at)}: ${told || "none"}`));
  });
  const summary = `${name}: ${grouped(total)} in all, at most ${grouped(highest)} ${stepWords}`;
  return el(
    "figure",
    { class: "strip" },
    el("figcaption", {}, el("span", { class: "strip-name" }, name), el("span", { class: "legend" }, verdicts.map((verdict) => el("span", { class: "key" }, el("span", { class: `swatch ${verdict}`, "aria-hidden": "true" }), verdict))), el("span", { class: "scale" }, total === 0 ? "none" : `at most ${grouped(highest)} ${stepWords}`)),
    el("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": summary }, bars),
  );
}

function tableOf(buckets, format) {
  const verdicts = STRIPS.flatMap(([, names]) => names).filter((verdict) => buckets.some(({ numbers }) => numbers[verdict] > 0));
  const filled = buckets.filter(({ numbers }) => Object.values(numbers).some((number) => number > 0));
  return el(
    "details",
    { class: "as-table" },
    el("summary", {}, "The same as a table"),
    filled.length === 0
      ? el("p", { class: "none" }, "Nothing in this time.")
      : el(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": "Verdicts over time" },
          el(
            "table",
            { class: "plain" },
            el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Time (UTC)"), verdicts.map((verdict) => el("th", { scope: "col", class: "number" }, verdict)))),
            el("tbody", {}, filled.map(({ at, numbers }) => el("tr", {}, el("th", { scope: "row" }, format(at)), verdicts.map((verdict) => el("td", { class: "number" }, grouped(numbers[verdict] ?? 0)))))),
          ),
        ),
  );
}
