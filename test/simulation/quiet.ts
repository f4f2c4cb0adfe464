import { asId, type ConnectionId, type IdentityId, type TenantId } from "../../src/model/ids.ts";
import { dueOf, rankOf, type Due } from "./entitlement-model.ts";
import { isHere, type IdpUser } from "./identity-provider.ts";
import { acceptAll, sayLoaded } from "./perform.ts";
import { fairWeather } from "./vendor-network.ts";
import type { HeldAccount, VendorOrganization } from "./vendor-organization.ts";
import { tenants, type World } from "./world.ts";

const minute = 60_000;
const roundsMax = 14;
const why = "all is well again";

/** Everything outside works again, people decide what waits for them, and time passes until nothing moves any more. */
export async function comeToRest(world: World): Promise<void> {
  repair(world);
  await waitForCalm(world);
  // Leavers are read again after a quarter of an hour, and after a day, when every vendor is listed too.
  await world.scheduler.pass((world.random.chance(0.4) ? 26 : 1) * 60 * minute);
}

async function waitForCalm(world: World): Promise<void> {
  let calm = 0;
  for (let round = 0; round < roundsMax && calm < 2; round += 1) {
    const before = writes(world);
    for (const tenant of tenants) await decideEverything(world, tenant);
    await world.scheduler.pass(25 * minute);
    if (world.watch.violations.length > 0) return;
    calm = before === writes(world) && (await isOwedNothing(world)) ? calm + 1 : 0;
  }
  if (calm < 2) world.watch.fail("the world does not come to rest");
}

/** Everybody is looked at again: what was changed by hand at a vendor is found by that alone. */
export async function lookAtEverybody(world: World): Promise<void> {
  for (const tenant of tenants) await world.operate(tenant, "reconcile", {});
  await waitForCalm(world);
}

function repair(world: World): void {
  world.narrow(50);
  world.ambushes.length = 0;
  world.storeDownUntil = 0;
  Object.assign(world.log.weather, {
    down: false,
    lost: 0,
    doubled: 0,
    swapped: 0,
    delayMaxMs: 20,
  });
  for (const { tenantId, connectionId, organization } of world.truth.places()) {
    Object.assign(world.network.weatherOf({ tenantId, connectionId }), fairWeather());
    organization.brokenLists = 0;
    organization.shrunkenLists = 0;
    organization.lagMs = 0;
    world.network.keys.set(`${tenantId} sealed:${connectionId}`, {
      fingerprint: "key-of-the-end",
      organization,
      accepted: true,
    });
    world.watch.excuse({ tenantId, connectionId }, 90 * minute);
  }
}

function writes(world: World): number {
  return world.watch.intents.size;
}

async function decideEverything(world: World, tenant: string): Promise<void> {
  const tenantId = asId<TenantId>(tenant);
  for (const stop of await world.store.listStops(tenantId))
    await world.operate(tenant, "start", { covers: stop.covers, why });
  for (const lane of await world.store.listLanes(tenantId)) {
    if (lane.state === "paused")
      await world.operate(tenant, "resumeLane", { connection: lane.connectionId, why });
  }
  for (const hold of await world.store.listHolds(tenantId, { state: "open", limit: 20 }))
    await world.operate(tenant, "decideHold", { holdId: hold.holdId, decision: "approve", why });
  acceptAll(world, tenantId);
  if (world.truth.idps.get(tenantId)?.loaded === false) await sayLoaded(world, tenant, true);
  await world.operate(tenant, "redrive", { all: true });
}

async function isOwedNothing(world: World): Promise<boolean> {
  for (const idp of world.truth.idps.values()) if (idp.waiting > 0) return false;
  const { now } = world.scheduler;
  if ((await world.store.recomputeBacklog(now)).owed > 0) return false;
  for (const tenant of tenants) {
    const holds = await world.store.listHolds(asId<TenantId>(tenant), { state: "open", limit: 1 });
    if (holds.length > 0) return false;
  }
  return true;
}

/** What must be so when all is quiet: every vendor as the rules say, and one record of every write. */
export async function judgeRest(world: World, meddled: ReadonlySet<string>): Promise<void> {
  await world.truth.readRules();
  for (const place of world.truth.places()) {
    const { tenantId, connectionId, organization, idp } = place;
    const rules = world.truth.rules(tenantId, connectionId);
    const lane = await world.store.getLane(tenantId, connectionId);
    if (rules === undefined || lane === undefined) continue;
    if (lane.state !== "open")
      world.watch.fail(`${tenantId}/${connectionId} is not open: ${JSON.stringify(lane.pause)}`);
    if (rules.mode === "report-only") continue;
    const silent = new Set(
      Object.entries(lane.policy.sets).flatMap(([kind, mode]) =>
        mode === "report-only" ? [kind] : [],
      ),
    );
    for (const user of idp.users) {
      if (meddled.has(`${tenantId} ${connectionId} ${user.key}`)) continue;
      const due = isHere(user, world.scheduler.now)
        ? dueOf(rules, idp, user, organization, world.scheduler.now)
        : undefined;
      await judgePerson(world, { tenantId, connectionId, organization }, user, due, silent);
    }
    judgeDoubles(world, `${tenantId}/${connectionId}`, organization);
  }
  await judgeIntents(world);
}

interface Place {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly organization: VendorOrganization;
}

/** Ends that need a person who is not there: nothing more is promised to these. */
const endsWithPeople: ReadonlySet<string> = new Set([
  "INVITE_LIMIT",
  "ACCOUNT_DISPUTED",
  "ACCOUNT_AMBIGUOUS",
  "ADMIN_FLOOR",
  "MANUAL_STEP",
  "PROTECTED",
]);

async function judgePerson(
  world: World,
  place: Place,
  user: IdpUser,
  due: Due | undefined,
  silent: ReadonlySet<string>,
): Promise<void> {
  const { tenantId, connectionId, organization } = place;
  const identityId = world.watch.identityOf(tenantId, user.id);
  const target =
    identityId === undefined
      ? undefined
      : await world.store.getTarget(tenantId, connectionId, identityId);
  const link =
    identityId === undefined
      ? undefined
      : await world.store.getLink(tenantId, connectionId, identityId);
  const where = `${tenantId}/${connectionId} ${user.userName} (${target?.state ?? "no target"} ${target?.reason?.code ?? ""})`;
  if (target?.state === "due") world.watch.fail(`${where} is still due`);
  if (endsWithPeople.has(target?.reason?.code ?? "")) return;
  if (identityId !== undefined && (await isRejected(world, place, identityId))) return;
  const held = link === undefined ? undefined : organization.state.get(link.accountId);
  // Shown and never touched, whoever's they are.
  const untouchable =
    (held !== undefined && organization.ownAccountIds.includes(held.account.accountId)) ||
    [...world.truth.addressesOf(user)].some((email) => /^(breakglass|rolecall)@/.test(email));
  if (untouchable) return;
  if (due === undefined) {
    judgeLeaver(world, place, where, user, held);
    return;
  }
  const account = held ?? organization.of(user.userName);
  for (const [slot, role] of due.roles) {
    if (silent.has(slot.split(" ")[0] ?? "")) continue;
    const has = roleIn(organization, account, slot);
    if (
      has === undefined ||
      rankOf(organization.facts, slot, has.role) < rankOf(organization.facts, slot, role)
    )
      world.watch.fail(`${where} should hold ${slot} ${role} and holds ${has?.role ?? "nothing"}`);
    else if (has.by === "ours" && has.role !== role && !due.unsure.has(slot))
      world.watch.fail(`${where} should hold ${slot} ${role} and still holds our ${has.role}`);
  }
  if (account === undefined) return;
  // An address that was somebody else's before: what they hold there is judged with them.
  const owners = await world.store.findLinks(tenantId, connectionId, [account.account.accountId]);
  if (owners.some((owner) => owner.identityId !== identityId)) return;
  for (const slot of slotsOf(organization, account)) {
    if (due.roles.has(slot) || due.unsure.has(slot) || silent.has(slot.split(" ")[0] ?? ""))
      continue;
    const has = roleIn(organization, account, slot);
    if (has?.by === "ours" && account.by === "ours")
      world.watch.fail(`${where} should not hold ${slot} and still holds our ${has.role}`);
  }
}

/** Whether a person said no to what would bring this to its end. */
async function isRejected(
  world: World,
  { tenantId, connectionId }: Place,
  identityId: IdentityId,
): Promise<boolean> {
  const entries = await world.store.listRailEntries(tenantId, {
    connectionId,
    identityId,
    limit: 50,
  });
  return entries.some((entry) => entry.state === "rejected");
}

function judgeLeaver(
  world: World,
  { tenantId, organization }: Place,
  where: string,
  user: IdpUser,
  linked: HeldAccount | undefined,
): void {
  if (linked !== undefined && linked.account.state !== "expired")
    world.watch.fail(`${where} left and still has the linked account ${linked.account.accountId}`);
  for (const email of world.truth.addressesOf(user)) {
    const held = organization.of(email);
    const now = world.truth.userByAddress(tenantId, email);
    if (held?.by === "ours" && now === user)
      world.watch.fail(`${where} left and still has our account ${held.account.accountId}`);
  }
}

function roleIn(
  organization: VendorOrganization,
  held: HeldAccount | undefined,
  slot: string,
): { readonly role: string; readonly by: "ours" | "foreign" } | undefined {
  if (held === undefined || held.account.state === "expired") return undefined;
  if (slot === organization.accountKind) return { role: held.account.role, by: held.roleBy };
  const grant = [...held.grants.values()].find((item) => `${item.kind} ${item.objectId}` === slot);
  return grant === undefined ? undefined : { role: grant.role, by: grant.by };
}

function slotsOf(organization: VendorOrganization, held: HeldAccount): readonly string[] {
  return [
    organization.accountKind,
    ...[...held.grants.values()].map((item) => `${item.kind} ${item.objectId}`),
  ];
}

function judgeDoubles(world: World, where: string, organization: VendorOrganization): void {
  const living = [...organization.state.values()].filter(
    (held) => held.account.state !== "expired",
  );
  for (const [email, accounts] of Map.groupBy(living, (held) => held.account.email)) {
    if (accounts.filter((held) => held.by === "ours").length > 1)
      world.watch.fail(`${where}: ${email} has ${String(accounts.length)} accounts`);
  }
}

/** Every write that passed the gate has an outcome that is true, and exactly one record. */
async function judgeIntents(world: World): Promise<void> {
  const records = new Map<string, string[]>();
  for (const tenant of tenants) {
    for (const { record } of await world.store.findRecords(asId<TenantId>(tenant), {
      limit: 20_000,
    })) {
      const id = record.facts["intentId"];
      if (typeof id !== "string") continue;
      records.set(id, [...(records.get(id) ?? []), String(record.facts["outcome"])]);
    }
  }
  for (const [id, intent] of world.watch.intents) {
    const where = `${intent.tenantId}/${intent.command.connectionId} ${intent.command.step}`;
    const outcomes = records.get(id) ?? [];
    if (intent.finished === undefined || intent.finished === "unknown")
      world.watch.fail(`${where} has no outcome`);
    if (outcomes.length !== 1)
      world.watch.fail(`${where} has ${String(outcomes.length)} records: ${outcomes.join(", ")}`);
    if (!intent.sent && outcomes[0] === "done" && intent.command.step === "create_account")
      world.watch.fail(`${where} never left and is recorded as done`);
  }
}
