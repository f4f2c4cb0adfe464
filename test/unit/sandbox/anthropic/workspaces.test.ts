import { describe, expect, test } from "vitest";
import { anthropic, errorOf, rowsOf } from "./anthropic-fixture.ts";

async function withWorkspace(settings = {}) {
  const context = await anthropic({ settings });
  const { simulator, call } = context;
  const workspace = simulator.control.addWorkspace("Production");
  const user = simulator.control.seedUser({ email: "jane@example.com" });
  const members = `/workspaces/${workspace.id}/members`;
  const add = (userId: string, role: string) =>
    call("POST", members, { user_id: userId, workspace_role: role });
  const listed = async () =>
    rowsOf(await call("GET", members)).map((row) => [row["user_id"], row["workspace_role"]]);
  return { ...context, workspace, user, members, add, listed };
}

describe("workspaces", () => {
  test("the default one is hidden from the list, readable, and neither renamed nor archived", async () => {
    const { call } = await anthropic();
    expect(rowsOf(await call("GET", "/workspaces"))).toEqual([]);
    const [workspace] = rowsOf(await call("GET", "/workspaces?include_default=true"));
    expect(workspace).toMatchObject({ name: "Default", archived_at: null });
    const path = `/workspaces/${String(workspace?.["id"])}`;
    expect((await call("GET", path)).status).toBe(200);
    expect((await call("POST", path, { name: "Other" })).status).toBe(400);
    expect((await call("POST", `${path}/archive`)).status).toBe(400);
    expect((await call("GET", `${path}/members`)).status).toBe(400);
  });

  test("archiving is for good, leaves the list and stops the workspace's keys", async () => {
    const { call, simulator } = await anthropic();
    const { id } = (await call("POST", "/workspaces", { name: "Old", tags: { team: "a" } })).body;
    const key = simulator.control.seedApiKey({ name: "k", workspace: String(id) });
    const path = `/workspaces/${String(id)}`;
    expect((await call("POST", path, { tags: { team: null, cost: "1" } })).body["tags"]).toEqual({
      cost: "1",
    });
    const archived = await call("POST", `${path}/archive`);
    expect(archived.body["archived_at"]).not.toBeNull();
    expect(rowsOf(await call("GET", "/workspaces"))).toEqual([]);
    expect(rowsOf(await call("GET", "/workspaces?include_archived=true"))).toHaveLength(1);
    expect((await call("POST", path, { name: "New" })).status).toBe(400);
    expect((await call("GET", `/api_keys/${key.id}`)).body["status"]).toBe("inactive");
    expect((await call("POST", `/api_keys/${key.id}`, { status: "active" })).status).toBe(400);
  });

  test("the cap counts what is not archived, and names have 1 to 40 characters", async () => {
    const { call, simulator } = await anthropic({ settings: { workspaceLimit: 1 } });
    const create = async (name: string) => (await call("POST", "/workspaces", { name })).status;
    expect([await create(""), await create("x".repeat(41)), await create("A")]).toEqual([
      400, 400, 200,
    ]);
    expect(await create("B")).toBe(400);
    simulator.control.archiveWorkspace("A");
    expect(await create("B")).toBe(200);
    expect(
      (await call("POST", "/workspaces", { name: "C", tags: { anthropic_x: "1" } })).status,
    ).toBe(400);
  });
});

describe("workspace members", () => {
  test("are added, changed and removed; what is not there answers 400 to a write and 404 to a read", async () => {
    const { call, user, members, add, listed } = await withWorkspace({
      listImplicitMembers: false,
    });
    const path = `${members}/${user.id}`;
    expect((await call("POST", path, { workspace_role: "workspace_user" })).status).toBe(400);
    expect((await call("DELETE", path)).status).toBe(400);
    expect((await call("GET", path)).status).toBe(404);
    expect((await add(user.id, "workspace_billing")).status).toBe(400);
    expect((await add("user_nobody", "workspace_user")).status).toBe(404);
    expect((await add(user.id, "workspace_user")).status).toBe(200);
    expect((await add(user.id, "workspace_user")).status).toBe(400);
    const changed = await call("POST", path, { workspace_role: "workspace_developer" });
    expect(changed.body["workspace_role"]).toBe("workspace_developer");
    expect((await call("POST", path, { workspace_role: "workspace_billing" })).status).toBe(400);
    expect(await listed()).toEqual([[user.id, "workspace_developer"]]);
    expect((await call("DELETE", path)).body["type"]).toBe("workspace_member_deleted");
    expect(await listed()).toEqual([]);
  });

  test("admins are workspace admins everywhere and cannot be touched there; the switch hides them", async () => {
    const { call, simulator, members, add, listed, workspace } = await withWorkspace();
    const [admin] = simulator.state().users;
    const adminId = admin?.id ?? "";
    expect(await listed()).toEqual([[adminId, "workspace_admin"]]);
    expect((await add(adminId, "workspace_user")).status).toBe(400);
    expect((await call("DELETE", `${members}/${adminId}`)).status).toBe(400);
    simulator.control.changeSettings({ listImplicitMembers: false });
    expect(await listed()).toEqual([]);
    expect((await call("GET", `${members}/${adminId}`)).body).toMatchObject({
      workspace_id: workspace.id,
      workspace_role: "workspace_admin",
    });
  });

  test("billing members may be raised and lowered again; their old rows show after a demotion", async () => {
    const { call, user, members, add, listed, simulator } = await withWorkspace();
    await add(user.id, "workspace_restricted_developer");
    await call("POST", `/users/${user.id}`, { role: "billing" });
    const roleOf = async () => (await listed()).find(([id]) => id === user.id)?.[1];
    expect(await roleOf()).toBe("workspace_billing");
    const set = (role: string) => call("POST", `${members}/${user.id}`, { workspace_role: role });
    expect((await set("workspace_developer")).status).toBe(400);
    simulator.control.setUserRole("jane@example.com", "developer");
    expect(await roleOf()).toBe("workspace_restricted_developer");
    simulator.control.setUserRole("jane@example.com", "billing");
    expect((await set("workspace_admin")).status).toBe(200);
    expect(await roleOf()).toBe("workspace_admin");
    expect((await call("DELETE", `${members}/${user.id}`)).status).toBe(400);
    expect((await set("workspace_billing")).status).toBe(200);
    expect(await roleOf()).toBe("workspace_billing");
  });

  test("just after an add the vendor says that the user is not in the workspace", async () => {
    const { call, clock, user, members, add, listed } = await withWorkspace({
      memberSettleMs: 20_000,
    });
    await add(user.id, "workspace_user");
    const update = async () =>
      (await call("POST", `${members}/${user.id}`, { workspace_role: "workspace_admin" })).status;
    expect(await update()).toBe(400);
    expect(await listed()).toContainEqual([user.id, "workspace_user"]);
    await clock.advance(20_000);
    expect(await update()).toBe(200);
  });

  test("the single read is stale after a write while the list is not", async () => {
    const { call, clock, user, members, add, listed } = await withWorkspace({
      staleMemberReadMs: 30_000,
    });
    await add(user.id, "workspace_user");
    const read = async () => call("GET", `${members}/${user.id}`);
    expect((await read()).status).toBe(404);
    expect(await listed()).toContainEqual([user.id, "workspace_user"]);
    await clock.advance(30_000);
    expect((await read()).status).toBe(200);
    await call("DELETE", `${members}/${user.id}`);
    expect((await read()).body["workspace_role"]).toBe("workspace_user");
    await clock.advance(30_000);
    expect((await read()).status).toBe(404);
  });

  test("a full workspace says so in its code, and an archived one takes nobody", async () => {
    const { simulator, user, add } = await withWorkspace({ workspaceMemberLimit: 1 });
    const other = simulator.control.seedUser({ email: "joe@example.com" });
    await add(user.id, "workspace_user");
    const full = await add(other.id, "workspace_user");
    expect(errorOf(full).details?.error_code).toBe("workspace_member_limit_exceeded");
    simulator.control.changeSettings({ workspaceMemberLimit: null });
    simulator.control.archiveWorkspace("Production");
    expect((await add(other.id, "workspace_user")).status).toBe(400);
  });

  test("the list pages by user id", async () => {
    const { call, user, members, add, simulator } = await withWorkspace();
    const other = simulator.control.seedUser({ email: "joe@example.com" });
    await add(other.id, "workspace_user");
    await add(user.id, "workspace_user");
    const first = await call("GET", `${members}?limit=2`);
    expect([first.body["has_more"], first.body["last_id"]]).toEqual([true, user.id]);
    const second = await call("GET", `${members}?limit=2&after_id=${user.id}`);
    expect(rowsOf(second).map((row) => row["user_id"])).toEqual([other.id]);
  });
});

describe("API keys of members", () => {
  test("workspace keys outlive the member who made them, personal ones do not", async () => {
    const { call, simulator, user } = await withWorkspace();
    const createdBy = "jane@example.com";
    simulator.control.seedApiKey({ name: "ci", createdBy, workspace: "Production" });
    simulator.control.seedApiKey({ name: "own", createdBy, personal: true });
    simulator.control.seedApiKey({ name: "other" });
    const keys = async () =>
      rowsOf(await call("GET", `/api_keys?created_by_user_id=${user.id}`)).map((row) => [
        row["name"],
        row["status"],
      ]);
    expect(await keys()).toEqual([
      ["own", "active"],
      ["ci", "active"],
    ]);
    await call("DELETE", `/users/${user.id}`);
    expect(await keys()).toEqual([
      ["own", "archived"],
      ["ci", "active"],
    ]);
  });

  test("are switched off and on, expire, and stay archived", async () => {
    const { call, clock, simulator } = await anthropic({ settings: { apiKeyLimit: 1 } });
    const key = simulator.control.seedApiKey({ name: "k", expiresAt: clock.now() + 1_000 });
    const path = `/api_keys/${key.id}`;
    expect((await call("POST", path, { status: "inactive" })).body["status"]).toBe("inactive");
    const other = simulator.control.seedApiKey({ name: "other" });
    const full = await call("POST", path, { status: "active" });
    expect(errorOf(full).details?.error_code).toBe("org_api_key_limit_exceeded");
    await call("POST", `/api_keys/${other.id}`, { status: "archived" });
    expect((await call("POST", path, { status: "active", name: "n" })).body).toMatchObject({
      status: "active",
      name: "n",
    });
    expect((await call("POST", `/api_keys/${other.id}`, { status: "active" })).status).toBe(400);
    await clock.advance(1_000);
    expect((await call("GET", path)).body["status"]).toBe("expired");
    expect(rowsOf(await call("GET", "/api_keys?status=expired"))).toHaveLength(1);
  });
});
