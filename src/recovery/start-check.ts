import type { AccountStore } from "../accounts/account-store.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { CheckpointFiles } from "../audit/checkpoint.ts";
import type { Clock } from "../model/clock.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import { newId, type TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { Brake, BrakeReason, BrakeStore } from "./brake-store.ts";
import { brakeText, findBrakeReasons } from "./find-brake-reasons.ts";

export interface StartCheckDeps {
  readonly store: BrakeStore &
    Pick<AuditStore, "getTree" | "appendRecords"> &
    Pick<AccountStore, "listLanes" | "updateLane"> &
    Pick<DirectoryStore, "listTenants" | "listIdps" | "setIdpLoaded">;
  readonly checkpoints: CheckpointFiles;
  readonly stamp: { readonly instanceId: string; readonly home: string | undefined };
  /** Where this process opened the store; undefined: not known. */
  readonly home: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actor: Actor;
}

/**
 * Looks at a store before anything works on it, and puts the brake on where it may remember less than it did. The checkpoints that
 * gave the reason are set aside, every connection is read anew, and each tenant's record says so.
 * @returns the brake that is on now, from this start or an earlier one
 */
export async function checkStoreAtStart(deps: StartCheckDeps): Promise<Brake | undefined> {
  const { store } = deps;
  const tenantIds = (await store.listTenants()).map((tenant) => tenant.tenantId);
  const reasons = await findBrakeReasons({
    store,
    checkpoints: deps.checkpoints,
    tenantIds,
    instanceId: deps.stamp.instanceId,
    home: { was: deps.stamp.home, is: deps.home },
  });
  if (reasons.length > 0) await brakeStore(deps, tenantIds, reasons);
  const brake = await store.readBrake();
  if (brake !== undefined) {
    deps.logger.error(
      { since: brake.since, reasons: brake.reasons.map(brakeText) },
      "the store is braked: every connection is report-only until `rolecall recover` releases it",
    );
  }
  return brake;
}

async function brakeStore(
  deps: StartCheckDeps,
  tenantIds: readonly TenantId[],
  reasons: readonly BrakeReason[],
): Promise<void> {
  const { store, clock } = deps;
  const now = clock.now();
  await store.pullBrake({ since: now, reasons });
  for (const tenantId of tenantIds) {
    const own = reasons.filter((reason) => !("tenantId" in reason) || reason.tenantId === tenantId);
    if (own.length === 0) continue;
    const record = newRecord(clock, {
      actor: deps.actor,
      action: "store.braked",
      subject: { type: "store", id: deps.stamp.instanceId },
      facts: { reasons: own.map((reason) => ({ ...reason })) },
    });
    await store.appendRecords(tenantId, [record]);
    // A copy in another place is as new as its original; what is older than its checkpoints has missed things.
    if (!own.some((reason) => "tenantId" in reason)) continue;
    await arriveAgain(deps, tenantId);
    await deps.checkpoints.setAside(tenantId, now);
  }
  for (const { tenantId, connectionId } of await store.listLanes(undefined)) {
    await store.updateLane(
      tenantId,
      { connectionId, set: { nextListAt: now }, now },
      { records: [], recompute: [] },
    );
  }
}

/** What the identity providers said after the backup is not here: until they have said it again, absence takes nothing away. */
async function arriveAgain(deps: StartCheckDeps, tenantId: TenantId): Promise<void> {
  const { store, clock } = deps;
  for (const { idpId, loadedAt } of await store.listIdps(tenantId)) {
    if (loadedAt === undefined) continue;
    await store.setIdpLoaded(
      tenantId,
      { idpId, loadedAt: undefined },
      {
        records: [
          newRecord(clock, {
            actor: deps.actor,
            action: "idp.arriving",
            subject: { type: "idp", id: idpId },
            facts: { because: "the store was restored" },
          }),
        ],
        recompute: [],
        fanouts: [
          {
            fanoutId: newId(clock),
            scope: { kind: "idp", idpId },
            cause: { kind: "operator" },
            urgent: false,
          },
        ],
      },
    );
  }
}
