import type { AccountStore, PersonState } from "../accounts/account-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { RecomputeStore } from "../events/recompute-store.ts";
import type { Clock } from "../model/clock.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { PulseSettings } from "../model/pulse-settings.ts";

export interface PulseLookDeps {
  readonly store: Pick<AccountStore, "readPeople"> &
    Pick<CaseStore, "listObligations"> &
    Pick<RecomputeStore, "readMarks">;
  readonly clock: Pick<Clock, "now">;
}

/** What the vendors showed of somebody when they were last read. */
export interface Sight {
  readonly done: boolean;
  /** Of an arrival: where; of an end: where they still are. */
  readonly connections: readonly ConnectionId[];
  /** What is missing, connection by connection; "" when it is done. */
  readonly why: string;
}

/** Whether the person was seen wherever they are expected: with an account or an open invitation, as the mapping says. */
export async function seenPresent(
  deps: PulseLookDeps,
  tenantId: TenantId,
  identityId: IdentityId,
  settings: PulseSettings,
): Promise<Sight> {
  const state = await settled(deps, tenantId, identityId);
  if (state === undefined) return unread;
  const expected = settings.connections;
  if (expected.length === 0)
    return { ...nowhere, why: "no rule names its groups at a connection that writes" };
  const missing = expected.flatMap((connectionId) => {
    const why = whyNotThere(state, connectionId);
    return why === undefined ? [] : [`${connectionId}: ${why}`];
  });
  return { done: missing.length === 0, connections: expected, why: missing.join("; ") };
}

/** Whether the person was seen gone from these places. */
export async function seenGone(
  deps: PulseLookDeps,
  tenantId: TenantId,
  identityId: IdentityId,
  places: readonly ConnectionId[],
): Promise<Sight> {
  const state = await settled(deps, tenantId, identityId);
  if (state === undefined) return unread;
  const open =
    state.leaverCase === undefined
      ? []
      : await deps.store.listObligations(tenantId, {
          caseId: state.leaverCase.caseId,
          state: "open",
          limit: 1_000,
        });
  const owed = open.filter((duty) => duty.kind === "contain" || duty.kind === "remove");
  const here = places.flatMap((connectionId) => {
    const target = state.targets.find((item) => item.connectionId === connectionId);
    if (target?.desired.lifecycle !== "departed" && target !== undefined)
      return [{ connectionId, why: "not told yet" }];
    const duties = owed.filter((duty) => duty.connectionId === connectionId);
    if (duties.length === 0) return [];
    const kinds = duties.map((duty) => duty.kind).join(" and ");
    return [{ connectionId, why: `${kinds} is owed (${reasonOf(target)})` }];
  });
  return {
    done: here.length === 0,
    connections: here.map((item) => item.connectionId),
    why: here.map(({ connectionId, why }) => `${connectionId}: ${why}`).join("; "),
  };
}

const nowhere = { done: false, connections: [] } as const;
const unread: Sight = { ...nowhere, why: "the change is not computed yet" };

/** Undefined while a change of the person waits to be computed: whatever is stored is about before. */
async function settled(
  { store, clock }: PulseLookDeps,
  tenantId: TenantId,
  identityId: IdentityId,
): Promise<PersonState | undefined> {
  const [mark] = await store.readMarks(tenantId, [identityId]);
  const owed = mark !== undefined && mark.done < mark.wanted && mark.dueAt <= clock.now();
  if (mark === undefined || owed) return undefined;
  const [state] = await store.readPeople(tenantId, [identityId]);
  return state;
}

function whyNotThere(state: PersonState, connectionId: ConnectionId): string | undefined {
  const target = state.targets.find((item) => item.connectionId === connectionId);
  if (target === undefined || target.desired.assignments.length === 0)
    return "no rule gives the person anything";
  const link = state.links.find((item) => item.connectionId === connectionId);
  const account = state.observed.find(
    (item) => item.connectionId === connectionId && item.accountId === link?.accountId,
  );
  const there =
    account !== undefined &&
    !account.gone &&
    (account.state === "active" || account.state === "invited");
  const agreed =
    (target.state === "idle" && target.appliedGeneration === target.generation) ||
    target.reason?.code === "INVITATION_OPEN";
  return there && agreed ? undefined : reasonOf(target);
}

function reasonOf(target: PersonState["targets"][number] | undefined): string {
  if (target === undefined) return "nothing is known of it";
  return target.reason === null ? target.state : `${target.state}, ${target.reason.code}`;
}
