// Has an event forgotten. Started by scripts/forget, which has the usage text.
import { call } from "./admin.mjs";
import { oneLine } from "./terminal.mjs";

const [base, source, key, again] = process.argv.slice(2);
const named = /^[0-9a-f]{64}$/.test(key) ? { dedup_key: key } : { event_id: key };
const { json } = await call(base, "POST", "forget", { body: { source, ...named, again: again === "again" } });
console.log(`${oneLine(json?.status)}: the next resend is delivered (run ${oneLine(json?.run)}).`);
