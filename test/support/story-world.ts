import type { VendorHttp } from "../../src/model/vendor-http.ts";
import { openSqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { Store } from "../../src/adapters/store.ts";
import { SharedReads } from "../../src/apply/shared-reads.ts";
import { TokenPurses } from "../../src/apply/token-purse.ts";
import { defaultTiming, type ApplyDeps, type HttpOptions } from "../../src/apply/apply-deps.ts";
import { Breaker } from "../../src/apply/breaker.ts";
import type { Connector } from "../../src/connectors/connector.ts";
import { keepLane, laneNeedsKeeping } from "../../src/apply/lane-keeper.ts";
import { keepManualWork } from "../../src/tasks/manual-work.ts";
import { hasLeft } from "../../src/tasks/assignee.ts";
import { keepThingTask } from "../../src/tasks/thing-task.ts";
import type { TaskDeps } from "../../src/tasks/task-deps.ts";
import { reconcile } from "../../src/apply/reconcile.ts";
import type { MemberChange } from "../../src/directory/directory-store.ts";
import { canonicalHash } from "../../src/mapping/canonical.ts";
import { compileMapping } from "../../src/mapping/compile.ts";
import { connectionPolicy } from "../../src/mapping/connection-policy.ts";
import { mappingFile } from "../../src/mapping/schema.ts";
import {
  asId,
  newId,
  type ConnectionId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../src/model/ids.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Logger, Metrics } from "../../src/model/log.ts";
import {
  newRecord,
  type Actor,
  type Also,
  type RecomputeRequest,
} from "../../src/model/records.ts";
import { keepCases } from "../../src/offboarding/case-keeper.ts";
import type { OffboardingDeps } from "../../src/offboarding/offboarding-deps.ts";
import { bindGroup } from "../../src/sync/bind-groups.ts";
import { compareListing } from "../../src/sync/compare-listing.ts";
import { keepRollouts } from "../../src/sync/keep-rollouts.ts";
import { createRecompute, type Recompute } from "../../src/sync/recompute.ts";
import { proposeMappings, type ProposalOptions } from "../../src/sync/roll-out.ts";
import type { SyncDeps } from "../../src/sync/sync-deps.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";
import { FakeVendor } from "./fake-vendor.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const unmeasured: Metrics = { count() {}, gauge() {}, observe() {} };
const actor: Actor = { kind: "system", id: "test" };

export const tenantId = asId<TenantId>("acme");
export const idpId = asId<IdpId>("okta");
export const connectionId = asId<ConnectionId>("vendor");

/** A person of a story: their ids on both sides. */
export interface StoryPerson {
  readonly email: string;
  readonly sourceUserId: SourceUserId;
  readonly identityId: IdentityId;
}

/**
 * The whole way from the directory to a vendor, run by hand: real store, real sync, real apply, a vendor inside the process and a clock
 * that only the story moves. `settle` does all that is due now, in a fixed order.
 */
export class StoryWorld {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly vendor: FakeVendor;
  readonly #connector: Connector;
  readonly sync: SyncDeps;
  readonly apply: ApplyDeps;
  readonly tasks: TaskDeps;
  readonly recompute: Recompute;
  /** What an IdP believes: version per user. */
  readonly #versions = new Map<SourceUserId, number>();
  readonly #breaker: Breaker;

  static async open(
    options: {
      readonly mapping?: JsonObject;
      readonly vendor?: FakeVendor;
      /** Instead of the vendor inside the process: a connector, and the client that it works with. */
      readonly connector?: Connector;
      readonly openHttp?: (clock: FakeClock, options: HttpOptions) => VendorHttp;
      readonly loaded?: boolean;
      /** On disk instead of in memory. */
      readonly folder?: string;
    } = {},
  ): Promise<StoryWorld> {
    const clock = fakeClock();
    const folder = options.folder ?? ":memory:";
    const store = await openSqliteStore({ folder, world: "test", clock });
    const world = new StoryWorld(store, clock, options);
    await store.createTenant(tenantId, { now: clock.now() }, world.also("tenant.created"));
    await store.createIdp(
      tenantId,
      { idpId, kind: "okta", now: clock.now() },
      world.also("idp.created"),
    );
    if (options.loaded !== false) {
      await store.setIdpLoaded(
        tenantId,
        { idpId, loadedAt: clock.now() },
        world.also("idp.loaded"),
      );
    }
    if (options.mapping !== undefined) await world.activate(options.mapping);
    return world;
  }

  /** The same vendor at the same time, on the store of another folder: what a restored backup wakes up to. */
  async on(folder: string): Promise<StoryWorld> {
    const store = await openSqliteStore({ folder, world: "test", clock: this.clock });
    return new StoryWorld(store, this.clock, { vendor: this.vendor });
  }

  private constructor(
    store: Store,
    clock: FakeClock,
    options: NonNullable<Parameters<typeof StoryWorld.open>[0]>,
  ) {
    this.store = store;
    this.clock = clock;
    this.vendor = options.vendor ?? new FakeVendor();
    this.#connector = options.connector ?? this.vendor;
    this.#breaker = new Breaker(clock);
    this.sync = {
      store,
      clock,
      logger: silent,
      metrics: unmeasured,
      actor,
      vendorFacts: () => this.#connector.facts,
      ringWorkers: () => undefined,
      ringRelay: () => undefined,
    };
    this.recompute = createRecompute(this.sync);
    this.tasks = { store, clock, actor };
    this.apply = {
      store,
      leases: store,
      tokens: new TokenPurses({ store, clock }),
      reads: new SharedReads(clock),
      clock,
      logger: silent,
      metrics: unmeasured,
      actor,
      owner: "worker-1",
      timing: defaultTiming,
      connectorOf: () => this.#connector,
      openHttp: (_lane, http) =>
        Promise.resolve({
          http: options.openHttp?.(clock, http) ?? noHttp,
          credentialFingerprint: this.credential,
        }),
      rosterOf: async (tenant, connection) => (await store.lastRoster(tenant, connection))?.roster,
      manualWork: (work) => keepManualWork(this.tasks, work),
      thingTask: (work) => keepThingTask(this.tasks, work),
      keepSecret: (_tenant, name, secret) => {
        this.sealed.set(name, secret);
        return Promise.resolve();
      },
      hasLeft: (tenant, address) => hasLeft(this.tasks, tenant, address),
      afterListing: (tenant, connection, changed) =>
        compareListing(this.sync, tenant, connection, changed),
      afterObjects: async (tenant, connection) => {
        await this.store.updateLane(
          tenant,
          { connectionId: connection, set: {}, now: clock.now() },
          {
            ...none,
            fanouts: [
              {
                fanoutId: newId(clock),
                scope: { kind: "tenant" },
                cause: { kind: "observation" },
                urgent: false,
              },
            ],
          },
        );
      },
    };
  }

  /** What the keeper of leaver cases works with. */
  get offboarding(): OffboardingDeps {
    return { store: this.store, clock: this.clock, logger: silent, actor };
  }

  credential = "cred-1";
  /** Secrets that a vendor showed once. */
  readonly sealed = new Map<string, string>();

  also(action: string, recompute: readonly RecomputeRequest[] = []): Also {
    return {
      records: [
        newRecord(this.clock, {
          actor,
          action,
          subject: { type: "store", id: "story" },
          facts: {},
        }),
      ],
      recompute,
    };
  }

  async activate(
    mapping: JsonObject,
    approvals: "auto" | "required" = "auto",
    options: Partial<ProposalOptions> = {},
  ) {
    const file = mappingFile.parse(mapping);
    const compiled = compileMapping(mapping, this.#connector.facts);
    const [result] = await proposeMappings(
      this.sync,
      tenantId,
      [
        {
          connectionId,
          vendor: file.vendor,
          profile: "default",
          document: mapping,
          hash: canonicalHash(mapping),
          credential: file.connection.credential,
          baseUrl: undefined,
          policy: connectionPolicy(file, []),
          groups: compiled.groups,
        },
      ],
      { approvals, live: false, actor, ...options },
    );
    return result;
  }

  // — the IdP —
  async hire(email: string, attributes: JsonObject = {}): Promise<StoryPerson> {
    const sourceUserId = newId<SourceUserId>(this.clock);
    const identityId = newId<IdentityId>(this.clock);
    await this.store.createUser(
      tenantId,
      {
        idpId,
        sourceUserId,
        identityId,
        user: {
          userName: email,
          externalId: undefined,
          displayName: email,
          active: true,
          emails: [email],
          resource: { userName: email, ...attributes },
        },
        now: this.clock.now(),
      },
      this.also("user.created", [{ identityId, cause: { kind: "scim.user" }, urgent: false }]),
    );
    this.#versions.set(sourceUserId, 1);
    return { email, sourceUserId, identityId };
  }

  async setActive(person: StoryPerson, active: boolean): Promise<void> {
    const user = await this.store.replaceUser(
      tenantId,
      {
        idpId,
        sourceUserId: person.sourceUserId,
        expect: this.#versions.get(person.sourceUserId) ?? 1,
        user: {
          userName: person.email,
          externalId: undefined,
          displayName: person.email,
          active,
          emails: [person.email],
          resource: { userName: person.email, active },
        },
        now: this.clock.now(),
      },
      this.also("user.replaced", [
        { identityId: person.identityId, cause: { kind: "scim.user" }, urgent: !active },
      ]),
    );
    this.#versions.set(person.sourceUserId, user.version);
  }

  async group(name: string, members: readonly StoryPerson[] = []): Promise<GroupId> {
    const groupId = newId<GroupId>(this.clock);
    const cause = { kind: "scim.group" as const, key: `scim.group:${groupId}` };
    await this.store.createGroup(
      tenantId,
      {
        idpId,
        groupId,
        displayName: name,
        externalId: undefined,
        memberIds: members.map((person) => person.sourceUserId),
        memberCause: cause,
        now: this.clock.now(),
      },
      {
        ...this.also("group.created"),
        fanouts: [
          { fanoutId: newId(this.clock), scope: { kind: "group", groupId }, cause, urgent: false },
        ],
      },
    );
    return groupId;
  }

  async members(groupId: GroupId, ...memberChanges: readonly MemberChange[]): Promise<void> {
    const memberCause = { kind: "scim.group" as const, key: `scim.group:${groupId}` };
    await this.store.updateGroup(
      tenantId,
      { idpId, groupId, expect: undefined, memberChanges, memberCause, now: this.clock.now() },
      this.also("group.members_changed"),
    );
  }

  async rename(groupId: GroupId, displayName: string): Promise<void> {
    const cause = { kind: "scim.group" as const, key: `scim.group:${groupId}` };
    await this.store.updateGroup(
      tenantId,
      {
        idpId,
        groupId,
        expect: undefined,
        displayName,
        memberChanges: [],
        memberCause: cause,
        now: this.clock.now(),
      },
      {
        ...this.also("group.updated"),
        fanouts: [
          { fanoutId: newId(this.clock), scope: { kind: "group", groupId }, cause, urgent: false },
        ],
      },
    );
  }

  async deleteGroup(groupId: GroupId): Promise<void> {
    const cause = { kind: "scim.group" as const, key: `scim.group:${groupId}` };
    await this.store.deleteGroup(
      tenantId,
      { idpId, groupId, expect: undefined, now: this.clock.now() },
      {
        ...this.also("group.deleted"),
        fanouts: [
          { fanoutId: newId(this.clock), scope: { kind: "group", groupId }, cause, urgent: false },
        ],
      },
    );
  }

  // — the machine —
  /** Does everything that is due at this instant, until nothing is. */
  async settle(): Promise<void> {
    for (let round = 0; round < 10_000; round++) {
      const worked =
        (await this.#fanout()) ||
        (await this.#sweep()) ||
        (await this.#lanes()) ||
        (await this.#targets()) ||
        (await keepCases({ ...this.offboarding, tasks: this.tasks })) > 0 ||
        (await keepRollouts(this.sync, tenantId)) > 0;
      if (!worked) return;
    }
    throw new Error("the world does not settle");
  }

  /** Moves on by `ms` in steps, doing what comes due on the way. */
  async pass(ms: number, stepMs = 30_000): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await this.settle();
    }
  }

  async #fanout(): Promise<boolean> {
    const fanout = await this.store.leaseFanout({
      owner: "test",
      now: this.clock.now(),
      leaseMs: 60_000,
    });
    if (fanout === undefined) return false;
    if (fanout.cursor === undefined && fanout.scope.kind === "group")
      await bindGroup(this.sync, tenantId, fanout.scope.groupId);
    let current = fanout;
    for (;;) {
      const page = await this.store.workFanout({
        fanout: current,
        now: this.clock.now(),
        limit: 500,
      });
      if (page.finished) return true;
      current = { ...current, cursor: page.cursor };
    }
  }

  async #sweep(): Promise<boolean> {
    const marks = await this.store.listOverdue({
      now: this.clock.now(),
      ageMs: 0,
      urgentAgeMs: 0,
      limit: 200,
    });
    if (marks.length === 0) return false;
    await this.recompute(
      tenantId,
      marks.map((mark) => mark.identityId),
    );
    return true;
  }

  async #lanes(): Promise<boolean> {
    let worked = false;
    for (const lane of await this.store.listLanes(undefined)) {
      if (!laneNeedsKeeping(lane, this.clock.now())) continue;
      await keepLane(this.apply, lane);
      worked = true;
    }
    return worked;
  }

  async #targets(): Promise<boolean> {
    const leased = await this.store.leaseTargets({
      owner: "worker-1",
      now: this.clock.now(),
      leaseMs: 60_000,
      limit: 32,
      perLane: 32,
      perLaneUrgent: 32,
    });
    for (const target of leased) await reconcile(this.apply, this.#breaker, target);
    return leased.length > 0;
  }

  // — looks —
  target(person: StoryPerson) {
    return this.store.getTarget(tenantId, connectionId, person.identityId);
  }

  async findings(): Promise<readonly string[]> {
    return (await this.store.listFindings(tenantId, { open: true, limit: 200 })).map(
      (finding) => finding.kind,
    );
  }
}

const noHttp: VendorHttp = {
  request: () => Promise.reject(new Error("the fake vendor needs no HTTP")),
  pages: () => {
    throw new Error("the fake vendor needs no HTTP");
  },
};

const none: Also = { records: [], recompute: [] };

/** A mapping of the fake vendor: engineers are users with Development, platform people developers with Production. */
export function mapping(more: JsonObject = {}): JsonObject {
  return {
    version: 1,
    vendor: "acme",
    connection: { credential: "sealed:acme" },
    mode: "additive",
    account: { match: "email", domains: ["example.com"], leaver: "remove", create: "invite" },
    timing: { debounce: "90s", grace: "0s", verify: ["0s", "15m"] },
    rules: [
      {
        id: "engineers",
        when: { group: "Engineering" },
        grant: [
          { kind: "org_role", role: "user" },
          { kind: "workspace", name: "Development", role: "writer" },
        ],
      },
      {
        id: "platform",
        when: { group: "Platform" },
        grant: [
          { kind: "org_role", role: "developer" },
          { kind: "workspace", name: "Production", role: "writer" },
        ],
      },
    ],
    ...more,
  };
}
