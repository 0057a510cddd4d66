// The gate's verdicts and signatures, from the native tool: one process for a batch.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "smol-toml";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const TOOL = join(ROOT, "target", "debug", "hookgate");
const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 256 << 20;

/** The table of a scheme, as the gate ships it. */
export const scheme = (name) => parse(readFileSync(join(ROOT, "src", "schemes", `${name}.toml`), "utf8"));

/** `use` gets a directory that is gone afterwards. */
async function inScratch(use) {
  const directory = mkdtempSync(join(tmpdir(), "hookgate-sdk-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What the gate says to each `{ request, nowMs }`: `{ verdict: "accept" | "reject", reason }`, in their order. */
export async function judge(rows) {
  const entries = rows.map(({ request: { scheme: name, method, url, headers, body, secret }, nowMs }) => {
    const [called, provider] = scheme(name).about.vectors[0].split("@");
    return {
      provider,
      scheme: called,
      method,
      url,
      headers: Object.fromEntries(headers),
      body_base64: body.toString("base64"),
      secret,
      // What it is to be is compared here, not there.
      expect: "accept",
      now_unix_ms: nowMs,
    };
  });
  return inScratch(async (directory) => {
    const file = join(directory, "requests.json");
    writeFileSync(file, JSON.stringify(entries));
    // It ends with 1 where an entry is refused, and that is not asked here.
    const { stdout, stderr } = await run(TOOL, ["vectors", "--json", file], { maxBuffer: OUTPUT_BYTES_MAX }).catch((error) => error);
    const verdicts = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    if (verdicts.length !== entries.length) throw new Error(`${verdicts.length} verdicts on ${entries.length} requests: ${stderr}`);
    return verdicts;
  });
}

/** A request signed by `hookgate sign`, as the provider of the scheme would. */
export async function signedByGate({ scheme: name, secret, body, id, ageSeconds = 0, source = "" }) {
  return inScratch(async (directory) => {
    const sources = join(directory, "sources.toml");
    const content = join(directory, "body");
    writeFileSync(content, body);
    writeFileSync(sources, SOURCES(name, source));
    const options = ["--source", "vector", "--sources", sources, `--secret=${secret}`, "--body", content, "--event-id", id, `--age=${ageSeconds}`];
    const { stdout } = await run(TOOL, ["sign", ...options]);
    const { method, target, headers, body_base64 } = JSON.parse(stdout);
    return { scheme: name, method, url: `https://gate.example${target}`, headers, body: Buffer.from(body_base64, "base64"), secret };
  });
}

const SOURCES = (name, lines) => `version = 1
queue_retention_seconds = 1209600

[destinations.backend]
url = "https://backend.example/"
secret = "DELIVERY_SECRET"
timeout_seconds = 15
attempts_max = 3
backoff_first_seconds = 5
backoff_max_seconds = 60

[sources.vector]
tenant = "tenant"
scheme = "${name}"
secrets = ["SECRET"]
destination = "backend"
dedup_retention_seconds = 2592000
${lines}
`;
