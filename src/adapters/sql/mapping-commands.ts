import type {
  GroupBinding,
  MappingDecision,
  MappingVersion,
  Rollout,
} from "../../mapping/version-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { ConnectionId, MappingVersionId, TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import { toVersion, versionColumns, type VersionRow } from "./mapping-queries.ts";

interface VersionWrite {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly versionId: MappingVersionId;
  readonly now: Instant;
  readonly also: Also;
}

export const mappingCommands = {
  proposeMapping,
  vouchForMapping,
  noteSimulation,
  setRollout,
  activateMapping,
  refuseMapping,
  setBindings,
};

export function* proposeMapping(
  db: Database,
  args: VersionWrite & {
    readonly document: JsonObject;
    readonly hash: string;
    readonly vendor: string;
    readonly profile: string;
    readonly simulation?: JsonObject | undefined;
    readonly author?: string | undefined;
    readonly proposedBy?: string | undefined;
    readonly changes?: JsonObject | undefined;
  },
): Steps<MappingVersion> {
  const { tenantId, connectionId, versionId, now } = args;
  const active = yield* activeVersion(db, tenantId, connectionId);
  if (active?.hash === args.hash) return toVersion(active);
  yield* db.tell(
    `INSERT INTO mapping_versions (tenant_id, version_id, connection_id, state, document, hash, vendor, profile, proposed_at, simulation, author, proposed_by, changes)
     VALUES (?, ?, ?, 'proposed', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    tenantId,
    versionId,
    connectionId,
    documentText(args.document),
    args.hash,
    args.vendor,
    args.profile,
    now,
    textOf(args.simulation),
    args.author ?? null,
    args.proposedBy ?? null,
    textOf(args.changes),
  );
  yield* writeAlso(db, tenantId, args.also, now);
  return toVersion(yield* versionOf(db, args));
}

export function* vouchForMapping(
  db: Database,
  args: VersionWrite & {
    readonly author?: string | undefined;
    readonly proposedBy?: string | undefined;
  },
): Steps<boolean> {
  yield* versionOf(db, args);
  const changed = yield* db.run(
    `UPDATE mapping_versions SET author = COALESCE(author, ?), proposed_by = COALESCE(proposed_by, ?)
     WHERE tenant_id = ? AND version_id = ? AND state = 'proposed'
       AND (author IS NULL AND CAST(? AS TEXT) IS NOT NULL OR proposed_by IS NULL AND CAST(? AS TEXT) IS NOT NULL)`,
    args.author ?? null,
    args.proposedBy ?? null,
    args.tenantId,
    args.versionId,
    args.author ?? null,
    args.proposedBy ?? null,
  );
  if (changed > 0) yield* writeAlso(db, args.tenantId, args.also, args.now);
  return changed > 0;
}

export function* noteSimulation(
  db: Database,
  args: Pick<VersionWrite, "tenantId" | "versionId"> & { readonly simulation: JsonObject },
): Steps<null> {
  yield* db.tell(
    "UPDATE mapping_versions SET simulation = ? WHERE tenant_id = ? AND version_id = ? AND state = 'proposed'",
    documentText(args.simulation),
    args.tenantId,
    args.versionId,
  );
  return null;
}

export function* setRollout(
  db: Database,
  args: VersionWrite & {
    readonly expect?: Rollout["stage"] | undefined;
    readonly rollout: Rollout;
    readonly decision?: MappingDecision | undefined;
    readonly bindings?: readonly GroupBinding[] | undefined;
  },
): Steps<null> {
  const { tenantId, versionId } = args;
  yield* lockMappings(db, tenantId);
  yield* refuseOtherRollout(db, args);
  const version = toVersion(yield* proposedVersion(db, args));
  if (version.rollout?.stage !== args.expect) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `the roll-out of ${versionId} is at the stage ${version.rollout?.stage ?? "before the first"}`,
    );
  }
  yield* db.tell(
    "UPDATE mapping_versions SET rollout = ?, decision = COALESCE(?, decision) WHERE tenant_id = ? AND version_id = ?",
    documentText(args.rollout),
    textOf(args.decision),
    tenantId,
    versionId,
  );
  if (args.bindings !== undefined) yield* writeBindings(db, tenantId, versionId, args.bindings);
  yield* raiseEpoch(db, tenantId);
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

export function* activateMapping(
  db: Database,
  args: VersionWrite & {
    readonly expectActive?: MappingVersionId | undefined;
    readonly bindings: readonly GroupBinding[];
    readonly decision?: MappingDecision | undefined;
  },
): Steps<null> {
  const { tenantId, connectionId, versionId, now } = args;
  yield* lockMappings(db, tenantId);
  yield* refuseOtherRollout(db, args);
  const active = yield* activeVersion(db, tenantId, connectionId);
  if (active?.version_id !== args.expectActive) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `another version of ${connectionId} is active now: simulate the proposal against it again`,
    );
  }
  yield* proposedVersion(db, args);
  if (active !== undefined) yield* setState(db, tenantId, active.version_id, "superseded");
  yield* db.tell(
    "UPDATE mapping_versions SET state = 'active', activated_at = ?, rollout = NULL, decision = COALESCE(?, decision) WHERE tenant_id = ? AND version_id = ?",
    now,
    textOf(args.decision),
    tenantId,
    versionId,
  );
  yield* writeBindings(db, tenantId, versionId, args.bindings);
  yield* raiseEpoch(db, tenantId);
  yield* writeAlso(db, tenantId, args.also, now);
  return null;
}

export function* refuseMapping(
  db: Database,
  args: VersionWrite & { readonly decision?: MappingDecision | undefined },
): Steps<null> {
  yield* lockMappings(db, args.tenantId);
  const version = yield* proposedVersion(db, args);
  yield* db.tell(
    "UPDATE mapping_versions SET state = 'refused', rollout = NULL, decision = COALESCE(?, decision) WHERE tenant_id = ? AND version_id = ?",
    textOf(args.decision),
    args.tenantId,
    args.versionId,
  );
  if (version.rollout !== null) yield* raiseEpoch(db, args.tenantId);
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

export function* setBindings(
  db: Database,
  args: VersionWrite & { readonly bindings: readonly GroupBinding[] },
): Steps<null> {
  yield* lockMappings(db, args.tenantId);
  const version = yield* versionOf(db, args);
  if (version.state !== "active" && version.rollout === null) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `mapping version ${args.versionId} is ${version.state}: bindings belong to one that counts`,
    );
  }
  if ((yield* writeBindings(db, args.tenantId, args.versionId, args.bindings)) === 0) return null;
  yield* raiseEpoch(db, args.tenantId);
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

/** Which version is active is decided by one command of a tenant at a time. */
function lockMappings(db: Database, tenantId: TenantId): Steps<boolean> {
  return db.lock("SELECT 1 FROM tenants WHERE tenant_id = ? FOR NO KEY UPDATE", tenantId);
}

function* activeVersion(
  db: Database,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Steps<VersionRow | undefined> {
  return yield* db.get<VersionRow>(
    `SELECT ${versionColumns} FROM mapping_versions WHERE tenant_id = ? AND connection_id = ? AND state = 'active'`,
    tenantId,
    connectionId,
  );
}

/** @throws StoreError NOT_FOUND */
function* versionOf(db: Database, args: VersionWrite): Steps<VersionRow> {
  const row = yield* db.get<VersionRow>(
    `SELECT ${versionColumns} FROM mapping_versions WHERE tenant_id = ? AND version_id = ? AND connection_id = ?`,
    args.tenantId,
    args.versionId,
    args.connectionId,
  );
  if (row === undefined) {
    throw new StoreError(
      "NOT_FOUND",
      `there is no mapping version ${args.versionId} of ${args.connectionId}`,
    );
  }
  return row;
}

/** @throws StoreError NOT_FOUND, VERSION_CONFLICT */
function* proposedVersion(db: Database, args: VersionWrite): Steps<VersionRow> {
  const version = yield* versionOf(db, args);
  if (version.state === "proposed") return version;
  throw new StoreError(
    "VERSION_CONFLICT",
    `mapping version ${args.versionId} is ${version.state}, not proposed`,
  );
}

/** Two versions that decide about parts of one company at once would leave a third thing behind. */
function* refuseOtherRollout(db: Database, args: VersionWrite): Steps<void> {
  const other = yield* db.get<{ version_id: string }>(
    "SELECT version_id FROM mapping_versions WHERE tenant_id = ? AND connection_id = ? AND rollout IS NOT NULL AND version_id <> ?",
    args.tenantId,
    args.connectionId,
    args.versionId,
  );
  if (other === undefined) return;
  throw new StoreError(
    "VERSION_CONFLICT",
    `version ${other.version_id} of ${args.connectionId} is being rolled out: finish or refuse it first`,
  );
}

function textOf(value: object | undefined): string | null {
  return value === undefined ? null : documentText(value);
}

function* setState(
  db: Database,
  tenantId: TenantId,
  versionId: MappingVersionId,
  state: MappingVersion["state"],
): Steps<void> {
  yield* db.tell(
    "UPDATE mapping_versions SET state = ? WHERE tenant_id = ? AND version_id = ?",
    state,
    tenantId,
    versionId,
  );
}

/** Answers how many bindings differ now from what was stored. */
function* writeBindings(
  db: Database,
  tenantId: TenantId,
  versionId: MappingVersionId,
  bindings: readonly GroupBinding[],
): Steps<number> {
  let changed = 0;
  for (const binding of bindings) {
    changed += yield* db.run(
      `INSERT INTO mapping_bindings (tenant_id, version_id, group_name, idp_id, state, group_id) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant_id, version_id, group_name, idp_id) DO UPDATE SET state = excluded.state, group_id = excluded.group_id
       WHERE mapping_bindings.state <> excluded.state OR mapping_bindings.group_id IS DISTINCT FROM excluded.group_id`,
      tenantId,
      versionId,
      binding.groupName,
      binding.idpId ?? "",
      binding.state,
      binding.groupId ?? null,
    );
  }
  return changed;
}

function* raiseEpoch(db: Database, tenantId: TenantId): Steps<void> {
  yield* db.tell(
    "UPDATE tenants SET mapping_epoch = mapping_epoch + 1 WHERE tenant_id = ?",
    tenantId,
  );
}
