// What is uploaded: every module of the Worker, compressed.
import { gzipSync } from "node:zlib";
import { CONTENDERS } from "../contenders.mjs";
import { BARS, HELD } from "../rows.mjs";
import { table } from "../support/tables.mjs";

const LEVEL = 9;
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

export const size = {
  measure({ quick, say, judged }) {
    const modules = CONTENDERS.gate.modules();
    const bytes = Object.fromEntries(
      modules.map(({ name, contents }) => [name, { raw: contents.length, gzipped: gzipSync(contents, { level: LEVEL }).length }]),
    );
    const total = Object.values(bytes).reduce((sum, { gzipped }) => sum + gzipped, 0);
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
        ["together", "", `${grouped(total)} (at most ${grouped(BARS.gzippedBytes)})`],
      ],
    ),
};
