import type { MappingVersion } from "../mapping/version-store.ts";
import { foldEmail } from "../model/fold.ts";
import type { AccessException } from "../model/identity.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { ReviewDeps } from "./review-deps.ts";
import { notKnown, type Provenance } from "./review.ts";

/** Who stands behind what somebody holds, as far as we were told. */
export interface Origins {
  of(
    connectionId: ConnectionId,
    given: Pick<Provenance, "because" | "origin" | "since">,
  ): { readonly provenance: Provenance; readonly barred: readonly string[] };
}

const exceptionPrefix = "exception:";

/** Reads the active mappings and the exceptions once, for all items of a review. */
export async function readOrigins(
  deps: Pick<ReviewDeps, "store">,
  tenantId: TenantId,
): Promise<Origins> {
  const versions = new Map(
    (await deps.store.activeMappings(tenantId)).map((item) => [item.connectionId, item]),
  );
  const exceptions = new Map(
    (await deps.store.listExceptions(tenantId)).map((item) => [item.exceptionId, item]),
  );
  return {
    of(connectionId, given) {
      const version = versions.get(connectionId);
      const decided = given.because
        .filter((item) => item.startsWith(exceptionPrefix))
        .flatMap((item) => exceptions.get(item.slice(exceptionPrefix.length)) ?? []);
      const rules = given.because.filter((item) => !item.startsWith(exceptionPrefix));
      return told(given, version, rules, decided);
    },
  };
}

function told(
  given: Pick<Provenance, "because" | "origin" | "since">,
  version: MappingVersion | undefined,
  rules: readonly string[],
  exceptions: readonly AccessException[],
): { readonly provenance: Provenance; readonly barred: readonly string[] } {
  const written = rules.map((id) => ruleOf(version, id)).filter((rule) => rule !== undefined);
  const authors = rules.length === 0 ? [] : [version?.author ?? version?.proposedBy];
  const deciders = exceptions.map((item) => item.by);
  const people = (list: readonly (string | undefined)[]) => [
    ...new Set(list.filter((item) => item !== undefined && item !== "")),
  ];
  const named = people([...authors, ...deciders]);
  const approvers = people([
    ...(rules.length === 0 ? [] : [approverOf(version)]),
    ...exceptions.map((item) => item.by),
  ]);
  const said = (key: string) =>
    people(written.map((rule) => textOf(rule, key))).join(", ") || undefined;
  return {
    provenance: {
      ...given,
      owner: said("owner") ?? null,
      why: said("why") ?? exceptions[0]?.why ?? null,
      author: named.join(", ") || notKnown,
      approver: approvers.join(", ") || notKnown,
      membershipApprover: notKnown,
    },
    barred: named.map((item) => foldEmail(item ?? "")),
  };
}

/** Who let a version count: a person, or nobody because it stayed inside the rails. */
function approverOf(version: MappingVersion | undefined): string | undefined {
  const decision = version?.decision;
  if (decision === undefined) return undefined;
  if (decision.outcome === "inside-rails") return "nobody: it stayed inside the rails";
  return decision.alone ? `${decision.by} (alone)` : decision.by;
}

function ruleOf(version: MappingVersion | undefined, id: string): JsonObject | undefined {
  const rules = version?.document["rules"];
  if (!Array.isArray(rules)) return undefined;
  return (rules as readonly JsonObject[]).find((rule) => rule["id"] === id);
}

function textOf(rule: JsonObject, key: string): string | undefined {
  const value = rule[key];
  return typeof value === "string" ? value : undefined;
}
