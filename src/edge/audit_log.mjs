// The object of a tenant's log. Its rules and its SQL are in wasm; here is what must happen in one turn of the
// event loop with them: the alarm, without which what was staged would never be published.

import { DurableObject } from "cloudflare:workers";
import { unlessItDies } from "./instance.mjs";
import { logAppend, logEntry, logNewest, logOpen, logProve, logRest, logRun, replaceDeadInstance } from "../../build/hookgate.js";

/** After this long without a word from a run that was begun, another one begins. */
const DEAD_MAN_MS = 60_000;

export class AuditLog extends DurableObject {
  /** Between two checkpoints (src/tlog/sequencer.rs): each is a handful of writes, and a witness's signature. */
  static CHECKPOINT_MS = 60_000;

  /** When the alarm fires, as far as this object knows. */
  #at;

  constructor(ctx, env) {
    super(ctx, env);
    replaceDeadInstance();
    logOpen(ctx.storage);
    this.#arm();
  }

  /** Places of a bundle's entries, as numbers. No await: entries, places and the alarm are written together or not at all. */
  append(tenant, bundle) {
    replaceDeadInstance();
    const places = logAppend(this.ctx.storage, tenant, bundle);
    this.#arm();
    return places;
  }

  /** The newest checkpoint, whatever the archive has; empty before there is one. */
  newest() {
    replaceDeadInstance();
    return logNewest(this.ctx.storage);
  }

  /** The entry of a record, by its id, and its proof in the newest checkpoint (src/edge/log_proof.rs). */
  prove(id, expected) {
    replaceDeadInstance();
    return logProve(this.ctx.storage, id, expected);
  }

  /** The entry of a record, while it may come again (KNOWN_MS of src/tlog/sequencer.rs). */
  entry(id) {
    replaceDeadInstance();
    return logEntry(this.ctx.storage, id);
  }

  async alarm() {
    const { storage } = this.ctx;
    const { CHECKPOINT_MS } = this.constructor;
    // First of all the next alarm: whatever ends this run, there will be another.
    storage.setAlarm((this.#at = Date.now() + DEAD_MAN_MS));
    try {
      replaceDeadInstance();
      await unlessItDies(logRun(storage, this.env, CHECKPOINT_MS));
    } catch (error) {
      // Not thrown on: the platform repeats a failed alarm six times, and then forgets it. The log has the detail,
      // unless the instance died.
      console.error(JSON.stringify({ event: "alarm", what: "log_run_failed", detail: error?.name ?? "unknown" }));
      storage.setAlarm((this.#at = Date.now() + CHECKPOINT_MS));
      return;
    }
    replaceDeadInstance();
    this.#arm();
  }

  #arm() {
    const { storage } = this.ctx;
    const rest = logRest(storage, this.env, this.constructor.CHECKPOINT_MS);
    const at = rest === undefined ? undefined : Date.now() + rest;
    if (at === this.#at) return;
    this.#at = at;
    if (at === undefined) storage.deleteAlarm();
    else storage.setAlarm(at);
  }
}
