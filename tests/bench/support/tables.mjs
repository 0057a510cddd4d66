// Markdown.

export const table = (head, rows) =>
  [head, head.map((_, index) => (index === 0 ? "---" : "--:")), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

export const times = (ratio) => ratio.toFixed(2);
export const range = ({ interval: [low, high] }) => `${times(low)} – ${times(high)}`;
export const ms = (value) => value.toFixed(value < 10 ? 2 : 1);

/** `text` with what stands between the marks of `name` replaced. */
export function replaced(text, name, content) {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}
