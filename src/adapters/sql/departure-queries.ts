import type { Departure } from "../../accounts/leaver-case.ts";
import type { Instant } from "../../model/clock.ts";
import { asId, type IdentityId } from "../../model/ids.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

/** Whether a person named this one for an emergency. */
export function* isEmergency(db: Database, tenantId: string, identityId: string): Steps<boolean> {
  const row = yield* db.get<{ emergency: 0 | 1 }>(
    "SELECT emergency FROM departures WHERE tenant_id = ? AND identity_id = ? AND lifted_at IS NULL",
    tenantId,
    identityId,
  );
  return row?.emergency === 1;
}

interface DepartureRow {
  readonly identity_id: string;
  readonly at: Instant;
  readonly ordered_by: string;
  readonly why: string;
  readonly emergency: 0 | 1;
  readonly lifted_at: Instant | null;
  readonly lifted_by: string | null;
}

export const getDeparture: Query<
  { readonly tenantId: string; readonly identityId: string },
  Departure | undefined
> = {
  place: "point",
  *run(db, { tenantId, identityId }) {
    const row = yield* db.get<DepartureRow>(
      "SELECT identity_id, at, ordered_by, why, emergency, lifted_at, lifted_by FROM departures WHERE tenant_id = ? AND identity_id = ? AND lifted_at IS NULL",
      tenantId,
      identityId,
    );
    return row === undefined
      ? undefined
      : {
          identityId: asId<IdentityId>(row.identity_id),
          at: row.at,
          by: row.ordered_by,
          why: row.why,
          emergency: row.emergency === 1,
          liftedAt: row.lifted_at ?? undefined,
          liftedBy: row.lifted_by ?? undefined,
        };
  },
};
