import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Clock } from "../model/clock.ts";
import { SyncError } from "../model/errors.ts";
import { keyWithId, type SealContext, type SealKey } from "./seal.ts";

/** What sealed bytes begin with; no text and no JSON does. */
const mark = Buffer.from("\0rolecall/bytes/v1\0", "latin1");
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM with a random nonce, bound to tenant and name: mark, key id, nonce, ciphertext, tag. */
export function sealBytes(
  key: SealKey,
  context: SealContext,
  bytes: Uint8Array,
  clock: Clock,
): Uint8Array {
  const nonce = clock.bytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce);
  cipher.setAAD(boundTo(context));
  const body = [cipher.update(bytes), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([mark, Buffer.from(key.id, "latin1"), nonce, ...body]);
}

/**
 * What was sealed. Bytes without the mark are given back as they are: they were stored before there was one.
 * @throws SyncError CREDENTIAL_MISSING when it was sealed with another key, for another place, or was changed
 */
export function unsealBytes(key: SealKey, context: SealContext, stored: Uint8Array): Uint8Array {
  const sealed = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (!sealed.subarray(0, mark.length).equals(mark)) return stored;
  const keyAt = mark.length;
  const nonceAt = keyAt + keyIdBytes;
  const bodyAt = nonceAt + nonceBytes;
  const tagAt = sealed.length - tagBytes;
  const keyId = sealed.subarray(keyAt, nonceAt).toString("latin1");
  const opener = keyWithId(key, keyId);
  if (opener === undefined)
    throw unreadable(context, `was sealed with key ${keyId}; this process has key ${key.id}`);
  if (tagAt < bodyAt) throw unreadable(context, "is cut short");
  const decipher = createDecipheriv("aes-256-gcm", opener.bytes, sealed.subarray(nonceAt, bodyAt), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(boundTo(context));
  decipher.setAuthTag(sealed.subarray(tagAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(bodyAt, tagAt)), decipher.final()]);
  } catch {
    // The library's own error says no more than that the tag does not fit.
    throw unreadable(context, "was changed, or belongs to another tenant or name");
  }
}

function boundTo(context: SealContext): Buffer {
  return Buffer.from(`rolecall/bytes/v1\0${context.tenantId}\0${context.name}`, "utf8");
}

function unreadable(context: SealContext, why: string): SyncError {
  return new SyncError("CREDENTIAL_MISSING", `what is kept as ${context.name} ${why}`);
}
