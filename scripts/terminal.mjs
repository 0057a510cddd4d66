// Text that strangers wrote, on the way to a person's terminal.

/** Control characters and those that reorder text: they could hide or fake lines. */
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line, with `?` for every character that could act on the terminal. */
export function oneLine(value, lengthMax = 200) {
  const text = String(value ?? "").replace(HARMFUL, "?");
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}

/** JSON text, unchanged in meaning: harmful characters inside its strings become \u escapes. */
export function safeJson(text) {
  return text.replace(HARMFUL, (character) =>
    character === "\n" || character === "\r" || character === "\t"
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Ends the program with one sentence. */
export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
