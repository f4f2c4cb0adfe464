import type { Lane } from "../../src/accounts/lane.ts";
import { modeOf } from "../../src/model/policy.ts";
import { isHere, type IdpUser } from "./identity-provider.ts";
import type { LostSlot } from "./truth.ts";
import type { HeldAccount, Landed, VendorOrganization } from "./vendor-organization.ts";
import type { Watch } from "./watch.ts";

/** How long somebody must have been entitled, undisturbed, before taking it away is called wrong. */
const undisturbedMs = 10 * 60_000;
/** How long a leaver may keep an account where nothing stands in the way. */
const leaverDeadlineMs = 5 * 60_000;

/** Judges a write at the moment at which it changes something at the vendor. */
export async function judgeLanding(watch: Watch, lane: Lane, what: Landed): Promise<void> {
  const { organization, call, held, before } = what;
  const where = `${lane.tenantId}/${lane.connectionId} ${call.operation} ${held.account.email}`;
  watch.scheduler.tell(
    "vendor",
    () => `${where} ${call.role ?? JSON.stringify(call.entitlement) ?? ""}`,
  );
  if (organization.tenantId !== lane.tenantId)
    watch.fail(`${where} landed at another tenant's vendor`);
  if (organization.id !== watch.truth.organization(lane.tenantId, lane.connectionId)?.id)
    watch.fail(`${where} landed in another organisation than the pinned one`);
  if (
    held.account.email === "breakglass@example.com" ||
    organization.ownAccountIds.includes(held.account.accountId)
  )
    watch.fail(`${where} touched a protected account`);
  if (call.operation === "accounts.create") judgeDouble(watch, where, what);
  if (
    organization.admins() < organization.admins(before) &&
    organization.admins() < lane.policy.adminsMin
  )
    watch.fail(`${where} left ${String(organization.admins())} admins`);
  await judgeLoss(watch, where, lane, what);
}

function judgeDouble(watch: Watch, where: string, { held, before }: Landed): void {
  const double = [...before.values()].find(
    (item) => item.account.email === held.account.email && item.account.state !== "expired",
  );
  if (double !== undefined)
    watch.fail(`${where} made a second account beside ${double.account.accountId}`);
}

async function judgeLoss(watch: Watch, where: string, lane: Lane, what: Landed): Promise<void> {
  const { organization, call, held } = what;
  const after = organization.state.get(held.account.accountId);
  const lost = watch.truth.lostSlots(organization, held, after);
  if (lost.length === 0) return;
  const [link] = await watch.store.findLinks(lane.tenantId, lane.connectionId, [
    held.account.accountId,
  ]);
  const user =
    watch.userOf(link?.identityId) ?? watch.truth.userByAddress(lane.tenantId, held.account.email);
  if (user !== undefined && isHere(user, watch.scheduler.now))
    judgeMover(watch, where, lane, user, lost);
  else if (
    user !== undefined &&
    call.operation === "accounts.remove" &&
    !isAdmin(organization, held)
  )
    judgeLeaver(watch, where, lane, user);
}

function judgeMover(
  watch: Watch,
  where: string,
  lane: Lane,
  user: IdpUser,
  lost: readonly LostSlot[],
): void {
  for (const slot of lost) {
    if (slot.by === "foreign" && modeOf(lane.policy, slot.kind) !== "authoritative")
      watch.fail(`${where} took ${slot.name} ${slot.role}, which Rolecall had not given`);
    const since = watch.truth.owedSince(lane.tenantId, lane.connectionId, user, slot);
    if (since !== undefined && watch.scheduler.monotonic - since > undisturbedMs)
      watch.fail(`${where} took ${slot.name} ${slot.role} from somebody who is entitled to it`);
  }
}

function judgeLeaver(watch: Watch, where: string, lane: Lane, user: IdpUser): void {
  // Who was an admin a moment ago, before somebody changed that by hand, may have had to wait.
  const place = `${lane.tenantId} ${lane.connectionId} ${user.key}`;
  if (user.leftAt === undefined || watch.meddled.has(place)) return;
  const from = Math.max(user.leftAt, watch.excusedUntil(lane.tenantId, lane.connectionId));
  const lateMs = watch.scheduler.monotonic - from;
  if (lateMs > leaverDeadlineMs)
    watch.fail(
      `${where} came ${String(Math.round(lateMs / 60_000))} minutes after the person left`,
    );
}

/** An admin may have had to wait for another one: that is no lateness. */
function isAdmin(organization: VendorOrganization, held: HeldAccount): boolean {
  return (
    organization.facts.kinds[organization.accountKind]?.roles[held.account.role]?.admin === true
  );
}
