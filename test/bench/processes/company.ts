import { openPostgresStore } from "../../../src/adapters/postgres/postgres-store.ts";
import { openSqliteStore } from "../../../src/adapters/sqlite/sqlite-store.ts";
import type { Store } from "../../../src/adapters/store.ts";
import { ensureToken } from "../../../src/credentials/tokens.ts";
import type { Clock } from "../../../src/model/clock.ts";
import {
  asId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../../src/model/ids.ts";
import { personBody, userNameOf } from "../people.ts";
import { teamName } from "../rule-book.ts";

export const tenantId = asId<TenantId>("bench");
export const idpId = asId<IdpId>("okta");
/** Of the only IdP connection; made valid by `openTenant`. */
export const scimToken = "bench-token-for-scim-of-the-bench";

const nothing = { records: [], recompute: [] } as const;

const idOf = (kind: string, at: number) =>
  `0190000${kind}-0000-7000-8000-${at.toString(16).padStart(12, "0")}`;

/** Ids that follow from the number: clients need no look-up. */
export const sourceUserIdOf = (at: number) => asId<SourceUserId>(idOf("a", at));
export const identityIdOf = (at: number) => asId<IdentityId>(idOf("b", at));
export const groupIdOf = (at: number) => asId<GroupId>(idOf("c", at));
/** A group of everybody, and one of the first ten. */
export const everybodyId = asId<GroupId>(idOf("d", 1));
export const tenId = asId<GroupId>(idOf("d", 2));

/** Opens a store, in a folder or in PostgreSQL, with the tenant, its IdP connection and its token there, made where they are missing. */
export async function openTenant(folder: string, clock: Clock, database?: string): Promise<Store> {
  const store =
    database === undefined
      ? await openSqliteStore({ folder, world: "test", clock })
      : await openPostgresStore({ url: database, connectionsMax: 10, world: "test", clock });
  const now = clock.now();
  if ((await store.listTenants()).length === 0) {
    await store.createTenant(tenantId, { now }, nothing);
    await store.createIdp(tenantId, { idpId, kind: "okta", now }, nothing);
    await store.setIdpLoaded(tenantId, { idpId, loadedAt: now }, nothing);
  }
  await ensureToken(
    { store, clock },
    tenantId,
    { kind: "scim", idpId, label: "bench", expiresAt: undefined },
    scimToken,
    { kind: "system", id: "bench" },
  );
  return store;
}

/** People in a hundredth as many groups of a hundred, one group of everybody and one of ten. No marks, no records: history is not asked for. */
export async function fillCompany(store: Store, clock: Clock, people: number): Promise<void> {
  let next = 0;
  // As many callers as one commit takes.
  await Promise.all(
    Array.from({ length: 512 }, async () => {
      while (next < people) await fillPerson(store, clock, next++);
    }),
  );
  const memberCause = { kind: "scim.group" } as const;
  const group = (groupId: GroupId, displayName: string, members: readonly number[]) =>
    store.createGroup(
      tenantId,
      {
        idpId,
        groupId,
        displayName,
        externalId: undefined,
        memberIds: members.map(sourceUserIdOf),
        memberCause,
        now: clock.now(),
      },
      nothing,
    );
  for (let at = 0; at < Math.ceil(people / 100); at++) {
    await group(
      groupIdOf(at),
      teamName(at),
      upTo(100).map((of) => (at * 100 + of) % people),
    );
  }
  await group(tenId, "Ten", upTo(Math.min(10, people)));
  await group(everybodyId, "Everybody", upTo(people));
}

export const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);

async function fillPerson(store: Store, clock: Clock, at: number): Promise<void> {
  const { schemas: _schemas, ...resource } = personBody(at);
  await store.createUser(
    tenantId,
    {
      idpId,
      sourceUserId: sourceUserIdOf(at),
      identityId: identityIdOf(at),
      user: {
        userName: userNameOf(at),
        externalId: resource["externalId"] as string,
        displayName: resource["displayName"] as string,
        active: true,
        emails: [userNameOf(at)],
        resource,
      },
      now: clock.now(),
    },
    nothing,
  );
}
