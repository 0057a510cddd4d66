// What wrangler uploads, compressed: the modules as one, and the wasm.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { CONTENDERS } from "../contenders.mjs";
import { bundled } from "../support/bundle.mjs";
import { BARS, HELD } from "../rows.mjs";
import { table } from "../support/tables.mjs";

const LEVEL = 9;
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

export const size = {
  measure({ quick, say, judged }) {
    const modules = uploaded(CONTENDERS.gate);
    const bytes = Object.fromEntries(
      modules.map(({ name, contents }) => [name, { raw: contents.length, gzipped: gzipSync(contents, { level: LEVEL }).length }]),
    );
    const total = Object.entries(bytes).reduce((sum, [name, { gzipped }]) => (isCode(name) ? sum + gzipped : sum), 0);
    say(`size: ${grouped(total)} bytes gzipped`);
    return {
      bytes,
      total,
      bars: [judged("size, gzipped bytes", { median: total, interval: [total, total] }, quick ? HELD.gzippedBytes : BARS.gzippedBytes)],
    };
  },
  draw: ({ bytes, total }) =>
    table(
      ["module", "bytes", "gzipped"],
      [
        ...Object.entries(bytes).map(([name, { raw, gzipped }]) => [`\`${name}\``, grouped(raw), grouped(gzipped)]),
        ["together, without the console's pages", "", `${grouped(total)} (at most ${grouped(BARS.gzippedBytes)})`],
      ],
    ),
};

/** The console's pages are no code of the Worker, which hands them out as they are. */
const isCode = (name) => !name.startsWith("src/console/");

/** The contender's modules, those of JavaScript bundled. */
function uploaded({ main, modules }) {
  const directory = mkdtempSync(join(tmpdir(), "hookgate-size-"));
  try {
    for (const { name, contents } of modules()) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), contents);
    }
    const others = modules().filter(({ type }) => type !== "esModule");
    return [{ name: main, contents: bundled(join(directory, main)) }, ...others];
  } finally {
    rmSync(directory, { recursive: true });
  }
}
