import type { Lane } from "../accounts/lane.ts";
import { SyncError } from "../model/errors.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { CallGovernor, CallReport } from "../model/vendor-http.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Breaker } from "./breaker.ts";

/** The fraction of every bucket that only leavers may use. */
const leaverReserve = 0.2;
/** A caller that would wait longer than this gives its lease back instead. */
const waitMaxMs = 30_000;

/**
 * Rate for one target's calls: tokens come from the lane's rows in the store, so that every worker together stays inside the
 * vendor's limit; ordinary work leaves the leaver share alone; what the vendor says about waiting is written there too.
 */
export function createGovernor(
  deps: ApplyDeps,
  lane: Lane,
  facts: VendorFacts,
  options: { readonly leaver: boolean; readonly breaker: Breaker },
): CallGovernor & { readonly flush: () => Promise<void> } {
  const resting: Promise<void>[] = [];
  const rest = async (bucket: string, retryAfterMs: number): Promise<void> => {
    const now = deps.clock.now();
    deps.tokens.empty(lane.tenantId, lane.connectionId, bucket);
    try {
      await deps.store.restBucket(lane.tenantId, {
        connectionId: lane.connectionId,
        bucket,
        until: now + retryAfterMs,
        now,
      });
    } catch (error) {
      // The target that met the limit waits by itself; the others will meet it once more.
      deps.logger.warn(
        { err: error, connectionId: lane.connectionId },
        "the vendor's waiting time was not stored",
      );
    }
  };
  return {
    async flush() {
      await Promise.all(resting);
    },
    async admit(bucketName, signal) {
      const bucket = facts.buckets.find((item) => item.name === bucketName);
      if (bucket === undefined) throw new Error(`${facts.vendor} has no bucket ${bucketName}`);
      const startedAt = deps.clock.monotonic();
      for (;;) {
        signal.throwIfAborted();
        const waitMs = await deps.tokens.take({
          tenantId: lane.tenantId,
          connectionId: lane.connectionId,
          bucket,
          reserve: options.leaver ? 0 : leaverReserve,
        });
        if (waitMs === 0) return;
        const waited = deps.clock.monotonic() - startedAt;
        if (waited + waitMs > waitMaxMs) {
          throw new SyncError(
            "VENDOR_RATE_LIMITED",
            `${facts.vendor}: the ${bucket.name} limit is used up`,
            {
              retryAfterMs: waitMs,
            },
          );
        }
        await deps.clock.sleep(waitMs, signal);
      }
    },
    settled(report: CallReport) {
      deps.metrics.count("rolecall_vendor_calls_total", {
        tenant: lane.tenantId,
        connection: lane.connectionId,
        operation: report.operation,
        status: report.status === undefined ? "none" : String(report.status),
      });
      deps.metrics.observe("rolecall_vendor_call_seconds", report.durationMs / 1000, {
        tenant: lane.tenantId,
        connection: lane.connectionId,
      });
      options.breaker.note(report);
      if (report.failure === "rate_limited" && report.retryAfterMs !== undefined) {
        resting.push(rest(report.bucket, report.retryAfterMs));
      }
    },
  };
}
