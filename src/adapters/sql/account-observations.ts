import type { ObservedAccount } from "../../accounts/account-store.ts";
import type { ObservedGrant, VendorObject } from "../../model/account.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import { listText, type Answer, type Asked } from "./account-args.ts";
import {
  grantColumns,
  observedColumns,
  toGrant,
  toObserved,
  type GrantRow,
  type ObservedRow,
} from "./account-rows.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";
import {
  knownAccounts,
  markGone,
  storeAccount,
  writeLook,
  type Place,
} from "./observed-accounts.ts";

export function* recordLook(db: Database, { tenantId, command }: Asked<"recordLook">): Steps<null> {
  yield* writeLook(db, { tenantId, connectionId: command.connectionId }, command);
  return null;
}

export function* recordListing(
  db: Database,
  { tenantId, command }: Asked<"recordListing">,
): Steps<Answer<"recordListing">> {
  const place = { tenantId, connectionId: command.connectionId };
  const { listingId, now } = command;
  yield* db.tell(
    "UPDATE lanes SET listing_id = ?1, listing_started_at = ?2 WHERE tenant_id = ?3 AND connection_id = ?4 AND listing_id IS DISTINCT FROM ?1",
    listingId,
    now,
    tenantId,
    command.connectionId,
  );
  const known = yield* knownAccounts(db, place, command.accounts);
  const fresh: AccountId[] = [];
  for (const account of command.accounts) {
    const before = known.get(account.accountId);
    if (yield* storeAccount(db, place, account, before, listingId, now))
      fresh.push(account.accountId);
  }
  return fresh;
}

interface ListingRow {
  readonly listing_id: string | null;
  readonly listing_started_at: Instant | null;
  readonly listing_count: number | null;
}

/** A fall by this many accounts is never implausible, however small the connection is. */
const shrinkFloor = 3;

export function* finishListing(
  db: Database,
  { tenantId, command }: Asked<"finishListing">,
): Steps<Answer<"finishListing">> {
  const place = { tenantId, connectionId: command.connectionId };
  const lane = yield* db.get<ListingRow>(
    `SELECT listing_id, listing_started_at, listing_count FROM lanes WHERE tenant_id = ? AND connection_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    command.connectionId,
  );
  if (lane === undefined)
    throw new StoreError("NOT_FOUND", `there is no lane ${command.connectionId}`);
  const previousCount = lane.listing_count ?? undefined;
  const fall = (previousCount ?? 0) - command.count;
  if (fall > shrinkFloor && fall > (previousCount ?? 0) * command.shrinkMax)
    return { implausible: true, previousCount, gone: [] };
  // An account that was first seen by a look while the pages came may have missed its page.
  const startedAt =
    lane.listing_id === command.listingId ? (lane.listing_started_at ?? command.now) : command.now;
  const missing = yield* db.all<{ account_id: string }>(
    `SELECT account_id FROM observed_accounts WHERE tenant_id = ? AND connection_id = ? AND gone = 0 AND listing_id IS DISTINCT FROM ? AND read_at < ? ORDER BY account_id ${db.dialect.forUpdate}`,
    tenantId,
    command.connectionId,
    command.listingId,
    startedAt,
  );
  for (const row of missing) yield* markGone(db, place, row.account_id, command.now);
  yield* db.tell(
    "UPDATE lanes SET listing_count = ? WHERE tenant_id = ? AND connection_id = ?",
    command.count,
    tenantId,
    command.connectionId,
  );
  return {
    implausible: false,
    previousCount,
    gone: missing.map((row) => asId<AccountId>(row.account_id)),
  };
}

export const listObserved: Query<Asked<"listObserved">, readonly ObservedAccount[]> = {
  place: ({ command }) => (command.accountIds === undefined ? "scan" : "point"),
  *run(db, { tenantId, command }) {
    const conditions = ["o.tenant_id = ?", "o.connection_id = ?"];
    const parameters: string[] = [tenantId, command.connectionId];
    const add = (sql: string, value: string) => {
      conditions.push(sql);
      parameters.push(value);
    };
    if (command.accountIds !== undefined)
      add(
        `o.account_id IN (SELECT value FROM ${db.dialect.values("list")})`,
        listText(command.accountIds),
      );
    if (command.emails !== undefined)
      add(
        `o.account_id IN (SELECT e.account_id FROM observed_emails e WHERE e.tenant_id = o.tenant_id AND e.connection_id = o.connection_id AND e.email IN (SELECT value FROM ${db.dialect.values("list")}))`,
        listText(command.emails),
      );
    if (command.unlinkedOnly === true) conditions.push("o.linked = 0");
    if (command.includeGone !== true) conditions.push("o.gone = 0");
    if (command.after !== undefined) add("o.account_id > ?", command.after);
    return (yield* db.all<ObservedRow>(
      `SELECT ${observedColumns} FROM observed_accounts o WHERE ${conditions.join(" AND ")} ORDER BY o.account_id LIMIT ?`,
      ...parameters,
      command.limit,
    )).map(toObserved);
  },
};

type GrantItem = ObservedGrant & { readonly accountId: AccountId; readonly readAt: Instant };

export const listObservedGrants: Query<
  Place & { readonly accountIds: readonly string[] },
  readonly GrantItem[]
> = {
  place: "point",
  *run(db, { tenantId, connectionId, accountIds }) {
    return (yield* db.all<GrantRow>(
      `SELECT ${grantColumns} FROM observed_grants g WHERE g.tenant_id = ? AND g.connection_id = ? AND g.account_id IN (SELECT value FROM ${db.dialect.values("list")}) ORDER BY g.account_id, g.kind, g.object_id`,
      tenantId,
      connectionId,
      listText(accountIds),
    )).map((row) => ({ ...toGrant(row), readAt: row.read_at }));
  },
};

export const countObserved: Query<Place & { readonly roles: readonly string[] }, number> = {
  place: "point",
  *run(db, { tenantId, connectionId, roles }) {
    return (
      (yield* db.get<{ count: number }>(
        `SELECT count(*) AS count FROM observed_accounts WHERE tenant_id = ? AND connection_id = ? AND role IN (SELECT value FROM ${db.dialect.values("list")}) AND state = 'active' AND gone = 0`,
        tenantId,
        connectionId,
        listText(roles),
      ))?.count ?? 0
    );
  },
};

interface ObjectRow {
  readonly kind: string;
  readonly object_id: string;
  readonly name: string;
  readonly archived: number;
  readonly manageable: number;
}

export function* recordObjects(
  db: Database,
  { tenantId, command }: Asked<"recordObjects">,
): Steps<Answer<"recordObjects">> {
  const place = { tenantId, connectionId: command.connectionId };
  const lanes = yield* db.run(
    "UPDATE lanes SET objects_read_at = ? WHERE tenant_id = ? AND connection_id = ?",
    command.now,
    tenantId,
    command.connectionId,
  );
  if (lanes === 0) throw new StoreError("NOT_FOUND", `there is no lane ${command.connectionId}`);
  const wanted = new Map(command.objects.map((item) => [objectKey(item), item]));
  const known = new Map((yield* objectsOf(db, place)).map((item) => [objectKey(item), item]));
  let changed = false;
  for (const [key, item] of known) {
    if (wanted.has(key)) continue;
    changed = true;
    yield* db.tell(
      "DELETE FROM vendor_objects WHERE tenant_id = ? AND connection_id = ? AND kind = ? AND object_id = ?",
      tenantId,
      command.connectionId,
      item.kind,
      item.objectId,
    );
  }
  for (const [key, item] of wanted) {
    const before = known.get(key);
    if (before !== undefined && sameObject(before, item)) continue;
    changed = true;
    yield* db.tell(
      `INSERT INTO vendor_objects (tenant_id, connection_id, kind, object_id, name, archived, manageable) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant_id, connection_id, kind, object_id) DO UPDATE SET name = excluded.name, archived = excluded.archived, manageable = excluded.manageable`,
      tenantId,
      command.connectionId,
      item.kind,
      item.objectId,
      item.name,
      item.archived,
      item.manageable,
    );
  }
  return { changed };
}

const objectKey = (item: VendorObject) => `${item.kind}\n${item.objectId}`;

function sameObject(a: VendorObject, b: VendorObject): boolean {
  return a.name === b.name && a.archived === b.archived && a.manageable === b.manageable;
}

function* objectsOf(db: Database, place: Place): Steps<readonly VendorObject[]> {
  return (yield* db.all<ObjectRow>(
    "SELECT kind, object_id, name, archived, manageable FROM vendor_objects WHERE tenant_id = ? AND connection_id = ? ORDER BY kind, object_id",
    place.tenantId,
    place.connectionId,
  )).map((row) => ({
    kind: row.kind,
    objectId: row.object_id,
    name: row.name,
    archived: row.archived === 1,
    manageable: row.manageable === 1,
  }));
}

export const listObjects: Query<Place, Answer<"listObjects">> = {
  place: "point",
  *run(db, place) {
    return {
      readAt:
        (yield* db.get<{ objects_read_at: Instant | null }>(
          "SELECT objects_read_at FROM lanes WHERE tenant_id = ? AND connection_id = ?",
          place.tenantId,
          place.connectionId,
        ))?.objects_read_at ?? undefined,
      objects: yield* objectsOf(db, place),
    };
  },
};
