import { describe, expect, it } from "vitest";
import {
  endOfDay,
  instantOf,
  isRealDay,
  isZone,
  startOfDay,
} from "../../../src/model/zoned-time.ts";

const utc = (instant: number) => new Date(instant).toISOString();
const at = (day: string, time: string, zone: string) => utc(instantOf({ day, time, zone }));

describe("a day in a zone", () => {
  it("begins and ends at local midnight, 23 or 25 hours long where the clocks change", () => {
    expect(utc(startOfDay("2026-11-30", "Australia/Melbourne"))).toBe("2026-11-29T13:00:00.000Z");
    expect(utc(endOfDay("2026-11-30", "Australia/Melbourne"))).toBe("2026-11-30T12:59:59.999Z");
    const hours = (day: string, zone: string) =>
      (instantOf({ day, time: "end", zone }) - instantOf({ day, time: "start", zone })) / 3_600_000;
    expect(hours("2026-03-29", "Europe/Berlin")).toBe(23);
    expect(hours("2026-10-25", "Europe/Berlin")).toBe(25);
    expect(hours("2026-10-04", "Australia/Melbourne")).toBe(23);
    expect(hours("2026-04-05", "Australia/Melbourne")).toBe(25);
    expect(hours("2026-06-01", "Asia/Kolkata")).toBe(24);
  });

  it("begins where its clocks begin, where they skip midnight", () => {
    // Beirut goes from 24:00 to 01:00.
    expect(utc(startOfDay("2026-03-29", "Asia/Beirut"))).toBe("2026-03-28T22:00:00.000Z");
  });

  it("is one of the calendar, and a zone one of the IANA list", () => {
    expect([isRealDay("2028-02-29"), isRealDay("2027-02-29"), isRealDay("x")]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isZone("Pacific/Chatham"), isZone("Melbourne"), isZone("")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("a time of day in a zone", () => {
  it("is the instant at which its clocks show it", () => {
    expect(at("2026-11-30", "23:59", "Australia/Melbourne")).toBe("2026-11-30T12:59:00.000Z");
    expect(at("2026-06-30", "17:30", "America/New_York")).toBe("2026-06-30T21:30:00.000Z");
    expect(at("2026-06-30", "17:30", "Pacific/Chatham")).toBe("2026-06-30T04:45:00.000Z");
    expect(at("2026-12-31", "00:00", "Pacific/Kiritimati")).toBe("2026-12-30T10:00:00.000Z");
  });

  it("that the clocks skip is as long after the jump, one that they show twice is the first", () => {
    expect(at("2026-03-29", "02:30", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
    expect(at("2026-10-25", "02:30", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
  });
});
