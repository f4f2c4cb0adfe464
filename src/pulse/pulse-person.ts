import { isDeepStrictEqual } from "node:util";
import type { DirectoryStore, SourceUser, SourceUserDraft } from "../directory/directory-store.ts";
import type { DirectoryQuery } from "../directory/query.ts";
import type { Clock } from "../model/clock.ts";
import { fold } from "../model/fold.ts";
import {
  newId,
  type GroupId,
  type IdentityId,
  type SourceUserId,
  type TenantId,
} from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { pulseIdp, type PulseSettings } from "../model/pulse-settings.ts";
import { newRecord, type Actor, type Also, type Cause, type Subject } from "../model/records.ts";
import { letGo, type PulseClaimDeps } from "./pulse-claims.ts";

export interface PulsePersonDeps extends PulseClaimDeps {
  readonly store: PulseClaimDeps["store"] &
    Pick<
      DirectoryStore,
      | "listIdps"
      | "createIdp"
      | "setIdpLoaded"
      | "findGroupsByName"
      | "createGroup"
      | "updateGroup"
      | "groupsOfUser"
      | "listUsers"
      | "createUser"
      | "replaceUser"
    >;
  readonly clock: Clock;
  readonly ringRelay: () => void;
}

const actor: Actor = { kind: "system", id: "pulse" };
const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/** What the enterprise extension of RFC 7643 section 4.3 holds as text. */
const enterpriseNames = new Set([
  "employeeNumber",
  "costCenter",
  "organization",
  "division",
  "department",
]);

/**
 * Has the directory say that the synthetic person is there, by the commands that SCIM uses: a person of an IdP connection of their own,
 * in its groups. Saying it again changes nothing.
 */
export async function bePresent(
  deps: PulsePersonDeps,
  tenantId: TenantId,
  settings: PulseSettings,
): Promise<IdentityId> {
  await ensureIdp(deps, tenantId);
  await beAbsent(deps, tenantId, settings.email);
  const user = await ensureUser(deps, tenantId, settings);
  await ensureGroups(deps, tenantId, settings, user.sourceUserId);
  deps.ringRelay();
  return user.identityId;
}

/**
 * Has the directory say that nobody of the pulse is there any more, but for `except`: an urgent change, as every leave. An account that the
 * pulse did not make is unlinked before: it stays.
 */
export async function beAbsent(
  deps: PulsePersonDeps,
  tenantId: TenantId,
  except?: string,
): Promise<void> {
  const active: DirectoryQuery = {
    op: "compare",
    field: { column: "active" },
    test: "eq",
    value: true,
    exact: true,
  };
  for (const user of await usersWhere(deps, tenantId, active)) {
    if (user.userName === except) continue;
    await letGo(deps, tenantId, user.identityId);
    await replace(deps, tenantId, user, { ...user.resource, active: false }, false);
  }
  deps.ringRelay();
}

async function usersWhere(
  { store }: PulsePersonDeps,
  tenantId: TenantId,
  query: DirectoryQuery,
): Promise<readonly SourceUser[]> {
  const page = { startIndex: 1, count: 100, sort: undefined };
  return (await store.listUsers(tenantId, pulseIdp, query, page)).items;
}

async function ensureIdp({ store, clock }: PulsePersonDeps, tenantId: TenantId): Promise<void> {
  const known = (await store.listIdps(tenantId)).find((idp) => idp.idpId === pulseIdp);
  const about = (action: string): Also =>
    alsoOf(clock, action, { type: "idp", id: pulseIdp }, { kind: "generic" });
  if (known === undefined)
    await store.createIdp(
      tenantId,
      { idpId: pulseIdp, kind: "generic", now: clock.now() },
      about("idp.created"),
    );
  // Nobody is ever awaited here: without this, everybody's absence would prove nothing.
  if (known?.loadedAt === undefined)
    await store.setIdpLoaded(
      tenantId,
      { idpId: pulseIdp, loadedAt: clock.now() },
      about("idp.loaded"),
    );
}

async function ensureUser(
  deps: PulsePersonDeps,
  tenantId: TenantId,
  settings: PulseSettings,
): Promise<SourceUser> {
  const { store, clock } = deps;
  const resource = resourceOf(settings);
  const [known] = await usersWhere(deps, tenantId, {
    op: "compare",
    field: { column: "userName" },
    test: "eq",
    value: settings.email,
    exact: false,
  });
  if (known !== undefined) {
    if (known.active && isDeepStrictEqual(known.resource, resource)) return known;
    return replace(deps, tenantId, known, resource, true);
  }
  const sourceUserId = newId<SourceUserId>(clock);
  const identityId = newId<IdentityId>(clock);
  return store.createUser(
    tenantId,
    {
      ...{ idpId: pulseIdp, sourceUserId, identityId, now: clock.now() },
      user: draftOf(settings.email, resource, true),
    },
    about(clock, "user.created", { sourceUserId, identityId }, true),
  );
}

function replace(
  { store, clock }: PulsePersonDeps,
  tenantId: TenantId,
  user: SourceUser,
  resource: JsonObject,
  active: boolean,
): Promise<SourceUser> {
  const action =
    user.active === active ? "user.replaced" : active ? "user.reactivated" : "user.deactivated";
  return store.replaceUser(
    tenantId,
    {
      ...{ idpId: pulseIdp, sourceUserId: user.sourceUserId, expect: user.version },
      user: draftOf(user.userName, resource, active),
      now: clock.now(),
    },
    about(clock, action, user, active),
  );
}

/** The person is in the groups of the settings, and in no other one of this IdP connection. */
async function ensureGroups(
  { store, clock }: PulsePersonDeps,
  tenantId: TenantId,
  settings: PulseSettings,
  sourceUserId: SourceUserId,
): Promise<void> {
  const named = await store.findGroupsByName(tenantId, settings.groups);
  const own = named.filter((group) => group.idpId === pulseIdp && !group.deleted);
  const held = (await store.groupsOfUser(tenantId, pulseIdp, [sourceUserId])).get(sourceUserId);
  const wanted = new Set(settings.groups.map((name) => fold(name)));
  const change = async (groupId: GroupId, op: "add" | "remove") => {
    const memberCause = causeOf(groupId);
    await store.updateGroup(
      tenantId,
      {
        ...{ idpId: pulseIdp, groupId, expect: undefined, memberCause, now: clock.now() },
        memberChanges: [{ op, memberIds: [sourceUserId] }],
      },
      alsoOf(clock, "group.members_changed", { type: "group", id: groupId }, {}),
    );
  };
  for (const { groupId, displayName } of held ?? [])
    if (!wanted.has(fold(displayName))) await change(groupId, "remove");
  for (const name of settings.groups) {
    const known = own.find((group) => fold(group.displayName) === fold(name));
    if (known === undefined) {
      const groupId = newId<GroupId>(clock);
      const cause = causeOf(groupId);
      await store.createGroup(
        tenantId,
        {
          ...{ idpId: pulseIdp, groupId, displayName: name, externalId: undefined },
          ...{ memberIds: [sourceUserId], memberCause: cause, now: clock.now() },
        },
        {
          ...alsoOf(clock, "group.created", { type: "group", id: groupId }, {}),
          // A new name: rules that wait for it are bound before its person is looked at.
          fanouts: [
            { fanoutId: newId(clock), scope: { kind: "group", groupId }, cause, urgent: false },
          ],
        },
      );
    } else if (held?.some((group) => group.groupId === known.groupId) !== true) {
      await change(known.groupId, "add");
    }
  }
}

function causeOf(groupId: GroupId): Cause {
  return { kind: "scim.group", key: `scim.group:${groupId}` };
}

function draftOf(userName: string, resource: JsonObject, active: boolean): SourceUserDraft {
  const displayName = resource["displayName"];
  return {
    ...{ userName, externalId: undefined, active, emails: [userName] },
    displayName: typeof displayName === "string" ? displayName : undefined,
    resource: { ...resource, active },
  };
}

function resourceOf(settings: PulseSettings): JsonObject {
  const { email, givenName, familyName, attributes } = settings;
  const core: Record<string, Json> = {};
  const extension: Record<string, Json> = {};
  for (const [name, value] of Object.entries(attributes))
    (enterpriseNames.has(name) ? extension : core)[name] = value;
  return {
    ...core,
    userName: email,
    displayName: `${givenName} ${familyName}`,
    name: { givenName, familyName },
    emails: [{ value: email, type: "work", primary: true }],
    active: true,
    ...(Object.keys(extension).length === 0 ? {} : { [enterprise]: extension }),
  };
}

function alsoOf(clock: Clock, action: string, subject: Subject, facts: JsonObject): Also {
  return { records: [newRecord(clock, { actor, action, subject, facts })], recompute: [] };
}

function about(
  clock: Clock,
  action: string,
  who: { readonly sourceUserId: SourceUserId; readonly identityId: IdentityId },
  active: boolean,
): Also {
  const { sourceUserId, identityId } = who;
  const cause: Cause = { kind: "scim.user" };
  return {
    ...alsoOf(clock, action, { type: "source_user", id: sourceUserId }, { identityId, active }),
    recompute: [{ identityId, cause, urgent: !active }],
  };
}
