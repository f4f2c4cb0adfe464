// Goal: what is told at once is one list: in code, in the documents, in the index that finds it, and in what can happen.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { postgresMigrations } from "../../src/adapters/postgres/migrations.ts";
import { sqliteMigrations } from "../../src/adapters/sqlite/migrations.ts";
import { alertingActions } from "../../src/model/alerting-actions.ts";
import { readSource } from "../support/source-rules.ts";

const actions = Object.keys(alertingActions);

test("deploy/runbook.md has the actions of model/alerting-actions.ts", () => {
  const text = readFileSync(new URL("../../deploy/runbook.md", import.meta.url), "utf8");
  const table = text.slice(
    text.indexOf("<!-- alerting actions: "),
    text.indexOf("<!-- end of alerting actions -->"),
  );
  const rows = [...table.matchAll(/^\| `([a-z_.]+)` \| (.+) \|$/gm)].map((row) => [row[1], row[2]]);
  expect(rows).toEqual(Object.entries(alertingActions));
});

test.each([
  ["SQLite", sqliteMigrations()],
  ["PostgreSQL", postgresMigrations()],
])("the index of %s finds the same actions", (_name, migrations) => {
  const made = migrations.filter((migration) => migration.sql.includes("audit_records_alerting"));
  const list = made.at(-1)?.sql.split("WHERE action IN (")[1] ?? "";
  expect([...list.matchAll(/'([a-z_.]+)'/g)].map((match) => match[1])).toEqual(actions);
});

test("each of them is written somewhere", () => {
  const sources = readSource()
    .filter((file) => !file.path.startsWith("model/alerting"))
    .map((file) => file.text)
    .join("\n");
  const made = new Set([
    "credential.set",
    "credential.removed",
    "protected.changed",
    "rails.changed",
  ]);
  expect(actions.filter((action) => !made.has(action) && !sources.includes(`"${action}"`))).toEqual(
    [],
  );
});
