// Texts as they are shown. What strangers wrote may hold characters that hide, reorder or command: each of them is
// shown by its code point, so that what is read is what was sent.

/** Controls, formats (bidirectional, zero-width, tags), surrogates, private and unassigned ones, separators, and what is blank without being a space. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]|(?! )\p{Zs}/gu;

/** What is longer than this is cut, and said to be. */
const SHOWN_MAX = 4_000;

const codePoint = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A text in parts: `[text, isHidden]`. A hidden character is a part of its own, as its code point. */
export function partsOf(text) {
  const shown = text.length > SHOWN_MAX ? text.slice(0, SHOWN_MAX) : text;
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of shown.matchAll(HIDDEN)) {
    if (index > end) parts.push([shown.slice(end, index), false]);
    parts.push([codePoint(found), true]);
    end = index + found.length;
  }
  if (end < shown.length) parts.push([shown.slice(end), false]);
  if (shown !== text) parts.push([`cut: ${grouped(text.length)} characters`, true]);
  return parts;
}

/** The same as one text, for places that take no elements. */
export const plain = (text) => partsOf(String(text)).map(([part, isHidden]) => (isHidden ? `<${part}>` : part)).join("");

const GROUPED = new Intl.NumberFormat("en");
export const grouped = (number) => GROUPED.format(number);

/** One percentage, with a digit more where it would look like nothing or like all. */
export function share(part, whole) {
  if (!(whole > 0)) return "–";
  const percent = (part / whole) * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  const digits = percent < 1 || percent > 99 ? 2 : percent < 10 ? 1 : 0;
  return `${percent.toFixed(digits)} %`;
}

/** In UTC, as logs have it: `2026-11-22 22:41:07`. */
export function utc(value) {
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? String(value) : time.toISOString().replace("T", " ").slice(0, 19);
}

/** How long it is since then, in the largest unit. */
export function ago(value, now = Date.now()) {
  const seconds = Math.round((now - new Date(value).getTime()) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 0) return "in the future";
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["min", 60]]) {
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  }
  return `${seconds} s ago`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size >= 120 ? `${(value / 60).toFixed(size < 600 ? 1 : 0)} min` : `${Number(value.toFixed(size < 10 ? 1 : 0))} s`;
}

/** `signature_mismatch` as words. */
export const words = (name) => String(name ?? "").replaceAll("_", " ");
