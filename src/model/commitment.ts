import { createHash } from "node:crypto";

const separator = Buffer.of(0);

/**
 * What stands for a personal value in the audit record: SHA-256 (hex) of salt, 0x00, field, 0x00, value. It binds the value to
 * the record while the value is kept, and says nothing about it once value and salt are erased.
 */
export function commitment(field: string, personal: { value: string; salt: string }): string {
  return createHash("sha256")
    .update(Buffer.from(personal.salt, "hex"))
    .update(separator)
    .update(field, "utf8")
    .update(separator)
    .update(personal.value, "utf8")
    .digest("hex");
}

/** The commitments of all personal values of a record, by field. */
export function commitmentsOf(
  personal: Readonly<Record<string, { readonly value: string; readonly salt: string }>> | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(personal ?? {}).map(([field, item]) => [field, commitment(field, item)]),
  );
}
