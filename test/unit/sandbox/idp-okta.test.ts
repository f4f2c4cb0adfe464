import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exampleCompany, personNamed } from "../../../src/sandbox/idp/company.ts";
import { OktaSimulator } from "../../../src/sandbox/idp/okta.ts";
import type { OktaOptions } from "../../../src/sandbox/idp/okta.ts";
import type { Person } from "../../../src/sandbox/idp/person.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { RecordingScim } from "../../support/recording-scim.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const patchSchemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
const company = exampleCompany();
const boss = personNamed(company, "ingrid.solheim");
const tendai = personNamed(company, "tendai.moyo");
const ngozi = personNamed(company, "ngozi.eze");

let server: RecordingScim;
beforeEach(async () => {
  server = await new RecordingScim().start();
});
afterEach(() => server.stop());

function options(): Omit<OktaOptions, "app"> {
  return { baseUrl: server.url, token: "t", clock: fakeClock() };
}

function okta(app: "catalogue" | "wizard" = "catalogue"): OktaSimulator {
  return new OktaSimulator({ ...options(), app });
}

/** Method, decoded target and body of what came since the last look. */
function sent(): readonly (readonly [string, unknown])[] {
  return server
    .take()
    .map(({ method, target, body }) => [`${method} ${decodeURIComponent(target)}`, body] as const);
}

async function assigned(idp: OktaSimulator, ...people: readonly Person[]): Promise<void> {
  for (const person of people) await idp.assign(person);
  server.take();
}

describe("an assignment in Okta", () => {
  it("looks the user name up and creates the person with a password and no groups", async () => {
    const idp = okta();
    await assigned(idp, boss);
    await idp.assign(tendai);
    const [lookup, create] = server.take();
    expect(lookup?.headers["user-agent"]).toBe("Okta SCIM Client 1.0.0");
    expect(lookup?.headers["accept-charset"]).toBe("utf-8");
    expect(lookup?.target).toBe(
      "/Users?filter=userName%20eq%20%22tendai.moyo%40example.com%22&startIndex=1&count=100",
    );
    expect([create?.method, create?.target]).toEqual(["POST", "/Users"]);
    expect(create?.body).toEqual({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
      externalId: tendai.id,
      locale: "en-US",
      groups: [],
      password: expect.stringMatching(/^[\w-]{20}$/),
      active: true,
      userName: "tendai.moyo@example.com",
      name: { givenName: "Tendai", familyName: "Moyo" },
      displayName: "Tendai Moyo",
      emails: [{ primary: true, value: "tendai.moyo@example.com", type: "work" }],
      title: "Engineering Manager",
      userType: "Employee",
      [enterprise]: {
        employeeNumber: "1002",
        department: "Engineering",
        manager: { value: "ingrid.solheim@example.com", displayName: "Ingrid Solheim" },
      },
    });
  });

  it("links a person who is there, reactivates them and puts the profile", async () => {
    const there = { id: "old", userName: ngozi.userName, active: false, nickName: "N" };
    server.put("/Users", there);
    await okta().assign(ngozi);
    const [, activate, read, put] = sent();
    expect(activate).toEqual([
      "PATCH /Users/old",
      { schemas: patchSchemas, Operations: [{ op: "replace", value: { active: true } }] },
    ]);
    expect(read?.[0]).toBe("GET /Users/old");
    expect(put?.[0]).toBe("PUT /Users/old");
    expect(put?.[1]).toMatchObject({ id: "old", nickName: "N", displayName: "Ngozi Eze" });
  });

  it("is pushed with PUT alone by a wizard's app", async () => {
    server.put("/Users", { id: "old", userName: ngozi.userName, active: false });
    await okta("wizard").assign(ngozi);
    const [, read, put] = sent();
    expect(read?.[0]).toBe("GET /Users/old");
    expect(put?.[1]).toMatchObject({ active: true, title: "Senior Software Engineer" });
  });
});

describe("a profile change in Okta", () => {
  it("puts back what it got, with the changed attributes replaced and erased ones empty", async () => {
    const idp = okta();
    await assigned(idp, ngozi);
    const held = {
      ...server.resources.get("/Users/u1"),
      id: "u1",
      meta: { version: "7" },
      x: null,
    };
    server.put("/Users", held);
    await idp.updateProfile(ngozi, { department: "Data", email: "ngozi@example.com", title: "" });
    const requests = sent();
    expect(requests).toEqual([
      ["GET /Users/u1", undefined],
      [
        "PUT /Users/u1",
        {
          ...held,
          title: "",
          emails: [{ primary: true, value: "ngozi@example.com", type: "work" }],
          [enterprise]: { employeeNumber: "1008", department: "Data", manager: expect.anything() },
        },
      ],
    ]);
  });

  it("sends nothing when nothing changed, nor for someone who is not assigned", async () => {
    const idp = okta();
    await assigned(idp, ngozi);
    await idp.updateProfile(ngozi, { title: ngozi.title });
    await idp.unassign(ngozi);
    server.take();
    await idp.updateProfile(ngozi, { title: "Gardener" });
    expect(sent()).toEqual([]);
  });
});

describe("the end of an assignment", () => {
  it("patches active without a path in a catalogue app", async () => {
    const idp = okta();
    await assigned(idp, ngozi);
    await idp.unassign(ngozi);
    expect(sent()).toEqual([
      [
        "PATCH /Users/u1",
        { schemas: patchSchemas, Operations: [{ op: "replace", value: { active: false } }] },
      ],
    ]);
  });

  it("reads and puts in a wizard's app", async () => {
    const idp = okta("wizard");
    await assigned(idp, ngozi);
    await idp.unassign(ngozi);
    const [read, put] = sent();
    expect(read?.[0]).toBe("GET /Users/u1");
    expect(put?.[1]).toMatchObject({ id: "u1", userName: ngozi.userName, active: false });
  });
});

describe("group push of a catalogue app", () => {
  const member = (id: string, person: Person) => ({ value: id, display: person.userName });
  const rename = (name: string) => [
    "PATCH /Groups/g3",
    {
      schemas: patchSchemas,
      Operations: [{ op: "replace", value: { id: "g3", displayName: name } }],
    },
  ];
  const patch = (...Operations: unknown[]) => [
    "PATCH /Groups/g3",
    { schemas: patchSchemas, Operations },
  ];
  let idp: OktaSimulator;

  beforeEach(async () => {
    idp = okta();
    await assigned(idp, tendai, ngozi);
  });

  it("looks the name up, creates an empty group and adds provisioned members", async () => {
    await idp.pushGroup("Engineering", [tendai, boss]);
    expect(sent()).toEqual([
      ['GET /Groups?filter=displayName eq "Engineering"&startIndex=1&count=100', undefined],
      [
        "POST /Groups",
        {
          schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
          displayName: "Engineering",
          members: [],
        },
      ],
      patch({ op: "add", path: "members", value: [member("u1", tendai)] }),
    ]);
  });

  it("sends the name again with each change of members, and removes by value path", async () => {
    await idp.pushGroup("Engineering", [tendai]);
    server.take();
    await idp.addToGroup("Engineering", ngozi, tendai);
    expect(sent()).toEqual([
      rename("Engineering"),
      patch({ op: "add", path: "members", value: [member("u2", ngozi)] }),
    ]);
    await idp.removeFromGroup("Engineering", tendai);
    expect(sent()).toEqual([
      rename("Engineering"),
      patch({ op: "remove", path: 'members[value eq "u1"]' }),
    ]);
    await idp.removeFromGroup("Engineering", tendai);
    expect(sent()).toEqual([]);
  });

  it("renames with the id inside the value", async () => {
    await idp.pushGroup("Engineering", []);
    server.take();
    await idp.renameGroup("Engineering", "Product Engineering");
    expect(sent()).toEqual([rename("Product Engineering")]);
  });

  it("replaces all members at Push Now, with an empty list for an empty group", async () => {
    await idp.pushGroup("Engineering", [tendai, ngozi]);
    server.take();
    await idp.pushNow("Engineering");
    const value = [member("u1", tendai), member("u2", ngozi)];
    expect(sent()).toEqual([
      ["GET /Groups/g3", undefined],
      rename("Engineering"),
      patch({ op: "replace", path: "members", value }),
    ]);
    await idp.removeFromGroup("Engineering", tendai, ngozi);
    server.take();
    await idp.pushNow("Engineering");
    expect(sent()[2]).toEqual(patch({ op: "replace", path: "members", value: [] }));
  });

  it("deletes at the service only when told so", async () => {
    await idp.pushGroup("Engineering", []);
    await idp.pushGroup("Kept", []);
    server.take();
    await idp.deleteGroup("Engineering");
    await idp.deleteGroup("Kept", { inTarget: false });
    expect(sent()).toEqual([["DELETE /Groups/g3", undefined]]);
  });

  it("gives a group that is made again a new identity", async () => {
    await idp.pushGroup("Engineering", []);
    const before = idp.groups()[0]?.id;
    await idp.deleteGroup("Engineering");
    await idp.pushGroup("Engineering", []);
    expect(idp.groups()).toHaveLength(1);
    expect(idp.groups()[0]?.id).not.toBe(before);
  });

  it("keeps two groups of one name and unknown groups apart from the service", async () => {
    await idp.pushGroup("Engineering", []);
    await idp.pushGroup("Data", []);
    server.take();
    await expect(idp.pushGroup("Data", [])).rejects.toThrow("already has");
    await expect(idp.renameGroup("Data", "Engineering")).rejects.toThrow("already has");
    await expect(idp.pushNow("Nobody")).rejects.toThrow("no group");
    expect(sent()).toEqual([]);
  });
});

describe("group push of a wizard's app", () => {
  it("puts the whole member list every time", async () => {
    const idp = okta("wizard");
    await assigned(idp, tendai, ngozi);
    const group = (...members: string[]) => ({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName: "Engineering",
      members: members.map((id) => ({
        value: id,
        display: id === "u1" ? tendai.userName : ngozi.userName,
      })),
    });
    await idp.pushGroup("Engineering", [tendai]);
    await idp.addToGroup("Engineering", ngozi);
    await idp.removeFromGroup("Engineering", tendai, ngozi);
    expect(sent().slice(1)).toEqual([
      ["POST /Groups", group("u1")],
      ["PUT /Groups/g3", { ...group("u1", "u2"), id: "g3" }],
      ["PUT /Groups/g3", { ...group(), id: "g3" }],
    ]);
  });
});

describe("reading the service", () => {
  it("imports all users in pages of 100", async () => {
    for (let i = 0; i < 205; i += 1) server.put("/Users", { id: `p${String(i)}` });
    const users = await okta().importUsers();
    expect(new Set(users.map(({ id }) => id)).size).toBe(205);
    expect(server.lines()).toEqual([
      "GET /Users?startIndex=1&count=100",
      "GET /Users?startIndex=101&count=100",
      "GET /Users?startIndex=201&count=100",
    ]);
  });

  it("tests the connection with a short list", async () => {
    await okta().testConnection();
    expect(server.lines()).toEqual(["GET /Users?startIndex=1&count=2"]);
    server.fail({ status: 401, body: { detail: "wrong token" } });
    await expect(okta().testConnection()).rejects.toThrow("401 wrong token");
  });
});

describe("a failed task", () => {
  it("waits for the administrator's retry and then pushes the values of now", async () => {
    const idp = okta();
    await assigned(idp, ngozi);
    server.fail({ status: 500, body: { detail: "disk full" } });
    await expect(idp.updateProfile(ngozi, { title: "Principal" })).rejects.toThrow("disk full");
    expect(server.take()).toHaveLength(1);
    const [task] = idp.failedTasks();
    expect(task).toMatchObject({ action: { kind: "update", fields: ["title"] } });
    expect(task?.failure).toContain("500 disk full");

    await idp.updateProfile(ngozi, { title: "Fellow" });
    server.take();
    await idp.retryAll();
    expect(sent()[1]?.[1]).toMatchObject({ title: "Fellow" });
    expect(idp.failedTasks()).toEqual([]);
    await expect(idp.retry(task?.id ?? 0)).rejects.toThrow("No failed task");
  });

  it("links on retry what a lost answer had created", async () => {
    const idp = okta();
    server.fail("lose", ({ method }) => method === "POST");
    await expect(idp.assign(ngozi)).rejects.toMatchObject({ status: undefined });
    await idp.retryAll();
    expect(idp.people()[0]?.scimId).toBe("u1");
    expect(server.resources.size).toBe(1);
  });

  it("does not undo on retry what was changed meanwhile", async () => {
    const idp = okta();
    await assigned(idp, tendai, ngozi);
    await idp.pushGroup("Engineering", []);
    server.fail({ status: 503 });
    await expect(idp.addToGroup("Engineering", tendai)).rejects.toMatchObject({ status: 503 });
    await idp.removeFromGroup("Engineering", tendai);
    server.take();
    await idp.retryAll();
    expect(sent().map(([, body]) => JSON.stringify(body))).toEqual([
      expect.not.stringContaining("members"),
    ]);
  });
});

describe("an Okta that is saved and started again", () => {
  it("knows its people, groups and their ids", async () => {
    const idp = okta();
    await assigned(idp, tendai, ngozi);
    await idp.pushGroup("Engineering", [tendai]);
    const saved = JSON.stringify(idp);
    server.take();
    const again = OktaSimulator.fromJSON(JSON.parse(saved), options());
    await again.addToGroup("Engineering", ngozi);
    expect(server.lines()).toEqual(["PATCH /Groups/g3", "PATCH /Groups/g3"]);
    await again.unassign(tendai);
    expect(server.lines()).toEqual(["PATCH /Users/u1"]);
    expect(JSON.stringify(OktaSimulator.fromJSON(JSON.parse(saved), options()))).toBe(saved);
  });

  it("offers what was under way for a retry, which does not create twice", async () => {
    const idp = okta();
    let saved = "";
    server.fail("lose", ({ method }) => {
      if (method === "POST") saved = JSON.stringify(idp);
      return method === "POST";
    });
    await expect(idp.assign(ngozi)).rejects.toThrow();
    const again = OktaSimulator.fromJSON(JSON.parse(saved), options());
    expect(again.failedTasks()).toMatchObject([{ action: { kind: "assign" } }]);
    await again.retryAll();
    expect(server.resources.size).toBe(1);
    expect(again.people()[0]?.scimId).toBe("u1");
  });

  it("refuses a file that is not its own", () => {
    expect(() => OktaSimulator.fromJSON({ idp: "entra" }, options())).toThrow();
  });
});
