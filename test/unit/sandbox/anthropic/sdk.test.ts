// Goal: what the vendor's own client understands is what the simulator says, and the other way round.
import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { anthropic } from "./anthropic-fixture.ts";

async function stage(options: Parameters<typeof anthropic>[0] = {}) {
  const context = await anthropic(options);
  const { simulator } = context;
  const sdk = (apiKey = simulator.apiKey) =>
    new Anthropic({ apiKey, baseURL: simulator.url, maxRetries: 0 }).organization;
  return { ...context, control: simulator.control, sdk, organization: sdk() };
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const row of pages) rows.push(row);
  return rows;
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("it was expected to fail, and did not");
    },
    (error: unknown) => error,
  );

describe("the vendor's SDK at a Console organisation", () => {
  test("says whose the key is, and walks users and invitations page by page", async () => {
    const { organization, control, simulator } = await stage();
    for (let i = 0; i < 5; i++) control.seedUser({ email: `u${String(i)}@example.com` });
    control.seedInvite({ email: "new@example.com" });
    expect(await organization.retrieve()).toMatchObject({
      id: simulator.state().organization.id,
      type: "organization",
    });
    const users = await all(organization.users.list({ limit: 2 }));
    expect(users.map((user) => user.email).toSorted()).toEqual(
      ["owner@example.com", ...[0, 1, 2, 3, 4].map((i) => `u${String(i)}@example.com`)].toSorted(),
    );
    expect(await all(organization.users.list({ email: "U1@example.com" }))).toMatchObject([
      { email: "u1@example.com", type: "user" },
    ]);
    expect(await all(organization.invites.list())).toMatchObject([
      { email: "new@example.com", status: "pending" },
    ]);
  });

  test("invites, changes a role and takes both back", async () => {
    const { organization, control } = await stage();
    const invite = await organization.invites.create({ email: "a@example.com", role: "developer" });
    expect(invite).toMatchObject({ type: "invite", status: "pending", role: "developer" });
    expect(await organization.invites.retrieve(invite.id)).toMatchObject({ id: invite.id });
    expect(
      await errorOf(organization.invites.create({ email: "a@example.com", role: "user" })),
    ).toMatchObject({ status: 400, type: "invalid_request_error" });
    expect(await organization.invites.delete(invite.id)).toMatchObject({ type: "invite_deleted" });
    const user = control.seedUser({ email: "b@example.com" });
    expect(await organization.users.update(user.id, { role: "billing" })).toMatchObject({
      role: "billing",
    });
    expect(await organization.users.remove(user.id)).toMatchObject({ type: "user_deleted" });
    expect(await errorOf(organization.users.retrieve(user.id))).toMatchObject({ status: 404 });
  });

  test("makes a workspace, and adds, changes and removes a member", async () => {
    const { organization, control } = await stage();
    const user = control.seedUser({ email: "b@example.com" });
    const { workspaces } = organization;
    const workspace = await workspaces.create({ name: "Research" });
    expect(await all(workspaces.list())).toMatchObject([{ id: workspace.id, name: "Research" }]);
    const where = { workspace_id: workspace.id };
    const role = (name: "workspace_user" | "workspace_developer") => ({ workspace_role: name });
    await workspaces.members.add(workspace.id, { user_id: user.id, ...role("workspace_user") });
    await workspaces.members.update(user.id, { ...where, ...role("workspace_developer") });
    expect(await workspaces.members.retrieve(user.id, where)).toMatchObject({
      type: "workspace_member",
      workspace_role: "workspace_developer",
    });
    const members = await all(workspaces.members.list(workspace.id));
    // Whoever made it is its admin.
    expect(members.map((member) => member.workspace_role).toSorted()).toEqual([
      "workspace_admin",
      "workspace_developer",
    ]);
    expect(await workspaces.members.remove(user.id, where)).toMatchObject({
      type: "workspace_member_deleted",
    });
    expect(await workspaces.archive(workspace.id)).toMatchObject({ id: workspace.id });
  });

  test("lists keys by their maker and switches one off", async () => {
    const { organization, control } = await stage();
    const user = control.seedUser({ email: "b@example.com" });
    const key = control.seedApiKey({ name: "dashboards", createdBy: "b@example.com" });
    const { apiKeys } = organization;
    expect(await all(apiKeys.list({ created_by_user_id: user.id }))).toMatchObject([
      { id: key.id, name: "dashboards", status: "active" },
    ]);
    expect(await apiKeys.update(key.id, { status: "inactive" })).toMatchObject({
      status: "inactive",
    });
  });

  test("reads a refused key as one", async () => {
    const { sdk } = await stage();
    expect(await errorOf(sdk("sk-ant-admin01-wrong").retrieve())).toMatchObject({
      status: 401,
      type: "authentication_error",
    });
  });
});

describe("the vendor's SDK at an Enterprise organisation", () => {
  test("lists groups, and adds and removes a member", async () => {
    const { organization, control } = await stage({ settings: { enterprise: true } });
    const user = control.seedUser({ email: "b@example.com" });
    const group = control.addGroup({ name: "Claude Code" });
    const { rbacGroups } = organization;
    expect(await all(rbacGroups.list())).toMatchObject([{ id: group.id, name: "Claude Code" }]);
    await rbacGroups.members.add(group.id, { user_id: user.id });
    expect(await all(rbacGroups.members.list(group.id))).toMatchObject([{ user_id: user.id }]);
    await rbacGroups.members.remove(user.id, { rbac_group_id: group.id });
    expect(await all(rbacGroups.members.list(group.id))).toEqual([]);
  });
});
