import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leafHash } from "../../../src/audit/leaf.ts";
import {
  appendLeaves,
  consistencyProof,
  emptyTree,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from "../../../src/audit/tree.ts";

/** The leaves and roots that the Certificate Transparency implementations test themselves with. */
const published = {
  leaves: [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ].map((hex) => Buffer.from(hex, "hex")),
  roots: [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ],
};

/** RFC 6962 §2.1, word for word: D[n] is split at the largest power of two below n. */
function treeHash(data: readonly Buffer[]): Buffer {
  const sha = (...parts: Uint8Array[]) =>
    createHash("sha256").update(Buffer.concat(parts)).digest();
  if (data.length === 0) return sha();
  const [only] = data;
  if (data.length === 1 && only !== undefined) return sha(Buffer.of(0), only);
  let k = 1;
  while (k * 2 < data.length) k *= 2;
  return sha(Buffer.of(1), treeHash(data.slice(0, k)), treeHash(data.slice(k)));
}

const dataOf = (size: number) => Array.from({ length: size }, (_, i) => Buffer.from(`leaf ${i}`));
const rootAt = (leaves: readonly string[], size: number) =>
  rootOf(appendLeaves(emptyTree, leaves.slice(0, size)));

describe("the Merkle tree", () => {
  it("gives the published roots of the reference leaves", () => {
    const leaves = published.leaves.map(leafHash);
    expect(published.roots.map((_, i) => rootAt(leaves, i + 1))).toEqual(published.roots);
  });

  it("gives the hash of nothing for the empty tree", () => {
    expect(rootOf(emptyTree)).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  it("gives the recursive definition's root at every size up to 130", () => {
    const data = dataOf(130);
    const leaves = data.map(leafHash);
    for (let size = 0; size <= 130; size++) {
      expect(rootAt(leaves, size)).toBe(treeHash(data.slice(0, size)).toString("hex"));
    }
  });

  it("grows in parts as it would at once, keeping one hash per one bit of the size", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 8 }), (parts) => {
        const leaves = dataOf(parts.reduce((sum, n) => sum + n, 0)).map(leafHash);
        let tree = emptyTree;
        let at = 0;
        for (const part of parts) {
          tree = appendLeaves(tree, leaves.slice(at, at + part));
          at += part;
        }
        expect(tree).toEqual(appendLeaves(emptyTree, leaves));
        expect(tree.frontier).toHaveLength(tree.size.toString(2).replaceAll("0", "").length);
      }),
    );
  });
});

describe("inclusion proofs", () => {
  it("prove every leaf of every size, and no other leaf, index or root", () => {
    const leaves = dataOf(40).map(leafHash);
    for (let size = 1; size <= 40; size++) {
      const root = rootAt(leaves, size);
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(leaves, index, size);
        const claim = { leaf: leaves[index] ?? "", index, size, root, proof };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from("other")) })).toBe(false);
        expect(verifyInclusion({ ...claim, index: index + 1 })).toBe(false);
        expect(verifyInclusion({ ...claim, root: leafHash(Buffer.from("other")) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false);
        if (size > 1) expect(verifyInclusion({ ...claim, proof: proof.slice(0, -1) })).toBe(false);
      }
    }
  });

  it("have the published path of the first leaf of eight", () => {
    const leaves = published.leaves.map(leafHash);
    expect(inclusionProof(leaves, 0)).toEqual([
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]);
  });

  it("do not exist for a leaf that is not there", () => {
    expect(() => inclusionProof(dataOf(3).map(leafHash), 3)).toThrow(RangeError);
  });
});

describe("consistency proofs", () => {
  it("prove that every older tree is a prefix, and refuse another older or newer root", () => {
    const leaves = dataOf(40).map(leafHash);
    const other = leafHash(Buffer.from("other"));
    for (let size = 1; size <= 40; size++) {
      for (let oldSize = 1; oldSize <= size; oldSize++) {
        const proof = consistencyProof(leaves, oldSize, size);
        const claim = {
          oldSize,
          oldRoot: rootAt(leaves, oldSize),
          size,
          root: rootAt(leaves, size),
          proof,
        };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, oldRoot: other })).toBe(false);
        expect(verifyConsistency({ ...claim, root: other })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, other] })).toBe(false);
      }
    }
  });

  it("do not hold between a tree and one whose past was changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), fc.nat(), (size, a, b) => {
        const leaves = dataOf(size).map(leafHash);
        const oldSize = 1 + (a % (size - 1));
        const changed = leaves.with(b % oldSize, leafHash(Buffer.from("changed")));
        expect(
          verifyConsistency({
            oldSize,
            oldRoot: rootAt(leaves, oldSize),
            size,
            root: rootAt(changed, size),
            proof: consistencyProof(changed, oldSize, size),
          }),
        ).toBe(false);
      }),
    );
  });
});
