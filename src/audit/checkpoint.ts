import { createReadStream } from "node:fs";
import { mkdir, open, rename, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Instant } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import { signatureMark, type NoteSigner } from "./signed-note.ts";
import type { Hash } from "./tree.ts";

/** What the tree of one tenant was at one moment, kept outside the database: a later edit or cut cannot agree with it. */
export interface Checkpoint {
  /** Names the tree: `rolecall/<store instance>/<tenant>`. */
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly root: Hash;
}

/** A checkpoint as it is kept: what was signed, and the lines that sign it. */
export interface CheckpointNote extends Checkpoint {
  readonly text: string;
  /** None in files of a version that did not sign. */
  readonly signatures: readonly string[];
}

/** Names the tree of a tenant in a store, and the key that signs its checkpoints. */
export function originOf(instanceId: string, tenantId: TenantId): string {
  return `rolecall/${instanceId}/${tenantId}`;
}

/** The note text of C2SP tlog-checkpoint: origin, size and root in base64, each on its line. */
export function checkpointText(checkpoint: Checkpoint): string {
  const root = Buffer.from(checkpoint.root, "hex").toString("base64");
  return `${checkpoint.origin}\n${String(checkpoint.size)}\n${root}\n`;
}

/** The whole note: text, blank line, signatures. */
export function noteOf({ text, signatures }: Pick<CheckpointNote, "text" | "signatures">): string {
  return `${text}\n${signatures.map((line) => `${line}\n`).join("")}`;
}

/** @throws InputError for anything that is not one checkpoint; further lines of the note are allowed and not read */
export function parseCheckpoint(lines: readonly string[]): Checkpoint {
  const [origin = "", size = "", root = ""] = lines;
  const problems: string[] = [];
  if (origin === "") problems.push("line 1: the origin is missing");
  if (!/^(0|[1-9]\d{0,15})$/.test(size)) problems.push("line 2: the size is not a decimal number");
  if (!/^[A-Za-z0-9+/]{43}=$/.test(root)) problems.push("line 3: the root is not 32 bytes base64");
  if (problems.length > 0) throw new InputError("not a checkpoint", problems);
  return { origin, size: Number(size), root: Buffer.from(root, "base64").toString("hex") };
}

/** One append-only file of checkpoints per tenant. */
export interface CheckpointFiles {
  /** Appends and resolves when it is on disk. */
  append(tenantId: TenantId, tree: { readonly size: number; readonly root: Hash }): Promise<void>;
  /** The newest one. @throws InputError when the file ends in something else */
  last(tenantId: TenantId): Promise<CheckpointNote | undefined>;
  /** Moves the file out of the way, for a history that the store does not have: `<tenant>.before-<UTC ms>.txt`. */
  setAside(tenantId: TenantId, at: Instant): Promise<void>;
  /** All of them, oldest first. @throws InputError at one that cannot be read */
  read(tenantId: TenantId): AsyncIterable<CheckpointNote>;
}

/** The same files, whose new checkpoints are told outside once they are on disk. */
export function toldCheckpoints(
  files: CheckpointFiles,
  tell: (
    tenantId: TenantId,
    taken: { readonly origin: string; readonly size: number; readonly note: string },
  ) => Promise<void>,
): CheckpointFiles {
  return {
    ...files,
    append: async (tenantId, tree) => {
      await files.append(tenantId, tree);
      const taken = await files.last(tenantId);
      if (taken === undefined) return;
      await tell(tenantId, { origin: taken.origin, size: taken.size, note: noteOf(taken) });
    },
  };
}

const tailBytes = 4_096;

/** Where the checkpoints of a tenant are. */
export function checkpointPath(folder: string, tenantId: TenantId): string {
  return join(folder, `${tenantId}.txt`);
}

/** Files `<folder>/<tenant>.txt`, of signed notes with a blank line behind each; the folder is made at the first append. */
export function checkpointFiles(
  folder: string,
  instanceId: string,
  signerOf: (origin: string) => NoteSigner,
): CheckpointFiles {
  const pathOf = (tenantId: TenantId) => checkpointPath(folder, tenantId);
  return {
    append: async (tenantId, tree) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(pathOf(tenantId), "a+", 0o600);
      try {
        await cutTorn(file);
        const origin = originOf(instanceId, tenantId);
        const text = checkpointText({ origin, ...tree });
        await file.appendFile(`${text}\n${signerOf(origin).sign(text)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(folder);
    },
    last: (tenantId) => lastCheckpoint(pathOf(tenantId)),
    setAside: async (tenantId, at) => {
      await rename(pathOf(tenantId), join(folder, `${tenantId}.before-${String(at)}.txt`));
      await syncFolder(folder);
    },
    read: (tenantId) => readCheckpoints(pathOf(tenantId)),
  };
}

/** The newest checkpoint of a file. @throws InputError when the file ends in something else */
export async function lastCheckpoint(path: string): Promise<CheckpointNote | undefined> {
  const file = await openExisting(path);
  if (file === undefined) return undefined;
  try {
    const whole = (await readTail(file)).split(/\n\n+/).slice(0, -1);
    const at = whole.findLastIndex((part) => !part.startsWith(signatureMark));
    const newest = whole[at];
    return newest === undefined ? undefined : noteFrom(newest, whole[at + 1]);
  } finally {
    await file.close();
  }
}

/** Checkpoints of a file, oldest first; none where there is no file. @throws InputError at one that cannot be read */
export async function* readCheckpoints(path: string): AsyncGenerator<CheckpointNote> {
  const file = await openExisting(path);
  if (file === undefined) return;
  await file.close();
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity });
  let part: string[] = [];
  let note: string | undefined;
  for await (const line of lines) {
    if (line !== "") {
      part.push(line);
      continue;
    }
    if (part.length === 0) continue;
    const text = part.join("\n");
    part = [];
    const signs = text.startsWith(signatureMark);
    if (note !== undefined) yield noteFrom(note, signs ? text : undefined);
    note = signs ? undefined : text;
  }
  if (note !== undefined) yield noteFrom(note, undefined);
  // A part without its blank line was being written when the process died: it was never acknowledged.
}

function noteFrom(text: string, signatures: string | undefined): CheckpointNote {
  return {
    ...parseCheckpoint(text.split("\n")),
    text: `${text}\n`,
    signatures: signatures?.split("\n") ?? [],
  };
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readTail(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const from = Math.max(0, size - tailBytes);
  const buffer = Buffer.alloc(size - from);
  await file.read(buffer, 0, buffer.length, from);
  return buffer.toString("utf8");
}

/** Takes away a note that a crash left unfinished, so that the next one starts on a line of its own. */
async function cutTorn(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const tail = await readTail(file);
  if (tail === "" || tail.endsWith("\n\n")) return;
  const end = tail.lastIndexOf("\n\n");
  const torn = Buffer.byteLength(end < 0 ? tail : tail.slice(end + 2));
  await file.truncate(size - torn);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; its file systems keep the entry with the file.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
