import { hash } from "node:crypto";
import type { TreeState } from "./audit-store.ts";

/** A hash of the tree: SHA-256, hex. */
export type Hash = string;

/** The tree of nothing. */
export const emptyTree: TreeState = { size: 0, frontier: [] };

/** SHA-256 of 0x01, left and right (RFC 6962 §2.1). */
export function nodeHash(left: Hash, right: Hash): Hash {
  return hash("sha256", Buffer.from(`01${left}${right}`, "hex"), "hex");
}

/**
 * Adds leaf hashes to a tree of which only the perfect subtrees are known: constant work per leaf on average, log2(size) hashes
 * of memory, whatever the size.
 */
export function appendLeaves(tree: TreeState, leaves: Iterable<Hash>): TreeState {
  const frontier = [...tree.frontier];
  let size = tree.size;
  for (const leaf of leaves) {
    let node = leaf;
    // Each trailing one bit of the old size is a perfect subtree of the new leaf's height that closes with it.
    for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      node = nodeHash(frontier.pop() ?? "", node);
    }
    frontier.push(node);
    size += 1;
  }
  return { size, frontier };
}

/** The Merkle tree hash; of the empty tree it is the hash of nothing. */
export function rootOf(tree: TreeState): Hash {
  const last = tree.frontier.at(-1);
  if (last === undefined) return hash("sha256", "", "hex");
  return tree.frontier.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/**
 * Shows that the leaf at `index` is in the tree of the first `size` leaves (RFC 9162 §2.1.3.1), nearest sibling first.
 * @throws RangeError when there is no such leaf
 */
export function inclusionProof(
  leaves: readonly Hash[],
  index: number,
  size = leaves.length,
): readonly Hash[] {
  if (index < 0 || index >= size || size > leaves.length)
    throw new RangeError(`no leaf ${String(index)} in a tree of ${String(size)}`);
  const path: Hash[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.push(subtree(leaves, middle, to));
      to = middle;
    } else {
      path.push(subtree(leaves, from, middle));
      from = middle;
    }
  }
  return path.reverse();
}

/**
 * Shows that the tree of the first `oldSize` leaves is a prefix of the tree of the first `size` (RFC 9162 §2.1.4.1).
 * @throws RangeError unless 0 < oldSize <= size <= leaves
 */
export function consistencyProof(
  leaves: readonly Hash[],
  oldSize: number,
  size = leaves.length,
): readonly Hash[] {
  if (oldSize < 1 || oldSize > size || size > leaves.length)
    throw new RangeError(`no proof from ${String(oldSize)} to ${String(size)}`);
  const path: Hash[] = [];
  let from = 0;
  let to = size;
  let whole = true;
  while (oldSize !== to) {
    const middle = from + splitOf(to - from);
    if (oldSize <= middle) {
      path.push(subtree(leaves, middle, to));
      to = middle;
    } else {
      path.push(subtree(leaves, from, middle));
      from = middle;
      whole = false;
    }
  }
  // The old tree itself is known to whoever checks; a part of it is not.
  if (!whole) path.push(subtree(leaves, from, to));
  return path.reverse();
}

/** Whether the proof leads from the leaf to the root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(claim: {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly root: Hash;
  readonly proof: readonly Hash[];
}): boolean {
  if (claim.index < 0 || claim.index >= claim.size) return false;
  let fn = claim.index;
  let sn = claim.size - 1;
  let node = claim.leaf;
  for (const step of claim.proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(step, node);
      [fn, sn] = upWhileEven(fn, sn);
    } else {
      node = nodeHash(node, step);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && node === claim.root;
}

/** Whether the proof shows the old tree to be a prefix of the new one (RFC 9162 §2.1.4.2). */
export function verifyConsistency(claim: {
  readonly oldSize: number;
  readonly oldRoot: Hash;
  readonly size: number;
  readonly root: Hash;
  readonly proof: readonly Hash[];
}): boolean {
  const { oldSize, size } = claim;
  if (oldSize < 1 || oldSize > size) return false;
  if (oldSize === size) return claim.proof.length === 0 && claim.oldRoot === claim.root;
  const path = isPowerOfTwo(oldSize) ? [claim.oldRoot, ...claim.proof] : claim.proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let fn = oldSize - 1;
  let sn = size - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let older = first;
  let newer = first;
  for (const step of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      older = nodeHash(step, older);
      newer = nodeHash(step, newer);
      [fn, sn] = upWhileEven(fn, sn);
    } else {
      newer = nodeHash(newer, step);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && older === claim.oldRoot && newer === claim.root;
}

/** A right border node without a sibling rises until it is a right child. */
function upWhileEven(fn: number, sn: number): [number, number] {
  while (fn % 2 === 0 && fn !== 0) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return [fn, sn];
}

function subtree(leaves: readonly Hash[], from: number, to: number): Hash {
  return rootOf(appendLeaves(emptyTree, leaves.slice(from, to)));
}

/** The largest power of two below n. */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}

function isPowerOfTwo(n: number): boolean {
  return 2 ** Math.round(Math.log2(n)) === n;
}
