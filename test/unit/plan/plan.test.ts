import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ObservedGrant, VendorAccount } from "../../../src/model/account.ts";
import { slotKey, type Entitlement } from "../../../src/model/entitlement.ts";
import { asId } from "../../../src/model/ids.ts";
import { planTarget, type PlanInput } from "../../../src/plan/plan.ts";
import { renderPlan } from "../../../src/plan/render.ts";
import type { Step } from "../../../src/plan/step.ts";
import type { KindFacts, VendorFacts } from "../../../src/model/vendor-facts.ts";
import { account, desired, facts, held, input, policy, wish } from "./plan-fixture.ts";

const lines = (more: Partial<PlanInput>) => renderPlan(planTarget(input(more)));

describe("what only people can change", () => {
  const byHand = { always: true, give: ["click to give"], take: ["click to take"] };
  const kindOf = (name: string) => facts.kinds[name] as KindFacts;
  const manual = (name: string, more: Partial<KindFacts> = {}): VendorFacts => ({
    ...facts,
    kinds: { ...facts.kinds, [name]: { ...kindOf(name), byHand, ...more } },
  });
  const wished = desired([wish("org_role", "user"), wish("workspace", "writer", "ws_1")]);

  test("becomes a manual step that says what to click and why, and the rest goes on", () => {
    const plan = planTarget(
      input({ facts: manual("workspace"), account: account({ role: "user" }), desired: wished }),
    );
    expect(plan.steps).toEqual([]);
    expect(plan.blocked).toEqual([
      {
        code: "MANUAL_STEP",
        text: "workspace: click to give (rules rule)",
        slot: { kind: "workspace", objectId: "ws_1" },
        line: {
          slot: { kind: "workspace", objectId: "ws_1" },
          roleFrom: null,
          roleTo: "writer",
          privileged: false,
          because: ["rule"],
          steps: ["click to give"],
        },
      },
    ]);
  });

  test("is ours once people made it, so that it is taken back when no rule gives it any more", () => {
    const there = { facts: manual("workspace"), account: account({ role: "user" }) };
    const grants = [held("ws_1", "writer")];
    expect(planTarget(input({ ...there, grants, desired: wished })).adopt).toEqual([
      { kind: "workspace", objectId: "ws_1", role: "writer" },
    ]);
    const ledger = [{ kind: "workspace", objectId: "ws_1", role: "writer" }];
    const later = planTarget(
      input({ ...there, grants, ledger, desired: desired([wish("org_role", "user")]) }),
    );
    expect(later.steps).toEqual([]);
    expect(later.blocked.map((item) => item.text)).toEqual(["workspace: click to take"]);
  });

  test("accounts are made and ended by people, and a leaver's is a step as well", () => {
    const people = manual("org_role");
    const joiner = planTarget(input({ facts: people, desired: wished }));
    expect(joiner.blocked.map((item) => item.text)).toEqual([
      "organisation role: click to give (rules rule)",
    ]);
    expect(joiner.afterAcceptance).toHaveLength(1);
    const leaver = planTarget(
      input({
        facts: people,
        account: account(),
        desired: desired([], { lifecycle: "departed" }),
      }),
    );
    expect([leaver.steps, leaver.blocked.map((item) => item.text)]).toEqual([
      [],
      ["organisation role: click to take"],
    ]);
  });

  test("a write that the vendor refuses to this workspace is left to people while it is", () => {
    const sometimes = manual("workspace", { byHand: { ...byHand, always: false } });
    const there = { facts: sometimes, account: account({ role: "user" }), desired: wished };
    expect(planTarget(input(there)).steps).toHaveLength(1);
    const plan = planTarget(input({ ...there, byHandKinds: ["workspace"] }));
    expect([plan.steps.length, plan.blocked.length]).toEqual([0, 1]);
  });

  test("of a kind with one object an account, the next takes the place of the last", () => {
    const roles = manual("workspace", { exclusive: true });
    const ledger = [{ kind: "workspace", objectId: "ws_1", role: "writer" }];
    const plan = planTarget(
      input({
        facts: roles,
        account: account({ role: "user" }),
        grants: [held("ws_1", "writer")],
        ledger,
        desired: desired([wish("org_role", "user"), wish("workspace", "writer", "ws_2")]),
      }),
    );
    expect(plan.blocked.map((item) => item.slot?.objectId)).toEqual(["ws_2"]);
  });
});

describe("a joiner", () => {
  test("is invited with the account role and waits with the rest for acceptance", () => {
    const plan = planTarget(
      input({
        desired: desired([wish("org_role", "developer"), wish("workspace", "writer", "ws_1")]),
      }),
    );
    expect(plan.steps.map((step) => [step.action, step.roleTo])).toEqual([
      ["create_account", "developer"],
    ]);
    expect(plan.afterAcceptance).toEqual([{ kind: "workspace", objectId: "ws_1", role: "writer" }]);
  });

  test("without an address of a listed domain is blocked, not guessed", () => {
    const plan = planTarget(
      input({
        desired: desired([wish("org_role", "user")], {
          profile: { emails: [], displayName: "Ada" },
        }),
      }),
    );
    expect(plan.steps).toEqual([]);
    expect(plan.blocked.map((item) => item.code)).toEqual(["NO_ADDRESS"]);
  });

  test("whose invitation expired is invited again", () => {
    const plan = planTarget(
      input({
        desired: desired([wish("org_role", "user")]),
        account: account({ state: "expired" }),
      }),
    );
    expect(plan.steps.map((step) => step.action)).toEqual(["create_account"]);
  });

  test("whose account was switched off gets it back, where removing switches off", () => {
    const off = {
      desired: desired([wish("org_role", "user")]),
      account: account({ state: "suspended" }),
    };
    const suspending = { ...input({}).facts, removal: "suspended" as const };
    expect(planTarget(input({ ...off, facts: suspending })).steps).toMatchObject([
      { action: "create_account", direction: "gain" },
    ]);
    expect(planTarget(input(off)).steps.map((step) => step.action)).not.toContain("create_account");
  });

  test("with an open invitation of another role gets the role set and no second invitation", () => {
    expect(
      lines({
        desired: desired([wish("org_role", "developer")]),
        account: account({ state: "invited" }),
        ledger: [{ kind: "org_role", objectId: "", role: "user" }],
      }),
    ).toEqual(["change org_role from user to developer because rule"]);
  });
});

describe("a leaver whose account is switched off", () => {
  const leaver = {
    desired: desired([], { lifecycle: "departed" }),
    account: account({ state: "suspended" }),
    ledger: [{ kind: "org_role", objectId: "", role: "user" }],
  };

  test("is out, where removing switches off: there is nothing to do but to forget", () => {
    const facts = { ...input({}).facts, removal: "suspended" as const };
    const plan = planTarget(input({ ...leaver, facts }));
    expect(plan.steps).toEqual([]);
    expect(plan.forget).toEqual([{ kind: "org_role", objectId: "" }]);
  });

  test("is removed all the same, where removing deletes", () => {
    expect(planTarget(input(leaver)).steps.map((step) => step.action)).toEqual(["remove_account"]);
  });
});

describe("a mover", () => {
  test("gains before losing", () => {
    const plan = planTarget(
      input({
        desired: desired([wish("org_role", "developer"), wish("workspace", "writer", "ws_new")]),
        account: account(),
        grants: [held("ws_old", "writer")],
        ledger: [
          { kind: "org_role", objectId: "", role: "user" },
          { kind: "workspace", objectId: "ws_old", role: "writer" },
        ],
      }),
    );
    expect(
      plan.steps.map((step) => `${step.action} ${slotKey(step.slot).replace("\n", " ")}`),
    ).toEqual(["set_account_role org_role", "grant workspace ws_new", "revoke workspace ws_old"]);
  });

  test("keeps what Rolecall never gave, and it is said", () => {
    const plan = planTarget(
      input({
        desired: desired([wish("org_role", "user")]),
        account: account(),
        grants: [held("ws_old", "writer")],
      }),
    );
    expect(plan.steps).toEqual([]);
    expect(plan.observations.map((item) => item.kind)).toEqual(["unmanaged_grant"]);
  });

  test("loses what an authoritative set covers, whoever gave it", () => {
    const plan = planTarget(
      input({
        policy: { ...policy, sets: { workspace: "authoritative" } },
        desired: desired([wish("org_role", "user")]),
        account: account(),
        grants: [held("ws_old", "writer")],
      }),
    );
    expect(plan.steps.map((step) => step.action)).toEqual(["revoke"]);
  });

  test("to nothing loses the account only where we made it", () => {
    const ours = { ledger: [{ kind: "org_role", objectId: "", role: "user" }] };
    expect(
      planTarget(input({ account: account(), ...ours })).steps.map((step) => step.action),
    ).toEqual(["remove_account"]);
    expect(planTarget(input({ account: account() })).steps).toEqual([]);
  });

  test("loses nothing that a missing fact could justify", () => {
    const plan = planTarget(
      input({
        desired: desired([], { keep: [{ kind: "*", objectId: "*", why: "source_not_loaded" }] }),
        account: account(),
        grants: [held("ws_old", "writer")],
        ledger: [
          { kind: "org_role", objectId: "", role: "user" },
          { kind: "workspace", objectId: "ws_old", role: "writer" },
        ],
      }),
    );
    expect(plan.steps).toEqual([]);
  });

  test("is lowered only from what we gave: a role raised by hand is drift, not ours", () => {
    const wished = {
      desired: desired([wish("org_role", "user")]),
      account: account({ role: "developer" }),
    };
    expect(planTarget(input(wished)).steps).toEqual([]);
    expect(planTarget(input(wished)).observations.map((item) => item.kind)).toEqual(["drift"]);
    const given = { ...wished, ledger: [{ kind: "org_role", objectId: "", role: "developer" }] };
    expect(planTarget(input(given)).steps.map((step) => [step.action, step.direction])).toEqual([
      ["set_account_role", "loss"],
    ]);
  });

  test("under a role that implies workspaces gets no workspace writes", () => {
    const plan = planTarget(
      input({
        desired: desired([wish("org_role", "billing"), wish("workspace", "writer", "ws_1")]),
        account: account({ role: "billing" }),
        grants: [held("ws_2", "reader", true)],
      }),
    );
    expect(plan.steps).toEqual([]);
  });
});

describe("a leaver", () => {
  const gone = { desired: desired([], { lifecycle: "departed" }) };

  test("loses a linked account that Rolecall never made", () => {
    expect(lines({ ...gone, account: account() })).toEqual(["remove the account (user)"]);
  });

  test("loses an open invitation", () => {
    expect(lines({ ...gone, account: account({ state: "invited" }) })).toEqual([
      "cancel the invitation (user)",
    ]);
  });

  test("with a role that the API cannot remove becomes a manual step", () => {
    const plan = planTarget(input({ ...gone, account: account({ role: "owner" }) }));
    expect(plan.steps).toEqual([]);
    expect(plan.blocked.map((item) => item.code)).toEqual(["MANUAL_STEP"]);
  });

  test("who is one of the last admins is stopped by the floor", () => {
    const plan = planTarget(
      input({ ...gone, account: account({ role: "lead" }), activeAdmins: 2 }),
    );
    expect(plan.steps).toEqual([]);
    expect(plan.blocked.map((item) => item.code)).toEqual(["ADMIN_FLOOR"]);
  });

  test("on the protected list, or our own principal, is never touched", () => {
    const breakglass = account({ email: "breakglass@example.com" });
    expect(planTarget(input({ ...gone, account: breakglass })).blocked[0]?.code).toBe("PROTECTED");
    const own = planTarget(input({ ...gone, account: account(), ownAccountIds: ["acc_1"] }));
    expect(own.steps).toEqual([]);
    expect(own.blocked[0]?.code).toBe("PROTECTED");
  });

  test("is removed although facts are missing: a leaver is a positive fact", () => {
    const plan = planTarget(
      input({
        desired: desired([], {
          lifecycle: "departed",
          keep: [{ kind: "*", objectId: "*", why: "source_not_loaded" }],
        }),
        account: account(),
      }),
    );
    expect(plan.steps.map((step) => step.action)).toEqual(["remove_account"]);
  });
});

test("a kind that the mapping ignores is neither given, taken nor spoken of, while the rest goes on", () => {
  const own = {
    ...{ grants: [held("ws_1", "keeper"), held("ws_2", "reader")], account: account() },
    ledger: [{ kind: "workspace", objectId: "ws_2", role: "reader" }],
    desired: desired([wish("org_role", "developer"), wish("workspace", "writer", "ws_3")]),
  };
  const watched = planTarget(input(own));
  expect(watched.steps.map((step) => step.action)).toEqual(["set_account_role", "grant", "revoke"]);
  expect(watched.observations).not.toEqual([]);
  const ignored = planTarget(
    input({ ...own, policy: { ...policy, sets: { workspace: "ignore" } } }),
  );
  expect(ignored.steps.map((step) => step.action)).toEqual(["set_account_role"]);
  expect([ignored.observations, ignored.forget]).toEqual([[], []]);
});

test("the admin floor guards demotion too", () => {
  const plan = planTarget(
    input({
      desired: desired([wish("org_role", "user")]),
      account: account({ role: "lead" }),
      ledger: [{ kind: "org_role", objectId: "", role: "lead" }],
      activeAdmins: 2,
    }),
  );
  expect(plan.steps).toEqual([]);
  expect(plan.blocked.map((item) => item.code)).toEqual(["ADMIN_FLOOR"]);
});

describe("properties", () => {
  const roles = fc.constantFrom("user", "developer");
  const workspaceRoles = fc.constantFrom("reader", "writer", "keeper");
  const objects = fc.constantFrom("ws_1", "ws_2", "ws_3");
  const wishes = fc.record({
    role: fc.option(roles),
    spaces: fc.dictionary(objects, workspaceRoles),
  });
  const now = fc.record({
    role: roles,
    spaces: fc.dictionary(objects, workspaceRoles),
    ours: fc.boolean(),
  });

  test("a plan that is carried out leaves nothing to plan", () => {
    fc.assert(
      fc.property(wishes, now, (wanted, is) => {
        const assignments =
          wanted.role === null
            ? []
            : [
                wish("org_role", wanted.role),
                ...Object.entries(wanted.spaces).map(([id, role]) => wish("workspace", role, id)),
              ];
        const start: PlanInput = input({
          policy: { ...policy, mode: is.ours ? "authoritative" : "additive" },
          desired: desired(assignments),
          account: account({ role: is.role }),
          grants: Object.entries(is.spaces).map(([id, role]) => held(id, role)),
        });
        const after = carryOut(start);
        expect(planTarget(after).steps).toEqual([]);
      }),
    );
  });

  test("additive mode never takes what the ledger does not name", () => {
    fc.assert(
      fc.property(wishes, now, (wanted, is) => {
        const plan = planTarget(
          input({
            desired: desired(wanted.role === null ? [] : [wish("org_role", wanted.role)]),
            account: account({ role: is.role }),
            grants: Object.entries(is.spaces).map(([id, role]) => held(id, role)),
          }),
        );
        expect(plan.steps.filter((step) => step.direction === "loss")).toEqual([]);
      }),
    );
  });
});

/** Applies the steps of a plan to its own input, as a well-behaved vendor would. */
function carryOut(start: PlanInput): PlanInput {
  let current: VendorAccount | undefined = start.account;
  const grants = new Map(start.grants.map((grant) => [slotKey(grant), grant]));
  const ledger = new Map(start.ledger.map((entry) => [slotKey(entry), entry]));
  const give = (step: Step): Entitlement => ({ ...step.slot, role: step.roleTo ?? "" });
  for (const step of planTarget(start).steps) {
    const key = slotKey(step.slot);
    if (step.action === "remove_account" || step.action === "cancel_invitation") {
      current = undefined;
      grants.clear();
      ledger.clear();
    } else if (step.action === "revoke") {
      grants.delete(key);
      ledger.delete(key);
    } else {
      ledger.set(key, give(step));
      if (step.action === "grant")
        grants.set(key, { ...give(step), implicit: false } satisfies ObservedGrant);
      else current = account({ accountId: asId("acc_1"), role: step.roleTo ?? "" });
    }
  }
  return { ...start, account: current, grants: [...grants.values()], ledger: [...ledger.values()] };
}
