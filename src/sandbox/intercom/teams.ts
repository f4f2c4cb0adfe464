import { z } from "zod";
import { refuse } from "./refusal.ts";
import { actorOf, needVersion } from "./route.ts";
import type { IntercomRoute, IntercomWorld } from "./route.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { putActivity } from "./truth.ts";
import type { Team, Truth } from "./truth.ts";

export const teamRoutes: readonly IntercomRoute[] = [
  {
    operation: "teams.list",
    method: "get",
    path: "/teams",
    kind: "list",
    scope: "read_admins",
    handle: (world) => ({
      status: 200,
      body: { type: "team.list", teams: world.truth.teams.map(renderTeam) },
    }),
  },
  {
    operation: "teams.read",
    method: "get",
    path: "/teams/:id",
    kind: "read",
    scope: "read_admins",
    handle: (world, call) => ({ status: 200, body: renderTeam(teamOf(world, call)) }),
  },
  {
    operation: "teams.update",
    method: "put",
    path: "/teams/:id",
    kind: "write",
    scope: "update_admins",
    handle: (world, call) => ({ status: 200, body: renderTeam(replaceMembers(world, call)) }),
  },
  {
    operation: "teams.metrics",
    method: "get",
    path: "/teams/:id/metrics",
    kind: "read",
    scope: "read_admins",
    handle: (world, call) => {
      needVersion(world, 2.16);
      const team = teamOf(world, call);
      return {
        status: 200,
        body: {
          type: "team_metric.list",
          data: team.adminIds.map((adminId) => ({
            type: "team_metric",
            admin_id: adminId,
            ...countsOf(world.truth, adminId),
          })),
        },
      };
    },
  },
];

function countsOf(truth: Truth, adminId: string) {
  const count = (state: string) =>
    truth.conversations.filter((each) => each.adminAssigneeId === adminId && each.state === state)
      .length;
  return { open: count("open"), idle: 0, snoozed: count("snoozed") };
}

function teamOf(world: IntercomWorld, call: SimulatedCall): Team {
  const team = world.truth.teams.find((each) => each.id === call.params["id"]);
  if (team === undefined) throw refuse(404, "team_not_found", "Team not found");
  return team;
}

const invalid = (message: string) => refuse(400, "parameter_invalid", message);
const adminId = z.int().transform(String);
const bodySchema = z.looseObject({
  admin_ids: z.array(z.unknown()),
  admin_priority_level: z
    .strictObject({
      primary_admin_ids: z.array(adminId).optional(),
      secondary_admin_ids: z.array(adminId).optional(),
    })
    .nullish(),
});

/** The whole of the preview's rules (OpenAPI Preview, 2026-08-20): full replacement, never empty, nothing else may change. */
function replaceMembers(world: IntercomWorld, call: SimulatedCall): Team {
  const { truth, clock, caller } = world;
  if (caller.via !== "rest" || caller.version !== "preview") {
    throw refuse(
      400,
      "intercom_version_invalid",
      "Requested resource is not available in current API version.",
    );
  }
  if (!truth.settings.teamWrite) {
    throw refuse(
      403,
      "api_plan_restricted",
      "Updating team memberships via the API is not available for this workspace",
    );
  }
  const team = teamOf(world, call);
  if ([...call.query.keys()].length > 0) throw invalid("Parameters belong into the body");
  const parsed = bodySchema.safeParse(call.json);
  if (!parsed.success) throw invalid("admin_ids must contain only numeric admin ids");
  const body = parsed.data;
  refuseOtherFields(team, body);
  const ids = memberIds(truth, body.admin_ids);
  const levels = levelsOf(team, ids, body.admin_priority_level ?? {});
  const before = [...team.adminIds];
  if (truth.partlyApply) {
    truth.partlyApply = false;
    team.adminIds = [...new Set([...team.adminIds, ...ids.slice(0, 1)])];
    throw refuse(
      409,
      "conflict",
      "The members of this team kept being changed by other requests, so this one is partly applied. Read the team and try again.",
    );
  }
  team.adminIds = ids;
  team.secondaryIds = levels;
  if (before.toSorted().join() !== ids.toSorted().join()) {
    putActivity(truth, clock, {
      type: "app_team_membership_modification",
      description: `The members of ${team.name} were changed`,
      byId: actorOf(world).id,
      metadata: { before, after: ids, team: { id: team.id, name: team.name } },
    });
  }
  return team;
}

/** What was read may be sent back as it was; anything else than members and levels may not. */
function refuseOtherFields(team: Team, body: z.infer<typeof bodySchema>): void {
  const current: Readonly<Record<string, unknown>> = renderTeam(team);
  for (const [field, value] of Object.entries(body)) {
    if (field === "admin_ids" || field === "admin_priority_level") continue;
    if (Object.hasOwn(current, field) && JSON.stringify(current[field]) === JSON.stringify(value)) {
      continue;
    }
    throw invalid(
      `Only admin_ids and admin_priority_level can be updated on a team, but the request changed ${field}`,
    );
  }
}

function memberIds(truth: Truth, written: readonly unknown[]): string[] {
  const ids = [...new Set(written.map(String))];
  if (written.some((id) => typeof id !== "number" || !Number.isInteger(id))) {
    throw invalid("admin_ids must contain only numeric admin ids");
  }
  if (ids.length < 1 || ids.length > 1000) throw invalid("admin_ids must name 1 to 1000 admins");
  const stranger = ids.find((id) => !truth.admins.some((admin) => admin.id === id));
  // What the vendor says to the id of nobody is not documented.
  if (stranger !== undefined) throw invalid(`admin_ids names ${stranger}, which is no admin`);
  return ids;
}

/** The secondary members after the write: who is not named keeps their level, who joins unnamed is primary. */
function levelsOf(
  team: Team,
  ids: readonly string[],
  written: {
    readonly primary_admin_ids?: readonly string[] | undefined;
    readonly secondary_admin_ids?: readonly string[] | undefined;
  },
): string[] {
  const primary = written.primary_admin_ids ?? [];
  const secondary = written.secondary_admin_ids ?? [];
  const named = [...primary, ...secondary];
  const twice = primary.find((id) => secondary.includes(id));
  if (twice !== undefined) {
    throw invalid(`admin_priority_level gives ${twice} more than one priority level`);
  }
  const stranger = named.find((id) => !ids.includes(id) && !team.adminIds.includes(id));
  if (stranger !== undefined) {
    throw invalid(
      `admin_priority_level names ${stranger}, which is on neither the team nor admin_ids`,
    );
  }
  if (secondary.length > 0 && team.method !== "load_balanced") {
    throw invalid("Secondary members need a team that balances load");
  }
  const kept = team.secondaryIds.filter((id) => !primary.includes(id));
  return [...new Set([...kept, ...secondary])].filter((id) => ids.includes(id));
}

function renderTeam(team: Team) {
  const balanced = team.method === "load_balanced";
  const secondary = balanced ? team.secondaryIds : [];
  return {
    type: "team",
    id: team.id,
    name: team.name,
    admin_ids: team.adminIds.map(Number),
    admin_priority_level: {
      primary_admin_ids: balanced
        ? team.adminIds.filter((id) => !secondary.includes(id)).map(Number)
        : [],
      secondary_admin_ids: secondary.map(Number),
    },
    ...(balanced ? { assignment_limit: team.assignmentLimit } : {}),
    distribution_method: team.method,
  };
}
