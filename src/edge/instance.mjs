// What becomes of a promise when the wasm instance that would settle it dies.

/** How to end each promise that is waiting for the instance. */
const waiting = new Set();

// A trap leaves what was in flight unsettled for ever: the platform would call the requests hung.
addEventListener("error", ({ error }) => {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  for (const end of waiting) end(error);
  waiting.clear();
});

/** The promise, or the trap that keeps it from being settled. */
export function unlessItDies(promise) {
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    promise.then(resolve, reject).finally(() => waiting.delete(reject));
  });
}
