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
    summary: "One batch with the people in it",
    input: z.object({ holdId: z.string() }),
    run: async (deps, { tenantId }, input) => {
      const holdId = asId<HoldId>(input.holdId);
      const hold = await deps.store.getHold(tenantId, holdId);
      if (hold === undefined) throw new OperationError(404, `no hold ${input.holdId}`);
      const entries = await deps.store.listRailEntries(tenantId, { holdId, limit: 500 });
      const names = await namesOf(
        deps,
        tenantId,
        entries.map((entry) => entry.identityId),
      );
      return {
        hold,
        entries: entries.map((entry) => ({
          ...entry,
          userName: names.get(entry.identityId) ?? null,
        })),
      };
    },
  }),
  operation({
    name: "decideHold",
    method: "POST",
    path: "/holds/:holdId/decision",
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
