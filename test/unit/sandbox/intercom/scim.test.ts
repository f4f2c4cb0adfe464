import { describe, expect, test } from "vitest";
import { intercom } from "./intercom-fixture.ts";

const off = { Operations: [{ op: "replace", path: "active", value: false }] };

describe("SCIM provisioning", () => {
  test("has a token of its own, and may not be in the plan", async () => {
    const { scim, simulator, as } = await intercom();
    const wrong = await scim("GET", "/Users", undefined, as(simulator.apiKey));
    expect([wrong.status, wrong.body["schemas"]]).toEqual([
      401,
      ["urn:ietf:params:scim:api:messages:2.0:Error"],
    ]);
    simulator.control.changeSettings({ scim: false });
    expect((await scim("GET", "/Users")).status).toBe(403);
  });

  test("a created user is a teammate at once, found by name without regard to case, and made once", async () => {
    const { scim, call } = await intercom();
    const json = { userName: "Ada@example.com", name: { givenName: "Ada", familyName: "King" } };
    const created = await scim("POST", "/Users", json);
    expect(created.status).toBe(201);
    expect((await call("GET", "/admins")).text).toContain("Ada King");
    const found = await scim(
      "GET",
      `/Users?filter=${encodeURIComponent('userName eq "ada@EXAMPLE.com"')}`,
    );
    expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id: created.body["id"] }] });
    const again = await scim("POST", "/Users", { userName: "ada@example.com" });
    expect(again.body).toMatchObject({ status: "409", scimType: "uniqueness" });
    expect((await scim("GET", "/Users?filter=emails%20pr")).body).toMatchObject({
      scimType: "invalidFilter",
    });
  });

  test.each([
    ["a path", off],
    ["no path", { Operations: [{ op: "replace", value: { active: false } }] }],
    ["Entra's words", { Operations: [{ op: "Replace", path: "active", value: "False" }] }],
  ])(
    "deactivation with %s deletes: from teams too, and what they had goes to the heir",
    async (_name, body) => {
      const { scim, simulator, call } = await intercom();
      const { control } = simulator;
      const ada = control.seedAdmin({ email: "ada@example.com" });
      control.seedAdmin({ email: "heir@example.com" });
      control.setInheritor("heir@example.com");
      control.addTeam({ name: "Alone", emails: ["ada@example.com"] });
      const both = control.addTeam({
        name: "Both",
        emails: ["ada@example.com", "heir@example.com"],
      });
      const closed = control.seedConversation({ assignee: "ada@example.com", state: "closed" });
      const answer = await scim("PATCH", `/Users/${ada.scimId}`, body);
      expect([answer.status, answer.body["active"]]).toEqual([200, false]);
      expect((await scim("GET", `/Users/${ada.scimId}`)).status).toBe(404);
      expect((await call("GET", `/admins/${ada.id}`)).status).toBe(404);
      const { teams, conversations, admins, activity } = simulator.state();
      expect(teams.map((team) => team.id)).toEqual([both.id]);
      const heir = admins.find((each) => each.email === "heir@example.com");
      expect(conversations.find((each) => each.id === closed.id)?.adminAssigneeId).toBe(heir?.id);
      expect(activity.at(-1)?.type).toBe("admin_deprovisioned");
    },
  );

  test("a teammate on the list of those who stay is said to be done with, and stays", async () => {
    const { scim, simulator } = await intercom();
    const ada = simulator.control.seedAdmin({ email: "ada@example.com" });
    simulator.control.exclude("ada@example.com");
    expect((await scim("PATCH", `/Users/${ada.scimId}`, off)).status).toBe(200);
    expect((await scim("DELETE", `/Users/${ada.scimId}`)).status).toBe(204);
    expect((await scim("GET", `/Users/${ada.scimId}`)).status).toBe(200);
  });

  test("who comes back is somebody new, without the old role and teams", async () => {
    const { scim, simulator } = await intercom();
    simulator.control.addRole("Support Agent");
    const before = simulator.control.seedAdmin({ email: "ada@example.com", role: "Support Agent" });
    await scim("DELETE", `/Users/${before.scimId}`);
    await scim("POST", "/Users", { userName: "ada@example.com" });
    const after = simulator.state().admins.at(-1);
    expect(after).toMatchObject({ email: "ada@example.com", roleId: null });
    expect(after?.id).not.toBe(before.id);
  });

  test("beyond the paid seats people come without one", async () => {
    const { scim, simulator } = await intercom({ settings: { seats: 1 } });
    await scim("POST", "/Users", { userName: "ada@example.com" });
    expect(simulator.state().admins.at(-1)?.inboxSeat).toBe(false);
    expect(() => simulator.control.setSeat("ada@example.com", true)).toThrow("seat is taken");
  });

  test("a fault answers in the form of the interface that it strikes", async () => {
    const { scim, call, simulator } = await intercom();
    simulator.faults.add({ operation: "scim_users.list", kind: "503" });
    simulator.faults.add({ operation: "admins.list", kind: "503" });
    expect((await scim("GET", "/Users")).body).toMatchObject({ status: "503" });
    expect((await call("GET", "/admins")).body).toMatchObject({ type: "error.list" });
  });
});
