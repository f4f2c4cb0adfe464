import type { Store } from "./adapters/store.ts";
import type { Connector } from "./connectors/connector.ts";
import { createLoop, type Loop } from "./events/loop.ts";
import type { Clock } from "./model/clock.ts";
import type { Logger, Metrics } from "./model/log.ts";
import type { Actor } from "./model/records.ts";
import type { Channel } from "./notify/channel.ts";
import { notifyRound } from "./notify/notifier.ts";
import { keepCases } from "./offboarding/case-keeper.ts";
import { keepReviews } from "./reviews/keep-reviews.ts";
import type { ReviewDeps } from "./reviews/review-deps.ts";
import { rehearseNightly } from "./offboarding/nightly-rehearsal.ts";
import type { OffboardingDeps } from "./offboarding/offboarding-deps.ts";
import type { RehearsalDeps } from "./offboarding/rehearse.ts";
import { channelOf } from "./plan/channel.ts";
import { keepPulse } from "./pulse/pulse-keeper.ts";
import { lookAgain } from "./sync/look-again.ts";
import { watchSources } from "./sources/watch-sources.ts";
import { keepRollouts } from "./sync/keep-rollouts.ts";
import type { SyncDeps } from "./sync/sync-deps.ts";
import type { TaskDeps } from "./tasks/task-deps.ts";

// What changes by itself is found at its instant; what another process changed, within a minute: its deadlines are minutes and hours.
const casesPollMs = 60_000;
const sourcesPollMs = 5 * 60_000;
const noticesPollMs = 5_000;
const rehearsalPollMs = 10 * 60_000;
const rolloutsPollMs = 30_000;
const reviewsPollMs = 60_000;
const pulsePollMs = 5 * 60_000;
const looksPollMs = 5 * 60_000;
const looksLeaseMs = 10 * 60_000;

export interface ScheduledParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly owner: string;
  readonly connectorOf: (vendor: string, profile: string) => Connector | undefined;
  readonly channels?: readonly Channel[];
  readonly tasks: TaskDeps;
  readonly sync: SyncDeps;
}

/** What the role `scheduler` does about people who leave and people who must hear: due times are rows, so any number may run. */
export function createScheduledLoops(parts: ScheduledParts, actor: Actor): readonly Loop[] {
  const { store, clock, logger, metrics, owner } = parts;
  const offboarding: OffboardingDeps = {
    ...{ store, clock, actor },
    logger: logger.child({ room: "offboarding" }),
  };
  const cases = { ...offboarding, tasks: parts.tasks };
  const nightly = {
    ...offboarding,
    ...{ schedules: store, owner },
    leaverFacts: leaverFactsOf(parts.connectorOf),
  };
  const { channels = [] } = parts;
  const telling = {
    ...{ store, clock, metrics, logger: logger.child({ room: "notify" }) },
    channels,
    tenants: () => store.listTenants(),
  };
  return [
    createLoop({
      name: "cases",
      clock,
      logger,
      round: async () => {
        const dueAt = (await store.nextCaseDueAt()) ?? Infinity;
        const inMs = dueAt - clock.now();
        if (inMs > 0) return Math.min(casesPollMs, inMs);
        await keepCases(cases);
        return 0;
      },
    }),
    createLoop({
      name: "rehearsal",
      clock,
      logger,
      round: async () => {
        for (const { tenantId } of await store.listTenants())
          await rehearseNightly(nightly, tenantId);
        return rehearsalPollMs;
      },
    }),
    createLoop({
      name: "sources",
      clock,
      logger,
      round: async () => {
        for (const { tenantId } of await store.listTenants())
          await watchSources({ store, clock }, tenantId);
        return sourcesPollMs;
      },
    }),
    createLoop({
      name: "mapping roll-outs",
      clock,
      logger,
      round: async () => {
        let moved = 0;
        for (const { tenantId } of await store.listTenants())
          moved += await keepRollouts(parts.sync, tenantId);
        return moved > 0 ? 0 : rolloutsPollMs;
      },
    }),
    pulseLoop(parts),
    reviewsLoop(parts),
    createLoop({
      name: "looks",
      clock,
      logger,
      round: async () => {
        for (const { tenantId } of await store.listTenants()) {
          const lease = { tenantId, job: "looks", owner };
          const now = clock.now();
          if (!(await store.leaseSchedule({ ...lease, now, leaseMs: looksLeaseMs }))) continue;
          await lookAgain(parts.sync, tenantId);
          await store.finishSchedule({ ...lease, nextAt: clock.now() + looksPollMs });
        }
        return looksPollMs;
      },
    }),
    // Without a way out there is nobody to tell.
    ...(channels.length === 0
      ? []
      : [
          createLoop({
            name: "notices",
            clock,
            logger,
            round: async () => ((await notifyRound(telling)) > 0 ? 0 : noticesPollMs),
          }),
        ]),
  ];
}

/** Looks after the access reviews of each tenant. */
function reviewsLoop({ store, clock, logger, sync }: ScheduledParts): Loop {
  const reviews: ReviewDeps = { ...sync, store, tokensChanged: () => undefined };
  return createLoop({
    name: "reviews",
    clock,
    logger,
    round: async () => {
      for (const { tenantId } of await store.listTenants()) await keepReviews(reviews, tenantId);
      return reviewsPollMs;
    },
  });
}

/** The synthetic person of each tenant, who joins and leaves every day. */
function pulseLoop({ store, clock, owner, logger, sync }: ScheduledParts): Loop {
  const deps = {
    ...{ store, clock, owner, ringRelay: sync.ringRelay },
    logger: logger.child({ room: "pulse" }),
  };
  return createLoop({
    name: "pulse",
    clock,
    logger,
    round: async () => {
      let restMs = pulsePollMs;
      for (const { tenantId } of await store.listTenants())
        restMs = Math.min(restMs, await keepPulse(deps, tenantId));
      return restMs;
    },
  });
}

/** What only leavers are asked about, of every vendor of this build. */
export function leaverFactsOf(
  connectorOf: ScheduledParts["connectorOf"],
): RehearsalDeps["leaverFacts"] {
  return (vendor, profile) => {
    const connector = connectorOf(vendor, profile);
    if (connector === undefined) return undefined;
    const { facts, work } = connector;
    return { facts, channel: channelOf(facts), work: work?.kind };
  };
}
