import type { IdpSigner } from "../../credentials/credential-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdpId, TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import { raiseTokenEpoch } from "./credential-commands.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

interface Write {
  readonly tenantId: TenantId;
  readonly now: Instant;
  readonly also: Also;
}

export function* setIdpSigner(
  db: Database,
  args: Write & { readonly signer: Omit<IdpSigner, "tenantId"> },
): Steps<null> {
  const { tenantId, signer } = args;
  const { idpId, issuer, audience, client, keysUrl, createdAt } = signer;
  yield* db.tell("DELETE FROM idp_signers WHERE tenant_id = ? AND idp_id = ?", tenantId, idpId);
  const set = yield* db.run(
    `INSERT INTO idp_signers (tenant_id, idp_id, issuer, audience, client, keys_url, created_at)
     SELECT tenant_id, idp_id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT) FROM idps WHERE tenant_id = ? AND idp_id = ?
     ON CONFLICT DO NOTHING`,
    ...[issuer, audience, client, keysUrl, createdAt, tenantId, idpId],
  );
  if (set === 0) {
    const idp = yield* db.get(
      "SELECT 1 AS one FROM idps WHERE tenant_id = ? AND idp_id = ?",
      tenantId,
      idpId,
    );
    if (idp === undefined) throw new StoreError("NOT_FOUND", `there is no IdP connection ${idpId}`);
    throw new StoreError(
      "ALREADY_EXISTS",
      "another IdP connection takes tokens of this issuer, audience and client",
      { field: "client" },
    );
  }
  yield* raiseTokenEpoch(db);
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

export function* removeIdpSigner(
  db: Database,
  args: Write & { readonly idpId: IdpId },
): Steps<null> {
  const { tenantId, idpId } = args;
  const removed = yield* db.run(
    "DELETE FROM idp_signers WHERE tenant_id = ? AND idp_id = ?",
    tenantId,
    idpId,
  );
  if (removed === 0)
    throw new StoreError("NOT_FOUND", `the IdP connection ${idpId} takes no signed tokens`);
  yield* raiseTokenEpoch(db);
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

interface SignerRow {
  readonly tenant_id: TenantId;
  readonly idp_id: IdpId;
  readonly issuer: string;
  readonly audience: string;
  readonly client: string;
  readonly keys_url: string;
  readonly created_at: Instant;
}

export const listIdpSigners: Query<null, readonly IdpSigner[]> = {
  place: "point",
  *run(db) {
    const rows = yield* db.all<SignerRow>("SELECT * FROM idp_signers ORDER BY tenant_id, idp_id");
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      idpId: row.idp_id,
      issuer: row.issuer,
      audience: row.audience,
      client: row.client,
      keysUrl: row.keys_url,
      createdAt: row.created_at,
    }));
  },
};

export const signerCommands = { setIdpSigner, removeIdpSigner };
export const signerQueries = { listIdpSigners };
