import type {
  GroupBinding,
  MappingDecision,
  MappingState,
  MappingVersion,
  Rollout,
} from "../../mapping/version-store.ts";
import type { ConnectionId, GroupId, IdpId, MappingVersionId, TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Query } from "./engine.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

export const versionColumns =
  "tenant_id, version_id, connection_id, state, document, hash, vendor, profile, proposed_at, activated_at, simulation, author, proposed_by, changes, decision, rollout";

export interface VersionRow {
  readonly tenant_id: TenantId;
  readonly version_id: MappingVersionId;
  readonly connection_id: ConnectionId;
  readonly state: Exclude<MappingState, "canary">;
  readonly document: string;
  readonly hash: string;
  readonly vendor: string;
  readonly profile: string;
  readonly proposed_at: number;
  readonly activated_at: number | null;
  readonly simulation: string | null;
  readonly author: string | null;
  readonly proposed_by: string | null;
  readonly changes: string | null;
  readonly decision: string | null;
  readonly rollout: string | null;
}

export function toVersion(row: VersionRow): MappingVersion {
  return {
    tenantId: row.tenant_id,
    connectionId: row.connection_id,
    versionId: row.version_id,
    state: row.rollout === null ? row.state : "canary",
    document: JSON.parse(row.document) as JsonObject,
    hash: row.hash,
    vendor: row.vendor,
    profile: row.profile,
    proposedAt: row.proposed_at,
    activatedAt: row.activated_at ?? undefined,
    simulation: parsed<JsonObject>(row.simulation),
    author: row.author ?? undefined,
    proposedBy: row.proposed_by ?? undefined,
    changes: parsed<JsonObject>(row.changes),
    decision: parsed<MappingDecision>(row.decision),
    rollout: parsed<Rollout>(row.rollout),
  };
}

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}

export const activeMappings: Query<OfTenant, readonly MappingVersion[]> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<VersionRow>(
      `SELECT ${versionColumns} FROM mapping_versions WHERE tenant_id = ? AND state = 'active' ORDER BY connection_id`,
      tenantId,
    )).map(toVersion);
  },
};

export const rollingMappings: Query<OfTenant, readonly MappingVersion[]> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<VersionRow>(
      `SELECT ${versionColumns} FROM mapping_versions WHERE tenant_id = ? AND rollout IS NOT NULL ORDER BY connection_id`,
      tenantId,
    )).map(toVersion);
  },
};

export const listMappings: Query<
  OfTenant & { readonly connectionId: ConnectionId | undefined },
  readonly MappingVersion[]
> = {
  place: "scan",
  *run(db, { tenantId, connectionId }) {
    return (yield* db.all<VersionRow>(
      `SELECT ${versionColumns} FROM mapping_versions WHERE tenant_id = ? AND (CAST(? AS TEXT) IS NULL OR connection_id = ?)
         ORDER BY proposed_at DESC, version_id DESC`,
      tenantId,
      connectionId ?? null,
      connectionId ?? null,
    )).map(toVersion);
  },
};

export const listBindings: Query<
  OfTenant & { readonly versionId: MappingVersionId },
  readonly GroupBinding[]
> = {
  place: "point",
  *run(db, { tenantId, versionId }) {
    return (yield* db.all<{
      group_name: string;
      idp_id: IdpId | "";
      state: GroupBinding["state"];
      group_id: GroupId | null;
    }>(
      "SELECT group_name, idp_id, state, group_id FROM mapping_bindings WHERE tenant_id = ? AND version_id = ? ORDER BY group_name, idp_id",
      tenantId,
      versionId,
    )).map((row) => ({
      groupName: row.group_name,
      idpId: row.idp_id === "" ? undefined : row.idp_id,
      state: row.state,
      groupId: row.group_id ?? undefined,
    }));
  },
};

export const mappingEpoch: Query<OfTenant, number> = {
  place: "point",
  *run(db, { tenantId }) {
    return (
      (yield* db.get<{ mapping_epoch: number }>(
        "SELECT mapping_epoch FROM tenants WHERE tenant_id = ?",
        tenantId,
      ))?.mapping_epoch ?? 0
    );
  },
};

export const mappingQueries = {
  activeMappings,
  rollingMappings,
  listMappings,
  listBindings,
  mappingEpoch,
};
