// Chance that can be had again: the same seed gives the same plan, the same traffic, the same order.

/** A source of numbers below 1. The generator is mulberry32, public domain. */
export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    /** A whole number below `end`. */
    below: (end) => Math.floor(next() * end),
    /** Another source, so that what runs at once does not take each other's numbers. */
    fork: () => chance(Math.floor(next() * 4_294_967_296)),
    is: (probability) => next() < probability,
    one: (list) => list[Math.floor(next() * list.length)],
    hex: (digits) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(""),
    shuffled: (list) => {
      const all = [...list];
      for (let index = all.length - 1; index > 0; index -= 1) {
        const other = Math.floor(next() * (index + 1));
        [all[index], all[other]] = [all[other], all[index]];
      }
      return all;
    },
  };
}
