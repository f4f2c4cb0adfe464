import { z } from "zod";
import type { Lane } from "../../accounts/lane.ts";
import { thingKinds } from "../../model/declared.ts";
import { SyncError } from "../../model/errors.ts";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

const connection = z.string().min(1).max(64);

export const thingOperations = [
  operation({
    name: "listThings",
    method: "GET",
    path: "/connections/:connection/things",
    summary:
      "Keys, tags and workspaces that the mapping declares, beside what the vendor shows now",
    input: z.object({ connection }),
    run: async (deps, { tenantId }, input) => {
      const lane = await theLane(deps, tenantId, input.connection);
      return { things: await told(() => deps.things(lane)) };
    },
  }),
  operation({
    name: "endThing",
    method: "POST",
    path: "/connections/:connection/things/end",
    needs: "approver",
    summary: "End one key, tag or sub-workspace at the vendor; nothing of the kind ends by itself",
    input: z.object({
      connection,
      kind: z.enum(thingKinds),
      which: z.string().min(1).max(300),
      why: z.string().min(1).max(500),
    }),
    run: async (deps, { tenantId, actor }, { kind, which, why, ...input }) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const refusal = await told(() => deps.endThing(lane, { kind, which, why, actor }));
      if (refusal !== undefined) throw new OperationError(409, refusal);
      return { ended: { kind, which } };
    },
  }),
];

async function theLane(deps: ConsoleDeps, tenantId: TenantId, name: string): Promise<Lane> {
  const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(name));
  if (lane === undefined) throw new OperationError(404, `no active connection "${name}"`);
  return lane;
}

/** What the vendor says is for whoever asked. */
async function told<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    throw new OperationError(422, `${error.code}: ${error.message}`);
  }
}
