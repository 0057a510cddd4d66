// The tables of README.md, made from the providers. `node tests/sdk/table.mjs` writes them; sdk.test.mjs sees that they
// are as the table says.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PROVIDERS, signersOf } from "./providers.mjs";

export const README = join(import.meta.dirname, "README.md");
const { devDependencies: VERSIONS } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"));

function compared() {
  const rows = PROVIDERS.map((provider) => `| \`${provider.scheme}\` | ${provider.sdk} ${VERSIONS[provider.sdk]} | ${signersOf(provider).join(", ")} |`);
  return ["| scheme | judged beside the gate by | signed by |", "| --- | --- | --- |", ...rows].join("\n");
}

/** By what is done and why; the SDKs that do it are gathered. */
function disagreements() {
  const gathered = new Map();
  for (const { sdk, differs } of PROVIDERS) {
    for (const [name, why] of Object.entries(differs)) {
      const key = `${name} | ${why}`;
      gathered.set(key, new Set([...(gathered.get(key) ?? []), sdk]));
    }
  }
  const rows = [...gathered].sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, sdks]) => {
    const [name, why] = key.split(" | ");
    return `| ${name} | ${[...sdks].join(", ")} | ${why} |`;
  });
  return ["| request | who differs | why |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The README with its tables as they should be. */
export function withTables(text) {
  const put = (whole, name, table) => whole.replace(new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`), (_, before, behind) => before + table + behind);
  return put(put(text, "compared", compared()), "disagreements", disagreements());
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(README, withTables(readFileSync(README, "utf8")));
