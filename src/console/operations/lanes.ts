import { z } from "zod";
import type { StopSwitch } from "../../accounts/lane.ts";
import { priorities } from "../../accounts/target.ts";
import { asId, type AccountId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import { foldEmail } from "../../model/fold.ts";
import { newRecord } from "../../model/records.ts";
import { pulseReport } from "../../pulse/pulse-report.ts";
import { setLink } from "../../sync/set-link.ts";
import {
  operation,
  OperationError,
  type ConsoleDeps,
  type OperationContext,
} from "../operation.ts";
import { reaches, refusalText } from "../role.ts";
import { theIdentity } from "./people.ts";

const why = z.string().min(3).max(500);

async function theLane(deps: ConsoleDeps, tenantId: TenantId, name: string) {
  const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(name));
  if (lane !== undefined) return lane;
  const known = (await deps.store.listLanes(tenantId)).map((item) => item.connectionId);
  throw new OperationError(
    404,
    `no connection "${name}"; there are: ${known.join(", ") || "none"}`,
  );
}

async function setStop(
  deps: ConsoleDeps,
  { tenantId, actor }: OperationContext,
  input: {
    readonly connection?: string | undefined;
    readonly covers: StopSwitch["covers"];
    readonly why: string;
  },
  on: boolean,
) {
  const connectionId =
    input.connection === undefined
      ? undefined
      : (await theLane(deps, tenantId, input.connection)).connectionId;
  const now = deps.clock.now();
  await deps.store.setStop(
    tenantId,
    {
      stop: { connectionId, covers: input.covers, by: actor.id, why: input.why, since: now },
      on,
      now,
    },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: on ? "switch.stopped" : "switch.started",
          subject: { type: "switch", id: connectionId ?? tenantId },
          facts: { covers: input.covers, why: input.why },
          ...(connectionId === undefined ? {} : { connectionId }),
        }),
      ],
      recompute: [],
    },
  );
  if (!on) {
    for (const lane of await deps.store.listLanes(tenantId)) {
      if (connectionId !== undefined && lane.connectionId !== connectionId) continue;
      await deps.store.wakeTargets(
        tenantId,
        {
          connectionId: lane.connectionId,
          identityIds: "all",
          priority: priorities.background,
          now,
        },
        { records: [], recompute: [] },
      );
    }
    deps.ringWorkers(tenantId);
  }
  return { stops: await deps.store.listStops(tenantId) };
}

const stopInput = z.object({
  connection: z.string().optional(),
  covers: z.enum(["all", "grants", "removals", "all-but-leavers"]).default("all"),
  why,
});

export const laneOperations = [
  operation({
    name: "status",
    method: "GET",
    path: "/status",
    summary: "Lanes, targets by state, holds, backlog, stops, audit tree",
    input: z.object({}),
    run: async (deps, { tenantId }) => {
      const now = deps.clock.now();
      const [lanes, counts, holds, stops, backlog, people, idps, tree, marks, pulse] =
        await Promise.all([
          deps.store.listLanes(tenantId),
          deps.store.targetCounts(tenantId),
          deps.store.listHolds(tenantId, { state: "open", limit: 200 }),
          deps.store.listStops(tenantId),
          deps.backlog(),
          deps.store.countIdentities(tenantId),
          deps.store.listIdps(tenantId),
          deps.store.getTree(tenantId),
          deps.store.recomputeBacklog(now),
          pulseReport(deps.store, tenantId, now, 10),
        ]);
      return {
        version: deps.version,
        world: deps.world,
        now,
        people,
        idps,
        lanes: lanes.map((lane) => ({
          connectionId: lane.connectionId,
          vendor: lane.vendor,
          profile: lane.profile,
          mode: lane.policy.mode,
          state: lane.state,
          pause: lane.pause,
          organization: lane.organization,
          listedAt: lane.listedAt,
          breakerUntil: lane.breakerUntil,
          managedAccounts: lane.managedAccounts,
          openInvitations: lane.openInvitations,
          targets: Object.fromEntries(
            counts
              .filter((row) => row.connectionId === lane.connectionId)
              .reduce(
                (sums, row) => sums.set(row.state, (sums.get(row.state) ?? 0) + row.count),
                new Map<string, number>(),
              ),
          ),
        })),
        openHolds: holds.length,
        stops,
        backlog: { ...backlog, oldestSince: marks.oldestSince ?? null },
        audit: { size: tree.size },
        pulse: { verdict: pulse.verdict, lastPassedAt: pulse.lastPassedAt ?? null },
      };
    },
  }),
  operation({
    name: "trends",
    method: "GET",
    path: "/trends",
    summary: "The last two hours of this process, minute by minute: requests, calls, writes, delay",
    input: z.object({}),
    run: (deps) => Promise.resolve(deps.trends()),
  }),
  operation({
    name: "showLane",
    method: "GET",
    path: "/lanes/:connection",
    summary:
      "One connection: its state, who it answers for, its credential, its rails and what guards it",
    input: z.object({ connection: z.string() }),
    run: async (deps, { tenantId }, input) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const { tenantId: _tenantId, policy, credential, ...shown } = lane;
      const name = credential.startsWith("sealed:") ? credential.slice("sealed:".length) : null;
      const secret = name === null ? undefined : await deps.store.getSecret(tenantId, name);
      const { mode, sets, leaver, create, timing, rails, protectedAccounts, adminsMin } = policy;
      return {
        lane: shown,
        policy: { mode, sets, leaver, create, timing, rails, protectedAccounts, adminsMin },
        credential: {
          reference: credential,
          fingerprint: secret?.fingerprint ?? null,
          updatedAt: secret?.updatedAt ?? null,
        },
        told: deps.channels,
      };
    },
  }),
  operation({
    name: "pauseLane",
    method: "POST",
    path: "/lanes/:connection/pause",
    summary: "Stop one connection until it is resumed by hand",
    input: z.object({ connection: z.string(), why }),
    run: async (deps, { tenantId, actor }, input) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const now = deps.clock.now();
      await deps.store.updateLane(
        tenantId,
        {
          connectionId: lane.connectionId,
          set: {
            state: "paused",
            pause: { code: "OPERATOR", text: input.why, since: now },
            probeAt: null,
          },
          now,
        },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "connection.paused",
              subject: { type: "connection", id: lane.connectionId },
              connectionId: lane.connectionId,
              facts: { code: "OPERATOR", why: input.why },
            }),
          ],
          recompute: [],
        },
      );
      return { connectionId: lane.connectionId, state: "paused" };
    },
  }),
  operation({
    name: "resumeLane",
    method: "POST",
    path: "/lanes/:connection/resume",
    summary: "Open a paused connection; its organisation is compared again before anything is used",
    input: z.object({ connection: z.string(), why, acceptOrganization: z.string().optional() }),
    run: async (deps, { tenantId, actor }, input) => {
      // Another organisation than the pinned one is a decision, not an opening.
      if (input.acceptOrganization !== undefined && !reaches(actor, "approver"))
        throw new OperationError(403, refusalText(actor, "approver"));
      const lane = await theLane(deps, tenantId, input.connection);
      const now = deps.clock.now();
      await deps.store.updateLane(
        tenantId,
        {
          connectionId: lane.connectionId,
          set: {
            state: "open",
            pause: null,
            probeAt: null,
            breakerUntil: null,
            checkedAt: null,
            nextListAt: null,
            ...(input.acceptOrganization === undefined
              ? {}
              : {
                  organization: {
                    id: input.acceptOrganization,
                    name: lane.organization?.name ?? "",
                  },
                }),
          },
          now,
        },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "connection.resumed",
              subject: { type: "connection", id: lane.connectionId },
              connectionId: lane.connectionId,
              facts: {
                why: input.why,
                ...(input.acceptOrganization === undefined
                  ? {}
                  : { organizationId: input.acceptOrganization }),
              },
            }),
          ],
          recompute: [],
        },
      );
      await deps.store.resolveFindings(tenantId, {
        keys: [`lane_paused:${lane.connectionId}`],
        now,
      });
      await deps.store.wakeTargets(
        tenantId,
        {
          connectionId: lane.connectionId,
          identityIds: "all",
          priority: priorities.background,
          now,
        },
        { records: [], recompute: [] },
      );
      deps.ringWorkers(tenantId);
      return { connectionId: lane.connectionId, state: "open" };
    },
  }),
  operation({
    name: "stop",
    method: "POST",
    path: "/stop",
    summary: "The kill switch: no new vendor write from now on",
    input: stopInput,
    run: (deps, context, input) => setStop(deps, context, input, true),
  }),
  operation({
    name: "start",
    method: "POST",
    path: "/start",
    needs: "approver",
    summary: "Take a stop switch back",
    input: stopInput,
    run: (deps, context, input) => setStop(deps, context, input, false),
  }),
  operation({
    name: "listLinks",
    method: "GET",
    path: "/links",
    summary: "Which account belongs to whom",
    input: z.object({
      connection: z.string().optional(),
      identity: z.string().optional(),
      after: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(200),
    }),
    run: async (deps, { tenantId }, input) => {
      const links = await deps.store.listLinks(tenantId, {
        limit: input.limit,
        ...(input.after === undefined ? {} : { after: input.after }),
        ...(input.connection === undefined
          ? {}
          : { connectionId: asId<ConnectionId>(input.connection) }),
        ...(input.identity === undefined
          ? {}
          : { identityId: await theIdentity(deps, tenantId, input.identity) }),
      });
      return { links };
    },
  }),
  operation({
    name: "setLink",
    method: "PUT",
    path: "/links",
    needs: "approver",
    summary: "Say that an account is this person's",
    input: z.object({
      connection: z.string(),
      identity: z.string(),
      account: z.string().min(1).max(200),
      email: z.string().optional(),
      why,
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const identityId = await theIdentity(deps, tenantId, input.identity);
      const accountId = asId<AccountId>(input.account);
      const seen = (
        await deps.store.listObserved(tenantId, {
          connectionId: lane.connectionId,
          accountIds: [accountId],
          limit: 1,
        })
      )[0];
      const email = seen?.email ?? (input.email === undefined ? undefined : foldEmail(input.email));
      if (email === undefined) {
        throw new OperationError(
          404,
          `no account ${input.account} was seen at ${lane.connectionId}; reconcile the connection first, or give its e-mail`,
        );
      }
      const { connectionId } = lane;
      const said = { connectionId, identityId, accountId, email, why: input.why, actor };
      await setLink(deps, tenantId, said);
      return { identityId, connectionId: lane.connectionId, accountId };
    },
  }),
  operation({
    name: "removeLink",
    method: "DELETE",
    path: "/links",
    needs: "approver",
    summary: "Say that an account is not this person's; the account itself stays as it is",
    input: z.object({ connection: z.string(), identity: z.string(), why }),
    run: async (deps, { tenantId, actor }, input) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const identityId = await theIdentity(deps, tenantId, input.identity);
      await deps.store.changeLink(
        tenantId,
        {
          connectionId: lane.connectionId,
          identityId,
          change: { op: "remove" },
          now: deps.clock.now(),
        },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "link.removed",
              subject: { type: "link", id: identityId },
              connectionId: lane.connectionId,
              facts: { why: input.why },
            }),
          ],
          recompute: [{ identityId, cause: { kind: "operator" }, urgent: false }],
        },
      );
      deps.ringRelay();
      return { identityId, connectionId: lane.connectionId };
    },
  }),
];
