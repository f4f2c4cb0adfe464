import { systemClock, type Clock, type Instant } from "../model/clock.ts";
import { StoreError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { AuditStore, StoredRecord } from "./audit-store.ts";
import type { CheckpointFiles } from "./checkpoint.ts";
import { leafBytes, leafHash } from "./leaf.ts";
import { appendLeaves, rootOf } from "./tree.ts";

/** What the sequencer asks of a store: the audit port, the tenants, and a leased schedule row per tenant. */
export interface SequencerStore extends Pick<
  AuditStore,
  "tenantsToSequence" | "listUnsequenced" | "getTree" | "appendLeaves"
> {
  leaseSchedule(command: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly now: Instant;
    readonly leaseMs: number;
  }): Promise<boolean>;
  finishSchedule(command: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly nextAt: Instant;
  }): Promise<void>;
}

export interface SequencerDeps {
  readonly store: SequencerStore;
  readonly checkpoints: CheckpointFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unique per process life: the owner of leases. */
  readonly owner: string;
  /** How long a stop waits for the store at most, in wall time; 10 s unless told. */
  readonly stopMs?: number;
}

export interface Sequencer {
  start(): void;
  /** Gives every record of every tenant its index now; what `start` does each time. Checkpoints are written where they are due. */
  runOnce(): Promise<void>;
  /**
   * Sequences what there is, writes the last checkpoints, and rests. Where the store does not answer it says so and gives up after some
   * seconds: what has no index yet gets one from whoever runs next.
   */
  stop(): Promise<void>;
}

const job = "audit.sequence";
const pollMs = 500;
const leaseMs = 30_000;
const defaultStopMs = 10_000;
const batchSize = 1_000;
const checkpointMs = 60_000;
const checkpointLeaves = 1_000;

interface Progress {
  /** Of the last checkpoint. */
  size: number;
  at: Instant;
  /** The newest tree that this process made. */
  tree: { readonly size: number; readonly root: string } | undefined;
}

/**
 * Gives records their gapless leaf indexes after they were committed, a tenant at a time under a lease; the order is theirs for ever.
 * Writers never wait for it. A crash anywhere leaves records without an index, which the next run takes up: indexes, leaf hashes
 * and tree move in one commit that asks for the size it read.
 */
export function createSequencer(deps: SequencerDeps): Sequencer {
  const progress = new Map<TenantId, Progress>();
  let running: Promise<void> | undefined;
  const abort = new AbortController();

  const runOnce = async (): Promise<void> => {
    for (const tenantId of await deps.store.tenantsToSequence())
      await sequenceTenant(deps, progress, tenantId);
    for (const [tenantId, known] of progress) await writeCheckpoint(deps, known, tenantId, false);
  };
  const loop = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await runOnce();
      } catch (error) {
        deps.logger.warn({ err: error }, "audit records not sequenced; tried again");
      }
      await deps.clock.sleep(pollMs, abort.signal);
    }
  };
  return {
    start: () => {
      running ??= loop();
    },
    runOnce,
    stop: async () => {
      abort.abort();
      const finish = async () => {
        await running;
        await runOnce();
        for (const [tenantId, item] of progress) await writeCheckpoint(deps, item, tenantId, true);
      };
      await withinStopMs(deps, finish());
    },
  };
}

/** A stop is waited for by people and supervisors, whose time runs as it does on the wall. */
async function withinStopMs(
  { logger, stopMs = defaultStopMs }: Pick<SequencerDeps, "logger" | "stopMs">,
  work: Promise<void>,
): Promise<void> {
  const timer = new AbortController();
  const late = systemClock()
    .sleep(stopMs, timer.signal)
    .then(() => {
      if (!timer.signal.aborted)
        throw new Error(`the store did not answer within ${String(stopMs)} ms`);
    });
  try {
    await Promise.race([work, late]);
  } catch (error) {
    logger.warn({ err: error }, "the last audit records were not sequenced; the next run does it");
    // What it still waits for ends with the store, and nobody hears of it.
    work.catch(() => undefined);
  } finally {
    timer.abort();
  }
}

async function sequenceTenant(
  deps: SequencerDeps,
  progress: Map<TenantId, Progress>,
  tenantId: TenantId,
): Promise<void> {
  let records = await deps.store.listUnsequenced(tenantId, batchSize);
  deps.metrics.gauge("rolecall_audit_unsequenced", records.length, { tenant: tenantId });
  if (records.length === 0) return;
  const lease = { tenantId, job, owner: deps.owner };
  if (!(await deps.store.leaseSchedule({ ...lease, now: deps.clock.now(), leaseMs }))) return;
  try {
    const known = progress.get(tenantId) ?? (await firstProgress(deps, tenantId));
    progress.set(tenantId, known);
    while (records.length > 0) {
      if (!(await appendBatch(deps, known, tenantId, records))) return;
      deps.metrics.gauge("rolecall_audit_unsequenced", 0, { tenant: tenantId });
      await writeCheckpoint(deps, known, tenantId, false);
      if (records.length < batchSize) return;
      records = await deps.store.listUnsequenced(tenantId, batchSize);
    }
  } finally {
    await deps.store.finishSchedule({ ...lease, nextAt: deps.clock.now() });
  }
}

/** Answers false when somebody else moved the tree: theirs counts, and the next run reads again. */
async function appendBatch(
  deps: SequencerDeps,
  known: Progress,
  tenantId: TenantId,
  records: readonly StoredRecord[],
): Promise<boolean> {
  const tree = await deps.store.getTree(tenantId);
  const leaves = records.map((item) => ({
    recordId: item.record.recordId,
    leafHash: leafHash(leafBytes(item.record, item.commitments)),
  }));
  const next = appendLeaves(
    tree,
    leaves.map((leaf) => leaf.leafHash),
  );
  try {
    await deps.store.appendLeaves(tenantId, {
      expectSize: tree.size,
      leaves,
      frontier: next.frontier,
    });
  } catch (error) {
    if (error instanceof StoreError && error.code === "VERSION_CONFLICT") return false;
    throw error;
  }
  known.tree = { size: next.size, root: rootOf(next) };
  deps.metrics.gauge("rolecall_audit_tree_size", next.size, { tenant: tenantId });
  return true;
}

async function firstProgress(deps: SequencerDeps, tenantId: TenantId): Promise<Progress> {
  const [last, tree] = await Promise.all([
    deps.checkpoints.last(tenantId),
    deps.store.getTree(tenantId),
  ]);
  if (last !== undefined && last.size > tree.size) {
    deps.logger.error(
      { tenantId, checkpointSize: last.size, treeSize: tree.size },
      "the audit tree is shorter than its last checkpoint: the store was restored or its tail was cut; run `rolecall audit verify`",
    );
  }
  return { size: last?.size ?? 0, at: deps.clock.now(), tree: undefined };
}

async function writeCheckpoint(
  deps: SequencerDeps,
  known: Progress | undefined,
  tenantId: TenantId,
  now: boolean,
): Promise<void> {
  const tree = known?.tree;
  if (known === undefined || tree === undefined || tree.size === known.size) return;
  const due =
    tree.size - known.size >= checkpointLeaves || deps.clock.now() - known.at >= checkpointMs;
  if (!due && !now) return;
  await deps.checkpoints.append(tenantId, tree);
  known.size = tree.size;
  known.at = deps.clock.now();
}
