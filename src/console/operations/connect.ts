import { z } from "zod";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

/** What the record of an installation holds. */
const installed = z.object({
  organizationId: z.string(),
  organizationName: z.string(),
  region: z.string(),
  installedAt: z.number(),
  installedBy: z.string().nullable(),
  credential: z.string(),
});

/** Connections whose credential comes by installing an app, each with its last installation. */
export async function installationsOf(
  store: Pick<ConsoleDeps["store"], "listLanes" | "findRecords">,
  tenantId: TenantId,
) {
  const found = [];
  for (const lane of await store.listLanes(tenantId)) {
    if (lane.policy.app === undefined) continue;
    const { connectionId, vendor, state } = lane;
    const filter = { connectionId, action: "connection.installed", limit: 1 };
    const [last] = await store.findRecords(tenantId, filter);
    found.push({
      ...{ connectionId, vendor, state },
      pause: lane.pause?.code ?? null,
      installed: last === undefined ? null : installed.parse(last.record.facts),
    });
  }
  return found;
}

export const connectOperations = [
  operation({
    name: "listInstallations",
    method: "GET",
    path: "/installations",
    summary:
      "Into which workspaces an app was installed, when and by whom, and whether it still works",
    input: z.object({}),
    run: async (deps, { tenantId }) => ({
      installations: await installationsOf(deps.store, tenantId),
    }),
  }),
  operation({
    name: "installLink",
    method: "POST",
    path: "/connections/:connection/install-link",
    needs: "admin",
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
