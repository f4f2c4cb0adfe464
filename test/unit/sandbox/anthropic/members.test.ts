import { describe, expect, test } from "vitest";
import { exchange } from "../../../support/http-exchange.ts";
import { anthropic, DAY_MS, errorOf, rowsOf } from "./anthropic-fixture.ts";

describe("transport", () => {
  test("a key passes in either header, and nothing else does", async () => {
    const { call, simulator } = await anthropic();
    expect((await call("GET", "/me")).body).toMatchObject({ type: "organization" });
    const bearer = { "x-api-key": "", authorization: `Bearer ${simulator.apiKey}` };
    // An empty x-api-key is a wrong key, not an absent one.
    expect((await call("GET", "/me", undefined, bearer)).status).toBe(401);
    const url = `${simulator.url}/v1/organizations/me`;
    const version = { "anthropic-version": "2026-10-21" };
    const asBearer = await exchange(url, {
      headers: { ...version, authorization: `Bearer ${simulator.apiKey}` },
    });
    expect(asBearer.status).toBe(200);
    const without = await exchange(url, { headers: version });
    expect([without.status, errorOf(without).type]).toEqual([401, "authentication_error"]);
    simulator.control.revokeKey();
    expect((await call("GET", "/me")).status).toBe(401);
  });

  test("an OAuth token is taken as a bearer token only", async () => {
    const { call, simulator } = await anthropic();
    const { secret } = simulator.control.addKey({ keyClass: "oauth" });
    expect((await call("GET", "/me", undefined, { "x-api-key": secret })).status).toBe(401);
  });

  test("the version header is required and checked", async () => {
    const { call, simulator } = await anthropic();
    const odd = await call("GET", "/me", undefined, { "anthropic-version": "2020-01-01" });
    expect([odd.status, errorOf(odd).type]).toEqual([400, "invalid_request_error"]);
    const response = await fetch(`${simulator.url}/v1/organizations/me`, {
      headers: { "x-api-key": simulator.apiKey },
    });
    expect(response.status).toBe(400);
  });

  test("every answer has a request id, errors in the body too, and the organisation", async () => {
    const { call } = await anthropic({ organization: { id: "org-1", name: "Acme" } });
    const missing = await call("GET", "/users/user_nobody");
    expect(missing.status).toBe(404);
    expect(missing.body["request_id"]).toMatch(/^req_/);
    expect(missing.headers.get("request-id")).toBe(missing.body["request_id"]);
    expect(missing.headers.get("anthropic-organization-id")).toBe("org-1");
    expect((await call("GET", "/nothing")).body).toMatchObject({
      type: "error",
      error: { type: "not_found_error" },
    });
  });

  test("a key without the scope is told which one is needed", async () => {
    const { call, simulator } = await anthropic();
    const { secret } = simulator.control.addKey({ keyClass: "scoped", scopes: ["read:members"] });
    const as = { "x-api-key": secret };
    expect((await call("GET", "/users", undefined, as)).status).toBe(200);
    const refused = await call("POST", "/invites", { email: "a@example.com", role: "user" }, as);
    expect([refused.status, errorOf(refused).type]).toEqual([403, "permission_error"]);
    expect(errorOf(refused).message).toContain("Needed: [write:members]");
  });

  test("a body that is no JSON and one that is too large are refused in the vendor's shape", async () => {
    const { simulator } = await anthropic();
    const post = (body: string) =>
      fetch(`${simulator.url}/v1/organizations/invites`, {
        method: "POST",
        body,
        headers: {
          "x-api-key": simulator.apiKey,
          "anthropic-version": "2023-06-01",
          "content-type": "application/json",
        },
      });
    expect((await post("{")).status).toBe(400);
    const large = await post(`"${"x".repeat(1_200_000)}"`);
    expect([large.status, await large.json()]).toMatchObject([
      413,
      { error: { type: "request_too_large" } },
    ]);
  });
});

describe("invitations", () => {
  test("one lives 21 days, then is expired and the address is free again", async () => {
    const { call, clock, simulator } = await anthropic();
    const invite = { email: "new@example.com", role: "developer" };
    const created = await call("POST", "/invites", invite);
    expect(created.status).toBe(200);
    const { id, invited_at: invitedAt, expires_at: expiresAt } = created.body;
    expect(Date.parse(String(expiresAt)) - Date.parse(String(invitedAt))).toBe(21 * DAY_MS);
    const again = await call("POST", "/invites", { ...invite, email: "NEW@example.com" });
    expect([again.status, errorOf(again).details?.error_code]).toEqual([
      400,
      "invite_already_exists",
    ]);
    await clock.advance(21 * DAY_MS - 1);
    expect((await call("GET", `/invites/${String(id)}`)).body["status"]).toBe("pending");
    await clock.advance(1);
    expect((await call("GET", `/invites/${String(id)}`)).body["status"]).toBe("expired");
    expect((await call("DELETE", `/invites/${String(id)}`)).status).toBe(400);
    expect((await call("POST", "/invites", invite)).status).toBe(200);
    expect(simulator.createAttempts("New@Example.com")).toEqual({
      attempted: 3,
      created: 2,
      refused: 1,
    });
  });

  test("acceptance makes a member with the invitation's role; an expired one cannot be accepted", async () => {
    const { call, simulator } = await anthropic();
    await call("POST", "/invites", { email: "new@example.com", role: "claude_code_user" });
    simulator.control.acceptInvite("new@example.com", "Nora New");
    const [user] = rowsOf(await call("GET", "/users?email=new@example.com"));
    expect(user).toMatchObject({ type: "user", name: "Nora New", role: "claude_code_user" });
    const again = await call("POST", "/invites", { email: "new@example.com", role: "user" });
    expect(errorOf(again).details?.error_code).toBe("already_member");
    expect(rowsOf(await call("GET", "/invites?statuses[]=pending"))).toEqual([]);
    expect(rowsOf(await call("GET", "/invites"))).toMatchObject([{ status: "accepted" }]);
    await call("POST", "/invites", { email: "late@example.com", role: "user" });
    simulator.control.expireInvite("late@example.com");
    expect(() => simulator.control.acceptInvite("late@example.com")).toThrow(
      /no pending invitation/,
    );
  });

  test("a deleted invitation is gone from the list and deletes once", async () => {
    const { call } = await anthropic();
    const { id } = (await call("POST", "/invites", { email: "a@example.com", role: "user" })).body;
    expect((await call("DELETE", `/invites/${String(id)}`)).body).toEqual({
      id,
      type: "invite_deleted",
    });
    expect(rowsOf(await call("GET", "/invites"))).toEqual([]);
    expect((await call("DELETE", `/invites/${String(id)}`)).status).toBe(404);
  });

  test("roles of admins, odd addresses and unknown fields are refused with the field's name", async () => {
    const { call } = await anthropic();
    for (const [body, field] of [
      [{ email: "a@example.com", role: "admin" }, "role"],
      [{ email: "nobody", role: "user" }, "email"],
      [{ role: "user" }, "email"],
      [{ email: "a@example.com", role: "user", rbac_group_ids: ["x"] }, "rbac_group_ids"],
    ] as const) {
      const refused = await call("POST", "/invites", body);
      expect(refused.status).toBe(400);
      expect(errorOf(refused).message).toContain(`${field}:`);
    }
  });

  test("caps and allow-lists speak in their codes; pending invitations count", async () => {
    const { call, simulator } = await anthropic({ settings: { memberLimit: 2 } });
    const invite = (email: string) => call("POST", "/invites", { email, role: "user" });
    const codeOf = async (email: string) => errorOf(await invite(email)).details?.error_code;
    expect((await invite("a@example.com")).status).toBe(200);
    expect(await codeOf("b@example.com")).toBe("org_member_limit_exceeded");
    simulator.control.changeSettings({ memberLimit: null, seats: 2 });
    const noSeat = await invite("b@example.com");
    expect([noSeat.status, errorOf(noSeat).details]).toEqual([400, undefined]);
    simulator.control.changeSettings({ seats: null, allowedDomains: ["example.com"] });
    expect(await codeOf("b@example.org")).toBe("email_domain_not_allowed");
    expect((await invite("b@example.com")).status).toBe(200);
  });
});

describe("members", () => {
  test("the email filter takes letter case and plus tags for the same address", async () => {
    const { call, simulator } = await anthropic();
    simulator.control.seedUser({ email: "jane@example.com" });
    const found = rowsOf(await call("GET", "/users?email=JANE%2Btest@example.com"));
    expect(found).toMatchObject([{ email: "jane@example.com" }]);
    expect(rowsOf(await call("GET", "/users?email=janet@example.com"))).toEqual([]);
  });

  test("admins can be neither changed nor removed, and nobody can be made one", async () => {
    const { call, simulator } = await anthropic();
    const admin = simulator.control.seedUser({ email: "boss@example.com", role: "admin" });
    const user = simulator.control.seedUser({ email: "jane@example.com" });
    expect((await call("POST", `/users/${admin.id}`, { role: "user" })).status).toBe(400);
    expect((await call("DELETE", `/users/${admin.id}`)).status).toBe(400);
    expect((await call("POST", `/users/${user.id}`, { role: "admin" })).status).toBe(400);
    const changed = await call("POST", `/users/${user.id}`, { role: "billing" });
    expect(changed.body).toMatchObject({ id: user.id, role: "billing" });
    expect((await call("DELETE", `/users/${user.id}`)).body).toEqual({
      id: user.id,
      type: "user_deleted",
    });
    expect((await call("DELETE", `/users/${user.id}`)).status).toBe(404);
  });

  test("the sole member stays", async () => {
    const { call } = await anthropic();
    const [only] = rowsOf(await call("GET", "/users"));
    const refused = await call("DELETE", `/users/${String(only?.["id"])}`);
    expect([refused.status, errorOf(refused).details?.error_code]).toEqual([
      400,
      "cannot_remove_last_member",
    ]);
  });

  test("while the organisation's own SCIM is on, the API writes no membership", async () => {
    const { call, simulator } = await anthropic();
    const user = simulator.control.seedUser({ email: "jane@example.com" });
    simulator.control.setScimOn(true);
    const writes = [
      await call("POST", "/invites", { email: "a@example.com", role: "user" }),
      await call("POST", `/users/${user.id}`, { role: "developer" }),
      await call("DELETE", `/users/${user.id}`),
    ];
    expect(writes.map((write) => write.status)).toEqual([400, 400, 400]);
    simulator.control.setScimOn(false);
    expect((await call("DELETE", `/users/${user.id}`)).status).toBe(200);
  });

  test("pages walk both ways by id, and a cursor survives the removal of its row", async () => {
    const { call, simulator } = await anthropic();
    for (let i = 1; i <= 5; i += 1) simulator.control.seedUser({ email: `u${String(i)}@e.com` });
    const emails = (page: { body: Record<string, unknown> }) =>
      rowsOf(page).map((row) => String(row["email"]).split("@")[0]);
    const first = await call("GET", "/users?limit=2");
    expect([emails(first), first.body["has_more"]]).toEqual([["u5", "u4"], true]);
    const last = String(first.body["last_id"]);
    simulator.control.removeUser("u4@e.com");
    const second = await call("GET", `/users?limit=2&after_id=${last}`);
    expect(emails(second)).toEqual(["u3", "u2"]);
    const third = await call("GET", `/users?limit=2&after_id=${String(second.body["last_id"])}`);
    expect([emails(third), third.body["has_more"]]).toEqual([["u1", "owner"], false]);
    const back = await call("GET", `/users?limit=2&before_id=${String(third.body["first_id"])}`);
    expect([emails(back), back.body["has_more"]]).toEqual([["u3", "u2"], true]);
    for (const query of ["after_id=user_x", "limit=0", "limit=1001", "limit=many"]) {
      expect((await call("GET", `/users?${query}`)).status).toBe(400);
    }
    expect((await call("GET", `/users?after_id=${last}&before_id=${last}`)).status).toBe(400);
  });

  test("roles filter by repeated parameters with and without brackets", async () => {
    const { call, simulator } = await anthropic();
    simulator.control.seedUser({ email: "d@e.com", role: "developer" });
    simulator.control.seedUser({ email: "b@e.com", role: "billing" });
    const count = async (query: string) => rowsOf(await call("GET", `/users?${query}`)).length;
    expect(await count("roles[]=developer&roles[]=billing")).toBe(2);
    expect(await count("roles=developer")).toBe(1);
    expect((await call("GET", "/users?roles=king")).status).toBe(400);
  });
});

describe("rate limits", () => {
  test("a hundred requests a minute, refilled in domain time, with retry-after in seconds", async () => {
    const { call, clock } = await anthropic();
    const statuses = await Promise.all(
      Array.from({ length: 101 }, async () => (await call("GET", "/me")).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
    const refused = await call("GET", "/users");
    expect([refused.status, errorOf(refused).type]).toEqual([429, "rate_limit_error"]);
    expect(refused.headers.get("retry-after")).toBe("1");
    await clock.advance(1_000);
    expect((await call("GET", "/users")).status).toBe(200);
    expect((await call("GET", "/users")).status).toBe(429);
  });

  test("invitations draw from a bucket of their own", async () => {
    const { call } = await anthropic({ limits: { adminPerMinute: 1, invitesPerHour: 2 } });
    const invite = (email: string) => call("POST", "/invites", { email, role: "user" });
    expect((await call("GET", "/me")).status).toBe(200);
    expect((await call("GET", "/me")).status).toBe(429);
    expect((await invite("a@example.com")).status).toBe(200);
    expect((await invite("b@example.com")).status).toBe(200);
    const refused = await invite("c@example.com");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1800"]);
  });
});
