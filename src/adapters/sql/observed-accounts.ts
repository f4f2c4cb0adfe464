import type { LookRecord } from "../../accounts/account-store.ts";
import type { VendorAccount } from "../../model/account.ts";
import type { Instant } from "../../model/clock.ts";
import { listText } from "./account-args.ts";
import { lockCounted } from "./account-rails.ts";
import { documentText, type Database, type Steps } from "./database.ts";

export interface Place {
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
  readonly read_at: Instant;
}

/**
 * What is stored of accounts, locked. Whether an account is linked is written by whoever comes second, the account or its link: links
 * change their lane's row, so accounts that are new take it before they look; and before rows of accounts, as everybody does who takes both.
 */
export function* knownAccounts(
  db: Database,
  place: Place,
  accounts: readonly VendorAccount[],
  laneHeld = false,
): Steps<ReadonlyMap<string, KnownRow>> {
  if (accounts.length === 0) return new Map();
  const ids = [...new Set(accounts.map((account) => account.accountId))];
  const read = (lock: string) =>
    db.all<KnownRow>(
      `SELECT account_id, email, other_emails, state, role, gone, read_at FROM ${db.dialect.values("ids")} CROSS JOIN observed_accounts
       WHERE tenant_id = ? AND connection_id = ? AND account_id = ids.value ORDER BY account_id ${lock}`,
      listText(ids),
      place.tenantId,
      place.connectionId,
    );
  const locked = () => read(db.dialect.concurrent ? "FOR NO KEY UPDATE OF observed_accounts" : "");
  const asksLane = db.dialect.concurrent && !laneHeld;
  // One account is there, or no row is locked yet; of several some may be there and others new.
  let rows = asksLane && ids.length > 1 ? yield* read("") : yield* locked();
  if (asksLane && rows.length < ids.length)
    yield* lockCounted(db, place.tenantId, false, [place.connectionId]);
  if (asksLane && (ids.length > 1 || rows.length < ids.length)) rows = yield* locked();
  return new Map(rows.map((row) => [row.account_id, row]));
}

/** Stores one account as it was read now. Answers whether it is new, was gone, or differs in state, role or address. */
export function* storeAccount(
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
export function* markGone(
  db: Database,
  place: Place,
  accountId: string,
  now: Instant,
): Steps<boolean> {
  const key = [place.tenantId, place.connectionId, accountId] as const;
  const marked = yield* db.run(
    `UPDATE observed_accounts SET gone = 1, read_at = ? WHERE ${byAccount} AND gone = 0 AND read_at <= ?`,
    now,
    ...key,
    now,
  );
  if (marked === 0) return false;
  yield* db.tell(`DELETE FROM observed_grants WHERE ${byAccount}`, ...key);
  return true;
}

/**
 * A look is stored with what follows from it, which may be long after it: what somebody read since stays. `laneHeld`: the command has locked the lane's row
 * already, so that no link of it changes.
 */
export function* writeLook(
  db: Database,
  place: Place,
  look: LookRecord,
  laneHeld = false,
): Steps<void> {
  const known = yield* knownAccounts(db, place, look.accounts, laneHeld);
  const isOld = (accountId: string) => Number(known.get(accountId)?.read_at ?? 0) > look.now;
  for (const account of look.accounts.filter(({ accountId }) => !isOld(accountId)))
    yield* storeAccount(db, place, account, known.get(account.accountId), null, look.now);
  let gone = 0;
  for (const accountId of look.gone) {
    if (yield* markGone(db, place, accountId, look.now)) gone += 1;
  }
  if (gone > 0) {
    // What a look showed to be gone is no loss that the next listing has to explain.
    yield* db.tell(
      `UPDATE lanes SET listing_count = ${db.dialect.greatest("0", "listing_count - ?")} WHERE tenant_id = ? AND connection_id = ? AND listing_count IS NOT NULL`,
      gone,
      place.tenantId,
      place.connectionId,
    );
  }
  // A listing may have read the account since, and reads no grants: those have times of their own.
  const isGone = (accountId: string) => known.get(accountId)?.gone === 1 && isOld(accountId);
  for (const item of look.grants.filter(({ accountId }) => !isGone(accountId))) {
    const key = [place.tenantId, place.connectionId, item.accountId] as const;
    for (const slot of item.asked) {
      yield* db.tell(
        `DELETE FROM observed_grants WHERE ${byAccount} AND kind = ? AND object_id = ? AND read_at <= ?`,
        ...key,
        slot.kind,
        slot.objectId,
        look.now,
      );
    }
    for (const grant of item.held) {
      yield* db.tell(
        `INSERT INTO observed_grants (tenant_id, connection_id, account_id, kind, object_id, role, implicit, read_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (tenant_id, connection_id, account_id, kind, object_id) DO UPDATE SET role = excluded.role, implicit = excluded.implicit, read_at = excluded.read_at
           WHERE observed_grants.read_at <= excluded.read_at`,
        ...key,
        grant.kind,
        grant.objectId,
        grant.role,
        grant.implicit,
        look.now,
      );
    }
  }
}
