import { z } from "zod";
import type { Lane } from "../../accounts/lane.ts";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import type { RosterFacts } from "../../model/roster.ts";
import { importRoster } from "../../tasks/import-roster.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

const connection = z.string().min(1).max(64);

export const rosterOperations = [
  operation({
    name: "importRoster",
    method: "POST",
    path: "/connections/:connection/rosters",
    summary: "Bring a full list of a workspace's members, where the vendor shows it to people only",
    input: z.object({
      connection,
      format: z.enum(["csv", "json"]),
      text: z.string().min(1).max(900_000),
      shrinkAccepted: z.boolean().default(false),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const { lane, facts } = await laneWithRoster(deps, tenantId, input.connection);
      const { format, text, shrinkAccepted } = input;
      const roster = await importRoster(deps, tenantId, {
        lane,
        facts,
        text,
        format,
        shrinkAccepted,
        actor,
      });
      deps.ringWorkers(tenantId);
      return { roster };
    },
  }),
  operation({
    name: "listRosters",
    method: "GET",
    path: "/connections/:connection/rosters",
    summary: "Lists of members that were brought and believed, newest first",
    input: z.object({ connection, limit: z.coerce.number().int().min(1).max(200).default(20) }),
    run: async (deps, { tenantId }, input) => {
      const { lane, facts } = await laneWithRoster(deps, tenantId, input.connection);
      return {
        where: facts.where,
        rosters: await deps.store.listRosters(tenantId, lane.connectionId, input.limit),
      };
    },
  }),
];

async function laneWithRoster(
  deps: ConsoleDeps,
  tenantId: TenantId,
  name: string,
): Promise<{ readonly lane: Lane; readonly facts: RosterFacts }> {
  const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(name));
  if (lane === undefined) throw new OperationError(404, `no active connection "${name}"`);
  const facts = deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target)?.roster;
  if (facts === undefined)
    throw new OperationError(409, `${lane.vendor} shows its members itself: no roster is needed`);
  return { lane, facts };
}
