import type { Store } from "../../src/adapters/store.ts";
import type { AccessException } from "../../src/model/identity.ts";
import type { ConnectionId, TenantId } from "../../src/model/ids.ts";
import type { VendorFacts } from "../../src/model/vendor-facts.ts";
import type { IdentityProvider, IdpUser } from "./identity-provider.ts";
import type { VendorOrganization } from "./vendor-organization.ts";

/** What a person should hold by the plainest reading of the rules; written apart from the code that it judges. */
export interface Due {
  /** Role by slot: the account kind's own slot is its kind, others are `kind object`. */
  readonly roles: ReadonlyMap<string, string>;
  /** Slots that may neither be asked for nor taken away: a group that their rule names has never arrived. */
  readonly unsure: ReadonlySet<string>;
}

interface RuleText {
  readonly id: string;
  readonly when: { readonly group?: string; readonly attribute?: string; readonly equals?: string };
  readonly grant?: readonly GrantText[];
  readonly deny?: readonly GrantText[];
}

interface GrantText {
  readonly kind: string;
  readonly name?: string;
  readonly role?: string;
}

/** One connection's rules with what its names mean now, read from the store as inputs. */
export interface Rules {
  readonly rules: readonly RuleText[];
  readonly mode: string;
  readonly bound: ReadonlyMap<string, string | undefined>;
  /** Names whose group was deleted, as far as the service knows. */
  readonly deleted: ReadonlySet<string>;
  readonly exceptions: readonly AccessException[];
}

export const noDue: Due = { roles: new Map(), unsure: new Set() };

/** The connection's active rules, bindings and exceptions; undefined: none is active. */
export async function rulesOf(
  store: Store,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<Rules | undefined> {
  const active = (await store.activeMappings(tenantId)).find(
    (item) => item.connectionId === connectionId,
  );
  if (active === undefined) return undefined;
  const bindings = await store.listBindings(tenantId, active.versionId);
  const document = active.document as unknown as {
    readonly rules: readonly RuleText[];
    readonly mode: string;
  };
  return {
    rules: document.rules,
    mode: document.mode,
    bound: new Map(
      bindings.map((item) => [
        item.groupName,
        item.state === "absent" ? undefined : (item.groupId ?? ""),
      ]),
    ),
    deleted: new Set(
      bindings.filter((item) => item.state === "deleted").map((item) => item.groupName),
    ),
    exceptions: (await store.listExceptions(tenantId)).filter(
      (item) => item.connectionId === connectionId,
    ),
  };
}

/** What one active person should hold. */
export function dueOf(
  rules: Rules,
  idp: IdentityProvider,
  person: IdpUser,
  organization: VendorOrganization,
  now: number,
): Due {
  const { facts, accountKind } = organization;
  const given = new Map<string, string[]>();
  const unsure = new Set<string>();
  const denied = new Set<string>();
  const slotOf = (text: GrantText) => {
    if (text.name === undefined) return text.kind;
    const object = organization.objects.find((item) => item.name === text.name);
    return `${text.kind} ${object?.objectId ?? "?"}`;
  };
  for (const rule of rules.rules) {
    const truth = holds(rules, rule, idp, person);
    if (truth === "unknown") {
      for (const grant of rule.grant ?? []) unsure.add(slotOf(grant));
      unsure.add(accountKind);
    }
    if (truth !== "yes") continue;
    for (const deny of rule.deny ?? []) denied.add(slotOf(deny));
    for (const grant of rule.grant ?? []) {
      const slot = slotOf(grant);
      given.set(slot, [...(given.get(slot) ?? []), grant.role ?? ""]);
    }
  }
  for (const slot of denied) given.delete(slot);
  const roles = withExceptions(rules, person, given, facts, now);
  if (roles.size > 0 && !roles.has(accountKind))
    roles.set(accountKind, facts.kinds[accountKind]?.fallbackRole ?? "");
  return { roles, unsure };
}

function holds(
  rules: Rules,
  rule: RuleText,
  idp: IdentityProvider,
  person: IdpUser,
): "yes" | "no" | "unknown" {
  const { when } = rule;
  if (when.attribute !== undefined) return person.userType === when.equals ? "yes" : "no";
  const id = rules.bound.get(when.group ?? "");
  if (id === undefined) return "unknown";
  const group = idp.groups.find((item) => item.id === id);
  if (group?.deleted === false && group.members.has(person)) return "yes";
  return idp.loaded || group?.deleted !== false ? "no" : "unknown";
}

/** The highest role of each slot; exceptions beat rules, and among exceptions a deny beats a grant. */
function withExceptions(
  rules: Rules,
  person: IdpUser,
  given: ReadonlyMap<string, readonly string[]>,
  facts: VendorFacts,
  now: number,
): Map<string, string> {
  const own = rules.exceptions.filter(
    (item) => item.person === person.userName && (item.until ?? Infinity) >= now,
  );
  const slotOf = (item: AccessException) =>
    item.object === null ? item.kind : `${item.kind} ${item.object.value}`;
  const isDenied = (slot: string, role: string) =>
    own.some(
      (item) =>
        item.effect === "deny" &&
        slotOf(item) === slot &&
        (item.role === null || item.role === role),
    );
  const granted = Map.groupBy(
    own.filter((item) => item.effect === "grant"),
    slotOf,
  );
  const roles = new Map<string, string>();
  for (const slot of new Set([...given.keys(), ...granted.keys()])) {
    const wished = granted.get(slot)?.map((item) => item.role ?? "") ?? given.get(slot) ?? [];
    const left = wished.filter((role) => !isDenied(slot, role));
    const best = left.toSorted((a, b) => rankOf(facts, slot, b) - rankOf(facts, slot, a))[0];
    if (best !== undefined) roles.set(slot, best);
  }
  return roles;
}

export function rankOf(facts: VendorFacts, slot: string, role: string): number {
  return facts.kinds[slot.split(" ")[0] ?? ""]?.roles[role]?.rank ?? 0;
}
