import { z } from "zod";
import {
  asId,
  isName,
  newId,
  type IdpId,
  type MappingVersionId,
  type TenantId,
} from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { approveMapping } from "../../sync/roll-out.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

const name = z.string().refine(isName, "lower-case letters, digits and dashes, at most 64");

async function theIdp(deps: ConsoleDeps, tenantId: TenantId, idp: string) {
  const known = await deps.store.listIdps(tenantId);
  const found = known.find((item) => item.idpId === idp);
  if (found !== undefined) return found;
  throw new OperationError(
    404,
    `no IdP connection "${idp}"; there are: ${known.map((item) => item.idpId).join(", ") || "none"}`,
  );
}

async function allGroups(deps: ConsoleDeps, tenantId: TenantId) {
  const groups: { displayName: string; idpId: string; groupId: string }[] = [];
  for (const idp of await deps.store.listIdps(tenantId)) {
    for (let startIndex = 1; ; startIndex += 1_000) {
      const page = await deps.store.listGroups(
        tenantId,
        idp.idpId,
        { op: "all" },
        { startIndex, count: 1_000, sort: undefined },
      );
      groups.push(
        ...page.items.map(({ displayName, groupId }) => ({
          displayName,
          groupId,
          idpId: idp.idpId,
        })),
      );
      if (startIndex + page.items.length > page.total || page.items.length === 0) break;
    }
  }
  return groups;
}

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
    name: "addIdp",
    method: "POST",
    path: "/idps",
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
    summary: "A new token, shown this once",
    input: z.object({
      kind: z.enum(["scim", "operator"]),
      idp: z.string().optional(),
      label: z.string().min(1).max(100),
      role: z.enum(["hr"]).optional(),
      expiresInDays: z.number().int().min(1).max(3_650).optional(),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      if (input.kind === "scim" && input.idp === undefined)
        throw new OperationError(400, "a SCIM token needs its IdP connection: idp");
      if (input.role !== undefined && input.kind !== "operator")
        throw new OperationError(400, "only an operator's token has a role");
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
          ...(input.role === undefined ? {} : { role: input.role }),
        },
        actor,
      );
    },
  }),
  operation({
    name: "revokeToken",
    method: "DELETE",
    path: "/tokens/:tokenId",
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
        ({ name: secretName, fingerprint, updatedAt }) => ({
          name: secretName,
          fingerprint,
          updatedAt,
        }),
      ),
    }),
  }),
  operation({
    name: "listMappings",
    method: "GET",
    path: "/mappings",
    summary: "Mapping versions, newest first",
    input: z.object({}),
    run: async (deps, { tenantId }) => ({
      mappings: (await deps.store.listMappings(tenantId)).map(
        ({ document: _document, ...version }) => version,
      ),
    }),
  }),
  operation({
    name: "reloadMappings",
    method: "POST",
    path: "/mappings/apply",
    summary: "Read the files again and propose what changed",
    input: z.object({}),
    run: async (deps, { tenantId, actor }) => ({
      results: await deps.proposeMappings(tenantId, actor),
    }),
  }),
  operation({
    name: "approveMapping",
    method: "POST",
    path: "/mappings/:versionId/approve",
    summary: "Activate a proposal that waits",
    input: z.object({ versionId: z.string() }),
    run: async (deps, { tenantId, actor }, input) => {
      const version = (await deps.store.listMappings(tenantId)).find(
        (item) => item.versionId === input.versionId,
      );
      if (version === undefined)
        throw new OperationError(404, `no mapping version ${input.versionId}`);
      const proposal = (await deps.readMappings(tenantId)).find(
        (item) => item.connectionId === version.connectionId,
      );
      if (proposal?.hash !== version.hash) {
        throw new OperationError(
          409,
          "the file has changed since this proposal: apply it again and approve the newer one",
        );
      }
      await approveMapping(
        deps,
        tenantId,
        proposal,
        asId<MappingVersionId>(input.versionId),
        actor,
      );
      return { versionId: input.versionId, state: "active" };
    },
  }),
  operation({
    name: "rebindGroup",
    method: "POST",
    path: "/mappings/rebind",
    summary:
      "Let the rules of a group name follow another group: a person's decision after a deletion",
    input: z.object({ connection: z.string(), group: z.string(), groupId: z.string() }),
    run: async (deps, { tenantId, actor }, input) => {
      const version = (await deps.store.activeMappings(tenantId)).find(
        (item) => item.connectionId === input.connection,
      );
      if (version === undefined)
        throw new OperationError(404, `no active mapping for "${input.connection}"`);
      const binding = (await deps.store.listBindings(tenantId, version.versionId)).find(
        (item) => item.groupName === input.group,
      );
      const group = (await deps.store.findGroupsById(tenantId, [asId(input.groupId)]))[0];
      if (binding === undefined)
        throw new OperationError(
          404,
          `the mapping of "${input.connection}" names no group "${input.group}"`,
        );
      if (group === undefined || group.deleted)
        throw new OperationError(404, `no live group ${input.groupId}`);
      await deps.store.setBindings(
        tenantId,
        {
          connectionId: version.connectionId,
          versionId: version.versionId,
          bindings: [{ ...binding, state: "bound", groupId: group.groupId }],
        },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "mapping.rebound",
              subject: { type: "mapping", id: version.versionId },
              connectionId: version.connectionId,
              mappingVersion: version.versionId,
              facts: { group: input.group, groupId: group.groupId, was: binding.groupId ?? null },
            }),
          ],
          recompute: [],
          fanouts: [
            {
              fanoutId: newId(deps.clock),
              scope: { kind: "tenant" },
              cause: { kind: "mapping", key: `mapping:${version.versionId}:${group.groupId}` },
              urgent: false,
            },
          ],
        },
      );
      await deps.store.resolveFindings(tenantId, {
        prefix: `group_deleted:${version.connectionId}:${input.group}:`,
        now: deps.clock.now(),
      });
      await deps.store.resolveFindings(tenantId, {
        prefix: `group_remade:${version.connectionId}:${input.group}:`,
        now: deps.clock.now(),
      });
      deps.ringRelay();
      return { connection: input.connection, group: input.group, groupId: group.groupId };
    },
  }),
  operation({
    name: "mappingFacts",
    method: "GET",
    path: "/mappings/facts",
    summary: "What is there for names in mapping files to mean: attributes, groups, vendor objects",
    input: z.object({}),
    run: async (deps, { tenantId }) => {
      const [people, attributes, lanes] = await Promise.all([
        deps.store.countIdentities(tenantId),
        deps.store.attributeCounts(tenantId),
        deps.store.listLanes(tenantId),
      ]);
      const objects = [];
      for (const lane of lanes) {
        const known = await deps.store.listObjects(tenantId, lane.connectionId);
        if (known.readAt !== undefined)
          objects.push({ connectionId: lane.connectionId, objects: known.objects });
      }
      return {
        people: people.active,
        attributes: Object.fromEntries(attributes),
        groups: await allGroups(deps, tenantId),
        objects,
      };
    },
  }),
  operation({
    name: "findRecords",
    method: "GET",
    path: "/audit/records",
    summary: "The audit record, newest first",
    input: z.object({
      action: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    run: async (deps, { tenantId }, input) => ({
      records: await deps.store.findRecords(tenantId, {
        limit: input.limit,
        ...(input.action === undefined ? {} : { action: input.action }),
      }),
    }),
  }),
];
