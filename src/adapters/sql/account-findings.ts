import type { Finding } from "../../accounts/finding.ts";
import type { Instant } from "../../model/clock.ts";
import { asId, type ConnectionId, type IdentityId } from "../../model/ids.ts";
import { listText, parsed, type Answer, type Asked } from "./account-args.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Query } from "./engine.ts";

export function* raiseFindings(
  db: Database,
  { tenantId, command }: Asked<"raiseFindings">,
): Steps<Answer<"raiseFindings">> {
  const opened: string[] = [];
  for (const finding of command.findings) {
    const said = [
      finding.kind,
      finding.severity,
      finding.connectionId ?? null,
      finding.identityId ?? null,
      finding.text,
      documentText(finding.facts),
      command.now,
    ];
    const seen = yield* db.run(
      `UPDATE findings SET kind = ?, severity = ?, connection_id = ?, identity_id = ?, text = ?, facts = ?, seen_at = ?
       WHERE tenant_id = ? AND key = ? AND resolved_at IS NULL`,
      ...said,
      tenantId,
      finding.key,
    );
    if (seen > 0) continue;
    // Of two who see it first at the same time, one opens it.
    const raised = yield* db.run(
      `INSERT INTO findings (kind, severity, connection_id, identity_id, text, facts, seen_at, tenant_id, key, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant_id, key) DO UPDATE SET
         kind = excluded.kind, severity = excluded.severity, connection_id = excluded.connection_id, identity_id = excluded.identity_id,
         text = excluded.text, facts = excluded.facts, seen_at = excluded.seen_at, opened_at = excluded.opened_at, resolved_at = NULL
       WHERE findings.resolved_at IS NOT NULL`,
      ...said,
      tenantId,
      finding.key,
      command.now,
    );
    if (raised > 0) opened.push(finding.key);
  }
  return { opened };
}

export function* resolveFindings(
  db: Database,
  { tenantId, command }: Asked<"resolveFindings">,
): Steps<Answer<"resolveFindings">> {
  let resolved = 0;
  if (command.keys !== undefined && command.keys.length > 0) {
    resolved += yield* db.run(
      `UPDATE findings SET resolved_at = ? WHERE tenant_id = ? AND resolved_at IS NULL AND key IN (SELECT value FROM ${db.dialect.values("list")})`,
      command.now,
      tenantId,
      listText(command.keys),
    );
  }
  if (command.prefix !== undefined) {
    // No LIKE: keys may hold its wildcards.
    resolved += yield* db.run(
      "UPDATE findings SET resolved_at = ?1 WHERE tenant_id = ?2 AND resolved_at IS NULL AND key >= ?3 AND substr(key, 1, length(CAST(?3 AS TEXT))) = ?3",
      command.now,
      tenantId,
      command.prefix,
    );
  }
  return resolved;
}

interface FindingRow {
  readonly key: string;
  readonly kind: Finding["kind"];
  readonly severity: Finding["severity"];
  readonly connection_id: string | null;
  readonly identity_id: string | null;
  readonly text: string;
  readonly facts: string;
  readonly opened_at: Instant;
  readonly seen_at: Instant;
  readonly resolved_at: Instant | null;
}

function toFinding(row: FindingRow): Finding {
  return {
    key: row.key,
    kind: row.kind,
    severity: row.severity,
    ...(row.connection_id === null ? {} : { connectionId: asId<ConnectionId>(row.connection_id) }),
    ...(row.identity_id === null ? {} : { identityId: asId<IdentityId>(row.identity_id) }),
    text: row.text,
    facts: parsed(row.facts),
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    resolvedAt: row.resolved_at ?? undefined,
  };
}

export const listFindings: Query<Asked<"listFindings">, readonly Finding[]> = {
  place: ({ command }) => (command.identityId === undefined ? "scan" : "point"),
  *run(db, { tenantId, command }) {
    const conditions = ["tenant_id = ?"];
    const parameters: string[] = [tenantId];
    if (command.identityId !== undefined) {
      conditions.push("identity_id = ?");
      parameters.push(command.identityId);
    }
    if (command.connectionId !== undefined) {
      conditions.push("connection_id = ?");
      parameters.push(command.connectionId);
    }
    if (command.open !== undefined)
      conditions.push(command.open ? "resolved_at IS NULL" : "resolved_at IS NOT NULL");
    return (yield* db.all<FindingRow>(
      `SELECT key, kind, severity, connection_id, identity_id, text, facts, opened_at, seen_at, resolved_at FROM findings
         WHERE ${conditions.join(" AND ")} ORDER BY opened_at DESC, key LIMIT ?`,
      ...parameters,
      command.limit,
    )).map(toFinding);
  },
};
