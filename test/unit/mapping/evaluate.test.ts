import { describe, expect, test } from "vitest";
import { evaluate } from "../../../src/mapping/evaluate.ts";
import type { AccessException, IdentityFacts } from "../../../src/model/identity.ts";
import { asId, type IdpId } from "../../../src/model/ids.ts";
import { bindingsOf, compile, exception, groupId, person, production, source } from "./scene.ts";

const now = 1_000;

function ask(
  rules: readonly object[],
  who: IdentityFacts,
  options: {
    readonly states?: Parameters<typeof bindingsOf>[1];
    readonly exceptions?: readonly AccessException[];
  } = {},
) {
  const compiled = compile(rules);
  const bindings = bindingsOf(compiled, options.states);
  return evaluate(compiled, bindings, who, options.exceptions ?? [], now);
}

const roles = (answer: ReturnType<typeof ask>) =>
  answer.assignments.map((item) => {
    const object = item.object.by === "name" ? ` ${item.object.name}` : "";
    return `${item.kind}${object} ${item.role} <${item.because.join(" ")}>`;
  });

const engineers = {
  id: "engineers",
  when: { group: "Engineering" },
  grant: [{ kind: "org_role", role: "claude_code_user" }],
};
const platform = {
  id: "platform",
  when: { group: "Platform" },
  grant: [
    { kind: "org_role", role: "developer" },
    { ...production, role: "workspace_developer" },
  ],
};
const contractors = {
  id: "contractors",
  when: { attribute: "userType", equals: "Contractor" },
  deny: [production],
};

describe("a slot", () => {
  test("gets the highest role, with the reasons of that role", () => {
    const lead = { ...platform, id: "a-lead" };
    const answer = ask([engineers, platform, lead], person(["Engineering", "Platform"]));
    expect(roles(answer)).toEqual([
      "org_role developer <a-lead platform>",
      "workspace Production workspace_developer <a-lead platform>",
    ]);
  });

  test("with two roles of one rank is a conflict and gets neither", () => {
    const finance = {
      id: "finance",
      why: "pays",
      owner: "cfo@example.com",
      when: { everyone: true },
      grant: [{ kind: "org_role", role: "billing" }],
    };
    const answer = ask([platform, finance], person(["Platform"]));
    expect(answer.conflicts).toEqual([
      {
        kind: "org_role",
        object: { by: "none" },
        roles: [
          { role: "billing", because: ["finance"] },
          { role: "developer", because: ["platform"] },
        ],
      },
    ]);
    expect(roles(answer)).toEqual(["workspace Production workspace_developer <platform>"]);
    const ranked = ask([platform, { ...finance, rank: 31 }], person(["Platform"]));
    expect(ranked.conflicts).toEqual([]);
    expect(roles(ranked)[0]).toBe("org_role billing <finance>");
    expect(ranked.assignments[0]?.privileged).toBe(true);
  });
});

describe("the account", () => {
  const workspaceOnly = { ...platform, grant: [{ ...production, role: "workspace_user" }] };

  test("comes with the fallback role where only other things are given", () => {
    expect(roles(ask([workspaceOnly], person(["Platform"])))).toEqual([
      "workspace Production workspace_user <platform>",
      "org_role user <platform>",
    ]);
  });

  test("that is denied takes everything else with it", () => {
    const outsiders = { id: "outsiders", when: { everyone: true }, deny: [{ kind: "org_role" }] };
    const answer = ask([workspaceOnly, outsiders], person(["Platform"]));
    expect(answer.assignments).toEqual([]);
    expect(answer.uncertain).toEqual([]);
  });

  test("is left alone where an unknown deny is all that stands against it", () => {
    const outsiders = {
      id: "outsiders",
      when: { attribute: "userType", equals: "Guest" },
      deny: [{ kind: "org_role" }],
    };
    const answer = ask([workspaceOnly, outsiders], person(["Platform"]));
    expect(answer.assignments).toEqual([]);
    expect(answer.uncertain.map(({ kind, ruleId }) => `${kind} ${ruleId}`).sort()).toEqual([
      "org_role outsiders",
      "workspace outsiders",
    ]);
  });
});

describe("membership", () => {
  const uncertain = (answer: ReturnType<typeof ask>) =>
    answer.uncertain.map(({ kind, ruleId, why }) => `${kind} ${ruleId} ${why}`);

  test("of a group that never arrived is unknown: nothing is given and nothing may go", () => {
    const answer = ask([platform], person([]), { states: { Platform: "absent" } });
    expect(answer.assignments).toEqual([]);
    expect(uncertain(answer)).toEqual([
      "org_role platform group_never_arrived",
      "workspace platform group_never_arrived",
    ]);
  });

  test("of a name that two identity providers have is unknown", () => {
    const answer = ask([engineers], person(["Engineering"]), {
      states: { Engineering: "ambiguous" },
    });
    expect(answer.assignments).toEqual([]);
    expect(uncertain(answer)).toEqual(["org_role engineers group_ambiguous"]);
  });

  test("of a deleted group is false, and the rule is listed as broken", () => {
    const answer = ask([engineers, platform], person(["Engineering"]), {
      states: { Platform: "deleted" },
    });
    expect(roles(answer)).toEqual(["org_role claude_code_user <engineers>"]);
    expect(answer.uncertain).toEqual([]);
    expect(answer.broken).toEqual([
      { ruleId: "platform", groupId: groupId("Platform"), groupName: "Platform" },
    ]);
  });

  test("of a deleted group breaks no rule that could not have given anything anyway", () => {
    const rule = {
      ...platform,
      when: { all: [{ group: "Platform" }, { attribute: "userType", equals: "Employee" }] },
    };
    const states = { Platform: "deleted" } as const;
    expect(ask([rule], person([], { userType: "Contractor" }), { states }).broken).toEqual([]);
    expect(ask([rule], person([], { userType: "Employee" }), { states }).broken).toHaveLength(1);
    expect(ask([rule], person([]), { states }).broken).toHaveLength(1);
    const both = { ...platform, when: { any: [{ group: "Platform" }, { everyone: true }] } };
    expect(ask([both], person([]), { states }).broken).toEqual([]);
  });

  test("that is missing means nothing until the identity provider is loaded", () => {
    const arriving = person([], {}, { sources: [source("okta", { loaded: false })] });
    expect(uncertain(ask([engineers], arriving))).toEqual(["org_role engineers source_not_loaded"]);
    const member = person(["Engineering"], {}, { sources: [source("okta", { loaded: false })] });
    expect(roles(ask([engineers], member))).toEqual(["org_role claude_code_user <engineers>"]);
    expect(ask([engineers], person([])).uncertain).toEqual([]);
  });

  test("waits for the connection that the file names, and for no other", () => {
    const sources = [source("okta"), source("entra", { loaded: false })];
    const at = (idp: string) => ({ ...engineers, when: { group: "Engineering", idp } });
    expect(ask([at("okta")], person([], {}, { sources })).uncertain).toEqual([]);
    expect(ask([at("entra")], person([], {}, { sources })).uncertain).toHaveLength(1);
    expect(ask([engineers], person([], {}, { sources })).uncertain).toHaveLength(1);
  });

  test("waits for a connection that has not sent the person yet", () => {
    const arriving = person([], {}, { arriving: [asId<IdpId>("entra")] });
    const at = (idp: string) => ({ ...engineers, when: { group: "Engineering", idp } });
    expect(ask([at("entra")], arriving).uncertain).toHaveLength(1);
    expect(ask([at("okta")], arriving).uncertain).toEqual([]);
    expect(ask([engineers], arriving).uncertain).toHaveLength(1);
    expect(ask([at("entra")], person([])).uncertain).toEqual([]);
  });

  test("names compare without regard to case", () => {
    const again = { ...platform, when: { group: "ENGINEERING" } };
    const compiled = compile([engineers, again]);
    expect(compiled.groups).toHaveLength(1);
    const shouting = [
      {
        groupName: "eNgineering",
        idpId: undefined,
        state: "bound" as const,
        groupId: groupId("x"),
      },
    ];
    expect(evaluate(compiled, shouting, person(["x"]), [], now).assignments).toHaveLength(2);
  });
});

describe("an unknown rule", () => {
  test("protects no slot that a certain rule already holds higher, and none that is denied for sure", () => {
    const states = { Engineering: "absent" } as const;
    expect(ask([engineers, platform], person(["Platform"]), { states }).uncertain).toEqual([]);
    const never = {
      id: "never",
      when: { everyone: true },
      deny: [{ kind: "org_role", role: "user" }],
    };
    const user = { ...engineers, grant: [{ kind: "org_role", role: "user" }] };
    const absent = ask([user, { ...never, when: { group: "Platform" } }], person(["Platform"]), {
      states,
    });
    expect(absent.uncertain).toEqual([]);
  });

  test("protects no slot that an exception has decided, nor one that has its role already", () => {
    const states = { Platform: "absent" } as const;
    const exceptions = [exception({ role: "user" })];
    const kinds = (answer: ReturnType<typeof ask>) => answer.uncertain.map(({ kind }) => kind);
    expect(kinds(ask([platform], person([]), { states, exceptions }))).toEqual(["workspace"]);
    const same = { ...platform, id: "same", when: { group: "Engineering" } };
    expect(kinds(ask([platform, same], person(["Engineering"]), { states }))).toEqual([]);
  });

  test("that denies stops the gift and takes nothing away", () => {
    const answer = ask([platform, contractors], person(["Platform"]));
    expect(roles(answer)).toEqual(["org_role developer <platform>"]);
    expect(answer.uncertain).toEqual([
      {
        kind: "workspace",
        object: { by: "name", name: "Production" },
        ruleId: "contractors",
        why: "attribute_missing",
      },
    ]);
  });
});

describe("attributes", () => {
  const by = (when: object) => ({ ...engineers, when });
  const gives = (when: object, attributes: IdentityFacts["attributes"]) =>
    ask([by(when)], person([], attributes)).assignments.length > 0;

  test("compare text folded, numbers and booleans exactly, lists by what they contain", () => {
    expect(gives({ attribute: "title", equals: "LEAD" }, { title: "lead" })).toBe(true);
    expect(gives({ attribute: "title", in: ["Boss", "Lead"] }, { title: "lead" })).toBe(true);
    expect(gives({ attribute: "level", equals: 3 }, { level: 3 })).toBe(true);
    expect(gives({ attribute: "level", equals: 3 }, { level: "3" })).toBe(false);
    expect(gives({ attribute: "remote", equals: true }, { remote: true })).toBe(true);
    expect(gives({ attribute: "remote", equals: true }, { remote: "true" })).toBe(false);
    expect(gives({ attribute: "skills", equals: "sql" }, { skills: ["Go", "SQL"] })).toBe(true);
    expect(gives({ attribute: "skills", equals: "sql" }, { skills: ["Go"] })).toBe(false);
  });

  test("exist or are unknown; inherited names are no attributes", () => {
    expect(gives({ attribute: "title", exists: true }, { title: "x" })).toBe(true);
    expect(gives({ attribute: "title", exists: true }, {})).toBe(false);
    expect(gives({ attribute: "constructor", exists: true }, {})).toBe(false);
    expect(gives({ attribute: "skills", exists: true }, { skills: [] })).toBe(false);
    const noNumber = {
      id: "no-number",
      when: { attribute: "badge", exists: false },
      deny: [{ kind: "org_role" }],
    };
    expect(ask([engineers, noNumber], person(["Engineering"])).assignments).toEqual([]);
    expect(
      ask([engineers, noNumber], person(["Engineering"], { badge: "7" })).assignments,
    ).toHaveLength(1);
  });

  test("that are missing never give access through `not`", () => {
    const when = { not: { attribute: "userType", equals: "Contractor" } };
    expect(gives(when, {})).toBe(false);
    expect(gives(when, { userType: "Employee" })).toBe(true);
  });
});

describe("an exception", () => {
  const grantRole = (role: string, more = {}) => exception({ role, ...more });

  test("that grants beats a deny and the rank of rules", () => {
    const never = { id: "never", when: { everyone: true }, deny: [{ kind: "org_role" }] };
    const lower = ask(
      [{ ...platform, grant: [{ kind: "org_role", role: "developer" }] }],
      person(["Platform"]),
      {
        exceptions: [grantRole("user")],
      },
    );
    expect(roles(lower)).toEqual(["org_role user <exception:e1>"]);
    const denied = ask([{ ...never, when: { group: "Platform" } }], person(["Platform"]), {
      exceptions: [grantRole("user")],
    });
    expect(roles(denied)).toEqual(["org_role user <exception:e1>"]);
  });

  test("that denies beats one that grants", () => {
    const exceptions = [
      grantRole("user"),
      exception({ exceptionId: "e2", effect: "deny", role: null }),
    ];
    expect(ask([engineers], person(["Engineering"]), { exceptions }).assignments).toEqual([]);
    expect(
      ask([engineers], person(["Engineering"]), { exceptions: exceptions.reverse() }).assignments,
    ).toEqual([]);
  });

  test("counts up to its last instant and not after", () => {
    const until = (instant: number) =>
      ask([engineers], person([]), { exceptions: [grantRole("user", { until: instant })] });
    expect(until(now).assignments).toHaveLength(1);
    expect(until(now - 1).assignments).toEqual([]);
  });

  test("of a vendor's kind that does not exist gives nothing", () => {
    expect(
      ask([], person([]), { exceptions: [grantRole("user", { kind: "seat" })] }).claims,
    ).toEqual([]);
    expect(
      ask([], person([]), { exceptions: [grantRole("user", { kind: "constructor" })] }).claims,
    ).toEqual([]);
  });

  test("gives a leaver nothing", () => {
    const answer = ask(
      [engineers],
      person(["Engineering"], {}, { active: false, inactiveSince: 5 }),
      {
        exceptions: [grantRole("user")],
        states: { Engineering: "absent" },
      },
    );
    expect(answer).toEqual({
      lifecycle: "departed",
      assignments: [],
      conflicts: [],
      uncertain: [],
      broken: [],
      claims: [],
    });
  });
});
