import { keyPolicyDefault, type KeyPolicy } from "../model/declared.ts";
import { foldEmail } from "../model/fold.ts";
import {
  DAY_MS,
  taskDueMs,
  type BudgetPolicy,
  type ConnectionPolicy,
  type HeirPolicy,
  type RailRule,
  type TaskPolicy,
  type TicketPolicy,
} from "../model/policy.ts";
import { declaredThings } from "./declares.ts";
import type { MappingFile } from "./schema.ts";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS } as const;

/** `90s` → 90000. The form is checked by the schema. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

type RailEntry = NonNullable<NonNullable<MappingFile["rails"]>["removals"]>;

function railRule(entry: RailEntry | undefined, floor: number, fraction: number): RailRule {
  return {
    floor: entry?.floor ?? floor,
    fraction: entry?.fraction ?? fraction,
    windowMs: entry?.window === undefined ? DAY_MS : durationMs(entry.window),
  };
}

/**
 * How a connection is run: the head of its file with every default filled in. `tenantDomains` count where the file
 * lists no domains of its own.
 */
export function connectionPolicy(
  file: Pick<
    MappingFile,
    | "mode"
    | "connection"
    | "sets"
    | "account"
    | "heirs"
    | "timing"
    | "tasks"
    | "tickets"
    | "budgets"
    | "declares"
    | "keys"
    | "protected"
    | "rails"
    | "target"
  >,
  tenantDomains: readonly string[] = [],
): ConnectionPolicy {
  const { account, timing, rails, tasks } = file;
  const { services } = file.connection;
  return {
    mode: file.mode ?? "report-only",
    ...(services === undefined ? {} : { services: servicesOf(services) }),
    sets: file.sets ?? {},
    domains: distinct((account?.domains ?? tenantDomains).map(foldEmail)),
    leaver: account?.leaver ?? "remove",
    create: account?.create ?? "invite",
    inviteResends: account?.inviteResends ?? 2,
    ...(account?.permissions === undefined ? {} : { permissions: account.permissions }),
    ...(account?.nickname === undefined ? {} : { nickname: true as const }),
    timing: {
      debounceMs: durationMs(timing?.debounce ?? "90s"),
      graceMs: durationMs(timing?.grace ?? "24h"),
      verifyMs: distinct((timing?.verify ?? ["0s", "15m", "24h"]).map(durationMs)).sort(
        (a, b) => a - b,
      ),
    },
    rails: {
      removals: railRule(rails?.removals, 3, 0.1),
      oneCause: railRule(rails?.grants?.one_cause, 50, 0.25),
      privilegedGrants: rails?.grants?.privileged ?? 1,
      leavers: railRule(rails?.leavers, 10, 0.01),
      ...(rails?.confirmed_leavers === undefined
        ? {}
        : { confirmedLeavers: railRule(rails.confirmed_leavers, 25, 0.03) }),
    },
    ...(file.heirs === undefined ? {} : { heirs: heirsOf(file.heirs) }),
    protectedAccounts: distinct((file.protected?.accounts ?? []).map(foldEmail)),
    adminsMin: file.protected?.admins_min ?? 2,
    ...(file.tickets === undefined ? {} : { tickets: ticketPolicy(file.tickets) }),
    ...(file.budgets === undefined ? {} : { budgets: budgetsOf(file.budgets) }),
    ...(file.declares === undefined ? {} : { declares: declaredThings(file.declares, durationMs) }),
    ...(file.keys === undefined ? {} : { keys: keyPolicy(file.keys) }),
    ...(file.connection.app === undefined ? {} : { app: file.connection.app }),
    ...(file.connection.acts_in === undefined ? {} : { actsIn: file.connection.acts_in }),
    ...(tasks === undefined ? {} : { tasks: taskPolicy(tasks) }),
    ...(file.target === undefined ? {} : { target: file.target }),
  };
}

function heirsOf(heirs: NonNullable<MappingFile["heirs"]>): HeirPolicy {
  return {
    work: (heirs.work ?? []).map(({ label, to }) => ({
      to,
      ...(label === undefined ? {} : { label }),
    })),
    people: distinct((heirs.people ?? []).map(foldEmail)),
    ...(heirs.owner === undefined ? {} : { owner: foldEmail(heirs.owner) }),
  };
}

function ticketPolicy(tickets: NonNullable<MappingFile["tickets"]>): TicketPolicy {
  const { type, contact, team } = tickets;
  return {
    ...{ type, contact },
    ...(team === undefined ? {} : { team }),
    ...(tickets.for === undefined ? {} : { connections: tickets.for }),
  };
}

/** A webhook source takes so many records in its life (clay.com community, 2026-08). */
const webhookRecords = 50_000;

function budgetsOf(budgets: NonNullable<MappingFile["budgets"]>): readonly BudgetPolicy[] {
  return budgets.map(({ scope, name, limit, owner, rows, auto_run: autoRun }) => ({
    scope,
    name,
    limit: limit ?? webhookRecords,
    owner: foldEmail(owner),
    ...(rows === undefined ? {} : { rows }),
    ...(autoRun === undefined ? {} : { autoRun }),
  }));
}

function keyPolicy({ names, remind, unused }: NonNullable<MappingFile["keys"]>): KeyPolicy {
  return {
    names: names ?? keyPolicyDefault.names,
    remindMs: remind === undefined ? keyPolicyDefault.remindMs : durationMs(remind),
    unusedMs: unused === undefined ? keyPolicyDefault.unusedMs : durationMs(unused),
  };
}

function taskPolicy({ assignee, fallback, due }: NonNullable<MappingFile["tasks"]>): TaskPolicy {
  const dueMs = Object.fromEntries(
    Object.entries(due ?? {}).flatMap(([cause, text]) =>
      text === undefined ? [] : [[cause, durationMs(text)]],
    ),
  );
  return {
    ...(assignee === undefined ? {} : { assignee: foldEmail(assignee) }),
    ...(fallback === undefined ? {} : { fallback: foldEmail(fallback) }),
    dueMs: { ...taskDueMs, ...dueMs },
  };
}

function servicesOf(
  services: NonNullable<MappingFile["connection"]["services"]>,
): NonNullable<ConnectionPolicy["services"]> {
  return Object.fromEntries(
    Object.entries(services).map(([name, { credential, url }]) => [
      name,
      { credential, ...(url === undefined ? {} : { baseUrl: url }) },
    ]),
  );
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
