import { describe, expect, test } from "vitest";
import { instantly, itemsOf } from "./instantly-fixture.ts";

describe("the workspace", () => {
  test("is renamed, scheduled for removal and kept, or gone after 24 hours", async () => {
    const { call, clock } = await instantly();
    expect((await call("PATCH", "/workspaces/current", {})).status).toBe(400);
    expect((await call("PATCH", "/workspaces/current", { name: "Acme" })).body).toMatchObject({
      name: "Acme",
      scheduled_for_removal_at: null,
    });
    await call("POST", "/workspaces/current/schedule-for-removal");
    await call("DELETE", "/workspaces/current/schedule-for-removal");
    await clock.advance(25 * 3_600_000);
    expect((await call("GET", "/workspaces/current")).status).toBe(200);
    await call("POST", "/workspaces/current/schedule-for-removal");
    await clock.advance(24 * 3_600_000 - 1);
    expect((await call("GET", "/workspaces/current")).status).toBe(200);
    await clock.advance(1);
    expect((await call("GET", "/workspaces/current")).status).toBe(401);
  });

  test("has one owner before and after it is handed over, and only with the owner's token", async () => {
    const { call, simulator } = await instantly();
    simulator.control.seedMember({ email: "next@example.com", role: "admin" });
    const path = "/workspaces/current/change-owner";
    expect((await call("POST", path, { email: "next@example.com", sec: "guess" })).status).toBe(
      401,
    );
    const sec = simulator.control.securityToken();
    expect((await call("POST", path, { email: "next@example.com", sec })).status).toBe(200);
    const members = itemsOf(await call("GET", "/workspace-members"));
    expect(members.map((row) => [row["email"], row["role"]])).toEqual([
      ["owner@example.com", "admin"],
      ["next@example.com", "owner"],
    ]);
  });

  test("answers under another id once the key belongs to another organisation", async () => {
    const { call, simulator } = await instantly();
    simulator.control.setOrganization("5b7cbe3f-0000-4000-8000-000000000001", "Elsewhere");
    expect((await call("GET", "/workspaces/current")).body).toMatchObject({
      id: "5b7cbe3f-0000-4000-8000-000000000001",
      name: "Elsewhere",
    });
    expect(itemsOf(await call("GET", "/workspace-members"))).toHaveLength(1);
  });
});

describe("API keys and the audit log", () => {
  test("a secret is shown once, works, and stops with its key; the log tells of both", async () => {
    const { call, as } = await instantly();
    const made = await call("POST", "/api-keys", { name: "robot", scopes: ["workspaces:read"] });
    const secret = String(made.body["key"]);
    const current = async () =>
      (await call("GET", "/workspaces/current", undefined, as(secret))).status;
    expect(await current()).toBe(200);
    const listed = itemsOf(await call("GET", "/api-keys?limit=100"));
    expect(listed.find((row) => row["name"] === "robot")?.["key"]).toMatch(/^.{4}\*+$/);
    await call("DELETE", `/api-keys/${String(made.body["id"])}`);
    expect(await current()).toBe(401);
    const log = itemsOf(await call("GET", "/audit-logs?limit=1000"));
    expect(log.map((row) => row["activity_type"])).toEqual([37, 38]);
    expect(itemsOf(await call("GET", "/audit-logs?activity_type=38"))).toHaveLength(1);
    expect((await call("GET", "/audit-logs?start_date=yesterday")).status).toBe(400);
    expect(itemsOf(await call("GET", "/audit-logs?start_date=2100-01-01"))).toEqual([]);
  });

  test("the log says nothing about members", async () => {
    const { call } = await instantly();
    await call("POST", "/workspace-members", { email: "a@example.com", role: "view" });
    expect(itemsOf(await call("GET", "/audit-logs"))).toEqual([]);
  });

  test("a scope that the vendor does not have is refused", async () => {
    const { call } = await instantly();
    const refused = await call("POST", "/api-keys", { name: "k", scopes: ["members:read"] });
    expect(refused.status).toBe(400);
  });
});

describe("tags", () => {
  test("labels are unique after trimming, within one workspace", async () => {
    const { call } = await instantly();
    expect((await call("POST", "/custom-tags", { label: " EMEA " })).body["label"]).toBe("EMEA");
    const clash = await call("POST", "/custom-tags", { label: "EMEA  " });
    expect(clash.body).toEqual({
      statusCode: 409,
      error: "Conflict",
      message: "A tag with this name already exists.",
    });
    const other = await call("POST", "/custom-tags", { label: "APAC" });
    const path = `/custom-tags/${String(other.body["id"])}`;
    expect((await call("PATCH", path, { label: "EMEA" })).status).toBe(409);
    expect((await call("PATCH", path, { label: "APAC " })).status).toBe(200);
    expect((await call("POST", "/custom-tags", { label: "  " })).status).toBe(400);
    expect((await call("DELETE", path)).body["label"]).toBe("APAC");
    expect((await call("GET", path)).body["message"]).toBe("Tag not found");
  });

  test("assigning says what shall be: a repetition changes nothing, and it can be taken back", async () => {
    const { call, simulator } = await instantly();
    const { id } = (await call("POST", "/custom-tags", { label: "EMEA" })).body;
    const toggle = (more: object) =>
      call("POST", "/custom-tags/toggle-resource", { tag_ids: [id], resource_type: 1, ...more });
    const mailbox = { resource_ids: ["m@e.com"] };
    for (const _ of [1, 2]) {
      expect((await toggle({ assign: true, ...mailbox })).body).toEqual({ success: true });
    }
    expect(itemsOf(await call("GET", "/custom-tag-mappings"))).toHaveLength(1);
    expect(itemsOf(await call("GET", "/custom-tags?resource_ids=m@e.com"))).toHaveLength(1);
    expect(itemsOf(await call("GET", "/custom-tags?resource_ids=n@e.com"))).toEqual([]);
    simulator.control.seedResource({ id: "n@e.com", type: 1 });
    await toggle({ assign: true, selected_all: true });
    expect(itemsOf(await call("GET", "/custom-tag-mappings"))).toHaveLength(2);
    await toggle({ assign: false, ...mailbox });
    expect(itemsOf(await call("GET", "/custom-tag-mappings"))).toHaveLength(1);
    expect((await toggle({ assign: true })).status).toBe(400);
  });
});

describe("workspace groups", () => {
  test("an agency acts in a sub-workspace once its owner accepted, and in no other", async () => {
    const { call, simulator, as } = await instantly();
    const sub = simulator.control.addWorkspace({ name: "Client", ownerEmail: "c@e.com" });
    const asSub = { "x-as-workspace": sub.id };
    const current = async () => call("GET", "/workspaces/current", undefined, asSub);
    expect((await current()).status).toBe(403);
    const body = { sub_workspace_id: sub.id };
    const invited = await call("POST", "/workspace-group-members", body);
    expect(invited.body).toMatchObject({ status: "pending", sub_workspace_name: "Client" });
    expect((await call("POST", "/workspace-group-members", body)).body).toEqual({
      statusCode: 409,
      error: "Conflict",
      message: "The sub workspace already has an active parent or invitation",
    });
    expect((await current()).status).toBe(403);
    const id = String(invited.body["id"]);
    simulator.control.answerGroupInvite(id, "accepted");
    expect((await current()).body["name"]).toBe("Client");
    expect((await call("GET", "/workspace-group-members/admin")).body).toEqual({
      has_admin_workspace: false,
      workspace_name: "Undefined",
    });
    const { secret } = simulator.control.addKey({
      workspaceId: sub.id,
      name: "sub",
      scopes: ["all:all"],
    });
    const parent = await call("GET", "/workspace-group-members/admin", undefined, as(secret));
    expect(parent.body).toEqual({
      has_admin_workspace: true,
      workspace_name: "Sandbox Workspace",
      workspace_group_member_id: id,
    });
    await call("DELETE", `/workspace-group-members/${id}`, undefined, as(secret));
    expect((await current()).status).toBe(403);
  });
});

test("an unknown route is named", async () => {
  const { call } = await instantly();
  expect((await call("GET", "/team/invite")).body).toEqual({
    statusCode: 404,
    error: "Not Found",
    message: "Route GET:/api/v2/team/invite not found",
  });
});
