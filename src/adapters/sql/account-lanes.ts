import type { Lane, LaneChange, StopSwitch } from "../../accounts/lane.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import type { ConnectionPolicy } from "../../model/policy.ts";
import { parsed, parsedOrNull, type Answer, type Asked, type Commanded } from "./account-args.ts";
import { lockCounted } from "./account-rails.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type SqlValue, type Steps } from "./database.ts";
import type { Query } from "./engine.ts";

export function* upsertLane(
  db: Database,
  { tenantId, command, also }: Commanded<"upsertLane">,
): Steps<null> {
  yield* db.tell(
    `INSERT INTO lanes (tenant_id, connection_id, vendor, profile, credential, base_url, policy, state, own_account_ids) VALUES (?, ?, ?, ?, ?, ?, ?, 'open', '[]')
     ON CONFLICT (tenant_id, connection_id) DO UPDATE SET
       vendor = excluded.vendor, profile = excluded.profile, credential = excluded.credential, base_url = excluded.base_url, policy = excluded.policy`,
    tenantId,
    command.connectionId,
    command.vendor,
    command.profile,
    command.credential,
    command.baseUrl ?? null,
    documentText(command.policy),
  );
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

const laneColumns =
  "tenant_id, connection_id, vendor, profile, credential, base_url, policy, state, pause, organization, own_account_ids, checked_at, checked_credential, listed_at, next_list_at, breaker_until, probe_at, log_read_at, managed_accounts, open_invitations, (SELECT brake IS NOT NULL FROM stamp) AS braked";

interface LaneRow {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly vendor: string;
  readonly profile: string;
  readonly credential: string;
  readonly base_url: string | null;
  readonly policy: string;
  readonly state: Lane["state"];
  readonly pause: string | null;
  readonly organization: string | null;
  readonly own_account_ids: string;
  readonly checked_at: Instant | null;
  readonly checked_credential: string | null;
  readonly listed_at: Instant | null;
  readonly next_list_at: Instant | null;
  readonly breaker_until: Instant | null;
  readonly probe_at: Instant | null;
  readonly log_read_at: Instant | null;
  readonly managed_accounts: number;
  readonly open_invitations: number;
  readonly braked: 0 | 1;
}

function toLane(row: LaneRow): Lane {
  return {
    tenantId: asId<TenantId>(row.tenant_id),
    connectionId: asId<ConnectionId>(row.connection_id),
    vendor: row.vendor,
    profile: row.profile,
    credential: row.credential,
    baseUrl: row.base_url ?? undefined,
    policy: policyOf(row),
    state: row.state,
    pause: parsedOrNull(row.pause),
    organization: parsedOrNull(row.organization),
    ownAccountIds: parsed(row.own_account_ids),
    checkedAt: row.checked_at,
    checkedCredential: row.checked_credential,
    listedAt: row.listed_at,
    nextListAt: row.next_list_at,
    breakerUntil: row.breaker_until,
    probeAt: row.probe_at,
    logReadAt: row.log_read_at,
    managedAccounts: row.managed_accounts,
    openInvitations: row.open_invitations,
  };
}

/** What a braked store says of every connection, whatever its mapping says. */
export function policyOf(row: {
  readonly policy: string;
  readonly braked: 0 | 1;
}): ConnectionPolicy {
  const policy = parsed<ConnectionPolicy>(row.policy);
  return row.braked === 1 ? { ...policy, mode: "report-only", sets: {} } : policy;
}

interface LaneKey {
  readonly tenantId: string;
  readonly connectionId: string;
}

export const getLane: Query<LaneKey, Lane | undefined> = {
  place: "point",
  *run(db, { tenantId, connectionId }) {
    const row = yield* db.get<LaneRow>(
      `SELECT ${laneColumns} FROM lanes WHERE tenant_id = ? AND connection_id = ?`,
      tenantId,
      connectionId,
    );
    return row === undefined ? undefined : toLane(row);
  },
};

export const listLanes: Query<{ readonly tenantId: string | null }, readonly Lane[]> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<LaneRow>(
      `SELECT ${laneColumns} FROM lanes ${tenantId === null ? "" : "WHERE tenant_id = ?"} ORDER BY tenant_id, connection_id`,
      ...(tenantId === null ? [] : [tenantId]),
    )).map(toLane);
  },
};

/** How each field of a change is stored: its column, and its value as text where it is a document. */
const laneFields: Readonly<Record<keyof LaneChange, { column: string; document: boolean }>> = {
  state: { column: "state", document: false },
  pause: { column: "pause", document: true },
  organization: { column: "organization", document: true },
  ownAccountIds: { column: "own_account_ids", document: true },
  checkedAt: { column: "checked_at", document: false },
  checkedCredential: { column: "checked_credential", document: false },
  listedAt: { column: "listed_at", document: false },
  nextListAt: { column: "next_list_at", document: false },
  breakerUntil: { column: "breaker_until", document: false },
  probeAt: { column: "probe_at", document: false },
  logReadAt: { column: "log_read_at", document: false },
};

export function* updateLane(
  db: Database,
  { tenantId, command, also }: Commanded<"updateLane">,
): Steps<null> {
  const assignments: string[] = ["tenant_id = tenant_id"];
  const parameters: SqlValue[] = [];
  for (const [name, { column, document }] of Object.entries(laneFields)) {
    const value = command.set[name as keyof LaneChange];
    if (value === undefined) continue;
    assignments.push(`${column} = ?`);
    parameters.push(document && value !== null ? documentText(value) : (value as SqlValue));
  }
  const changed = yield* db.run(
    `UPDATE lanes SET ${assignments.join(", ")} WHERE tenant_id = ? AND connection_id = ?`,
    ...parameters,
    tenantId,
    command.connectionId,
  );
  if (changed === 0) throw new StoreError("NOT_FOUND", `there is no lane ${command.connectionId}`);
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

export function* setStop(
  db: Database,
  { tenantId, command, also }: Commanded<"setStop">,
): Steps<null> {
  const { stop } = command;
  const key = [tenantId, stop.connectionId ?? "", stop.covers] as const;
  // After this is answered no write passes the gate: those that are inside it are waited for.
  if (stop.connectionId === undefined) yield* lockCounted(db, tenantId, true, []);
  else yield* lockCounted(db, tenantId, false, [stop.connectionId]);
  if (command.on) {
    yield* db.tell(
      `INSERT INTO stops (tenant_id, connection_id, covers, stopped_by, why, since) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant_id, connection_id, covers) DO UPDATE SET stopped_by = excluded.stopped_by, why = excluded.why, since = excluded.since`,
      ...key,
      stop.by,
      stop.why,
      stop.since,
    );
  } else {
    yield* db.tell(
      "DELETE FROM stops WHERE tenant_id = ? AND connection_id = ? AND covers = ?",
      ...key,
    );
  }
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

interface StopRow {
  readonly connection_id: string;
  readonly covers: StopSwitch["covers"];
  readonly stopped_by: string;
  readonly why: string;
  readonly since: Instant;
}

export const listStops: Query<{ readonly tenantId: string }, Answer<"listStops">> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<StopRow>(
      "SELECT connection_id, covers, stopped_by, why, since FROM stops WHERE tenant_id = ? ORDER BY connection_id, covers",
      tenantId,
    )).map((row) => ({
      connectionId: row.connection_id === "" ? undefined : asId<ConnectionId>(row.connection_id),
      covers: row.covers,
      by: row.stopped_by,
      why: row.why,
      since: row.since,
    }));
  },
};

interface BucketRow {
  readonly tokens: number | null;
  readonly updated_at: Instant;
  readonly rest_until: Instant;
}

/** Every drawer of every process takes from the same row, so all of them together stay inside the vendor's limit. */
export function* drawTokens(
  db: Database,
  { tenantId, command }: Asked<"drawTokens">,
): Steps<Answer<"drawTokens">> {
  const { capacity, now } = command;
  const key = [tenantId, command.connectionId, command.bucket] as const;
  const row = yield* bucketRow(db, key, now);
  if (row.rest_until > now) return { granted: 0, waitMs: row.rest_until - now };
  const perToken = command.perMs / capacity;
  // A clock that was set back gives nothing and takes nothing.
  const passed = Math.max(0, now - row.updated_at);
  const full = capacity - command.keepMs / perToken;
  const tokens = Math.min(full, (row.tokens ?? full) + passed / perToken);
  // The reserve of a bucket that holds a single token would be all of it: then nothing is kept back.
  const kept = Math.min(command.reserve * capacity, capacity - 1);
  // Sums of fractions of a token fall short of a whole one by less than this.
  const above = (level: number) => Math.floor(tokens - level + 1e-9);
  const wanted = Math.min(command.want, above(kept));
  const ahead = Math.min(command.ahead, above(Math.max(kept, capacity / 2)) - wanted);
  const granted = wanted + Math.max(0, ahead);
  if (wanted <= 0) return { granted: 0, waitMs: Math.ceil((kept + 1 - tokens) * perToken) };
  yield* db.tell(
    "UPDATE buckets SET tokens = ?, updated_at = ? WHERE tenant_id = ? AND connection_id = ? AND bucket = ?",
    tokens - granted,
    Math.max(now, row.updated_at),
    ...key,
  );
  return { granted, waitMs: 0 };
}

/** The row of a bucket, locked; a bucket that nobody has drawn from yet gets a full one. */
function* bucketRow(
  db: Database,
  key: readonly [string, string, string],
  now: Instant,
): Steps<BucketRow> {
  const select = `SELECT tokens, updated_at, rest_until FROM buckets WHERE tenant_id = ? AND connection_id = ? AND bucket = ? ${db.dialect.forUpdate}`;
  const known = yield* db.get<BucketRow>(select, ...key);
  if (known !== undefined) return known;
  yield* db.tell(
    "INSERT INTO buckets (tenant_id, connection_id, bucket, tokens, updated_at) VALUES (?, ?, ?, NULL, ?) ON CONFLICT DO NOTHING",
    ...key,
    now,
  );
  // Somebody else may have made it, and drawn from it, at the same time.
  const made = yield* db.get<BucketRow>(select, ...key);
  if (made === undefined) throw new StoreError("NOT_FOUND", `there is no bucket ${key[2]}`);
  return made;
}

export function* restBucket(db: Database, { tenantId, command }: Asked<"restBucket">): Steps<null> {
  yield* db.tell(
    `INSERT INTO buckets (tenant_id, connection_id, bucket, tokens, updated_at, rest_until) VALUES (?, ?, ?, NULL, ?, ?)
     ON CONFLICT (tenant_id, connection_id, bucket) DO UPDATE SET rest_until = ${db.dialect.greatest("buckets.rest_until", "excluded.rest_until")}`,
    tenantId,
    command.connectionId,
    command.bucket,
    command.now,
    command.until,
  );
  return null;
}
