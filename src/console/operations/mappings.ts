import { z } from "zod";
import { liveOperators } from "../../credentials/credential-store.ts";
import {
  asId,
  isName,
  newId,
  type ConnectionId,
  type IdentityId,
  type MappingVersionId,
  type TenantId,
} from "../../model/ids.ts";
import { readMapping, writeMapping } from "../../mapping/one-file.ts";
import type { JsonObject } from "../../model/json.ts";
import { newRecord } from "../../model/records.ts";
import {
  approveMapping,
  MappingRefusal,
  refuseMapping,
  resumeRollout,
  simulateVersion,
} from "../../sync/decide-mapping.ts";
import { diffMapping } from "../../sync/diff-mapping.ts";
import { mappingResult } from "../../sync/mapping-result.ts";
import type { PersonChange } from "../../sync/simulate.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

/** People who are named in one answer. */
const namedMax = 500;
const versionId = z.string().min(1).max(64);
const document = z.record(z.string(), z.json()).transform((value) => value as JsonObject);
const why = z.string().min(1).max(500);

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

/** A refusal is the caller's affair, not a fault. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof MappingRefusal)
      throw new OperationError(error.why === "forbidden" ? 403 : 409, error.message);
    throw error;
  }
}

/** Keeps the first people of a simulation, to be named. */
function collector(): {
  readonly tell: (change: PersonChange) => void;
  readonly kept: PersonChange[];
} {
  const kept: PersonChange[] = [];
  return {
    kept,
    tell: (change) => {
      if (kept.length < namedMax) kept.push(change);
    },
  };
}

async function named(deps: ConsoleDeps, tenantId: TenantId, changes: readonly PersonChange[]) {
  const names = await namesOf(
    deps,
    tenantId,
    changes.map((change) => change.identityId),
  );
  return changes.map((change) => ({ ...change, userName: names.get(change.identityId) ?? null }));
}

async function operatorsOf(deps: ConsoleDeps, tenantId: TenantId): Promise<readonly string[]> {
  return liveOperators(await deps.store.listTokens(tenantId), deps.clock.now());
}

export const mappingOperations = [
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
    name: "diffMapping",
    method: "POST",
    path: "/mappings/diff",
    reads: true,
    summary: "What one document in place of another would change, for whom by name; stores nothing",
    input: z.object({
      connection: z.string().refine(isName, "the name of a connection"),
      before: document.optional(),
      after: document,
    }),
    run: async (deps, { tenantId }, input) => {
      const people = collector();
      const connectionId = asId<ConnectionId>(input.connection);
      const { before, after } = input;
      const documents = { connectionId, before, after };
      const { changes, simulation } = await diffMapping(deps, tenantId, documents, people.tell);
      const changed = simulation.people - simulation.unchanged;
      return {
        changes,
        simulation,
        people: await named(deps, tenantId, people.kept),
        unnamed: changed - people.kept.length,
      };
    },
  }),
  operation({
    name: "readMappingFile",
    method: "GET",
    path: "/mappings/active/:connection",
    summary: "The active version of one connection as YAML, bundles and placeholders written out",
    input: z.object({ connection: z.string().max(64) }),
    run: async (deps, { tenantId }, { connection }) => {
      const version = await activeVersion(deps, tenantId, connection);
      return { versionId: version.versionId, text: writeMapping(version.document) };
    },
  }),
  operation({
    name: "simulateFile",
    method: "POST",
    path: "/mappings/simulate",
    reads: true,
    summary:
      "What an edited file, given as YAML, would change against the active version, for whom by name; stores nothing",
    input: z.object({ connection: z.string().max(64), text: z.string().min(1).max(900_000) }),
    run: async (deps, { tenantId }, { connection, text }) => {
      const people = collector();
      const before = (await deps.store.activeMappings(tenantId)).find(
        (item) => item.connectionId === connection,
      );
      const documents = {
        connectionId: asId<ConnectionId>(connection),
        before: before?.document,
        after: readMapping(connection, text, deps.vendorFacts),
      };
      const { changes, simulation } = await diffMapping(deps, tenantId, documents, people.tell);
      return {
        changes,
        simulation,
        people: await named(deps, tenantId, people.kept),
        unnamed: simulation.people - simulation.unchanged - people.kept.length,
      };
    },
  }),
  operation({
    name: "showMapping",
    method: "GET",
    path: "/mappings/:versionId",
    summary:
      "One version: what it changes, whom it would change now by name, who wrote and who decided about it",
    input: z.object({ versionId }),
    run: async (deps, { tenantId }, input) => {
      const people = collector();
      const { version, simulation } = await simulateVersion(
        deps,
        tenantId,
        asId<MappingVersionId>(input.versionId),
        people.tell,
      );
      const { document: _document, ...shown } = version;
      return {
        version: shown,
        simulation: simulation ?? null,
        result: version.state === "proposed" ? null : await mappingResult(deps, tenantId, version),
        people: await named(deps, tenantId, people.kept),
      };
    },
  }),
  operation({
    name: "reloadMappings",
    method: "POST",
    path: "/mappings/apply",
    summary: "Read the files again and propose what changed; `author` is who wrote them",
    input: z.object({ author: z.string().min(1).max(200).optional() }),
    run: async (deps, { tenantId, actor }, { author }) => ({
      results: await deps.proposeMappings(tenantId, actor, author),
    }),
  }),
  operation({
    name: "approveMapping",
    method: "POST",
    path: "/mappings/:versionId/approve",
    needs: "approver",
    summary:
      "Let a proposal count: for everybody, or with `canary` (a person, or `any`) step by step; not by who wrote or brought it where there is somebody else",
    input: z.object({
      versionId,
      why: why.optional(),
      simulation: z.string().max(64).optional(),
      canary: z.string().min(1).max(320).optional(),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const canary = await canaryOf(deps, tenantId, input.canary);
      const answer = await asked(
        approveMapping(deps, tenantId, {
          versionId: asId<MappingVersionId>(input.versionId),
          actor,
          live: deps.world === "live",
          operators: await operatorsOf(deps, tenantId),
          why: input.why ?? null,
          simulation: input.simulation,
          canary,
        }),
      );
      return { versionId: input.versionId, ...answer };
    },
  }),
  operation({
    name: "refuseMapping",
    method: "POST",
    path: "/mappings/:versionId/refuse",
    needs: "approver",
    summary: "Say no to a proposal, or take its roll-out back",
    input: z.object({ versionId, why }),
    run: async (deps, { tenantId, actor }, input) => ({
      versionId: input.versionId,
      ...(await refuseMapping(deps, tenantId, {
        versionId: asId<MappingVersionId>(input.versionId),
        actor,
        why: input.why,
      })),
    }),
  }),
  operation({
    name: "resumeRollout",
    method: "POST",
    path: "/mappings/:versionId/resume",
    needs: "approver",
    summary: "Let a roll-out that stopped by itself go on",
    input: z.object({ versionId, why }),
    run: async (deps, { tenantId, actor }, input) => ({
      versionId: input.versionId,
      ...(await resumeRollout(deps, tenantId, {
        versionId: asId<MappingVersionId>(input.versionId),
        actor,
        why: input.why,
      })),
    }),
  }),
  operation({
    name: "rebindGroup",
    method: "POST",
    path: "/mappings/rebind",
    needs: "approver",
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
];

async function activeVersion(deps: ConsoleDeps, tenantId: TenantId, connection: string) {
  const version = (await deps.store.activeMappings(tenantId)).find(
    (item) => item.connectionId === connection,
  );
  if (version === undefined) throw new OperationError(404, `no active mapping for "${connection}"`);
  return version;
}

async function canaryOf(
  deps: ConsoleDeps,
  tenantId: TenantId,
  text: string | undefined,
): Promise<IdentityId | "any" | undefined> {
  if (text === undefined || text === "any") return text;
  return theIdentity(deps, tenantId, text);
}
