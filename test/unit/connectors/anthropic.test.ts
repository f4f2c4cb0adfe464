import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anthropicConsole as connector } from "../../../src/connectors/anthropic/anthropic.ts";
import type { Call, VendorAccount } from "../../../src/connectors/connector.ts";
import { asId, type AccountId } from "../../../src/model/ids.ts";
import {
  json,
  routes,
  startScriptedServer,
  type Script,
  type ScriptedServer,
} from "../../support/scripted-server.ts";
import { failureOf, openVendorHttp } from "../../support/vendor-http.ts";

const organizations = "/v1/organizations";
const now = Date.UTC(2026, 2, 1);

let server: ScriptedServer;
let call: Call;
let close: () => Promise<void>;
beforeEach(async () => {
  server = await startScriptedServer();
  const { http, pools, abort } = openVendorHttp({ facts: connector.facts, baseUrl: server.url });
  call = { http, signal: abort.signal, now: () => now };
  close = async () => {
    await pools.close();
    await server.close();
  };
});
afterEach(() => close());

const user = (id: string, email: string, role = "user") => ({
  type: "user",
  id,
  email,
  name: "Jane",
  role,
  added_at: "2026-01-01T00:00:00Z",
});
const invite = (id: string, email: string, more: Record<string, unknown> = {}) => ({
  type: "invite",
  id,
  email,
  role: "user",
  status: "pending",
  invited_at: "2026-02-25T00:00:00Z",
  expires_at: "2026-03-18T00:00:00.123456Z",
  accepted_at: null,
  ...more,
});
const page = (...data: readonly unknown[]) =>
  json(200, { data, has_more: false, first_id: null, last_id: null });
const no = (status: number, type: string, errorCode?: string) =>
  json(status, {
    type: "error",
    error: {
      type,
      message: "jane@example.com may not",
      ...(errorCode === undefined ? {} : { details: { error_code: errorCode } }),
    },
    request_id: "req_1",
  });
const refused = no(400, "invalid_request_error");
const account = (accountId: string, more: Partial<VendorAccount> = {}): VendorAccount => ({
  accountId: asId<AccountId>(accountId),
  email: "jane@example.com",
  otherEmails: [],
  state: accountId.startsWith("invite_") ? "invited" : "active",
  role: "user",
  displayName: undefined,
  createdAt: undefined,
  expiresAt: undefined,
  ...more,
});
const script = (table: Readonly<Record<string, readonly Script[]>>) => {
  server.reply(
    routes(
      Object.fromEntries(
        Object.entries(table).map(([key, value]) => [key.replace(" ", ` ${organizations}`), value]),
      ),
    ),
  );
};
const calls = () =>
  server.received.map(
    (item) => `${item.method} ${(item.target.split("?")[0] ?? "").slice(organizations.length)}`,
  );

describe("finding a person", () => {
  test("reads open and expired invitations and members by address, folded, each page", async () => {
    script({
      "GET /invites": [
        page(
          invite("invite_1", "Jane@Example.com"),
          invite("invite_2", "jane@example.com", { status: "expired" }),
          invite("invite_3", "jane@example.com", { expires_at: "2026-02-28T00:00:00Z" }),
          invite("invite_4", "jane@example.com", { status: "accepted" }),
        ),
      ],
      "GET /users": [
        json(200, { data: [user("user_9", "x@example.com")], has_more: true, last_id: "user_9" }),
        page(user("user_1", "JANE@example.com", "developer")),
      ],
    });
    const found = await connector.findAccounts(call, { emails: ["jane@example.com"] });
    expect(found.map((item) => [item.accountId, item.email, item.state, item.role])).toEqual([
      ["invite_1", "jane@example.com", "invited", "user"],
      ["invite_2", "jane@example.com", "expired", "user"],
      ["invite_3", "jane@example.com", "expired", "user"],
      ["user_9", "x@example.com", "active", "user"],
      ["user_1", "jane@example.com", "active", "developer"],
    ]);
    expect(server.received.map((item) => new URL(item.target, server.url).search)).toEqual([
      "?limit=1000&email=jane%40example.com&statuses%5B%5D=pending&statuses%5B%5D=expired",
      "?limit=1000&email=jane%40example.com",
      "?limit=1000&email=jane%40example.com&after_id=user_9",
    ]);
  });

  test.each([
    ["user_5", "GET /users/user_5", json(200, user("user_5", "old@example.com")), ["user_5"]],
    [
      "invite_5",
      "GET /invites/invite_5",
      json(200, invite("invite_5", "old@example.com")),
      ["invite_5"],
    ],
    [
      "invite_6",
      "GET /invites/invite_6",
      json(200, invite("invite_6", "o@example.com", { status: "deleted" })),
      [],
    ],
    ["user_6", "GET /users/user_6", no(404, "not_found_error"), []],
  ] as const)(
    "reads a linked account that no address shows by its id: %s",
    async (id, route, answer, expected) => {
      script({ "GET /invites": [page()], "GET /users": [page()], [route]: [answer] });
      const found = await connector.findAccounts(call, {
        accountId: asId<AccountId>(id),
        emails: ["jane@example.com"],
      });
      expect(found.map((item) => item.accountId)).toEqual(expected);
      expect(calls()).toContain(route);
    },
  );

  test("a list that promises more and shows no way to it is incomplete, not short", async () => {
    script({
      "GET /invites": [json(200, { data: [], has_more: true, last_id: null })],
      "GET /users": [page()],
    });
    expect(
      await failureOf(connector.findAccounts(call, { emails: ["jane@example.com"] })),
    ).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
  });

  test("an invitation of an unknown status is not guessed at", async () => {
    script({ "GET /invites": [page(invite("invite_1", "j@example.com", { status: "frozen" }))] });
    expect(
      await failureOf(connector.findAccounts(call, { emails: ["j@example.com"] })),
    ).toMatchObject({
      code: "VENDOR_ANSWER_UNKNOWN",
      message: expect.stringContaining("data.0.status") as unknown,
    });
  });
});

describe("inviting", () => {
  const person = { email: "jane+x@example.com", role: "developer", displayName: "Jane" };

  test("answers pending with the invitation", async () => {
    script({ "POST /invites": [json(200, invite("invite_1", "jane+x@example.com"))] });
    expect(await connector.createAccount(call, person)).toMatchObject({
      outcome: "pending",
      account: { accountId: "invite_1", state: "invited", expiresAt: Date.UTC(2026, 2, 18) + 123 },
    });
    expect(server.received[0]?.body).toBe('{"email":"jane+x@example.com","role":"developer"}');
  });

  test.each(["already_member", "invite_already_exists"])(
    "an address that is taken (%s) answers its holder and sends nothing more",
    async (errorCode) => {
      script({
        "POST /invites": [no(400, "invalid_request_error", errorCode)],
        "GET /invites": [page()],
        "GET /users": [
          page(user("user_1", "jane@example.com"), user("user_2", "jane+x@example.com")),
        ],
      });
      expect(await connector.createAccount(call, person)).toMatchObject({
        outcome: "unchanged",
        account: { accountId: "user_2" },
      });
      expect(calls().filter((item) => item.startsWith("POST"))).toHaveLength(1);
    },
  );

  test("the owner of a plus variant is never taken for the person", async () => {
    script({
      "POST /invites": [no(400, "invalid_request_error", "already_member")],
      "GET /invites": [page()],
      "GET /users": [page(user("user_1", "jane@example.com"))],
    });
    expect(await failureOf(connector.createAccount(call, person))).toMatchObject({
      code: "VENDOR_REJECTED",
      facts: { vendorCode: "already_member" },
    });
  });

  test("a holder that is not shown yet is looked for again", async () => {
    script({
      "POST /invites": [no(400, "invalid_request_error", "invite_already_exists")],
      "GET /invites": [page()],
      "GET /users": [page()],
    });
    expect(await failureOf(connector.createAccount(call, person))).toMatchObject({
      code: "VENDOR_CONFLICT",
    });
  });

  test.each([
    ["org_member_limit_exceeded", "SEATS_EXHAUSTED"],
    ["email_domain_not_allowed", "VENDOR_REJECTED"],
    ["something_new", "VENDOR_REJECTED"],
  ])("%s becomes %s, with the vendor's code and without the address", async (errorCode, code) => {
    script({ "POST /invites": [no(400, "invalid_request_error", errorCode)] });
    const error = await failureOf(connector.createAccount(call, person));
    expect(error).toMatchObject({ code, facts: { vendorCode: errorCode } });
    expect((error as Error).message).toContain("[address] may not");
  });

  test.each(["admin", "owner", "nonsense"])(
    "the role %s is refused before anything is sent",
    async (role) => {
      expect(await failureOf(connector.createAccount(call, { ...person, role }))).toMatchObject({
        code: "VENDOR_REJECTED",
      });
      expect(calls()).toEqual([]);
    },
  );
});

describe("the organisation role", () => {
  test("of an open invitation is changed by cancelling and inviting anew", async () => {
    script({
      "DELETE /invites/invite_1": [json(200, { id: "invite_1", type: "invite_deleted" })],
      "POST /invites": [json(200, invite("invite_2", "jane@example.com"))],
    });
    expect(await connector.setAccountRole(call, account("invite_1"), "developer")).toMatchObject({
      outcome: "pending",
    });
    expect(calls()).toEqual(["DELETE /invites/invite_1", "POST /invites"]);
  });

  test("of an invitation that was accepted meanwhile is planned again, without a second invitation", async () => {
    script({
      "DELETE /invites/invite_1": [refused],
      "GET /invites/invite_1": [
        json(200, invite("invite_1", "j@example.com", { status: "accepted" })),
      ],
    });
    expect(
      await failureOf(connector.setAccountRole(call, account("invite_1"), "developer")),
    ).toMatchObject({ code: "VENDOR_CONFLICT" });
    expect(calls()).not.toContain("POST /invites");
  });

  test.each([
    ["reached already", "developer", "unchanged"],
    ["another", "user", undefined],
  ])("that the vendor refuses to set is judged by the member: %s", async (_name, held, outcome) => {
    script({
      "POST /users/user_1": [refused],
      "GET /users/user_1": [json(200, user("user_1", "jane@example.com", held))],
    });
    const attempt = connector.setAccountRole(call, account("user_1"), "developer");
    if (outcome === undefined) {
      expect(await failureOf(attempt)).toMatchObject({ code: "VENDOR_REJECTED" });
    } else expect(await attempt).toMatchObject({ outcome });
  });

  test.each(["admin", "owner", "primary_owner", "membership_admin", "managed"])(
    "%s can neither be changed nor removed, and nothing is sent",
    async (role) => {
      const fixed = account("user_1", { role });
      for (const attempt of [
        () => connector.setAccountRole(call, fixed, "user"),
        () => connector.removeAccount(call, fixed),
      ]) {
        expect(await failureOf(attempt())).toMatchObject({ code: "VENDOR_REJECTED" });
      }
      expect(calls()).toEqual([]);
    },
  );
});

describe("removing", () => {
  test("somebody who is gone is done already", async () => {
    script({ "DELETE /users/user_1": [no(404, "not_found_error")] });
    expect(await connector.removeAccount(call, account("user_1"))).toMatchObject({
      outcome: "unchanged",
    });
  });

  test("a refusal stands while the member is there, and is done when they are not", async () => {
    script({
      "DELETE /users/user_1": [no(400, "invalid_request_error", "cannot_remove_last_member")],
      "GET /users/user_1": [json(200, user("user_1", "j@example.com")), no(404, "not_found_error")],
    });
    expect(await failureOf(connector.removeAccount(call, account("user_1")))).toMatchObject({
      code: "VENDOR_REJECTED",
      facts: { vendorCode: "cannot_remove_last_member" },
    });
    expect(await connector.removeAccount(call, account("user_1"))).toMatchObject({
      outcome: "unchanged",
    });
  });

  test("another change in flight is tried again", async () => {
    script({
      "DELETE /users/user_1": [no(409, "conflict_error", "concurrent_membership_change")],
      "GET /users/user_1": [json(200, user("user_1", "j@example.com"))],
    });
    expect(await failureOf(connector.removeAccount(call, account("user_1")))).toMatchObject({
      code: "VENDOR_CONFLICT",
    });
  });

  test.each([
    ["expired", invite("invite_1", "j@example.com", { status: "expired" }), "unchanged"],
    ["deleted", invite("invite_1", "j@example.com", { status: "deleted" }), "unchanged"],
    ["accepted", invite("invite_1", "j@example.com", { status: "accepted" }), undefined],
  ])("an invitation that is %s is judged by its state", async (_name, shown, outcome) => {
    script({
      "DELETE /invites/invite_1": [refused],
      "GET /invites/invite_1": [json(200, shown)],
    });
    const attempt = connector.removeAccount(call, account("invite_1"));
    if (outcome === undefined) {
      expect(await failureOf(attempt)).toMatchObject({ code: "VENDOR_CONFLICT" });
    } else expect(await attempt).toMatchObject({ outcome });
  });
});

describe("workspaces", () => {
  const slot = { kind: "workspace", objectId: "wrkspc_1" };
  const members = "/workspaces/wrkspc_1/members";
  const member = (role: string, id = "user_1") => ({
    type: "workspace_member",
    user_id: id,
    workspace_id: "wrkspc_1",
    workspace_role: role,
  });

  test("are listed with archived ones; those that keep themselves are not manageable", async () => {
    const workspace = (id: string, name: string, archived: string | null = null) => ({
      type: "workspace",
      id,
      name,
      archived_at: archived,
    });
    script({
      "GET /workspaces": [
        page(
          workspace("wrkspc_1", "Production"),
          workspace("wrkspc_2", "Old", "2026-01-01T00:00:00Z"),
          workspace("wrkspc_3", "Default"),
          workspace("wrkspc_4", "Claude Code"),
        ),
      ],
    });
    const items = [];
    for await (const item of connector.listObjects(call)) items.push(item);
    expect(
      items.map((item) =>
        "complete" in item ? item : [item.name, item.archived, item.manageable],
      ),
    ).toEqual([
      ["Production", false, true],
      ["Old", true, true],
      ["Default", false, false],
      ["Claude Code", false, false],
      { complete: true, count: 4 },
    ]);
    expect(server.received[0]?.target).toContain("include_archived=true&include_default=true");
  });

  test("are read through the list; somebody who is not in it holds nothing", async () => {
    script({
      [`GET ${members}`]: [
        json(200, {
          data: [member("workspace_user", "user_8")],
          has_more: true,
          last_id: "user_8",
        }),
        page(member("workspace_developer")),
      ],
      "GET /workspaces/wrkspc_2/members": [page(member("workspace_user", "user_8"))],
      "GET /workspaces/wrkspc_3/members": [no(404, "not_found_error")],
    });
    const slots = ["wrkspc_1", "wrkspc_2", "wrkspc_3"].map((objectId) => ({ ...slot, objectId }));
    expect(await connector.readGrants(call, account("user_1"), slots)).toEqual([
      { ...slot, role: "workspace_developer", implicit: false },
    ]);
    expect(calls().every((item) => item.endsWith("/members"))).toBe(true);
  });

  test.each([
    ["admin", [], { role: "workspace_admin", implicit: true }],
    ["billing", [], { role: "workspace_billing", implicit: true }],
    ["billing", [member("workspace_billing")], { role: "workspace_billing", implicit: true }],
    ["billing", [member("workspace_admin")], { role: "workspace_admin", implicit: false }],
    ["user", [member("workspace_user")], { role: "workspace_user", implicit: false }],
  ])("what follows from the organisation role %s is marked (%j)", async (role, rows, expected) => {
    script({ [`GET ${members}`]: [page(...rows)] });
    expect(await connector.readGrants(call, account("user_1", { role }), [slot])).toEqual([
      { ...slot, ...expected },
    ]);
  });

  test("take a new member with one call", async () => {
    script({ [`POST ${members}`]: [json(200, member("workspace_user"))] });
    const grant = { ...slot, role: "workspace_user" };
    expect(await connector.grant(call, account("user_1"), grant)).toMatchObject({
      outcome: "changed",
    });
    expect(calls()).toEqual([`POST ${members}`]);
  });

  test.each([400, 404, 409])(
    "judge a refused add (%i) by the list: done, to be updated, or refused",
    async (status) => {
      const grant = { ...slot, role: "workspace_developer" };
      script({
        [`POST ${members}`]: [no(status, "invalid_request_error")],
        [`GET ${members}`]: [
          page(member("workspace_developer")),
          page(member("workspace_user")),
          page(),
        ],
        [`POST ${members}/user_1`]: [json(200, member("workspace_developer"))],
      });
      expect(await connector.grant(call, account("user_1"), grant)).toMatchObject({
        outcome: "unchanged",
      });
      expect(calls()).not.toContain(`POST ${members}/user_1`);
      expect(await connector.grant(call, account("user_1"), grant)).toMatchObject({
        outcome: "changed",
      });
      expect(await failureOf(connector.grant(call, account("user_1"), grant))).toMatchObject({
        facts: { status },
      });
    },
  );

  test("a list and a write at odds, as just after an add, are tried again and not parked", async () => {
    script({
      [`POST ${members}`]: [refused],
      [`POST ${members}/user_1`]: [refused],
      [`DELETE ${members}/user_1`]: [refused],
      [`GET ${members}`]: [page(member("workspace_user"))],
    });
    for (const attempt of [
      () => connector.grant(call, account("user_1"), { ...slot, role: "workspace_admin" }),
      () => connector.revoke(call, account("user_1"), slot),
    ]) {
      expect(await failureOf(attempt())).toMatchObject({ code: "VENDOR_CONFLICT" });
    }
  });

  test("a refusal with a code of its own stands", async () => {
    script({
      [`POST ${members}`]: [refused],
      [`POST ${members}/user_1`]: [
        no(400, "invalid_request_error", "workspace_member_limit_exceeded"),
      ],
      [`GET ${members}`]: [page(member("workspace_user"))],
    });
    expect(
      await failureOf(
        connector.grant(call, account("user_1"), { ...slot, role: "workspace_developer" }),
      ),
    ).toMatchObject({ code: "SEATS_EXHAUSTED" });
  });

  test("revoking from somebody who is not in is done already", async () => {
    script({ [`DELETE ${members}/user_1`]: [refused], [`GET ${members}`]: [page()] });
    expect(await connector.revoke(call, account("user_1"), slot)).toMatchObject({
      outcome: "unchanged",
    });
  });

  test("what cannot be written is refused before anything is sent", async () => {
    const grant = { ...slot, role: "workspace_user" };
    for (const attempt of [
      () => connector.grant(call, account("invite_1"), grant),
      () => connector.grant(call, account("user_1", { role: "admin" }), grant),
      () => connector.grant(call, account("user_1"), { ...slot, role: "workspace_billing" }),
      () => connector.revoke(call, account("user_1", { role: "owner" }), slot),
    ]) {
      expect(await failureOf(attempt())).toMatchObject({ code: "VENDOR_REJECTED" });
    }
    expect(calls()).toEqual([]);
  });
});

describe("API keys", () => {
  const key = (status: string) => ({
    type: "api_key",
    id: "apikey_1",
    name: "ci",
    status,
    created_at: "2026-01-01T00:00:00Z",
    created_by: { id: "user_1", type: "user" },
    partial_key_hint: "sk-ant-…abcd",
    principal: { type: "user_actor", user_id: "user_1" },
    expires_at: null,
  });

  test("of a maker are listed with the account that they die with", async () => {
    script({ "GET /api_keys": [page(key("active"))] });
    const items = [];
    for await (const item of connector.keys?.list(call, account("user_1")) ?? []) items.push(item);
    expect(items).toEqual([
      expect.objectContaining({ keyId: "apikey_1", createdBy: "user_1", principal: "user_1" }),
      { complete: true, count: 1 },
    ]);
    expect(server.received[0]?.target).toContain("created_by_user_id=user_1");
  });

  test("are switched off once", async () => {
    script({
      "GET /api_keys/apikey_1": [json(200, key("active")), json(200, key("inactive"))],
      "POST /api_keys/apikey_1": [json(200, key("inactive"))],
    });
    expect(await connector.keys?.deactivate(call, "apikey_1")).toMatchObject({
      outcome: "changed",
    });
    expect(await connector.keys?.deactivate(call, "apikey_1")).toMatchObject({
      outcome: "unchanged",
    });
    expect(calls().filter((item) => item.startsWith("POST"))).toHaveLength(1);
  });
});

test("an organisation without workspaces is told that it is not a Console organisation", async () => {
  script({
    "GET /me": [json(200, { type: "organization", id: "org", name: "Acme" })],
    "GET /workspaces": [no(404, "not_found_error")],
  });
  expect(await failureOf(connector.check(call))).toMatchObject({
    code: "VENDOR_PLAN_REQUIRED",
    message: expect.stringContaining("not a Claude Console organisation") as unknown,
  });
});
