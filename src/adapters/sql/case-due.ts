import type { CaseStore } from "../../accounts/case-store.ts";
import type { Obligation } from "../../accounts/leaver-case.ts";
import type { TenantId } from "../../model/ids.ts";
import { DAY_MS } from "../../model/policy.ts";
import {
  caseColumns,
  obligationColumns,
  toCase,
  toObligation,
  type CaseRow,
  type ObligationRow,
} from "./case-rows.ts";
import type { Database, Steps } from "./database.ts";

type Answer<Method extends keyof CaseStore> = Awaited<ReturnType<CaseStore[Method]>>;

export function* takeDueCases(
  db: Database,
  command: Parameters<CaseStore["takeDueCases"]>[0],
): Steps<Answer<"takeDueCases">> {
  const rows = yield* db.all<CaseRow & { readonly wake: number }>(
    `SELECT ${caseColumns}, wake FROM leaver_cases WHERE due_at <= ? ORDER BY due_at, tenant_id, case_id LIMIT ? ${db.dialect.forUpdateSkipLocked}`,
    command.now,
    command.limit,
  );
  for (const row of rows) {
    yield* db.tell(
      "UPDATE leaver_cases SET due_at = ? WHERE tenant_id = ? AND case_id = ?",
      command.now + command.leaseMs,
      row.tenant_id,
      row.case_id,
    );
  }
  return rows.map((row) => ({ leaverCase: toCase(row), wake: row.wake }));
}

export function* restCase(
  db: Database,
  {
    tenantId,
    command,
  }: { readonly tenantId: TenantId; readonly command: Parameters<CaseStore["restCase"]>[1] },
): Steps<null> {
  yield* db.tell(
    `UPDATE leaver_cases SET due_at = (SELECT min(o.alarm_at) FROM obligations o WHERE o.tenant_id = leaver_cases.tenant_id AND o.case_id = leaver_cases.case_id AND o.state = 'open')
     WHERE tenant_id = ? AND case_id = ? AND wake = ?`,
    tenantId,
    command.caseId,
    command.wake,
  );
  return null;
}

export function* takeAlarms(
  db: Database,
  {
    tenantId,
    command: { caseId, now },
  }: { readonly tenantId: TenantId; readonly command: Parameters<CaseStore["takeAlarms"]>[1] },
): Steps<Answer<"takeAlarms">> {
  const rows = yield* db.all<ObligationRow>(
    `SELECT ${obligationColumns} FROM obligations WHERE tenant_id = ? AND case_id = ? AND state = 'open' AND alarm_at <= ? ORDER BY alarm_at, connection_id, kind, subject ${db.dialect.forUpdateSkipLocked}`,
    tenantId,
    caseId,
    now,
  );
  const taken: { alarm: "warning" | "missed"; obligation: Obligation }[] = [];
  for (const row of rows) {
    const missed = row.deadline <= now;
    yield* db.tell(
      "UPDATE obligations SET alarm_at = ?, missed_at = coalesce(missed_at, CAST(? AS BIGINT)) WHERE tenant_id = ? AND case_id = ? AND connection_id = ? AND kind = ? AND subject = ?",
      missed ? now + DAY_MS : row.deadline,
      missed ? row.deadline : null,
      row.tenant_id,
      row.case_id,
      row.connection_id,
      row.kind,
      row.subject,
    );
    taken.push({
      alarm: missed ? "missed" : "warning",
      obligation: {
        ...toObligation(row),
        ...(missed ? { missedAt: row.missed_at ?? row.deadline } : {}),
      },
    });
  }
  return taken;
}
