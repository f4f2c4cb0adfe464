import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../model/clock.ts";
import { InputError, SyncError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";

/** The key that seals vendor secrets at rest. */
export interface SealKey {
  /** First 8 hex digits of a hash of the key: says which key a secret needs, and nothing about it. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** Keys of before: they open what they sealed, and seal nothing. */
  readonly former?: readonly SealKey[];
}

/** The present key or a former one, by its id. */
export function keyWithId(key: SealKey, id: string | undefined): SealKey | undefined {
  return [key, ...(key.former ?? [])].find((one) => one.id === id);
}

/** The id of the key that a secret was sealed with. */
export function sealedWith(sealed: string): string {
  return sealed.split(".")[1] ?? "";
}

/** What a sealed secret belongs to: one that was copied to another tenant or name does not open. */
export interface SealContext {
  readonly tenantId: string;
  readonly name: string;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Reads 32 bytes written in base64, base64url or hex. @throws InputError that names `source` and never the value */
export function parseSealKey(text: string, source: string): SealKey {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, /^[0-9a-f]{64}$/i.test(trimmed) ? "hex" : "base64");
  if (bytes.length !== keyBytes || !/^[A-Za-z0-9+/_-]+=?$/.test(trimmed)) {
    throw new InputError(`${source} does not hold a seal key`, [
      "expected 32 bytes as 64 hex digits or as base64: make one with `openssl rand -base64 32`",
    ]);
  }
  const id = createHash("sha256").update("rolecall seal key").update(bytes).digest("hex");
  return { id: id.slice(0, 8), bytes };
}

/**
 * The seal key of this installation: the given value, else the file at `path`, which is made once, readable by its owner only.
 * @throws InputError when the value or file is no key, or others may read the file
 */
export async function loadSealKey(options: {
  /** The setting ROLECALL_SEAL_KEY. */
  readonly value: string | undefined;
  /** The setting ROLECALL_SEAL_KEYS_FORMER. */
  readonly former?: readonly string[] | undefined;
  readonly path: string;
  readonly clock: Clock;
}): Promise<SealKey> {
  const existing = await findSealKey(options);
  if (existing !== undefined) return existing;
  await makeKeyFile(options.path, options.clock);
  const made = await findSealKey(options);
  if (made === undefined) throw new InputError(`${options.path} vanished while it was made`, []);
  return made;
}

/** Where the seal key of a data folder lies. */
export function sealKeyPath(dataDir: string): string {
  return join(dataDir, "seal.key");
}

/** The seal key where there is one, without making it. @throws InputError when the value or file is no key */
export async function findSealKey(options: {
  readonly value: string | undefined;
  readonly former?: readonly string[] | undefined;
  readonly path: string;
}): Promise<SealKey | undefined> {
  const key =
    options.value === undefined
      ? await readKeyFile(options.path)
      : parseSealKey(options.value, "ROLECALL_SEAL_KEY");
  if (key === undefined || options.former === undefined) return key;
  const former = options.former.map((text) => parseSealKey(text, "ROLECALL_SEAL_KEYS_FORMER"));
  return { ...key, former: former.filter((one) => one.id !== key.id) };
}

async function readKeyFile(path: string): Promise<SealKey | undefined> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new InputError(`others may read the seal key ${path}`, [`run: chmod 600 ${path}`]);
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return parseSealKey(text, path);
}

/** Two processes that start at once end with one key: the file gets its name only when it is whole, and only once. */
async function makeKeyFile(path: string, clock: Clock): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${newId(clock)}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${Buffer.from(clock.bytes(keyBytes)).toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(draft);
  }
}

/** AES-256-GCM with a random nonce, bound to its tenant and name: `v1.<key id>.<nonce>.<ciphertext and tag>`. */
export function seal(key: SealKey, context: SealContext, secret: string, clock: Clock): string {
  const nonce = clock.bytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce);
  cipher.setAAD(boundTo(context));
  const parts = [cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()];
  return ["v1", key.id, base64url(nonce), base64url(Buffer.concat(parts))].join(".");
}

/** @throws SyncError CREDENTIAL_MISSING when it was sealed with another key, for another place, or was changed */
export function unseal(key: SealKey, context: SealContext, sealed: string): string {
  const [version, keyId, nonce = "", body = ""] = sealed.split(".");
  if (version !== "v1") throw unreadable(context, "is sealed in a form that this version lacks");
  const opener = keyWithId(key, keyId);
  if (opener === undefined) {
    throw unreadable(
      context,
      `was sealed with key ${String(keyId)} and this process has key ${key.id}; give it that key or set the secret again`,
    );
  }
  const bytes = Buffer.from(body, "base64url");
  const split = bytes.length - tagBytes;
  if (split < 0) throw unreadable(context, "is cut short; set it again");
  try {
    const decipher = createDecipheriv(
      "aes-256-gcm",
      opener.bytes,
      Buffer.from(nonce, "base64url"),
      {
        authTagLength: tagBytes,
      },
    );
    decipher.setAAD(boundTo(context));
    decipher.setAuthTag(bytes.subarray(split));
    return Buffer.concat([decipher.update(bytes.subarray(0, split)), decipher.final()]).toString();
  } catch {
    // The library's own error says no more than that the tag does not fit.
    throw unreadable(context, "was changed or belongs to another tenant or name; set it again");
  }
}

function boundTo(context: SealContext): Buffer {
  return Buffer.from(`rolecall/seal/v1\0${context.tenantId}\0${context.name}`, "utf8");
}

function unreadable(context: SealContext, why: string): SyncError {
  return new SyncError("CREDENTIAL_MISSING", `the credential sealed:${context.name} ${why}`);
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
