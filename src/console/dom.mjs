// Elements. There is one way to make them, and it knows no markup: whatever is given to it is text.

import { ago, partsOf, plain, utc } from "./text.mjs";

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "line", "title", "path"]);
/** Where a link may lead: into the console, to a file of the API, or to what was made here. Nothing that was received is a link. */
const LINKS = /^(#\/|\/admin\/v1\/|blob:|\/cdn-cgi\/access\/logout$)/;

/**
 * An element with these attributes and children. A function is a listener; `false`, `null` and `undefined` leave an attribute or a
 * child out; lists are children one by one.
 */
export function el(tag, attributes = {}, ...children) {
  const isSvg = SVG_TAGS.has(tag);
  const element = isSvg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "href" && !LINKS.test(value)) throw new TypeError("such a link is not made here");
    else if (name === "value") element.value = value;
    else if (name === "checked" || name === "selected") element[name] = true;
    else element.setAttribute(name, value === true ? "" : plain(value));
  }
  const isFlat = isSvg || tag === "option" || tag === "textarea";
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    if (child instanceof Node) element.append(child);
    else if (isFlat) element.append(plain(child));
    else element.append(...textNodes(String(child)));
  }
  return element;
}

function textNodes(text) {
  return partsOf(text).map(([part, isHidden]) => {
    if (!isHidden) return document.createTextNode(part);
    const mark = document.createElement("span");
    mark.className = "hidden-character";
    mark.textContent = part;
    return mark;
  });
}

/** Text that somebody else wrote: it stands by itself, whatever direction it asks for. */
export const foreign = (text, tag = "code") => (text === null || text === undefined || text === "" ? el("span", { class: "none" }, "–") : el("bdi", {}, el(tag, { class: "foreign" }, text)));

export const time = (value) => (value ? el("time", { datetime: value, title: `${ago(value)} · ${new Date(value).toLocaleString()} here` }, utc(value)) : el("span", { class: "none" }, "never"));

/** A link into the console; filters are parameters, empty ones left out. */
export const link = (path, params, ...children) => el("a", { href: addressOf(path, params) }, ...children);

export function addressOf(path, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString();
  return `#${path}${query === "" ? "" : `?${query}`}`;
}

export const badge = (kind, text) => el("span", { class: `badge ${/^[a-z]+$/.test(kind) ? kind : ""}` }, text);

/** A section with its heading. */
export function panel(title, ...children) {
  const id = `h-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return el("section", { class: "panel", "aria-labelledby": id }, el("h2", { id }, title), ...children);
}

/** What is shown of a question that failed. */
export const failure = (problem) =>
  el("div", { class: "notice bad", role: "alert" }, el("strong", {}, problem.title ?? "That did not work"), problem.detail ? ` ${problem.detail}` : "", problem.requestId ? el("span", { class: "aside" }, ` ${problem.requestId}`) : "");

/**
 * A table. `columns` are `[heading, cell of a row, class]`; on narrow screens each row is a card, whose lines the headings label.
 * It can be scrolled with the keyboard where it is wider than the screen.
 */
export function table(caption, columns, rows, { empty = "Nothing.", hideCaption = true } = {}) {
  if (rows.length === 0) return el("p", { class: "none" }, empty);
  const cells = (row) => columns.map(([heading, cell, kind], index) => el(index === 0 ? "th" : "td", { class: kind, "data-label": heading, scope: index === 0 && "row" }, cell(row)));
  return el(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    el(
      "table",
      {},
      el("caption", { class: hideCaption && "away" }, caption),
      el("thead", {}, el("tr", {}, columns.map(([heading, , kind]) => el("th", { scope: "col", class: kind }, heading)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, cells(row)))),
    ),
  );
}

/** Terms and what they are; terms without a value are left out. */
export const facts = (pairs) =>
  el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== undefined && value !== null && value !== "").map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))));

let fields = 0;
/** A labelled control. */
export function field(label, control, hint) {
  fields += 1;
  const id = `f${fields}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return el("div", { class: "field" }, el("label", { for: id }, label), control, hint && el("p", { class: "hint", id: `${id}-hint` }, hint));
}

export const select = (name, options, chosen) =>
  el("select", { name }, options.map(([value, text]) => el("option", { value, selected: value === (chosen ?? "") }, text)));

/** Tells whoever cannot see the page what happened. */
export function say(text) {
  document.getElementById("said").textContent = plain(text);
}

/** Asks before something is changed. */
export function confirmed(title, text, verb) {
  return new Promise((resolve) => {
    const close = (answer) => () => dialog.close(answer);
    const dialog = el(
      "dialog",
      { "aria-labelledby": "ask-title", close: () => (resolve(dialog.returnValue === "yes"), dialog.remove()) },
      el("h2", { id: "ask-title" }, title),
      el("p", {}, text),
      el("div", { class: "actions" }, el("button", { type: "button", click: close("no") }, "Cancel"), el("button", { type: "button", class: "primary", click: close("yes") }, verb)),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A button that does one thing at a time, and shows what came of it in `place`. */
export function doing(label, place, effect, attributes = {}) {
  const button = el("button", { type: "button", ...attributes, click: async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      const shown = await effect();
      if (shown) {
        place.replaceChildren(shown);
        say(shown.textContent);
      }
    } catch (problem) {
      place.replaceChildren(failure(problem));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  } }, label);
  return button;
}
