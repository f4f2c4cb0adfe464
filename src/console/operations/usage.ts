import { z } from "zod";
import { auditUsage, readWebhook } from "../../governance/audit-usage.ts";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

const connection = z.string().min(1).max(64);

async function theLane(deps: ConsoleDeps, tenantId: TenantId, name: string) {
  const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(name));
  if (lane === undefined) throw new OperationError(404, `no active connection "${name}"`);
  return lane;
}

export const usageOperations = [
  operation({
    name: "auditUsage",
    method: "POST",
    path: "/connections/:connection/usage",
    summary: "Hold a vendor's usage export (CSV) against the budgets of the mapping",
    input: z.object({ connection, text: z.string().min(1).max(900_000) }),
    run: async (deps, { tenantId, actor }, input) => {
      const lane = await theLane(deps, tenantId, input.connection);
      return auditUsage(deps, tenantId, { lane, actor, text: input.text });
    },
  }),
  operation({
    name: "readWebhook",
    method: "POST",
    path: "/connections/:connection/webhooks/:name/readings",
    summary: "Say how many records a webhook source took so far",
    input: z.object({
      connection,
      name: z.string().min(1).max(200),
      count: z.int().min(0).max(1_000_000_000),
    }),
    run: async (deps, { tenantId, actor }, { name, count, ...input }) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const found = await readWebhook(deps, tenantId, { lane, actor, name, count });
      return { findings: found === undefined ? [] : [found] };
    },
  }),
];
