// Goal: lists are asked with parameters: nothing that a caller sends becomes SQL.
import { expect, test } from "vitest";
import { sql } from "../../../src/adapters/sql/sql-text.ts";

const numbered = (n: number) => `$${String(n)}`;

test("a value becomes a parameter, whatever it says, and a piece stays text", () => {
  const name = `'; DROP TABLE users; --`;
  const piece = sql`${sql.ref("users.name")} = ${name}`;
  expect(
    sql`select 1 from ${sql.table("users")} where ${piece} limit ${5}`.finish(numbered),
  ).toEqual({
    sql: `select 1 from "users" where "users"."name" = $1 limit $2`,
    parameters: [name, 5],
  });
});

test("parameters stand in the order of their places, a piece's as often as it is used", () => {
  const held = sql`held(${"a"}, ${"b"})`;
  expect(sql`${1}${held} or ${held}${null}`.finish(() => "?")).toEqual({
    sql: "?held(?, ?) or held(?, ?)?",
    parameters: [1, "a", "b", "a", "b", null],
  });
});

test("lists are joined with a comma, or what is asked for", () => {
  expect(sql.join(["a", sql`now()`, false]).finish(numbered)).toEqual({
    sql: "$1, now(), $2",
    parameters: ["a", false],
  });
  expect(sql.join([sql`a`, sql`b`], sql` and `).finish(numbered).sql).toBe("a and b");
  expect(sql`(${sql.join([])})`.finish(numbered)).toEqual({ sql: "()", parameters: [] });
});

test("a name cannot leave its quotes", () => {
  expect(sql.ref(`a"; drop`).finish(numbered).sql).toBe(`"a""; drop"`);
});
