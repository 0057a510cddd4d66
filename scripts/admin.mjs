// An operator's call of the gate.
import { readFileSync } from "node:fs";
import { TOKEN_FILE } from "./dev-vars.mjs";
import { fail, oneLine } from "./terminal.mjs";

const TIMEOUT_MS = 60_000;

function adminToken() {
  if (process.env.HOOKGATE_ADMIN_TOKEN) return process.env.HOOKGATE_ADMIN_TOKEN;
  try {
    const token = readFileSync(TOKEN_FILE, "utf8").trim();
    if (token) return token;
  } catch {
    // said below
  }
  return fail(`No admin token: set HOOKGATE_ADMIN_TOKEN, or run ./scripts/dev once, which makes one in ${TOKEN_FILE}.`);
}

/**
 * What the gate at `base` answers, if it is JSON or need not be; nothing for 404, where that may be. Anything else ends the script,
 * with what `hint` has to say of an answer by its title.
 */
export async function call(base, method, path, { body, anything = false, mayMiss = false, hint = {} } = {}) {
  let answer;
  let bytes;
  try {
    answer = await fetch(`${base.replace(/\/$/, "")}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken()}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      // A redirect would carry the token elsewhere.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    bytes = Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    fail(`No answer from ${base}: ${oneLine(error.cause?.message ?? error.message)}. Does the gate run there?`);
  }
  const text = bytes.toString();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  if (answer.status === 404 && mayMiss) return undefined;
  if (!answer.ok) {
    const title = oneLine(json?.title ?? "the gate gave no reason");
    const more = json?.detail ?? (Object.hasOwn(hint, title) ? hint[title] : undefined);
    const detail = more === undefined ? "" : `: ${oneLine(more, 1000)}`;
    fail(`${answer.status} ${title}${detail}`);
  }
  if (json === undefined && !anything) fail(`${answer.status} without JSON: is a hookgate at ${base}?`);
  return { bytes, text, json, headers: answer.headers };
}
