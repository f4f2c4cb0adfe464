import { z } from "zod";
import { listOf } from "./list-view.ts";
import { instant, table } from "./table.ts";

/** Columns of an IdP connection. */
export const idpColumns = {
  idpId: "NAME",
  kind: "KIND",
  userCount: "PEOPLE",
  groupCount: "GROUPS",
  loadedAt: "LOADED",
  lastRequestAt: "LAST HEARD",
} as const;

const statusShape = z.object({
  version: z.string(),
  world: z.string(),
  people: z.object({ active: z.number(), total: z.number() }),
  lanes: z.array(
    z.object({
      connectionId: z.string(),
      vendor: z.string(),
      mode: z.string(),
      state: z.string(),
      pause: z.object({ text: z.string() }).nullable(),
      organization: z.object({ name: z.string() }).nullable(),
      managedAccounts: z.number(),
      openInvitations: z.number(),
      targets: z.record(z.string(), z.number()),
    }),
  ),
  openHolds: z.number(),
  stops: z.array(z.unknown()),
  backlog: z.object({ owed: z.number(), urgentOwed: z.number() }),
  audit: z.object({ size: z.number() }),
  pulse: z.object({ verdict: z.string(), lastPassedAt: z.number().nullable() }),
});

export function renderStatus(answer: unknown): string {
  const status = statusShape.parse(answer);
  const lanes = table(
    [
      "CONNECTION",
      "VENDOR",
      "MODE",
      "STATE",
      "ORGANIZATION",
      "ACCOUNTS",
      "INVITED",
      "PEOPLE BY STATE",
    ],
    status.lanes.map((lane) => [
      lane.connectionId,
      lane.vendor,
      lane.mode,
      lane.pause === null ? lane.state : `${lane.state}: ${lane.pause.text}`,
      lane.organization?.name,
      lane.managedAccounts,
      lane.openInvitations,
      Object.entries(lane.targets)
        .map(([state, count]) => `${state} ${String(count)}`)
        .join(", ") || "-",
    ]),
    "no connection yet",
  );
  return [
    `Rolecall ${status.version} (${status.world.toUpperCase()})`,
    `people: ${String(status.people.active)} active of ${String(status.people.total)}; recomputes owed: ${String(status.backlog.owed)}; open holds: ${String(status.openHolds)}; stop switches: ${String(status.stops.length)}; audit records: ${String(status.audit.size)}`,
    ...(status.pulse.verdict === "none"
      ? []
      : [
          `pulse: ${status.pulse.verdict}; joined and left in time last at ${instant(status.pulse.lastPassedAt)}`,
        ]),
    "",
    lanes,
  ].join("\n");
}

const tenantShape = z.object({
  tenant: z.object({ tenantId: z.string(), createdAt: z.number() }),
  people: z.object({ active: z.number(), total: z.number() }),
  idps: z.array(z.record(z.string(), z.unknown())),
  connections: z.array(z.record(z.string(), z.unknown())),
});

export function renderTenant(answer: unknown): string {
  const { tenant, people, idps, connections } = tenantShape.parse(answer);
  return [
    `${tenant.tenantId}, since ${instant(tenant.createdAt)}: ${String(people.active)} active people of ${String(people.total)}`,
    "",
    listOf("idps", idpColumns, "no IdP connection")({ idps }),
    listOf(
      "connections",
      { connectionId: "CONNECTION", vendor: "VENDOR", mode: "MODE", state: "STATE" },
      "no connection yet",
    )({ connections }),
  ].join("\n");
}

const plansShape = z.object({
  plans: z.array(
    z.object({
      userName: z.string(),
      connectionId: z.string(),
      mode: z.string(),
      state: z.string(),
      readAt: z.number().nullable(),
      plan: z.array(z.string()),
    }),
  ),
  next: z.string().optional(),
});

export function renderPlans(answer: unknown): string {
  const { plans, next } = plansShape.parse(answer);
  if (plans.length === 0) return "nothing would change\n";
  const blocks = plans.map((item) =>
    [
      `${item.userName} at ${item.connectionId} (${item.mode}, ${item.state}, vendor last read ${instant(item.readAt)})`,
      ...(item.plan.length === 0 ? ["  as wished"] : item.plan.map((line) => `  ${line}`)),
    ].join("\n"),
  );
  return `${blocks.join("\n")}\n${next === undefined ? "" : `more: continue after ${next}\n`}`;
}
