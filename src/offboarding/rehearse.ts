import type { PersonState } from "../accounts/account-store.ts";
import type { Lane } from "../accounts/lane.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { Channel, VendorFacts } from "../model/vendor-facts.ts";
import { heirOf } from "./heirs.ts";
import type { OffboardingDeps } from "./offboarding-deps.ts";

/** What a vendor knows that only leavers are asked about. */
export interface LeaverFacts {
  readonly facts: VendorFacts;
  readonly channel: Channel;
  /** Open work that must go to somebody: its kind; undefined where the vendor has none. */
  readonly work: string | undefined;
}

export interface RehearsalDeps extends OffboardingDeps {
  readonly leaverFacts: (vendor: string, profile: string) => LeaverFacts | undefined;
}

/** Why somebody could not leave cleanly at one connection today; the code is stable. */
export interface LeaveProblem {
  readonly connectionId: ConnectionId;
  readonly code:
    | "SOLE_ADMIN"
    | "ROLE_BY_HAND"
    | "PROTECTED"
    | "NO_HEIR"
    | "NO_ASSIGNEE"
    | "REPORT_ONLY"
    | "KEPT"
    | "LANE_PAUSED";
  readonly text: string;
}

export interface Rehearsal {
  readonly identityId: IdentityId;
  readonly userName: string;
  /** Where they have an account, and what ends there for good. */
  readonly connections: readonly {
    readonly connectionId: ConnectionId;
    readonly channel: Channel;
    readonly role: string | null;
    readonly lost: readonly string[];
  }[];
  readonly problems: readonly LeaveProblem[];
}

/** What would happen if these people left now, from what was last read; writes nothing. People without an account are left out. */
export async function rehearse(
  deps: RehearsalDeps,
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
): Promise<readonly Rehearsal[]> {
  const [people, states, lanes] = await Promise.all([
    deps.store.readIdentities(tenantId, identityIds),
    deps.store.readPeople(tenantId, identityIds),
    deps.store.listLanes(tenantId),
  ]);
  const stateOf = new Map(states.map((state) => [state.identityId, state]));
  const admins = new Map<ConnectionId, number>();
  const found: Rehearsal[] = [];
  for (const person of people) {
    const state = stateOf.get(person.identityId);
    if (state === undefined || state.links.length === 0) continue;
    found.push(await rehearseOne(deps, tenantId, person, state, lanes, admins));
  }
  return found;
}

async function rehearseOne(
  deps: RehearsalDeps,
  tenantId: TenantId,
  person: IdentityFacts,
  state: PersonState,
  lanes: readonly Lane[],
  admins: Map<ConnectionId, number>,
): Promise<Rehearsal> {
  const connections: Rehearsal["connections"][number][] = [];
  const problems: LeaveProblem[] = [];
  for (const link of state.links) {
    const lane = lanes.find((item) => item.connectionId === link.connectionId);
    const known = lane === undefined ? undefined : deps.leaverFacts(lane.vendor, lane.profile);
    if (lane === undefined || known === undefined) continue;
    const account = state.observed.find(
      (item) => item.accountId === link.accountId && item.connectionId === link.connectionId,
    );
    connections.push({
      connectionId: lane.connectionId,
      channel: known.channel,
      role: account?.role ?? null,
      lost: known.facts.lostForGood ?? [],
    });
    problems.push(...laneProblems(lane, link.email));
    const role = account?.role ?? "";
    problems.push(...(await roleProblems(deps, tenantId, lane, known.facts, role, admins)));
    problems.push(...(await heirProblems(deps, tenantId, lane, known, person)));
  }
  return { identityId: person.identityId, userName: person.userName, connections, problems };
}

function laneProblems(lane: Lane, email: string): readonly LeaveProblem[] {
  const { connectionId, policy } = lane;
  const problem = (code: LeaveProblem["code"], text: string) => ({ connectionId, code, text });
  return [
    ...(policy.mode === "report-only"
      ? [problem("REPORT_ONLY", "the connection is report-only: a person ends the account")]
      : []),
    ...(policy.leaver === "keep"
      ? [problem("KEPT", "the mapping says `leaver: keep`: a person ends the account")]
      : []),
    ...(lane.state === "paused"
      ? [problem("LANE_PAUSED", "the connection is paused: nothing is written there")]
      : []),
    ...(policy.protectedAccounts.includes(email)
      ? [problem("PROTECTED", "the account is on the protected list")]
      : []),
  ];
}

async function roleProblems(
  deps: RehearsalDeps,
  tenantId: TenantId,
  lane: Lane,
  facts: VendorFacts,
  role: string,
  admins: Map<ConnectionId, number>,
): Promise<readonly LeaveProblem[]> {
  const { connectionId } = lane;
  const kind = Object.values(facts.kinds).find((item) => item.account);
  const held = kind?.roles[role];
  if (kind === undefined || held === undefined) return [];
  const problems: LeaveProblem[] = [];
  if (!held.assignable) {
    const text = `the vendor's API cannot remove the role ${role}: an admin lowers it first`;
    problems.push({ connectionId, code: "ROLE_BY_HAND", text });
  }
  if (!held.admin) return problems;
  const roles = Object.entries(kind.roles).flatMap(([name, item]) => (item.admin ? [name] : []));
  const count =
    admins.get(connectionId) ?? (await deps.store.countObserved(tenantId, connectionId, roles));
  admins.set(connectionId, count);
  if (count - 1 < lane.policy.adminsMin) {
    const text = `${String(Math.max(0, count - 1))} active admins would be left; the mapping wants at least ${String(lane.policy.adminsMin)}`;
    problems.push({ connectionId, code: "SOLE_ADMIN", text });
  }
  return problems;
}

async function heirProblems(
  deps: RehearsalDeps,
  tenantId: TenantId,
  lane: Lane,
  known: LeaverFacts,
  person: IdentityFacts,
): Promise<readonly LeaveProblem[]> {
  const { connectionId, policy } = lane;
  const problems: LeaveProblem[] = [];
  if (known.work !== undefined && (policy.heirs?.work.length ?? 0) === 0) {
    const text = `no heir is declared for open work (${known.work}): add \`heirs: { work: [...] }\` to the mapping`;
    problems.push({ connectionId, code: "NO_HEIR", text });
  }
  if (known.channel !== "manual") return problems;
  if ((await heirOf(deps, tenantId, person, policy.heirs)) === undefined) {
    const text =
      "a person would have to do it, and nobody is declared, is their manager, or owns the connection";
    problems.push({ connectionId, code: "NO_ASSIGNEE", text });
  }
  return problems;
}
