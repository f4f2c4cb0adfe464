/** Some workers of a fleet on one PostgreSQL: the engine as the service wires it, with a vendor that is slow and nothing else. */
import { openPostgresStore } from "../../../src/adapters/postgres/postgres-store.ts";
import { localBus } from "../../../src/adapters/local/local-bus.ts";
import { createEngine, type Engine } from "../../../src/engine.ts";
import { createHttpPools } from "../../../src/http/http-pools.ts";
import { createVendorHttp } from "../../../src/http/vendor-client.ts";
import { canonicalHash } from "../../../src/mapping/canonical.ts";
import { systemClock } from "../../../src/model/clock.ts";
import {
  asId,
  newId,
  type ConnectionId,
  type IdpId,
  type TenantId,
} from "../../../src/model/ids.ts";
import type { Logger } from "../../../src/model/log.ts";
import { DAY_MS, type ConnectionPolicy } from "../../../src/model/policy.ts";
import { newRecord } from "../../../src/model/records.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { personBody, userNameOf } from "../people.ts";
import { identityIdOf, sourceUserIdOf, upTo } from "./company.ts";
import { serveParent, startArgument } from "./serve-parent.ts";
import { rungOf, slowConnector, slowFacts } from "./slow-connector.ts";

export interface LaneWorkerStart {
  readonly database: string;
  readonly vendorUrl: string;
  readonly limit: { readonly capacity: number; readonly perMs: number };
  /** Engines in this process. */
  readonly workers: number;
}

export interface LaneOrder {
  readonly lanes: number;
  readonly people: number;
}

const { database, vendorUrl, limit, workers } = startArgument<LaneWorkerStart>();
const clock = systemClock();
const tenantId = asId<TenantId>("bench");
const idpId = asId<IdpId>("okta");
const nothing = { records: [], recompute: [] } as const;
const laneOf = (at: number) => asId<ConnectionId>(`lane-${String(at)}`);
const logger: Logger = {
  debug() {},
  info() {},
  warn: (facts, message) => void process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
  error: (facts, message) => void process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
  child: () => logger,
};
const store = await openPostgresStore({ url: database, connectionsMax: 10, world: "test", clock });
const connector = slowConnector(slowFacts(limit));
const pools = createHttpPools({ innerHosts: ["127.0.0.1"] });
const { metrics } = createMetrics({ processMetrics: false });
let engines: readonly Engine[] = [];

serveParent(
  {
    /** Tenant, lanes and people; once for all processes. */
    prepare,
    /** Wishes the next rung for everybody at every lane. */
    wish,
    /** How many wishes are not reached. */
    left: async () => {
      const counts = await store.targetCounts(tenantId);
      return counts
        .filter((row) => row.oldestWishedAt !== null)
        .reduce((sum, row) => sum + row.count, 0);
    },
    start: async (places?: number) => {
      engines = Array.from({ length: workers }, () => engine(places));
      await Promise.all(engines.map((item) => item.start()));
    },
    stop: async () => {
      await Promise.all(engines.map((item) => item.stop()));
      engines = [];
    },
    cpu: () => process.cpuUsage(),
  },
  async () => {
    await Promise.all(engines.map((item) => item.stop()));
    await store.close();
    await pools.close();
  },
);

function engine(places: number | undefined): Engine {
  return createEngine({
    ...(places !== undefined && { workerPlaces: places }),
    store,
    bus: localBus({ clock }),
    clock,
    logger,
    metrics,
    owner: newId(clock),
    roles: new Set(["worker"]),
    connectorOf: () => connector,
    openHttp: (lane, options) =>
      Promise.resolve({
        http: createVendorHttp({
          facts: connector.facts,
          baseUrl: `${vendorUrl}/${lane.connectionId}`,
          clearText: true,
          headers: () => Promise.resolve({ authorization: "Bearer bench" }),
          mode: () => "write",
          governor: options.governor,
          beforeWrite: options.beforeWrite,
          clock,
          logger,
          pools,
          signal: options.signal,
        }),
        credentialFingerprint: "bench",
      }),
  });
}

async function prepare({ lanes, people }: LaneOrder): Promise<void> {
  const now = clock.now();
  await store.createTenant(tenantId, { now }, nothing);
  await store.createIdp(tenantId, { idpId, kind: "okta", now }, nothing);
  for (const at of upTo(lanes)) {
    const connectionId = laneOf(at);
    await store.upsertLane(
      tenantId,
      {
        connectionId,
        vendor: connector.facts.vendor,
        profile: connector.facts.profile,
        credential: "env:BENCH",
        baseUrl: undefined,
        policy,
        now,
      },
      nothing,
    );
    // Listings are no part of what is measured.
    await store.updateLane(
      tenantId,
      { connectionId, set: { nextListAt: now + DAY_MS }, now },
      nothing,
    );
  }
  await Promise.all(upTo(people).map((at) => addPerson(at)));
}

async function addPerson(at: number): Promise<void> {
  const { schemas: _schemas, ...resource } = personBody(at);
  const userName = userNameOf(at);
  await store.createUser(
    tenantId,
    {
      idpId,
      sourceUserId: sourceUserIdOf(at),
      identityId: identityIdOf(at),
      user: {
        userName,
        externalId: undefined,
        displayName: userName,
        active: true,
        emails: [userName],
        resource,
      },
      now: clock.now(),
    },
    nothing,
  );
}

async function wish({ lanes, people, wave }: LaneOrder & { readonly wave: number }): Promise<void> {
  await Promise.all(upTo(people).map((at) => wishFor(at, lanes, wave)));
}

async function wishFor(at: number, lanes: number, wave: number): Promise<void> {
  const identityId = identityIdOf(at);
  const now = clock.now();
  const cause = { kind: "operator" } as const;
  await store.changeLedger(
    tenantId,
    { connectionId: laneOf(0), identityId, changes: [], now },
    { records: [], recompute: [{ identityId, cause, urgent: false, dueAt: now + DAY_MS }] },
  );
  const [mark] = await store.readMarks(tenantId, [identityId]);
  const desired = {
    lifecycle: "active" as const,
    assignments: [
      { kind: "seat", objectId: "", role: rungOf(wave), because: ["bench"], privileged: false },
    ],
    conflicts: [],
    unresolved: [],
    keep: [],
    mappingVersion: "bench",
    profile: { emails: [userNameOf(at)], displayName: userNameOf(at) },
  };
  await store.commitSync(
    tenantId,
    {
      identityId,
      wanted: mark?.wanted ?? 0,
      wishes: upTo(lanes).map((lane) => ({
        connectionId: laneOf(lane),
        desired,
        hash: canonicalHash(desired),
        priority: 1,
        rail: { policy: policy.rails, wishes: [], entryIds: [], holdIds: [] },
        record: newRecord(clock, {
          actor: { kind: "worker", id: "bench" },
          action: "target.wished",
          subject: { type: "identity", id: identityId },
          facts: {},
        }),
        cause: "operator",
      })),
      nextDueAt: undefined,
      now,
    },
    nothing,
  );
}

const wide = { floor: 1_000_000, fraction: 1, windowMs: DAY_MS };
const policy: ConnectionPolicy = {
  mode: "additive",
  sets: {},
  domains: ["example.com"],
  leaver: "remove",
  create: "invite",
  inviteResends: 0,
  timing: { debounceMs: 0, graceMs: 0, verifyMs: [0] },
  rails: { removals: wide, oneCause: wide, privilegedGrants: 1_000, leavers: wide },
  protectedAccounts: [],
  adminsMin: 0,
};
