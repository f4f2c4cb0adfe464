import type { ObservedAccount } from "../../accounts/account-store.ts";
import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
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
import { lockCounted } from "./account-rails.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Query } from "./engine.ts";

interface Place {
  readonly tenantId: string;
  readonly connectionId: string;
}

const byAccount = "tenant_id = ? AND connection_id = ? AND account_id = ?";

interface KnownRow {
  readonly account_id: string;
  readonly email: string;
  readonly other_emails: string;
  readonly state: string;
  readonly role: string;
  readonly gone: number;
}

/**
 * What is stored of accounts, locked. Whether an account is linked is written by whoever comes second, the account or its link: links
 * change their lane's row, so accounts that are new take it before they look.
 */
function* knownAccounts(
  db: Database,
  place: Place,
  accounts: readonly VendorAccount[],
): Steps<ReadonlyMap<string, KnownRow>> {
  if (accounts.length === 0) return new Map();
  const ids = [...new Set(accounts.map((account) => account.accountId))];
  const read = () =>
    db.all<KnownRow>(
      `SELECT account_id, email, other_emails, state, role, gone FROM ${db.dialect.values("ids")} CROSS JOIN observed_accounts
       WHERE tenant_id = ? AND connection_id = ? AND account_id = ids.value ORDER BY account_id ${db.dialect.concurrent ? "FOR NO KEY UPDATE OF observed_accounts" : ""}`,
      listText(ids),
      place.tenantId,
      place.connectionId,
    );
  let rows = yield* read();
  if (rows.length < ids.length && db.dialect.concurrent) {
    yield* lockCounted(db, place.tenantId, false, [place.connectionId]);
    rows = yield* read();
  }
  return new Map(rows.map((row) => [row.account_id, row]));
}

/** Stores one account as it was read now. Answers whether it is new, was gone, or differs in state, role or address. */
function* storeAccount(
  db: Database,
  place: Place,
  account: VendorAccount,
  known: KnownRow | undefined,
  listingId: string | null,
  now: Instant,
): Steps<boolean> {
  const key = [place.tenantId, place.connectionId, account.accountId] as const;
  const others = documentText(account.otherEmails);
  yield* db.tell(
    `INSERT INTO observed_accounts (tenant_id, connection_id, account_id, email, other_emails, state, role, display_name, created_at, expires_at, read_at, listing_id, gone, linked)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0,
       CASE WHEN EXISTS (SELECT 1 FROM links WHERE tenant_id = ?1 AND connection_id = ?2 AND account_id = ?3) THEN 1 ELSE 0 END)
     ON CONFLICT (tenant_id, connection_id, account_id) DO UPDATE SET
       email = ?4, other_emails = ?5, state = ?6, role = ?7, display_name = ?8, created_at = ?9, expires_at = ?10, read_at = ?11, listing_id = coalesce(?12, observed_accounts.listing_id), gone = 0`,
    ...key,
    account.email,
    others,
    account.state,
    account.role,
    account.displayName ?? null,
    account.createdAt ?? null,
    account.expiresAt ?? null,
    now,
    listingId,
  );
  const readdressed = known?.email !== account.email || known.other_emails !== others;
  if (readdressed) yield* storeEmails(db, key, [account.email, ...account.otherEmails]);
  return (
    readdressed || known.state !== account.state || known.role !== account.role || known.gone === 1
  );
}

function* storeEmails(
  db: Database,
  key: readonly [string, string, string],
  emails: readonly string[],
): Steps<void> {
  yield* db.tell(`DELETE FROM observed_emails WHERE ${byAccount}`, ...key);
  for (const email of new Set(emails)) {
    yield* db.tell(
      "INSERT INTO observed_emails (tenant_id, connection_id, account_id, email) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      ...key,
      email,
    );
  }
}

/** Answers whether the account was there before. What it held is gone with it. */
function* markGone(db: Database, place: Place, accountId: string, now: Instant): Steps<boolean> {
  const key = [place.tenantId, place.connectionId, accountId] as const;
  yield* db.tell(`DELETE FROM observed_grants WHERE ${byAccount}`, ...key);
  return (
    (yield* db.run(
      `UPDATE observed_accounts SET gone = 1, read_at = ? WHERE ${byAccount} AND gone = 0`,
      now,
      ...key,
    )) > 0
  );
}

export function* recordLook(db: Database, { tenantId, command }: Asked<"recordLook">): Steps<null> {
  const place = { tenantId, connectionId: command.connectionId };
  const known = yield* knownAccounts(db, place, command.accounts);
  for (const account of command.accounts)
    yield* storeAccount(db, place, account, known.get(account.accountId), null, command.now);
  let gone = 0;
  for (const accountId of command.gone) {
    if (yield* markGone(db, place, accountId, command.now)) gone += 1;
  }
  if (gone > 0) {
    // What a look showed to be gone is no loss that the next listing has to explain.
    yield* db.tell(
      `UPDATE lanes SET listing_count = ${db.dialect.greatest("0", "listing_count - ?")} WHERE tenant_id = ? AND connection_id = ? AND listing_count IS NOT NULL`,
      gone,
      tenantId,
      command.connectionId,
    );
  }
  for (const item of command.grants) {
    const key = [tenantId, command.connectionId, item.accountId] as const;
    for (const slot of item.asked) {
      yield* db.tell(
        `DELETE FROM observed_grants WHERE ${byAccount} AND kind = ? AND object_id = ?`,
        ...key,
        slot.kind,
        slot.objectId,
      );
    }
    for (const grant of item.held) {
      yield* db.tell(
        `INSERT INTO observed_grants (tenant_id, connection_id, account_id, kind, object_id, role, implicit, read_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (tenant_id, connection_id, account_id, kind, object_id) DO UPDATE SET role = excluded.role, implicit = excluded.implicit, read_at = excluded.read_at`,
        ...key,
        grant.kind,
        grant.objectId,
        grant.role,
        grant.implicit,
        command.now,
      );
    }
  }
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
