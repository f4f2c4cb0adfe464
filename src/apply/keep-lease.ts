import type { LeasedTarget } from "../accounts/target.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/** Made once: an abort without a reason makes an exception with its stack at the end of every lease. */
const over = new Error("the lease is over");

/** Renews the lease while the work goes on; a lost lease aborts it. */
export function keepLease(
  deps: ApplyDeps,
  target: LeasedTarget,
  abort: AbortController,
): () => void {
  let cancel: () => void = () => undefined;
  const renew = async () => {
    const until = deps.clock.now() + deps.timing.leaseMs;
    const kept = await deps.store.renewLease(target.tenantId, {
      connectionId: target.connectionId,
      identityId: target.identityId,
      fence: target.fence,
      until,
    });
    if (!kept) abort.abort();
    else if (!abort.signal.aborted) arm();
  };
  const arm = () => {
    cancel = deps.clock.after(deps.timing.leaseMs / 3, () => {
      renew().catch((error: unknown) => {
        deps.logger.warn({ err: error }, "lease not renewed");
        abort.abort();
      });
    });
  };
  arm();
  return () => {
    cancel();
    if (!abort.signal.aborted) abort.abort(over);
  };
}
