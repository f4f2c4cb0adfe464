import { z } from "zod";
import { asId, type ConnectionId } from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { operation, OperationError } from "../operation.ts";

export const connectOperations = [
  operation({
    name: "installLink",
    method: "POST",
    path: "/connections/:connection/install-link",
    summary:
      "A link that installs the vendor's app into the workspace, and what the app's settings must list",
    input: z.object({ connection: z.string().min(1).max(64) }),
    run: async (deps, { tenantId, actor }, input) => {
      const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(input.connection));
      if (lane === undefined)
        throw new OperationError(404, `no active connection "${input.connection}"`);
      try {
        return { installation: deps.installLink(lane, actor.id) };
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "InstallationRefusal") throw error;
        throw new OperationError(422, error.message);
      }
    },
  }),
  operation({
    name: "connect",
    method: "POST",
    path: "/connections/:connection/connect",
    summary:
      "Look at a connection: whose credential it is, what it can read, every call that will be made",
    input: z.object({ connection: z.string().min(1).max(64) }),
    run: async (deps, { tenantId, actor }, input) => {
      const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(input.connection));
      if (lane === undefined) {
        const known = (await deps.store.listLanes(tenantId)).map((item) => item.connectionId);
        throw new OperationError(
          404,
          `no connection "${input.connection}"; there are: ${known.join(", ") || "none"}`,
        );
      }
      const report = await deps.connect(lane);
      await deps.store.updateLane(
        tenantId,
        { connectionId: lane.connectionId, set: {}, now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "connection.looked_at",
              subject: { type: "connection", id: lane.connectionId },
              connectionId: lane.connectionId,
              facts: {
                organizationId: report.organization?.id ?? null,
                problem: report.problem?.code ?? null,
              },
            }),
          ],
          recompute: [],
        },
      );
      return { report };
    },
  }),
];
