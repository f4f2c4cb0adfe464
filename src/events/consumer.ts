import type { Clock } from "../model/clock.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { Hint, HintBus } from "./hint-bus.ts";
import { recomputeBatch, type HintedTraces, type RecomputePeople } from "./recompute-batch.ts";

/** The most people of one batch, and of one call. */
const peopleMax = 200;
/** A batch that takes longer leaves the rest to the sweep, so that the bus sees its offsets move. */
const batchMs = 500;

export interface Consumer {
  start(): Promise<void>;
  /** Resolves when the batch that runs has ended; later ones are not taken. */
  stop(): Promise<void>;
}

/** Takes hints from both topics and recomputes. Database only: no vendor is called in a handler, and nothing escapes it. */
export function createConsumer(deps: {
  readonly bus: HintBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly recompute: RecomputePeople;
}): Consumer {
  let stopping = false;
  const running = new Set<Promise<void>>();
  const handle = async (hints: readonly Hint[]): Promise<void> => {
    if (stopping) return;
    const startedAt = deps.clock.monotonic();
    const hinted = tracesOf(hints);
    for (const [tenantId, identityIds] of byTenant(hints)) {
      for (let at = 0; at < identityIds.length; at += peopleMax) {
        if (deps.clock.monotonic() - startedAt > batchMs) return;
        const people = identityIds.slice(at, at + peopleMax);
        await recomputeBatch(deps, tenantId, people, hinted);
      }
    }
  };
  const tracked = (hints: readonly Hint[]): Promise<void> => {
    const work = handle(hints).finally(() => running.delete(work));
    running.add(work);
    return work;
  };
  return {
    async start() {
      await deps.bus.subscribe("hints.urgent", tracked);
      await deps.bus.subscribe("hints", tracked);
    },
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
  };
}

/** Each person once, by tenant, in the order of the hints. */
export function byTenant(hints: readonly Hint[]): ReadonlyMap<TenantId, readonly IdentityId[]> {
  const people = new Map<TenantId, Set<IdentityId>>();
  for (const { tenantId, identityId } of hints) {
    const known = people.get(tenantId);
    if (known === undefined) people.set(tenantId, new Set([identityId]));
    else known.add(identityId);
  }
  return new Map([...people].map(([tenantId, ids]) => [tenantId, [...ids]]));
}

/** Where the newest hint of each person was traced. */
function tracesOf(hints: readonly Hint[]): HintedTraces {
  return new Map(
    hints.flatMap(({ identityId, trace }) => (trace === undefined ? [] : [[identityId, trace]])),
  );
}
