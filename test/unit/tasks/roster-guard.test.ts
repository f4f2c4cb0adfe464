import { describe, expect, test } from "vitest";
import type { Roster, RosterMember } from "../../../src/model/roster.ts";
import { objections, type RosterContext } from "../../../src/tasks/roster-guard.ts";

const hour = 3_600_000;
const now = 100 * hour;
const person = (email: string, more: Partial<RosterMember> = {}): RosterMember => ({
  email,
  name: undefined,
  role: "editor",
  status: "active",
  groups: [],
  ...more,
});
const crowd = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    person(`p${String(at)}@example.com`, at === 0 ? { role: "admin" } : {}),
  );
const roster = (members: readonly RosterMember[], more: Partial<Roster> = {}): Roster => ({
  workspaceId: "ws_1",
  capturedAt: now - hour,
  members,
  ...more,
});
const context = (more: Partial<RosterContext> = {}): RosterContext => ({
  workspaceId: "ws_1",
  now,
  last: { capturedAt: now - 24 * hour, count: 100 },
  ageMaxMs: 48 * hour,
  adminRoles: ["admin"],
  shrinkAccepted: false,
  ...more,
});

describe("a roster is believed", () => {
  test("when it is whole, new, of this workspace, and shrank no more than a tenth", () => {
    expect(objections(roster(crowd(90)), context())).toEqual([]);
    expect(objections(roster(crowd(1)), context({ last: undefined }))).toEqual([]);
  });

  test.each([
    ["of another workspace", roster(crowd(100), { workspaceId: "ws_2" }), {}, "another workspace"],
    ["from the future", roster(crowd(100), { capturedAt: now + hour }), {}, "future"],
    [
      "too old",
      roster(crowd(100), { capturedAt: now - 72 * hour }),
      { last: undefined },
      "too old",
    ],
    ["no newer than the last", roster(crowd(100), { capturedAt: now - 24 * hour }), {}, "no newer"],
    ["without an admin", roster(crowd(100).slice(1)), {}, "nobody in it is an admin"],
    ["much smaller", roster(crowd(89)), {}, "89 members where there were 100"],
  ])("not when it is %s", (_what, given, more, message) => {
    expect(objections(given, context(more)).join()).toContain(message);
  });

  test("a small workspace may lose five, a shrunk one is believed when a person says so", () => {
    const last = { capturedAt: now - 24 * hour, count: 8 };
    expect(objections(roster(crowd(3)), context({ last }))).toEqual([]);
    expect(objections(roster(crowd(2)), context({ last }))).toHaveLength(1);
    expect(objections(roster(crowd(50)), context({ shrinkAccepted: true }))).toEqual([]);
  });
});
