// A Worker with the npm packages it imports, as one module.
import { buildSync } from "esbuild";

/** As wrangler bundles: its conditions, not minified, the runtime's own modules left to the runtime. */
export function bundled(file) {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: [...NODE_MODULES, "node:*", "cloudflare:*", "*.wasm", "../console/*"],
    // Packages in the older form ask for Node's modules by a call.
    banner: { js: 'import { createRequire } from "node:module";\nconst require = createRequire("/");' },
    logLevel: "error",
  });
  return outputFiles[0].contents;
}

const NODE_MODULES = ["crypto", "buffer", "stream", "util", "events", "http", "https", "url", "async_hooks"];
