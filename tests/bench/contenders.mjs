// Who is compared. Each is a set of modules with a main one, whose default export is a Worker.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { bundled } from "./support/bundle.mjs";
import { CONFIG } from "./support/requests.mjs";

const ROOT = join(import.meta.dirname, "..", "..");
/** Made by `HOOKGATE_OUT=build-bench HOOKGATE_SOURCES=tests/bench/sources.toml scripts/build`. */
const BUILD = join(ROOT, "build-bench");

/** Modules below a directory, under names that begin with `prefix`. */
function tree(directory, prefix) {
  const types = { ".js": "esModule", ".mjs": "esModule", ".wasm": "wasm" };
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ path: join(entry.parentPath, entry.name), type: types[entry.name.slice(entry.name.lastIndexOf("."))] }))
    .filter(({ type }) => type !== undefined)
    .map(({ path, type }) => ({ name: join(prefix, relative(directory, path)), type, contents: readFileSync(path) }));
}

/** The console's files, which are texts to the Worker. */
const texts = () =>
  readdirSync(join(ROOT, "src", "console")).map((file) => ({ name: `src/console/${file}`, type: "text", contents: readFileSync(join(ROOT, "src", "console", file)) }));

const worker = (file) => ({
  main: file,
  modules: () => [{ name: file, type: "esModule", contents: readFileSync(join(import.meta.dirname, "workers", file)) }],
});

/** A package of npm in the Worker that its users would write; it runs with Node's modules, as wrangler would set up. */
const npm = (name, file) => ({
  about: `npm ${name} in the usual Worker with KV and a queue`,
  main: "naive.mjs",
  modules: () => [
    { name: "naive.mjs", type: "esModule", contents: bundled(join(import.meta.dirname, "workers", "naive", file)) },
  ],
  flags: ["nodejs_compat"],
  answers: (verdict) =>
    ({ accepted: { status: 200, says: "accepted" }, duplicate: { status: 200, says: "duplicate" } })[verdict] ?? { status: 400 },
});

/** A Worker that something else has built, as a directory of modules; left out while it is not there. */
const built = (directory, main, about) => ({
  about,
  main: `built/${main}`,
  modules: existsSync(join(directory, main)) ? () => tree(directory, "built") : undefined,
});
/** Made by workers-rs/build. */
const rust = (name, about, answers) => ({
  ...built(join(import.meta.dirname, "workers-rs", "out", name), "index.js", about),
  answers,
});

/** A floor answers "ok" to everything. */
const ok = () => ({ status: 200 });
const floor = (file, about) => ({ about, ...worker(file), answers: ok });

/**
 *   about    one line for the tables
 *   main     the main module's name
 *   modules  gives `[{ name, type, contents }]`, types as in workerd's configuration
 *   flags    compatibility flags, where they are not the gate's
 *   answers  what it answers to a verdict instead of the gate's `{ status, says }`
 */
export const CONTENDERS = {
  gate: {
    about: "hookgate",
    main: "src/edge/entry.mjs",
    // build-bench stands in the place of build.
    modules: () => [...tree(join(ROOT, "src", "edge"), "src/edge"), ...texts(), ...tree(BUILD, "build")],
  },
  "js-nothing": floor("nothing.mjs", "JavaScript that does nothing"),
  "js-read-body": floor("read-body.mjs", "JavaScript that only reads the body"),
  "rs-nothing": rust("nothing", "workers-rs that does nothing", ok),
  "rs-read-body": rust("read-body", "workers-rs that only reads the body", ok),
  "rs-hmac": rust("hmac", "workers-rs that only verifies the signature, with the hmac crate", (verdict) => ({
    status: verdict === "forged" ? 401 : 200,
  })),
  "js-awaits": floor("awaits.mjs", "JavaScript that only awaits the calls of the bindings (waits.test.mjs)"),
  "js-careful": {
    about: "hand-written JavaScript with WebCrypto, doing the same job",
    main: "careful/entry.mjs",
    modules: () => [
      ...tree(join(import.meta.dirname, "workers", "careful"), "careful"),
      // The gate has its sources embedded as well.
      { name: "careful/sources.mjs", type: "esModule", contents: `export default ${JSON.stringify(CONFIG)};` },
    ],
  },
  "npm-standardwebhooks": npm("standardwebhooks", "standardwebhooks.mjs"),
  "npm-svix": npm("svix", "svix.mjs"),
  "npm-stripe": npm("stripe (constructEventAsync)", "stripe.mjs"),
  "npm-octokit": npm("@octokit/webhooks", "octokit.mjs"),
  "npm-tern": npm("@hookflo/tern", "tern.mjs"),
};
