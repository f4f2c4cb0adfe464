import { asId, type ConnectionId, type TenantId } from "../../src/model/ids.ts";
import type { Action } from "./actions.ts";
import type { IdentityProvider, IdpGroup, IdpUser } from "./identity-provider.ts";
import { groupNames } from "./mapping-variants.ts";
import { fairWeather } from "./vendor-network.ts";
import type { VendorOrganization } from "./vendor-organization.ts";
import type { World } from "./world.ts";

const minute = 60_000;

/** Does one action; where there is nobody to do it to, nothing happens. */
export async function perform(world: World, action: Action): Promise<void> {
  world.scheduler.tell("», ", () => JSON.stringify(action));
  switch (action.do) {
    case "pass":
      await world.scheduler.pass(action.ms);
      return;
    case "hire":
    case "leave":
    case "leave-named":
    case "return":
    case "delete":
    case "rename":
    case "retype":
      performPerson(world, action);
      break;
    case "hr":
      performHr(world, action);
      break;
    case "arriving":
      await sayLoaded(world, action.tenant, action.loaded);
      break;
    case "join":
    case "quit":
    case "put-group":
    case "rename-group":
    case "delete-group":
    case "remake-group":
      performGroup(world, action);
      break;
    case "accept":
    case "meddle":
    case "lists":
    case "key":
    case "weather":
      performVendor(world, action);
      break;
    case "mapping":
      await world.applyMapping(action.tenant, action.connection, action.variant);
      break;
    case "pause":
    case "resume":
    case "reconcile":
    case "redrive":
    case "stop":
    case "start":
    case "decide":
      await performOperator(world, action);
      break;
    case "log":
    case "ambush":
    case "crash":
    case "stall":
    case "store-down":
    case "clock":
    case "narrow":
      performMachine(world, action);
      break;
  }
  world.truth.refresh();
}

type Of<Name extends Action["do"]> = Extract<Action, { readonly do: Name }>;

function idpOf(world: World, tenant: string): IdentityProvider {
  const idp = world.truth.idps.get(asId<TenantId>(tenant));
  if (idp === undefined) throw new Error(`no tenant ${tenant}`);
  return idp;
}

function at<T>(items: readonly T[], number: number): T | undefined {
  return items.length === 0 ? undefined : items[number % items.length];
}

function performPerson(
  world: World,
  action: Of<"hire" | "leave" | "leave-named" | "return" | "delete" | "rename" | "retype">,
): void {
  const idp = idpOf(world, action.tenant);
  if (action.do === "hire") {
    hire(idp, action);
    return;
  }
  if (action.do === "leave-named") {
    const named = idp.activeOf(nameOf(action.who));
    if (named !== undefined) idp.setActive(named, false);
    return;
  }
  const able = (user: IdpUser) =>
    user.active === (action.do !== "return") &&
    !(user.knownToHr && (action.do === "delete" || action.do === "rename"));
  const who = at(idp.live().filter(able), action.who);
  if (who === undefined) return;
  switch (action.do) {
    case "leave":
    case "return":
      idp.setActive(who, action.do === "return");
      break;
    case "delete":
      idp.deleteUser(who);
      break;
    case "rename": {
      const [name = "", domain = ""] = who.userName.split("@");
      const next = `${name}-x@${domain}`;
      if (idp.users.every((user) => user.userName !== next)) idp.update(who, { userName: next });
      break;
    }
    case "retype":
      idp.update(who, { userType: who.userType === "Employee" ? "Contractor" : "Employee" });
      break;
  }
}

function performHr(world: World, action: Of<"hr">): void {
  const leaves = action.says === "leave.now" || action.says === "leave.planned";
  const spokenOf = (user: IdpUser) => leaves || user.hrLeavesAt !== undefined;
  const who = at(idpOf(world, action.tenant).live().filter(spokenOf), action.who);
  if (who !== undefined)
    world.hr.get(asId<TenantId>(action.tenant))?.says(action.says, who, action.ms);
}

/** Two of them have the addresses of accounts that nobody may touch. */
function nameOf(who: number): string {
  const name = who === 12 ? "rolecall" : who === 13 ? "breakglass" : `p${String(who)}`;
  return `${name}@example.com`;
}

/** Says to the service whether everybody has arrived, and notes what it has heard of that. */
export async function sayLoaded(world: World, tenant: string, loaded: boolean): Promise<void> {
  const idp = idpOf(world, tenant);
  await world.operate(tenant, "idpLoaded", { idp: idp.idpId, loaded });
  const [known] = await world.store.listIdps(idp.tenantId);
  idp.loaded = known?.loadedAt !== undefined;
}

function hire(idp: IdentityProvider, action: Of<"hire">): void {
  const userName = nameOf(action.who);
  if (idp.live().some((user) => user.userName === userName)) return;
  const made = idp.hire(userName, action.type);
  for (const number of new Set(action.groups)) {
    const name = groupNames[number] ?? groupNames[0];
    const group = idp.groups.find((item) => item.name === name && !item.deleted);
    if (group === undefined) idp.createGroup(name, [made]);
    else idp.changeMembers(group, "add", [made]);
  }
}

function performGroup(
  world: World,
  action: Of<"join" | "quit" | "put-group" | "rename-group" | "delete-group" | "remake-group">,
): void {
  const idp = idpOf(world, action.tenant);
  const name = groupNames[action.group] ?? groupNames[0];
  const isIt = (item: IdpGroup) =>
    !item.deleted && (item.name === name || item.name === `${name} renamed`);
  const group = idp.groups.find(isIt);
  if (action.do === "remake-group") {
    if (group === undefined) idp.createGroup(name, idp.live().slice(0, 2));
    return;
  }
  if (group === undefined) return;
  const chosen = (numbers: readonly number[], among: readonly IdpUser[]) => [
    ...new Set(numbers.flatMap((number) => at(among, number) ?? [])),
  ];
  switch (action.do) {
    case "join": {
      const who = chosen(
        action.who,
        idp.live().filter((user) => !group.members.has(user)),
      );
      if (who.length > 0) idp.changeMembers(group, "add", who);
      break;
    }
    case "quit": {
      const who = chosen(action.who, [...group.members]);
      if (who.length > 0) idp.changeMembers(group, "remove", who);
      break;
    }
    case "put-group":
      idp.replaceMembers(group, chosen(action.who, idp.live()));
      break;
    case "rename-group":
      idp.renameGroup(group, group.name === name ? `${name} renamed` : name);
      break;
    case "delete-group":
      idp.deleteGroup(group);
      break;
  }
}

function performVendor(
  world: World,
  action: Of<"accept" | "meddle" | "lists" | "key" | "weather">,
): void {
  const tenantId = asId<TenantId>(action.tenant);
  if (action.do === "accept") {
    acceptAll(world, tenantId);
    return;
  }
  const connectionId = asId<ConnectionId>(action.connection);
  const organization = world.truth.organization(tenantId, connectionId);
  if (organization === undefined) return;
  const place = { tenantId, connectionId };
  switch (action.do) {
    case "meddle":
      meddle(world, tenantId, organization, action);
      break;
    case "lists":
      if (action.kind === "broken") organization.brokenLists += 2;
      else if (action.kind === "shrunken") organization.shrunkenLists += 1;
      // The one that takes two members for one shows new ones late: what two looks a minute apart are for.
      else
        organization.lagMs = organization.facts.create.unique
          ? organization.facts.settleMs
          : 45_000;
      break;
    case "key":
      changeKey(world, tenantId, action);
      break;
    case "weather":
      world.watch.excuse(place, 0);
      changeWeather(world, place, action.kind);
      break;
  }
}

/** Everybody who was invited says yes. */
export function acceptAll(world: World, tenantId: TenantId): void {
  for (const place of world.truth.places()) {
    if (place.tenantId !== tenantId) continue;
    for (const held of place.organization.state.values())
      place.organization.accept(held.account.email);
  }
}

function meddle(
  world: World,
  tenantId: TenantId,
  organization: VendorOrganization,
  action: Of<"meddle">,
): void {
  const idp = idpOf(world, tenantId);
  const user = at(idp.live(), action.who);
  if (user === undefined) return;
  const desk = organization.facts.vendor === "desk";
  world.watch.meddled.add(`${tenantId} ${organization.facts.vendor} ${user.key}`);
  const object = organization.objects[action.who % 2];
  switch (action.how) {
    case "role":
      organization.meddle(user.userName, { role: desk ? "developer" : "editor" });
      break;
    case "grant":
      if (object !== undefined)
        organization.meddle(user.userName, {
          grant: { kind: object.kind, objectId: object.objectId, role: "writer" },
        });
      break;
    case "revoke":
      if (object !== undefined)
        organization.meddle(user.userName, {
          revoke: { kind: object.kind, objectId: object.objectId, role: "" },
        });
      break;
    case "remove":
      organization.meddle(user.userName, { remove: true });
      break;
    case "add":
      if (organization.of(user.userName) === undefined)
        organization.put(user.userName, desk ? "user" : "view", "foreign");
      break;
  }
}

function changeKey(world: World, tenantId: TenantId, action: Of<"key">): void {
  const name = `${tenantId} sealed:${action.connection}`;
  const key = world.network.keys.get(name);
  if (key === undefined) return;
  world.watch.excuse(
    { tenantId, connectionId: asId<ConnectionId>(action.connection) },
    90 * minute,
  );
  if (action.key === "revoked") {
    world.network.keys.set(name, { ...key, accepted: false });
    return;
  }
  const other = [...world.truth.idps.keys()].find((id) => id !== tenantId) ?? tenantId;
  const owner = action.key === "foreign" ? other : tenantId;
  const organization = world.truth.organization(owner, asId<ConnectionId>(action.connection));
  if (organization === undefined) return;
  world.network.keys.set(name, {
    fingerprint: `${key.fingerprint}+`,
    organization,
    accepted: true,
  });
}

function changeWeather(
  world: World,
  place: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
  kind: Of<"weather">["kind"],
): void {
  const weather = world.network.weatherOf(place);
  // Nothing is learnt from a thousandth try: bad weather ends by itself.
  Object.assign(weather, fairWeather(), { endsAt: world.scheduler.monotonic + 25 * minute });
  switch (kind) {
    case "storm":
      weather.limitedUntil = world.scheduler.monotonic + 4 * minute;
      weather.retryAfterMs = 90_000;
      break;
    case "outage":
      weather.refused = 1;
      break;
    case "lossy":
      weather.refused = 0.1;
      weather.lostBefore = 0.15;
      weather.lostAfter = 0.2;
      break;
    case "slow":
      weather.slowMs = 15_000;
      break;
    case "fair":
      break;
  }
}

async function performOperator(
  world: World,
  action: Of<"pause" | "resume" | "reconcile" | "redrive" | "stop" | "start" | "decide">,
): Promise<void> {
  const why = "simulated";
  const tenantId = asId<TenantId>(action.tenant);
  for (const { connectionId } of world.truth.places())
    world.watch.excuse({ tenantId, connectionId }, 0);
  switch (action.do) {
    case "pause":
      await world.operate(action.tenant, "pauseLane", { connection: action.connection, why });
      break;
    case "resume":
      await world.operate(action.tenant, "resumeLane", { connection: action.connection, why });
      break;
    case "reconcile":
      await world.operate(action.tenant, "reconcile", { connection: action.connection });
      break;
    case "redrive":
      await world.operate(action.tenant, "redrive", { connection: action.connection });
      break;
    case "stop":
    case "start":
      await world.operate(action.tenant, action.do, { covers: action.covers, why });
      break;
    case "decide": {
      const holds = await world.store.listHolds(tenantId, { state: "open", limit: 1 });
      const hold = holds[0];
      if (hold !== undefined)
        await world.operate(action.tenant, "decideHold", {
          holdId: hold.holdId,
          decision: action.decision,
          why,
        });
      break;
    }
  }
}

function performMachine(
  world: World,
  action: Of<"log" | "ambush" | "crash" | "stall" | "store-down" | "clock" | "narrow">,
): void {
  const { scheduler } = world;
  switch (action.do) {
    case "log":
      changeLog(world, action.kind);
      break;
    case "ambush":
      world.ambushes.push({
        node: action.node,
        call: action.call,
        left: action.left,
        fate: action.fate,
      });
      break;
    case "crash":
      world.crash(action.node);
      break;
    case "stall": {
      const node = world.nodes[action.node];
      world.watch.excuse("all", action.ms + 180_000);
      if (node !== undefined) node.life.stalledUntil = scheduler.monotonic + action.ms;
      break;
    }
    case "store-down":
      world.watch.excuse("all", action.ms + minute);
      world.storeDownUntil = scheduler.monotonic + action.ms;
      break;
    case "narrow":
      world.narrow(action.perMinute);
      break;
    case "clock":
      world.watch.excuse("all", Math.abs(action.ms));
      scheduler.offset += action.ms;
      break;
  }
}

function changeLog(world: World, kind: Of<"log">["kind"]): void {
  const { log } = world;
  if (kind === "rebalance") {
    log.rebalance();
    return;
  }
  const wild = kind === "wild";
  Object.assign(log.weather, {
    down: kind === "down",
    lost: kind === "lossy" ? 0.6 : 0,
    doubled: wild ? 0.5 : 0,
    swapped: wild ? 0.7 : 0,
    delayMaxMs: wild ? 30_000 : 20,
  });
}
