import type {
  AccessStore,
  AccessSubject,
  HeldAt,
  Holding,
  SubjectKey,
} from "../../access/access-store.ts";
import type { DesiredState } from "../../model/assignment.ts";
import { fold, foldEmail } from "../../model/fold.ts";
import type { ConnectionId, IdentityId, TenantId } from "../../model/ids.ts";
import { parsed } from "./account-args.ts";
import type { Database, Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";
import { employmentOf } from "./hr-queries.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

/** More than one is an ambiguity already. */
const meantMax = 5;

interface PersonRow {
  readonly identity_id: IdentityId;
  readonly active: 0 | 1;
  readonly inactive_since: number | null;
  readonly departed_at: number | null;
}

const personColumns = "i.identity_id, i.active, i.inactive_since, d.at AS departed_at";
const departure =
  "LEFT JOIN departures d ON d.tenant_id = i.tenant_id AND d.identity_id = i.identity_id AND d.lifted_at IS NULL";

function* readPeople(db: Database, tenantId: TenantId, key: SubjectKey): Steps<PersonRow[]> {
  if ("identityId" in key)
    return yield* db.all<PersonRow>(
      `SELECT ${personColumns} FROM identities i ${departure} WHERE i.tenant_id = ? AND i.identity_id = ?`,
      tenantId,
      key.identityId,
    );
  return yield* db.all<PersonRow>(
    `WITH found (identity_id) AS (
       SELECT u.identity_id FROM user_emails e CROSS JOIN users u
         WHERE e.tenant_id = ? AND e.email_folded = ? AND e.position IS NOT NULL
           AND u.tenant_id = e.tenant_id AND u.source_user_id = e.source_user_id AND u.deleted_at IS NULL
       UNION SELECT u.identity_id FROM idps p CROSS JOIN users u
         WHERE p.tenant_id = ? AND u.tenant_id = p.tenant_id AND u.idp_id = p.idp_id AND u.user_name_folded = ? AND u.deleted_at IS NULL
     )
     SELECT ${personColumns} FROM found CROSS JOIN identities i ${departure}
     WHERE i.tenant_id = ? AND i.identity_id = found.identity_id ORDER BY i.identity_id LIMIT ?`,
    tenantId,
    foldEmail(key.name),
    tenantId,
    fold(key.name),
    tenantId,
    meantMax,
  );
}

interface TargetRow {
  readonly identity_id: IdentityId;
  readonly connection_id: ConnectionId;
  readonly lifecycle: "active" | "departed";
  readonly desired: string;
}

interface SlotRow {
  readonly identity_id: IdentityId;
  readonly connection_id: ConnectionId;
  readonly kind: string;
  readonly object_id: string;
}

interface EntryRow extends SlotRow {
  readonly state: string;
}

interface LedgerRow extends SlotRow {
  readonly role: string;
  readonly because: string;
}

function* readTargets(db: Database, tenantId: TenantId, ids: string): Steps<TargetRow[]> {
  return yield* db.all<TargetRow>(
    `SELECT t.identity_id, t.connection_id, t.lifecycle, t.desired FROM ${db.dialect.values("ids")} CROSS JOIN targets t
     WHERE t.tenant_id = ? AND t.identity_id = ids.value`,
    ids,
    tenantId,
  );
}

function* readHeldBack(db: Database, tenantId: TenantId, ids: string): Steps<EntryRow[]> {
  // The states of the partial index, word for word; which of them count is chosen here.
  const rows = yield* db.all<EntryRow>(
    `SELECT r.identity_id, r.connection_id, r.kind, r.object_id, r.state FROM ${db.dialect.values("ids")} CROSS JOIN rail_entries r
     WHERE r.tenant_id = ? AND r.identity_id = ids.value AND r.direction = 'gain'
       AND r.state IN ('reserved', 'held', 'approved', 'executing', 'rejected')`,
    ids,
    tenantId,
  );
  return rows.filter((row) => row.state === "held" || row.state === "rejected");
}

function* readGiven(db: Database, tenantId: TenantId, ids: string): Steps<LedgerRow[]> {
  return yield* db.all<LedgerRow>(
    `SELECT l.identity_id, l.connection_id, l.kind, l.object_id, l.role, l.because FROM ${db.dialect.values("ids")} CROSS JOIN ledger l
     WHERE l.tenant_id = ? AND l.identity_id = ids.value`,
    ids,
    tenantId,
  );
}

const readAccess: Query<OfTenant & { readonly key: SubjectKey }, readonly AccessSubject[]> = {
  place: "point",
  // People first: whatever is read after them is newer, so that nobody is allowed by what was true before they left.
  *run(db, { tenantId, key }) {
    const people = yield* readPeople(db, tenantId, key);
    if (people.length === 0) return [];
    const identityIds = people.map((row) => row.identity_id);
    const ids = JSON.stringify(identityIds);
    const [employment, targets, heldBack] = yield* db.together(
      employmentOf(db, tenantId, identityIds),
      readTargets(db, tenantId, ids),
      readHeldBack(db, tenantId, ids),
    );
    const given = heldBack.length === 0 ? [] : yield* readGiven(db, tenantId, ids);
    return people.map((row): AccessSubject => {
      const facts = employment.get(row.identity_id);
      const own = <Row extends { readonly identity_id: IdentityId }>(rows: readonly Row[]) =>
        rows.filter((item) => item.identity_id === row.identity_id);
      return {
        identityId: row.identity_id,
        active: row.active === 1 && row.departed_at === null,
        inactiveSince: row.inactive_since ?? row.departed_at ?? undefined,
        ...(facts === undefined ? {} : { employment: facts }),
        connections: new Map(
          own(targets).map((target) => [
            target.connection_id,
            heldAt(target, own(heldBack), own(given)),
          ]),
        ),
      };
    });
  },
};

function heldAt(
  target: TargetRow,
  heldBack: readonly SlotRow[],
  given: readonly LedgerRow[],
): HeldAt {
  const here = (row: SlotRow) => row.connection_id === target.connection_id;
  const slots = heldBack.filter(here);
  const isHeldBack = (row: SlotRow) =>
    slots.some((slot) => slot.kind === row.kind && slot.object_id === row.object_id);
  return {
    lifecycle: target.lifecycle,
    wished: parsed<DesiredState>(target.desired).assignments,
    heldBack: slots.map(({ kind, object_id: objectId }) => ({ kind, objectId })),
    given: given
      .filter((row) => here(row) && isHeldBack(row))
      .map((row): Holding => ({
        kind: row.kind,
        objectId: row.object_id,
        role: row.role,
        because: parsed<readonly string[]>(row.because),
      })),
  };
}

export const accessQueries = { readAccess };

/** The port of decisions over an engine. */
export function accessStore(engine: Engine): AccessStore {
  return { readAccess: (tenantId, key) => engine.read(readAccess, { tenantId, key }) };
}
