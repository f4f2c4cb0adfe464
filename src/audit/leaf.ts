import { hash } from "node:crypto";
import { canonicalJson } from "../model/canonical-json.ts";
import type { JsonObject } from "../model/json.ts";
import type { AuditRecord } from "../model/records.ts";

const leafPrefix = Buffer.of(0x00);

/**
 * The bytes that are proved: the RFC 8785 form of the record, its personal values replaced by their commitments.
 * Erasing a personal value changes nothing here.
 */
export function leafBytes(
  record: AuditRecord,
  commitments: Readonly<Record<string, string>>,
): Buffer {
  const { personal: _, ...body } = record;
  const proved: JsonObject = {
    ...(body as unknown as JsonObject),
    ...(Object.keys(commitments).length === 0 ? {} : { personal: commitments }),
  };
  return Buffer.from(canonicalJson(proved), "utf8");
}

/** SHA-256 of 0x00 and the data (RFC 6962 §2.1), hex. */
export function leafHash(data: Uint8Array): string {
  return hash("sha256", Buffer.concat([leafPrefix, data]), "hex");
}
