import type { SealedSecret, Token } from "../../credentials/credential-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import type { Database, Steps } from "./database.ts";

interface Write {
  readonly tenantId: TenantId;
  readonly now: Instant;
  readonly also: Also;
}

export const credentialCommands = {
  putSecret,
  removeSecret,
  createToken,
  revokeToken,
  touchToken,
};

export function* putSecret(
  db: Database,
  args: Write & { readonly secret: SealedSecret },
): Steps<null> {
  const { tenantId, secret } = args;
  yield* db.tell(
    `INSERT INTO secrets (tenant_id, name, sealed, fingerprint, updated_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, name) DO UPDATE SET sealed = excluded.sealed, fingerprint = excluded.fingerprint, updated_at = excluded.updated_at`,
    tenantId,
    secret.name,
    secret.sealed,
    secret.fingerprint,
    secret.updatedAt,
  );
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

export function* removeSecret(db: Database, args: Write & { readonly name: string }): Steps<null> {
  const removed = yield* db.run(
    "DELETE FROM secrets WHERE tenant_id = ? AND name = ?",
    args.tenantId,
    args.name,
  );
  if (removed === 0) throw new StoreError("NOT_FOUND", `there is no secret ${args.name}`);
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

export function* createToken(
  db: Database,
  args: Write & { readonly token: Omit<Token, "tenantId" | "revokedAt" | "lastUsedAt"> },
): Steps<null> {
  const { tenantId, token } = args;
  yield* db.tell(
    "INSERT INTO tokens (tenant_id, token_id, kind, idp_id, hash, label, created_at, expires_at, role, read_only, duty, purpose) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    tenantId,
    token.tokenId,
    token.kind,
    token.idpId ?? null,
    token.hash,
    token.label,
    token.createdAt,
    token.expiresAt ?? null,
    token.role === "hr" ? "hr" : null,
    token.role === "read",
    token.role === "operator" || token.role === "approver" ? token.role : null,
    token.purpose ?? null,
  );
  yield* raiseTokenEpoch(db);
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

export function* revokeToken(
  db: Database,
  args: Write & { readonly tokenId: string },
): Steps<boolean> {
  const { tenantId, tokenId, now } = args;
  const token = yield* db.get<{ revoked_at: number | null }>(
    `SELECT revoked_at FROM tokens WHERE tenant_id = ? AND token_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    tokenId,
  );
  if (token === undefined) throw new StoreError("NOT_FOUND", `there is no token ${tokenId}`);
  if (token.revoked_at !== null) return false;
  yield* db.tell(
    "UPDATE tokens SET revoked_at = ? WHERE tenant_id = ? AND token_id = ?",
    now,
    tenantId,
    tokenId,
  );
  yield* raiseTokenEpoch(db);
  yield* writeAlso(db, tenantId, args.also, now);
  return true;
}

/** Says nothing new about whom a token lets in, so the epoch stays. */
export function* touchToken(
  db: Database,
  args: { readonly tenantId: TenantId; readonly tokenId: string; readonly at: Instant },
): Steps<null> {
  yield* db.tell(
    `UPDATE tokens SET last_used_at = ${db.dialect.greatest("coalesce(last_used_at, 0)", "?")} WHERE tenant_id = ? AND token_id = ?`,
    args.at,
    args.tenantId,
    args.tokenId,
  );
  return null;
}

export function* raiseTokenEpoch(db: Database): Steps<void> {
  yield* db.tell("UPDATE stamp SET token_epoch = token_epoch + 1");
}
