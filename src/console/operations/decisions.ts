import { z } from "zod";
import { priorities, type Target } from "../../accounts/target.ts";
import { howKnown, type Known } from "../../accounts/trust.ts";
import {
  asId,
  type ConnectionId,
  type HoldId,
  type IdentityId,
  type TenantId,
} from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { liveOperators } from "../../credentials/credential-store.ts";
import { decideHold, HoldRefusal } from "../../sync/decide-hold.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

/** How well each target is known, by the facts of its vendor. */
async function knownIn(deps: ConsoleDeps, tenantId: TenantId): Promise<(target: Target) => Known> {
  const lanes = new Map(
    (await deps.store.listLanes(tenantId)).map((lane) => [lane.connectionId, lane]),
  );
  return (target) => {
    const lane = lanes.get(target.connectionId);
    const facts =
      lane === undefined
        ? undefined
        : deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target);
    return howKnown(target, facts ?? {});
  };
}

/** What vendors call the objects that entries speak of, by connection and id. */
async function objectNames(
  deps: ConsoleDeps,
  tenantId: TenantId,
  entries: readonly { readonly connectionId: ConnectionId }[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const connectionId of new Set(entries.map((entry) => entry.connectionId))) {
    const { objects } = await deps.store.listObjects(tenantId, connectionId);
    for (const { objectId, name } of objects) names.set(`${connectionId} ${objectId}`, name);
  }
  return names;
}

export const decisionOperations = [
  operation({
    name: "listHolds",
    method: "GET",
    path: "/holds",
    summary: "Batches that wait, or waited, for a decision",
    input: z.object({ state: z.enum(["open", "decided", "lapsed"]).optional() }),
    run: async (deps, { tenantId }, { state }) => ({
      holds: await deps.store.listHolds(tenantId, {
        limit: 200,
        ...(state === undefined ? {} : { state }),
      }),
    }),
  }),
  operation({
    name: "showHold",
    method: "GET",
    path: "/holds/:holdId",
    summary: "One batch with the people in it, page by page",
    input: z.object({
      holdId: z.string(),
      after: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(500),
    }),
    run: async (deps, { tenantId }, input) => {
      const holdId = asId<HoldId>(input.holdId);
      const hold = await deps.store.getHold(tenantId, holdId);
      if (hold === undefined) throw new OperationError(404, `no hold ${input.holdId}`);
      const { after, limit } = input;
      const entries = await deps.store.listRailEntries(tenantId, {
        holdId,
        limit,
        ...(after === undefined ? {} : { after }),
      });
      const names = await namesOf(
        deps,
        tenantId,
        entries.map((entry) => entry.identityId),
      );
      const objects = await objectNames(deps, tenantId, entries);
      return {
        hold,
        entries: entries.map((entry) => ({
          ...entry,
          userName: names.get(entry.identityId) ?? null,
          objectName: objects.get(`${entry.connectionId} ${entry.slot.objectId}`) ?? null,
        })),
        ...(entries.length === limit ? { next: entries.at(-1)?.entryId } : {}),
      };
    },
  }),
  operation({
    name: "decideHold",
    method: "POST",
    path: "/holds/:holdId/decision",
    needs: "approver",
    summary:
      "Approve or reject a batch, whole or for some people; above twice its cap two people approve",
    input: z.object({
      holdId: z.string(),
      decision: z.enum(["approve", "reject"]),
      people: z.array(z.string()).min(1).max(5_000).optional(),
      why: z.string().min(3).max(500),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const identityIds: IdentityId[] = [];
      for (const person of input.people ?? [])
        identityIds.push(await theIdentity(deps, tenantId, person));
      const operators = liveOperators(await deps.store.listTokens(tenantId), deps.clock.now());
      try {
        return await decideHold(deps, tenantId, {
          holdId: asId<HoldId>(input.holdId),
          decision: input.decision,
          identityIds: input.people === undefined ? "all" : identityIds,
          why: input.why,
          actor,
          operators,
        });
      } catch (error) {
        if (error instanceof HoldRefusal) throw new OperationError(403, error.message);
        throw error;
      }
    },
  }),
  operation({
    name: "listTargets",
    method: "GET",
    path: "/targets",
    summary: "Wish and state of everybody at one connection, page by page",
    input: z.object({
      connection: z.string(),
      after: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    run: async (deps, { tenantId }, input) => {
      const targets = await deps.store.listTargets(tenantId, {
        connectionId: asId<ConnectionId>(input.connection),
        limit: input.limit,
        ...(input.after === undefined ? {} : { after: input.after }),
      });
      const ids = targets.map((target) => target.identityId);
      const names = await namesOf(deps, tenantId, ids);
      const states = await deps.store.readPeople(tenantId, ids);
      const known = await knownIn(deps, tenantId);
      const links = new Map(
        states.map((state) => [
          state.identityId,
          state.links.find((link) => link.connectionId === input.connection)?.accountId ?? null,
        ]),
      );
      return {
        targets: targets.map((target) => ({
          identityId: target.identityId,
          userName: names.get(target.identityId) ?? null,
          accountId: links.get(target.identityId) ?? null,
          lifecycle: target.desired.lifecycle,
          desired: target.desired.assignments.map(({ kind, objectId, role, because }) => ({
            kind,
            objectId,
            role,
            because,
          })),
          emails: target.desired.profile.emails,
          state: target.state,
          code: target.reason?.code ?? null,
          reason: target.reason?.text ?? null,
          dueAt: target.dueAt,
          ...known(target),
          generation: target.generation,
          appliedGeneration: target.appliedGeneration,
        })),
        ...(targets.length === input.limit ? { next: targets.at(-1)?.identityId } : {}),
      };
    },
  }),
  operation({
    name: "listParked",
    method: "GET",
    path: "/parked",
    summary: "People whose change waits for a fact or a person, with the reason",
    input: z.object({
      connection: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(200),
    }),
    run: async (deps, { tenantId }, input) => {
      const targets = await deps.store.listTargets(tenantId, {
        states: ["parked", "manual"],
        limit: input.limit,
        ...(input.connection === undefined
          ? {}
          : { connectionId: asId<ConnectionId>(input.connection) }),
      });
      const ids = new Set(targets.map((target) => target.identityId));
      const names = await namesOf(deps, tenantId, [...ids].slice(0, 500));
      const known = await knownIn(deps, tenantId);
      return {
        parked: targets.map((target) => ({
          identityId: target.identityId,
          userName: names.get(target.identityId) ?? null,
          connectionId: target.connectionId,
          state: target.state,
          code: target.reason?.code ?? null,
          reason: target.reason?.text ?? null,
          since: target.wishedAt,
          ...known(target),
          lifecycle: target.desired.lifecycle,
        })),
      };
    },
  }),
  operation({
    name: "redrive",
    method: "POST",
    path: "/parked/redrive",
    summary: "Try parked people again: one, one connection's, or all",
    input: z.object({
      identity: z.string().optional(),
      connection: z.string().optional(),
      all: z.boolean().optional(),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      if (input.identity === undefined && input.connection === undefined && input.all !== true) {
        throw new OperationError(400, "say whom: identity, connection, or all");
      }
      const identityId =
        input.identity === undefined
          ? undefined
          : await theIdentity(deps, tenantId, input.identity);
      let redriven = 0;
      for (const lane of await deps.store.listLanes(tenantId)) {
        if (input.connection !== undefined && lane.connectionId !== input.connection) continue;
        const targets = await deps.store.listTargets(tenantId, {
          states: ["parked", "manual"],
          connectionId: lane.connectionId,
          limit: 1_000,
          ...(identityId === undefined ? {} : { identityId }),
        });
        if (targets.length === 0) continue;
        redriven += await deps.store.wakeTargets(
          tenantId,
          {
            connectionId: lane.connectionId,
            identityIds: targets.map((target) => target.identityId),
            priority: priorities.change,
            now: deps.clock.now(),
          },
          {
            records: [
              newRecord(deps.clock, {
                actor,
                action: "parked.redriven",
                subject: { type: "connection", id: lane.connectionId },
                connectionId: lane.connectionId,
                facts: { people: targets.length },
              }),
            ],
            recompute: [],
          },
        );
      }
      deps.ringWorkers(tenantId);
      return { redriven };
    },
  }),
  operation({
    name: "redriveSome",
    method: "POST",
    path: "/parked/redrive-some",
    summary: "Try some parked people again, each at one connection",
    input: z.object({
      targets: z
        .array(z.object({ connection: z.string().max(64), identity: z.string().max(320) }))
        .min(1, "mark at least one person")
        .max(500),
    }),
    run: async (deps, { tenantId, actor }, { targets }) => {
      let redriven = 0;
      for (const [connection, own] of Map.groupBy(targets, (item) => item.connection)) {
        const connectionId = asId<ConnectionId>(connection);
        const identityIds = [];
        for (const { identity } of own)
          identityIds.push(await theIdentity(deps, tenantId, identity));
        redriven += await deps.store.wakeTargets(
          tenantId,
          { connectionId, identityIds, priority: priorities.change, now: deps.clock.now() },
          {
            records: [
              newRecord(deps.clock, {
                actor,
                action: "parked.redriven",
                subject: { type: "connection", id: connectionId },
                connectionId,
                facts: { people: identityIds.length },
              }),
            ],
            recompute: [],
          },
        );
      }
      deps.ringWorkers(tenantId);
      return { redriven };
    },
  }),
  operation({
    name: "listFindings",
    method: "GET",
    path: "/findings",
    summary: "What a person should know or decide",
    input: z.object({
      connection: z.string().optional(),
      identity: z.string().optional(),
      all: z.coerce.boolean().optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(200),
    }),
    run: async (deps, { tenantId }, input) => ({
      findings: await deps.store.listFindings(tenantId, {
        limit: input.limit,
        ...(input.all === true ? {} : { open: true }),
        ...(input.connection === undefined
          ? {}
          : { connectionId: asId<ConnectionId>(input.connection) }),
        ...(input.identity === undefined
          ? {}
          : { identityId: await theIdentity(deps, tenantId, input.identity) }),
      }),
    }),
  }),
];
