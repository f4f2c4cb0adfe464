import { SyncError } from "../model/errors.ts";
import { newId, type ConnectionId, type TenantId } from "../model/ids.ts";
import type { ApplyDeps } from "./apply-deps.ts";

const leaseMs = 60_000;
const pollMs = 100;
/** Who waits longer gives the target back and looks again. */
const waitMaxMs = 20_000;

/**
 * Runs `work` while nobody else of the fleet works under the same key of the same connection: for writes that replace a whole
 * object, where two merges at once would lose one of them.
 * @throws SyncError VENDOR_CONFLICT when the key stays taken
 */
export async function aloneWith<T>(
  deps: Pick<ApplyDeps, "leases" | "clock" | "owner">,
  place: { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly key: string },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const { clock, leases } = deps;
  // Of this one piece of work, not of the process: its other targets wait like those of other processes.
  const owner = `${deps.owner}/${newId(clock)}`;
  const job = `alone:${place.connectionId}:${place.key}`;
  const lease = { tenantId: place.tenantId, job, owner };
  const until = clock.monotonic() + waitMaxMs;
  while (!(await leases.leaseSchedule({ ...lease, now: clock.now(), leaseMs }))) {
    signal.throwIfAborted();
    if (clock.monotonic() > until) {
      throw new SyncError(
        "VENDOR_CONFLICT",
        "somebody else writes the same object at the vendor; it is looked at again",
        { facts: { key: place.key } },
      );
    }
    await clock.sleep(pollMs, signal);
  }
  try {
    return await work();
  } finally {
    await leases.finishSchedule({ ...lease, nextAt: 0 });
  }
}
