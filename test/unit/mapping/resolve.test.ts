import { describe, expect, test } from "vitest";
import { evaluate } from "../../../src/mapping/evaluate.ts";
import { desiredHash, objectNames, resolveDesired } from "../../../src/mapping/resolve.ts";
import type { VendorObject } from "../../../src/model/account.ts";
import type { AccessException, IdentityFacts } from "../../../src/model/identity.ts";
import { anthropicFacts } from "../../support/vendor-facts.ts";
import { bindingsOf, compile, exception, person } from "./scene.ts";

function workspace(objectId: string, name: string, archived = false): VendorObject {
  return { kind: "workspace", objectId, name, archived, manageable: true };
}

const objects = [workspace("wrkspc_1", "Production"), workspace("wrkspc_2", "Staging")];

function wish(
  rules: readonly object[],
  options: {
    readonly objects?: readonly VendorObject[] | null;
    readonly who?: IdentityFacts;
    readonly states?: Parameters<typeof bindingsOf>[1];
    readonly exceptions?: readonly AccessException[];
    readonly domains?: readonly string[];
    readonly version?: string;
  } = {},
) {
  const compiled = compile(rules);
  const who = options.who ?? person(["G"]);
  const answer = evaluate(
    compiled,
    bindingsOf(compiled, options.states),
    who,
    options.exceptions ?? [],
    0,
  );
  return resolveDesired(answer, {
    objects: options.objects === null ? undefined : (options.objects ?? objects),
    facts: anthropicFacts,
    policy: { domains: options.domains ?? [] },
    mappingVersion: options.version ?? "v1",
    person: who,
  });
}

const when = { group: "G" };
const gives = (id: string, entry: object, role = "workspace_user") => ({
  id,
  when,
  grant: [{ kind: "workspace", ...entry, role }],
});
const slots = (state: ReturnType<typeof wish>) =>
  state.assignments.map((item) => `${item.kind} ${item.objectId} ${item.role}`);
const why = { why: "w", owner: "o" };

describe("names", () => {
  test("become ids, folded and trimmed", () => {
    const state = wish([gives("a", { name: " pRODUCTION " })]);
    expect(state.assignments).toEqual([
      { kind: "org_role", objectId: "", role: "user", because: ["a"], privileged: false },
      {
        kind: "workspace",
        objectId: "wrkspc_1",
        role: "workspace_user",
        because: ["a"],
        privileged: false,
      },
    ]);
    expect([state.unresolved, state.keep, state.conflicts]).toEqual([[], [], []]);
  });

  test("that a complete read does not show are unresolved and keep the kind from losses", () => {
    const state = wish([gives("a", { name: "Prod" }), gives("b", { id: "wrkspc_9" })]);
    expect(slots(state)).toEqual(["org_role  user"]);
    expect(state.unresolved).toEqual([
      { kind: "workspace", name: "wrkspc_9", because: ["b"], why: "unknown" },
      { kind: "workspace", name: "Prod", because: ["a"], why: "unknown" },
    ]);
    expect(state.keep.map(({ kind, objectId }) => `${kind} ${objectId}`)).toEqual([
      "workspace *",
      "workspace *",
    ]);
    expect(objectNames(objects, "workspace")).toEqual(["Production", "Staging"]);
  });

  test("of archived objects are not known, and two objects of one name are ambiguous", () => {
    const archived = wish([gives("a", { name: "Old" })], {
      objects: [workspace("wrkspc_3", "Old", true)],
    });
    expect(archived.unresolved[0]?.why).toBe("unknown");
    const twice = wish([gives("a", { name: "Staging" })], {
      objects: [...objects, workspace("wrkspc_4", "staging")],
    });
    expect(twice.unresolved[0]?.why).toBe("ambiguous");
  });

  test("wait for the first read, ids do not", () => {
    const state = wish([gives("a", { name: "Production" }), gives("b", { id: "wrkspc_2" })], {
      objects: null,
    });
    expect(slots(state)).toEqual(["org_role  user", "workspace wrkspc_2 workspace_user"]);
    expect(state.unresolved).toEqual([
      { kind: "workspace", name: "Production", because: ["a"], why: "not_read_yet" },
    ]);
  });
});

describe("a name and an id of one object", () => {
  test("are one slot: the highest role wins", () => {
    const state = wish([
      gives("a", { name: "Production" }),
      gives("b", { id: "wrkspc_1" }, "workspace_developer"),
    ]);
    expect(slots(state)).toEqual(["org_role  user", "workspace wrkspc_1 workspace_developer"]);
  });

  test("are one slot: equal ranks are a conflict there", () => {
    const rank = { rank: 7 };
    const state = wish([
      { ...gives("a", { name: "Production" }), ...rank },
      { ...gives("b", { id: "wrkspc_1" }, "workspace_developer"), ...rank },
    ]);
    expect(state.conflicts).toEqual([
      {
        slot: { kind: "workspace", objectId: "wrkspc_1" },
        text: "workspace wrkspc_1: workspace_developer (b) and workspace_user (a) exclude each other; set `rank:` in one of the rules",
        because: ["a", "b"],
      },
    ]);
    expect(state.keep).toEqual([
      { kind: "workspace", objectId: "wrkspc_1", why: "rules contradict each other" },
    ]);
  });

  test("are one slot for a deny, and what is below the denied role comes up", () => {
    const deny = {
      id: "d",
      when,
      deny: [{ kind: "workspace", id: "wrkspc_1", role: "workspace_admin" }],
    };
    const state = wish([
      gives("a", { name: "Production" }),
      { ...gives("b", { name: "Production" }, "workspace_admin"), ...why },
      deny,
    ]);
    expect(slots(state)).toEqual(["org_role  user", "workspace wrkspc_1 workspace_user"]);
  });

  test("are one slot for an exception that a decision wrote by id", () => {
    const rules = [gives("a", { name: "Production" }, "workspace_developer")];
    const object = { by: "id" as const, value: "wrkspc_1" };
    const deny = exception({ effect: "deny", kind: "workspace", object, role: null });
    expect(wish(rules, { exceptions: [deny] }).assignments).toEqual([]);
    const grant = exception({ kind: "workspace", object, role: "workspace_user" });
    expect(slots(wish(rules, { exceptions: [grant] }))[1]).toBe(
      "workspace wrkspc_1 workspace_user",
    );
  });

  test("a deny by a name that two objects have denies both", () => {
    const state = wish(
      [
        gives("a", { id: "wrkspc_1" }),
        { id: "d", when, deny: [{ kind: "workspace", name: "Production" }] },
      ],
      {
        objects: [...objects, workspace("wrkspc_5", "production")],
      },
    );
    expect(state.assignments).toEqual([]);
  });

  test("before the first read a denied name stops every id of its kind, and takes nothing", () => {
    const state = wish(
      [
        gives("a", { id: "wrkspc_1" }),
        { id: "d", when, deny: [{ kind: "workspace", name: "Production" }] },
      ],
      {
        objects: null,
      },
    );
    expect(state.assignments).toEqual([]);
    expect(state.keep.map(({ kind, objectId }) => `${kind} ${objectId}`)).toEqual([
      "org_role ",
      "workspace wrkspc_1",
    ]);
  });
});

describe("what may not be lost", () => {
  test("are the slots of rules that are unknown, by id", () => {
    const state = wish([gives("a", { name: "Production" })], { states: { G: "absent" } });
    expect(state.keep).toEqual([
      { kind: "org_role", objectId: "", why: "a: the group has never arrived" },
      { kind: "workspace", objectId: "wrkspc_1", why: "a: the group has never arrived" },
    ]);
  });

  test("names a few of many rules in doubt, and stays small", () => {
    const rules = Array.from({ length: 50 }, (_, at) =>
      gives(`rule-${String(at).padStart(2, "0")}`, { name: "Production" }),
    );
    const why = "rule-00, rule-01, rule-02 and 47 more rules: the group has never arrived";
    expect(wish(rules, { states: { G: "absent" } }).keep).toEqual([
      { kind: "org_role", objectId: "", why },
      { kind: "workspace", objectId: "wrkspc_1", why },
    ]);
  });

  test("is the whole kind while the name is not known", () => {
    const state = wish([gives("a", { name: "Nowhere" })], { states: { G: "absent" } });
    expect(state.keep.map(({ kind, objectId }) => `${kind} ${objectId}`)).toEqual([
      "org_role ",
      "workspace *",
    ]);
  });
});

describe("the account", () => {
  const who = person(["G"], {}, { emails: ["ada@old.org", "ada@example.com"] });

  test("is for the addresses of listed domains, all where none is listed", () => {
    expect(wish([], { who, domains: ["example.com"] }).profile).toEqual({
      emails: ["ada@example.com"],
      displayName: "Ada Lovelace",
      givenName: "Ada",
      familyName: "Lovelace",
    });
    expect(wish([], { who }).profile.emails).toEqual(["ada@old.org", "ada@example.com"]);
  });

  test("of somebody who left wishes nothing", () => {
    const state = wish([gives("a", { name: "Nowhere" })], {
      who: person(["G"], {}, { active: false }),
    });
    expect(state).toMatchObject({
      lifecycle: "departed",
      assignments: [],
      unresolved: [],
      keep: [],
    });
  });
});

describe("the hash", () => {
  const rules = [gives("a", { name: "Production" }), gives("b", { name: "Staging" })];

  test("is the same for the same wish, whatever the version and the order", () => {
    const hash = desiredHash(wish(rules));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(
      desiredHash(wish([...rules].reverse(), { version: "v2", objects: [...objects].reverse() })),
    ).toBe(hash);
  });

  test("is another for another role, reason, address or doubt", () => {
    const base = desiredHash(wish(rules));
    const others = [
      wish([rules[0] ?? {}]),
      wish([{ ...rules[0], id: "c" }, rules[1] ?? {}]),
      wish(rules, { who: person(["G"], {}, { emails: ["a@b.c"] }) }),
      wish(
        [
          ...rules,
          { ...gives("z", { name: "Staging" }, "workspace_developer"), when: { group: "H" } },
        ],
        { states: { H: "absent" } },
      ),
    ];
    expect(new Set([base, ...others.map(desiredHash)]).size).toBe(5);
  });
});
