import type { SealedSecret, Token } from "../../credentials/credential-store.ts";
import type { Instant } from "../../model/clock.ts";
import type { IdpId, TenantId } from "../../model/ids.ts";
import type { Query } from "./engine.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

interface SecretRow {
  readonly name: string;
  readonly sealed: string;
  readonly fingerprint: string;
  readonly updated_at: number;
}

const toSecret = (row: SecretRow): SealedSecret => ({
  name: row.name,
  sealed: row.sealed,
  fingerprint: row.fingerprint,
  updatedAt: row.updated_at,
});

export const getSecret: Query<OfTenant & { readonly name: string }, SealedSecret | undefined> = {
  place: "point",
  *run(db, { tenantId, name }) {
    const row = yield* db.get<SecretRow>(
      "SELECT * FROM secrets WHERE tenant_id = ? AND name = ?",
      tenantId,
      name,
    );
    return row === undefined ? undefined : toSecret(row);
  },
};

export const listSecrets: Query<OfTenant, readonly SealedSecret[]> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<SecretRow>(
      "SELECT * FROM secrets WHERE tenant_id = ? ORDER BY name",
      tenantId,
    )).map(toSecret);
  },
};

interface TokenRow {
  readonly tenant_id: TenantId;
  readonly token_id: string;
  readonly kind: Token["kind"];
  readonly idp_id: IdpId | null;
  readonly hash: string;
  readonly label: string;
  readonly role: "hr" | null;
  readonly duty: "operator" | "approver" | null;
  readonly purpose: "link" | "session" | null;
  readonly read_only: number;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly last_used_at: number | null;
}

const toToken = (row: TokenRow): Token => ({
  tenantId: row.tenant_id,
  tokenId: row.token_id,
  kind: row.kind,
  idpId: row.idp_id ?? undefined,
  hash: row.hash,
  label: row.label,
  ...roleOf(row),
  ...(row.purpose === null ? {} : { purpose: row.purpose }),
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
  revokedAt: row.revoked_at ?? undefined,
  lastUsedAt: row.last_used_at ?? undefined,
});

function roleOf(row: TokenRow): Pick<Token, "role"> {
  if (row.read_only === 1) return { role: "read" };
  const role = row.role ?? row.duty;
  return role === null ? {} : { role };
}

export const listLiveTokens: Query<
  { readonly kind: Token["kind"]; readonly now: Instant },
  readonly Token[]
> = {
  place: "point",
  *run(db, { kind, now }) {
    return (yield* db.all<TokenRow>(
      `SELECT * FROM tokens WHERE kind = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)
         ORDER BY tenant_id, token_id`,
      kind,
      now,
    )).map(toToken);
  },
};

export const listTokens: Query<OfTenant, readonly Token[]> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<TokenRow>(
      "SELECT * FROM tokens WHERE tenant_id = ? ORDER BY token_id",
      tenantId,
    )).map(toToken);
  },
};

export const tokenEpoch: Query<null, number> = {
  place: "point",
  *run(db) {
    return (
      (yield* db.get<{ token_epoch: number }>("SELECT token_epoch FROM stamp"))?.token_epoch ?? 0
    );
  },
};

export const credentialQueries = {
  getSecret,
  listSecrets,
  listLiveTokens,
  listTokens,
  tokenEpoch,
};
