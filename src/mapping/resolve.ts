import type { VendorObject } from "../model/account.ts";
import type { Claim, DesiredState, Uncertainty, Weighed } from "../model/assignment.ts";
import { emailDomain } from "../model/fold.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { canonicalHash, compareText } from "./canonical.ts";
import { claimKey, claimText } from "./claim-key.ts";
import { accountOf, settle, type Settlement } from "./settle.ts";

export interface ResolveInput {
  /** The vendor's objects by a complete read; undefined: never read. */
  readonly objects: readonly VendorObject[] | undefined;
  readonly facts: VendorFacts;
  readonly policy: Pick<ConnectionPolicy, "domains">;
  readonly mappingVersion: string;
  readonly person: IdentityFacts;
}

/** Turns names into the vendor's ids, holds the contest again where a name and an id meet, and adds who the account is for. */
export function resolveDesired(weighed: Weighed, input: ResolveInput): DesiredState {
  const { facts, mappingVersion, policy, person } = input;
  const profile = {
    emails: person.emails.filter(
      (email) => policy.domains.length === 0 || policy.domains.includes(emailDomain(email)),
    ),
    displayName: person.displayName,
    ...(person.givenName === undefined ? {} : { givenName: person.givenName }),
    ...(person.familyName === undefined ? {} : { familyName: person.familyName }),
  };
  const empty = { assignments: [], conflicts: [], unresolved: [], keep: [] };
  if (weighed.lifecycle === "departed") {
    return { lifecycle: "departed", ...empty, mappingVersion, profile };
  }
  const names = objectIndex(input.objects);
  const claims: Claim[] = [];
  for (const claim of weighed.claims) names.resolve(claim, claims);
  const settled = settle([...claims, ...names.fears(claims)], facts, accountOf(facts));
  return { lifecycle: "active", ...states(settled, names, facts), mappingVersion, profile };
}

/** The names that a mapping may write for a kind, for messages: live objects, sorted. */
export function objectNames(objects: readonly VendorObject[], kind: string): readonly string[] {
  return objects
    .filter((object) => object.kind === kind && !object.archived)
    .map((object) => object.name)
    .sort(compareText);
}

/**
 * The canonical hash of a wish: equal wishes have equal hashes, whatever version of the mapping says so, so that
 * activating a version moves only those for whom something changes.
 */
export function desiredHash(state: DesiredState): string {
  const { mappingVersion: _version, ...wish } = state;
  return canonicalHash(wish);
}

type Unresolved = DesiredState["unresolved"][number];

function states(
  settled: Settlement,
  names: ObjectNames,
  facts: VendorFacts,
): Pick<DesiredState, "assignments" | "conflicts" | "unresolved" | "keep"> {
  const assignments: DesiredState["assignments"][number][] = [];
  const unresolved: Unresolved[] = [];
  const keep = new KeptSlots();
  for (const { kind, object, role, because, privileged } of settled.assignments) {
    const failure = isUnlisted(facts, kind, object) ? undefined : names.failure(kind, object);
    if (failure === undefined) {
      assignments.push({
        kind,
        objectId: object.by === "id" ? object.id : "",
        role,
        because,
        privileged,
      });
      continue;
    }
    const name = object.by === "name" ? object.name : object.by === "id" ? object.id : "";
    unresolved.push({ kind, name, because, why: failure });
    keep.add(kind, "*", `${claimText(kind, object)} is ${failureText[failure]}`);
  }
  const conflicts = settled.conflicts.map(({ kind, object, roles }) => {
    const objectId = names.slotId(kind, object);
    const said = roles.map(({ role, because }) => `${role} (${because.join(", ")})`);
    const text = `${claimText(kind, object)}: ${said.join(" and ")} exclude each other; set \`rank:\` in one of the rules`;
    keep.add(kind, objectId ?? "*", "rules contradict each other");
    return {
      slot: objectId === undefined ? null : { kind, objectId },
      text,
      because: [...new Set(roles.flatMap(({ because }) => because))].sort(compareText),
    };
  });
  for (const { kind, object, reasons } of settled.doubts) {
    // What might still become true would take the place of another object of an exclusive kind.
    const exclusive = facts.kinds[kind]?.exclusive === true;
    const objectId = exclusive ? undefined : names.slotId(kind, object);
    for (const [why, rules] of Map.groupBy(reasons, ([, why]) => why)) {
      keep.add(kind, objectId ?? "*", doubtText[why], rules);
    }
  }
  return {
    assignments: assignments.sort((a, b) =>
      compareText(`${a.kind}\n${a.objectId}`, `${b.kind}\n${b.objectId}`),
    ),
    conflicts,
    unresolved,
    keep: keep.list(),
  };
}

/**
 * The slots that may lose nothing, by slot and reason. Rules with the same reason are told together: while an identity provider is arriving
 * every rule is in doubt for everybody, and a wish that named each of them would be larger than everything else that is kept of a person.
 */
class KeptSlots {
  readonly #reasons = new Map<
    string,
    {
      readonly kind: string;
      readonly objectId: string;
      readonly why: string;
      readonly rules: Set<string>;
    }
  >();

  add(
    kind: string,
    objectId: string,
    why: string,
    rules: Iterable<readonly [string, unknown]> = [],
  ): void {
    const key = `${kind}\n${objectId}\n${why}`;
    let reason = this.#reasons.get(key);
    if (reason === undefined) {
      reason = { kind, objectId, why, rules: new Set() };
      this.#reasons.set(key, reason);
    }
    for (const [ruleId] of rules) reason.rules.add(ruleId);
  }

  list(): DesiredState["keep"] {
    return [...this.#reasons]
      .sort(([a], [b]) => compareText(a, b))
      .map(([, { kind, objectId, why, rules }]) => ({
        kind,
        objectId,
        why: rules.size === 0 ? why : `${ruleList(rules)}: ${why}`,
      }));
  }
}

/** `a, b, c and 197 more rules`: enough to look at; explain names them all. */
function ruleList(rules: ReadonlySet<string>): string {
  const named = [...rules].sort(compareText);
  if (named.length <= 4) return named.join(", ");
  return `${named.slice(0, 3).join(", ")} and ${String(named.length - 3)} more rules`;
}

/** Ids of things that no read shows are taken as written. */
function isUnlisted(facts: VendorFacts, kind: string, object: Claim["object"]): boolean {
  const known = facts.kinds[kind]?.object;
  return object.by === "id" && typeof known === "object" && known.unlisted === true;
}

const failureText = {
  unknown: "not at the vendor",
  ambiguous: "at the vendor more than once",
  not_read_yet: "not looked up yet",
} as const satisfies Record<Unresolved["why"], string>;

const doubtText = {
  group_never_arrived: "the group has never arrived",
  group_ambiguous: "the group is there twice",
  source_not_loaded: "the identity provider is still arriving",
  attribute_missing: "an attribute is missing",
} as const satisfies Record<Uncertainty["why"], string>;

// One complete read serves a whole batch of people: its index is kept as long as the list is.
const kept = new WeakMap<readonly VendorObject[], ObjectNames>();

function objectIndex(objects: readonly VendorObject[] | undefined): ObjectNames {
  if (objects === undefined) return new ObjectNames(undefined);
  const known = kept.get(objects) ?? new ObjectNames(objects);
  kept.set(objects, known);
  return known;
}

/** Looks objects up by folded name and by id. */
class ObjectNames {
  readonly #byName = new Map<string, string[]>();
  readonly #ids = new Set<string>();
  readonly #read: boolean;

  constructor(objects: readonly VendorObject[] | undefined) {
    this.#read = objects !== undefined;
    for (const { kind, objectId, name, archived } of objects ?? []) {
      if (archived) continue;
      this.#ids.add(claimKey(kind, { by: "id", id: objectId }));
      const key = claimKey(kind, { by: "name", name });
      this.#byName.set(key, [...(this.#byName.get(key) ?? []), objectId]);
    }
  }

  /** Adds the claim by id where the name is known; a deny by an ambiguous name denies every bearer of it. */
  resolve(claim: Claim, into: Claim[]): void {
    const { kind, object } = claim;
    const ids = object.by === "name" ? (this.#byName.get(claim.key) ?? []) : [];
    const named = object.by === "name" && claim.effect === "grant" && ids.length === 1;
    if (!named) into.push(claim);
    if (claim.effect === "grant" && !named) return;
    for (const id of ids) {
      const byId = { by: "id", id } as const;
      into.push({ ...claim, object: byId, key: claimKey(kind, byId) });
    }
  }

  /** Before the first read a denied name may be any id: grants by id of that kind wait. */
  fears(claims: readonly Claim[]): Claim[] {
    if (this.#read) return [];
    const denies = claims.filter((claim) => claim.effect === "deny" && claim.object.by === "name");
    if (denies.length === 0) return [];
    const granted = new Map<string, Claim>();
    for (const claim of claims) {
      if (claim.effect === "grant" && claim.object.by === "id") granted.set(claim.key, claim);
    }
    return denies.flatMap((deny) =>
      [...granted.values()]
        .filter((grant) => grant.kind === deny.kind)
        .map(({ object, key }): Claim => ({ ...deny, object, key, unknown: "source_not_loaded" })),
    );
  }

  failure(kind: string, object: Claim["object"]): Unresolved["why"] | undefined {
    if (object.by === "none" || object.by === "any") return undefined;
    if (object.by === "id") {
      return this.#read && !this.#ids.has(claimKey(kind, object)) ? "unknown" : undefined;
    }
    if (!this.#read) return "not_read_yet";
    return (this.#byName.get(claimKey(kind, object)) ?? []).length > 1 ? "ambiguous" : "unknown";
  }

  /** The slot's object id; undefined where it is not known. */
  slotId(kind: string, object: Claim["object"]): string | undefined {
    switch (object.by) {
      case "none":
        return "";
      case "any":
        return undefined;
      case "id":
        return object.id;
      case "name": {
        const ids = this.#byName.get(claimKey(kind, object)) ?? [];
        return ids.length === 1 ? ids[0] : undefined;
      }
    }
  }
}
