import { expect, test } from "vitest";
import { isHintOf } from "../../../src/credentials/key-hint.ts";

test.each([
  ["sk-ant-api03-R2D...igAA", "sk-ant-api03-R2Dxxxxxxxxigaa", false],
  ["sk-ant-api03-R2D...igAA", "sk-ant-api03-R2DxxxxxxxxigAA", true],
  ["inst****************", "instabcdef", true],
  ["inst****************", "otherabcdef", false],
  ["…x7Qw", "abcdefx7Qw", true],
  // So little tells nothing.
  ["...", "abcdef", false],
  ["ab*", "abcdef", false],
])("the hint %s and the secret %s", (hint, secret, expected) => {
  expect(isHintOf(hint, secret)).toBe(expected);
});
