import type { Group } from "../../directory/directory-store.ts";
import type { GroupId, IdpId, TenantId } from "../../model/ids.ts";

/** The columns of `groups` that a Group is made of. */
export const groupColumns = [
  "tenant_id",
  "idp_id",
  "group_id",
  "display_name",
  "external_id",
  "member_count",
  "version",
  "created_at",
  "updated_at",
] as const;

export interface GroupRow {
  readonly tenant_id: TenantId;
  readonly idp_id: IdpId;
  readonly group_id: GroupId;
  readonly display_name: string;
  readonly external_id: string | null;
  readonly member_count: number;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export function toGroup(row: GroupRow): Group {
  return {
    tenantId: row.tenant_id,
    idpId: row.idp_id,
    groupId: row.group_id,
    displayName: row.display_name,
    externalId: row.external_id ?? undefined,
    memberCount: row.member_count,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
