// Goal: the demo complains of every invitation that says again what an earlier, good one said, and of no other.
// Method: histories of one address, as the simulators tell them.
import { expect, test } from "vitest";
import { invitationComplaint, type Invitation } from "../../../src/demo/final-check.ts";

const told = (...history: readonly (readonly [string, Invitation["end"], string?])[]) =>
  invitationComplaint(
    "ada@example.com",
    history.map(([role, end, vendor = "anthropic"]) => ({ vendor, role, end })),
  );

test.each([
  ["nobody invited", []],
  ["one that is open", [["developer", "open"]]],
  [
    "one at each vendor",
    [
      ["developer", "accepted"],
      ["view", "accepted", "instantly"],
    ],
  ],
  [
    "one that expired, and another",
    [
      ["user", "expired"],
      ["user", "accepted"],
    ],
  ],
  [
    "one taken back for another role",
    [
      ["claude_code_user", "withdrawn"],
      ["developer", "accepted"],
    ],
  ],
] as const)("is content with %s", (_what, history) => {
  expect(told(...history)).toBeUndefined();
});

test.each([
  [
    "a second one while the first is open",
    [
      ["user", "open"],
      ["user", "open"],
    ],
  ],
  [
    "a second one of another role while the first is open",
    [
      ["user", "open"],
      ["developer", "open"],
    ],
  ],
  [
    "one more after the first was accepted",
    [
      ["user", "accepted"],
      ["user", "open"],
    ],
  ],
  [
    "the same one taken back and sent again",
    [
      ["user", "withdrawn"],
      ["user", "accepted"],
    ],
  ],
  [
    "the same one again, after one of another vendor",
    [
      ["user", "withdrawn"],
      ["view", "open", "instantly"],
      ["user", "accepted"],
    ],
  ],
] as const)("complains of %s", (_what, history) => {
  expect(told(...history)).toMatch(/^ada@example\.com was invited 2 times by anthropic: user /);
});
