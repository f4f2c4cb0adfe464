import type { TargetWish } from "../../src/accounts/account-store.ts";
import type { GateRefusal, StepKind } from "../../src/accounts/intent.ts";
import type { LeasedTarget, Priority } from "../../src/accounts/target.ts";
import type { Store } from "../../src/adapters/store.ts";
import type { VendorAccount } from "../../src/model/account.ts";
import type { Desired } from "../../src/model/assignment.ts";
import type { Slot } from "../../src/model/entitlement.ts";
import {
  asId,
  newId,
  type AccountId,
  type ConnectionId,
  type IdentityId,
  type IntentId,
  type SourceUserId,
  type TenantId,
} from "../../src/model/ids.ts";
import { DAY_MS, type ConnectionPolicy, type RailPolicy } from "../../src/model/policy.ts";
import type { RailWish } from "../../src/model/rail.ts";
import { newRecord } from "../../src/model/records.ts";
import { fakeClock, type FakeClock } from "../support/fake-clock.ts";
import { addTenant, noAlso, type TestStore } from "../support/store.ts";

export type OpenStore = (clock: FakeClock) => Promise<TestStore>;

export const rails: RailPolicy = {
  removals: { floor: 3, fraction: 0.1, windowMs: DAY_MS },
  oneCause: { floor: 5, fraction: 0.25, windowMs: DAY_MS },
  privilegedGrants: 1,
  leavers: { floor: 2, fraction: 0.01, windowMs: DAY_MS },
};

export const policy: ConnectionPolicy = {
  mode: "additive",
  sets: {},
  domains: ["example.com"],
  leaver: "remove",
  create: "invite",
  inviteResends: 2,
  timing: { debounceMs: 90_000, graceMs: 0, verifyMs: [0] },
  rails,
  protectedAccounts: [],
  adminsMin: 2,
};

export const console_ = asId<ConnectionId>("console");
export const other = asId<ConnectionId>("other");
export const orgRole: Slot = { kind: "org_role", objectId: "" };
export const lease = { owner: "w1", leaseMs: 60_000, limit: 100, perLane: 100, perLaneUrgent: 100 };

export interface WishDraft {
  readonly connectionId?: ConnectionId;
  readonly role?: string | null;
  readonly lifecycle?: "active" | "departed";
  readonly priority?: Priority;
  readonly hash?: string;
  readonly rail?: readonly RailWish[];
  readonly policy?: RailPolicy;
}

/** A store with a tenant, two lanes, and hands that do what sync and apply do. */
export class AccountStage {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly tenantId: TenantId;
  readonly #opened: TestStore;

  static async open(open: OpenStore): Promise<AccountStage> {
    const clock = fakeClock();
    const opened = await open(clock);
    const { tenantId } = await addTenant(opened.store, clock.now());
    const stage = new AccountStage(clock, opened, tenantId);
    await stage.addLane(console_);
    await stage.addLane(other);
    return stage;
  }

  constructor(clock: FakeClock, opened: TestStore, tenantId: TenantId) {
    this.clock = clock;
    this.store = opened.store;
    this.tenantId = tenantId;
    this.#opened = opened;
  }

  get now(): number {
    return this.clock.now();
  }

  dispose(): Promise<void> {
    return this.#opened.dispose();
  }

  /** A second tenant on the same store, with lanes of the same names. */
  async neighbour(): Promise<AccountStage> {
    const { tenantId } = await addTenant(this.store, this.now, { tenant: "umbrella" });
    const stage = new AccountStage(this.clock, this.#opened, tenantId);
    await stage.addLane(console_);
    await stage.addLane(other);
    return stage;
  }

  async addLane(connectionId: ConnectionId, change: Partial<ConnectionPolicy> = {}): Promise<void> {
    await this.store.upsertLane(
      this.tenantId,
      {
        connectionId,
        vendor: "acme-ai",
        profile: "console",
        credential: "sealed:key",
        baseUrl: undefined,
        policy: { ...policy, ...change },
        now: this.now,
      },
      noAlso,
    );
  }

  async addPerson(name = "ada"): Promise<IdentityId> {
    const identityId = newId<IdentityId>(this.clock);
    await this.store.createUser(
      this.tenantId,
      {
        idpId: asId("okta"),
        sourceUserId: newId<SourceUserId>(this.clock),
        identityId,
        user: {
          userName: `${name}.${identityId}@example.com`,
          externalId: undefined,
          displayName: name,
          active: true,
          emails: [],
          resource: {},
        },
        now: this.now,
      },
      noAlso,
    );
    return identityId;
  }

  addPeople(count: number): Promise<readonly IdentityId[]> {
    return Promise.all(Array.from({ length: count }, () => this.addPerson()));
  }

  /** Makes a reason to recompute; answers `wanted`. */
  async mark(identityId: IdentityId): Promise<number> {
    await this.store.changeLedger(
      this.tenantId,
      { connectionId: console_, identityId, changes: [], now: this.now },
      {
        records: [],
        recompute: [{ identityId, cause: { kind: "operator" }, urgent: false }],
      },
    );
    const [mark] = await this.store.readMarks(this.tenantId, [identityId]);
    return mark?.wanted ?? 0;
  }

  wish(draft: WishDraft = {}): TargetWish {
    const { role = "developer", lifecycle = "active" } = draft;
    const assignments: Desired[] =
      role === null ? [] : [{ ...orgRole, role, because: ["r1"], privileged: false }];
    const wishes = draft.rail ?? [];
    return {
      connectionId: draft.connectionId ?? console_,
      desired: {
        lifecycle,
        assignments,
        conflicts: [],
        unresolved: [],
        keep: [],
        mappingVersion: "v1",
        profile: { emails: ["ada@example.com"], displayName: "Ada" },
      },
      hash: draft.hash ?? `${lifecycle}:${role ?? "nothing"}`,
      priority: draft.priority ?? 1,
      rail: {
        policy: draft.policy ?? rails,
        wishes,
        entryIds: wishes.map(() => newId(this.clock)),
        holdIds: wishes.map(() => newId(this.clock)),
      },
      record: newRecord(this.clock, {
        actor: { kind: "worker", id: "w1" },
        action: "target.wished",
        subject: { type: "identity", id: "x" },
        facts: {},
      }),
      cause: "operator",
    };
  }

  /** HR says of somebody who left by another word that they left. */
  async confirmLeave(identityId: IdentityId) {
    const record = newRecord(this.clock, {
      actor: { kind: "hr", id: "hr" },
      action: "identity.hr_departed",
      subject: { type: "identity", id: identityId },
      facts: {},
    });
    return this.store.commitSync(
      this.tenantId,
      {
        ...{ identityId, wanted: await this.mark(identityId), wishes: [], nextDueAt: undefined },
        hrDeparted: { value: true, confirmed: true, record },
        now: this.now,
      },
      noAlso,
    );
  }

  async commit(
    identityId: IdentityId,
    wanted: number,
    wishes: readonly TargetWish[],
    nextDueAt?: number,
  ) {
    return this.store.commitSync(
      this.tenantId,
      { identityId, wanted, wishes, nextDueAt, now: this.now },
      noAlso,
    );
  }

  /** Marks and commits, as one recompute does. */
  async sync(identityId: IdentityId, ...drafts: readonly WishDraft[]) {
    const wanted = await this.mark(identityId);
    return this.commit(
      identityId,
      wanted,
      drafts.map((draft) => this.wish(draft)),
    );
  }

  loss(change: Partial<RailWish> = {}): RailWish {
    return {
      slot: orgRole,
      direction: "loss",
      roleFrom: "developer",
      roleTo: null,
      rail: "removals",
      causeKey: "",
      notBefore: this.now + 90_000,
      ...change,
    };
  }

  gain(change: Partial<RailWish> = {}): RailWish {
    return {
      slot: orgRole,
      direction: "gain",
      roleFrom: null,
      roleTo: "developer",
      rail: "one_cause",
      causeKey: "scim.group:g1",
      notBefore: this.now,
      ...change,
    };
  }

  leaseAll(change: Partial<typeof lease> = {}): Promise<readonly LeasedTarget[]> {
    return this.store.leaseTargets({ ...lease, now: this.now, ...change });
  }

  async leaseOne(identityId: IdentityId, connectionId = console_): Promise<LeasedTarget> {
    const found = (await this.leaseAll()).find(
      (item) => item.identityId === identityId && item.connectionId === connectionId,
    );
    if (found === undefined) throw new Error("the target was not handed out");
    return found;
  }

  release(
    target: LeasedTarget,
    change: Partial<Parameters<Store["releaseTarget"]>[1]> = {},
  ): Promise<boolean> {
    return this.store.releaseTarget(
      target.tenantId,
      {
        connectionId: target.connectionId,
        identityId: target.identityId,
        fence: target.fence,
        wake: target.wake,
        state: "idle",
        reason: null,
        dueAt: null,
        attempts: 0,
        notes: {},
        now: this.now,
        ...change,
      },
      noAlso,
    );
  }

  /** Asks the gate for one write of a leased target. */
  async pass(
    target: LeasedTarget,
    change: Partial<Parameters<Store["insertIntent"]>[1]> = {},
  ): Promise<{ ok: true; intentId: IntentId } | ({ ok: false; intentId: IntentId } & GateRefusal)> {
    const intentId = newId<IntentId>(this.clock);
    const answer = await this.store.insertIntent(target.tenantId, {
      intentId,
      connectionId: target.connectionId,
      identityId: target.identityId,
      step: "set_account_role" satisfies StepKind,
      slot: orgRole,
      direction: "gain",
      privileged: false,
      roleFrom: null,
      roleTo: "developer",
      accountId: null,
      generation: target.generation,
      fence: target.fence,
      notAfter: this.now + 30_000,
      now: this.now,
      ...change,
    });
    return { ...answer, intentId };
  }

  passLoss(target: LeasedTarget, change: Partial<Parameters<Store["insertIntent"]>[1]> = {}) {
    return this.pass(target, {
      step: "remove_account",
      direction: "loss",
      roleFrom: "developer",
      roleTo: null,
      ...change,
    });
  }

  finish(
    intentId: IntentId,
    state: "done" | "refused" | "unsent" | "unknown",
    change: Partial<Parameters<Store["finishIntent"]>[1]> = {},
  ): Promise<void> {
    return this.store.finishIntent(
      this.tenantId,
      { intentId, state, facts: {}, ledger: [], link: undefined, now: this.now, ...change },
      noAlso,
    );
  }

  link(identityId: IdentityId, accountId: string, connectionId = console_): Promise<void> {
    return this.store.changeLink(
      this.tenantId,
      {
        change: {
          op: "set",
          accountId: asId<AccountId>(accountId),
          email: `${accountId}@example.com`,
          origin: "matched",
        },
        connectionId,
        identityId,
        now: this.now,
      },
      noAlso,
    );
  }

  account(accountId: string, change: Partial<VendorAccount> = {}): VendorAccount {
    return {
      accountId: asId<AccountId>(accountId),
      email: `${accountId}@example.com`,
      otherEmails: [],
      state: "active",
      role: "developer",
      displayName: undefined,
      createdAt: undefined,
      expiresAt: undefined,
      ...change,
    };
  }

  look(accounts: readonly VendorAccount[], gone: readonly string[] = []): Promise<void> {
    return this.store.recordLook(this.tenantId, {
      connectionId: console_,
      accounts,
      gone: gone.map((id) => asId<AccountId>(id)),
      grants: [],
      now: this.now,
    });
  }

  async entryStates(connectionId?: ConnectionId): Promise<readonly string[]> {
    const entries = await this.store.listRailEntries(this.tenantId, {
      ...(connectionId === undefined ? {} : { connectionId }),
      limit: 10_000,
    });
    return entries.map((entry) => entry.state);
  }

  openHolds() {
    return this.store.listHolds(this.tenantId, { state: "open", limit: 100 });
  }
}
