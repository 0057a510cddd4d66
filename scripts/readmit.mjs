// Has a refusal judged again. Started by scripts/readmit, which has the usage text.
import { call } from "./admin.mjs";
import { oneLine } from "./terminal.mjs";

const SAYS = { readmitted: "the event is on its way.", duplicate: "the gate has the event already." };

const [base, id] = process.argv.slice(2);
const { json } = await call(base, "POST", `records/${encodeURIComponent(id)}/readmit`);
const status = oneLine(json?.status);
console.log(`${status}: ${SAYS[status] ?? ""}`.trim());
