import type { Clock } from "../model/clock.ts";

const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** An opaque id with a type in front, as Anthropic writes them: `user_01` and 22 characters. */
export function prefixedId(clock: Clock, prefix: string): string {
  const text = [...clock.bytes(22)].map((byte) => alphabet[byte % alphabet.length] ?? "").join("");
  return `${prefix}_01${text}`;
}

/** A random UUID (RFC 9562 section 5.4). */
export function uuid(clock: Clock): string {
  const bytes = Buffer.from(clock.bytes(16));
  bytes[6] = 0x40 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
