import { compileMapping, type CompiledMapping } from "../../../src/mapping/compile.ts";
import type { GroupBinding } from "../../../src/mapping/version-store.ts";
import type { AccessException, IdentityFacts } from "../../../src/model/identity.ts";
import {
  asId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../../src/model/ids.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { anthropicFacts } from "../../support/vendor-facts.ts";

/** A document with these rules for the Anthropic Console. */
export function document(rules: readonly object[], head: object = {}): JsonObject {
  return JSON.parse(
    JSON.stringify({
      version: 1,
      vendor: "anthropic",
      connection: { credential: "sealed:key" },
      ...head,
      rules,
    }),
  ) as JsonObject;
}

export function compile(rules: readonly object[], head: object = {}): CompiledMapping {
  return compileMapping(document(rules, head), anthropicFacts);
}

export function groupId(name: string): GroupId {
  return asId<GroupId>(`group ${name}`);
}

/** Every group of the mapping bound to `groupId(name)`, but for those that are told. */
export function bindingsOf(
  compiled: CompiledMapping,
  states: Readonly<Record<string, GroupBinding["state"]>> = {},
): readonly GroupBinding[] {
  return compiled.groups.map(({ groupName, idpId }) => {
    const state = states[groupName] ?? "bound";
    const known = state === "bound" || state === "deleted";
    return { groupName, idpId, state, groupId: known ? groupId(groupName) : undefined };
  });
}

export function source(idp: string, more: Partial<IdentityFacts["sources"][number]> = {}) {
  return {
    idpId: asId<IdpId>(idp),
    sourceUserId: asId<SourceUserId>(`${idp} user`),
    externalId: undefined,
    active: true,
    deleted: false,
    loaded: true,
    ...more,
  };
}

export function person(
  groups: readonly string[],
  attributes: IdentityFacts["attributes"] = {},
  more: Partial<IdentityFacts> = {},
): IdentityFacts {
  return {
    tenantId: asId<TenantId>("acme"),
    identityId: asId<IdentityId>("ada"),
    active: true,
    inactiveSince: undefined,
    userName: "ada@example.com",
    displayName: "Ada Lovelace",
    givenName: "Ada",
    familyName: "Lovelace",
    emails: ["ada@example.com"],
    formerEmails: [],
    attributes,
    groups: new Set(groups.map(groupId)),
    sources: [source("okta")],
    version: 1,
    ...more,
  };
}

export function exception(more: Partial<AccessException>): AccessException {
  return {
    exceptionId: "e1",
    person: "ada@example.com",
    connectionId: "anthropic",
    effect: "grant",
    kind: "org_role",
    object: null,
    role: "developer",
    until: null,
    why: "because",
    by: "a lead",
    source: "decision",
    ...more,
  };
}

export const production = { kind: "workspace", name: "Production" };
