import { z } from "zod";
import { asId, isName, type TenantId } from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { operation, OperationError } from "../operation.ts";

const name = z.string().refine(isName, "lower-case letters, digits and dashes, at most 64");

export const tenantOperations = [
  operation({
    name: "listTenants",
    method: "GET",
    path: "/tenants",
    summary: "Every tenant",
    input: z.object({}),
    run: async (deps) => ({ tenants: await deps.store.listTenants() }),
  }),
  operation({
    name: "showTenant",
    method: "GET",
    path: "/tenants/:name",
    summary: "One tenant: its people, IdP connections and vendor connections",
    input: z.object({ name }),
    run: async (deps, _context, input) => {
      const tenant = (await deps.store.listTenants()).find((item) => item.tenantId === input.name);
      if (tenant === undefined) throw new OperationError(404, `no tenant "${input.name}"`);
      const { tenantId } = tenant;
      const [people, idps, lanes] = await Promise.all([
        deps.store.countIdentities(tenantId),
        deps.store.listIdps(tenantId),
        deps.store.listLanes(tenantId),
      ]);
      const connections = lanes.map(({ connectionId, vendor, state, policy }) => ({
        connectionId,
        vendor,
        state,
        mode: policy.mode,
      }));
      return { tenant, people, idps, connections };
    },
  }),
  operation({
    name: "addTenant",
    method: "POST",
    path: "/tenants",
    needs: "admin",
    summary: "A new tenant",
    input: z.object({ name }),
    run: async (deps, { actor }, input) =>
      deps.store.createTenant(
        asId<TenantId>(input.name),
        { now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "tenant.created",
              subject: { type: "tenant", id: input.name },
              facts: {},
            }),
          ],
          recompute: [],
        },
      ),
  }),
];
