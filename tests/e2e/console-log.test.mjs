// The arithmetic with which the console checks a log, and how it shows what strangers wrote.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { partsOf, plain } from "../../src/console/text.mjs";
import { isContinued, leafHash, lowestLevel, rootFrom, rootOf } from "../../src/console/tlog.mjs";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const node = (left, right) => sha256(Buffer.of(1), left, right);
const leaves = (count) => Array.from({ length: count }, (_, n) => sha256(Buffer.of(0), Buffer.from(`entry ${n}`)));

/** RFC 9162, section 2.1.1, as it is written there. */
function plainRoot(hashes) {
  if (hashes.length === 0) return sha256(Buffer.alloc(0));
  if (hashes.length === 1) return hashes[0];
  const k = 2 ** Math.floor(Math.log2(hashes.length - 1));
  return node(plainRoot(hashes.slice(0, k)), plainRoot(hashes.slice(k)));
}

/** RFC 9162, section 2.1.3.1. */
function plainPath(index, hashes) {
  if (hashes.length <= 1) return [];
  const k = 2 ** Math.floor(Math.log2(hashes.length - 1));
  return index < k ? [...plainPath(index, hashes.slice(0, k)), plainRoot(hashes.slice(k))] : [...plainPath(index - k, hashes.slice(k)), plainRoot(hashes.slice(0, k))];
}

/** Tiles of all levels, made from the leaves. */
function tilesOf(hashes) {
  const levels = [hashes];
  while (levels.at(-1).length >= 256) {
    const below = levels.at(-1);
    levels.push(Array.from({ length: Math.floor(below.length / 256) }, (_, n) => plainRoot(below.slice(n * 256, (n + 1) * 256))));
  }
  const asked = [];
  const tile = async (level, index, width) => {
    asked.push(level);
    return new Uint8Array(Buffer.concat(levels[level].slice(index * 256, index * 256 + width)));
  };
  return { tile, asked };
}

describe("a log in the browser", () => {
  test("the root of its tiles is the one of RFC 9162, for trees of every shape", async () => {
    for (const size of [0, 1, 2, 3, 5, 7, 8, 255, 256, 257, 300, 511, 512, 513, 1_000]) {
      const hashes = leaves(size);
      const { tile, asked } = tilesOf(hashes);
      assert.deepEqual(Buffer.from(await rootOf(size, tile)), plainRoot(hashes), String(size));
      assert.ok(asked.every((level) => level === 0), String(size));
    }
  });

  test("a large one is read from a higher level, and its end from the lower ones", async () => {
    const size = 66_301;
    assert.deepEqual([lowestLevel(0), lowestLevel(65_536), lowestLevel(65_537), lowestLevel(size)], [0, 0, 1, 1]);
    const hashes = leaves(size);
    const { tile, asked } = tilesOf(hashes);
    assert.deepEqual(Buffer.from(await rootOf(size, tile)), plainRoot(hashes));
    assert.deepEqual(asked, [1, 1, 0]);
  });

  test("one changed hash, a hash too few or another size is another root", async () => {
    const hashes = leaves(300);
    const root = plainRoot(hashes);
    for (const at of [0, 255, 256, 299]) {
      const changed = hashes.with(at, sha256(Buffer.from("changed")));
      assert.notDeepEqual(Buffer.from(await rootOf(300, tilesOf(changed).tile)), root, String(at));
    }
    assert.notDeepEqual(Buffer.from(await rootOf(299, tilesOf(hashes).tile)), root);
    await assert.rejects(rootOf(301, tilesOf(hashes).tile), /too short/);
  });

  test("a log continues each of its former heads, and no other", async () => {
    for (const size of [1, 2, 3, 7, 8, 300, 513, 66_301]) {
      const hashes = leaves(size);
      const { tile } = tilesOf(hashes);
      const now = { size, root: plainRoot(hashes) };
      for (const before of [0, 1, 2, 3, 4, 6, 7, 8, 255, 256, 257, 300, 512, 65_535, 65_536, 65_537, 66_048, 66_300, 66_301].filter((before) => before <= size)) {
        const root = plainRoot(hashes.slice(0, before));
        assert.equal(await isContinued({ size: before, root }, now, tile), true, `${before} of ${size}`);
        assert.equal(await isContinued({ size: before, root: sha256(root) }, now, tile), false, `${before} of ${size}, another root`);
      }
      assert.equal(await isContinued({ size: size + 1, root: now.root }, now, tile), false, "an older one was put back");
    }
  });

  test("a log that was written anew over the old leaves is no continuation", async () => {
    const size = 66_301;
    const old = leaves(size);
    // Everything is forged but what a head from before was made of: the old tiles lie where they lay, below new ones.
    for (const before of [300, 65_536, 65_700, 66_100, 66_300]) {
      const forged = old.map((hash, n) => (n === 7 ? sha256(Buffer.from("forged")) : hash));
      const [honest, rewritten] = [tilesOf(old).tile, tilesOf(forged).tile];
      const now = { size, root: plainRoot(forged) };
      const tile = (level, ...place) => (level === 0 && place[0] < Math.ceil(before / 256) ? honest : rewritten)(level, ...place);
      assert.deepEqual(Buffer.from(await rootOf(size, tile)), now.root, "which is what the checkpoint has");
      assert.equal(await isContinued({ size: before, root: plainRoot(old.slice(0, before)) }, now, tile), false, String(before));
    }
  });

  test("each leaf's path leads to the root, and to no other from another place", async () => {
    for (const size of [1, 2, 3, 7, 8, 13, 33]) {
      const hashes = leaves(size);
      for (let index = 0; index < size; index += 1) {
        const path = plainPath(index, hashes);
        assert.deepEqual(Buffer.from(await rootFrom(hashes[index], index, size, path)), plainRoot(hashes), `${index} of ${size}`);
        const moved = await rootFrom(hashes[index], (index + 1) % size, size, path);
        if (size > 1) assert.notDeepEqual(moved && Buffer.from(moved), plainRoot(hashes), `${index} of ${size}, moved`);
        assert.equal(await rootFrom(hashes[index], size, size, path), undefined);
        assert.equal(await rootFrom(hashes[index], index, size, [...path, hashes[0]]), undefined, "a path too long");
      }
    }
    assert.deepEqual(Buffer.from(await leafHash(Buffer.from("entry 0"))), leaves(1)[0]);
  });
});

describe("texts of strangers", () => {
  test("what hides, reorders or commands is shown by its code point", () => {
    for (const [text, shown] of [
      ["plain, Zürich, 漢字, 🙂", "plain, Zürich, 漢字, 🙂"],
      ["gnp\u202Eexe.\u202C", "gnp<U+202E>exe.<U+202C>"],
      ["a\u200Bb\u2060c\uFEFFd", "a<U+200B>b<U+2060>c<U+FEFF>d"],
      ["\u001B[31mred\u0007\r\n", "<U+001B>[31mred<U+0007><U+000D><U+000A>"],
      ["\u2066x\u2069\u061C", "<U+2066>x<U+2069><U+061C>"],
      ["tag\u{E0041}\u{E007F}", "tag<U+E0041><U+E007F>"],
      ["no\u00A0break\u2003em\u3164", "no<U+00A0>break<U+2003>em<U+3164>"],
      ["half \uD800 a pair", "half <U+D800> a pair"],
      ["<b>&amp;", "<b>&amp;"],
    ]) assert.equal(plain(text), shown);
  });

  test("what is very long is cut, and said to be", () => {
    const parts = partsOf("x".repeat(5_000));
    assert.deepEqual(parts.map(([part]) => part.length), [4_000, 21]);
    assert.deepEqual(parts[1], ["cut: 5,000 characters", true]);
  });
});
