import { z } from "zod";
import { asId, type ConnectionId } from "../../model/ids.ts";
import { operation } from "../operation.ts";
import { theIdentity } from "./people.ts";

export const auditOperations = [
  operation({
    name: "findRecords",
    method: "GET",
    path: "/audit/records",
    summary:
      "The audit record, newest first: of a person, a connection, an action, before an instant",
    input: z.object({
      action: z.string().max(100).optional(),
      identity: z.string().max(320).optional(),
      connection: z.string().max(64).optional(),
      before: z.coerce.number().int().positive().optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    run: async (deps, { tenantId }, { action, identity, connection, before, limit }) => ({
      records: await deps.store.findRecords(tenantId, {
        limit,
        ...(action === undefined ? {} : { action }),
        ...(before === undefined ? {} : { before }),
        ...(connection === undefined ? {} : { connectionId: asId<ConnectionId>(connection) }),
        ...(identity === undefined
          ? {}
          : { identityId: await theIdentity(deps, tenantId, identity) }),
      }),
    }),
  }),
  operation({
    name: "verifyAudit",
    method: "POST",
    path: "/audit/verification",
    reads: true,
    summary: "Recompute the tree over the whole record and compare it with every checkpoint",
    input: z.object({}),
    run: async (deps, { tenantId }) => ({ verification: await deps.verifyAudit(tenantId) }),
  }),
  operation({
    name: "auditPage",
    method: "GET",
    path: "/audit/export",
    summary:
      "A page of the record in leaf order with its leaf hashes, without personal values: what an export is made of",
    input: z.object({
      from: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
    }),
    run: async (deps, { tenantId }, { from, limit }) => {
      const [tree, stored, leaves] = await Promise.all([
        deps.store.getTree(tenantId),
        deps.store.listRecords(tenantId, { from, limit }),
        deps.store.listLeaves(tenantId, { from, limit }),
      ]);
      const records = stored.map(({ leafIndex, record, commitments }) => {
        const { personal: _personal, ...rest } = record;
        return {
          leafIndex,
          leafHash: leafIndex === undefined ? undefined : leaves[leafIndex - from],
          record: rest,
          commitments,
        };
      });
      return { tenantId, tree, records };
    },
  }),
];
