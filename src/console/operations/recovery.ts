import { z } from "zod";
import type { ExportedRecord } from "../../audit/export.ts";
import type { AuditRecord } from "../../model/records.ts";
import { accountKindOf } from "../../plan/plan.ts";
import { brakeText } from "../../recovery/find-brake-reasons.ts";
import { releaseStore, unreadSince } from "../../recovery/release.ts";
import { replayOutcomes } from "../../recovery/replay.ts";
import { operation, OperationError } from "../operation.ts";

/** A line of an audit export, as far as a replay reads it. */
const exported = z.object({
  leafIndex: z.number().int().min(0),
  record: z.looseObject({
    recordId: z.string(),
    at: z.number(),
    action: z.string(),
    subject: z.object({ type: z.string(), id: z.string() }),
    connectionId: z.string().optional(),
    facts: z.record(z.string(), z.json()),
  }),
});

export const recoveryOperations = [
  operation({
    name: "showRecovery",
    method: "GET",
    path: "/recovery",
    summary: "Whether the store is braked, why, and what is missing before it can be released",
    input: z.object({}),
    run: async (deps, { tenantId }) => {
      const brake = await deps.store.readBrake();
      if (brake === undefined) return { braked: false };
      const lanes = await deps.store.listLanes(undefined);
      const idps = await deps.store.listIdps(tenantId);
      const own = brake.reasons.find(
        (reason) => reason.kind === "older_than_checkpoint" && reason.tenantId === tenantId,
      );
      return {
        braked: true,
        since: brake.since,
        reasons: brake.reasons.map(brakeText),
        unread: unreadSince(lanes, brake.since),
        arriving: idps.flatMap((idp) => (idp.loadedAt === undefined ? [idp.idpId] : [])),
        missingRecords:
          own?.kind === "older_than_checkpoint"
            ? { from: own.storeSize, to: own.checkpointSize }
            : null,
      };
    },
  }),
  operation({
    name: "replayOutcomes",
    method: "POST",
    path: "/recovery/replay",
    needs: "admin",
    summary: "Tell the ledger what was written after the backup was made, from an audit export",
    input: z.object({
      from: z.number().int().min(0),
      records: z.array(exported).min(1).max(500),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      if ((await deps.store.readBrake()) === undefined) {
        throw new OperationError(
          409,
          "the store is not braked: outcomes are replayed before it writes again",
        );
      }
      const records = input.records.map(({ leafIndex, record }) => ({
        leafIndex,
        leafHash: undefined,
        commitments: {},
        record: record as unknown as AuditRecord,
      }));
      return replayOutcomes(
        {
          clock: deps.clock,
          accountKindOf: (vendor, profile) => {
            const facts = deps.vendorFacts(vendor, profile);
            return facts === undefined ? undefined : accountKindOf(facts).name;
          },
          store: {
            changeLedger: (...args) => deps.store.changeLedger(...args),
            listLedger: (...args) => deps.store.listLedger(...args),
            getLane: (...args) => deps.store.getLane(...args),
            knownIdentities: async (tenant, identityIds) => {
              const people = await deps.store.readIdentities(tenant, identityIds);
              return new Set(people.map((person) => person.identityId));
            },
          },
        },
        tenantId,
        inOrder(records),
        input.from,
        actor,
      );
    },
  }),
  operation({
    name: "releaseStore",
    method: "POST",
    path: "/recovery/release",
    needs: "admin",
    summary: "Take the brake off: the store may write to vendors again",
    input: z.object({
      why: z.string().min(3).max(500),
      without: z.array(z.string()).max(100).default([]),
    }),
    run: async (deps, { actor }, input) => {
      const result = await releaseStore(
        {
          store: deps.store,
          clock: deps.clock,
          home: deps.home,
          instanceId: deps.instanceId,
        },
        { actor, why: input.why, without: input.without },
      );
      if (result.released) {
        deps.ringRelay();
        return { connections: result.connections };
      }
      if (result.why === "not_braked") throw new OperationError(409, "the store is not braked");
      const names = result.connections.map((item) => `${item.tenantId}/${item.connectionId}`);
      throw new OperationError(
        409,
        `not read since the brake came on: ${names.join(", ")}; wait for the read, repair the connection, or give it up with --without <connection>`,
      );
    },
  }),
];

async function* inOrder(records: readonly ExportedRecord[]): AsyncGenerator<ExportedRecord> {
  yield* records;
}
