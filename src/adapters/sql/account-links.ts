import type { LedgerChange, LedgerEntry, Link, LinkChange } from "../../accounts/account-store.ts";
import type { Instant } from "../../model/clock.ts";
import { listText, type Asked, type Commanded, type TargetKey } from "./account-args.ts";
import {
  ledgerColumns,
  linkColumns,
  toLedgerEntry,
  toLink,
  type LedgerRow,
  type LinkRow,
} from "./account-rows.ts";
import { lockCounted } from "./account-rails.ts";
import { pageOfPairs } from "./account-targets.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Query } from "./engine.ts";

const byKey = "tenant_id = ? AND connection_id = ? AND identity_id = ?";

/** A link to the same account keeps when it began. @throws the unique violation of `account_id` when somebody else has it */
function* writeLink(
  db: Database,
  target: TargetKey,
  change: LinkChange,
  now: Instant,
): Steps<void> {
  const key = [target.tenantId, target.connectionId, target.identityId] as const;
  if (change.op === "remove") {
    yield* db.tell(`DELETE FROM links WHERE ${byKey}`, ...key);
    return;
  }
  yield* db.tell(
    `INSERT INTO links (tenant_id, connection_id, identity_id, account_id, email, origin, since) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, connection_id, identity_id) DO UPDATE SET
       since = CASE WHEN links.account_id = excluded.account_id THEN links.since ELSE excluded.since END, account_id = excluded.account_id, email = excluded.email, origin = excluded.origin`,
    ...key,
    change.accountId,
    change.email,
    change.origin,
    now,
  );
}

/**
 * The link of a write that happened. Where another identity holds the account meanwhile, the outcome is written all the same
 * and the link is not: the next look finds the dispute.
 */
export function* writeOutcomeLink(
  db: Database,
  target: TargetKey,
  change: LinkChange,
  now: Instant,
): Steps<void> {
  if (change.op === "set") {
    // Links of a lane are made one after another: of two identities with one account the second sees the first.
    yield* lockCounted(db, target.tenantId, false, [target.connectionId]);
    const owner = yield* db.get<{ identity_id: string }>(
      "SELECT identity_id FROM links WHERE tenant_id = ? AND connection_id = ? AND account_id = ?",
      target.tenantId,
      target.connectionId,
      change.accountId,
    );
    if (owner !== undefined && owner.identity_id !== target.identityId) return;
  }
  yield* writeLink(db, target, change, now);
}

export function* writeLedger(
  db: Database,
  target: TargetKey,
  changes: readonly LedgerChange[],
  now: Instant,
): Steps<void> {
  const key = [target.tenantId, target.connectionId, target.identityId] as const;
  for (const change of changes) {
    if (change.op === "remove") {
      yield* db.tell(
        `DELETE FROM ledger WHERE ${byKey} AND kind = ? AND object_id = ?`,
        ...key,
        change.slot.kind,
        change.slot.objectId,
      );
      continue;
    }
    const { kind, objectId, role } = change.entitlement;
    yield* db.tell(
      `INSERT INTO ledger (tenant_id, connection_id, identity_id, kind, object_id, role, origin, since, because) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant_id, connection_id, identity_id, kind, object_id) DO UPDATE SET
         since = CASE WHEN ledger.role = excluded.role THEN ledger.since ELSE excluded.since END, role = excluded.role, origin = excluded.origin, because = excluded.because`,
      ...key,
      kind,
      objectId,
      role,
      change.origin,
      now,
      documentText(change.because),
    );
  }
}

export function* changeLink(
  db: Database,
  { tenantId, command, also }: Commanded<"changeLink">,
): Steps<null> {
  yield* writeLink(db, { tenantId, ...keyOf(command) }, command.change, command.now);
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

export function* changeLedger(
  db: Database,
  { tenantId, command, also }: Commanded<"changeLedger">,
): Steps<null> {
  yield* writeLedger(db, { tenantId, ...keyOf(command) }, command.changes, command.now);
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

function keyOf(command: { readonly connectionId: string; readonly identityId: string }) {
  return { connectionId: command.connectionId, identityId: command.identityId };
}

export const getLink: Query<TargetKey, Link | undefined> = {
  place: "point",
  *run(db, { tenantId, connectionId, identityId }) {
    const row = yield* db.get<LinkRow>(
      `SELECT ${linkColumns} FROM links WHERE ${byKey}`,
      tenantId,
      connectionId,
      identityId,
    );
    return row === undefined ? undefined : toLink(row);
  },
};

interface AccountsArgs {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly accountIds: readonly string[];
}

export const findLinks: Query<AccountsArgs, readonly Link[]> = {
  place: "point",
  *run(db, { tenantId, connectionId, accountIds }) {
    return (yield* db.all<LinkRow>(
      `SELECT ${linkColumns} FROM ${db.dialect.values("ids")} CROSS JOIN links
       WHERE tenant_id = ? AND connection_id = ? AND account_id = ids.value ORDER BY identity_id`,
      listText([...new Set(accountIds)]),
      tenantId,
      connectionId,
    )).map(toLink);
  },
};

export const listLinks: Query<Asked<"listLinks">, readonly Link[]> = {
  place: "scan",
  *run(db, { tenantId, command }) {
    const { sql, parameters } = pageOfPairs(command);
    return (yield* db.all<LinkRow>(
      `SELECT ${linkColumns} FROM links WHERE tenant_id = ? ${sql} ORDER BY identity_id, connection_id LIMIT ?`,
      tenantId,
      ...parameters,
      command.limit,
    )).map(toLink);
  },
};

export const listLedger: Query<TargetKey, readonly LedgerEntry[]> = {
  place: "point",
  *run(db, { tenantId, connectionId, identityId }) {
    return (yield* db.all<LedgerRow>(
      `SELECT ${ledgerColumns} FROM ledger WHERE ${byKey} ORDER BY kind, object_id`,
      tenantId,
      connectionId,
      identityId,
    )).map(toLedgerEntry);
  },
};
