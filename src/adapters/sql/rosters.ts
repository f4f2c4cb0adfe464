import { priorities } from "../../accounts/target.ts";
import { StoreError } from "../../model/errors.ts";
import type { ConnectionId, TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import type { RosterMember } from "../../model/roster.ts";
import type { RosterHead, RosterStore } from "../../tasks/roster-store.ts";
import { parsed } from "./account-args.ts";
import { updateLane } from "./account-lanes.ts";
import { wakeTargets } from "./account-targets.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

interface OfConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

const lastFirst = "ORDER BY captured_at DESC, roster_id DESC";
const nothing: Also = { records: [], recompute: [] };

function* keepRoster(
  db: Database,
  {
    tenantId,
    command,
    also,
  }: {
    readonly tenantId: TenantId;
    readonly command: Parameters<RosterStore["keepRoster"]>[1];
    readonly also: Also;
  },
): Steps<null> {
  const { head, members, after } = command;
  const { connectionId, rosterId, capturedAt, acceptedAt: now } = head;
  // The lane's row is what two who bring rosters at once wait for.
  yield* updateLane(db, {
    tenantId,
    command: { connectionId, set: { nextListAt: null }, now },
    also,
  });
  const last = yield* db.get<{ roster_id: string }>(
    `SELECT roster_id FROM rosters WHERE tenant_id = ? AND connection_id = ? ${lastFirst} LIMIT 1`,
    tenantId,
    connectionId,
  );
  if ((last?.roster_id ?? null) !== after)
    throw new StoreError("VERSION_CONFLICT", "another roster was brought meanwhile");
  yield* db.tell(
    "UPDATE rosters SET members = NULL WHERE tenant_id = ? AND connection_id = ? AND members IS NOT NULL",
    tenantId,
    connectionId,
  );
  yield* db.tell(
    "INSERT INTO rosters (tenant_id, connection_id, roster_id, captured_at, head, members) VALUES (?, ?, ?, ?, ?, ?)",
    tenantId,
    connectionId,
    rosterId,
    capturedAt,
    documentText(head),
    documentText(members),
  );
  yield* wakeTargets(db, {
    tenantId,
    command: { connectionId, identityIds: "all", priority: priorities.change, now },
    also: nothing,
  });
  return null;
}

const lastRoster: Query<OfConnection, Awaited<ReturnType<RosterStore["lastRoster"]>>> = {
  place: "scan",
  *run(db, { tenantId, connectionId }) {
    const row = yield* db.get<{ head: string; members: string | null }>(
      `SELECT head, members FROM rosters WHERE tenant_id = ? AND connection_id = ? ${lastFirst} LIMIT 1`,
      tenantId,
      connectionId,
    );
    if (row?.members === undefined || row.members === null) return undefined;
    const head = parsed<RosterHead>(row.head);
    const { workspaceId, capturedAt } = head;
    const members = parsed<readonly RosterMember[]>(row.members).map((member) => ({
      ...member,
      name: member.name,
    }));
    return { head, roster: { workspaceId, capturedAt, members } };
  },
};

const listRosters: Query<OfConnection & { readonly limit: number }, readonly RosterHead[]> = {
  place: "scan",
  *run(db, { tenantId, connectionId, limit }) {
    return (yield* db.all<{ head: string }>(
      `SELECT head FROM rosters WHERE tenant_id = ? AND connection_id = ? ${lastFirst} LIMIT ?`,
      tenantId,
      connectionId,
      limit,
    )).map((row) => parsed<RosterHead>(row.head));
  },
};

export const rosterCommands = { keepRoster };
export const rosterQueries = { lastRoster, listRosters };

/** The port of rosters over an engine. */
export function rosterStore(engine: Engine): RosterStore {
  return {
    keepRoster: async (tenantId, command, also) => {
      await engine.write(keepRoster, { tenantId, command, also });
    },
    lastRoster: (tenantId, connectionId) => engine.read(lastRoster, { tenantId, connectionId }),
    listRosters: (tenantId, connectionId, limit) =>
      engine.read(listRosters, { tenantId, connectionId, limit }),
  };
}
