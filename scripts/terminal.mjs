// Text that strangers wrote, on the way to a person's terminal.

/** Control characters, and those that are not seen and can reorder, hide or fake text. The native tool's list
 * (src/bin/hookgate/tool/terminal.rs) is the same. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

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
      : Array.from({ length: character.length }, (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** Ends the program with one sentence. */
export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
