import { z } from "zod";
import { newRecord, type Actor, type Also } from "../../model/records.ts";
import { operation, type ConsoleDeps } from "../operation.ts";
import { theIdp } from "./setup.ts";

const text = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[\x21-\x7e]+$/, "write it without blanks, as the token has it");
/** Clear text only on this machine, for tests and a sidecar. */
const keysUrl = z.url({ protocol: /^https?$/, error: "write an https URL" }).refine((value) => {
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}, "write https: whoever changes these keys on their way can sign anything");

function also(deps: ConsoleDeps, actor: Actor, action: string, id: string, facts: object): Also {
  return {
    records: [
      newRecord(deps.clock, { actor, action, subject: { type: "idp", id }, facts: { ...facts } }),
    ],
    recompute: [],
  };
}

export const signerOperations = [
  operation({
    name: "setIdpSigner",
    method: "PUT",
    path: "/idps/:idp/signer",
    needs: "admin",
    summary:
      "Take signed tokens (JWT) of an authorization server for an IdP connection: issuer, audience and client have to be in them",
    input: z.object({ idp: z.string(), issuer: text, audience: text, client: text, keysUrl }),
    run: async (deps, { tenantId, actor }, { idp, ...told }) => {
      const { idpId } = await theIdp(deps, tenantId, idp);
      const signer = { ...told, idpId, createdAt: deps.clock.now() };
      await deps.store.setIdpSigner(
        tenantId,
        signer,
        also(deps, actor, "idp.signer_set", idpId, told),
      );
      deps.tokensChanged();
      return { signer };
    },
  }),
  operation({
    name: "removeIdpSigner",
    method: "DELETE",
    path: "/idps/:idp/signer",
    needs: "admin",
    summary: "Take no signed tokens for an IdP connection any more; its own tokens go on",
    input: z.object({ idp: z.string() }),
    run: async (deps, { tenantId, actor }, { idp }) => {
      const { idpId } = await theIdp(deps, tenantId, idp);
      await deps.store.removeIdpSigner(
        tenantId,
        idpId,
        also(deps, actor, "idp.signer_removed", idpId, {}),
      );
      deps.tokensChanged();
      return { idpId };
    },
  }),
];
