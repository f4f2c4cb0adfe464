import { foldEmail } from "../model/fold.ts";
import { InputError } from "../model/errors.ts";

/** A cap that the mapping declares: for a table or a team, by name. */
export interface CreditBudget {
  readonly scope: "table" | "team";
  readonly name: string;
  readonly credits: number;
  /** Folded address of whoever answers for it. */
  readonly owner: string;
}

/** What was spent, a row of the vendor's credit usage export. */
export interface CreditUsage {
  readonly table: string;
  readonly team: string | undefined;
  /** Folded; undefined where the export names nobody. */
  readonly owner: string | undefined;
  readonly credits: number;
}

export interface CreditFinding {
  readonly kind: "over_cap" | "near_cap" | "no_cap" | "owner_left" | "owner_unknown";
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
  const rows = records.map((record, at) => {
    const text = (record.get(credits ?? "") ?? "").replaceAll(/[,\s]/g, "");
    const amount = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (Number.isNaN(amount)) problems.push(`row ${String(at + 2)}: the credits are no number`);
    return {
      table: record.get(table ?? "") ?? "",
      team: present(team === undefined ? undefined : record.get(team)),
      owner: present(owner === undefined ? undefined : record.get(owner), foldEmail),
      credits: amount,
    };
  });
  if (problems.length > 0) throw new InputError("the usage export cannot be used", problems);
  return rows;
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
}): readonly CreditFinding[] {
  const { usage, budgets } = input;
  const findings: CreditFinding[] = [];
  for (const budget of budgets) {
    const spent = usage
      .filter((row) => (budget.scope === "table" ? row.table : row.team) === budget.name)
      .reduce((sum, row) => sum + row.credits, 0);
    findings.push(...capFinding(budget, spent), ...ownerFinding(budget, input.present));
  }
  const capped = (row: CreditUsage) =>
    budgets.some((item) => item.name === (item.scope === "table" ? row.table : row.team));
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
    } else if (input.present?.has(row.owner) === false) {
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

function ownerFinding(
  budget: CreditBudget,
  present: ReadonlySet<string> | undefined,
): readonly CreditFinding[] {
  if (present?.has(budget.owner) !== false) return [];
  const subject = `${budget.scope} ${budget.name}`;
  return [
    {
      kind: "owner_left",
      severity: "warning",
      subject,
      text: `whoever answers for the ${subject} is not in the workspace any more: name another owner`,
    },
  ];
}
