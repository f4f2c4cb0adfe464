import type { Store } from "./adapters/store.ts";
import type { Config } from "./config/config.ts";
import { vendorFactsOf } from "./connectors/registry.ts";
import type { Engine } from "./engine.ts";
import { createLoop } from "./events/loop.ts";
import { canonicalJson } from "./mapping/canonical.ts";
import { loadMappings, type LoadedTenant } from "./mapping/load.ts";
import type { Clock } from "./model/clock.ts";
import { InputError, StoreError } from "./model/errors.ts";
import { newId, type TenantId } from "./model/ids.ts";
import type { Logger } from "./model/log.ts";
import { newRecord, type Actor } from "./model/records.ts";
import { declarePulse } from "./pulse/declare-pulse.ts";
import { rollOutHr } from "./sync/roll-out-hr.ts";
import { proposeMappings, type ProposalResult } from "./sync/roll-out.ts";

/** A tenant's files as they were read, or all that is wrong with them. */
export interface ReadTenant {
  readonly tenant: LoadedTenant | undefined;
  readonly problem: InputError | undefined;
}

/** Reads the tenant's files; what is wrong with them does not stop the service: the last good versions stay active. */
export async function readTenant(config: Config, logger: Logger): Promise<ReadTenant> {
  try {
    const [tenant] = await loadMappings(config.mappingsDir, vendorFactsOf, [config.tenantId]);
    return { tenant, problem: undefined };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    logger.error(
      { problems: error.problems.length },
      "mapping files not loaded; the last good versions stay active",
    );
    return { tenant: undefined, problem: error };
  }
}

const job = "mapping.files";
const leaseMs = 60_000;
const renewMs = 15_000;

export interface MappingFiles {
  /** Takes the files as proposals now, or says that another process takes its own. Goes on until `stop`. */
  start(): Promise<readonly ProposalResult[] | "elsewhere">;
  stop(): Promise<void>;
}

/**
 * Takes the files of this process as proposals, once in its life, and only while it holds the lease on that job, which it keeps until it
 * stops: processes with different folders never take turns, and one that starts beside an older one takes its files when that one is gone.
 */
export function createMappingFiles(deps: {
  readonly config: Config;
  readonly engine: Engine;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** As the files were read at the start of the process. */
  readonly loaded: ReadTenant;
  readonly actor: Actor;
  /** Whose lease it is. */
  readonly owner: string;
}): MappingFiles {
  const { config, store, clock, logger } = deps;
  const lease = { tenantId: config.tenantId, job, owner: deps.owner };
  let proposed: readonly ProposalResult[] | undefined;
  let waits = false;

  const round = async (read: () => Promise<ReadTenant>): Promise<number> => {
    const mine = await store.leaseSchedule({ ...lease, now: clock.now(), leaseMs });
    if (mine && proposed === undefined) {
      proposed = await rollOut(deps, config.tenantId, (await read()).tenant, deps.actor);
      logger.info({ connections: proposed.length }, "mapping files of this process were taken");
    } else if (!mine && !waits) {
      waits = true;
      logger.info({}, "another process takes its mapping files; ours wait until it has gone");
    }
    return renewMs;
  };
  const loop = createLoop({
    name: "mapping files",
    clock,
    logger,
    round: () => round(() => readTenant(config, logger)),
  });
  return {
    async start() {
      try {
        await round(() => Promise.resolve(deps.loaded));
      } catch (error) {
        // Somebody applied files by hand at this moment: the loop compares ours with theirs.
        if (!(error instanceof StoreError && error.code === "VERSION_CONFLICT")) throw error;
      }
      loop.start();
      return proposed ?? "elsewhere";
    },
    async stop() {
      await loop.stop();
      try {
        await store.finishSchedule({ ...lease, nextAt: clock.now() });
      } catch (error) {
        // A stop while the store is away: the lease runs out by itself.
        logger.warn({ err: error }, "the lease on mapping files was not given back");
      }
    },
  };
}

interface RollOutDeps {
  readonly config: Config;
  readonly engine: Engine;
  readonly store: Store;
}

/** Takes what was read as proposals, exceptions of the file first. */
export async function rollOut(
  { config, engine, store }: RollOutDeps,
  tenantId: TenantId,
  tenant: LoadedTenant | undefined,
  actor: Actor,
  author?: string,
): Promise<readonly ProposalResult[]> {
  if (tenant === undefined) return [];
  await rollOutExceptions(engine, store, tenantId, tenant.exceptions, actor);
  await rollOutHr(engine.sync, tenantId, tenant.hr, actor);
  await declarePulse({ store, clock: engine.sync.clock }, tenantId, tenant.pulse, actor);
  return proposeMappings(engine.sync, tenantId, tenant.connections, {
    approvals: tenant.settings.approvals,
    live: config.world === "live",
    actor,
    author,
  });
}

/** Exceptions of the file are what the file says; everybody is looked at again where they changed. */
async function rollOutExceptions(
  engine: Engine,
  store: Store,
  tenantId: TenantId,
  exceptions: LoadedTenant["exceptions"],
  actor: Actor,
): Promise<void> {
  const { clock } = engine.sync;
  const known = (await store.listExceptions(tenantId)).filter((item) => item.source === "file");
  const text = (items: LoadedTenant["exceptions"]) =>
    items
      .map((item) => canonicalJson(item))
      .sort()
      .join();
  if (text(known) === text(exceptions)) return;
  await store.replaceFileExceptions(
    tenantId,
    { exceptions },
    {
      records: [
        newRecord(clock, {
          actor,
          action: "exceptions.replaced",
          subject: { type: "tenant", id: tenantId },
          facts: { before: known.length, after: exceptions.length },
        }),
      ],
      recompute: [],
      fanouts: [
        {
          fanoutId: newId(clock),
          scope: { kind: "tenant" },
          cause: { kind: "operator" },
          urgent: false,
        },
      ],
    },
  );
  engine.ringRelay();
}
