import type { Instant } from "../../model/clock.ts";
import { commitmentsOf } from "../../model/commitment.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Also, AuditRecord, FanoutRequest, RecomputeRequest } from "../../model/records.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { SqlDialect } from "./sql-dialect.ts";

/**
 * Writes what a command carries besides its rows, in the same transaction: audit records, recompute marks, fan-outs.
 * @throws StoreError NOT_FOUND for a mark of an identity that this tenant does not have
 */
export function* writeAlso(
  db: Database,
  tenantId: TenantId,
  also: Also,
  now: Instant,
): Steps<void> {
  for (const record of also.records) yield* writeRecord(db, tenantId, record);
  for (const request of also.recompute) yield* markIdentity(db, tenantId, request, now);
  for (const fanout of also.fanouts ?? []) yield* writeFanout(db, tenantId, fanout, false, now);
}

/** Eight reasons as `traceparent`s of 55 characters with a space between two; later ones are counted in `wanted` alone. */
const tracesMax = 8 * 56 - 1;

/** What a new reason does to a mark: shared by single marks and by those that are made from a list. */
const markConflict = ({ greatest, least }: SqlDialect) => {
  const owed = "recompute.done < recompute.wanted";
  // A reason of the future (a leave that is planned) does not hurry what comes before it: its instant is found again by the recompute.
  const ahead = `${owed} AND recompute.due_at > excluded.since AND excluded.due_at < recompute.due_at`;
  const traced = `${owed} AND recompute.traces IS NOT NULL`;
  const full = `excluded.traces IS NULL OR length(recompute.traces) >= ${String(tracesMax)}`;
  const told = `${owed} AND recompute.cause_key IS NOT NULL AND excluded.cause_key IS NULL`;
  return `ON CONFLICT (tenant_id, identity_id) DO UPDATE SET
  wanted = recompute.wanted + 1,
  urgent = CASE WHEN ${ahead} THEN excluded.urgent WHEN ${owed} THEN ${greatest("recompute.urgent", "excluded.urgent")} ELSE excluded.urgent END,
  due_at = CASE WHEN ${owed} THEN ${least("recompute.due_at", "excluded.due_at")} ELSE excluded.due_at END,
  since = CASE WHEN ${owed} THEN ${least("recompute.since", "excluded.since")} ELSE excluded.since END,
  cause_kind = CASE WHEN ${told} THEN recompute.cause_kind ELSE excluded.cause_kind END,
  cause_key = CASE WHEN ${told} THEN recompute.cause_key ELSE excluded.cause_key END,
  traces = CASE WHEN ${traced} THEN (CASE WHEN ${full} THEN recompute.traces ELSE recompute.traces || ' ' || excluded.traces END) ELSE excluded.traces END`;
};

const markColumns =
  "recompute (tenant_id, identity_id, wanted, published, done, urgent, due_at, since, cause_kind, cause_key, traces)";

/** `wanted += 1`. @throws StoreError NOT_FOUND */
export function* markIdentity(
  db: Database,
  tenantId: TenantId,
  request: RecomputeRequest,
  now: Instant,
): Steps<void> {
  const { identityId, cause } = request;
  // The foreign key refuses an identity that this tenant does not have.
  yield* db.tell(
    `INSERT INTO ${markColumns} VALUES (?, ?, 1, 0, 0, ?, ?, ?, ?, ?, ?) ${markConflict(db.dialect)}`,
    tenantId,
    identityId,
    request.urgent,
    request.dueAt ?? now,
    now,
    cause.kind,
    cause.key ?? null,
    cause.trace ?? null,
  );
}

/** `wanted += 1` for every identity of a list, in one statement and in their order, which keeps two of them from blocking each other. Answers how many. */
export function* markListed(
  db: Database,
  tenantId: TenantId,
  identityIds: readonly string[],
  request: Omit<RecomputeRequest, "identityId">,
  now: Instant,
): Steps<number> {
  // `WHERE true` keeps the parser from reading ON CONFLICT as a join condition (sqlite.org/lang_upsert.html, 2026-01).
  return yield* db.run(
    `INSERT INTO ${markColumns}
     SELECT CAST(? AS TEXT), identity_id, 1, 0, 0, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT)
     FROM (SELECT value AS identity_id FROM ${db.dialect.values("list")}) AS people WHERE true ORDER BY identity_id ${markConflict(db.dialect)}`,
    tenantId,
    request.urgent,
    request.dueAt ?? now,
    now,
    request.cause.kind,
    request.cause.key ?? null,
    request.cause.trace ?? null,
    JSON.stringify(identityIds),
  );
}

/**
 * A fan-out over everybody because of a group joins one that nobody has begun: while a company arrives, every group that a rule names
 * would have all people marked again, one after the other. As with marks, the last reason is the one that is told.
 * @param listed the caller puts its people into fanout_people
 */
export function* writeFanout(
  db: Database,
  tenantId: TenantId,
  fanout: FanoutRequest,
  listed: boolean,
  now: Instant,
): Steps<void> {
  const { scope, cause, urgent } = fanout;
  if (scope.kind === "tenant" && cause.kind === "scim.group" && !listed) {
    const joined = yield* db.run(
      "UPDATE fanouts SET cause_key = ?, trace = COALESCE(trace, CAST(? AS TEXT)) WHERE tenant_id = ? AND scope = ? AND cause_kind = ? AND urgent = ? AND listed = 0 AND fence = 0",
      cause.key ?? null,
      cause.trace ?? null,
      tenantId,
      documentText(scope),
      cause.kind,
      urgent,
    );
    if (joined > 0) return;
  }
  yield* db.tell(
    "INSERT INTO fanouts (tenant_id, fanout_id, scope, cause_kind, cause_key, trace, urgent, listed, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    tenantId,
    fanout.fanoutId,
    documentText(scope),
    cause.kind,
    cause.key ?? null,
    cause.trace ?? null,
    urgent,
    listed,
    now,
  );
}

export function* writeRecord(db: Database, tenantId: TenantId, record: AuditRecord): Steps<void> {
  const { personal, ...body } = record;
  const hasPersonal = personal !== undefined && Object.keys(personal).length > 0;
  yield* db.tell(
    "INSERT INTO audit_records (tenant_id, record_id, at, action, identity_id, connection_id, body, personal, commitments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    tenantId,
    record.recordId,
    record.at,
    record.action,
    yield* identityOf(db, tenantId, record),
    record.connectionId ?? null,
    documentText(body),
    hasPersonal ? documentText(personal) : null,
    hasPersonal ? documentText(commitmentsOf(personal)) : null,
  );
}

/** Whose history the record belongs to: the identity that it names, or the one behind the source user. */
function* identityOf(db: Database, tenantId: TenantId, record: AuditRecord): Steps<string | null> {
  const { subject, facts } = record;
  if (subject.type === "identity") return subject.id;
  if (typeof facts["identityId"] === "string") return facts["identityId"];
  if (subject.type !== "source_user") return null;
  const user = yield* db.get<{ identity_id: string }>(
    "SELECT identity_id FROM users WHERE tenant_id = ? AND source_user_id = ?",
    tenantId,
    subject.id,
  );
  return user?.identity_id ?? null;
}
