import type { IdpId, TenantId } from "../../model/ids.ts";
import type { Database, Steps } from "./database.ts";

/** One row would make every create of an IdP connection wait for the one before it to be on disk. */
const slots = 8;

/** Counts one who came or went; `id` spreads the counts over rows. */
export function* countLive(
  db: Database,
  tenantId: TenantId,
  idpId: IdpId,
  change: { readonly users?: 1 | -1; readonly groups?: 1 | -1; readonly id: string },
): Steps<void> {
  yield* db.tell(
    `INSERT INTO live_counts (tenant_id, idp_id, slot, users, groups) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, idp_id, slot) DO UPDATE SET users = live_counts.users + excluded.users, groups = live_counts.groups + excluded.groups`,
    tenantId,
    idpId,
    change.id.charCodeAt(change.id.length - 1) % slots,
    change.users ?? 0,
    change.groups ?? 0,
  );
}

/** The sum of a connection's slots as an expression, for a statement with `idps` in it. */
export const liveCount = (column: "users" | "groups") =>
  `coalesce((SELECT sum(c.${column}) FROM live_counts c WHERE c.tenant_id = idps.tenant_id AND c.idp_id = idps.idp_id), 0)`;
