import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/model/clock.ts";
import { newId } from "../../../src/model/ids.ts";

describe("random bytes of the system's clock", () => {
  test("have the size that was asked for, and none is handed out twice", () => {
    const clock = systemClock();
    const seen = new Set<string>();
    for (let round = 0; round < 3_000; round++) {
      for (const size of [8, 16, 32, 300]) {
        const bytes = clock.bytes(size);
        expect(bytes).toHaveLength(size);
        seen.add(Buffer.from(bytes).toString("hex"));
      }
    }
    expect(seen.size).toBe(12_000);
  });

  test("are the caller's own: writing into them changes no other", () => {
    const clock = systemClock();
    const first = clock.bytes(16);
    const copy = Uint8Array.from(first);
    clock.bytes(16).fill(0);
    expect(first).toEqual(copy);
    expect(first.buffer).not.toBe(clock.bytes(16).buffer);
  });

  test("use every value of a byte about equally", () => {
    const clock = systemClock();
    const counts = new Array<number>(256).fill(0);
    for (let round = 0; round < 16_000; round++) {
      for (const byte of clock.bytes(16)) counts[byte] = (counts[byte] ?? 0) + 1;
    }
    // 1,000 expected each, standard deviation 32.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(250);
  });

  test("make ids that grow with time and never meet", () => {
    const clock = systemClock();
    const ids = Array.from({ length: 5_000 }, () => newId<never>(clock));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
