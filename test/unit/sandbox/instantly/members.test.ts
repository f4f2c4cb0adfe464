import { describe, expect, test } from "vitest";
import { instantly, itemsOf } from "./instantly-fixture.ts";

describe("the edge and the key", () => {
  test("default user agents get an HTML page, not an API error", async () => {
    const { call } = await instantly();
    for (const agent of ["node", "axios/1.7", "curl/8.5", "python-requests/2.32", ""]) {
      const blocked = await call("GET", "/workspaces/current", undefined, { "user-agent": agent });
      expect([agent, blocked.status]).toEqual([agent, 403]);
      expect(blocked.headers.get("content-type")).toContain("text/html");
    }
    expect((await call("GET", "/workspaces/current")).status).toBe(200);
  });

  test("missing, wrong and revoked keys answer 401 in the vendor's form", async () => {
    const { call, simulator, as } = await instantly();
    expect((await call("GET", "/workspaces/current", undefined, as("nonsense"))).body).toEqual({
      statusCode: 401,
      error: "Unauthorized",
      message: "Invalid API key",
    });
    const without = await fetch(`${simulator.url}/api/v2/workspaces/current`, {
      headers: { "user-agent": "rolecall-test/1" },
    });
    expect(await without.json()).toMatchObject({ message: "Missing Authorization header" });
    simulator.control.revokeKey();
    expect((await call("GET", "/workspaces/current")).status).toBe(401);
  });

  test("scopes are held by name or through an all, and the refusal's status can be switched", async () => {
    const { call, simulator, as } = await instantly();
    const secretOf = (scopes: string[]) => simulator.control.addKey({ name: "k", scopes }).secret;
    const list = async (secret: string) =>
      (await call("GET", "/workspace-members", undefined, as(secret))).status;
    for (const scope of ["workspace_members:read", "workspace_members:all", "all:read"]) {
      expect([scope, await list(secretOf([scope]))]).toEqual([scope, 200]);
    }
    const narrow = secretOf(["workspace_members:create", "workspaces:read"]);
    expect(await list(narrow)).toBe(403);
    simulator.control.changeSettings({ scopeRefusal: 401 });
    expect(await list(narrow)).toBe(401);
  });

  test("a lapsed plan answers 402 everywhere", async () => {
    const { call, simulator } = await instantly();
    simulator.control.setPaid(false);
    const refused = await call("GET", "/workspace-members");
    expect(refused.body).toEqual({
      statusCode: 402,
      error: "Payment Required",
      message: "Workspace does not have an active paid plan",
    });
    simulator.control.setPaid(true);
    expect((await call("GET", "/workspace-members")).status).toBe(200);
  });

  test("a body announced as JSON and empty is refused; a DELETE without either is fine", async () => {
    const { call, simulator } = await instantly();
    const member = simulator.control.seedMember({ email: "a@example.com" });
    const json = { "content-type": "application/json" };
    const path = `/workspace-members/${member.id}`;
    const refused = await call("DELETE", path, undefined, json);
    expect([refused.status, refused.body["error"]]).toEqual([400, "Bad Request"]);
    expect((await call("DELETE", path)).body).toMatchObject({ id: member.id });
    const text = await call("POST", "/workspace-members", {}, { "content-type": "text/plain" });
    expect(text.status).toBe(415);
  });

  test("a hundred requests a second and no more, shared by all keys, without retry-after", async () => {
    const { call, clock, simulator, as } = await instantly();
    const { secret } = simulator.control.addKey({ name: "second", scopes: ["all:all"] });
    await Promise.all(Array.from({ length: 100 }, () => call("GET", "/workspaces/current")));
    const refused = await call("GET", "/workspaces/current", undefined, as(secret));
    expect(refused.body).toEqual({
      statusCode: 429,
      error: "Too Many Requests",
      message: "Rate limit exceeded",
    });
    expect(refused.headers.get("retry-after")).toBeNull();
    await clock.advance(1_000);
    expect((await call("GET", "/workspaces/current")).status).toBe(200);
  });

  test("the minute's limit holds where the second's would pass", async () => {
    const { call, clock } = await instantly({ limits: { perSecond: 2, perMinute: 3 } });
    const get = async () => (await call("GET", "/workspaces/current")).status;
    expect([await get(), await get(), await get()]).toEqual([200, 200, 429]);
    await clock.advance(1_000);
    expect([await get(), await get()]).toEqual([200, 429]);
  });
});

describe("members", () => {
  test("an invitation is a member that has not accepted, never expires, and is refused twice", async () => {
    const { call, clock, simulator } = await instantly();
    const created = await call("POST", "/workspace-members", {
      email: "new@example.com",
      role: "editor",
    });
    expect(created.body).toMatchObject({ email: "new@example.com", accepted: false });
    const again = await call("POST", "/workspace-members", {
      email: "NEW@example.com",
      role: "view",
    });
    expect([again.status, again.body["error"]]).toEqual([400, "Bad Request"]);
    expect(simulator.createAttempts("new@example.com")).toEqual({
      attempted: 2,
      created: 1,
      refused: 1,
    });
    await clock.advance(400 * 86_400_000);
    const open = itemsOf(await call("GET", "/workspace-members?accepted=false&limit=100"));
    expect(open).toMatchObject([{ email: "new@example.com" }]);
    simulator.control.acceptInvite({
      email: "new@example.com",
      name: { first: "Nora", last: "New" },
      userEmail: "nora@home.example",
    });
    const [member] = itemsOf(await call("GET", "/workspace-members?search=nora+n&limit=100"));
    expect(member).toMatchObject({ accepted: true, user_email: "nora@home.example" });
    expect(itemsOf(await call("GET", "/workspace-members?search=nora@HOME"))).toHaveLength(1);
  });

  test("the validator names what is wrong in Ajv's words", async () => {
    const { call, simulator } = await instantly();
    const member = simulator.control.seedMember({ email: "a@example.com" });
    const messageOf = async (method: string, path: string, json?: unknown) => {
      const refused = await call(method, path, json);
      expect(refused.status).toBe(400);
      return refused.body["message"];
    };
    const members = "/workspace-members";
    expect(await messageOf("POST", members, { email: "b@example.com" })).toBe(
      "body must have required property 'role'",
    );
    expect(await messageOf("POST", members, { email: "b", role: "view" })).toBe(
      'body/email must match format "email"',
    );
    expect(await messageOf("POST", members, { email: "b@e.com", role: "member" })).toBe(
      "body/role must be equal to one of the allowed values",
    );
    expect(await messageOf("POST", members)).toBe("body must be object");
    expect(await messageOf("PATCH", `${members}/${member.id}`, {})).toBe(
      "body must NOT have fewer than 1 properties",
    );
    expect(await messageOf("PATCH", `${members}/${member.id}`, { permissions: [] })).toBe(
      "body must NOT have fewer than 1 properties",
    );
    expect(await messageOf("GET", `${members}?limit=101`)).toBe("querystring/limit must be <= 100");
    expect(await messageOf("GET", `${members}?limit=0`)).toBe("querystring/limit must be >= 1");
    expect(await messageOf("GET", `${members}?starting_after=nobody`)).toContain("starting_after");
  });

  test("owner and client are neither given, changed nor, for the owner, removed", async () => {
    const { call, simulator } = await instantly();
    const client = simulator.control.seedMember({ email: "c@example.com", role: "client" });
    const [owner] = itemsOf(await call("GET", "/workspace-members?search=owner@"));
    const ownerPath = `/workspace-members/${String(owner?.["id"])}`;
    const statuses = [
      (await call("POST", "/workspace-members", { email: "x@e.com", role: "owner" })).status,
      (await call("POST", "/workspace-members", { email: "x@e.com", role: "client" })).status,
      (await call("PATCH", ownerPath, { role: "view" })).status,
      (await call("PATCH", `/workspace-members/${client.id}`, { role: "view" })).status,
      (await call("DELETE", ownerPath)).status,
    ];
    expect(statuses).toEqual([400, 400, 403, 403, 403]);
    expect(itemsOf(await call("GET", "/workspace-members?search=owner@"))).toHaveLength(1);
  });

  test("a role changes before and after acceptance, and a removal echoes what it removed, once", async () => {
    const { call, simulator } = await instantly();
    const open = simulator.control.seedMember({ email: "a@example.com", accepted: false });
    const path = `/workspace-members/${open.id}`;
    expect((await call("PATCH", path, { role: "admin" })).body).toMatchObject({
      role: "admin",
      accepted: false,
    });
    expect((await call("DELETE", path)).body).toMatchObject({ id: open.id, role: "admin" });
    expect((await call("DELETE", path)).body).toEqual({
      statusCode: 404,
      error: "Not Found",
      message: "Resource not found",
    });
  });

  test("the last full page still carries a cursor, and the page after it is empty", async () => {
    const { call, simulator } = await instantly();
    for (const n of [1, 2, 3]) simulator.control.seedMember({ email: `u${String(n)}@e.com` });
    const first = await call("GET", "/workspace-members?limit=2");
    const cursor = String(first.body["next_starting_after"]);
    const removed = itemsOf(first)[1];
    await call("DELETE", `/workspace-members/${String(removed?.["id"])}`);
    const second = await call("GET", `/workspace-members?limit=2&starting_after=${cursor}`);
    expect(itemsOf(second).map((row) => row["email"])).toEqual(["u2@e.com", "u3@e.com"]);
    const last = String(second.body["next_starting_after"]);
    const third = await call("GET", `/workspace-members?limit=2&starting_after=${last}`);
    expect(third.body).toEqual({ items: [] });
    const whole = await call("GET", "/workspace-members?limit=3");
    expect([itemsOf(whole).length, typeof whole.body["next_starting_after"]]).toEqual([
      3,
      "string",
    ]);
    const short = await call("GET", "/workspace-members?limit=4");
    expect(short.body).not.toHaveProperty("next_starting_after");
  });

  test("members of one workspace are not there for another's key", async () => {
    const { call, simulator, as } = await instantly();
    const member = simulator.control.seedMember({ email: "a@example.com" });
    const other = simulator.control.addWorkspace({ name: "Other", ownerEmail: "o@e.com" });
    const { secret } = simulator.control.addKey({
      workspaceId: other.id,
      name: "other",
      scopes: ["all:all"],
    });
    const path = `/workspace-members/${member.id}`;
    expect((await call("GET", path, undefined, as(secret))).status).toBe(404);
    expect((await call("DELETE", path, undefined, as(secret))).status).toBe(404);
    expect(itemsOf(await call("GET", "/workspace-members", undefined, as(secret)))).toHaveLength(1);
  });
});
