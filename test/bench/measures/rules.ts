import { vendorFactsOf } from "../../../src/connectors/registry.ts";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { evaluate } from "../../../src/mapping/evaluate.ts";
import type { GroupBinding } from "../../../src/mapping/version-store.ts";
import type { IdentityFacts } from "../../../src/model/identity.ts";
import {
  asId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../../src/model/ids.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import { ruleBook, teamName } from "../rule-book.ts";
import { median, quantile } from "../statistics.ts";

const groupId = (at: number) => asId<GroupId>(`group of ${teamName(at)}`);

export const rules: Measure = {
  name: "rules",
  title: "2,000 rules × one person",
  method:
    "A mapping of 2,000 rules, all groups bound, evaluated for 1,000 different people in 12 groups each, one after the other in one " +
    "process. Floor: asking 2,000 times whether a set holds a group.",
  timeoutMs: 60_000,
  run: (stage) => Promise.resolve(evaluateAll(stage)),
};

function evaluateAll(stage: Stage): Findings {
  const [count, people] = stage.size === "smoke" ? [200, 50] : [2_000, 1_000];
  const facts = vendorFactsOf("anthropic", "console");
  if (facts === undefined) throw new Error("this build has no Anthropic connector");
  const compiled = compileMapping(ruleBook(count), facts);
  const bindings: readonly GroupBinding[] = compiled.groups.map(({ groupName, idpId }, at) => ({
    groupName,
    idpId,
    state: "bound",
    groupId: groupId(at),
  }));
  const crowd = Array.from({ length: people }, (_, at) => member(at, count));
  const wanted = compiled.groups.map((_, at) => groupId(at));
  const ours: number[] = [];
  const floor: number[] = [];
  let held = 0;
  let answers = 0;
  // The first round warms up and does not count.
  for (const counts of [false, true]) {
    for (const person of crowd) {
      const startedAt = performance.now();
      const evaluation = evaluate(compiled, bindings, person, [], 0);
      const between = performance.now();
      for (const id of wanted) if (person.groups.has(id)) held += 1;
      const endedAt = performance.now();
      if (!counts) continue;
      answers += evaluation.assignments.length;
      ours.push(between - startedAt);
      floor.push(endedAt - between);
    }
  }
  if (answers === 0 || held === 0)
    throw new Error("nobody was given anything: nothing was measured");
  return {
    rows: [
      {
        measure: `${count.toLocaleString("en-GB")} rules × one person, median`,
        ours: { value: median(ours), unit: "ms" },
        floor: { value: median(floor), unit: "ms", what: "set look-ups" },
        goal: { kind: "at-most", value: 2 },
      },
      {
        measure: `${count.toLocaleString("en-GB")} rules × one person, 99 of 100`,
        ours: { value: quantile(ours, 0.99), unit: "ms" },
      },
    ],
    notes: [`${(answers / people).toFixed(1)} assignments a person on average.`],
  };
}

function member(at: number, rulesCount: number): IdentityFacts {
  return {
    tenantId: asId<TenantId>("bench"),
    identityId: asId<IdentityId>(`person ${String(at)}`),
    active: true,
    inactiveSince: undefined,
    userName: `person${String(at)}@example.com`,
    displayName: `Person ${String(at)}`,
    givenName: "Person",
    familyName: String(at),
    emails: [`person${String(at)}@example.com`],
    formerEmails: [],
    attributes: {
      department: `Department ${String(at % 40)}`,
      userType: at % 7 === 0 ? "Lead" : "Employee",
    },
    groups: new Set(
      Array.from({ length: 12 }, (_, of) => groupId((at * 31 + of * 97) % rulesCount)),
    ),
    sources: [
      {
        idpId: asId<IdpId>("okta"),
        sourceUserId: asId<SourceUserId>(`user ${String(at)}`),
        externalId: undefined,
        active: true,
        deleted: false,
        loaded: true,
      },
    ],
    version: 1,
  };
}
