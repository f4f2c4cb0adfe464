import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readCsv } from "../../../src/csv/csv-file.ts";
import { readRow } from "../../../src/hr/field-map.ts";
import { loadMappings } from "../../../src/mapping/load.ts";
import { momentAt, type HrMoment } from "../../../src/model/employment.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { vendorFactsOf } from "../../support/vendor-facts.ts";

// mappings/example/hr.yaml against exports as the report builders of these systems write them.
const place = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const [example] = await loadMappings(place("mappings"), vendorFactsOf, ["example"]);
const settings = example?.hr;

const fixture = (name: string) => readFileSync(place(`test/fixtures/hr/${name}`), "utf8");
const csv = (name: string): readonly JsonObject[] => readCsv(fixture(name), ",");
const json = (name: string) =>
  (JSON.parse(fixture(name)) as { readonly records: readonly JsonObject[] }).records;
const utc = (moment: HrMoment | null | undefined) =>
  moment === null
    ? "none"
    : moment === undefined
      ? "unsaid"
      : new Date(momentAt(moment)).toISOString().slice(0, 16);

/** `key number address: status, since, until` of each row. */
function read(source: string, rows: readonly JsonObject[]): readonly string[] {
  const own = settings?.sources[source];
  if (own === undefined) throw new Error(`hr.yaml has no ${source}`);
  return rows.map((row) => {
    const { person, statement } = readRow(row, 0, { source: own, settings, receivedAt: 0 });
    if (statement.type !== "state") throw new Error(statement.type);
    return `${person.key} ${person.employeeNumber ?? ""} ${person.email ?? ""}: ${statement.status}, ${utc(statement.starts)}, ${utc(statement.leaves)}`;
  });
}

describe("the example's hr.yaml reads an export of", () => {
  test("Workday, by each person's location", () => {
    expect(read("workday", csv("workday.csv"))).toEqual([
      "1042 1042 aroha.ngata@example.com: employed, 2024-02-04T13:00, 2026-11-30T13:00",
      "1043 1043 joerg.mueller@example.com: away, 2021-05-31T22:00, none",
      // The day on which New York's clocks go forward.
      "1044 1044 ana.reyes@example.com: left, 2019-09-03T04:00, 2026-03-09T04:00",
    ]);
  });

  test("BambooHR, whose empty date is written as one", () => {
    expect(read("bamboohr", csv("bamboohr.csv"))).toEqual([
      "7 7 dana.wu@example.com: employed, 2025-01-06T07:00, none",
      // The day on which Denver's clocks go back.
      "8 8 sam.oneil@example.com: left, 2020-01-06T07:00, 2026-11-02T07:00",
    ]);
  });

  test("HiBob, out of nested objects", () => {
    expect(read("hibob", json("hibob.json"))).toEqual([
      "3332883894231237090 311 noa.levi@example.com: employed, 2023-05-13T21:00, none",
      "3332883894231237091 312 tom.hale@example.com: employed, 2022-01-10T00:00, 2026-10-26T00:00",
    ]);
  });

  test("Rippling, with American days that end at five", () => {
    expect(read("rippling", csv("rippling.csv"))).toEqual([
      "501 501 kim.park@example.com: employed, 2025-02-03T08:00, none",
      "502 502 lee.diaz@example.com: left, 2022-07-15T07:00, 2026-11-02T01:00",
    ]);
  });
});
