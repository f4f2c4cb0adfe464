import { describe, expect, it } from "vitest";
import type { HrMessage, HrStatement } from "../../../src/directory/hr-store.ts";
import { foldMessages } from "../../../src/hr/fold.ts";
import { momentAt } from "../../../src/model/employment.ts";

const day = 86_400_000;
const at = (days: number) => ({ at: days * day });

let made = 0;
function says(saidDay: number, statement: HrStatement, receivedDay = saidDay): HrMessage {
  made += 1;
  return {
    uploadId: `u${String(made).padStart(4, "0")}`,
    position: 0,
    person: { key: "1", employeeNumber: "1", email: undefined, displayName: undefined },
    statement,
    saidAt: saidDay * day,
    receivedAt: receivedDay * day,
    repeatedAt: undefined,
  };
}

/** `start–leave` of each spell in days. */
const spellsOf = (...messages: readonly HrMessage[]) =>
  foldMessages(messages).spells.map(({ starts, leaves }) =>
    [starts, leaves?.moment]
      .map((moment) => (moment === undefined ? "" : String(momentAt(moment) / day)))
      .join("–"),
  );

const hire = (days: number): HrStatement => ({ type: "hire", starts: at(days) });
const leave = (days: number): HrStatement => ({ type: "leave", moment: at(days) });
const state = (
  status: "employed" | "away" | "left",
  more: { start?: number; end?: number | null } = {},
): HrStatement => ({
  type: "state",
  status,
  starts: more.start === undefined ? undefined : at(more.start),
  leaves: more.end === undefined || more.end === null ? more.end : at(more.end),
});

describe("messages of one person", () => {
  it("add up to the same, in whatever order they arrive", () => {
    const messages = [
      says(1, hire(10)),
      says(20, leave(30)),
      says(21, { type: "leave-withdrawn" }),
      says(22, leave(40)),
      says(50, hire(60)),
      says(70, { type: "absence", from: at(71), until: undefined }),
      says(75, { type: "absence-ended", until: at(76) }),
    ];
    const right = foldMessages(messages);
    expect(right.spells.map((spell) => spell.spell)).toEqual([1, 2]);
    for (let turn = 0; turn < messages.length; turn += 1) {
      const turned = [...messages.slice(turn), ...messages.slice(0, turn)];
      expect(foldMessages(turned)).toEqual(right);
      expect(foldMessages(turned.toReversed())).toEqual(right);
    }
    expect(spellsOf(...messages)).toEqual(["10–40", "60–"]);
  });

  it("correct a start, and open a spell where the start lies behind the leave", () => {
    expect(spellsOf(says(1, hire(10)), says(2, hire(12)))).toEqual(["12–"]);
    expect(spellsOf(says(1, hire(10)), says(2, leave(20)), says(3, hire(20)))).toEqual([
      "10–20",
      "20–",
    ]);
    expect(spellsOf(says(1, hire(10)), says(2, leave(20)), says(3, hire(12)))).toEqual(["12–20"]);
  });

  it("that come late about an old spell leave the new one alone", () => {
    expect(
      spellsOf(says(1, hire(10)), says(2, leave(20)), says(3, hire(30)), says(4, leave(19))),
    ).toEqual(["10–19", "30–"]);
  });

  it("take back the last word on a leave, not an older one that arrives later", () => {
    const late = says(2, { type: "leave-withdrawn" }, 9);
    expect(spellsOf(says(1, hire(1)), says(3, leave(30)), late)).toEqual(["1–30"]);
  });

  it("keep the first acceptance of a leave that is told again", () => {
    const { spells } = foldMessages([says(1, leave(30), 2), says(5, leave(30), 6)]);
    expect(spells[0]?.leaves?.acceptedAt).toBe(2 * day);
    const moved = foldMessages([says(1, leave(30), 2), says(5, leave(31), 6)]);
    expect(moved.spells[0]?.leaves?.acceptedAt).toBe(6 * day);
  });
});

describe("a state upload", () => {
  it("plans, withdraws and dates a leave", () => {
    const employed = says(1, state("employed", { start: 1 }));
    expect(spellsOf(employed, says(2, state("employed", { start: 1, end: 30 })))).toEqual(["1–30"]);
    expect(
      spellsOf(
        employed,
        says(2, state("employed", { start: 1, end: 30 })),
        says(3, state("employed", { start: 1, end: null })),
      ),
    ).toEqual(["1–"]);
    // Said without the field: the plan stands.
    expect(
      spellsOf(employed, says(2, leave(30)), says(3, state("employed", { start: 1 }))),
    ).toEqual(["1–30"]);
    expect(spellsOf(employed, says(9, state("left")), says(10, state("left")))).toEqual(["1–9"]);
  });

  it("that employs somebody again who had left opens a spell", () => {
    const gone = [says(1, state("employed", { start: 1 })), says(9, state("left", { end: 8 }))];
    expect(spellsOf(...gone, says(20, state("employed", { end: null })))).toEqual(["1–8", "20–"]);
    expect(spellsOf(...gone, says(20, state("employed", { start: 25, end: null })))).toEqual([
      "1–8",
      "25–",
    ]);
  });

  it("sends away and brings back", () => {
    const spells = foldMessages([
      says(1, state("employed", { start: 1 })),
      says(5, state("away")),
      says(6, state("away")),
      says(9, state("employed")),
    ]).spells;
    expect(spells[0]?.absences).toEqual([{ from: at(5), until: at(9) }]);
  });

  it("that is said again counts at its last time too", () => {
    const repeated = {
      ...says(1, state("employed", { start: 1, end: null })),
      repeatedAt: 9 * day,
    };
    expect(spellsOf(repeated, says(5, leave(30)))).toEqual(["1–"]);
    expect(spellsOf(repeated, says(10, leave(30)))).toEqual(["1–30"]);
  });
});
