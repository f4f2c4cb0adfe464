import { z } from "zod";
import type { Assignment, AssignmentConflict } from "../model/assignment.ts";
import type { ObjectRef } from "../model/entitlement.ts";
import { fold } from "../model/fold.ts";
import type { IdentityFacts } from "../model/identity.ts";
import {
  asId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../model/ids.ts";
import { claimKey, claimText } from "./claim-key.ts";
import { compareText } from "./canonical.ts";
import type { CompiledMapping } from "./compile.ts";
import { evaluate, explainEvaluation } from "./evaluate.ts";
import { oneOf } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { objectFields, objectProblem } from "./schema.ts";
import { kebab, line, strictObject, wordPattern } from "./strict-object.ts";
import type { GroupBinding } from "./version-store.ts";

const attributeValue = z.union(
  [line(1_000), z.number(), z.boolean(), z.array(line(1_000)).max(1_000)],
  {
    error: "write a text, a number, true, false or a list of texts",
  },
);

const person = strictObject({
  active: z.boolean().optional().describe("Default: true"),
  groups: z
    .array(z.union([line(300), strictObject({ group: line(300), idp: line(64) })]))
    .max(1_000)
    .optional(),
  attributes: z.record(line(200), attributeValue).optional(),
});

const expected = strictObject({
  kind: line(64),
  ...objectFields,
  role: line(300).optional(),
  because: z.array(kebab(200)).min(1).max(1_000).optional(),
  conflict: z.array(line(300)).min(2).max(50).optional().describe("Roles that exclude each other"),
}).superRefine((value, context) => {
  objectProblem(value, context);
  if ((value.role === undefined) === (value.conflict === undefined)) {
    context.addIssue({
      code: "custom",
      message: "write `role:`, or `conflict:` with the roles that collide",
    });
  }
});

/** `<connection>.test.yaml`: people, and what the rules must give them. Exceptions are not asked. */
export const mappingTestFile = strictObject({
  vendor: line(64).optional(),
  absent: z.array(line(300)).max(1_000).optional().describe("Groups that have not arrived yet"),
  identities: z.record(z.string().regex(wordPattern), person),
  expect: z.record(z.string().regex(wordPattern), z.array(expected).max(1_000)),
});

export type MappingTestFile = z.infer<typeof mappingTestFile>;
type Expected = MappingTestFile["expect"][string][number];

export interface MappingTestResult {
  /** People who were checked. */
  readonly checked: number;
  /** One line each, beginning with the person. */
  readonly failures: readonly string[];
}

/** What the schema cannot see: every person is expected something, every expectation has a person, groups and rules exist. */
export function checkTestFile(file: MappingTestFile, compiled: CompiledMapping): Problem[] {
  const problems: Problem[] = [];
  const people = Object.keys(file.identities);
  for (const name of people) {
    if (Object.hasOwn(file.expect, name)) continue;
    problems.push({
      path: ["identities", name],
      message: `nothing is expected of ${name}: add \`${name}:\` below \`expect:\`, \`[]\` for nothing`,
      atKey: true,
    });
  }
  for (const [name, items] of Object.entries(file.expect)) {
    if (!people.includes(name)) {
      problems.push({
        path: ["expect", name],
        message: `there is no person ${name}: ${oneOf(name, people)}`,
        atKey: true,
      });
    }
    const rules = compiled.rules.map((rule) => rule.id);
    items.forEach((item, at) =>
      item.because?.forEach((ruleId, index) => {
        if (rules.includes(ruleId)) return;
        problems.push({
          path: ["expect", name, at, "because", index],
          message: `there is no rule "${ruleId}": ${oneOf(ruleId, rules)}`,
        });
      }),
    );
  }
  if (file.vendor !== undefined && file.vendor !== compiled.facts.vendor) {
    problems.push({ path: ["vendor"], message: `the mapping is for ${compiled.facts.vendor}` });
  }
  return problems;
}

/** Runs every person of a test file through the rules, as if all groups but `absent` had arrived and every source were loaded. */
export function runMappingTests(
  compiled: CompiledMapping,
  file: MappingTestFile,
): MappingTestResult {
  const absent = new Set((file.absent ?? []).map(fold));
  const bindings = compiled.groups.map(({ groupName, idpId }): GroupBinding => {
    return absent.has(fold(groupName))
      ? { groupName, idpId, state: "absent", groupId: undefined }
      : { groupName, idpId, state: "bound", groupId: groupIdOf(groupName, idpId) };
  });
  const failures: string[] = [];
  for (const [name, items] of Object.entries(file.expect)) {
    const facts = personFacts(name, file, compiled);
    const answer = evaluate(compiled, bindings, facts, [], 0);
    const slotOf = (item: Pick<AssignmentConflict, "kind" | "object">) =>
      claimKey(item.kind, item.object);
    const assignments = new Map(answer.assignments.map((item) => [slotOf(item), item]));
    const conflicts = new Map(answer.conflicts.map((item) => [slotOf(item), item]));
    for (const item of items) {
      const key = claimKey(item.kind, objectOf(item));
      const failure = compareOne(item, assignments.get(key), conflicts.get(key));
      if (failure !== undefined) {
        const traces = explainEvaluation(compiled, bindings, facts, [], 0);
        const why = traces
          .filter((trace) => trace.effect === "grant" && trace.beatenBy.length > 0)
          .filter((trace) =>
            trace.entitlements.some((entry) => claimKey(entry.kind, entry.object) === key),
          )
          .map((trace) => `${trace.ruleId} is stopped by ${trace.beatenBy.join(", ")}`);
        failures.push(`${name}: ${failure}${why.length === 0 ? "" : ` (${why.join("; ")})`}`);
      }
      assignments.delete(key);
      conflicts.delete(key);
    }
    for (const item of assignments.values()) {
      failures.push(
        `${name}: got ${claimText(item.kind, item.object)} ${item.role} because of ${item.because.join(", ")}, which is not expected`,
      );
    }
    for (const item of conflicts.values()) {
      failures.push(`${name}: ${conflictText(item)}, which is not expected`);
    }
  }
  return { checked: Object.keys(file.expect).length, failures };
}

function compareOne(
  item: Expected,
  assignment: Assignment | undefined,
  conflict: AssignmentConflict | undefined,
): string | undefined {
  const slot = claimText(item.kind, objectOf(item));
  const got =
    assignment !== undefined
      ? `${assignment.role} because of ${assignment.because.join(", ")}`
      : conflict !== undefined
        ? conflictText(conflict)
        : "nothing";
  if (item.conflict !== undefined) {
    const roles = [...item.conflict].sort(compareText).join(" and ");
    const same = conflict?.roles.map(({ role }) => role).join(" and ") === roles;
    return same ? undefined : `${slot} must be a conflict of ${roles}, got ${got}`;
  }
  if (assignment?.role !== item.role) return `${slot} must be ${item.role ?? ""}, got ${got}`;
  if (item.because === undefined) return undefined;
  const because = [...item.because].sort(compareText).join(", ");
  return assignment?.because.join(", ") === because
    ? undefined
    : `${slot} ${item.role ?? ""} must be because of ${because}, got ${got}`;
}

function conflictText(conflict: AssignmentConflict): string {
  const roles = conflict.roles.map(({ role, because }) => `${role} (${because.join(", ")})`);
  return `a conflict of ${roles.join(" and ")} in ${claimText(conflict.kind, conflict.object)}`;
}

function objectOf(item: Expected): ObjectRef {
  if (item.id !== undefined) return { by: "id", id: item.id };
  return item.name === undefined ? { by: "none" } : { by: "name", name: item.name };
}

function groupIdOf(groupName: string, idpId: string | undefined): GroupId {
  return asId<GroupId>(JSON.stringify([fold(groupName), idpId ?? null]));
}

function personFacts(
  name: string,
  file: MappingTestFile,
  compiled: CompiledMapping,
): IdentityFacts {
  const written = file.identities[name] ?? {};
  const groups = new Set<GroupId>();
  for (const item of written.groups ?? []) {
    const groupName = typeof item === "string" ? item : item.group;
    const idp = typeof item === "string" ? undefined : item.idp;
    for (const group of compiled.groups) {
      if (fold(group.groupName) !== fold(groupName)) continue;
      if (idp !== undefined && group.idpId !== undefined && group.idpId !== idp) continue;
      groups.add(groupIdOf(group.groupName, group.idpId));
    }
  }
  const active = written.active ?? true;
  const attributes = Object.entries(written.attributes ?? {});
  return {
    tenantId: asId<TenantId>("test"),
    identityId: asId<IdentityId>(name),
    active,
    inactiveSince: active ? undefined : 0,
    userName: name,
    displayName: name,
    givenName: undefined,
    familyName: undefined,
    emails: [],
    formerEmails: [],
    attributes: Object.fromEntries(attributes),
    groups,
    sources: [
      {
        idpId: asId<IdpId>("test"),
        sourceUserId: asId<SourceUserId>(name),
        externalId: undefined,
        active,
        deleted: false,
        loaded: true,
      },
    ],
    version: 1,
  };
}
