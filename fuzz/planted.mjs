// Bugs that parsers have, planted in a copy of the sources: a target that finds none of them shows nothing.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** In which file what is written in the place of what; the target that must find it, and what it then says. */
export const PLANTED = {
  "a length is believed": {
    file: "src/public_key/der.rs",
    sound: "let whole = self.0.get(..header.checked_add(length)?)?;",
    bug: "let whole = &self.0[..header + length];",
    target: "public_keys",
    told: /out of range/,
  },
  "of a repeated name the first counts": {
    file: "src/json.rs",
    sound: "self.forget(&wanted);",
    bug: "if wanted.iter().any(|wanted| self.found[wanted.index].is_some()) { map.next_value::<IgnoredAny>()?; continue; } self.forget(&wanted);",
    target: "pointers",
    told: /src\/pointers\.rs/,
  },
  "of a signature the first byte is compared": {
    file: "src/verify/signature.rs",
    sound: "found |= candidate.as_slice().ct_eq(tag);",
    bug: "found |= candidate[..1].ct_eq(&tag[..1]);",
    target: "strangers",
    told: /admits a forgery/,
  },
  "a time has leading zeroes": {
    file: "src/time.rs",
    sound: "bytes.len() <= 11 && (bytes[0] != b'0' || bytes.len() == 1)",
    bug: "bytes.len() <= 11",
    target: "headers",
    told: /src\/headers\.rs/,
  },
  "a repeated name is signed": {
    file: "src/canonical.rs",
    sound: "if names.windows(2).any(|pair| pair[0] == pair[1]) {",
    bug: "if names.windows(2).any(|pair| pair[0] == pair[1]) && text.is_empty() {",
    target: "canonical",
    told: /src\/canonical\.rs/,
  },
};

/** What the targets are built from. */
const PARTS = ["Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain.toml", "sources.toml", "src", "fuzz/Cargo.toml", "fuzz/Cargo.lock", "fuzz/build.rs", "fuzz/src", "fuzz/fuzz_targets", "tests/support", "tests/vectors", "tests/documents"];

/** What a target's program is called where the bugs are. */
export const plantedName = (target) => `planted-${target}`;

/** Copies the sources with every bug in them. Files keep their times, so that cargo sees what changed. */
export function plantIn(root, copy) {
  rmSync(copy, { recursive: true, force: true });
  for (const part of PARTS) {
    if (!existsSync(join(root, part))) throw new Error(`${part} is not there`);
    mkdirSync(dirname(join(copy, part)), { recursive: true });
    cpSync(join(root, part), join(copy, part), { recursive: true, preserveTimestamps: true });
  }
  for (const [name, { file, sound, bug }] of Object.entries(PLANTED)) {
    const text = readFileSync(join(copy, file), "utf8");
    if (text.split(sound).length !== 2) throw new Error(`${name}: ${file} has not once: ${sound}`);
    writeFileSync(join(copy, file), text.replace(sound, () => bug));
  }
  // Cargo tells packages in one target directory apart by name and version, not by where they are: with the same
  // ones it would take the sound programs for these, and these for the sound ones.
  change(join(copy, "fuzz/Cargo.toml"), /(?<=\[\[bin\]\]\nname = ")\w+/g, plantedName);
  for (const file of ["Cargo.toml", "fuzz/Cargo.toml"]) change(join(copy, file), /(?<=\[package\]\nname = "[\w-]+"\nversion = ")[\d.]+/, (version) => `${version}-planted`);
  // What is a library for others too has a name without a hash, so the one would take the other's place there.
  change(join(copy, "Cargo.toml"), /(?<=crate-type = )\[[^\]]*\]/, () => '["rlib"]');
  change(join(copy, "fuzz/Cargo.lock"), /(?<=name = "hookgate(-fuzz)?"\nversion = ")[\d.]+/g, (version) => `${version}-planted`);
}

function change(file, pattern, written) {
  const text = readFileSync(file, "utf8");
  const changed = text.replace(pattern, (found) => written(found));
  if (changed === text) throw new Error(`${file} has no ${pattern}`);
  writeFileSync(file, changed);
}
