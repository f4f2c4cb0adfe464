import type { CaseStore } from "../../accounts/case-store.ts";
import {
  warnAt,
  watchListMs,
  type LeaverSight,
  type Obligation,
  type ObligationDraft,
} from "../../accounts/leaver-case.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdentityId, TenantId } from "../../model/ids.ts";
import { DAY_MS } from "../../model/policy.ts";
import type { Also } from "../../model/records.ts";
import { parsed } from "./account-args.ts";
import { wakeOne } from "./account-targets.ts";
import { writeAlso, writeRecord } from "./also.ts";
import { caseColumns, caseIsDue, type CaseRow } from "./case-rows.ts";
import { documentText, type Database, type Steps } from "./database.ts";

/** The tenant, the value and what is written beside it, of a method of the port. */
export interface CaseCommand<Method extends keyof CaseStore> {
  readonly tenantId: TenantId;
  readonly command: Parameters<CaseStore[Method]>[1] & object;
  readonly also: Also;
}

type Answer<Method extends keyof CaseStore> = Awaited<ReturnType<CaseStore[Method]>>;

/** A person's case as it is now; no other command changes it before this one ends. */
function* currentRow(
  db: Database,
  tenantId: string,
  identityId: string,
): Steps<CaseRow | undefined> {
  return yield* db.get<CaseRow>(
    `SELECT ${caseColumns} FROM leaver_cases WHERE tenant_id = ? AND identity_id = ? AND returned_at IS NULL ${db.dialect.forUpdate}`,
    tenantId,
    identityId,
  );
}

/** What a recompute saw of a leaver, in its own commit. */
export function* noteLeaver(
  db: Database,
  tenantId: TenantId,
  identityId: IdentityId,
  sight: LeaverSight,
  now: Instant,
): Steps<void> {
  const current = yield* currentRow(db, tenantId, identityId);
  if (!sight.gone) {
    if (current === undefined) return;
    yield* endByReturn(db, current, now);
    yield* writeRecord(db, tenantId, sight.record);
    return;
  }
  const { draft } = sight;
  if (current === undefined) {
    if (draft.obligations.length === 0) return;
    yield* db.tell(
      `INSERT INTO leaver_cases (tenant_id, case_id, identity_id, state, source, t0, hr_at, signal_at, opened_at, due_at) VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?)`,
      tenantId,
      draft.caseId,
      identityId,
      draft.source,
      draft.t0,
      draft.hrAt ?? null,
      draft.signalAt,
      now,
      now,
    );
    yield* addDuties(db, { tenantId, caseId: draft.caseId, identityId }, draft.obligations, now);
    yield* listSooner(db, tenantId, draft.obligations, now);
    yield* writeRecord(db, tenantId, draft.record);
    return;
  }
  const { hr_at, t0 } = current;
  if (draft.t0 < t0 || (hr_at === null && draft.hrAt !== undefined)) {
    yield* db.tell(
      `UPDATE leaver_cases SET t0 = ${db.dialect.least("t0", "?")}, hr_at = coalesce(hr_at, CAST(? AS BIGINT)) WHERE tenant_id = ? AND case_id = ?`,
      draft.t0,
      draft.hrAt ?? null,
      tenantId,
      current.case_id,
    );
  }
  // A connection that came to be theirs after the case had opened has the same time, from now.
  const late = draft.obligations
    .filter((item) => item.connectionId !== undefined)
    .map((item) => ({ ...item, deadline: now + (item.deadline - draft.signalAt) }));
  const key = { tenantId, caseId: current.case_id, identityId };
  const added = yield* addDuties(db, key, late, now);
  if (added > 0 && current.state === "done") yield* openAgain(db, current, now);
  if (added > 0) yield* makeDue(db, current, now);
}

function* makeDue(db: Database, current: CaseRow, now: Instant): Steps<void> {
  yield* db.tell(`${caseIsDue} case_id = ?`, now, current.tenant_id, current.case_id);
}

function* endByReturn(db: Database, current: CaseRow, now: Instant): Steps<void> {
  yield* db.tell(
    `UPDATE leaver_cases SET returned_at = ?1, state = CASE WHEN state = 'open' THEN 'cancelled' ELSE state END,
       closed_at = coalesce(closed_at, ?1), closed_why = coalesce(closed_why, 'the person is active again')
     WHERE tenant_id = ?2 AND case_id = ?3`,
    now,
    current.tenant_id,
    current.case_id,
  );
  yield* db.tell(
    "UPDATE obligations SET state = 'waived', done_at = ? WHERE tenant_id = ? AND case_id = ? AND state = 'open' AND kind <> 'rotate_key'",
    now,
    current.tenant_id,
    current.case_id,
  );
  yield* makeDue(db, current, now);
}

/** A listing finds who comes back: where the next one lies far ahead, it comes sooner. */
function* listSooner(
  db: Database,
  tenantId: string,
  duties: readonly ObligationDraft[],
  now: Instant,
): Steps<void> {
  const connections = new Set(duties.flatMap((item) => item.connectionId ?? []));
  for (const connectionId of [...connections].toSorted()) {
    yield* db.tell(
      "UPDATE lanes SET next_list_at = ?1 WHERE tenant_id = ?2 AND connection_id = ?3 AND next_list_at > ?1",
      now + watchListMs,
      tenantId,
      connectionId,
    );
  }
}

interface CaseKey {
  readonly tenantId: TenantId;
  readonly caseId: string;
  readonly identityId: string;
}

/** Adds duties that the case does not have yet, and wakes the targets that have to meet them. Answers how many are new. */
function* addDuties(
  db: Database,
  key: CaseKey,
  drafts: readonly ObligationDraft[],
  now: Instant,
): Steps<number> {
  let added = 0;
  const connections = new Set<string>();
  for (const draft of drafts) {
    const isNew = yield* db.run(
      `INSERT INTO obligations (tenant_id, case_id, connection_id, kind, subject, identity_id, channel, state, opened_at, deadline, alarm_at, facts)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?) ON CONFLICT (tenant_id, case_id, connection_id, kind, subject) DO NOTHING`,
      key.tenantId,
      key.caseId,
      draft.connectionId ?? "",
      draft.kind,
      draft.subject,
      key.identityId,
      draft.channel,
      now,
      draft.deadline,
      warnAt(now, draft.deadline),
      documentText(draft.facts),
    );
    added += isNew;
    if (isNew > 0 && draft.kind === "contain") connections.add(draft.connectionId ?? "");
  }
  for (const connectionId of [...connections].toSorted()) {
    yield* wakeOne(
      db,
      { tenantId: key.tenantId, connectionId, identityId: key.identityId },
      null,
      now,
    );
  }
  return added;
}

export function* noteDuties(
  db: Database,
  { tenantId, command, also }: CaseCommand<"noteDuties">,
): Steps<Answer<"noteDuties">> {
  const { identityId, connectionId, now } = command;
  const current = yield* currentRow(db, tenantId, identityId);
  if (current === undefined) return { settled: 0, found: 0, reopened: false };
  const caseId = current.case_id;
  const reopened =
    command.again !== null && (yield* owedAgain(db, current, connectionId, command.again, now));
  let settled = 0;
  for (const item of command.settle) {
    settled += yield* db.run(
      `UPDATE obligations SET state = 'done', done_at = ?, facts = ? WHERE tenant_id = ? AND case_id = ? AND connection_id = ? AND kind = ? AND subject = ? AND state = 'open'`,
      now,
      documentText(item.facts),
      tenantId,
      caseId,
      connectionId,
      item.kind,
      item.subject,
    );
  }
  const found = yield* addDuties(db, { tenantId, caseId, identityId }, command.found, now);
  if (found > 0 && current.state === "done") yield* openAgain(db, current, now);
  if (settled + found > 0 || reopened) {
    yield* makeDue(db, current, now);
    yield* writeAlso(db, tenantId, also, now);
  }
  return { settled, found, reopened };
}

function* owedAgain(
  db: Database,
  current: CaseRow,
  connectionId: string,
  again: NonNullable<CaseCommand<"noteDuties">["command"]["again"]>,
  now: Instant,
): Steps<boolean> {
  let reopened = 0;
  for (const kind of again.kinds) {
    const deadline = again.deadlines[kind];
    if (deadline === undefined) continue;
    reopened += yield* db.run(
      `UPDATE obligations SET state = 'open', done_at = NULL, opened_at = ?, deadline = ?, alarm_at = ?, facts = ?
       WHERE tenant_id = ? AND case_id = ? AND connection_id = ? AND kind = ? AND subject = '' AND state = 'done'`,
      now,
      deadline,
      warnAt(now, deadline),
      documentText({ again: again.why }),
      current.tenant_id,
      current.case_id,
      connectionId,
      kind,
    );
  }
  if (reopened > 0 && current.state === "done") yield* openAgain(db, current, now);
  return reopened > 0;
}

/** A case that was done owes something again: its evidence as well. */
function* openAgain(db: Database, current: CaseRow, now: Instant): Steps<void> {
  yield* db.tell(
    "UPDATE leaver_cases SET state = 'open', reopened_at = ?, closed_at = NULL, closed_why = NULL, watch_until = NULL WHERE tenant_id = ? AND case_id = ?",
    now,
    current.tenant_id,
    current.case_id,
  );
  const deadline = now + DAY_MS;
  yield* db.tell(
    "UPDATE obligations SET state = 'open', done_at = NULL, opened_at = ?, deadline = ?, alarm_at = ? WHERE tenant_id = ? AND case_id = ? AND connection_id = '' AND kind = 'evidence'",
    now,
    deadline,
    warnAt(now, deadline),
    current.tenant_id,
    current.case_id,
  );
}

export function* decideObligation(
  db: Database,
  { tenantId, command, also }: CaseCommand<"decideObligation">,
): Steps<null> {
  // The case before what it owes, as every command locks them.
  yield* db.tell(`${caseIsDue} case_id = ?`, command.now, tenantId, command.caseId);
  const row = yield* db.get<{ facts: string }>(
    `SELECT facts FROM obligations WHERE tenant_id = ? AND case_id = ? AND connection_id = ? AND kind = ? AND subject = ? AND state = 'open' ${db.dialect.forUpdate}`,
    tenantId,
    command.caseId,
    command.connectionId ?? "",
    command.kind,
    command.subject,
  );
  if (row === undefined)
    throw new StoreError("NOT_FOUND", `case ${command.caseId} has no such open obligation`);
  yield* db.tell(
    "UPDATE obligations SET state = ?, done_at = ?, facts = ? WHERE tenant_id = ? AND case_id = ? AND connection_id = ? AND kind = ? AND subject = ?",
    command.state,
    command.now,
    documentText({ ...parsed<Obligation["facts"]>(row.facts), ...command.facts }),
    tenantId,
    command.caseId,
    command.connectionId ?? "",
    command.kind,
    command.subject,
  );
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

export function* closeCase(
  db: Database,
  { tenantId, command, also }: CaseCommand<"closeCase">,
): Steps<boolean> {
  const { caseId, now } = command;
  yield* db.lock(
    "SELECT 1 FROM leaver_cases WHERE tenant_id = ? AND case_id = ? FOR NO KEY UPDATE",
    tenantId,
    caseId,
  );
  const closed = yield* db.run(
    `UPDATE leaver_cases SET state = 'done', closed_at = ?, closed_why = 'everything is verified', watch_until = ? WHERE tenant_id = ? AND case_id = ? AND state = 'open'
       AND NOT EXISTS (SELECT 1 FROM obligations o WHERE o.tenant_id = leaver_cases.tenant_id AND o.case_id = leaver_cases.case_id AND o.state = 'open' AND o.kind <> 'evidence')`,
    now,
    command.watchUntil,
    tenantId,
    caseId,
  );
  if (closed === 0) return false;
  yield* db.tell(
    "UPDATE obligations SET state = 'done', done_at = ?, facts = ? WHERE tenant_id = ? AND case_id = ? AND kind = 'evidence' AND state = 'open'",
    now,
    documentText(command.facts),
    tenantId,
    caseId,
  );
  yield* writeAlso(db, tenantId, also, now);
  return true;
}
