import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exampleCompany, personNamed } from "../../../src/sandbox/idp/company.ts";
import { EntraSimulator } from "../../../src/sandbox/idp/entra.ts";
import type { EntraOptions } from "../../../src/sandbox/idp/entra.ts";
import type { Person } from "../../../src/sandbox/idp/person.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { RecordingScim } from "../../support/recording-scim.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const patchSchemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
const company = exampleCompany();
const boss = personNamed(company, "gabriela.monteiro");
const kwame = personNamed(company, "kwame.boateng");
const zoe = personNamed(company, "zoe.papadaki");
const guid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

let server: RecordingScim;
beforeEach(async () => {
  server = await new RecordingScim().start();
});
afterEach(() => server.stop());

function options(flag = ""): EntraOptions {
  return { baseUrl: server.url + flag, token: "t", clock: fakeClock() };
}

/** A tenant with these people, who are provisioned already; `server` has forgotten the requests. */
async function provisioned(
  people: readonly Person[],
  extra: Partial<EntraOptions> = {},
): Promise<EntraSimulator> {
  const idp = new EntraSimulator({ ...options(), ...extra });
  for (const person of people) idp.addUser(person);
  await idp.runCycle();
  server.take();
  return idp;
}

/** Method, decoded target and body of what a cycle sent after its connection test. */
function pushed(): readonly (readonly [string, unknown])[] {
  return server
    .take()
    .slice(2)
    .map(({ method, target, body }) => {
      return [`${method} ${decodeURIComponent(target.replaceAll("+", " "))}`, body] as const;
    });
}

function patch(target: string, ...Operations: unknown[]) {
  return [`PATCH ${target}`, { schemas: patchSchemas, Operations }];
}

describe("the connection test", () => {
  it("asks for a user and a group that cannot exist", async () => {
    await new EntraSimulator(options()).testConnection();
    const [users, groups] = server.lines();
    expect(users).toMatch(new RegExp(`^GET /Users\\?filter=userName eq "${guid}"$`));
    expect(groups).toMatch(
      new RegExp(`^GET /Groups\\?excludedAttributes=members&filter=displayName eq "${guid}"$`),
    );
  });

  it.each([
    ["externalId", `GET /Users\\?filter=externalId eq "${guid}"`],
    ["emails", `GET /Users\\?filter=emails\\[type eq "work"\\]\\.value eq "${guid}"`],
  ] as const)("asks by %s when users are matched by it", async (matching, line) => {
    await new EntraSimulator({ ...options(), matching }).testConnection();
    expect(server.lines()[0]).toMatch(new RegExp(line));
  });

  it.each([
    ["does not find an empty list but 404", { status: 404 }],
    ["ignores the filter", { status: 200, body: { totalResults: 3, Resources: [] } }],
  ] as const)("stops the cycle when the service %s", async (_name, fault) => {
    const idp = new EntraSimulator(options());
    idp.addUser(kwame);
    server.fail(fault);
    await expect(idp.runCycle()).rejects.toMatchObject({ name: "ScimRequestError" });
    expect(server.lines().join()).not.toContain("POST");
  });
});

describe("the initial cycle", () => {
  it("matches, creates, sets managers in a second pass, then groups, then members", async () => {
    const idp = new EntraSimulator(options());
    idp.addUser(kwame);
    idp.addUser(boss);
    idp.createGroup("Sales", [kwame, boss]);
    const report = await idp.runCycle();
    expect(report).toEqual({
      created: [kwame.userName, boss.userName, "Sales"],
      updated: [kwame.userName],
      deleted: [],
      membersAdded: 2,
      membersRemoved: 0,
      failures: [],
    });
    const requests = pushed();
    expect(requests.map(([line]) => line)).toEqual([
      'GET /Users?filter=userName eq "kwame.boateng@example.com"',
      "POST /Users",
      'GET /Users?filter=userName eq "gabriela.monteiro@example.com"',
      "POST /Users",
      'GET /Users?filter=id eq "u1" and manager eq "u2"&attributes=id',
      "PATCH /Users/u1",
      'GET /Groups?excludedAttributes=members&filter=displayName eq "Sales"',
      "POST /Groups",
      "PATCH /Groups/g3",
    ]);
    expect(requests[1]?.[1]).toEqual({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
      externalId: kwame.id,
      userName: "kwame.boateng@example.com",
      active: true,
      displayName: "Kwame Boateng",
      title: "Sales Manager",
      userType: "Employee",
      emails: [{ primary: true, type: "work", value: "kwame.boateng@example.com" }],
      meta: { resourceType: "User" },
      name: { givenName: "Kwame", familyName: "Boateng" },
      roles: [],
      [enterprise]: { employeeNumber: "2002", department: "Sales" },
    });
    expect(requests[5]).toEqual(
      patch("/Users/u1", { op: "Add", path: `${enterprise}:manager`, value: "u2" }),
    );
    expect(requests[7]?.[1]).toEqual({
      schemas: [
        "urn:ietf:params:scim:schemas:core:2.0:Group",
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
      ],
      externalId: idp.groups()[0]?.id,
      displayName: "Sales",
      meta: { resourceType: "Group" },
    });
    expect(requests[8]).toEqual(
      patch("/Groups/g3", {
        op: "Add",
        path: "members",
        value: [
          { $ref: null, value: "u1" },
          { $ref: null, value: "u2" },
        ],
      }),
    );
  });

  it("updates what it matches instead of creating it", async () => {
    server.put("/Users", { id: "old", userName: zoe.userName, active: false, title: "Intern" });
    server.put("/Groups", { id: "og", displayName: "Marketing" });
    const idp = new EntraSimulator(options());
    idp.addUser(zoe);
    idp.createGroup("Marketing", []);
    await idp.runCycle();
    const requests = pushed();
    expect(requests[1]).toEqual(
      patch(
        "/Users/old",
        { op: "Add", path: "externalId", value: zoe.id },
        { op: "Add", path: "displayName", value: "Zoë Papadaki" },
        { op: "Replace", path: "title", value: "Content Lead" },
        { op: "Add", path: 'emails[type eq "work"].value', value: "zoe.papadaki@example.com" },
        { op: "Add", path: "name.givenName", value: "Zoë" },
        { op: "Add", path: "name.familyName", value: "Papadaki" },
        { op: "Add", path: "userType", value: "Employee" },
        { op: "Add", path: `${enterprise}:employeeNumber`, value: "2013" },
        { op: "Add", path: `${enterprise}:department`, value: "Marketing" },
        { op: "Replace", path: "active", value: "True" },
      ),
    );
    expect(requests[3]).toEqual(
      patch("/Groups/og", { op: "Add", path: "externalId", value: idp.groups()[0]?.id }),
    );
  });

  it("does not create people who are disabled", async () => {
    const idp = new EntraSimulator(options());
    idp.addUser(zoe);
    idp.disable(zoe);
    await idp.runCycle();
    expect(pushed()).toEqual([]);
  });

  it("leaves out who is in no group when only assigned people are in scope", async () => {
    const idp = await provisioned([], { scope: "assigned" });
    idp.addUser(zoe);
    idp.addUser(kwame);
    idp.createGroup("Marketing", [zoe]);
    expect((await idp.runCycle()).created).toEqual([zoe.userName, "Marketing"]);
    idp.removeFromGroup("Marketing", zoe);
    server.take();
    await idp.runCycle();
    expect(pushed().slice(1)).toEqual([
      patch("/Users/u1", { op: "Replace", path: "active", value: "False" }),
      patch("/Groups/g2", {
        op: "Remove",
        path: "members",
        value: [{ $ref: null, value: "u1" }],
      }),
    ]);
  });
});

describe("an incremental cycle", () => {
  it("sends nothing but the connection test when nothing changed", async () => {
    const idp = await provisioned([kwame, boss]);
    await idp.runCycle();
    expect(pushed()).toEqual([]);
  });

  it("writes one capitalised operation per changed attribute and skips erased ones", async () => {
    const idp = await provisioned([zoe]);
    idp.editUser(zoe, { familyName: "Papadaki-Seo", title: "", department: "Sales" });
    await idp.runCycle();
    expect(pushed()).toEqual([
      ["GET /Users/u1", undefined],
      patch(
        "/Users/u1",
        { op: "Replace", path: "name.familyName", value: "Papadaki-Seo" },
        { op: "Replace", path: `${enterprise}:department`, value: "Sales" },
      ),
    ]);
  });

  it("sends nothing at all when a value was only erased", async () => {
    const idp = await provisioned([zoe]);
    idp.editUser(zoe, { title: "" });
    await idp.runCycle();
    expect(pushed()).toEqual([]);
  });

  it("writes one operation with dotted keys and URNs when the URL has the flag", async () => {
    const idp = await provisioned([zoe], options("?aadOptscim062020"));
    const held = server.resources.get("/Users/u1");
    server.put("/Users", { ...held, id: "u1", title: undefined });
    idp.editUser(zoe, {
      familyName: "Papadaki-Seo",
      department: "Sales",
      title: "Head of Content",
      email: "zoe@example.com",
    });
    idp.disable(zoe);
    await idp.runCycle();
    expect(pushed()).toEqual([
      ["GET /Users/u1?aadOptscim062020", undefined],
      patch(
        "/Users/u1?aadOptscim062020",
        { op: "replace", path: 'emails[type eq "work"].value', value: "zoe@example.com" },
        { op: "add", value: { title: "Head of Content" } },
        {
          op: "replace",
          value: { "name.familyName": "Papadaki-Seo", [`${enterprise}:department`]: "Sales" },
        },
        { op: "replace", path: "active", value: false },
      ),
    ]);
  });

  it("removes members by value, or by value path when the URL has the flag", async () => {
    const removal = async (flag: string) => {
      const idp = await provisioned([zoe, kwame], options(flag));
      idp.createGroup("Marketing", [zoe, kwame]);
      await idp.runCycle();
      idp.removeFromGroup("Marketing", zoe, kwame);
      server.take();
      await idp.runCycle();
      const body = pushed()[0]?.[1];
      server.resources.clear();
      return body;
    };
    expect(await removal("")).toEqual({
      schemas: patchSchemas,
      Operations: [
        {
          op: "Remove",
          path: "members",
          value: [
            { $ref: null, value: "u1" },
            { $ref: null, value: "u2" },
          ],
        },
      ],
    });
    expect(await removal("?aadOptscim062020")).toEqual({
      schemas: patchSchemas,
      Operations: [
        { op: "remove", path: 'members[value eq "u4"]' },
        { op: "remove", path: 'members[value eq "u5"]' },
      ],
    });
  });

  it("renames a group without touching its members", async () => {
    const idp = await provisioned([zoe]);
    idp.createGroup("Marketing", [zoe]);
    await idp.runCycle();
    idp.renameGroup("Marketing", "Brand");
    server.take();
    await idp.runCycle();
    expect(pushed()).toEqual([
      ["GET /Groups/g2?excludedAttributes=members", undefined],
      patch("/Groups/g2", { op: "Replace", path: "displayName", value: "Brand" }),
    ]);
  });

  it("deletes a group before it makes another of the same name", async () => {
    const idp = await provisioned([]);
    idp.createGroup("Marketing", []);
    await idp.runCycle();
    const before = idp.groups()[0]?.id;
    idp.deleteGroup("Marketing");
    idp.createGroup("Marketing", []);
    server.take();
    await idp.runCycle();
    expect(pushed().map(([line]) => line)).toEqual([
      "DELETE /Groups/g1",
      'GET /Groups?excludedAttributes=members&filter=displayName eq "Marketing"',
      "POST /Groups",
    ]);
    expect(idp.groups()[0]?.id).not.toBe(before);
  });

  it("replaces and removes a manager, and waits for one who is not provisioned yet", async () => {
    const idp = await provisioned([kwame]);
    idp.addUser(boss);
    idp.addUser(zoe);
    idp.disable(boss);
    await idp.runCycle();
    expect(pushed().some(([, body]) => JSON.stringify(body ?? {}).includes("manager"))).toBe(false);
    idp.enable(boss);
    await idp.runCycle();
    const manager = { path: `${enterprise}:manager` };
    expect(pushed().at(-1)).toEqual(patch("/Users/u1", { op: "Add", ...manager, value: "u3" }));
    idp.editUser(kwame, { managerId: zoe.id });
    await idp.runCycle();
    expect(pushed().at(-1)).toEqual(patch("/Users/u1", { op: "Replace", ...manager, value: "u2" }));
    const stranger = personNamed(company, "noa.benami");
    idp.addUser(stranger);
    idp.disable(stranger);
    idp.editUser(kwame, { managerId: stranger.id });
    await idp.runCycle();
    expect(pushed()).toEqual([]);
    idp.editUser(kwame, { managerId: "" });
    await idp.runCycle();
    expect(pushed()).toEqual([patch("/Users/u1", { op: "Remove", ...manager })]);
  });

  it("sends no manager that the service says it has", async () => {
    const idp = await provisioned([boss]);
    idp.addUser(kwame);
    const isProbe = ({ target }: { target: string }) => target.includes("manager");
    server.fail({ status: 200, body: { totalResults: 1, Resources: [{ id: "u2" }] } }, isProbe);
    await idp.runCycle();
    await idp.runCycle();
    expect(server.take().filter(({ method }) => method === "PATCH")).toEqual([]);
  });
});

describe("the end of a user", () => {
  it("is active false, then DELETE once the bin is emptied", async () => {
    const idp = await provisioned([zoe]);
    idp.softDelete(zoe);
    await idp.runCycle();
    expect(pushed()[1]).toEqual(
      patch("/Users/u1", { op: "Replace", path: "active", value: "False" }),
    );
    idp.hardDelete(zoe);
    expect((await idp.runCycle()).deleted).toEqual([zoe.userName]);
    expect(pushed()).toEqual([["DELETE /Users/u1", undefined]]);
    expect(idp.users()).toEqual([]);
  });

  it("can be undone: active again, and memberships are not sent again", async () => {
    const idp = await provisioned([zoe]);
    idp.createGroup("Marketing", [zoe]);
    await idp.runCycle();
    idp.softDelete(zoe);
    await idp.runCycle();
    server.put("/Users", { ...server.resources.get("/Users/u1"), id: "u1", active: false });
    idp.restore(zoe);
    server.take();
    await idp.runCycle();
    expect(pushed().slice(1)).toEqual([
      patch("/Users/u1", { op: "Replace", path: "active", value: "True" }),
    ]);
    expect(() => {
      idp.restore(zoe);
    }).toThrow("not in the bin");
  });
});

describe("provisioning on demand", () => {
  it("pushes one person at once, in the default form in spite of the flag", async () => {
    const idp = await provisioned([zoe, kwame], options("?aadOptscim062020"));
    idp.editUser(zoe, { title: "Head of Content" });
    idp.editUser(kwame, { title: "Head of Sales" });
    expect((await idp.provisionOnDemand(zoe)).updated).toEqual([zoe.userName]);
    expect(pushed()[1]).toEqual(
      patch("/Users/u1?aadOptscim062020", {
        op: "Replace",
        path: "title",
        value: "Head of Content",
      }),
    );
  });
});

describe("what fails in a cycle", () => {
  const isPost = ({ method }: { method: string }) => method === "POST";

  it("does not stop the rest, and is tried again by the next cycle", async () => {
    const idp = await provisioned([]);
    idp.addUser(zoe);
    idp.addUser(kwame);
    server.fail({ status: 500, body: { detail: "disk full" } }, isPost);
    const report = await idp.runCycle();
    expect(report.failures).toEqual([
      { object: zoe.userName, detail: "POST /Users: 500 disk full" },
    ]);
    expect(report.created).toEqual([kwame.userName]);
    server.take();
    expect((await idp.runCycle()).created).toEqual([zoe.userName]);
  });

  it("is linked by the next cycle when only the answer of its create was lost", async () => {
    const idp = await provisioned([]);
    idp.addUser(zoe);
    server.fail("lose", isPost);
    expect((await idp.runCycle()).failures).toHaveLength(1);
    server.take();
    await idp.runCycle();
    expect(pushed().map(([line]) => line)).toEqual([
      'GET /Users?filter=userName eq "zoe.papadaki@example.com"',
    ]);
    expect(idp.users()[0]?.scimId).toBe("u1");
  });

  it("is made again when somebody deleted it at the service", async () => {
    const idp = await provisioned([zoe]);
    idp.createGroup("Marketing", [zoe]);
    await idp.runCycle();
    server.resources.clear();
    idp.editUser(zoe, { title: "Head of Content" });
    idp.addUser(kwame);
    idp.addToGroup("Marketing", kwame);
    expect((await idp.runCycle()).failures).toMatchObject([{ object: "Marketing" }]);
    await idp.runCycle();
    expect(idp.users().map(({ scimId }) => scimId)).toEqual(["u3", "u4"]);
    const [group] = idp.groups();
    expect(group?.scimId).toBe("g5");
    expect(group?.pushedMembers).toEqual([zoe.id, kwame.id]);
  });

  it("waits for the Retry-After of a 429", async () => {
    const clock = fakeClock();
    const idp = new EntraSimulator({ ...options(), clock });
    server.fail({ status: 429, headers: { "retry-after": "30" } });
    const done = idp.testConnection();
    await eventually(() => clock.pending === 1);
    expect(server.take()).toHaveLength(1);
    await clock.advance(30_000);
    await done;
    expect(server.take()).toHaveLength(2);
  });

  it("allows one cycle at a time", async () => {
    const idp = await provisioned([zoe]);
    const first = idp.runCycle();
    await expect(idp.runCycle()).rejects.toThrow("under way");
    await first;
    await idp.runCycle();
  });
});

describe("an Entra that is saved and started again", () => {
  it("goes on from what it had pushed, in the middle of a cycle too", async () => {
    const idp = await provisioned([zoe]);
    idp.addUser(kwame);
    idp.createGroup("Marketing", [zoe, kwame]);
    let saved = "";
    server.fail({ status: 503 }, ({ method, target }) => {
      if (method === "POST" && target === "/Groups") saved = JSON.stringify(idp);
      return saved !== "";
    });
    await idp.runCycle();
    server.take();
    const again = EntraSimulator.fromJSON(JSON.parse(saved), options());
    expect(JSON.stringify(again)).toBe(saved);
    await again.runCycle();
    expect(pushed().map(([line]) => line)).toEqual([
      'GET /Groups?excludedAttributes=members&filter=displayName eq "Marketing"',
      "POST /Groups",
      "PATCH /Groups/g3",
    ]);
  });

  it("refuses a file that is not its own", () => {
    expect(() => EntraSimulator.fromJSON({ idp: "okta" }, options())).toThrow();
  });

  it("refuses a second user, a second group of one name and people it does not know", async () => {
    const idp = await provisioned([zoe]);
    idp.createGroup("Marketing", []);
    expect(() => {
      idp.addUser(zoe);
    }).toThrow("already has the user");
    expect(() => {
      idp.createGroup("Marketing", []);
    }).toThrow("already has a group");
    expect(() => {
      idp.addToGroup("Marketing", kwame);
    }).toThrow("no user");
  });
});
