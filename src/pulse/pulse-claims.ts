import type { AccountStore } from "../accounts/account-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { Clock } from "../model/clock.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { isSynthetic, type PulseSettings } from "../model/pulse-settings.ts";
import { newRecord, type Actor } from "../model/records.ts";

export interface PulseClaimDeps {
  readonly store: Pick<DirectoryStore, "readIdentities" | "findIdentitiesByEmail"> &
    Pick<
      AccountStore,
      | "listLanes"
      | "listObserved"
      | "findLinks"
      | "readPeople"
      | "changeLink"
      | "listIntents"
      | "openIntents"
    > &
    Pick<CaseStore, "listObligations" | "decideObligation">;
  readonly clock: Clock;
}

const actor: Actor = { kind: "system", id: "pulse" };
const intentsMax = 50;

/** Why the address is not free for a synthetic person: somebody real has it in the directory. No personal value. */
export async function whoseAddress(
  { store }: PulseClaimDeps,
  tenantId: TenantId,
  { email }: PulseSettings,
): Promise<string | undefined> {
  const found = await store.findIdentitiesByEmail(tenantId, [email]);
  const ids = found.filter((item) => !item.former).map((item) => item.identityId);
  const people = await store.readIdentities(tenantId, [...new Set(ids)]);
  return people.every(isSynthetic)
    ? undefined
    : "its address is that of somebody real in the directory: give pulse.yaml a mailbox of its own";
}

/** The same of the vendors, before anything is told: an account of this address that is not the pulse's. */
export async function whoseAccount(
  { store }: PulseClaimDeps,
  tenantId: TenantId,
  { email }: PulseSettings,
): Promise<string | undefined> {
  for (const { connectionId, policy } of await store.listLanes(tenantId)) {
    if (policy.mode === "report-only") continue;
    const observed = await store.listObserved(tenantId, {
      ...{ connectionId, emails: [email], limit: 20 },
    });
    const live = observed
      .filter((item) => item.state === "active" || item.state === "invited")
      .map((item) => item.accountId);
    const links = await store.findLinks(tenantId, connectionId, live);
    const owners = await store.readIdentities(tenantId, [
      ...new Set(links.map((link) => link.identityId)),
    ]);
    const own = new Set(owners.filter(isSynthetic).map((person) => person.identityId));
    const free = live.every((accountId) =>
      links.some((link) => link.accountId === accountId && own.has(link.identityId)),
    );
    if (!free) return takenAt([connectionId]);
  }
  return undefined;
}

export function takenAt(places: readonly ConnectionId[]): string {
  return `its address has an account at ${places.join(" and ")} that it did not make: give pulse.yaml a mailbox of its own`;
}

/** Where the pulse is linked with an account that it did not make: its leave would take somebody's account away. */
export async function foreignAccounts(
  deps: PulseClaimDeps,
  tenantId: TenantId,
  identityId: IdentityId,
): Promise<readonly ConnectionId[]> {
  const [state] = await deps.store.readPeople(tenantId, [identityId]);
  const places: ConnectionId[] = [];
  for (const { connectionId, origin } of state?.links ?? [])
    if (origin !== "created" && !(await hasMade(deps, tenantId, connectionId, identityId)))
      places.push(connectionId);
  return places;
}

/** An invitation whose answer was lost is found by its address, as any account: it is the pulse's all the same. */
async function hasMade(
  { store }: PulseClaimDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  identityId: IdentityId,
): Promise<boolean> {
  const open = await store.openIntents(tenantId, connectionId, identityId);
  const past = await store.listIntents(tenantId, connectionId, identityId, intentsMax);
  const last = past.find(
    ({ step, state }) =>
      state === "done" &&
      (step === "create_account" || step === "remove_account" || step === "cancel_invitation"),
  );
  return last?.step === "create_account" || open.some(({ step }) => step === "create_account");
}

/** Unlinks such accounts, so that the leave of the pulse leaves them as they are: somebody who is gone gets no new link. */
export async function letGo(
  deps: PulseClaimDeps,
  tenantId: TenantId,
  identityId: IdentityId,
): Promise<readonly ConnectionId[]> {
  const { store, clock } = deps;
  const [person] = await store.readIdentities(tenantId, [identityId]);
  // Somebody real, whom an operator joined with the pulse: they are there whatever the pulse says.
  if (person === undefined || !isSynthetic(person)) return [];
  const places = await foreignAccounts(deps, tenantId, identityId);
  for (const connectionId of places)
    await store.changeLink(
      tenantId,
      { connectionId, identityId, change: { op: "remove" }, now: clock.now() },
      {
        records: [
          newRecord(clock, {
            ...{ actor, action: "link.removed", connectionId },
            subject: { type: "link", id: identityId },
            facts: { why: "the pulse did not make this account" },
          }),
        ],
        recompute: [],
      },
    );
  return places;
}

/** Nobody owes the end of an account that only has the address of the pulse: its leaver case ends without it. */
export async function waiveForeign(
  deps: PulseClaimDeps,
  tenantId: TenantId,
  identityId: IdentityId,
  { email }: PulseSettings,
): Promise<void> {
  const { store, clock } = deps;
  const [state] = await store.readPeople(tenantId, [identityId]);
  const caseId = state?.leaverCase?.caseId;
  if (state === undefined || caseId === undefined) return;
  const open = await store.listObligations(tenantId, { caseId, state: "open", limit: 1_000 });
  for (const { connectionId, kind, subject } of open) {
    if (connectionId === undefined) continue;
    if (state.links.some((link) => link.connectionId === connectionId)) continue;
    const lookalikes = await store.listObserved(tenantId, {
      ...{ connectionId, emails: [email], limit: 1 },
    });
    if (lookalikes.length === 0 || (await hasMade(deps, tenantId, connectionId, identityId)))
      continue;
    const why = "the pulse did not make this account";
    await store.decideObligation(
      tenantId,
      {
        ...{ caseId, connectionId, kind, subject, state: "waived", now: clock.now() },
        facts: { saidBy: actor.id, why },
      },
      {
        records: [
          newRecord(clock, {
            ...{ actor, action: "case.duty_waived", connectionId },
            subject: { type: "identity", id: identityId },
            facts: { caseId, kind, subject, why },
          }),
        ],
        recompute: [],
      },
    );
  }
}
