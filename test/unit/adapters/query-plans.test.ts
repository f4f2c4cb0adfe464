// Goal: what an operator asks about one person costs the same in a company of ten and in one of a million.
// Method: let SQLite say how it would answer; a part that is found by the tenant alone reads everybody.
import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Database, stepsOf } from "../../../src/adapters/sql/database.ts";
import { findIdentities } from "../../../src/adapters/sql/identity-queries.ts";
import { asId, type TenantId } from "../../../src/model/ids.ts";
import { sqliteDialect } from "../../../src/adapters/sql/sql-dialect.ts";

/** How SQLite would answer the first statement of a query, line by line. */
function planOf(steps: ReturnType<typeof findIdentities.run>): readonly string[] {
  const asked = steps.next();
  if (asked.done === true) throw new Error("the query asks nothing");
  const [step] = stepsOf(asked.value);
  if (step === undefined) throw new Error("the query asks nothing");
  const folder = new URL("../../../src/adapters/sqlite/migrations/", import.meta.url);
  const database = new DatabaseSync(":memory:");
  try {
    for (const name of readdirSync(folder).sort())
      database.exec(readFileSync(new URL(name, folder), "utf8"));
    return database
      .prepare(`EXPLAIN QUERY PLAN ${step.sql}`)
      .all(...step.parameters)
      .map((row) => String(row["detail"]));
  } finally {
    database.close();
  }
}

test("a person is looked for by index, whatever was typed", () => {
  const plan = planOf(
    findIdentities.run(new Database(sqliteDialect), {
      tenantId: asId<TenantId>("acme"),
      text: "ada",
    }),
  );
  expect(plan.filter((line) => /^SEARCH (users|u) /.test(line))).toHaveLength(5);
  expect(plan.filter((line) => line.startsWith("SCAN"))).toEqual([]);
  // Of the identity providers of a tenant there are few.
  expect(plan.filter((line) => /\(tenant_id=\?\)$/.test(line) && !line.includes(" p "))).toEqual(
    [],
  );
});
