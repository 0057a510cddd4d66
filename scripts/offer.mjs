// Prints a secret that a provider handed over. Started by scripts/offer, which has the usage text.
import { call } from "./admin.mjs";
import { fail, oneLine } from "./terminal.mjs";

const [base, source] = process.argv.slice(2);
const { json } = await call(base, "POST", `offers/${encodeURIComponent(source)}`);
// The gate keeps printable characters only; a stranger chose them.
if (typeof json?.secret !== "string" || /[^\x20-\x7e]/.test(json.secret)) fail(`Not a secret: ${oneLine(JSON.stringify(json))}`);
console.log(json.secret);
