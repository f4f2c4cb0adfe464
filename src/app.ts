import { readFile } from "node:fs/promises";
import type { Store } from "./adapters/store.ts";
import { showLanes } from "./apply/lane-gauges.ts";
import { checkpointFiles, toldCheckpoints } from "./audit/checkpoint.ts";
import { noteSigner } from "./audit/signed-note.ts";
import { createSequencer } from "./audit/sequencer.ts";
import { createAccessRoom } from "./access-room.ts";
import { openCallers } from "./callers.ts";
import { bootstrap, type BootstrapSecrets } from "./bootstrap.ts";
import { readEnv, type Config } from "./config/config.ts";
import { connectorOf } from "./connectors/registry.ts";
import { createConsoleRoom } from "./console-room.ts";
import { loadSealKey, sealKeyPath } from "./credentials/seal.ts";
import { createSecretVault, type SecretVault } from "./credentials/secret-vault.ts";
import { createEngine } from "./engine.ts";
import { showBacklog } from "./events/backlog-gauges.ts";
import { showBus } from "./events/bus-gauges.ts";
import type { HintBus } from "./events/hint-bus.ts";
import { createHttpPools } from "./http/http-pools.ts";
import { listen, operatorApp, publicApp, type Listener } from "./listeners.ts";
import { createMappingFiles, readTenant } from "./mapping-files.ts";
import { systemClock, type Clock } from "./model/clock.ts";
import type { InputError } from "./model/errors.ts";
import { newId, type TenantId } from "./model/ids.ts";
import type { Logger, Metrics } from "./model/log.ts";
import type { Actor } from "./model/records.ts";
import { untraced } from "./model/trace.ts";
import { showCases } from "./offboarding/case-gauges.ts";
import { checkpointTeller } from "./notify/checkpoint-notice.ts";
import { openChannels } from "./notify-channels.ts";
import { showPulse } from "./pulse/pulse-report.ts";
import { showNotices } from "./notify/notice-gauges.ts";
import { openAuditStream, openBus } from "./open-bus.ts";
import { homeOf, openClock, openStore, showStore } from "./open-store.ts";
import { createHookRoom } from "./hook-room.ts";
import { createHrRoom } from "./hr-room.ts";
import { loadExtensions } from "./scim/extension.ts";
import { createScimRouter } from "./scim/router.ts";
import { createTraffic } from "./scim/traffic.ts";
import type { Brake } from "./recovery/brake-store.ts";
import { checkStoreAtStart } from "./recovery/start-check.ts";
import type { ProposalResult } from "./sync/roll-out.ts";
import { httpOpener } from "./vendor-clients.ts";
import { createHealth, type Health } from "./telemetry/health.ts";
import { createLogger } from "./telemetry/logger.ts";
import { createMetrics, type MetricRegistry } from "./telemetry/metrics.ts";
import type { Traces } from "./telemetry/traces.ts";
import { createTrends } from "./telemetry/trends.ts";
import type { SandboxVendors } from "./sandbox-vendors.ts";

export interface App {
  readonly config: Config;
  readonly secrets: BootstrapSecrets;
  /** Undefined where this process has not the role `api`. */
  readonly scimUrl: string | undefined;
  readonly operatorUrl: string;
  readonly mappings: {
    /** What became of the files; "elsewhere": another process takes its own. Undefined without the role `scheduler`. */
    readonly proposed: readonly ProposalResult[] | "elsewhere" | undefined;
    readonly problem: InputError | undefined;
  };
  readonly vendors: SandboxVendors | undefined;
  /** Why nothing is written to a vendor, where the store was restored or copied. */
  readonly brake: Brake | undefined;
  /** Resolves when this process cannot go on and a new one can. */
  readonly failed: Promise<Error>;
  /** Takes no new request, ends what runs, keeps what is owed in the store, closes. */
  stop(): Promise<void>;
}

/** Wall time that requests under way get at a stop. */
const stopGraceMs = 10_000;

/**
 * The composition root: the only place that knows which adapter, connector and vault stand behind the ports.
 * @throws InputError, StoreError or Error with one sentence that says what to do
 */
export async function startApp(config: Config): Promise<App> {
  const clock = await openClock(config);
  const owner = newId(clock);
  const logger = createLogger({
    level: config.logLevel,
    clock,
    base: { version: config.version, instance: owner },
  });
  const registry = createMetrics({ logger, clock: systemClock() });
  const trends = createTrends(registry.metrics, systemClock());
  const metrics: MetricRegistry = { ...registry, metrics: trends.metrics };
  const home = homeOf(config);
  const traces = await openTracing(config, { logger, metrics: metrics.metrics, owner });
  const tracer = traces?.tracer ?? untraced;
  const store = await openStore(config, {
    clock,
    logger,
    metrics: metrics.metrics,
    ...(traces && { tracer }),
  });
  const pools = createHttpPools({ innerHosts: config.innerHosts });
  const vendors =
    config.world === "sandbox" ? await sandboxVendors(config, clock, logger) : undefined;
  const { vault, sealKey } = await openVault(config, store, clock);
  const publicUrl = config.publicUrl ?? `http://localhost:${String(config.port)}`;
  const ways = openChannels(config, { pools, publicUrl });
  const channels = ways.channels.map((channel) => channel.name);
  const failed = Promise.withResolvers<Error>();
  const common = { store, clock, logger, metrics: metrics.metrics, owner };
  const bus = await openBus(config, { ...common, onFatal: failed.resolve });
  const engine = createEngine({
    store,
    bus,
    clock,
    logger,
    metrics: metrics.metrics,
    tracer,
    owner,
    roles: config.roles,
    connectorOf,
    openHttp: httpOpener({ vault, pools, clock, logger, vendors, tracer }),
    keepSecret: sealer(vault, { kind: "worker", id: owner }),
    channels: ways.channels,
    // A fast clock shrinks every window that guards against slow machines; these are kept humane.
    timing: config.timeScale > 1 ? { leaseMs: 600_000, intentWindowMs: 120_000 } : {},
  });
  const checkpoints = checkpointFiles(config.checkpointsDir, store.stamp.instanceId, (origin) =>
    noteSigner(origin, sealKey.bytes),
  );
  const tell = checkpointTeller({ ...common, channels: ways.channels });
  const sequencer = createSequencer({ ...common, checkpoints: toldCheckpoints(checkpoints, tell) });
  const system: Actor = { kind: "system", id: "start" };
  const brake = await checkStoreAtStart({
    store,
    checkpoints,
    stamp: store.stamp,
    home,
    clock,
    logger,
    actor: system,
  });
  const loaded = await readTenant(config, logger);
  const secrets = await bootstrap(config, store, clock, system, loaded.tenant?.settings);
  if (vendors !== undefined)
    await vendors.sealCredentials(vault, config.tenantId, loaded.tenant, system);
  const files = createMappingFiles({
    ...{ config, engine, store, clock, logger, loaded, actor: system },
    // An embedded store has one process at a time: after a crash nobody else's lease is waited for.
    owner: config.databaseUrl === undefined ? "embedded" : owner,
  });
  const proposed = config.roles.has("scheduler") ? await files.start() : undefined;
  const health = createHealth({
    // Probes are asked in wall time, however fast domain time runs.
    clock: systemClock(),
    checks: { store: () => store.ping() },
    liveChecks: { bus: () => bus.live().why },
  });
  const callers = openCallers({ store, clock, logger, pools }, config.oidc !== undefined);
  const extensions = await loadExtensions(config.scimSchemas);
  const traffic = createTraffic({ store, clock, logger });
  const scim = createScimRouter({
    store,
    clock,
    logger: logger.child({ room: "scim" }),
    metrics: metrics.metrics,
    tracer,
    publicUrl,
    onCommit: engine.ringRelay,
    authenticate: callers.idp,
    heardRequest: traffic.note,
    extensions,
    ...(config.scimRate === undefined ? {} : { requestsPerSecond: config.scimRate }),
  });
  const hr = createHrRoom(config, {
    ...{ store, vault, sealKey, clock, logger, metrics: metrics.metrics },
    onCommit: engine.ringRelay,
  });
  const access = createAccessRoom({ ...common, publicUrl, authenticate: callers.application });
  const hooks = createHookRoom({
    ...{ store, vault, sealKey, pools, clock, logger, publicUrl },
    simulated: (vendor) => vendors?.urlOf(vendor),
  });
  const room = createConsoleRoom(config, {
    ...{ engine, store, vault, clock, logger, callers, publicUrl, channels, hr },
    installLink: hooks.link,
    trends: trends.read,
  });
  const probes = { live: () => health.live(), ready: () => health.ready() };
  const publicListener = config.roles.has("api")
    ? await listen(
        publicApp({
          scim,
          hr: hr.router,
          vendors: hooks,
          access,
          probes,
          trustedProxies: config.trustedProxies,
        }),
        config.port,
        undefined,
      )
    : undefined;
  const operatorListener = await listen(
    operatorApp({
      api: room.api,
      console: room.pages,
      probes,
      metrics: () => metrics.expose(),
      trustedProxies: config.trustedProxies,
    }),
    config.operatorPort,
    config.operatorHost,
  );
  room.openedAt(operatorListener.url);
  showAtScrapes(config, metrics, { store, bus, clock, health, channels });
  const auditStream = await openAuditStream(config, common);
  if (config.roles.has("scheduler")) for (const loop of [sequencer, hr]) loop.start();
  await engine.start();
  return {
    config,
    secrets,
    scimUrl: publicListener?.url,
    operatorUrl: operatorListener.url,
    failed: failed.promise,
    mappings: { proposed, problem: loaded.problem },
    vendors,
    brake,
    async stop() {
      health.drain();
      room.close();
      await closeAll([publicListener, operatorListener]);
      await Promise.all([engine.stop(), files.stop(), hr.stop()]);
      await bus.close();
      if (config.roles.has("scheduler")) await sequencer.stop();
      await auditStream?.stop();
      await traffic.close();
      await store.close();
      ways.close();
      await vendors?.close();
      await pools.close();
      await traces?.close();
    },
  };
}

async function closeAll(listeners: readonly (Listener | undefined)[]): Promise<void> {
  const open = listeners.filter((listener) => listener !== undefined);
  await Promise.all(open.map((listener) => listener.close(stopGraceMs)));
}

/** What workers seal: secrets that a vendor shows once. */
function sealer(vault: SecretVault, actor: Actor) {
  return async (tenantId: TenantId, name: string, secret: string): Promise<void> => {
    await vault.put(tenantId, name, secret, actor);
  };
}

async function openVault(config: Config, store: Store, clock: Clock) {
  const sealKey = await loadSealKey({
    value: config.sealKey,
    former: config.sealKeysFormer,
    path: sealKeyPath(config.dataDir),
    clock,
  });
  const fromFile = (path: string) => readFile(path, "utf8");
  return {
    vault: createSecretVault({ store, key: sealKey, clock, readEnv, readFile: fromFile }),
    sealKey,
  };
}

/** Gauges that are read when somebody asks for them. */
function showAtScrapes(
  config: Config,
  { metrics, beforeScrape }: MetricRegistry,
  parts: {
    readonly store: Store;
    readonly bus: HintBus;
    readonly clock: Clock;
    readonly health: Health;
    readonly channels: readonly string[];
  },
): void {
  const { store, bus, clock, health, channels } = parts;
  const isUp = async () => (await health.ready()).checks["store"] === "ok";
  beforeScrape(() => showStore({ store, isUp, metrics }));
  beforeScrape(() => showLanes({ store, metrics, clock }));
  beforeScrape(() => showCases({ store, metrics, clock }));
  beforeScrape(() => showPulse({ store, metrics, clock }));
  beforeScrape(() => showNotices({ store, channels, metrics }));
  if (config.roles.has("worker")) beforeScrape(() => showBacklog({ store, metrics, clock }));
  // Who neither hints nor works needs no connection to the bus.
  if (config.roles.has("relay") || config.roles.has("worker"))
    beforeScrape(() => showBus({ bus, metrics }));
}

/** OpenTelemetry, loaded only where the environment asks for it. */
async function openTracing(
  config: Config,
  parts: { readonly logger: Logger; readonly metrics: Metrics; readonly owner: string },
): Promise<Traces | undefined> {
  if (config.traces === undefined) return undefined;
  const { openTraces } = await import("./telemetry/traces.ts");
  const { version, traces } = config;
  // Spans and their receiver live in wall time, however fast domain time runs.
  return openTraces(
    { ...traces, version, instance: parts.owner },
    { ...parts, clock: systemClock() },
  );
}

/** Loaded only where it is wanted: a live service carries no simulator in memory. */
async function sandboxVendors(
  config: Config,
  clock: Clock,
  logger: Logger,
): Promise<SandboxVendors> {
  const { startSandboxVendors } = await import("./sandbox-vendors.ts");
  return startSandboxVendors(config, clock, logger);
}
