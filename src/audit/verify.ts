import { commitment } from "../model/commitment.ts";
import { InputError } from "../model/errors.ts";
import type { TreeState } from "./audit-store.ts";
import type { CheckpointNote } from "./checkpoint.ts";
import type { AuditSource, ExportedRecord } from "./export.ts";
import { leafBytes, leafHash } from "./leaf.ts";
import type { NoteVerifier } from "./signed-note.ts";
import { appendLeaves, emptyTree, rootOf, type Hash } from "./tree.ts";

export interface Verification {
  /** Nothing was found. */
  readonly ok: boolean;
  /** Records that were read. */
  readonly size: number;
  /** Of the tree that was recomputed from the records, hex. */
  readonly root: Hash;
  readonly checkpoints: number;
  /** Of these, how many one of the given keys signed; undefined: none was given, and no signature was looked at. */
  readonly signed: number | undefined;
  /** What is wrong and where, first things first; cut at 100 with a last line that says so. */
  readonly problems: readonly string[];
}

const problemsMax = 100;

/**
 * Recomputes the tree from the records themselves and compares it with what the store says, leaf by leaf, and with every
 * checkpoint and, where keys are given, each checkpoint's signature with them: finds a record that was edited, deleted, moved or put in between, and a tail that was cut behind the last checkpoint.
 * Reads as a stream; memory does not grow with the size.
 */
export async function verifyAudit(
  source: AuditSource,
  checkpoints: AsyncIterable<CheckpointNote>,
  keys: readonly NoteVerifier[] = [],
): Promise<Verification> {
  const problems = new Problems();
  const marks = new CheckpointCursor(checkpoints, problems, `/${source.tenantId}`, keys);
  let tree: TreeState = emptyTree;
  let next = 0;
  try {
    for await (const item of source.records()) {
      if (item.leafIndex !== next) problems.add(gapText(next, item.leafIndex));
      next = item.leafIndex + 1;
      const own = checkRecord(item, problems);
      tree = appendLeaves(tree, [own]);
      await marks.compare(tree);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.add(error.message);
  }
  await marks.finish(tree);
  if (tree.size !== source.tree.size) {
    problems.add(
      `the tree says ${String(source.tree.size)} records, ${String(tree.size)} are there: records are missing`,
    );
  } else if (rootOf(tree) !== rootOf(source.tree)) {
    problems.add("the root that is stored is not the root of the records");
  }
  return {
    ok: problems.list.length === 0,
    size: tree.size,
    root: rootOf(tree),
    checkpoints: marks.seen,
    signed: keys.length === 0 ? undefined : marks.signed,
    problems: problems.list,
  };
}

function gapText(expected: number, found: number): string {
  if (found < expected)
    return `record ${String(found)} comes again or out of order after ${String(expected - 1)}`;
  return found === expected + 1
    ? `record ${String(expected)} is missing`
    : `records ${String(expected)} to ${String(found - 1)} are missing`;
}

/** The leaf hash that the record itself gives. */
function checkRecord(item: ExportedRecord, problems: Problems): Hash {
  const where = `record ${String(item.leafIndex)} (${item.record.recordId})`;
  for (const [field, personal] of Object.entries(item.record.personal ?? {})) {
    if (item.commitments[field] !== commitment(field, personal))
      problems.add(`${where}: the personal value "${field}" is not the one that was recorded`);
  }
  const own = leafHash(leafBytes(item.record, item.commitments));
  if (item.leafHash !== undefined && item.leafHash !== own)
    problems.add(`${where}: its content is not what was recorded`);
  return own;
}

/** Walks the checkpoints beside the growing tree. */
class CheckpointCursor {
  readonly #items: AsyncIterator<CheckpointNote>;
  readonly #problems: Problems;
  readonly #originEnd: string;
  #origin: string | undefined;
  #current: CheckpointNote | undefined;
  #started = false;
  #broken = false;
  #agreed = 0;
  readonly #keys: readonly NoteVerifier[];
  seen = 0;
  signed = 0;

  constructor(
    checkpoints: AsyncIterable<CheckpointNote>,
    problems: Problems,
    originEnd: string,
    keys: readonly NoteVerifier[],
  ) {
    this.#keys = keys;
    this.#items = checkpoints[Symbol.asyncIterator]();
    this.#problems = problems;
    this.#originEnd = originEnd;
  }

  async compare(tree: TreeState): Promise<void> {
    if (!this.#started) await this.#advance();
    while (this.#current !== undefined && this.#current.size <= tree.size) {
      if (this.#current.size < tree.size && this.#current.size !== 0) {
        this.#problems.add(
          `checkpoint of size ${String(this.#current.size)} comes after a larger one: the tree was cut and grown again`,
        );
      } else if (this.#current.size > 0 && this.#current.root !== rootOf(tree)) {
        this.#disagree(this.#current.size);
      } else {
        this.#agreed = this.#current.size;
      }
      await this.#advance();
    }
  }

  async finish(tree: TreeState): Promise<void> {
    if (!this.#started) await this.#advance();
    while (this.#current !== undefined) {
      this.#problems.add(
        `a checkpoint saw ${String(this.#current.size)} records, ${String(tree.size)} are there: the tail was cut`,
      );
      await this.#advance();
    }
  }

  #disagree(size: number): void {
    // Every later checkpoint disagrees as well: the first one says where.
    if (this.#broken) return;
    this.#broken = true;
    this.#problems.add(
      `records ${String(this.#agreed)} to ${String(size - 1)} are not those that the checkpoint of size ${String(size)} saw`,
    );
  }

  #note(checkpoint: CheckpointNote): void {
    this.seen += 1;
    const { origin, text, signatures } = checkpoint;
    if (this.#keys.some((key) => key.name === origin && key.accepts(text, signatures))) {
      this.signed += 1;
    } else if (this.#keys.length > 0) {
      this.#problems.add(
        `the checkpoint of size ${String(checkpoint.size)} is ${signatures.length === 0 ? "not signed" : "not signed by the given key"}`,
      );
    }
    this.#origin ??= checkpoint.origin;
    if (checkpoint.origin !== this.#origin || !checkpoint.origin.endsWith(this.#originEnd))
      this.#problems.add(`a checkpoint of another tree is in the file: "${checkpoint.origin}"`);
  }

  async #advance(): Promise<void> {
    this.#started = true;
    try {
      const next = await this.#items.next();
      this.#current = next.done === true ? undefined : next.value;
      if (this.#current !== undefined) this.#note(this.#current);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#problems.add(`the checkpoint file cannot be read further: ${error.message}`);
      this.#current = undefined;
    }
  }
}

class Problems {
  readonly list: string[] = [];

  add(text: string): void {
    if (this.list.length < problemsMax) this.list.push(text);
    else if (this.list.length === problemsMax) this.list.push("and more");
  }
}
