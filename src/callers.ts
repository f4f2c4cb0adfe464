import type { ApiOptions } from "./console/api.ts";
import { createTokenCheck, type TokenCheck, type TokenCheckDeps } from "./credentials/tokens.ts";
import type { ScimDeps } from "./scim/scim-call.ts";

/** Who the callers of both listeners are, and the call that makes a revoked token stop here at its next request. */
export function openCallers(deps: Omit<TokenCheckDeps, "kind">): {
  readonly idp: ScimDeps["authenticate"];
  readonly operator: ApiOptions["authenticate"];
  readonly tokensChanged: () => void;
} {
  const scim = createTokenCheck({ ...deps, kind: "scim" });
  const operator = createTokenCheck({ ...deps, kind: "operator" });
  return {
    idp: idpCaller(scim),
    operator: operatorCaller(operator),
    tokensChanged: () => {
      scim.forget();
      operator.forget();
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
