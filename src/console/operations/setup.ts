import { z } from "zod";
import { sealedWith } from "../../credentials/seal.ts";
import { asId, isName, newId, type IdpId, type TenantId } from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { rhythmOf } from "../../sources/quiet.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

const name = z.string().refine(isName, "lower-case letters, digits and dashes, at most 64");

export async function theIdp(deps: ConsoleDeps, tenantId: TenantId, idp: string) {
  const known = await deps.store.listIdps(tenantId);
  const found = known.find((item) => item.idpId === idp);
  if (found !== undefined) return found;
  throw new OperationError(
    404,
    `no IdP connection "${idp}"; there are: ${known.map((item) => item.idpId).join(", ") || "none"}`,
  );
}

/** As long as an audit of a year may take. */
const auditorDaysMax = 366;

export const setupOperations = [
  operation({
    name: "listIdps",
    method: "GET",
    path: "/idps",
    summary: "IdP connections with their SCIM base URL and whether they count as loaded",
    input: z.object({}),
    run: async (deps, { tenantId }) => ({
      scimUrl: `${deps.publicUrl}/scim/v2`,
      idps: await deps.store.listIdps(tenantId),
    }),
  }),
  operation({
    name: "showIdp",
    method: "GET",
    path: "/idps/:idp",
    summary:
      "One IdP connection: when it was heard, what is usual for it, its last requests with what became of them (paths, no values), its tokens",
    input: z.object({ idp: z.string() }),
    run: async (deps, { tenantId }, input) => {
      const idp = await theIdp(deps, tenantId, input.idp);
      const traffic = await deps.store.readTraffic(tenantId, idp.idpId);
      const { quietFrom, ...rhythm } = rhythmOf(traffic);
      const { requests, refused, failed, recent } = traffic;
      const tokens = (await deps.store.listTokens(tenantId))
        .filter((token) => token.idpId === idp.idpId)
        .map(({ hash, ...token }) => ({ ...token, fingerprint: hash.slice(0, 12) }));
      const signer = (await deps.store.listIdpSigners()).find(
        (item) => item.tenantId === tenantId && item.idpId === idp.idpId,
      );
      return {
        scimUrl: `${deps.publicUrl}/scim/v2`,
        idp,
        traffic: {
          ...{ requests, refused, failed },
          ...rhythm,
          quiet: quietFrom !== undefined && deps.clock.now() >= quietFrom,
          recent,
        },
        tokens,
        signer: signer ?? null,
      };
    },
  }),
  operation({
    name: "addIdp",
    method: "POST",
    path: "/idps",
    needs: "admin",
    summary: "A new IdP connection; the answer holds its first token, shown this once",
    input: z.object({ name, kind: z.enum(["okta", "entra", "generic"]) }),
    run: async (deps, { tenantId, actor }, input) => {
      const idpId = asId<IdpId>(input.name);
      const idp = await deps.store.createIdp(
        tenantId,
        { idpId, kind: input.kind, now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "idp.created",
              subject: { type: "idp", id: idpId },
              facts: { kind: input.kind },
            }),
          ],
          recompute: [],
        },
      );
      const token = await deps.issueToken(
        tenantId,
        { kind: "scim", idpId, label: "first", expiresAt: undefined },
        actor,
      );
      return { idp, scimUrl: `${deps.publicUrl}/scim/v2`, ...token };
    },
  }),
  operation({
    name: "idpLoaded",
    method: "POST",
    path: "/idps/:idp/loaded",
    needs: "admin",
    summary: "Say that an IdP connection has sent everybody: from now on absence counts",
    input: z.object({ idp: z.string(), loaded: z.boolean().default(true) }),
    run: async (deps, { tenantId, actor }, input) => {
      const { idpId } = await theIdp(deps, tenantId, input.idp);
      const now = deps.clock.now();
      await deps.store.setIdpLoaded(
        tenantId,
        { idpId, loadedAt: input.loaded ? now : undefined },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: input.loaded ? "idp.loaded" : "idp.arriving",
              subject: { type: "idp", id: idpId },
              facts: {},
            }),
          ],
          recompute: [],
          fanouts: [
            {
              fanoutId: newId(deps.clock),
              scope: { kind: "tenant" },
              cause: { kind: "operator" },
              urgent: false,
            },
          ],
        },
      );
      deps.ringRelay();
      return { idpId, loaded: input.loaded };
    },
  }),
  operation({
    name: "listTokens",
    method: "GET",
    path: "/tokens",
    summary: "Tokens without their secrets",
    input: z.object({}),
    run: async (deps, { tenantId }) => ({
      tokens: (await deps.store.listTokens(tenantId)).map(({ hash, ...token }) => ({
        ...token,
        fingerprint: hash.slice(0, 12),
      })),
    }),
  }),
  operation({
    name: "createToken",
    method: "POST",
    path: "/tokens",
    needs: "admin",
    summary: "A new token, shown this once",
    input: z.object({
      kind: z.enum(["scim", "operator", "access"]),
      idp: z.string().optional(),
      label: z.string().min(1).max(100),
      role: z.enum(["read", "auditor", "operator", "approver", "hr"]).optional(),
      expiresInDays: z.number().int().min(1).max(3_650).optional(),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      if (input.kind === "scim" && input.idp === undefined)
        throw new OperationError(400, "a SCIM token needs its IdP connection: idp");
      if (input.role !== undefined && input.kind !== "operator")
        throw new OperationError(400, "only an operator's token has a role");
      if (input.role === "auditor" && (input.expiresInDays ?? Infinity) > auditorDaysMax)
        throw new OperationError(
          400,
          `an auditor's token ends: say after how many days, at most ${String(auditorDaysMax)} (expiresInDays, --days)`,
        );
      const idpId =
        input.idp === undefined ? undefined : (await theIdp(deps, tenantId, input.idp)).idpId;
      const expiresAt =
        input.expiresInDays === undefined
          ? undefined
          : deps.clock.now() + input.expiresInDays * 86_400_000;
      return deps.issueToken(
        tenantId,
        {
          kind: input.kind,
          idpId,
          label: input.label,
          expiresAt,
          ...(input.role === undefined
            ? {}
            : // An auditor reads, exports and verifies, which is all that a reader may do.
              { role: input.role === "auditor" ? "read" : input.role }),
        },
        actor,
      );
    },
  }),
  operation({
    name: "revokeToken",
    method: "DELETE",
    path: "/tokens/:tokenId",
    needs: "admin",
    summary:
      "A token stops at its next request, at other processes within a second; no leave of anybody",
    input: z.object({ tokenId: z.string() }),
    run: async (deps, { tenantId, actor }, { tokenId }) => {
      await deps.store.revokeToken(
        tenantId,
        { tokenId, now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "token.revoked",
              subject: { type: "token", id: tokenId },
              facts: {},
            }),
          ],
          recompute: [],
        },
      );
      deps.tokensChanged();
      return { tokenId, revoked: true };
    },
  }),
  operation({
    name: "putCredential",
    method: "PUT",
    path: "/credentials/:name",
    needs: "admin",
    summary: "Seal a vendor secret; mapping files name it `sealed:NAME`",
    input: z.object({ name, secret: z.string().min(8).max(10_000) }),
    run: async (deps, { tenantId, actor }, input) => ({
      name: input.name,
      ...(await deps.putCredential(tenantId, input.name, input.secret, actor)),
    }),
  }),
  operation({
    name: "listCredentials",
    method: "GET",
    path: "/credentials",
    summary: "Sealed secrets by name and fingerprint",
    input: z.object({}),
    run: async (deps, { tenantId }) => ({
      credentials: (await deps.store.listSecrets(tenantId)).map(
        ({ name: secretName, fingerprint, updatedAt, sealed }) => ({
          name: secretName,
          fingerprint,
          updatedAt,
          sealedWith: sealedWith(sealed),
        }),
      ),
    }),
  }),
  operation({
    name: "resealCredentials",
    method: "POST",
    path: "/credentials/reseal",
    needs: "admin",
    summary: "Seal anew what a former seal key sealed; what no key here opens is named and stays",
    input: z.object({}),
    run: (deps, { tenantId, actor }) => deps.reseal(tenantId, actor),
  }),
];
