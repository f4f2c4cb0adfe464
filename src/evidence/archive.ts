import { createHash } from "node:crypto";
import { InputError } from "../model/errors.ts";

/** One file of an archive. */
export interface ArchiveFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const block = 512;
const pathMax = 100;
const manifestPath = "manifest.json";

/** Files and a manifest of their hashes as one tar (POSIX ustar), in the order given; the same files give the same bytes. */
export function writeArchive(
  files: readonly ArchiveFile[],
  about: Readonly<Record<string, string | number>>,
): Buffer {
  const manifest = {
    format: "rolecall-evidence/1",
    ...about,
    files: files.map(({ path, bytes }) => ({ path, bytes: bytes.length, sha256: sha256(bytes) })),
  };
  const last = { path: manifestPath, bytes: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
  const parts = [...files, last].flatMap(({ path, bytes }) => [
    header(path, bytes.length),
    bytes,
    Buffer.alloc((block - (bytes.length % block)) % block),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > pathMax) throw new Error(`too long for an archive: ${path}`);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at);
  bytes.write(path, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  bytes.write("        ", 148);
  bytes.write("0", 156);
  bytes.write("ustar\x0000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

/** The files of an archive, its manifest last. @throws InputError where it is none, or is cut */
export function readArchive(bytes: Uint8Array): readonly ArchiveFile[] {
  const buffer = Buffer.from(bytes);
  const files: ArchiveFile[] = [];
  for (let at = 0; at + block <= buffer.length;) {
    const head = buffer.subarray(at, at + block);
    if (head.every((byte) => byte === 0)) return files;
    const text = (from: number, length: number) =>
      head.toString("utf8", from, from + length).split("\0")[0] ?? "";
    const size = Number.parseInt(text(124, 12), 8);
    const end = at + block + size;
    if (text(257, 5) !== "ustar" || !(size >= 0) || end > buffer.length)
      throw new InputError("the archive cannot be read", [
        "it is no archive of evidence, or is cut",
      ]);
    files.push({ path: text(0, pathMax), bytes: buffer.subarray(at + block, end) });
    at = end + ((block - (size % block)) % block);
  }
  throw new InputError("the archive cannot be read", ["its end is missing"]);
}

/** What does not agree with the manifest; nothing: every file is there, whole, and no other is. @throws InputError */
export function checkManifest(files: readonly ArchiveFile[]): readonly string[] {
  const found = files.find((file) => file.path === manifestPath);
  if (found === undefined) return ["the manifest is missing"];
  const manifest = JSON.parse(Buffer.from(found.bytes).toString("utf8")) as {
    readonly files?: readonly { readonly path: string; readonly sha256: string }[];
  };
  const problems: string[] = [];
  const listed = new Map((manifest.files ?? []).map((file) => [file.path, file.sha256]));
  for (const file of files) {
    if (file === found) continue;
    const hash = listed.get(file.path);
    if (hash === undefined) problems.push(`${file.path} is not in the manifest`);
    else if (hash !== sha256(file.bytes)) problems.push(`${file.path} was changed`);
    listed.delete(file.path);
  }
  for (const path of listed.keys()) problems.push(`${path} is missing`);
  return problems;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Ids of audit records that the reports of an archive name, wherever they stand: the record in it must have each. */
export function recordIdsIn(files: readonly ArchiveFile[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { path, bytes } of files) {
    if (!path.endsWith(".json") || path === manifestPath) continue;
    walk(JSON.parse(Buffer.from(bytes).toString("utf8")), ids);
  }
  return ids;
}

function walk(value: unknown, ids: Set<string>): void {
  if (Array.isArray(value)) for (const item of value as readonly unknown[]) walk(item, ids);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) {
      if (key === "recordId" && typeof item === "string") ids.add(item);
      else if (key === "records" && Array.isArray(item))
        for (const one of item as readonly unknown[])
          if (typeof one === "string") ids.add(one);
          else walk(one, ids);
      else walk(item, ids);
    }
}
