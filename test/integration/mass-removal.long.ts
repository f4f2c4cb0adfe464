// Goal: the same as mass-removal.test.ts, at the size that the promise names.
import { test } from "vitest";
import { massRemoval } from "../support/mass-removal.ts";

test("five thousand single removals are no write and one hold, and an approval lets them run", () =>
  massRemoval(5_000));
