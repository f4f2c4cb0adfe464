import type { AuditStore } from "../audit/audit-store.ts";
import type { CheckpointFiles } from "../audit/checkpoint.ts";
import { rootOf } from "../audit/tree.ts";
import type { TenantId } from "../model/ids.ts";
import type { BrakeReason } from "./brake-store.ts";

/**
 * Compares a store that was just opened with what lies outside it. Nothing found says nothing: a folder of checkpoints that was
 * restored together with the store is as old as the store, so checkpoints belong somewhere else.
 * @throws InputError at a checkpoint that cannot be read
 */
export async function findBrakeReasons(parts: {
  readonly store: Pick<AuditStore, "getTree">;
  readonly checkpoints: Pick<CheckpointFiles, "last">;
  readonly tenantIds: readonly TenantId[];
  readonly instanceId: string;
  /** Where the store says that it belongs, and where it was opened; undefined: not known, not compared. */
  readonly home: { readonly was: string | undefined; readonly is: string | undefined };
}): Promise<readonly BrakeReason[]> {
  const reasons: BrakeReason[] = [];
  const { was, is } = parts.home;
  if (was !== undefined && is !== undefined && was !== is) {
    reasons.push({ kind: "other_home", was, is });
  }
  for (const tenantId of parts.tenantIds) {
    const checkpoint = await parts.checkpoints.last(tenantId);
    if (checkpoint === undefined) continue;
    const tree = await parts.store.getTree(tenantId);
    if (checkpoint.origin !== `rolecall/${parts.instanceId}/${tenantId}`) {
      reasons.push({ kind: "foreign_checkpoint", tenantId, origin: checkpoint.origin });
    } else if (checkpoint.size > tree.size) {
      reasons.push({
        kind: "older_than_checkpoint",
        tenantId,
        storeSize: tree.size,
        checkpointSize: checkpoint.size,
      });
    } else if (checkpoint.size === tree.size && checkpoint.root !== rootOf(tree)) {
      reasons.push({
        kind: "differs_from_checkpoint",
        tenantId,
        checkpointSize: checkpoint.size,
      });
    }
  }
  return reasons;
}

/** One sentence for a person. */
export function brakeText(reason: BrakeReason): string {
  switch (reason.kind) {
    case "older_than_checkpoint":
      return `tenant ${reason.tenantId}: the store has ${String(reason.storeSize)} audit records, its newest checkpoint saw ${String(reason.checkpointSize)}: it was restored from a backup`;
    case "differs_from_checkpoint":
      return `tenant ${reason.tenantId}: the audit record differs from its checkpoint at ${String(reason.checkpointSize)} records: run \`rolecall audit verify\``;
    case "foreign_checkpoint":
      return `tenant ${reason.tenantId}: the checkpoints here are of another store (${reason.origin})`;
    case "other_home":
      return `the store belongs to ${reason.was} and was opened at ${reason.is}: it is a copy, or it was moved`;
  }
}
