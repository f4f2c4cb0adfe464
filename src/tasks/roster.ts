import { z } from "zod";
import { foldEmail } from "../model/fold.ts";
import { InputError } from "../model/errors.ts";
import type { Roster, RosterFacts, RosterMember } from "../model/roster.ts";
import { CsvError, csvRecords } from "../csv/csv-file.ts";

const status = z.enum(["active", "invited"]);
const row = z.object({
  workspace_id: z.string().min(1),
  email: z.string().regex(/^[^@\s]+@[^@\s]+$/, "is no e-mail address"),
  name: z.string().optional(),
  role: z.string().min(1, "is empty"),
  status: z.preprocess(
    (value) => (typeof value === "string" && value !== "" ? value.toLowerCase() : "active"),
    status,
  ),
  groups: z.union([z.string(), z.array(z.string())]).optional(),
  captured_at: z.iso.datetime({ offset: true, error: "is no instant with a zone" }),
});
type Row = z.infer<typeof row>;

const json = z.object({
  workspace_id: z.string().min(1),
  captured_at: z.string(),
  scope: z.literal("full", { error: 'must be "full": a part of a roster proves nothing' }),
  count: z.int().min(0),
  members: z.array(z.record(z.string(), z.unknown())),
});

/**
 * Reads a full roster. CSV: a row per member with `workspace_id,email,name,role,status,groups,captured_at`, groups joined by ";".
 * JSON: `{ workspace_id, captured_at, scope: "full", count, members: [{ email, name, role, status, groups }] }`.
 * @throws InputError with everything that is wrong, each with its row; no address is repeated
 */
export function parseRoster(
  text: string,
  format: "csv" | "json",
  aliases: RosterFacts["aliases"],
): Roster {
  const problems: string[] = [];
  const rows = format === "csv" ? csvRows(text, problems) : jsonRows(text, problems);
  const parsed: Row[] = [];
  rows.forEach((item, at) => {
    const result = row.safeParse(item);
    if (result.success) parsed.push(result.data);
    else {
      for (const issue of result.error.issues) {
        problems.push(`member ${String(at + 1)}: ${issue.path.join(".")} ${issue.message}`);
      }
    }
  });
  problems.push(...disagreements(parsed), ...doubles(parsed));
  const first = parsed[0];
  if (first === undefined && problems.length === 0) problems.push("nobody is in it");
  if (problems.length > 0 || first === undefined) {
    throw new InputError("the roster cannot be used", problems);
  }
  return {
    workspaceId: first.workspace_id,
    capturedAt: Date.parse(first.captured_at),
    members: parsed.map((item) => memberOf(item, aliases)),
  };
}

function csvRows(text: string, problems: string[]): readonly Readonly<Record<string, unknown>>[] {
  try {
    return csvRecords(text).map((record) => Object.fromEntries(record));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    problems.push(error.message);
    return [];
  }
}

function jsonRows(text: string, problems: string[]): readonly Readonly<Record<string, unknown>>[] {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    problems.push("it is not JSON: the file was cut or is something else");
    return [];
  }
  const parsed = json.safeParse(value);
  if (!parsed.success) {
    problems.push(
      ...parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`),
    );
    return [];
  }
  const { members, count, workspace_id, captured_at } = parsed.data;
  if (count !== members.length) {
    problems.push(`it says ${String(count)} members and holds ${String(members.length)}`);
  }
  return members.map((item) => ({ workspace_id, captured_at, ...item }));
}

/** One workspace, one moment: rows of two captures put together are no snapshot. */
function disagreements(rows: readonly Row[]): readonly string[] {
  return [
    ...(new Set(rows.map((item) => item.workspace_id)).size > 1
      ? ["rows of several workspaces are mixed"]
      : []),
    ...(new Set(rows.map((item) => Date.parse(item.captured_at))).size > 1
      ? ["rows of several captures are mixed"]
      : []),
  ];
}

function doubles(rows: readonly Row[]): readonly string[] {
  const seen = new Map<string, number>();
  return rows.flatMap((item, at) => {
    const email = foldEmail(item.email);
    const before = seen.get(email);
    seen.set(email, at + 1);
    return before === undefined
      ? []
      : [`members ${String(before)} and ${String(at + 1)} have one address`];
  });
}

function memberOf(item: Row, aliases: RosterFacts["aliases"]): RosterMember {
  const word = item.role.trim().toLowerCase();
  const known = Object.hasOwn(aliases, word) ? aliases[word] : undefined;
  const groups = typeof item.groups === "string" ? item.groups.split(";") : (item.groups ?? []);
  return {
    email: foldEmail(item.email),
    name: item.name === undefined || item.name === "" ? undefined : item.name,
    role: known ?? item.role.trim(),
    status: item.status,
    groups: [
      ...new Set(groups.map((name) => name.trim()).filter((name) => name !== "")),
    ].toSorted(),
  };
}
