import type { ApiOptions } from "./console/api.ts";
import { createTokenCheck, type TokenCheck, type TokenCheckDeps } from "./credentials/tokens.ts";
import type { CredentialStore, IdpSigner } from "./credentials/credential-store.ts";
import type { HttpPools } from "./http/http-pools.ts";
import { fetchDocument } from "./http/json-document.ts";
import type { ScimDeps } from "./scim/scim-call.ts";
import { createSignedTokens, looksSigned } from "./scim/signed-token.ts";

/** Who the callers of both listeners are, and the call that makes a revoked token stop here at its next request. */
export function openCallers(
  deps: Omit<TokenCheckDeps, "kind"> & {
    readonly store: TokenCheckDeps["store"] & Pick<CredentialStore, "listIdpSigners">;
    readonly pools: HttpPools;
  },
): {
  readonly idp: ScimDeps["authenticate"];
  readonly operator: ApiOptions["authenticate"];
  readonly tokensChanged: () => void;
} {
  const scim = createTokenCheck({ ...deps, kind: "scim" });
  const own = idpCaller(scim);
  const signers = keptSigners(deps);
  const signed = createSignedTokens({
    ...deps,
    signers: signers.list,
    fetchDocument: (url) => fetchDocument(deps.pools, url),
  });
  const operator = createTokenCheck({ ...deps, kind: "operator" });
  return {
    idp: (token, address) => (looksSigned(token) ? signed : own)(token, address),
    operator: operatorCaller(operator),
    tokensChanged: () => {
      scim.forget();
      operator.forget();
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

/** Who an operator's token speaks for. */
function operatorCaller(tokens: TokenCheck): ApiOptions["authenticate"] {
  return async (token, address) => {
    if (token === undefined) return undefined;
    const known = await tokens.check(token);
    if (known === undefined) return undefined;
    return {
      kind: "operator",
      id: known.label,
      ...(known.role === undefined ? {} : { role: known.role }),
      address,
      credentialFingerprint: known.hash.slice(0, 12),
    };
  };
}
