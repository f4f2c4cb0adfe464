// Goal: a source that says that everybody left takes at most the cap, and asks a person about the rest, once.
// Five thousand take minutes: mass-leave.long.ts.
import { test } from "vitest";
import { massLeave } from "../support/mass-leave.ts";

test("two hundred `active: false` take ten, the others are one hold whose deadlines are told", () =>
  massLeave(200));
