import { describe, expect, test } from "vitest";
import {
  auditCredits,
  capLevel,
  creditTotals,
  readCreditUsage,
  type CreditBudget,
} from "../../../src/governance/credit-audit.ts";
import { csvRecords } from "../../../src/csv/csv-file.ts";

const present = new Set(["ada@example.com", "ben@example.com"]);
const budget = (more: Partial<CreditBudget> = {}): CreditBudget => ({
  scope: "table",
  name: "Leads",
  credits: 1_000,
  owner: "ada@example.com",
  ...more,
});
const usage = (text: string) => readCreditUsage(csvRecords(text));
const kinds = (text: string, budgets: readonly CreditBudget[]) =>
  auditCredits({ usage: usage(text), budgets, present }).map(
    (item) => `${item.severity} ${item.kind} ${item.subject}`,
  );

describe("the usage export", () => {
  test("is read by whichever of its names a column goes", () => {
    expect(
      usage('Table Name,Folder,Owner Email,Credits Used\nLeads,GTM,Ada@Example.com,"1,200.5"'),
    ).toEqual([{ table: "Leads", team: "GTM", owner: "ada@example.com", credits: 1200.5 }]);
  });

  test("without the columns that count, or with credits that are no number, is refused", () => {
    expect(() => usage("Folder,Owner\nx,y")).toThrow(/a column for the table/);
    expect(() => usage("Table,Credits\nLeads,many")).toThrow(/row 2: the credits are no number/);
  });
});

describe("credits", () => {
  test.each([
    [799, []],
    [800, ["info near_cap table Leads"]],
    [900, ["warning near_cap table Leads"]],
    [1_000, ["urgent over_cap table Leads"]],
  ])("%i of 1,000 spent", (spent, expected) => {
    expect(
      kinds(`Table,Owner,Credits\nLeads,ada@example.com,${String(spent)}`, [budget()]),
    ).toEqual(expected);
  });

  test("of a team are those of all its tables, and a table without any cap is said", () => {
    const text = [
      "Table,Team,Owner,Credits",
      "Leads,GTM,ada@example.com,500",
      "Accounts,GTM,ben@example.com,450",
      "Stray,Labs,ben@example.com,1",
    ].join("\n");
    expect(kinds(text, [budget({ scope: "team", name: "GTM" })])).toEqual([
      "warning near_cap team GTM",
      "warning no_cap table Stray",
    ]);
  });

  test("have somebody who answers for them: owners who left are said, on both sides", () => {
    const text = "Table,Owner,Credits\nLeads,gone@example.com,1\nLeads,,1";
    expect(kinds(text, [budget({ owner: "left@example.com" })])).toEqual([
      "warning owner_left table Leads",
      "warning owner_left table Leads",
      "info owner_unknown table Leads",
    ]);
  });
});

test("a count is warned of at 80 and at 90 in the hundred of its limit", () => {
  expect([39_999, 40_000, 45_000, 50_000].map((count) => capLevel(count, 50_000))).toEqual([
    "below",
    "80",
    "90",
    "over",
  ]);
});

describe("beside the credits of a table", () => {
  const found = (text: string, budgets: readonly CreditBudget[], left?: ReadonlySet<string>) =>
    auditCredits({ usage: usage(text), budgets, present: undefined, ...(left && { left }) }).map(
      (item) => `${item.severity} ${item.kind} ${item.subject}`,
    );

  test("its rows and whether it runs by itself are held against what is declared", () => {
    const text = 'Table,Owner,Credits,Rows,Auto Run\nLeads,ada@example.com,10,"5,001",yes';
    expect(found(text, [budget({ rows: 5_000, autoRun: false })])).toEqual([
      "warning over_rows table Leads",
      "warning auto_run table Leads",
    ]);
    expect(found(text, [budget({ rows: 6_000, autoRun: true })])).toEqual([]);
    // An export that says nothing of it proves nothing.
    expect(found("Table,Owner,Credits\nLeads,ada@example.com,10", [budget({ rows: 1 })])).toEqual(
      [],
    );
  });

  test("a group of tables has a cap of its own", () => {
    const text =
      "Table,Group,Owner,Credits\nA,GTM,ada@example.com,500\nB,GTM,ada@example.com,450\nC,Labs,ada@example.com,1";
    expect(found(text, [budget({ scope: "group", name: "GTM" })])).toEqual([
      "warning near_cap group GTM",
      "warning no_cap table C",
    ]);
  });

  test("an owner whom the directory knows to be gone is said without a roster", () => {
    const text = "Table,Owner,Credits\nLeads,ben@example.com,10";
    expect(found(text, [budget()], new Set(["ada@example.com", "ben@example.com"]))).toEqual([
      "warning owner_left table Leads",
      "warning owner_left table Leads",
    ]);
  });

  test("all that was spent is held against all that is declared", () => {
    const rows = usage(
      "Table,Owner,Credits\nLeads,ada@example.com,900\nStray,ada@example.com,200.5",
    );
    const input = { usage: rows, budgets: [budget()], present: undefined };
    expect(creditTotals(input)).toEqual({
      declared: 1_000,
      spent: 1_100.5,
      tables: 2,
      uncapped: 200.5,
    });
    expect(auditCredits(input).map((item) => item.kind)).toContain("over_total");
  });
});
