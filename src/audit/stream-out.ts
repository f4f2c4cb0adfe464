import type { Clock } from "../model/clock.ts";
import { StoreError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { AuditSink } from "./audit-sink.ts";
import type { AuditStore } from "./audit-store.ts";
import type { ExportedRecord } from "./export.ts";
import type { SequencerStore } from "./sequencer.ts";

const job = "audit.stream";
const pollMs = 1_000;
const restMs = 10_000;
const leaseMs = 60_000;
const pageSize = 500;

interface StreamDeps {
  readonly store: Pick<AuditStore, "getTree" | "listRecords" | "listLeaves"> &
    Pick<AuditStore, "auditStreamedTo" | "moveAuditStream"> &
    Pick<AuditStore, "tenantsToStream"> &
    Pick<SequencerStore, "leaseSchedule" | "finishSchedule">;
  readonly sink: AuditSink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unique per process life: the owner of leases. */
  readonly owner: string;
}

export interface AuditStream {
  start(): void;
  /** Streams what there is of every tenant; what `start` does each time. */
  runOnce(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Streams the audit record out in leaf order, a tenant at a time under a lease, without the personal values: their commitments go
 * along, and every leaf can be proved. A crash between sending and noting sends a page twice.
 */
export function createAuditStream(deps: StreamDeps): AuditStream {
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  const runOnce = async (): Promise<void> => {
    for (const tenantId of await deps.store.tenantsToStream()) {
      if (!abort.signal.aborted) await streamTenant(deps, tenantId, abort.signal);
    }
  };
  const loop = async (): Promise<void> => {
    let down = false;
    while (!abort.signal.aborted) {
      try {
        await runOnce();
        down = false;
      } catch (error) {
        if (!down) {
          deps.logger.warn({ err: error }, "the audit record is not streamed; tried again");
        }
        down = true;
      }
      await deps.clock.sleep(down ? restMs : pollMs, abort.signal);
    }
  };
  return {
    start() {
      running ??= loop();
    },
    runOnce,
    async stop() {
      abort.abort();
      await running;
    },
  };
}

async function streamTenant(
  deps: StreamDeps,
  tenantId: TenantId,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, metrics } = deps;
  const owed = async () => {
    const [{ size }, from] = await Promise.all([
      store.getTree(tenantId),
      store.auditStreamedTo(tenantId),
    ]);
    metrics.gauge("rolecall_audit_unstreamed", Math.max(0, size - from), { tenant: tenantId });
    return { from, count: Math.min(pageSize, size - from) };
  };
  if ((await owed()).count <= 0) return;
  const lease = { tenantId, job, owner: deps.owner };
  if (!(await store.leaseSchedule({ ...lease, now: clock.now(), leaseMs }))) return;
  try {
    for (let page = await owed(); page.count > 0 && !signal.aborted; page = await owed()) {
      const records = await readPage(store, tenantId, page);
      // Sequenced after the tree was read, or erased: the next round reads again.
      if (records.length === 0) return;
      await deps.sink.send(tenantId, records);
      await store.moveAuditStream(tenantId, {
        expect: page.from,
        next: page.from + records.length,
      });
    }
  } catch (error) {
    // Our lease ran out and another process streams this tenant now.
    if (error instanceof StoreError && error.code === "VERSION_CONFLICT") return;
    throw error;
  } finally {
    await store.finishSchedule({ ...lease, nextAt: clock.now() });
  }
}

async function readPage(
  store: StreamDeps["store"],
  tenantId: TenantId,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<readonly ExportedRecord[]> {
  const [records, leaves] = await Promise.all([
    store.listRecords(tenantId, { from, limit: count }),
    store.listLeaves(tenantId, { from, limit: count }),
  ]);
  const page: ExportedRecord[] = [];
  for (const { leafIndex, record, commitments } of records) {
    // Only without a gap: what is missing now would never be sent.
    if (leafIndex !== from + page.length) break;
    const { personal: _, ...impersonal } = record;
    page.push({ leafIndex, leafHash: leaves[page.length], record: impersonal, commitments });
  }
  return page;
}
