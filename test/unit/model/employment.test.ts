import { describe, expect, it } from "vitest";
import {
  defaultEmploymentPolicy,
  departureOf,
  employmentAt,
  employmentForAll,
  nextChange,
  presenceAt,
  publicEmployment,
  type EmploymentFacts,
  type EmploymentPolicy,
  type Spell,
} from "../../../src/model/employment.ts";
import { asId, type HrSourceId } from "../../../src/model/ids.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 2);
const leave = Date.UTC(2026, 10, 30, 13);

const spell = (change: Partial<Spell> = {}): Spell => ({
  spell: 1,
  starts: { at: start },
  leaves: undefined,
  absences: [],
  ...change,
});
const leaving = { moment: { at: leave }, acceptedAt: start + day };
const source = (name: string) => asId<HrSourceId>(name);
const facts = (
  spells: readonly Spell[],
  policy: Partial<EmploymentPolicy> = {},
): EmploymentFacts => ({
  records: [{ sourceId: source("workday"), personKey: "1", spells }],
  policy: { ...defaultEmploymentPolicy, ...policy },
});
const person = (employment: EmploymentFacts | undefined, inactiveSince?: number) => ({
  active: inactiveSince === undefined,
  inactiveSince,
  employment,
});

describe("employment", () => {
  it("begins at the start less the lead time, and ends at the leave instant", () => {
    const told = facts([spell({ leaves: leaving })], { leadMs: 2 * day });
    const states = [start - 2 * day - 1, start - 2 * day, leave - 1, leave].map(
      (now) => employmentAt(told, now).state,
    );
    expect(states).toEqual(["before-start", "employed", "employed", "left"]);
    expect(nextChange(told, 0)).toEqual({ at: start - 2 * day, leave: false });
    expect(nextChange(told, start)).toEqual({ at: leave, leave: true });
    expect(nextChange(told, leave)).toBeUndefined();
  });

  it("of a rehire stays the old spell's until the new one begins", () => {
    const back = leave + 30 * day;
    const told = facts([spell({ leaves: leaving }), spell({ spell: 2, starts: { at: back } })]);
    expect(employmentAt(told, back - 1)).toMatchObject({ state: "left", spell: 1 });
    expect(employmentAt(told, back)).toMatchObject({
      state: "employed",
      spell: 2,
      leavesAt: undefined,
    });
  });

  it("hides a planned leave from who has not the role, and shows one that has come", () => {
    const told = facts([spell({ leaves: leaving })]);
    expect(employmentAt(told, leave - 1)).toMatchObject({ leavesAt: leave, confidential: true });
    expect(publicEmployment(employmentAt(told, leave - 1))).toMatchObject({
      state: "employed",
      leavesAt: undefined,
      leaveAcceptedAt: undefined,
      confidential: false,
    });
    expect(publicEmployment(employmentAt(told, leave))).toMatchObject({ leavesAt: leave });
  });

  it("says not even that HR spoke, where all that it said is a leave that is planned", () => {
    const told = facts([spell({ starts: undefined, leaves: leaving })]);
    expect(employmentForAll(told, leave - 1)).toBeUndefined();
    expect(employmentForAll(told, leave)).toMatchObject({ state: "left", leavesAt: leave });
    const known = facts([spell({ leaves: leaving })]);
    expect(employmentForAll(known, leave - 1)).toMatchObject({ state: "employed" });
    const away = { from: { at: start }, until: undefined };
    const absent = facts([spell({ starts: undefined, leaves: leaving, absences: [away] })]);
    expect(employmentForAll(absent, leave - 1)).toBeDefined();
  });

  it("is decided by the first source of the file, or by the last that a person leaves, and names who contradicts", () => {
    const gone = {
      sourceId: source("agency"),
      personKey: "a",
      spells: [spell({ leaves: leaving })],
    };
    const here = { sourceId: source("workday"), personKey: "1", spells: [spell()] };
    const policy = (decide: EmploymentPolicy["decide"]) => ({
      ...defaultEmploymentPolicy,
      decide,
      order: [source("agency"), source("workday")],
    });
    const first = employmentAt({ records: [here, gone], policy: policy("first") }, leave);
    expect(first).toMatchObject({ state: "left", sourceId: "agency", contradicting: ["workday"] });
    const last = employmentAt({ records: [gone, here], policy: policy("last-to-leave") }, leave);
    expect(last).toMatchObject({
      state: "employed",
      sourceId: "workday",
      contradicting: ["agency"],
    });
  });

  it("of a leave of absence takes nothing unless the policy withdraws", () => {
    const away = spell({
      absences: [{ from: { at: start + day }, until: { at: start + 3 * day } }],
    });
    const now = start + 2 * day;
    expect(employmentAt(facts([away]), now)).toMatchObject({
      state: "on-leave",
      backAt: start + 3 * day,
    });
    expect(presenceAt(person(facts([away])), now)).toBe("present");
    const withdraw = facts([away], { absence: "withdraw" });
    expect(presenceAt(person(withdraw), now)).toBe("away");
    expect(presenceAt(person(withdraw), start + 3 * day)).toBe("present");
  });
});

describe("a departure", () => {
  it("is the IdP's signal alone where HR knows nothing or still employs", () => {
    expect(departureOf(person(undefined), leave)).toBeUndefined();
    for (const employment of [undefined, facts([spell()])]) {
      expect(departureOf(person(employment, leave - 5), leave)).toMatchObject({
        acceptedAt: leave - 5,
        hrAt: undefined,
        by: "idp",
        confirmed: false,
        spell: 1,
      });
    }
  });

  it("is HR's instant once it has come, though the IdP still says active", () => {
    const told = person(facts([spell({ leaves: leaving })]));
    expect(departureOf(told, leave - 1)).toBeUndefined();
    expect(departureOf(told, leave)).toEqual({
      acceptedAt: leave,
      hrAt: leave,
      by: "hr",
      confirmed: false,
      spell: 1,
      sourceId: "workday",
    });
  });

  it("is confirmed by two facts, and begins with the earlier one", () => {
    const told = facts([spell({ leaves: leaving })]);
    expect(departureOf(person(told, leave + hour), leave + 2 * hour)).toMatchObject({
      acceptedAt: leave,
      by: "hr",
      confirmed: true,
    });
    expect(departureOf(person(told, leave - hour), leave + 2 * hour)).toMatchObject({
      acceptedAt: leave - hour,
      hrAt: leave,
      by: "idp",
      confirmed: true,
    });
  });

  it("told late counts its deadlines from when we knew, and keeps the HR instant for the other clock", () => {
    const late = { moment: { at: leave }, acceptedAt: leave + 10 * day };
    expect(departureOf(person(facts([spell({ leaves: late })])), leave + 10 * day)).toMatchObject({
      acceptedAt: leave + 10 * day,
      hrAt: leave,
    });
  });
});
