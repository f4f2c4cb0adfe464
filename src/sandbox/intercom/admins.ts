import { z } from "zod";
import { refuse } from "./refusal.ts";
import { actorOf, atLeast, needVersion, readBody, seconds } from "./route.ts";
import type { IntercomRoute, IntercomWorld } from "./route.ts";
import { putActivity, teamsOf } from "./truth.ts";
import type { Admin } from "./truth.ts";

const awaySchema = z.object({
  away_mode_enabled: z.boolean(),
  away_mode_reassign: z.boolean(),
  away_status_reason_id: z.int().nullish(),
});

/** Teammates. There is no way to add, remove or promote one here. */
export const adminRoutes: readonly IntercomRoute[] = [
  {
    operation: "me.read",
    method: "get",
    path: "/me",
    kind: "read",
    scope: "read_admins",
    handle: (world) => {
      const { truth } = world;
      const admin = actorOf(world);
      const { avatar: _avatar, ...rest } = renderAdmin(world, admin);
      return {
        status: 200,
        body: {
          ...rest,
          email_verified: true,
          avatar: { type: "avatar", image_url: null },
          app: {
            type: "app",
            id_code: truth.workspace.idCode,
            name: truth.workspace.name,
            created_at: seconds(truth.workspace.createdAt),
            secure: true,
            identity_verification: true,
            timezone: "Europe/Dublin",
            region: truth.workspace.region,
          },
        },
      };
    },
  },
  {
    operation: "admins.list",
    method: "get",
    path: "/admins",
    kind: "list",
    scope: "read_admins",
    handle: (world) => ({
      status: 200,
      body: {
        type: "admin.list",
        admins: world.truth.admins.map((admin) => renderAdmin(world, admin)),
      },
    }),
  },
  {
    operation: "admins.read",
    method: "get",
    path: "/admins/:id",
    kind: "read",
    scope: "read_one_admin",
    handle: (world, call) => {
      const admin = world.truth.admins.find((each) => each.id === call.params["id"]);
      if (admin === undefined) throw refuse(404, "admin_not_found", "Admin not found");
      return { status: 200, body: renderAdmin(world, admin) };
    },
  },
  {
    operation: "admins.away",
    method: "put",
    path: "/admins/:id/away",
    kind: "write",
    scope: "update_admins",
    handle: (world, call) => {
      const { truth, clock } = world;
      const admin = truth.admins.find((each) => each.id === call.params["id"]);
      if (admin === undefined) throw refuse(404, "admin_not_found", "Admin for admin_id not found");
      const body = readBody(awaySchema, call);
      const reasonId = body.away_status_reason_id ?? null;
      refuseReason(world, body.away_mode_enabled, reasonId);
      admin.away = body.away_mode_enabled;
      admin.awayReassign = body.away_mode_reassign;
      admin.awayReasonId = body.away_mode_enabled ? reasonId : null;
      putActivity(truth, clock, {
        type: "admin_away_mode_change",
        description: `${admin.name} changed away mode`,
        byId: actorOf(world).id,
        metadata: { away_mode: admin.away, reassign_conversations: admin.awayReassign },
      });
      return { status: 200, body: renderAdmin(world, admin) };
    },
  },
  {
    operation: "away_reasons.list",
    method: "get",
    path: "/away_status_reasons",
    kind: "list",
    scope: "read_admins",
    handle: (world) => {
      needVersion(world, 2.14);
      return {
        status: 200,
        body: {
          type: "list",
          data: world.truth.awayReasons.map((reason) => ({
            type: "away_status_reason",
            id: String(reason.id),
            label: reason.label,
            emoji: "",
            order: 1,
            deleted: reason.deleted,
            created_at: seconds(reason.createdAt),
            updated_at: seconds(reason.createdAt),
          })),
        },
      };
    },
  },
];

function refuseReason(world: IntercomWorld, away: boolean, reasonId: number | null): void {
  const { truth } = world;
  if (!away) return;
  if (reasonId === null) {
    if (!truth.settings.awayReasonMandatory) return;
    throw refuse(400, "away_status_reason_mandatory", "Away status reason is mandatory");
  }
  const reason = truth.awayReasons.find((each) => each.id === reasonId);
  if (reason === undefined)
    throw refuse(400, "parameter_not_found", "Away status reason not found");
  if (reason.deleted) throw refuse(400, "parameter_invalid", "Away status reason is deleted");
}

/** Ids are strings here and integers in lists of ids; the role came with 2.16 and is left out where there is none. */
function renderAdmin(world: IntercomWorld, admin: Admin) {
  const { truth } = world;
  const teams = teamsOf(truth, admin.id);
  const balanced = teams.filter((team) => team.method === "load_balanced");
  const role = truth.roles.find((each) => each.id === admin.roleId);
  return {
    type: "admin",
    id: admin.id,
    name: admin.name,
    email: admin.email,
    ...(admin.jobTitle === null ? {} : { job_title: admin.jobTitle }),
    away_mode_enabled: admin.away,
    away_mode_reassign: admin.awayReassign,
    ...(atLeast(world, 2.14) ? { away_status_reason_id: admin.awayReasonId } : {}),
    has_inbox_seat: admin.inboxSeat,
    team_ids: teams.map((team) => Number(team.id)),
    avatar: null,
    team_priority_level: {
      primary_team_ids: balanced
        .filter((team) => !team.secondaryIds.includes(admin.id))
        .map((team) => Number(team.id)),
      secondary_team_ids: balanced
        .filter((team) => team.secondaryIds.includes(admin.id))
        .map((team) => Number(team.id)),
    },
    ...(role !== undefined && atLeast(world, 2.16)
      ? { role: { type: "role", id: role.id, name: role.name } }
      : {}),
  };
}
