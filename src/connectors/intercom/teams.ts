import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
import type { Entitlement, Slot } from "../../model/entitlement.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, Call } from "../connector.ts";
import { listAdmins, readAdmin } from "./admins.ts";
import { member, roleKind, seatKind, teamKind } from "./facts.ts";
import { refusals, saysNotFound, saysState, teamRefusals } from "./refusals.ts";
import { objectOfTeam, teamWire, teamsWire, type AdminWire, type TeamWire } from "./wire.ts";

/** Teams, and the roles that somebody holds: the vendor lists no others. */
export async function listTeamsAndRoles(call: Call): Promise<readonly VendorObject[]> {
  const answer = await call.http.request({
    operation: "teams.list",
    parse: (body) => teamsWire.parse(body),
    refusals,
  });
  const roles = new Map<string, VendorObject>();
  for (const { role } of await listAdmins(call)) {
    if (role === null || role === undefined) continue;
    roles.set(role.id, {
      kind: roleKind,
      objectId: role.id,
      name: role.name,
      archived: false,
      manageable: true,
    });
  }
  return [...answer.value.teams.map(objectOfTeam), ...roles.values()];
}

/** What a teammate holds: all of it is in one answer. */
export async function readHeld(
  call: Call,
  account: VendorAccount,
  slots: readonly Slot[],
): Promise<readonly ObservedGrant[]> {
  if (slots.length === 0) return [];
  const admin = await readAdmin(call, account.accountId);
  if (admin === undefined) return [];
  return slots.flatMap((slot) => {
    const role = heldRole(admin, slot);
    return role === undefined
      ? []
      : [{ kind: slot.kind, objectId: slot.objectId, role, implicit: false }];
  });
}

function heldRole(admin: AdminWire, slot: Slot): string | undefined {
  switch (slot.kind) {
    case roleKind:
      return admin.role?.id === slot.objectId ? member : undefined;
    case seatKind:
      return admin.has_inbox_seat === true ? "inbox" : undefined;
    case teamKind: {
      if (admin.team_ids?.includes(slot.objectId) !== true) return undefined;
      const secondary = admin.team_priority_level?.secondary_team_ids ?? [];
      return secondary.includes(slot.objectId) ? "secondary" : member;
    }
    default:
      return undefined;
  }
}

/** The members of a team are written whole: who reads, merges and writes one must be alone with it. */
export function teamKey(slot: Slot): string | undefined {
  return slot.kind === teamKind ? `team:${slot.objectId}` : undefined;
}

/** Adds one member, or moves them between the levels of a team that balances load; everybody else stays as they are. */
export async function joinTeam(
  call: Call,
  account: VendorAccount,
  entitlement: Entitlement,
): Promise<Applied> {
  refuseOtherKinds(entitlement);
  const team = await readTeam(call, entitlement.objectId);
  if (team === undefined) throw gone(entitlement.objectId);
  const secondary = entitlement.role === "secondary";
  if (secondary && team.distribution_method !== "load_balanced") {
    throw new SyncError(
      "VENDOR_REJECTED",
      "intercom: only a team that balances load has secondary members; grant the role member, or change the team's distribution method",
      { facts: { teamId: team.id } },
    );
  }
  if (roleIn(team, account.accountId) === entitlement.role) {
    return { outcome: "unchanged", requestIds: [] };
  }
  const level = secondary ? "secondary_admin_ids" : "primary_admin_ids";
  return writeTeam(call, team, {
    ids: [...team.admin_ids, account.accountId],
    levels:
      team.distribution_method === "load_balanced"
        ? { [level]: [Number(account.accountId)] }
        : undefined,
    reached: (now) => roleIn(now, account.accountId) === entitlement.role,
  });
}

/** Takes one member out. A team cannot be left empty by this write. */
export async function leaveTeam(call: Call, account: VendorAccount, slot: Slot): Promise<Applied> {
  refuseOtherKinds(slot);
  const team = await readTeam(call, slot.objectId);
  if (team === undefined || roleIn(team, account.accountId) === undefined) {
    return { outcome: "unchanged", requestIds: [] };
  }
  const ids = team.admin_ids.filter((id) => id !== account.accountId);
  if (ids.length === 0) {
    throw new SyncError(
      "VENDOR_REJECTED",
      "intercom: the last member of a team cannot be taken out through the API; add another member, or remove the team in the settings",
      { facts: { teamId: team.id } },
    );
  }
  return writeTeam(call, team, {
    ids,
    levels: undefined,
    reached: (now) => roleIn(now, account.accountId) === undefined,
  });
}

async function writeTeam(
  call: Call,
  team: TeamWire,
  wish: {
    readonly ids: readonly string[];
    readonly levels: Readonly<Record<string, readonly number[]>> | undefined;
    readonly reached: (team: TeamWire) => boolean;
  },
): Promise<Applied> {
  try {
    const answer = await call.http.request({
      operation: "teams.update",
      path: { teamId: team.id },
      body: {
        admin_ids: [...new Set(wish.ids)].map(Number),
        ...(wish.levels === undefined ? {} : { admin_priority_level: wish.levels }),
      },
      parse: (body) => teamWire.parse(body),
      refusals: teamRefusals,
    });
    if (!wish.reached(answer.value)) {
      throw new SyncError(
        "VENDOR_CONFLICT",
        "intercom: the team does not show what was written; it is looked at again",
        { facts: { teamId: team.id } },
      );
    }
    return {
      outcome: "changed",
      requestIds: answer.requestId === undefined ? [] : [answer.requestId],
    };
  } catch (error) {
    if (!saysState(error) || error.code === "VENDOR_WRITE_MISSING") throw error;
    const now = await readTeam(call, team.id);
    if (now === undefined) throw gone(team.id, error);
    // Of two conflicts one has written nothing and one a part: the team says which.
    if (wish.reached(now)) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

async function readTeam(call: Call, teamId: string): Promise<TeamWire | undefined> {
  try {
    const answer = await call.http.request({
      operation: "teams.read",
      path: { teamId },
      parse: (body) => teamWire.parse(body),
      refusals,
    });
    return answer.value;
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

function roleIn(team: TeamWire, adminId: string): string | undefined {
  if (!team.admin_ids.includes(adminId)) return undefined;
  const secondary = team.admin_priority_level?.secondary_admin_ids ?? [];
  return secondary.includes(adminId) ? "secondary" : member;
}

function gone(teamId: string, cause?: unknown): SyncError {
  return new SyncError("VENDOR_CONFLICT", "intercom: the team is gone; it is looked at again", {
    cause,
    facts: { teamId },
  });
}

function refuseOtherKinds(slot: Slot): void {
  if (slot.kind === teamKind) return;
  throw new SyncError(
    "VENDOR_WRITE_MISSING",
    `intercom: no API writes a ${slot.kind}; a person does it in the settings`,
    { facts: { kind: slot.kind } },
  );
}
