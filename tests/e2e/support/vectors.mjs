// The files of tests/vectors, and a configuration for each: tests/vectors/README.md has their form.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const DIRECTORY = join(ROOT, "tests", "vectors");
const KNOWS = ["secret", "public_key", "pin"];
/** Pins that are Worker secrets. */
const SECRET_PINS = ["token", "url_secret", "secret"];
const WEAK_KEYS = ["alibaba-smq", "paypal"];
/** Where topics tell events apart that are equal otherwise: as in tests/support/built.rs. */
const TOPICS = ["orders/create", "orders/paid", "order.updated", "order.created"];

export const schemes = readdirSync(DIRECTORY, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();

export function readVector(scheme, name) {
  const bytes = readFileSync(join(DIRECTORY, scheme, name));
  const end = bytes.indexOf("\n\n");
  const vector = { scheme, name, title: `${scheme}/${name}`, headers: [], knows: [], documents: [], body: bytes.subarray(end + 2) };
  for (const line of bytes.subarray(0, end).toString().split("\n")) {
    const [key, value] = split(line, ": ");
    if (key === "header") vector.headers.push(split(value, ": "));
    else if (key === "document") vector.documents.push(split(value, " "));
    else if (KNOWS.includes(key)) vector.knows.push([key, value]);
    else vector[key] = value;
  }
  return vector;
}

export const vectorsOf = (scheme) => readdirSync(join(DIRECTORY, scheme)).sort().map((name) => readVector(scheme, name));

/** What stands at a URL of `document`. */
export const document = (file) => readFileSync(join(ROOT, "tests", "documents", file), "utf8");

/** The table of a scheme, as the gate ships it. */
export const schemeOf = (name) => parse(readFileSync(join(ROOT, "src", "schemes", `${name}.toml`), "utf8"));

/**
 * Variables under which the one source, `vector`, knows what these vectors' receiver knows. `number` makes it differ
 * from every other: a gate is made anew for a configuration that it does not know.
 */
export function variablesFor({ scheme, knows }, number) {
  const { about: _, ...table } = schemeOf(scheme);
  const of = (kind) => knows.filter(([key]) => key === kind).map(([, value]) => value);
  const variables = {};
  const kept = (name, value) => {
    variables[name] = value;
    return name;
  };
  const pin = ([name, value]) => [name, SECRET_PINS.includes(name) ? `$${kept(`PIN_${name.toUpperCase()}`, value)}` : value];
  const source = {
    tenant: "tenant",
    scheme,
    secrets: of("secret").map((value, index) => kept(`KEY_${index}`, value)),
    public_keys: of("public_key"),
    pins: Object.fromEntries(of("pin").map((text) => pin(split(text, "=")))),
    destination: "steady",
    dedup_retention_seconds: 2592000,
    accept_weak_key: WEAK_KEYS.includes(scheme),
    discriminator_values: table.identity.some(({ digest }) => digest?.discriminator?.startsWith("header:")) ? TOPICS : [],
  };
  variables.TEST_CONFIG = JSON.stringify({
    version: 1,
    queue_retention_seconds: 345600 + number,
    destinations: { steady: { url: "$BACKEND_URL", secret: "DELIVERY_SECRET" } },
    sources: { vector: source },
    schemes: { [scheme]: table },
  });
  return variables;
}

const split = (text, by) => [text.slice(0, text.indexOf(by)), text.slice(text.indexOf(by) + by.length)];
