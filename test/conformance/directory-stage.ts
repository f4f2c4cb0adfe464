import { afterAll, beforeAll, beforeEach } from "vitest";
import type {
  Group,
  MemberChange,
  MembersChanged,
  SourceUser,
  SourceUserDraft,
} from "../../src/directory/directory-store.ts";
import type { DirectoryField, DirectoryQuery } from "../../src/directory/query.ts";
import type { Store } from "../../src/adapters/store.ts";
import { StoreError, type StoreErrorCode } from "../../src/model/errors.ts";
import {
  asId,
  newId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../src/model/ids.ts";
import { newRecord, type Also, type AuditRecord, type Cause } from "../../src/model/records.ts";
import { fakeClock, type FakeClock } from "../support/fake-clock.ts";
import { addTenant, noAlso, type TestStore } from "../support/store.ts";
import type { OpenStore } from "./account-stage.ts";

/**
 * One store for all tests of a suite, and a tenant of its own for each: opening a database is the dearest part. Suites that ask
 * about all tenants at once open a store for each test instead.
 */
export function tenantForEach(open: OpenStore, use: (stage: DirectoryStage) => void): void {
  let clock: FakeClock;
  let opened: TestStore;
  let count = 0;
  beforeAll(async () => {
    clock = fakeClock();
    opened = await open(clock);
  });
  beforeEach(async () => {
    count += 1;
    const names = { tenant: `acme-${String(count)}` };
    const { tenantId, idpId } = await addTenant(opened.store, clock.now(), names);
    use(new DirectoryStage(clock, opened, tenantId, idpId));
  });
  afterAll(() => opened.dispose());
}

export const memberCause: Cause = { kind: "scim.group", key: "scim.group:g" };

/** A store with a tenant and one IdP connection, and hands that do what SCIM does. */
export class DirectoryStage {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly #opened: TestStore;
  #made = 0;

  static async open(open: OpenStore): Promise<DirectoryStage> {
    const clock = fakeClock();
    const opened = await open(clock);
    const { tenantId, idpId } = await addTenant(opened.store, clock.now());
    return new DirectoryStage(clock, opened, tenantId, idpId);
  }

  constructor(clock: FakeClock, opened: TestStore, tenantId: TenantId, idpId: IdpId) {
    this.clock = clock;
    this.store = opened.store;
    this.tenantId = tenantId;
    this.idpId = idpId;
    this.#opened = opened;
  }

  get now(): number {
    return this.clock.now();
  }

  /** Ids that sort in the order of their making, within one instant too. */
  newId<Id extends ReturnType<typeof newId>>(): Id {
    this.#made += 1;
    const now = this.clock.now() + this.#made;
    return newId<Id>({ ...this.clock, now: () => now });
  }

  dispose(): Promise<void> {
    return this.#opened.dispose();
  }

  /** Another tenant on the same store, with an IdP connection of the same name. */
  async neighbour(): Promise<DirectoryStage> {
    const { tenantId, idpId } = await addTenant(this.store, this.now, {
      tenant: `${this.tenantId}-next`,
    });
    return new DirectoryStage(this.clock, this.#opened, tenantId, idpId);
  }

  /** A second IdP connection of the same tenant. */
  async otherIdp(idp = "entra"): Promise<DirectoryStage> {
    const idpId = asId<IdpId>(idp);
    await this.store.createIdp(this.tenantId, { idpId, kind: "entra", now: this.now }, noAlso);
    return new DirectoryStage(this.clock, this.#opened, this.tenantId, idpId);
  }

  draft(userName: string, change: Partial<SourceUserDraft> = {}): SourceUserDraft {
    return {
      userName,
      externalId: undefined,
      displayName: undefined,
      active: true,
      emails: [],
      resource: { userName },
      ...change,
    };
  }

  addUser(
    userName: string,
    change: Partial<SourceUserDraft> = {},
    also: Also = noAlso,
  ): Promise<SourceUser> {
    return this.store.createUser(
      this.tenantId,
      {
        idpId: this.idpId,
        sourceUserId: this.newId<SourceUserId>(),
        identityId: this.newId<IdentityId>(),
        user: this.draft(userName, change),
        now: this.now,
      },
      also,
    );
  }

  replaceUser(
    user: SourceUser,
    change: Partial<SourceUserDraft>,
    also: Also = noAlso,
    expect = user.version,
  ): Promise<SourceUser> {
    const { sourceUserId, userName, externalId, active, resource } = user;
    return this.store.replaceUser(
      this.tenantId,
      {
        idpId: this.idpId,
        sourceUserId,
        expect,
        user: this.draft(userName, { externalId, active, resource, ...change }),
        now: this.now,
      },
      also,
    );
  }

  deleteUser(user: SourceUser, also: Also = noAlso, expect?: number): Promise<void> {
    const { sourceUserId } = user;
    return this.store.deleteUser(
      this.tenantId,
      { idpId: this.idpId, sourceUserId, expect, now: this.now },
      also,
    );
  }

  addGroup(
    displayName: string,
    memberIds: readonly string[] = [],
    also: Also = noAlso,
    externalId?: string,
  ): Promise<{ readonly group: Group; readonly members: MembersChanged }> {
    return this.store.createGroup(
      this.tenantId,
      {
        idpId: this.idpId,
        groupId: this.newId<GroupId>(),
        displayName,
        externalId,
        memberIds,
        memberCause,
        now: this.now,
      },
      also,
    );
  }

  updateGroup(
    groupId: GroupId,
    change: Partial<Parameters<Store["updateGroup"]>[1]>,
    also: Also = noAlso,
  ): Promise<{ readonly group: Group; readonly members: MembersChanged }> {
    return this.store.updateGroup(
      this.tenantId,
      {
        idpId: this.idpId,
        groupId,
        expect: undefined,
        memberChanges: [],
        memberCause,
        now: this.now,
        ...change,
      },
      also,
    );
  }

  changeMembers(groupId: GroupId, ...memberChanges: readonly MemberChange[]) {
    return this.updateGroup(groupId, { memberChanges });
  }

  deleteGroup(groupId: GroupId, also: Also = noAlso, expect?: number): Promise<void> {
    return this.store.deleteGroup(
      this.tenantId,
      { idpId: this.idpId, groupId, expect, now: this.now },
      also,
    );
  }

  getUser(user: Pick<SourceUser, "sourceUserId">): Promise<SourceUser | undefined> {
    return this.store.getUser(this.tenantId, this.idpId, user.sourceUserId);
  }

  getGroup(groupId: GroupId): Promise<Group | undefined> {
    return this.store.getGroup(this.tenantId, this.idpId, groupId);
  }

  async memberIds(groupId: GroupId): Promise<readonly string[]> {
    const members = await this.store.listMembers(this.tenantId, groupId, {
      after: undefined,
      limit: 10_000,
    });
    return members.map((member) => member.memberId);
  }

  /** What a command carries: one record and a mark for each of these people. */
  also(action: string, ...identityIds: readonly IdentityId[]): Also {
    return {
      records: [this.record(action)],
      recompute: identityIds.map((identityId) => ({
        identityId,
        cause: { kind: "scim.user" } as const,
        urgent: false,
      })),
    };
  }

  record(action: string, change: Partial<AuditRecord> = {}): AuditRecord {
    const made = newRecord(this.clock, {
      actor: { kind: "idp", id: this.idpId },
      action,
      subject: { type: "idp", id: this.idpId },
      facts: {},
    });
    return { ...made, ...change };
  }

  /** Actions of all records, oldest first. */
  async actions(): Promise<readonly string[]> {
    const records = await this.store.findRecords(this.tenantId, { limit: 10_000 });
    return records.map(({ record }) => record.action).toReversed();
  }

  /** How often each of these people was wanted. */
  async wanted(...people: readonly { readonly identityId: IdentityId }[]): Promise<number[]> {
    const marks = await this.store.readMarks(
      this.tenantId,
      people.map(({ identityId }) => identityId),
    );
    const byId = new Map(marks.map((mark) => [mark.identityId, mark.wanted]));
    return people.map(({ identityId }) => byId.get(identityId) ?? 0);
  }

  async facts(identityId: IdentityId) {
    const [facts] = await this.store.readIdentities(this.tenantId, [identityId]);
    if (facts === undefined) throw new Error(`there is no identity ${identityId}`);
    return facts;
  }

  /** userNames of the people that a question finds, in the order of the answer. */
  async find(query: DirectoryQuery): Promise<readonly string[]> {
    const page = await this.store.listUsers(this.tenantId, this.idpId, query, firstPage);
    if (page.total !== page.items.length) throw new Error(`total says ${String(page.total)}`);
    return page.items.map((user) => user.userName);
  }
}

export const firstPage = { startIndex: 1, count: 1_000, sort: undefined } as const;

type Compare = Extract<DirectoryQuery, { op: "compare" }>;

/** `where("userName", "co", "ada")`; a list is a path into the resource. */
export function where(
  field: Extract<DirectoryField, { column: string }>["column"] | readonly string[],
  test: Compare["test"],
  value: Compare["value"],
  exact = false,
): Compare {
  const isColumn = typeof field === "string";
  return {
    op: "compare",
    field: isColumn ? { column: field } : { resource: field },
    test,
    value,
    exact,
  };
}

/** What a refused command threw: its code, and its field where one is told. */
export async function refusal(
  running: Promise<unknown>,
): Promise<StoreErrorCode | `${StoreErrorCode} ${string}`> {
  try {
    await running;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return error.field === undefined ? error.code : `${error.code} ${error.field}`;
  }
  throw new Error("the command was not refused");
}
