// Goal: removals are counted before the first of them may run, so that hundreds of single ones, each harmless by itself, end in one
// question to a person and not in one write. Five thousand take minutes: mass-removal.long.ts.
import { test } from "vitest";
import { massRemoval } from "../support/mass-removal.ts";

test("five hundred single removals are no write and one hold, and an approval lets them run", () =>
  massRemoval(500));
