import { InputError } from "../model/errors.ts";
import { noteOf, parseCheckpoint, type CheckpointNote } from "./checkpoint.ts";
import type { ExportedRecord } from "./export.ts";
import { leafBytes, leafHash } from "./leaf.ts";
import { signatureMark, type NoteVerifier } from "./signed-note.ts";
import { inclusionProof, verifyInclusion, type Hash } from "./tree.ts";
import { commitment } from "../model/commitment.ts";

/** One record with the proof that a signed tree holds it: whoever has the key needs nothing else, and no service. */
export interface RecordProof {
  readonly format: "rolecall-audit-proof/1";
  readonly record: ExportedRecord["record"];
  readonly commitments: ExportedRecord["commitments"];
  /** C2SP tlog-proof: index, hashes and the signed checkpoint. */
  readonly proof: string;
}

const head = "c2sp.org/tlog-proof@v1";

/**
 * Proves a record against a checkpoint.
 * @param leaves at least as many as the checkpoint saw
 * @throws RangeError when the checkpoint is older than the record
 */
export function proveRecord(
  item: ExportedRecord,
  leaves: readonly Hash[],
  checkpoint: CheckpointNote,
): RecordProof {
  const path = inclusionProof(leaves, item.leafIndex, checkpoint.size);
  const hashes = path.map((step) => `${Buffer.from(step, "hex").toString("base64")}\n`).join("");
  return {
    format: "rolecall-audit-proof/1",
    record: item.record,
    commitments: item.commitments,
    proof: `${head}\nindex ${String(item.leafIndex)}\n${hashes}\n${noteOf(checkpoint)}`,
  };
}

/** What is wrong with a proof, first things first; nothing: the tree that the key signed holds exactly this record. */
export function checkProof(proof: RecordProof, key: NoteVerifier): readonly string[] {
  const { index, path, text, signatures } = readProof(proof.proof);
  const checkpoint = parseCheckpoint(text.split("\n"));
  const problems: string[] = [];
  if (checkpoint.origin !== key.name)
    problems.push(`the tree is ${checkpoint.origin}, the key is of ${key.name}`);
  if (!key.accepts(text, signatures)) problems.push("the checkpoint is not signed by the key");
  for (const [field, personal] of Object.entries(proof.record.personal ?? {})) {
    if (proof.commitments[field] !== commitment(field, personal))
      problems.push(`the personal value "${field}" is not the one that was recorded`);
  }
  const { size, root } = checkpoint;
  const leaf = leafHash(leafBytes(proof.record, proof.commitments));
  if (!verifyInclusion({ leaf, index, size, root, proof: path }))
    problems.push("the tree does not hold this record at this place");
  return problems;
}

/** @throws InputError for a text that is no tlog-proof */
function readProof(text: string): {
  readonly index: number;
  readonly path: readonly Hash[];
  readonly text: string;
  readonly signatures: readonly string[];
} {
  const [top = "", note = "", signed = ""] = text.split("\n\n");
  const [first, ...lines] = top.split("\n");
  // Extra data may stand before the index; ours has none.
  const at = lines.findIndex((line) => line.startsWith("index "));
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines[at] ?? "")?.[1];
  const hashes = lines.slice(at + 1);
  if (first !== head || index === undefined || hashes.some((line) => !isHash(line)) || note === "")
    throw new InputError("not a proof", [
      `expected ${head}, an index, hashes in base64, and a signed checkpoint`,
    ]);
  return {
    index: Number(index),
    path: hashes.map((line) => Buffer.from(line, "base64").toString("hex")),
    text: `${note}\n`,
    signatures: signed.split("\n").filter((line) => line.startsWith(signatureMark)),
  };
}

function isHash(line: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(line);
}
