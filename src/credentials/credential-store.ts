import type { Instant } from "../model/clock.ts";
import type { IdpId, TenantId } from "../model/ids.ts";
import type { Also, OperatorRole } from "../model/records.ts";

/** A vendor secret as it lies in the store: sealed, with the fingerprint of the clear text. */
export interface SealedSecret {
  readonly name: string;
  /** `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url parts. */
  readonly sealed: string;
  /** First 12 hex digits of the SHA-256 of the secret. */
  readonly fingerprint: string;
  readonly updatedAt: Instant;
}

/** scim: an identity provider writes · operator: `/api/v1` · access: an application asks what people may. */
export type TokenKind = "scim" | "operator" | "access";

/** A bearer token that we gave out: only its hash is kept. */
export interface Token {
  readonly tenantId: TenantId;
  readonly tokenId: string;
  readonly kind: TokenKind;
  /** For `scim`: the IdP connection that it speaks for. */
  readonly idpId: IdpId | undefined;
  /** SHA-256 (hex) of the token. */
  readonly hash: string;
  readonly label: string;
  /** For `operator`; absent: it may do everything. */
  readonly role?: OperatorRole;
  /** For `operator`. link: is changed once for a session, and good for nothing else · session: a person in a browser. */
  readonly purpose?: "link" | "session";
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
  readonly revokedAt: Instant | undefined;
  readonly lastUsedAt: Instant | undefined;
}

/** Whose signed tokens (JWT) speak for an IdP connection, beside the tokens that we gave out. */
export interface IdpSigner {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly issuer: string;
  readonly audience: string;
  /** The client at the issuer that gets the tokens. */
  readonly client: string;
  /** Where the issuer shows its public keys (JWKS). */
  readonly keysUrl: string;
  readonly createdAt: Instant;
}

/** Whoever was signed in within this is still one of those who may decide: sessions end every evening, people do not leave with them. */
const sessionCountsMs = 7 * 86_400_000;

/** People who may decide, by the label of their tokens: somebody with two tokens is one. */
export function liveOperators(tokens: readonly Token[], now: Instant): readonly string[] {
  const live = tokens.filter(
    (token) =>
      token.kind === "operator" &&
      token.role !== "read" &&
      token.role !== "operator" &&
      token.purpose !== "link" &&
      ((token.purpose === "session" && token.createdAt > now - sessionCountsMs) ||
        (token.revokedAt === undefined &&
          (token.expiresAt === undefined || token.expiresAt > now))),
  );
  return [...new Set(live.map((token) => token.label))];
}

export interface CredentialStore {
  putSecret(tenantId: TenantId, secret: SealedSecret, also: Also): Promise<void>;
  getSecret(tenantId: TenantId, name: string): Promise<SealedSecret | undefined>;
  listSecrets(tenantId: TenantId): Promise<readonly SealedSecret[]>;
  removeSecret(tenantId: TenantId, name: string, also: Also): Promise<void>;

  createToken(
    tenantId: TenantId,
    token: Omit<Token, "tenantId" | "revokedAt" | "lastUsedAt">,
    also: Also,
  ): Promise<void>;
  /** True: it was live until this call; of several at once one is told so. @throws NOT_FOUND */
  revokeToken(
    tenantId: TenantId,
    command: { readonly tokenId: string; readonly now: Instant },
    also: Also,
  ): Promise<boolean>;
  /** Tokens that are neither revoked nor expired at `now`, of all tenants: the caller keeps them in memory for some seconds. */
  listLiveTokens(kind: Token["kind"], now: Instant): Promise<readonly Token[]>;
  listTokens(tenantId: TenantId): Promise<readonly Token[]>;
  /** Written at most once a minute per token by the caller. */
  touchToken(
    tenantId: TenantId,
    command: { readonly tokenId: string; readonly at: Instant },
  ): Promise<void>;
  /** In place of the one before. @throws NOT_FOUND; ALREADY_EXISTS field "client" where another connection of any tenant has the same */
  setIdpSigner(tenantId: TenantId, signer: Omit<IdpSigner, "tenantId">, also: Also): Promise<void>;
  /** @throws NOT_FOUND */
  removeIdpSigner(tenantId: TenantId, idpId: IdpId, also: Also): Promise<void>;
  /** Of all tenants. */
  listIdpSigners(): Promise<readonly IdpSigner[]>;
  /** Rises with every change of any token or signer: a revoked token stops at the next request, not after a cache's age. */
  tokenEpoch(): Promise<number>;
}
