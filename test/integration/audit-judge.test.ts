// Goal: others accept our checkpoints and proofs with what they have, not only with what we wrote.
// Method: the note and tlog packages of Go's checksum database open our notes and check inclusion and consistency.
import { expect, test } from "vitest";
import { checkpointText, noteOf } from "../../src/audit/checkpoint.ts";
import { leafHash } from "../../src/audit/leaf.ts";
import { noteSigner } from "../../src/audit/signed-note.ts";
import {
  appendLeaves,
  consistencyProof,
  emptyTree,
  inclusionProof,
  rootOf,
} from "../../src/audit/tree.ts";
import { judged, tlogJudge, type TlogCase } from "../support/go/tlog-judge.ts";
import { describeReal } from "../support/real-server.ts";

const origin = "rolecall/one/acme";
const signer = noteSigner(origin, new Uint8Array(32).fill(3));
const leaves = Array.from({ length: 100 }, (_, at) => Buffer.from(`record ${String(at)}`));
const hashes = leaves.map((leaf) => leafHash(leaf));
const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
const rootAt = (size: number) => rootOf(appendLeaves(emptyTree, hashes.slice(0, size)));

function caseOf(index: number, oldSize: number, size: number): TlogCase {
  const text = checkpointText({ origin, size, root: rootAt(size) });
  return {
    key: signer.verifierKey,
    note: noteOf({ text, signatures: [signer.sign(text).trimEnd()] }),
    leaf: (leaves[index] ?? Buffer.alloc(0)).toString("base64"),
    index,
    inclusion: inclusionProof(hashes, index, size).map(base64),
    oldSize,
    oldRoot: base64(rootAt(oldSize)),
    consistency: consistencyProof(hashes, oldSize, size).map(base64),
  };
}

describeReal("the checksum database's own packages", await tlogJudge(), (binary) => {
  test.each([
    [0, 1, 1],
    [6, 4, 7],
    [63, 64, 64],
    [64, 63, 65],
    [17, 50, 100],
    [99, 1, 100],
  ])(
    "accept record %i, and that the tree of %i grew into the tree of %i",
    async (index, oldSize, size) => {
      expect(await judged(binary, caseOf(index, oldSize, size))).toBe("ok");
    },
  );

  test("refuse a signature, a place and a past that are not true", async () => {
    const good = caseOf(17, 50, 100);
    const unsigned = { ...good, note: good.note.replace("\n100\n", "\n101\n") };
    expect(await judged(binary, unsigned)).toMatch(/^note: /);
    expect(await judged(binary, { ...good, index: 18 })).toMatch(/^inclusion: /);
    expect(await judged(binary, { ...good, oldRoot: base64(rootAt(51)) })).toMatch(
      /^consistency: /,
    );
  });
});
