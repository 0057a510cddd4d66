// Random changes to a genuine request, from a seed. Keys and clock are fresh in each run, so a failure shows the request.

/** A stream of numbers: mulberry32, good enough to choose test cases with. */
export function chance(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (end) => next() % end;
  return { below, one: (list) => list[below(list.length)] };
}

const CHARACTERS = [..."0123456789abcdefABCDEFxyz+/=-_., ;:"];

/** One character of a text replaced, put in or taken out. */
function edited(text, { below, one }) {
  const at = below(text.length + 1);
  return one([
    () => text.slice(0, at) + one(CHARACTERS) + text.slice(at + 1),
    () => text.slice(0, at) + one(CHARACTERS) + text.slice(at),
    () => text.slice(0, at) + text.slice(at + 1),
  ])();
}

/** Up to two changes, in the headers or the body. White space at a header's ends does not travel, and stays away. */
export function changed(request, dice) {
  let { headers, body } = request;
  for (let left = dice.below(3); left > 0; left -= 1) {
    if (dice.below(4) === 0) {
      body = Buffer.from(edited(body.toString(), dice));
    } else {
      const at = dice.below(headers.length);
      headers = headers.map(([name, value], index) => [name, index === at ? edited(value, dice).trim() : value]);
    }
  }
  return { ...request, headers, body };
}
