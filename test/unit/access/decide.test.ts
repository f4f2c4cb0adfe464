// Goal: the shipped matrices say what the vendors' guides say, and nobody gets more than they hold now.
// Method: people with one role each against every permission of the files in mappings/example.
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { AccessSubject, HeldAt, Holding } from "../../../src/access/access-store.ts";
import { decide, type Question } from "../../../src/access/decide.ts";
import { accessMatrix } from "../../../src/mapping/access.ts";
import { loadMappings } from "../../../src/mapping/load.ts";
import type { AccessMatrix } from "../../../src/model/access-matrix.ts";
import {
  asId,
  type ConnectionId,
  type HrSourceId,
  type IdentityId,
} from "../../../src/model/ids.ts";
import { defaultEmploymentPolicy } from "../../../src/model/employment.ts";
import { vendorFactsOf } from "../../support/vendor-facts.ts";

const folder = fileURLToPath(new URL("../../../mappings", import.meta.url));
const [example] = await loadMappings(folder, vendorFactsOf, ["example"]);
const now = Date.parse("2026-11-01T00:00:00Z");

function matrixOf(name: string): AccessMatrix {
  const connection = example?.connections.find((item) => item.connectionId === name);
  if (connection === undefined) throw new Error(`no example of ${name}`);
  const matrix = accessMatrix(connection.document, connection.compiled.facts);
  if (matrix === undefined) throw new Error(`${name} declares no access`);
  return matrix;
}

const holding = (kind: string, role: string, more: Partial<Holding> = {}): Holding => ({
  ...{ kind, role, objectId: "", because: ["some-rule"] },
  ...more,
});

const at = asId<ConnectionId>("here");
const heldAt = (wished: readonly Holding[], more: Partial<HeldAt> = {}): HeldAt => ({
  ...{ lifecycle: "active" as const, wished, heldBack: [], given: [] },
  ...more,
});
const person = (held: HeldAt, more: Partial<AccessSubject> = {}): AccessSubject => ({
  identityId: asId<IdentityId>("ada"),
  active: true,
  inactiveSince: undefined,
  connections: new Map([[at, held]]),
  ...more,
});
const ask = (permission: string, more: Partial<Question> = {}): Question => ({
  ...{ connectionId: at, permission },
  ...more,
});

/** What somebody with these holdings may do, as `area: verb, verb`. */
function may(matrix: AccessMatrix, ...held: readonly Holding[]): readonly string[] {
  return [...matrix.permissions].filter(
    (permission) => decide([person(heldAt(held))], matrix, ask(permission), now).allowed,
  );
}

describe("the matrix of Intercom", () => {
  const matrix = matrixOf("intercom");
  const named = (rule: string) => holding("role", "member", { objectId: "7", because: [rule] });

  test("gives agents three permissions, admins eight, owners all ten", () => {
    const agent = ["contacts:read", "conversations:read", "conversations:reply"];
    expect(may(matrix, holding("seat", "inbox"))).toEqual(agent);
    expect(may(matrix, named("named-role-agent"))).toEqual(agent);
    const all = [...matrix.permissions];
    expect(all).toHaveLength(10);
    expect(may(matrix, named("named-role-lead"))).toEqual(
      all.filter((one) => one !== "contacts:delete" && one !== "settings:manage"),
    );
    expect(may(matrix, named("named-role-owner"))).toEqual(all);
    expect(may(matrix, holding("teammate", "member"))).toEqual([]);
  });
});

describe("the matrix of Instantly", () => {
  const matrix = matrixOf("instantly");
  const role = (name: string, rule = "x") => holding("workspace_role", name, { because: [rule] });

  test("tells managers and those who run campaigns apart, who have one role at the vendor", () => {
    expect(may(matrix, role("view"))).toEqual(["campaigns:view", "leads:view", "accounts:view"]);
    expect(may(matrix, role("editor", "sales-development-runs-campaigns"))).toEqual([
      ...["campaigns:view", "campaigns:launch", "campaigns:pause"],
      ...["leads:view", "leads:import", "accounts:view"],
    ]);
    expect(may(matrix, role("editor", "sales-managers-create-campaigns"))).toEqual([
      ...["campaigns:view", "campaigns:create", "campaigns:edit"],
      ...["leads:view", "leads:create", "leads:edit", "accounts:view"],
      ...["webhooks:view", "webhooks:create", "api_keys:view", "members:view"],
    ]);
    expect(may(matrix, role("admin"))).toEqual([...matrix.permissions]);
    expect(may(matrix, role("editor"))).toEqual([]);
  });
});

describe("the matrix of Clay", () => {
  const matrix = matrixOf("clay");
  const role = (name: string) => holding("workspace_role", name);

  test("lets everybody export, members build, admins manage", () => {
    expect(may(matrix, role("viewer"))).toEqual(["tables:view", "data:export"]);
    expect(may(matrix, role("editor"))).toEqual([
      ...["tables:view", "tables:create", "tables:delete", "enrichments:run", "data:export"],
    ]);
    expect(may(matrix, role("admin"))).toEqual([...matrix.permissions]);
  });
});

describe("the matrix of Anthropic", () => {
  const matrix = matrixOf("anthropic");
  const org = (role: string) => person(heldAt([holding("org_role", role)]));
  const call = (
    who: AccessSubject,
    model: string,
    maxTokens: number,
    object?: Question["object"],
  ) => decide([who], matrix, ask("messages:create", { model, maxTokens, object }), now);

  test.each([
    ["claude_code_user", "claude-haiku-4-5", true, 512, 10],
    ["claude_code_user", "claude-sonnet-4-5", false, undefined, 10],
    ["developer", "claude-opus-4-1", true, 4_096, 60],
  ])("%s with %s: %s", (role, model, allowed, maxTokens, requestsPerMinute) => {
    const verdict = call(org(role), model, 100_000);
    expect(verdict.allowed).toBe(allowed);
    expect(verdict.maxTokens).toBe(maxTokens);
    expect(verdict.limits).toMatchObject({ requestsPerMinute });
    if (!allowed) {
      expect(verdict.reason).toBe("model_not_allowed");
      expect(verdict.message).toContain(model);
    }
  });

  test("cuts what is asked for to the limit and leaves less as it is", () => {
    expect(call(org("developer"), "claude-haiku-4-5", 10).maxTokens).toBe(10);
    const silent = decide([org("developer")], matrix, ask("messages:create"), now);
    expect(silent.maxTokens).toBe(4_096);
  });

  test("lets a plain user call nothing", () => {
    expect(call(org("user"), "claude-haiku-4-5", 1)).toMatchObject({
      ...{ allowed: false, reason: "not_permitted", role: "api-viewer" },
    });
  });

  test("gives a workspace's admin every model, there and nowhere else", () => {
    const who = person(
      heldAt([
        holding("org_role", "claude_code_user"),
        holding("workspace", "workspace_admin", { objectId: "wrkspc_1" }),
      ]),
    );
    const inside = (id: string) => call(who, "claude-opus-4-1", 100_000, { kind: "workspace", id });
    expect(inside("wrkspc_1")).toMatchObject({ allowed: true, maxTokens: 8_192 });
    expect(inside("wrkspc_2")).toMatchObject({ allowed: false, reason: "model_not_allowed" });
  });

  test("keeps invoices for billing, own keys for developers", () => {
    const role = (name: string) => may(matrix, holding("org_role", name));
    expect(role("billing")).toEqual(["invoices:view", "usage:view"]);
    expect(role("developer")).toEqual(["messages:create", "keys:own", "usage:own"]);
    expect(role("admin")).toEqual([
      "workspaces:manage",
      ...["keys:manage", "keys:own", "usage:view", "usage:own"],
    ]);
    expect(role("owner")).toHaveLength(8);
  });
});

describe("nobody may anything", () => {
  const matrix = matrixOf("clay");
  const admin = heldAt([holding("workspace_role", "admin")]);
  const why = (people: readonly AccessSubject[], question = ask("data:export"), of = matrix) =>
    decide(people, of, question, now).reason;

  test("who is unknown, or whose name is that of two people who are here", () => {
    expect(why([])).toBe("unknown_subject");
    expect(why([person(admin), person(admin)])).toBe("ambiguous_subject");
    // A former colleague of that name is nobody to be mistaken for.
    expect(why([person(admin, { active: false }), person(admin)])).toBe("permitted");
  });

  test("who left, by the word of an IdP, of HR, or of the last recompute", () => {
    expect(why([person(admin, { active: false, inactiveSince: now - 1 })])).toBe("departed");
    expect(why([person({ ...admin, lifecycle: "departed" })])).toBe("departed");
    const spell = (more: object) =>
      person(admin, {
        employment: {
          policy: defaultEmploymentPolicy,
          records: [
            {
              sourceId: asId<HrSourceId>("workday"),
              personKey: "7",
              spells: [{ spell: 1, starts: undefined, leaves: undefined, absences: [], ...more }],
            },
          ],
        },
      });
    expect(why([spell({})])).toBe("permitted");
    expect(why([spell({ leaves: { moment: { at: now }, acceptedAt: now } })])).toBe("departed");
    expect(why([spell({ leaves: { moment: { at: now + 1 }, acceptedAt: now } })])).toBe(
      "permitted",
    );
    expect(why([spell({ starts: { at: now + 1 } })])).toBe("not_started");
  });

  test("at a connection that declares nothing, or of a permission that nobody declared", () => {
    expect(decide([person(admin)], undefined, ask("data:export"), now).reason).toBe(
      "unknown_connection",
    );
    expect(why([person(admin)], ask("data:burn"))).toBe("unknown_permission");
  });

  test("by a role that the matrix does not know, or by none", () => {
    expect(why([person(heldAt([holding("workspace_role", "sales_rep")]))])).toBe("no_role");
    expect(why([person(heldAt([]))])).toBe("no_role");
    expect(why([person(admin, { connections: new Map() })])).toBe("no_role");
  });

  test("by a gain that waits for a decision; what was given before counts on", () => {
    const slot = { kind: "workspace_role", objectId: "" };
    const waits = { ...admin, heldBack: [slot] };
    expect(why([person(waits)])).toBe("held");
    const before = { ...waits, given: [holding("workspace_role", "viewer")] };
    expect(decide([person(before)], matrix, ask("data:export"), now)).toMatchObject({
      ...{ allowed: true, role: "viewer" },
    });
    expect(why([person(before)], ask("billing:manage"))).toBe("not_permitted");
  });
});
