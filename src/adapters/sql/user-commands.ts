import { isDeepStrictEqual } from "node:util";
import type { SourceUserDraft } from "../../directory/directory-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { fold, foldEmail } from "../../model/fold.ts";
import type { IdentityId, IdpId, SourceUserId, TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import { countLive } from "./live-count.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import { endMemberships } from "./membership.ts";
import type { UserRow } from "./user-row.ts";

interface UserWrite {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly sourceUserId: SourceUserId;
  readonly now: Instant;
  readonly also: Also;
}

/** What the caller of a write does not know yet of the row. */
export interface UserStamp {
  readonly identityId: IdentityId;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export const userCommands = { createUser, replaceUser, deleteUser };

export function* createUser(
  db: Database,
  args: UserWrite & { readonly identityId: IdentityId; readonly user: SourceUserDraft },
): Steps<UserStamp> {
  const { tenantId, idpId, sourceUserId, identityId, user, now } = args;
  yield* db.tell(
    "INSERT INTO identities (tenant_id, identity_id, active, inactive_since, created_at) VALUES (?, ?, ?, ?, ?)",
    tenantId,
    identityId,
    user.active,
    user.active ? null : now,
    now,
  );
  yield* db.tell(
    `INSERT INTO users (tenant_id, source_user_id, idp_id, identity_id, user_name, user_name_folded, external_id,
       display_name, display_name_folded, active, version, created_at, updated_at, resource, employee_number)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)`,
    tenantId,
    sourceUserId,
    idpId,
    identityId,
    user.userName,
    fold(user.userName),
    user.externalId ?? null,
    user.displayName ?? null,
    user.displayName === undefined ? null : fold(user.displayName),
    user.active,
    now,
    now,
    documentText(user.resource),
    employeeNumberOf(user.resource),
  );
  yield* writeEmails(db, tenantId, sourceUserId, user.emails, new Map());
  yield* countLive(db, tenantId, idpId, { users: 1, id: sourceUserId });
  yield* writeAlso(db, tenantId, args.also, now);
  return { identityId, version: 1, createdAt: now, updatedAt: now };
}

export function* replaceUser(
  db: Database,
  args: UserWrite & { readonly expect: number; readonly user: SourceUserDraft },
): Steps<UserStamp> {
  const { tenantId, sourceUserId, user, now } = args;
  const row = yield* liveUser(db, args, args.expect);
  const stamp = { identityId: row.identity_id, createdAt: row.created_at };
  const resource = documentText(user.resource);
  const known = yield* knownEmails(db, tenantId, sourceUserId);
  if (isUnchanged(row, known, user, resource)) {
    return { ...stamp, version: row.version, updatedAt: row.updated_at };
  }
  yield* db.tell(
    `UPDATE users SET user_name = ?, user_name_folded = ?, external_id = ?, display_name = ?, display_name_folded = ?,
       active = ?, version = version + 1, updated_at = ?, resource = ?, employee_number = ?
     WHERE tenant_id = ? AND source_user_id = ?`,
    user.userName,
    fold(user.userName),
    user.externalId ?? null,
    user.displayName ?? null,
    user.displayName === undefined ? null : fold(user.displayName),
    user.active,
    now,
    resource,
    employeeNumberOf(user.resource),
    tenantId,
    sourceUserId,
  );
  yield* writeEmails(db, tenantId, sourceUserId, user.emails, known);
  if ((row.active === 1) !== user.active) yield* settleActive(db, tenantId, row.identity_id, now);
  yield* writeAlso(db, tenantId, args.also, now);
  return { ...stamp, version: row.version + 1, updatedAt: now };
}

export function* deleteUser(
  db: Database,
  args: UserWrite & { readonly expect: number | undefined },
): Steps<null> {
  const { tenantId, idpId, sourceUserId, now } = args;
  const row = yield* liveUser(db, args, args.expect);
  yield* endMemberships(db, tenantId, sourceUserId, now);
  yield* db.tell(
    "UPDATE users SET deleted_at = ?, version = version + 1, updated_at = ? WHERE tenant_id = ? AND source_user_id = ?",
    now,
    now,
    tenantId,
    sourceUserId,
  );
  yield* countLive(db, tenantId, idpId, { users: -1, id: sourceUserId });
  yield* settleActive(db, tenantId, row.identity_id, now);
  yield* writeAlso(db, tenantId, args.also, now);
  return null;
}

/** @throws StoreError NOT_FOUND, VERSION_CONFLICT */
function* liveUser(db: Database, args: UserWrite, expect: number | undefined): Steps<UserRow> {
  const row = yield* db.get<UserRow>(
    `SELECT * FROM users WHERE tenant_id = ? AND source_user_id = ? AND idp_id = ? AND deleted_at IS NULL ${db.dialect.forUpdate}`,
    args.tenantId,
    args.sourceUserId,
    args.idpId,
  );
  if (row === undefined) {
    throw new StoreError("NOT_FOUND", `there is no user ${args.sourceUserId}`);
  }
  if (expect !== undefined && expect !== row.version) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `user ${args.sourceUserId} has version ${String(row.version)}, not ${String(expect)}: read it again`,
    );
  }
  return row;
}

function isUnchanged(
  row: UserRow,
  known: Addresses,
  user: SourceUserDraft,
  resource: string,
): boolean {
  if (
    row.user_name !== user.userName ||
    row.external_id !== (user.externalId ?? null) ||
    row.display_name !== (user.displayName ?? null) ||
    (row.active === 1) !== user.active
  ) {
    return false;
  }
  const present = [...known].filter((item): item is [string, number] => item[1] !== null);
  const inOrder = present.toSorted((a, b) => a[1] - b[1]).map(([email]) => email);
  if (!isDeepStrictEqual(inOrder, folded(user.emails))) return false;
  // The order of keys says nothing in JSON.
  return (
    row.resource === resource || isDeepStrictEqual(JSON.parse(row.resource), JSON.parse(resource))
  );
}

/** Of the enterprise extension (RFC 7643 §4.3), as HR records are compared with it. */
function employeeNumberOf(resource: JsonObject): string | null {
  const extension = resource["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"];
  if (typeof extension !== "object" || extension === null || Array.isArray(extension)) return null;
  const number = (extension as JsonObject)["employeeNumber"];
  if (typeof number !== "string" && typeof number !== "number") return null;
  const text = fold(String(number).trim());
  return text === "" ? null : text;
}

function folded(emails: readonly string[]): readonly string[] {
  return [...new Set(emails.map(foldEmail))];
}

/** Every address that was ever sent, with its position; a former one has none. */
type Addresses = ReadonlyMap<string, number | null>;

function* knownEmails(
  db: Database,
  tenantId: TenantId,
  sourceUserId: SourceUserId,
): Steps<Addresses> {
  const rows = yield* db.all<{ email_folded: string; position: number | null }>(
    "SELECT email_folded, position FROM user_emails WHERE tenant_id = ? AND source_user_id = ?",
    tenantId,
    sourceUserId,
  );
  return new Map(rows.map((row) => [row.email_folded, row.position]));
}

/** Present addresses in their order; what was present before stays as a former address. */
function* writeEmails(
  db: Database,
  tenantId: TenantId,
  sourceUserId: SourceUserId,
  emails: readonly string[],
  known: Addresses,
): Steps<void> {
  const wanted = folded(emails);
  for (const [email, position] of known) {
    if (position === null || wanted.includes(email)) continue;
    yield* db.tell(
      "UPDATE user_emails SET position = NULL WHERE tenant_id = ? AND source_user_id = ? AND email_folded = ?",
      tenantId,
      sourceUserId,
      email,
    );
  }
  for (const [position, email] of wanted.entries()) {
    if (known.get(email) === position) continue;
    yield* db.tell(
      "INSERT INTO user_emails (tenant_id, source_user_id, email_folded, position) VALUES (?, ?, ?, ?) ON CONFLICT (tenant_id, source_user_id, email_folded) DO UPDATE SET position = excluded.position",
      tenantId,
      sourceUserId,
      email,
      position,
    );
  }
}

/** A person is active while one of their sources says so; the instant of leaving is noted once. */
function* settleActive(
  db: Database,
  tenantId: TenantId,
  identityId: IdentityId,
  now: Instant,
): Steps<void> {
  // Two sources of one person that fall silent at once: the second sees the first.
  yield* db.lock(
    "SELECT 1 FROM identities WHERE tenant_id = ? AND identity_id = ? FOR NO KEY UPDATE",
    tenantId,
    identityId,
  );
  const active =
    (yield* db.get(
      "SELECT 1 FROM users WHERE tenant_id = ? AND identity_id = ? AND deleted_at IS NULL AND active = 1",
      tenantId,
      identityId,
    )) !== undefined;
  yield* db.tell(
    "UPDATE identities SET active = ?, inactive_since = ? WHERE tenant_id = ? AND identity_id = ? AND active <> ?",
    active,
    active ? null : now,
    tenantId,
    identityId,
    active,
  );
}
