import type { AccountStore } from "../accounts/account-store.ts";
import type { FindingDraft } from "../accounts/finding.ts";
import type { Lane } from "../accounts/lane.ts";
import type { Clock } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { CsvError, csvRecords } from "../csv/csv-file.ts";
import { hasLeft } from "../tasks/assignee.ts";
import type { RosterStore } from "../tasks/roster-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import {
  auditCredits,
  capLevel,
  creditTotals,
  readCreditUsage,
  type CreditFinding,
  type CreditTotals,
} from "./credit-audit.ts";

export interface UsageDeps {
  readonly store: Pick<
    AccountStore,
    "raiseFindings" | "resolveFindings" | "listFindings" | "updateLane"
  > &
    Pick<RosterStore, "lastRoster"> &
    Pick<DirectoryStore, "findIdentities" | "readIdentities">;
  readonly clock: Clock;
}

interface Wish {
  readonly lane: Lane;
  readonly actor: Actor;
}

/**
 * Holds a vendor's usage export against the budgets of the mapping: what is over or near its cap, what has none, and whose owner left
 * are findings; those that are not so any more are over.
 * @throws InputError when the file cannot be used
 */
export async function auditUsage(
  deps: UsageDeps,
  tenantId: TenantId,
  { lane, actor, text }: Wish & { readonly text: string },
): Promise<{ readonly findings: readonly CreditFinding[]; readonly totals: CreditTotals }> {
  const usage = readCreditUsage(records(text));
  const roster = (await deps.store.lastRoster(tenantId, lane.connectionId))?.roster;
  const budgets = (lane.policy.budgets ?? []).flatMap(({ scope, limit, ...budget }) =>
    scope === "webhook" ? [] : [{ ...budget, scope, credits: limit }],
  );
  const owners = [...budgets.map((item) => item.owner), ...usage.flatMap((row) => row.owner ?? [])];
  const found = auditCredits({
    usage,
    budgets,
    left: await leftOf(deps, tenantId, owners),
    present: roster === undefined ? undefined : new Set(roster.members.map((item) => item.email)),
  });
  await replaceFindings(deps, tenantId, lane, "credits", found);
  const totals = creditTotals({ usage, budgets });
  const { spent, declared } = totals;
  const facts = { tables: usage.length, findings: found.length, spent, declared };
  await note(deps, tenantId, { lane, actor }, facts);
  return { findings: found, totals };
}

/** Of these addresses those whose people the directory knows, and knows to be gone. */
async function leftOf(
  deps: UsageDeps,
  tenantId: TenantId,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  const left = new Set<string>();
  for (const address of new Set(addresses))
    if (await hasLeft(deps, tenantId, address)) left.add(address);
  return left;
}

/** A dated count of what a webhook source took so far: warned of at 80 and 90 in the hundred, a source without a cap is a finding. */
export async function readWebhook(
  deps: UsageDeps,
  tenantId: TenantId,
  { lane, actor, name, count }: Wish & { readonly name: string; readonly count: number },
): Promise<CreditFinding | undefined> {
  const budget = (lane.policy.budgets ?? []).find(
    (item) => item.scope === "webhook" && item.name === name,
  );
  const found = webhookFinding(name, count, budget?.limit);
  await replaceFindings(
    deps,
    tenantId,
    lane,
    `webhook:${name}`,
    found === undefined ? [] : [found],
  );
  await note(deps, tenantId, { lane, actor }, { webhook: name, count });
  return found;
}

function webhookFinding(
  name: string,
  count: number,
  limit: number | undefined,
): CreditFinding | undefined {
  const subject = `webhook ${name}`;
  if (limit === undefined) {
    const text = `the ${subject} took ${String(count)} records and no cap is declared for it`;
    return { kind: "no_cap", severity: "warning", subject, text };
  }
  const level = capLevel(count, limit);
  if (level === "below") return undefined;
  const text = `the ${subject} took ${String(count)} of ${String(limit)} records of its life: make the next source before it is full`;
  return level === "over"
    ? { kind: "over_cap", severity: "urgent", subject, text }
    : { kind: "near_cap", severity: level === "90" ? "warning" : "info", subject, text };
}

function records(text: string): ReturnType<typeof csvRecords> {
  try {
    return csvRecords(text);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError("the usage export cannot be used", [error.message]);
  }
}

async function replaceFindings(
  deps: UsageDeps,
  tenantId: TenantId,
  { connectionId }: Lane,
  what: string,
  found: readonly CreditFinding[],
): Promise<void> {
  const now = deps.clock.now();
  const prefix = `usage:${connectionId}:${what}:`;
  const findings = found.map(({ kind, severity, subject, text }): FindingDraft => ({
    key: `${prefix}${kind}:${subject}`,
    kind: "usage",
    severity,
    connectionId,
    text,
    facts: { kind, subject },
  }));
  const keys = new Set(findings.map((item) => item.key));
  const open = await deps.store.listFindings(tenantId, { connectionId, open: true, limit: 1_000 });
  const over = open
    .map((item) => item.key)
    .filter((key) => key.startsWith(prefix) && !keys.has(key));
  if (over.length > 0) await deps.store.resolveFindings(tenantId, { keys: over, now });
  if (findings.length > 0) await deps.store.raiseFindings(tenantId, { findings, now });
}

async function note(
  deps: UsageDeps,
  tenantId: TenantId,
  { lane: { connectionId }, actor }: Wish,
  facts: Readonly<Record<string, string | number>>,
): Promise<void> {
  const record = newRecord(deps.clock, {
    actor,
    action: "usage.audited",
    subject: { type: "connection", id: connectionId },
    connectionId,
    facts,
  });
  await deps.store.updateLane(
    tenantId,
    { connectionId, set: {}, now: deps.clock.now() },
    { records: [record], recompute: [] },
  );
}
