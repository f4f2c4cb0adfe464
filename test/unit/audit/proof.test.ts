import { describe, expect, test } from "vitest";
import { checkpointText, parseCheckpoint } from "../../../src/audit/checkpoint.ts";
import { leafBytes, leafHash } from "../../../src/audit/leaf.ts";
import { checkProof, proveRecord, type RecordProof } from "../../../src/audit/proof.ts";
import { noteSigner, noteVerifier } from "../../../src/audit/signed-note.ts";
import { appendLeaves, emptyTree, rootOf } from "../../../src/audit/tree.ts";
import { commitmentsOf } from "../../../src/model/commitment.ts";
import { newRecord } from "../../../src/model/records.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const origin = "rolecall/one/acme";
const signer = noteSigner(origin, new Uint8Array(32).fill(1));
const key = noteVerifier(signer.verifierKey);
const clock = fakeClock();
const items = Array.from({ length: 13 }, (_, leafIndex) => {
  const record = newRecord(clock, {
    actor: { kind: "operator", id: "ida" },
    action: "link.set",
    subject: { type: "identity", id: `i${String(leafIndex)}` },
    facts: { leafIndex },
    personal: { email: `p${String(leafIndex)}@example.com` },
  });
  const commitments = commitmentsOf(record.personal ?? {});
  return { leafIndex, leafHash: undefined, record, commitments };
});
const leaves = items.map((item) => leafHash(leafBytes(item.record, item.commitments)));

function proofOf(at: number, size = leaves.length): RecordProof {
  const item = items[at];
  if (item === undefined) throw new Error("no such record");
  const root = rootOf(appendLeaves(emptyTree, leaves.slice(0, size)));
  const text = checkpointText({ origin, size, root });
  const signatures = [signer.sign(text).trimEnd()];
  return proveRecord(item, leaves, { ...parseCheckpoint(text.split("\n")), text, signatures });
}

describe("the proof of a record", () => {
  test("holds for every record in every tree that has it, and needs the key alone", () => {
    for (let size = 1; size <= leaves.length; size += 1) {
      for (let at = 0; at < size; at += 1) expect(checkProof(proofOf(at, size), key)).toEqual([]);
    }
  });

  test("holds without the personal values, and says so when one is not what was recorded", () => {
    const proof = proofOf(4);
    const { personal: _, ...record } = proof.record;
    expect(checkProof({ ...proof, record }, key)).toEqual([]);
    const email = { value: "eve@example.com", salt: "00".repeat(16) };
    const forged = { ...proof, record: { ...proof.record, personal: { email } } };
    expect(checkProof(forged, key)).toEqual([
      'the personal value "email" is not the one that was recorded',
    ]);
  });

  test("does not hold for another record, place, tree or key", () => {
    const proof = proofOf(4);
    const notThere = ["the tree does not hold this record at this place"];
    const actor = { ...proof.record.actor, id: "eve" };
    expect(checkProof({ ...proof, record: { ...proof.record, actor } }, key)).toEqual(notThere);
    const moved = { ...proof, proof: proof.proof.replace("index 4", "index 5") };
    expect(checkProof(moved, key)).toEqual(notThere);
    const larger = { ...proof, proof: proof.proof.replace("\n13\n", "\n14\n") };
    expect(checkProof(larger, key)).toContain("the checkpoint is not signed by the key");
    const other = noteVerifier(noteSigner(origin, new Uint8Array(32)).verifierKey);
    expect(checkProof(proof, other)).toEqual(["the checkpoint is not signed by the key"]);
  });

  test("is refused with a reason where it is no proof at all", () => {
    expect(() => checkProof({ ...proofOf(1), proof: "hello" }, key)).toThrow("not a proof");
  });
});

describe("a key of checkpoints", () => {
  test("follows from the seal key and the name of the tree", () => {
    expect(noteSigner(origin, new Uint8Array(32).fill(1)).verifierKey).toBe(signer.verifierKey);
    expect(noteSigner("rolecall/one/other", new Uint8Array(32).fill(1)).verifierKey).not.toBe(
      signer.verifierKey,
    );
    expect(() => noteSigner("two words", new Uint8Array(32))).toThrow("cannot name a key");
  });

  test("that lost a character is refused, and so is what is none", () => {
    const { verifierKey } = signer;
    const last = verifierKey.at(-2) === "A" ? "B" : "A";
    expect(() => noteVerifier(`${verifierKey.slice(0, -2)}${last}=`)).toThrow("not a key");
    expect(() => noteVerifier("rolecall")).toThrow("not a key");
  });
});
