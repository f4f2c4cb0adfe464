import { describe, expect, test } from "vitest";
import { parseSealKey } from "../../../src/credentials/seal.ts";
import { sealBytes, unsealBytes } from "../../../src/credentials/seal-bytes.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const key = parseSealKey("ab".repeat(32), "test");
const place = { tenantId: "acme", name: "hr/u1" };
const bytes = Uint8Array.from([0, 255, 10, 123, 0]);
const sealed = () => sealBytes(key, place, bytes, fakeClock());

describe("sealed bytes", () => {
  test("open where they were sealed, an empty body too", () => {
    expect(Buffer.from(unsealBytes(key, place, sealed()))).toEqual(Buffer.from(bytes));
    const empty = sealBytes(key, place, new Uint8Array(), fakeClock());
    expect(unsealBytes(key, place, empty)).toHaveLength(0);
  });

  test("open nowhere else, with no other key, and not when a byte was changed", () => {
    expect(() => unsealBytes(key, { ...place, tenantId: "other" }, sealed())).toThrow(
      "another tenant",
    );
    expect(() => unsealBytes(key, { ...place, name: "hr/u2" }, sealed())).toThrow("another tenant");
    const other = parseSealKey("cd".repeat(32), "test");
    expect(() => unsealBytes(other, place, sealed())).toThrow(`this process has key ${other.id}`);
    for (const at of [30, 45]) {
      const changed = Buffer.from(sealed());
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => unsealBytes(key, place, changed)).toThrow(/was changed|was sealed with|cut/);
    }
    expect(() => unsealBytes(key, place, sealed().subarray(0, 40))).toThrow(/cut short/);
  });

  test("that were stored before there was a seal come back as they are", () => {
    const text = Buffer.from('{"id":"e1"}');
    expect(unsealBytes(key, place, text)).toBe(text);
  });
});
