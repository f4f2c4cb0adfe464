import type { AcceptedAccount, AdoptionStore, SignOff } from "../../accounts/adoption-store.ts";
import type { Clock, Instant } from "../../model/clock.ts";
import type { AccountId, ConnectionId, TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

interface Write {
  readonly tenantId: TenantId;
  readonly also: Also;
  readonly now: Instant;
}

function* acceptAccount(
  db: Database,
  args: Write & { readonly accepted: AcceptedAccount },
): Steps<null> {
  const { connectionId, accountId, owner, reason, until, by, at } = args.accepted;
  yield* db.tell(
    `INSERT INTO accepted_accounts (tenant_id, connection_id, account_id, owner, reason, until, accepted_by, accepted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, connection_id, account_id) DO UPDATE SET owner = excluded.owner, reason = excluded.reason, until = excluded.until,
       accepted_by = excluded.accepted_by, accepted_at = excluded.accepted_at`,
    args.tenantId,
    ...[connectionId, accountId, owner, reason, until, by, at],
  );
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

function* withdrawAcceptance(
  db: Database,
  args: Write & { readonly connectionId: ConnectionId; readonly accountId: AccountId },
): Steps<boolean> {
  const gone = yield* db.run(
    "DELETE FROM accepted_accounts WHERE tenant_id = ? AND connection_id = ? AND account_id = ?",
    args.tenantId,
    args.connectionId,
    args.accountId,
  );
  if (gone > 0) yield* writeAlso(db, args.tenantId, args.also, args.now);
  return gone > 0;
}

function* signOff(db: Database, args: Write & { readonly signed: SignOff }): Steps<null> {
  const { connectionId, by, at, why, baseline, hash } = args.signed;
  yield* db.tell(
    `INSERT INTO sign_offs (tenant_id, connection_id, signed_by, signed_at, why, baseline, hash) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, connection_id) DO UPDATE SET signed_by = excluded.signed_by, signed_at = excluded.signed_at, why = excluded.why,
       baseline = excluded.baseline, hash = excluded.hash`,
    args.tenantId,
    ...[connectionId, by, at, why, documentText(baseline), hash],
  );
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

interface OfConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

const listAccepted: Query<OfConnection, readonly AcceptedAccount[]> = {
  place: "point",
  *run(db, { tenantId, connectionId }) {
    const rows = yield* db.all<{
      account_id: AccountId;
      owner: string;
      reason: string;
      until: number | null;
      accepted_by: string;
      accepted_at: number;
    }>(
      `SELECT account_id, owner, reason, until, accepted_by, accepted_at FROM accepted_accounts
       WHERE tenant_id = ? AND connection_id = ? ORDER BY account_id`,
      tenantId,
      connectionId,
    );
    return rows.map((row) => ({
      connectionId,
      accountId: row.account_id,
      owner: row.owner,
      reason: row.reason,
      until: row.until,
      by: row.accepted_by,
      at: row.accepted_at,
    }));
  },
};

const getSignOff: Query<OfConnection, SignOff | undefined> = {
  place: "point",
  *run(db, { tenantId, connectionId }) {
    const row = yield* db.get<{
      signed_by: string;
      signed_at: number;
      why: string;
      baseline: string;
      hash: string;
    }>(
      "SELECT signed_by, signed_at, why, baseline, hash FROM sign_offs WHERE tenant_id = ? AND connection_id = ?",
      tenantId,
      connectionId,
    );
    if (row === undefined) return undefined;
    const { signed_by: by, signed_at: at, why, hash } = row;
    return { connectionId, by, at, why, hash, baseline: JSON.parse(row.baseline) as JsonObject };
  },
};

export const adoptionCommands = { acceptAccount, withdrawAcceptance, signOff };
export const adoptionQueries = { listAccepted, getSignOff };

/** The port of what was decided about accounts that are nobody's, over an engine. */
export function adoptionStore(engine: Engine, clock: Clock): AdoptionStore {
  return {
    acceptAccount: async (tenantId, accepted, also) => {
      await engine.write(acceptAccount, { tenantId, accepted, now: clock.now(), also });
    },
    withdrawAcceptance: (tenantId, command, also) =>
      engine.write(withdrawAcceptance, { tenantId, ...command, now: clock.now(), also }),
    listAccepted: (tenantId, connectionId) => engine.read(listAccepted, { tenantId, connectionId }),
    signOff: async (tenantId, signed, also) => {
      await engine.write(signOff, { tenantId, signed, now: clock.now(), also });
    },
    getSignOff: (tenantId, connectionId) => engine.read(getSignOff, { tenantId, connectionId }),
  };
}
