import { foldEmail } from "../model/fold.ts";
import { InputError } from "../model/errors.ts";

/** A cap that the mapping declares: for a table, a team or a group of tables, by name. */
export interface CreditBudget {
  readonly scope: "table" | "team" | "group";
  readonly name: string;
  readonly credits: number;
  /** Folded address of whoever answers for it. */
  readonly owner: string;
  /** Of a table: so many rows at most, and whether it may enrich by itself. */
  readonly rows?: number;
  readonly autoRun?: boolean;
}

/** What was spent, a row of the vendor's credit usage export. */
export interface CreditUsage {
  readonly table: string;
  readonly team: string | undefined;
  /** Folded; undefined where the export names nobody. */
  readonly owner: string | undefined;
  readonly credits: number;
  /** Undefined where the export says nothing of it. */
  readonly group?: string;
  readonly rows?: number;
  readonly autoRun?: boolean;
}

/** What is declared beside what was spent, all together. */
export interface CreditTotals {
  readonly declared: number;
  readonly spent: number;
  readonly tables: number;
  /** Spent by tables that no cap covers. */
  readonly uncapped: number;
}

export interface CreditFinding {
  readonly kind:
    | "over_cap"
    | "near_cap"
    | "no_cap"
    | "owner_left"
    | "owner_unknown"
    | "over_rows"
    | "auto_run"
    | "over_total";
  readonly severity: "info" | "warning" | "urgent";
  readonly subject: string;
  readonly text: string;
}

/** Names that the export gives its columns; the vendor publishes no format. */
const columns = {
  table: ["table", "table_name", "workbook_table"],
  team: ["team", "folder", "group"],
  owner: ["owner", "owner_email", "table_owner"],
  credits: ["credits", "credits_used", "credit_usage", "total_credits"],
  group: ["group", "table_group"],
  rows: ["rows", "row_count", "total_rows"],
  auto: ["auto_run", "auto_enrich", "auto_update", "run_automatically"],
} as const;

/** Rows of the export, by whichever of its names a column goes. @throws InputError with every row that cannot be used */
export function readCreditUsage(
  records: readonly ReadonlyMap<string, string>[],
): readonly CreditUsage[] {
  const header = new Set(records[0]?.keys() ?? []);
  const column = (name: keyof typeof columns) => columns[name].find((item) => header.has(item));
  const named = { table: column("table"), credits: column("credits") };
  const { table, credits } = named;
  if (records.length > 0 && (table === undefined || credits === undefined)) {
    throw new InputError("the usage export cannot be used", [
      `it needs a column for the table (${columns.table.join(", ")}) and one for the credits (${columns.credits.join(", ")})`,
    ]);
  }
  const problems: string[] = [];
  const team = column("team");
  const owner = column("owner");
  const more = { group: column("group"), rows: column("rows"), auto: column("auto") };
  const rows = records.map((record, at) => {
    const text = (record.get(credits ?? "") ?? "").replaceAll(/[,\s]/g, "");
    const amount = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (Number.isNaN(amount)) problems.push(`row ${String(at + 2)}: the credits are no number`);
    return {
      table: record.get(table ?? "") ?? "",
      team: present(team === undefined ? undefined : record.get(team)),
      owner: present(owner === undefined ? undefined : record.get(owner), foldEmail),
      credits: amount,
      ...details(record, more),
    };
  });
  if (problems.length > 0) throw new InputError("the usage export cannot be used", problems);
  return rows;
}

/** What only some exports say. */
function details(
  record: ReadonlyMap<string, string>,
  at: Readonly<Record<"group" | "rows" | "auto", string | undefined>>,
): Pick<CreditUsage, "group" | "rows" | "autoRun"> {
  const value = (name: string | undefined) =>
    present(name === undefined ? undefined : record.get(name));
  const group = value(at.group);
  const rows = value(at.rows)?.replaceAll(/[,\s]/g, "");
  const auto = value(at.auto)?.toLowerCase();
  return {
    ...(group === undefined ? {} : { group }),
    ...(rows === undefined || !/^\d+$/.test(rows) ? {} : { rows: Number(rows) }),
    ...(auto === undefined ? {} : { autoRun: ["true", "yes", "on", "auto", "1"].includes(auto) }),
  };
}

function present(
  text: string | undefined,
  as: (text: string) => string = (same) => same,
): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : as(text.trim());
}

/**
 * Holds what was spent against what was declared. A table counts for its own cap, and for its team's; one with neither is a finding,
 * because nothing would stop it. An owner who is not in the roster any more cannot answer for anything.
 */
export function auditCredits(input: {
  readonly usage: readonly CreditUsage[];
  readonly budgets: readonly CreditBudget[];
  /** Folded addresses that are in the workspace; undefined: nobody brought a roster, and nothing is said about owners. */
  readonly present: ReadonlySet<string> | undefined;
  /** Folded addresses of whom the directory says that they left. */
  readonly left?: ReadonlySet<string>;
}): readonly CreditFinding[] {
  const { usage, budgets } = input;
  const findings: CreditFinding[] = [];
  for (const budget of budgets) {
    const spent = usage
      .filter((row) => placeOf(row, budget.scope) === budget.name)
      .reduce((sum, row) => sum + row.credits, 0);
    findings.push(
      ...capFinding(budget, spent),
      ...ownerFinding(budget, input.present, input.left),
      ...usage.flatMap((row) => tableFindings(budget, row)),
    );
  }
  findings.push(...totalFinding(creditTotals(input)));
  const capped = (row: CreditUsage) => isCapped(row, budgets);
  for (const row of usage) {
    if (!capped(row)) {
      findings.push({
        kind: "no_cap",
        severity: "warning",
        subject: `table ${row.table}`,
        text: `the table ${row.table} spent ${String(row.credits)} credits, and neither it nor its team has a declared cap`,
      });
    }
    if (row.owner === undefined) {
      findings.push({
        kind: "owner_unknown",
        severity: "info",
        subject: `table ${row.table}`,
        text: `the export names no owner of the table ${row.table}`,
      });
    } else if (input.present?.has(row.owner) === false || input.left?.has(row.owner) === true) {
      findings.push({
        kind: "owner_left",
        severity: "warning",
        subject: `table ${row.table}`,
        text: `the owner of the table ${row.table} is not in the workspace any more: hand it over`,
      });
    }
  }
  return findings;
}

function capFinding(budget: CreditBudget, spent: number): readonly CreditFinding[] {
  const level = capLevel(spent, budget.credits);
  if (level === "below") return [];
  const subject = `${budget.scope} ${budget.name}`;
  const text = `the ${subject} spent ${String(spent)} of ${String(budget.credits)} credits`;
  return level === "over"
    ? [{ kind: "over_cap", severity: "urgent", subject, text }]
    : [{ kind: "near_cap", severity: level === "90" ? "warning" : "info", subject, text }];
}

/** Where a count stands towards its limit: warned at 80 and at 90 in the hundred. */
export function capLevel(count: number, limit: number): "below" | "80" | "90" | "over" {
  if (count >= limit) return "over";
  if (count >= limit * 0.9) return "90";
  return count >= limit * 0.8 ? "80" : "below";
}

function placeOf(row: CreditUsage, scope: CreditBudget["scope"]): string | undefined {
  switch (scope) {
    case "table":
      return row.table;
    case "team":
      return row.team;
    case "group":
      return row.group;
  }
}

const isCapped = (row: CreditUsage, budgets: readonly CreditBudget[]) =>
  budgets.some((item) => item.name === placeOf(row, item.scope));

/** Everything that is declared and was spent. A table of a team with a cap of its own counts for both caps and is spent once. */
export function creditTotals(input: {
  readonly usage: readonly CreditUsage[];
  readonly budgets: readonly CreditBudget[];
}): CreditTotals {
  const sum = (rows: readonly CreditUsage[]) =>
    Math.round(rows.reduce((total, row) => total + row.credits, 0) * 100) / 100;
  return {
    declared: input.budgets.reduce((total, item) => total + item.credits, 0),
    spent: sum(input.usage),
    tables: input.usage.length,
    uncapped: sum(input.usage.filter((row) => !isCapped(row, input.budgets))),
  };
}

function totalFinding({ declared, spent }: CreditTotals): readonly CreditFinding[] {
  if (declared === 0 || spent <= declared) return [];
  const text = `${String(spent)} credits were spent in all, ${String(declared)} are declared`;
  return [{ kind: "over_total", severity: "urgent", subject: "all tables", text }];
}

/** What a table does beside its credits. */
function tableFindings(budget: CreditBudget, row: CreditUsage): readonly CreditFinding[] {
  if (budget.scope !== "table" || row.table !== budget.name) return [];
  const subject = `table ${row.table}`;
  const findings: CreditFinding[] = [];
  if (budget.rows !== undefined && row.rows !== undefined && row.rows > budget.rows) {
    const text = `the ${subject} has ${String(row.rows)} rows, ${String(budget.rows)} are declared`;
    findings.push({ kind: "over_rows", severity: "warning", subject, text });
  }
  if (budget.autoRun === false && row.autoRun === true) {
    const text = `the ${subject} enriches by itself and is declared to be run by hand`;
    findings.push({ kind: "auto_run", severity: "warning", subject, text });
  }
  return findings;
}

function ownerFinding(
  budget: CreditBudget,
  present: ReadonlySet<string> | undefined,
  left: ReadonlySet<string> | undefined,
): readonly CreditFinding[] {
  if (present?.has(budget.owner) !== false && left?.has(budget.owner) !== true) return [];
  const subject = `${budget.scope} ${budget.name}`;
  return [
    {
      kind: "owner_left",
      severity: "warning",
      subject,
      text: `whoever answers for the ${subject} is not there any more: name another owner`,
    },
  ];
}
