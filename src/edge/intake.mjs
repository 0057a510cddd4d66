// What bodies may take before their requests have proved anything: memory, and time.
//
// An isolate has 128 MB for the requests of all tenants, and ends them all when it has no more. Anyone can
// send a body, so what is held of unverified ones is counted, and for no longer than a body may take. A body
// that declares little is counted whole from the start, because reading it in steps would cost more than it is
// worth; any other is counted in steps as it comes, each before there is room made for it.

import { EXPIRED } from "./patience.mjs";

const MEGABYTE = 1_048_576;

/** Of an isolate's 128 MB, beside the wasm memory, which has each body that is being judged once more. */
export const UNVERIFIED_BYTES_MAX = 24 * MEGABYTE;
/** Bodies up to here have half of it to themselves: whoever fills the other half does not keep them out. */
export const SMALL_BYTES_MAX = 65_536;
const LARGE_BYTES_MAX = UNVERIFIED_BYTES_MAX / 2;
/** What one source may hold of small bodies, and of large ones. */
const SOURCE_BYTES_MAX = UNVERIFIED_BYTES_MAX / 4;

/** How long a body may take. Providers wait for seconds, and their bodies come in milliseconds. */
export const BODY_MS = 10_000;
/** Beside it, the time to verify it, with more than enough to spare. */
export const GRACE_MS = 10_000;

/** Up to here a body is read at once. */
const WHOLE_BYTES_MAX = 16_384;
/**
 * Otherwise in steps: the first of this size, each further one of so many times what has come by then. Whoever says how
 * long his body is gets few steps, for each costs more than its bytes.
 */
const FIRST_STEP_BYTES = 16_384;
const GROWTH = 4;
const DECLARED_GROWTH = 16;
/** The size of a chunk of a body that goes by. */
export const STEP_BYTES = 65_536;

export const TOO_LARGE = Symbol("too large");
export const NO_ROOM = Symbol("no room");

/** Counts the unverified bytes of an isolate. */
export class Budget {
  /** All, and the most there ever were. */
  bytes = 0;
  peak = 0;
  #large = 0;
  /** What each source holds; there are as many as are configured. */
  #sources = new Map();
  /** Who may hold something, and until when. */
  #holders = new Map();

  /**
   * `holder` may take from now on, and says when it has ended. The platform ends requests whose senders leave,
   * and runs nothing more of them: what such a one holds is given back when nobody can hold so for so long.
   */
  began(holder, lifeMs) {
    this.#holders.set(holder, Date.now() + lifeMs);
  }

  ended(holder) {
    this.#holders.delete(holder);
  }

  /** True: there is room for so many more, and they are counted from now on. */
  take(source, bytes, isLarge) {
    return this.#count(source, bytes, isLarge) || (this.#sweep() && this.#count(source, bytes, isLarge));
  }

  #sweep() {
    const now = Date.now();
    const gone = [...this.#holders].filter(([, until]) => until < now).map(([holder]) => holder);
    for (const holder of gone) {
      holder.giveBack();
      this.ended(holder);
    }
    return gone.length > 0;
  }

  #count(source, bytes, isLarge) {
    let held = this.#sources.get(source);
    if (held === undefined) this.#sources.set(source, (held = { small: 0, large: 0 }));
    if (this.bytes + bytes > UNVERIFIED_BYTES_MAX) return false;
    if (isLarge) {
      if (this.#large + bytes > LARGE_BYTES_MAX || held.large + bytes > SOURCE_BYTES_MAX) return false;
      this.#large += bytes;
      held.large += bytes;
    } else {
      if (held.small + bytes > SOURCE_BYTES_MAX) return false;
      held.small += bytes;
    }
    this.bytes += bytes;
    if (this.bytes > this.peak) this.peak = this.bytes;
    return true;
  }

  give(source, bytes, isLarge) {
    const held = this.#sources.get(source);
    this.bytes -= bytes;
    if (isLarge) {
      this.#large -= bytes;
      held.large -= bytes;
    } else {
      held.small -= bytes;
    }
  }
}

/** The isolate's. */
export const budget = new Budget();

/** Bodies that are read at once and are not there yet, in the order in which they began. */
const awaited = new Set();

/**
 * Ends those that have taken too long. A timer for each would cost every ordinary request more than all else that is
 * done to its body; so whoever comes next looks after those before it. While nobody comes, nobody needs their room.
 */
function sweep(now) {
  for (const reading of awaited) {
    if (reading.until > now) return;
    reading.expire();
  }
}

/** One body, from its first byte until its request has proved something or is refused. */
export class Reading {
  #request;
  #declared;
  #arrival;
  #source;
  #budget;
  #taken = 0;
  #isLarge = false;
  #reader;
  /** For one that is read at once: when it has taken too long, and how to end it. */
  until;
  expire;

  /** `length`: the header of that name. Of the arrival: its source, its cap, and the room that it wants around a body. */
  constructor(request, length, arrival, of = budget) {
    this.#request = request;
    this.#declared = length === null ? Infinity : Number(length);
    this.#arrival = arrival;
    this.#source = arrival.sourceNumber;
    this.#budget = of;
  }

  /** What comes of it, as `Patience` has it: the bytes, or why there are none. */
  outcome(patience) {
    this.#budget.began(this, BODY_MS + GRACE_MS);
    const declared = this.#declared;
    if (declared <= WHOLE_BYTES_MAX) {
      return this.#take(declared) ? this.#atOnce() : Promise.resolve({ value: NO_ROOM });
    }
    this.#isLarge = declared > SMALL_BYTES_MAX && declared !== Infinity;
    // What is no number is as good as none.
    return patience.outcomeOf(this.#inSteps(declared || Infinity), BODY_MS);
  }

  #atOnce() {
    const now = Date.now();
    sweep(now);
    this.until = now + BODY_MS;
    return new Promise((resolve) => {
      const settle = (outcome) => {
        awaited.delete(this);
        resolve(outcome);
      };
      // Of a request that the platform has ended nothing more runs: then this gives back what it holds.
      this.expire = () => {
        this.giveBack();
        settle(EXPIRED);
      };
      awaited.add(this);
      // The platform holds a sender to the length it declared, and `request.body` would make a stream first.
      this.#request.bytes().then((value) => settle({ value }), (error) => settle({ error }));
    });
  }

  /** Nothing of it is unverified any more, or nothing of it is wanted any more. */
  end() {
    this.giveBack();
    this.#budget.ended(this);
    this.#reader?.cancel().catch(() => {});
    this.#reader = undefined;
  }

  giveBack() {
    if (this.#taken > 0) this.#budget.give(this.#source, this.#taken, this.#isLarge);
    this.#taken = 0;
  }

  #take(bytes) {
    if (!this.#budget.take(this.#source, bytes, this.#isLarge)) return false;
    this.#taken += bytes;
    return true;
  }

  /** Like `#take`, for a body of which nobody knew how long it is. */
  #takeStep(bytes) {
    if (this.#isLarge || this.#taken + bytes <= SMALL_BYTES_MAX) return this.#take(bytes);
    const taken = this.#taken;
    if (taken > 0) this.#budget.give(this.#source, taken, false);
    this.#taken = 0;
    this.#isLarge = true;
    return this.#take(taken + bytes);
  }

  /** Never more than the cap and a step. */
  async #inSteps(declared) {
    if (this.#request.body === null) return new Uint8Array(0);
    this.#reader = this.#request.body.getReader({ mode: "byob" });
    const cap = this.#arrival.bodyBytesMax;
    // The platform holds a sender to the length he declared. Otherwise one byte more shows that it is too much.
    const isDeclared = declared <= cap;
    const most = isDeclared ? declared : cap + 1;
    const steps = [];
    let length = 0;
    for (;;) {
      const size = Math.min(Math.max(FIRST_STEP_BYTES, (isDeclared ? DECLARED_GROWTH : GROWTH) * length), most - length);
      if (!this.#takeStep(size)) return NO_ROOM;
      if (isDeclared && length + size === declared) return this.#rest(steps, length, declared);
      const { value, done } = await this.#reader.readAtLeast(size, new Uint8Array(size));
      length += value?.byteLength ?? 0;
      if (length > cap) return TOO_LARGE;
      if (value?.byteLength > 0) steps.push(value);
      if (done || value.byteLength < size) break;
    }
    this.#reader = undefined;
    return joined(steps, new Uint8Array(length));
  }

  /** The last step goes where the whole is to stand: then what is signed is not copied once more (src/edge/native_mac.rs). */
  async #rest(steps, length, declared) {
    const [before, after] = this.#arrival.roomAround;
    const room = new Uint8Array(before + declared + after);
    joined(steps, room.subarray(before));
    const { value } = await this.#reader.readAtLeast(declared - length, room.subarray(before + length, before + declared));
    this.#reader = undefined;
    return new Uint8Array(value.buffer, before, length + value.byteLength);
  }
}

/** The steps one behind the other, in this place. */
function joined(steps, bytes) {
  let offset = 0;
  for (const step of steps) {
    bytes.set(step, offset);
    offset += step.byteLength;
  }
  return bytes;
}
