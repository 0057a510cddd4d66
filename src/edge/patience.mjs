// Waiting for what has no time-out of its own.

/** The slice ended first. */
export const EXPIRED = Symbol("expired");

/** What came of a promise, so that nothing else can be taken for its failure. */
export const settled = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));

/** A timer is set for so long at most, so that the next effect, with a shorter slice, need not set one anew. */
const TICK_MS = 200;

/**
 * Waits for one effect after the other, each within its slice: nothing of the platform has a time-out of its own.
 * A timer costs more than all that is done to it here, so one serves them all.
 */
export class Patience {
  #timer;
  /** When the timer fires. */
  #at;
  #until;
  #resolve;

  outcomeOf(effect, sliceMs) {
    this.#until = Date.now() + sliceMs;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      if (this.#timer !== undefined && this.#at > this.#until) this.end();
      if (this.#timer === undefined) this.#set(sliceMs);
      effect.then((value) => resolve({ value }), (error) => resolve({ error }));
    });
  }

  end() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(sliceMs) {
    const ms = Math.min(sliceMs, TICK_MS);
    this.#at = Date.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // It was set for an earlier effect, which came to its end.
      const leftMs = this.#until - Date.now();
      if (leftMs > 0) this.#set(leftMs);
      else this.#resolve(EXPIRED);
    }, ms);
  }
}
