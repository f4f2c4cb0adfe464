import type { AccessDeps } from "./access/router.ts";
import type { ApiOptions } from "./console/api.ts";
import { bootstrapLabel } from "./bootstrap.ts";
import type { OperatorCaller } from "./console/operation.ts";
import type { SessionDoor } from "./console/pages/session.ts";
import { createTokenCheck, type TokenCheck, type TokenCheckDeps } from "./credentials/tokens.ts";
import type { CredentialStore, IdpSigner, Token } from "./credentials/credential-store.ts";
import type { HttpPools } from "./http/http-pools.ts";
import { fetchDocument } from "./http/json-document.ts";
import type { Actor } from "./model/records.ts";
import type { ScimDeps } from "./scim/scim-call.ts";
import { createSignedTokens, looksSigned } from "./scim/signed-token.ts";

/** Who the callers of both listeners are, and the call that makes a revoked token stop here at its next request. */
export interface Callers {
  readonly idp: ScimDeps["authenticate"];
  readonly operator: ApiOptions["authenticate"];
  readonly session: SessionDoor["who"];
  readonly application: AccessDeps["authenticate"];
  readonly tokensChanged: () => void;
}

/** @param bootstrapOff people sign in by OpenID Connect: the token of the first start opens nothing any more */
export function openCallers(
  deps: Omit<TokenCheckDeps, "kind"> & {
    readonly store: TokenCheckDeps["store"] & Pick<CredentialStore, "listIdpSigners">;
    readonly pools: HttpPools;
  },
  bootstrapOff = false,
): Callers {
  const scim = createTokenCheck({ ...deps, kind: "scim" });
  const own = idpCaller(scim);
  const signers = keptSigners(deps);
  const signed = createSignedTokens({
    ...deps,
    signers: signers.list,
    fetchDocument: (url) => fetchDocument(deps.pools, url),
  });
  const operator = createTokenCheck({ ...deps, kind: "operator" });
  const access = createTokenCheck({ ...deps, kind: "access" });
  return {
    idp: (token, address) => (looksSigned(token) ? signed : own)(token, address),
    operator: operatorCaller(operator, bootstrapOff),
    session: sessionCaller(operator, bootstrapOff),
    application: applicationCaller(access),
    tokensChanged: () => {
      scim.forget();
      operator.forget();
      access.forget();
      signers.forget();
    },
  };
}

/** How long the store is not asked again whether signers changed. */
const trustMs = 250;

/** Signers kept in memory until any token or signer changes, as tokens are. */
function keptSigners({
  store,
  clock,
}: {
  readonly store: Pick<CredentialStore, "tokenEpoch" | "listIdpSigners">;
  readonly clock: TokenCheckDeps["clock"];
}) {
  let kept: { readonly epoch: number; readonly signers: readonly IdpSigner[] } | undefined;
  let until = -Infinity;
  return {
    list: async (): Promise<readonly IdpSigner[]> => {
      if (kept !== undefined && clock.monotonic() < until) return kept.signers;
      const next = clock.monotonic() + trustMs;
      // Read before the list: what changes between the two is seen again by the next request.
      const epoch = await store.tokenEpoch();
      if (kept?.epoch !== epoch) kept = { epoch, signers: await store.listIdpSigners() };
      until = next;
      return kept.signers;
    },
    forget: () => {
      until = -Infinity;
    },
  };
}

/** Who a SCIM token speaks for: the token decides the tenant and the IdP connection. */
export function idpCaller(tokens: TokenCheck): ScimDeps["authenticate"] {
  return async (token, address) => {
    const known = await tokens.check(token);
    if (known?.idpId === undefined) return undefined;
    return {
      tenantId: known.tenantId,
      idpId: known.idpId,
      actor: {
        kind: "idp",
        id: known.idpId,
        address,
        credentialFingerprint: known.hash.slice(0, 12),
      },
    };
  };
}

/** Which tenant an application asks about. */
export function applicationCaller(tokens: TokenCheck): AccessDeps["authenticate"] {
  return async (token) => (await tokens.check(token))?.tenantId;
}

/** Who an operator's token speaks for. */
function operatorCaller(tokens: TokenCheck, bootstrapOff: boolean): ApiOptions["authenticate"] {
  return async (token, address) => {
    if (token === undefined) return undefined;
    const known = await tokens.check(token);
    // A link is changed for a session, and opens nothing itself.
    if (known === undefined || known.purpose === "link") return undefined;
    return bootstrapOff && known.label === bootstrapLabel ? undefined : callerOf(known, address);
  };
}

/** Whose session a browser shows. */
function sessionCaller(tokens: TokenCheck, bootstrapOff: boolean): SessionDoor["who"] {
  return async (session, address) => {
    const known = await tokens.check(session);
    if (known?.purpose !== "session") return undefined;
    if (bootstrapOff && known.label === bootstrapLabel) return undefined;
    return callerOf(known, address);
  };
}

function callerOf(token: Token, address: string): OperatorCaller {
  const { tenantId, purpose, expiresAt } = token;
  return { tenantId, actor: actorOf(token, address), purpose, expiresAt };
}

function actorOf({ label, role, hash }: Token, address: string): Actor {
  return {
    kind: "operator",
    id: label,
    ...(role === undefined ? {} : { role }),
    address,
    credentialFingerprint: hash.slice(0, 12),
  };
}
