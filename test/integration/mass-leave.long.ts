// Goal: the same as mass-leave.test.ts, at the size that the promise names.
import { test } from "vitest";
import { massLeave } from "../support/mass-leave.ts";

test("five thousand `active: false` take the cap, the others are one hold", () => massLeave(5_000));
