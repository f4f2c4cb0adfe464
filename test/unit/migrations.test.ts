// Goal: two changes that were made beside each other never meet under one number.
import { expect, test } from "vitest";
import { postgresMigrations } from "../../src/adapters/postgres/migrations.ts";
import { sqliteMigrations } from "../../src/adapters/sqlite/migrations.ts";

test("both databases have the same migrations, numbered without a gap", () => {
  const names = sqliteMigrations().map((migration) => migration.name);
  expect(names.length).toBeGreaterThan(4);
  expect(postgresMigrations().map((migration) => migration.name)).toEqual(names);
});
