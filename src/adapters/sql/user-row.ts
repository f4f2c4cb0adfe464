import type { SourceUser } from "../../directory/directory-store.ts";
import type { IdentityId, IdpId, SourceUserId, TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";

/** The columns of `users` that a SourceUser is made of. */
export const userColumns = [
  "tenant_id",
  "idp_id",
  "source_user_id",
  "identity_id",
  "user_name",
  "external_id",
  "display_name",
  "active",
  "version",
  "created_at",
  "updated_at",
  "resource",
] as const;

export interface UserRow {
  readonly tenant_id: TenantId;
  readonly idp_id: IdpId;
  readonly source_user_id: SourceUserId;
  readonly identity_id: IdentityId;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly display_name: string | null;
  readonly active: 0 | 1;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly resource: string;
}

export function toSourceUser(row: UserRow): SourceUser {
  return {
    tenantId: row.tenant_id,
    idpId: row.idp_id,
    sourceUserId: row.source_user_id,
    identityId: row.identity_id,
    userName: row.user_name,
    externalId: row.external_id ?? undefined,
    active: row.active === 1,
    resource: JSON.parse(row.resource) as JsonObject,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
