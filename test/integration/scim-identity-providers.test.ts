import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/model/clock.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { exampleCompany } from "../../src/sandbox/idp/company.ts";
import { EntraSimulator } from "../../src/sandbox/idp/entra.ts";
import { OktaSimulator } from "../../src/sandbox/idp/okta.ts";
import type { Person } from "../../src/sandbox/idp/person.ts";
import { fixture } from "../support/fixture.ts";
import { enterprise } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

let service: ScimService;
beforeEach(async () => {
  service = await startScimService();
});
afterEach(() => service.close());

/** Live people by userName and groups by name with their members' userNames, as an importer reads them. */
async function directory(): Promise<{
  readonly people: Readonly<Record<string, JsonObject>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}> {
  const list = async (path: string) =>
    (await service.client.get(`${path}?count=1000`)).body["Resources"] as JsonObject[];
  const people = await list("/Users");
  const names = new Map(people.map((user) => [user["id"], String(user["userName"])]));
  return {
    people: Object.fromEntries(people.map((user) => [String(user["userName"]), user])),
    groups: Object.fromEntries(
      (await list("/Groups")).map((group) => [
        String(group["displayName"]),
        (group["members"] as JsonObject[])
          .map((member) => names.get(member["value"]) ?? `unknown ${String(member["value"])}`)
          .toSorted(),
      ]),
    ),
  };
}

const namesOf = (people: readonly Person[]) => people.map((one) => one.userName).toSorted();

describe.each(["catalogue", "wizard"] as const)("Okta with a %s app", (app) => {
  it("provisions, updates, disables, links again, pushes groups and imports everybody back", async () => {
    const company = exampleCompany().okta;
    const okta = new OktaSimulator({
      baseUrl: service.baseUrl,
      token: service.token,
      clock: systemClock(),
      app,
    });
    await okta.testConnection();
    for (const one of company.people) await okta.assign(one);
    for (const group of company.groups) await okta.pushGroup(group.name, group.members);
    let seen = await directory();
    expect(Object.keys(seen.people).toSorted()).toEqual(namesOf(company.people));
    for (const group of company.groups) {
      expect(seen.groups[group.name]).toEqual(namesOf(group.members));
    }

    const [first, second, third] = company.people as [Person, Person, Person];
    await okta.updateProfile(first, { title: "Chief of Everything", displayName: "" });
    await okta.unassign(second);
    await okta.removeFromGroup("Engineering", first);
    await okta.addToGroup("Data", second, third);
    await okta.renameGroup("Engineering", "Engineering EMEA");
    await okta.pushNow("Data");
    seen = await directory();
    expect(seen.people[first.userName]).toMatchObject({ title: "Chief of Everything" });
    expect(seen.people[second.userName]).toMatchObject({ active: false });
    expect(seen.groups["Engineering"]).toBeUndefined();
    expect(seen.groups["Engineering EMEA"]).not.toContain(first.userName);
    expect(seen.groups["Data"]).toContain(third.userName);

    await okta.assign(second);
    await okta.deleteGroup("Security");
    seen = await directory();
    expect(seen.people[second.userName]).toMatchObject({ active: true });
    expect(seen.groups["Security"]).toBeUndefined();
    expect(await okta.importUsers()).toHaveLength(company.people.length);
    expect(await okta.importGroups()).toHaveLength(company.groups.length - 1);
    expect(okta.failedTasks()).toEqual([]);
  });
});

describe.each([
  ["default", ""],
  ["aadOptscim062020", "/?aadOptscim062020"],
])("Entra in its %s form", (_form, flag) => {
  it.each(["userName", "externalId", "emails"] as const)(
    "matches by %s, runs cycles, and a cycle after which nothing changed sends no change",
    async (matching) => {
      const company = exampleCompany().entra;
      const entra = new EntraSimulator({
        baseUrl: `${service.baseUrl}${flag}`,
        token: service.token,
        clock: systemClock(),
        matching,
      });
      await entra.testConnection();
      for (const one of company.people) entra.addUser(one);
      for (const group of company.groups) entra.createGroup(group.name, group.members);
      const first = await entra.runCycle();
      expect(first.failures).toEqual([]);
      let seen = await directory();
      expect(Object.keys(seen.people).toSorted()).toEqual(namesOf(company.people));
      for (const group of company.groups) {
        expect(seen.groups[group.name]).toEqual(namesOf(group.members));
      }
      const managed = company.people.find((one) => one.managerId !== "") as Person;
      expect(seen.people[managed.userName]?.[enterprise]).toMatchObject({
        manager: { value: expect.any(String) },
      });

      const known = (await service.records()).length;
      expect((await entra.runCycle()).failures).toEqual([]);
      expect((await service.records()).length).toBe(known);

      const [ada, bo, cai, dee] = company.people as [Person, Person, Person, Person];
      entra.editUser(ada, { title: "Chief", email: "ada.new@example.com" });
      entra.disable(bo);
      entra.softDelete(cai);
      entra.hardDelete(dee);
      entra.renameGroup("Sales", "Sales EMEA");
      entra.removeFromGroup("Sales-Leads", bo);
      entra.deleteGroup("Finance");
      expect((await entra.runCycle()).failures).toEqual([]);
      seen = await directory();
      expect(seen.people[ada.userName]).toMatchObject({
        title: "Chief",
        emails: [{ value: "ada.new@example.com", type: "work" }],
      });
      expect(seen.people[bo.userName]).toMatchObject({ active: false });
      expect(seen.people[cai.userName]).toMatchObject({ active: false });
      expect(seen.people[dee.userName]).toBeUndefined();
      expect(seen.groups["Sales-Leads"]).not.toContain(bo.userName);
      expect(seen.groups["Sales EMEA"]).toContain(cai.userName);
      expect(seen.groups["Finance"]).toBeUndefined();

      entra.enable(bo);
      entra.restore(cai);
      expect((await entra.runCycle()).failures).toEqual([]);
      seen = await directory();
      expect(seen.people[bo.userName]).toMatchObject({ active: true });
      expect(seen.people[cai.userName]).toMatchObject({ active: true });
      expect(seen.groups["Sales EMEA"]).toContain(cai.userName);
    },
  );
});

describe("recorded requests", () => {
  /** The ids of a fixture are those of another service: ours take their place. */
  const withIds = (name: string, ids: Readonly<Record<string, string>>): unknown =>
    JSON.parse(
      Object.entries(ids).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        JSON.stringify(fixture(name)),
      ),
    );
  const one = "0199aa00-0000-7000-8000-000000000001";
  const two = "0199aa00-0000-7000-8000-000000000002";
  const group = "0199aa00-0000-7000-8000-0000000000aa";

  it("of Okta: create, replace, deactivate; group, members, push now, rename", async () => {
    const { client } = service;
    const created = await client.post("/Users", fixture("okta/create-user"));
    expect(created.status).toBe(201);
    expect(created.text).not.toContain("password");
    const ada = String(created.body["id"]);
    const bo = await client.create("/Users", { userName: "bo@example.com" });
    const ids = { [one]: ada, [two]: bo };
    const put = await client.put(`/Users/${ada}`, withIds("okta/put-user", ids));
    expect(put.body).toMatchObject({ id: ada, displayName: "Ada Quill-Moss" });
    const off = await client.patch(`/Users/${ada}`, fixture("okta/deactivate-user"));
    expect(off.body["active"]).toBe(false);
    const groupId = await client.create("/Groups", fixture("okta/create-group"));
    const members = async () =>
      ((await client.get(`/Groups/${groupId}`)).body["members"] as JsonObject[]).map(
        (member) => member["value"],
      );
    const patch = async (name: string) => {
      const body = withIds(name, { ...ids, [group]: groupId });
      expect((await client.patch(`/Groups/${groupId}`, body)).status, name).toBe(204);
    };
    await patch("okta/change-members");
    expect(await members()).toContain(ada);
    expect(await members()).not.toContain(bo);
    await patch("okta/push-now");
    expect(await members()).toEqual([ada]);
    await patch("okta/rename-group");
    expect((await client.find("/Groups", 'displayName eq "engineering emea"')).body).toMatchObject({
      totalResults: 1,
    });
    await patch("okta/push-now-empty");
    expect(await members()).toEqual([]);
  });

  it("of Entra: create, patch in both forms, manager, role; group, members in both forms, rename", async () => {
    const { client } = service;
    const created = await client.post("/Users", fixture("entra/create-user"));
    expect(created.body).toMatchObject({ active: true });
    const cai = String(created.body["id"]);
    const patch = async (name: string) => {
      const reply = await client.patch(`/Users/${cai}`, fixture(name));
      expect(reply.status, name).toBe(200);
      return reply.body;
    };
    expect(await patch("entra/patch-attributes")).toMatchObject({ displayName: "Cai Ibsen-Roe" });
    expect(await patch("entra/patch-without-path")).toMatchObject({
      displayName: "Cai Roe",
      name: { givenName: "Kai" },
    });
    for (const name of ["entra/set-manager", "entra/set-manager-older"]) {
      expect((await patch(name))[enterprise]).toMatchObject({
        manager: { value: expect.any(String) },
      });
      const cleared = name.endsWith("older") ? "entra/clear-manager" : "entra/remove-manager";
      expect(JSON.stringify(await patch(cleared))).not.toContain('"manager"');
    }
    expect((await patch("entra/set-role"))["roles"]).toContainEqual({
      value: "auditor",
      display: "Auditor",
    });
    const groupId = await client.create("/Groups", fixture("entra/create-group"));
    for (const removal of ["entra/remove-members", "entra/remove-members-by-path"]) {
      for (const name of ["entra/add-members", removal]) {
        const body = withIds(name, { [one]: cai });
        expect((await client.patch(`/Groups/${groupId}`, body)).status, name).toBe(204);
      }
      const { body } = await client.get(`/Groups/${groupId}`);
      expect(body["members"]).toEqual([{ value: two }]);
    }
    const rename = fixture("entra/rename-group");
    expect((await client.patch(`/Groups/${groupId}`, rename)).status).toBe(204);
    expect((await client.get(`/Groups/${groupId}`)).body).toMatchObject({
      displayName: "Finance North",
      externalId: "dec0de00-1111-4222-8333-444455557777",
    });
  });
});
