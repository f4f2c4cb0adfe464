import {
  type HeardRequest,
  type IdpTraffic,
  keptPauses,
  keptRequests,
  shortestPauseMs,
  type TrafficNote,
  type TrafficStore,
} from "../../directory/traffic-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdpId, TenantId } from "../../model/ids.ts";
import { parsed } from "./account-args.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

interface OfIdp {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
}

interface TrafficRow {
  readonly last_request_at: Instant | null;
  readonly requests: number | null;
  readonly refused: number | null;
  readonly failed: number | null;
  readonly pauses: string | null;
  readonly recent: string | null;
}

function* storedTraffic(db: Database, { tenantId, idpId }: OfIdp): Steps<TrafficRow | undefined> {
  return yield* db.get<TrafficRow>(
    `SELECT i.last_request_at, t.requests, t.refused, t.failed, t.pauses, t.recent
     FROM idps i LEFT JOIN idp_traffic t ON t.tenant_id = i.tenant_id AND t.idp_id = i.idp_id
     WHERE i.tenant_id = ? AND i.idp_id = ?`,
    tenantId,
    idpId,
  );
}

function toTraffic(row: TrafficRow | undefined): IdpTraffic {
  return {
    lastRequestAt: row?.last_request_at ?? undefined,
    requests: row?.requests ?? 0,
    refused: row?.refused ?? 0,
    failed: row?.failed ?? 0,
    pauses: parsed<readonly number[]>(row?.pauses ?? "[]"),
    recent: parsed<readonly HeardRequest[]>(row?.recent ?? "[]"),
  };
}

function* noteTraffic(
  db: Database,
  { tenantId, note }: { readonly tenantId: TenantId; readonly note: TrafficNote },
): Steps<null> {
  const { idpId, firstAt, lastAt } = note;
  // Several processes hear one connection: each adds to what the others wrote.
  yield* db.lock(
    "SELECT 1 FROM idps WHERE tenant_id = ? AND idp_id = ? FOR NO KEY UPDATE",
    tenantId,
    idpId,
  );
  const row = yield* storedTraffic(db, { tenantId, idpId });
  if (row === undefined) throw new StoreError("NOT_FOUND", `there is no IdP connection ${idpId}`);
  const known = toTraffic(row);
  const pause = known.lastRequestAt === undefined ? 0 : firstAt - known.lastRequestAt;
  const pauses = pause < shortestPauseMs ? known.pauses : [...known.pauses, pause];
  const recent = [...note.recent.toReversed(), ...known.recent].toSorted((a, b) => b.at - a.at);
  yield* db.tell(
    `UPDATE idps SET last_request_at = ${db.dialect.greatest("coalesce(last_request_at, 0)", "?")} WHERE tenant_id = ? AND idp_id = ?`,
    lastAt,
    tenantId,
    idpId,
  );
  yield* db.tell(
    `INSERT INTO idp_traffic (tenant_id, idp_id, requests, refused, failed, pauses, recent) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, idp_id) DO UPDATE SET requests = excluded.requests, refused = excluded.refused, failed = excluded.failed,
       pauses = excluded.pauses, recent = excluded.recent`,
    tenantId,
    idpId,
    known.requests + note.requests,
    known.refused + note.refused,
    known.failed + note.failed,
    documentText(pauses.slice(-keptPauses)),
    documentText(recent.slice(0, keptRequests)),
  );
  return null;
}

const readTraffic: Query<OfIdp, IdpTraffic> = {
  place: "point",
  *run(db, args) {
    return toTraffic(yield* storedTraffic(db, args));
  },
};

export const trafficCommands = { noteTraffic };
export const trafficQueries = { readTraffic };

/** The traffic port over an engine. */
export function trafficStore(engine: Engine): TrafficStore {
  return {
    noteTraffic: async (tenantId, note) => {
      await engine.write(noteTraffic, { tenantId, note });
    },
    readTraffic: (tenantId, idpId) => engine.read(readTraffic, { tenantId, idpId }),
  };
}
