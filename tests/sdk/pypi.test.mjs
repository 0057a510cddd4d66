// The providers' SDKs on PyPI, which differ from those on npm: what they say to every vector of their schemes, beside what it expects
// of the gate. Python is no prerequisite: without it this test is skipped, and says so.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { vectorsOf } from "../e2e/support/vectors.mjs";

const HERE = import.meta.dirname;
const LIST = join(HERE, "pypi.txt");
const VENV = join(HERE, ".venv");
const PYTHON = join(VENV, "bin", "python");
const INSTALLED = join(VENV, "pypi.txt");
const SCHEMES = ["adyen-classic", "adyen-platform", "gitlab-signed", "slack", "square", "standard-webhooks", "stripe", "supabase", "twilio"];

const COLON = "the SDK joins the values by colons. The gate refuses one in a value, because the string then has two readings";
/** Vectors that the SDK takes and the gate refuses, or the other way round, and why. */
const DIFFERS = {
  ...Object.fromEntries(["gitlab-signed", "slack", "square", "standard-webhooks", "stripe"].map((scheme) => [`${scheme}/binary-body.vector`, "the SDK signs text. The gate signs bytes"])),
  "adyen-classic/colon-moved-left.vector": COLON,
  "adyen-classic/colon-moved-right.vector": COLON,
  "adyen-classic/two-items.vector": "the SDK looks at the first item, which alone is signed. The gate would hand on the second",
  "standard-webhooks/id-with-dot.vector": "the SDK takes it, though `id.time.body` can then be read in two ways",
  "standard-webhooks/secret-with-v1-prefix.vector": "the SDK wants Supabase's prefix removed. The gate takes the secret as it is shown",
  "standard-webhooks/signature-not-canonical.vector": "Python's decoder passes over unused bits, so that several texts are one signature. The gate takes one",
};

/** Whether there is a Python that can make an environment of its own. */
function hasPython() {
  try {
    execFileSync("python3", ["-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 9)"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function install() {
  const list = readFileSync(LIST, "utf8");
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, "utf8") === list) return;
  execFileSync("python3", ["-m", "venv", "--clear", VENV]);
  execFileSync(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes", "--requirement", LIST]);
  writeFileSync(INSTALLED, list);
}

/** A vector as pypi.py reads it. */
function requestOf({ scheme, target, headers, knows, now_ms, body }) {
  const of = (kind) => knows.filter(([key]) => key === kind).map(([, value]) => value);
  return {
    scheme,
    target,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    secrets: of("secret"),
    pins: Object.fromEntries(of("pin").map((pin) => [pin.slice(0, pin.indexOf("=")), pin.slice(pin.indexOf("=") + 1)])),
    now_ms: Number(now_ms),
    body: body.toString("base64"),
  };
}

test("the SDKs on PyPI say to the vectors what the gate says", { skip: hasPython() ? false : "no python3 with venv" }, () => {
  install();
  const vectors = SCHEMES.flatMap(vectorsOf);
  const input = vectors.map((vector) => `${JSON.stringify(requestOf(vector))}\n`).join("");
  const output = execFileSync(PYTHON, [join(HERE, "pypi.py")], { input, encoding: "utf8" });
  const taken = output.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(taken.length, vectors.length);
  assert.ok(vectors.length > 70, `${vectors.length} vectors`);
  const wrong = [];
  for (const [index, { title, expect }] of vectors.entries()) {
    const differs = taken[index] !== (expect === "accept");
    if (differs !== title in DIFFERS) wrong.push(`${title}: the gate ${expect}, the SDK ${taken[index] ? "accept" : "reject"}`);
  }
  assert.deepEqual(wrong, []);
  for (const title of Object.keys(DIFFERS)) assert.ok(vectors.some((vector) => vector.title === title), title);
});
