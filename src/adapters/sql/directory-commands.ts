import { isDeepStrictEqual } from "node:util";
import type { IdpConnection, Tenant } from "../../directory/directory-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { AccessException } from "../../model/identity.ts";
import type { IdpId, TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";

interface Write {
  readonly tenantId: TenantId;
  readonly now: Instant;
  readonly also: Also;
}

export const directoryCommands = {
  createTenant,
  createIdp,
  setIdpLoaded,
  replaceFileExceptions,
  addException,
  withdrawException,
};

export function* createTenant(db: Database, args: Write): Steps<Tenant> {
  const { tenantId, now } = args;
  yield* db.tell("INSERT INTO tenants (tenant_id, created_at) VALUES (?, ?)", tenantId, now);
  yield* writeAlso(db, tenantId, args.also, now);
  return { tenantId, createdAt: now };
}

export function* createIdp(
  db: Database,
  args: Write & { readonly idpId: IdpId; readonly kind: IdpConnection["kind"] },
): Steps<IdpConnection> {
  const { tenantId, idpId, kind, now } = args;
  yield* db.tell(
    "INSERT INTO idps (tenant_id, idp_id, kind, created_at) VALUES (?, ?, ?, ?)",
    tenantId,
    idpId,
    kind,
    now,
  );
  yield* writeAlso(db, tenantId, args.also, now);
  return {
    tenantId,
    idpId,
    kind,
    loadedAt: undefined,
    lastRequestAt: undefined,
    userCount: 0,
    groupCount: 0,
    createdAt: now,
  };
}

export function* setIdpLoaded(
  db: Database,
  args: Write & { readonly idpId: IdpId; readonly loadedAt: Instant | undefined },
): Steps<null> {
  const { tenantId, idpId } = args;
  const loadedAt = args.loadedAt ?? null;
  const idp = yield* db.get<{ loaded_at: number | null }>(
    `SELECT loaded_at FROM idps WHERE tenant_id = ? AND idp_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    idpId,
  );
  if (idp === undefined) throw noIdp(idpId);
  if (idp.loaded_at === loadedAt) return null;
  yield* db.tell(
    "UPDATE idps SET loaded_at = ? WHERE tenant_id = ? AND idp_id = ?",
    loadedAt,
    tenantId,
    idpId,
  );
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

function noIdp(idpId: IdpId): StoreError {
  return new StoreError("NOT_FOUND", `there is no IdP connection ${idpId}`);
}

export function* replaceFileExceptions(
  db: Database,
  args: Write & { readonly exceptions: readonly AccessException[] },
): Steps<{ readonly changed: number }> {
  const { tenantId } = args;
  const wanted = new Map(args.exceptions.map((item) => [item.exceptionId, item]));
  yield* db.lock("SELECT 1 FROM tenants WHERE tenant_id = ? FOR NO KEY UPDATE", tenantId);
  const stored = new Map(
    (yield* db.all<{ exception_id: string; document: string }>(
      "SELECT exception_id, document FROM access_exceptions WHERE tenant_id = ? AND source = 'file'",
      tenantId,
    )).map((row) => [row.exception_id, JSON.parse(row.document) as AccessException]),
  );
  let changed = 0;
  for (const exceptionId of stored.keys()) {
    if (wanted.has(exceptionId)) continue;
    yield* removeException(db, tenantId, exceptionId);
    changed += 1;
  }
  for (const [exceptionId, exception] of wanted) {
    if (isDeepStrictEqual(stored.get(exceptionId), exception)) continue;
    if (stored.has(exceptionId)) yield* replaceException(db, tenantId, exception);
    else yield* insertException(db, tenantId, exception);
    changed += 1;
  }
  if (changed > 0) yield* writeAlso(db, tenantId, args.also, args.now);
  return { changed };
}

export function* addException(
  db: Database,
  args: Write & { readonly exception: AccessException },
): Steps<null> {
  yield* insertException(db, args.tenantId, args.exception);
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

export function* withdrawException(
  db: Database,
  args: Write & { readonly exceptionId: string },
): Steps<null> {
  if ((yield* removeException(db, args.tenantId, args.exceptionId)) === 0) {
    throw new StoreError("NOT_FOUND", `there is no exception ${args.exceptionId}`);
  }
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

export function* insertException(
  db: Database,
  tenantId: TenantId,
  exception: AccessException,
): Steps<void> {
  yield* db.tell(
    "INSERT INTO access_exceptions (tenant_id, exception_id, person, source, document) VALUES (?, ?, ?, ?, ?)",
    tenantId,
    exception.exceptionId,
    exception.person,
    exception.source,
    documentText(exception),
  );
}

/** The same exception in other words: what was taken over for its sake stays. */
export function* replaceException(
  db: Database,
  tenantId: TenantId,
  exception: AccessException,
): Steps<void> {
  yield* deleteException(db, tenantId, exception.exceptionId);
  yield* insertException(db, tenantId, exception);
}

/**
 * The end of an exception. What was taken over only so that a denial could take it is foreign again: with the row left behind, a plan
 * would remove what nobody of ours gave.
 */
export function* removeException(
  db: Database,
  tenantId: TenantId,
  exceptionId: string,
): Steps<number> {
  const row = yield* db.get<{ readonly document: string }>(
    "SELECT document FROM access_exceptions WHERE tenant_id = ? AND exception_id = ?",
    tenantId,
    exceptionId,
  );
  if (row === undefined) return 0;
  const { effect, connectionId, person } = JSON.parse(row.document) as AccessException;
  if (effect === "deny")
    // Only a denial that names the identity itself takes over.
    yield* db.tell(
      "DELETE FROM ledger WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND origin = 'adopted' AND because = ?",
      tenantId,
      connectionId,
      person,
      documentText([`exception:${exceptionId}`]),
    );
  return yield* deleteException(db, tenantId, exceptionId);
}

function* deleteException(db: Database, tenantId: TenantId, exceptionId: string): Steps<number> {
  return yield* db.run(
    "DELETE FROM access_exceptions WHERE tenant_id = ? AND exception_id = ?",
    tenantId,
    exceptionId,
  );
}
