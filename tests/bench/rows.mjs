// What is measured, and what must hold. A new row is one entry here.

/**
 *   name     also what --row takes
 *   source   of sources.toml
 *   verdict  of support/requests.mjs
 *   bytes    the body's size
 *   against  the contenders beside the gate
 *   bars     `{ base, most }`: the gate costs at most `most` times what `base` costs
 *   quick    part of --quick
 */
const KB = 1_024;
const row = (name, source, verdict, bytes, against, bars = [], quick = false) => ({ name, source, verdict, bytes, against, bars, quick });
const most = (base, times) => ({ base, most: times });

const FLOORS = ["js-nothing", "js-read-body"];
const CAREFUL = ["js-careful"];

export const ROWS = [
  row("accepted-256", "standard", "accepted", 256, [...FLOORS, ...CAREFUL]),
  row("accepted-1k", "standard", "accepted", KB, [...FLOORS, ...CAREFUL], [most("js-careful", 1.0)], true),
  row("accepted-16k", "standard", "accepted", 16 * KB, [...FLOORS, ...CAREFUL], [most("js-careful", 1.05)], true),
  row("accepted-1k-ledger", "standard-ledger", "accepted", KB, CAREFUL, [most("js-careful", 1.0)]),
  row("accepted-16k-ledger", "standard-ledger", "accepted", 16 * KB, CAREFUL, [most("js-careful", 1.05)]),
  row("duplicate-1k", "standard", "duplicate", KB, CAREFUL, [most("js-careful", 1.0)], true),
  row("duplicate-1k-ledger", "standard-ledger", "duplicate", KB, CAREFUL),
  row("verified-256k", "standard-observed", "observed", 256 * KB, ["js-read-body", ...CAREFUL], [most("js-careful", 1.05)]),
  row("verified-1m", "standard-observed", "observed", KB * KB, ["js-read-body", ...CAREFUL], [most("js-careful", 1.05)]),
  row("forged-256", "standard", "forged", 256, ["js-read-body", ...CAREFUL], [most("js-read-body", 1.25)]),
  row("forged-1k", "standard", "forged", KB, ["js-read-body", ...CAREFUL], [most("js-read-body", 1.25)], true),
  row("forged-16k", "standard", "forged", 16 * KB, ["js-read-body", ...CAREFUL], [most("js-careful", 1.05)]),
  row("forged-256k", "standard-observed", "forged", 256 * KB, ["js-read-body", ...CAREFUL], [most("js-careful", 1.05)]),
  row("forged-1m", "standard-observed", "forged", KB * KB, ["js-read-body", ...CAREFUL], [most("js-careful", 1.05)]),
  row("stale-1k", "standard", "stale", KB, ["js-read-body", ...CAREFUL]),
  row("unknown-1k", "standard", "unknown", KB, ["js-nothing", ...CAREFUL], [most("js-careful", 1.05)], true),
  row("malformed-1k", "standard", "malformed", KB, ["js-nothing", ...CAREFUL], [most("js-careful", 1.05)]),
];
