import type { Store } from "./adapters/store.ts";
import {
  defaultTiming,
  type ApplyDeps,
  type ApplyTiming,
  type ConnectorOf,
} from "./apply/apply-deps.ts";
import { keepLane, laneNeedsKeeping } from "./apply/lane-keeper.ts";
import { SharedReads } from "./apply/shared-reads.ts";
import { TokenPurses } from "./apply/token-purse.ts";
import { createWorker, type Worker } from "./apply/worker.ts";
import { processRoles, type ProcessRole } from "./config/settings.ts";
import { createConsumer } from "./events/consumer.ts";
import { createFanouts } from "./events/fanouts.ts";
import type { HintBus } from "./events/hint-bus.ts";
import { createRelay } from "./events/relay.ts";
import { createSweep } from "./events/sweep.ts";
import type { Clock } from "./model/clock.ts";
import { newId, type ConnectionId, type TenantId } from "./model/ids.ts";
import type { Logger, Metrics } from "./model/log.ts";
import type { Actor } from "./model/records.ts";
import type { Channel } from "./notify/channel.ts";
import { createScheduledLoops } from "./scheduled-loops.ts";
import { untraced, type Tracer } from "./model/trace.ts";
import { keepManualWork } from "./tasks/manual-work.ts";
import { hasLeft } from "./tasks/assignee.ts";
import { keepThingTask } from "./tasks/thing-task.ts";
import type { TaskDeps } from "./tasks/task-deps.ts";
import { createTicketLoop } from "./ticket-loop.ts";
import { bindGroup } from "./sync/bind-groups.ts";
import { compareListing } from "./sync/compare-listing.ts";
import { createRecompute, type Recompute } from "./sync/recompute.ts";
import type { SyncDeps } from "./sync/sync-deps.ts";

export interface EngineParts {
  readonly store: Store;
  readonly bus: HintBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
  /** Unique per process life. */
  readonly owner: string;
  /** What this process does; unset: everything. */
  readonly roles?: ReadonlySet<ProcessRole>;
  readonly connectorOf: ConnectorOf;
  readonly openHttp: ApplyDeps["openHttp"];
  /** Absent: a secret that a vendor shows once cannot be kept, and no key is made. */
  readonly keepSecret?: ApplyDeps["keepSecret"];
  readonly timing?: Partial<ApplyTiming>;
  /** Targets that this process works on at once; the worker's default where unset. */
  readonly workerPlaces?: number;
  /** Ways out to people; none unless told. */
  readonly channels?: readonly Channel[];
}

/** Everything between the directory and the vendors, wired once: used by the service, by tests and by the simulator. */
export interface Engine {
  readonly sync: SyncDeps;
  readonly apply: ApplyDeps;
  readonly recompute: Recompute;
  readonly tasks: TaskDeps;
  readonly ringRelay: () => void;
  start(): Promise<void>;
  /** Lets what runs end: no hint, mark or lease is lost. */
  stop(): Promise<void>;
}

const keepPollMs = 5_000;
const keepLeaseMs = 120_000;

export function createEngine(parts: EngineParts): Engine {
  const { store, bus, clock, logger, metrics, owner, tracer = untraced } = parts;
  const roles = parts.roles ?? new Set(processRoles);
  const actor: Actor = { kind: "worker", id: owner };
  let worker: Worker | undefined;
  const ringWorkers = () => {
    worker?.ring();
  };
  const isRung = roles.has("api");
  const relay = createRelay({ store, bus, clock, logger, metrics, tracer, isRung });
  const ringRelay = () => {
    relay.ring();
    fanouts.ring();
  };
  const sync: SyncDeps = {
    store,
    clock,
    logger: logger.child({ room: "sync" }),
    metrics,
    tracer,
    actor,
    vendorFacts: (vendor, profile, target) => parts.connectorOf(vendor, profile, target)?.facts,
    ringWorkers,
    ringRelay,
  };
  const recompute = createRecompute(sync);
  const tasks: TaskDeps = { store, clock, actor };
  const apply: ApplyDeps = {
    store,
    leases: store,
    tokens: new TokenPurses({ store, clock }),
    reads: new SharedReads(clock),
    clock,
    logger: logger.child({ room: "apply" }),
    metrics,
    tracer,
    actor,
    owner,
    timing: { ...defaultTiming, ...parts.timing },
    connectorOf: parts.connectorOf,
    openHttp: parts.openHttp,
    rosterOf: async (tenantId, connectionId) =>
      (await store.lastRoster(tenantId, connectionId))?.roster,
    manualWork: (work) => keepManualWork(tasks, work),
    thingTask: (work) => keepThingTask(tasks, work),
    keepSecret: parts.keepSecret ?? noVault,
    hasLeft: (tenantId, address) => hasLeft(tasks, tenantId, address),
    afterListing: (tenantId, connectionId, changed) =>
      compareListing(sync, tenantId, connectionId, changed),
    afterObjects: (tenantId, connectionId) => markConnection(sync, tenantId, connectionId),
  };
  const consumer = createConsumer({ bus, clock, logger, metrics, recompute });
  const sweep = createSweep({ store, clock, logger, metrics, recompute });
  const fanouts = createFanouts({
    store,
    clock,
    logger,
    metrics,
    owner,
    beforeFanout: async (fanout) => {
      if (fanout.scope.kind === "group")
        await bindGroup(sync, fanout.tenantId, fanout.scope.groupId);
    },
    afterPage: ringRelay,
  });
  const keeper = createKeeper(apply, store);
  const tickets = createTicketLoop({ ...tasks, store }, apply);
  const scheduled = createScheduledLoops({ ...parts, tasks, sync }, actor);
  return {
    sync,
    apply,
    recompute,
    tasks,
    ringRelay,
    async start() {
      if (roles.has("worker")) {
        worker = createWorker(apply, parts.workerPlaces);
        await consumer.start();
        sweep.start();
        worker.start();
        keeper.start();
        tickets.start();
      }
      if (roles.has("relay")) relay.start();
      if (roles.has("scheduler")) {
        fanouts.start();
        for (const loop of scheduled) loop.start();
      }
    },
    async stop() {
      const loops = [keeper, tickets, sweep, fanouts, relay, ...scheduled];
      await Promise.all(loops.map((loop) => loop.stop()));
      await consumer.stop();
      await worker?.stop();
    },
  };
}

function noVault(): Promise<void> {
  return Promise.reject(new Error("there is no vault to keep a secret in"));
}

/** The vendor's objects changed: names may resolve now, for everybody at this connection. */
async function markConnection(
  sync: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<void> {
  await sync.store.updateLane(
    tenantId,
    { connectionId, set: {}, now: sync.clock.now() },
    {
      records: [],
      recompute: [],
      fanouts: [
        {
          fanoutId: newId(sync.clock),
          scope: { kind: "connection", connectionId },
          cause: { kind: "observation" },
          urgent: false,
        },
      ],
    },
  );
  sync.ringRelay();
}

/** Looks after lanes: one worker of the fleet at a time per lane, by a leased row. */
function createKeeper(deps: ApplyDeps, store: Store) {
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  const round = async (): Promise<void> => {
    for (const lane of await store.listLanes(undefined)) {
      const now = deps.clock.now();
      if (abort.signal.aborted || !laneNeedsKeeping(lane, now)) continue;
      const job = `lane:${lane.connectionId}`;
      const mine = await store.leaseSchedule({
        tenantId: lane.tenantId,
        job,
        owner: deps.owner,
        now,
        leaseMs: keepLeaseMs,
      });
      if (!mine) continue;
      try {
        await keepLane(deps, lane);
      } finally {
        await store.finishSchedule({
          tenantId: lane.tenantId,
          job,
          owner: deps.owner,
          nextAt: deps.clock.now(),
        });
      }
    }
  };
  const loop = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await round();
      } catch (error) {
        deps.logger.error({ err: error }, "lanes not looked after; tried again");
      }
      await deps.clock.sleep(keepPollMs, abort.signal);
    }
  };
  return {
    start() {
      running ??= loop();
    },
    async stop() {
      abort.abort();
      await running;
    },
  };
}
