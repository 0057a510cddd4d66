// A body that is too long to be read whole goes into R2 while it is hashed, all but its last chunk: without
// that one R2 keeps nothing of it. What has proved nothing is never an object.

import { Hash } from "./content.mjs";
import { GRACE_MS, NO_ROOM, STEP_BYTES, budget } from "./intake.mjs";

/** How long such a body may take: 25 MB at a megabyte a second, and a little. */
export const STREAM_MS = 30_000;

/** The put failed while the body went by. */
export const UNKEPT = Symbol("unkept");

export class Upload {
  #source;
  #bucket;
  #key;
  #length;
  #hashes;
  #budget;
  #taken = 0;
  #reader;
  #writer;
  #put;
  #held;
  #isCommitted = false;

  /** `texts`: a hash's name and what stands around the body, for each hash. */
  constructor(source, bucket, { key, length, texts }, of = budget) {
    this.#source = source;
    this.#bucket = bucket;
    this.#key = key;
    this.#length = length;
    this.#hashes = texts.map((text) => new Hash(...text));
    this.#budget = of;
  }

  /** Brings the hashes, or why there are none. */
  async read(body) {
    this.#budget.began(this, STREAM_MS + GRACE_MS);
    // One chunk that is held back, and one that comes.
    if (!this.#budget.take(this.#source, 2 * STEP_BYTES, true)) return NO_ROOM;
    this.#taken = 2 * STEP_BYTES;
    const { readable, writable } = new FixedLengthStream(this.#length);
    this.#writer = writable.getWriter();
    this.#put = Promise.resolve(this.#bucket.put(this.#key, readable));
    // Without its reader a writer would wait for ever.
    this.#put.catch((error) => this.#writer.abort(error).catch(() => {}));
    this.#reader = body.getReader({ mode: "byob" });
    for (let left = this.#length; left > 0; ) {
      const size = Math.min(STEP_BYTES, left);
      const { value } = await this.#reader.readAtLeast(size, new Uint8Array(size));
      if (value?.byteLength !== size) throw new Error("it ended before its length");
      left -= size;
      await Promise.all(this.#hashes.map((hash) => hash.write(value)));
      const written = await this.#pass(value);
      if (written === UNKEPT) return UNKEPT;
    }
    return Promise.all(this.#hashes.map((hash) => hash.end()));
  }

  /** Lets the last chunk go. The promise is kept when the object is there. */
  async commit() {
    this.#isCommitted = true;
    await this.#writer.write(this.#held);
    await this.#writer.close();
    await this.#put;
  }

  /** Whatever is not committed is gone. */
  end() {
    this.giveBack();
    this.#budget.ended(this);
    this.#reader?.cancel().catch(() => {});
    if (!this.#isCommitted) this.#writer?.abort("not verified").catch(() => {});
  }

  giveBack() {
    if (this.#taken > 0) this.#budget.give(this.#source, this.#taken, true);
    this.#taken = 0;
  }

  /** Holds this chunk back, and lets the one before it go. */
  async #pass(chunk) {
    const before = this.#held;
    this.#held = chunk;
    if (before === undefined) return undefined;
    return this.#writer.write(before).catch(() => UNKEPT);
  }
}
