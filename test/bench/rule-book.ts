import type { JsonObject } from "../../src/model/json.ts";

/** Groups that a rule book of this many rules names: `Team 0001` and so on, one per rule. */
export function teamName(at: number): string {
  return `Team ${String(at).padStart(4, "0")}`;
}

/**
 * A mapping of this many rules for the Anthropic Console, of the kinds that companies write: three of four ask for a group, a
 * quarter also for an attribute, one of 50 denies. Their objects are few, so that claims meet in `settle`.
 */
export function ruleBook(rules: number): JsonObject {
  return {
    version: 1,
    vendor: "anthropic",
    connection: { credential: "sealed:anthropic-admin" },
    account: { match: "email", domains: ["example.com"] },
    rules: Array.from({ length: rules }, (_, at) => rule(at)),
  };
}

function rule(at: number): JsonObject {
  const group = { group: teamName(at) };
  const department = { attribute: "department", equals: `Department ${String(at % 40)}` };
  const when =
    at % 4 === 0
      ? { all: [group, department] }
      : at % 4 === 1
        ? { any: [group, { all: [department, { attribute: "userType", equals: "Lead" }] }] }
        : group;
  const workspace = {
    kind: "workspace",
    name: ["Production", "Staging", "Research"][at % 3] ?? "Research",
  };
  const id = `rule-${String(at).padStart(4, "0")}`;
  if (at % 50 === 49) return { id, when, deny: [workspace] };
  if (at % 2 === 0) return { id, when, grant: [{ kind: "org_role", role: "claude_code_user" }] };
  return { id, when, grant: [{ ...workspace, role: "workspace_user" }] };
}
