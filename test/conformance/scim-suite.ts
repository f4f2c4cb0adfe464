import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { enterprise, patchOf, person, ScimClient, type ScimReply } from "../support/scim-client.ts";

/** Where the suite runs: any deployment, by its base URL (`https://host/scim/v2`) and a token; it leaves nothing behind. */
export interface ScimTarget {
  readonly baseUrl: string;
  readonly token: string;
  readonly close?: () => Promise<void>;
}

const errorUrn = "urn:ietf:params:scim:api:messages:2.0:Error";
const listUrn = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/** What RFC 7643, RFC 7644 and the clients that we know of need of a SCIM service, over HTTP. */
export function scimSuite(name: string, open: () => Promise<ScimTarget>): void {
  describe(`SCIM on ${name}`, () => {
    let target: ScimTarget;
    let client: ScimClient;
    const made: string[] = [];
    let serial = 0;
    const run = Math.random().toString(36).slice(2, 8);

    beforeAll(async () => {
      target = await open();
      client = new ScimClient(target.baseUrl, target.token);
    });
    afterAll(async () => {
      for (const path of made) await client.delete(path);
      await target.close?.();
    });

    const unique = (stem: string) => `${stem}-${run}-${String((serial += 1))}`;
    const address = () => `${unique("ada")}@example.com`;
    const make = async (path: "/Users" | "/Groups", body: JsonObject): Promise<string> => {
      const id = await client.create(path, body);
      made.push(`${path}/${id}`);
      return id;
    };
    const membersOf = async (id: string): Promise<readonly unknown[]> => {
      const { body } = await client.get(`/Groups/${id}`);
      return ((body["members"] ?? []) as readonly JsonObject[]).map((member) => member["value"]);
    };
    const expectError = (reply: ScimReply, status: number, scimType?: string) => {
      expect(reply.body).toMatchObject({ schemas: [errorUrn], status: String(status) });
      expect(reply.status).toBe(status);
      expect(reply.body["scimType"]).toBe(scimType);
      expect(String(reply.body["detail"]).length).toBeGreaterThan(10);
      expect(reply.headers.get("content-type")).toMatch(/^application\/scim\+json/);
    };

    describe("a person", () => {
      it("is created with 201, a location, an entity tag and the whole resource, and read back the same", async () => {
        const userName = address();
        const reply = await client.post(
          "/Users",
          person(userName, { externalId: "x-1", [enterprise]: { department: "Platform" } }),
        );
        made.push(`/Users/${String(reply.body["id"])}`);
        expect(reply.status).toBe(201);
        expect(reply.headers.get("content-type")).toMatch(/^application\/scim\+json/);
        expect(reply.body).toMatchObject({
          schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
          userName,
          externalId: "x-1",
          active: true,
          [enterprise]: { department: "Platform" },
          meta: { resourceType: "User" },
        });
        const meta = reply.body["meta"] as JsonObject;
        expect(reply.headers.get("location")).toBe(meta["location"]);
        expect(reply.headers.get("etag")).toBe(meta["version"]);
        const read = await client.get(`/Users/${String(reply.body["id"])}`);
        expect(read.status).toBe(200);
        expect(read.body).toEqual(reply.body);
      });

      it("never shows a password, and does not count it as a change", async () => {
        const id = await make("/Users", person(address(), { password: "hunter22" }));
        const before = await client.get(`/Users/${id}`);
        expect(before.text).not.toContain("hunter22");
        const after = await client.patch(
          `/Users/${id}`,
          patchOf({ op: "replace", path: "password", value: "hunter23" }),
        );
        expect(after.body).toEqual(before.body);
      });

      it("cannot be made twice under one userName, in whatever case: 409 uniqueness", async () => {
        const userName = address();
        await make("/Users", person(userName));
        const again = await client.post("/Users", person(userName.toUpperCase()));
        expectError(again, 409, "uniqueness");
        expect(again.body["detail"]).toContain("userName");
      });

      it("is replaced by PUT with what GET gave, and keeps its version where nothing changes", async () => {
        const id = await make("/Users", person(address(), { nickName: "A" }));
        const before = await client.get(`/Users/${id}`);
        const same = await client.put(`/Users/${id}`, before.body);
        expect(same.status).toBe(200);
        expect(same.body).toEqual(before.body);
        const { nickName: _, ...rest } = before.body;
        const after = await client.put(`/Users/${id}`, { ...rest, title: "Lead" });
        expect(after.body["title"]).toBe("Lead");
        expect(after.body["nickName"]).toBeUndefined();
        expect(after.headers.get("etag")).not.toBe(before.headers.get("etag"));
      });

      it("stays active or inactive where PUT says nothing about it", async () => {
        const userName = address();
        const id = await make("/Users", person(userName, { active: false }));
        const { active: _, ...silent } = person(userName, { title: "Lead" });
        expect((await client.put(`/Users/${id}`, silent)).body["active"]).toBe(false);
      });

      it("is changed by PATCH with and without path, with text for booleans and capitalised operations", async () => {
        const id = await make("/Users", person(address()));
        const off = await client.patch(
          `/Users/${id}`,
          patchOf({ op: "Replace", path: "active", value: "False" }),
        );
        expect(off.status).toBe(200);
        expect(off.body["active"]).toBe(false);
        const on = await client.patch(
          `/Users/${id}`,
          patchOf({
            op: "replace",
            value: { active: true, "name.givenName": "Kai", [`${enterprise}:department`]: "Data" },
          }),
        );
        expect(on.body).toMatchObject({
          active: true,
          name: { givenName: "Kai", familyName: "Quill" },
          [enterprise]: { department: "Data" },
        });
      });

      it("takes all operations of a PATCH or none", async () => {
        const id = await make("/Users", person(address()));
        const before = await client.get(`/Users/${id}`);
        const reply = await client.patch(
          `/Users/${id}`,
          patchOf(
            { op: "replace", path: "title", value: "Lead" },
            { op: "replace", path: "titel", value: "Lead" },
          ),
        );
        expectError(reply, 400, "invalidPath");
        expect((await client.get(`/Users/${id}`)).body).toEqual(before.body);
      });

      it("loses nothing in a PATCH whose answer is asked for in part", async () => {
        const id = await make("/Users", person(address(), { title: "Lead" }));
        const reply = await client.patch(
          `/Users/${id}?attributes=userName`,
          patchOf({ op: "replace", path: "active", value: false }),
        );
        expect(Object.keys(reply.body).sort()).toEqual(["id", "schemas", "userName"]);
        const { body } = await client.get(`/Users/${id}`);
        expect(body).toMatchObject({ active: false, title: "Lead", name: { givenName: "Ada" } });
      });

      it("is gone after DELETE: 204, then 404 everywhere, and its userName is free", async () => {
        const userName = address();
        const id = await client.create("/Users", person(userName));
        expect((await client.delete(`/Users/${id}`)).status).toBe(204);
        expectError(await client.delete(`/Users/${id}`), 404);
        expectError(await client.get(`/Users/${id}`), 404);
        expectError(await client.put(`/Users/${id}`, person(userName)), 404);
        expectError(
          await client.patch(`/Users/${id}`, patchOf({ op: "replace", path: "title", value: "x" })),
          404,
        );
        const found = await client.find("/Users", `userName eq "${userName}"`);
        expect(found.body["totalResults"]).toBe(0);
        await make("/Users", person(userName));
      });

      it("shows the groups that hold it, which PUT cannot change", async () => {
        const userName = address();
        const id = await make("/Users", person(userName));
        const displayName = unique("Engineering");
        const groupId = await make("/Groups", { displayName, members: [{ value: id }] });
        const { body } = await client.get(`/Users/${id}`);
        expect(body["groups"]).toMatchObject([{ value: groupId, display: displayName }]);
        await client.put(`/Users/${id}`, { ...body, groups: [] });
        expect(await membersOf(groupId)).toEqual([id]);
        const listed = await client.find("/Users", `userName eq "${userName}"`);
        expect(listed.body["Resources"]).toMatchObject([{ groups: [{ value: groupId }] }]);
      });
    });

    describe("an entity tag", () => {
      it("answers 304 to If-None-Match and 412 to an If-Match that has passed", async () => {
        const id = await make("/Users", person(address()));
        const { headers } = await client.get(`/Users/${id}`);
        const etag = headers.get("etag") ?? "";
        const unchanged = await client.get(`/Users/${id}`, { "if-none-match": etag });
        expect(unchanged.status).toBe(304);
        const patch = patchOf({ op: "replace", path: "title", value: "Lead" });
        expect((await client.patch(`/Users/${id}`, patch, { "if-match": etag })).status).toBe(200);
        expectError(await client.delete(`/Users/${id}`, { "if-match": etag }), 412);
        expectError(await client.put(`/Users/${id}`, person("x"), { "if-match": etag }), 412);
        expect((await client.get(`/Users/${id}`, { "if-none-match": etag })).status).toBe(200);
      });

      it("guards groups too", async () => {
        const id = await make("/Groups", { displayName: unique("Data") });
        const etag = (await client.get(`/Groups/${id}`)).headers.get("etag") ?? "";
        const add = patchOf({ op: "add", path: "members", value: [{ value: "someone" }] });
        expect((await client.patch(`/Groups/${id}`, add, { "if-match": etag })).status).toBe(204);
        expectError(await client.patch(`/Groups/${id}`, add, { "if-match": etag }), 412);
        expectError(await client.delete(`/Groups/${id}`, { "if-match": etag }), 412);
        expect((await client.patch(`/Groups/${id}`, add, { "if-match": "*" })).status).toBe(204);
      });
    });

    describe("a group", () => {
      it("takes members, loses them in both forms of removal, and answers 204", async () => {
        const [one, two, three] = [
          await make("/Users", person(address())),
          await make("/Users", person(address())),
          await make("/Users", person(address())),
        ];
        const id = await make("/Groups", { displayName: unique("Engineering") });
        const change = async (...operations: JsonObject[]) => {
          const reply = await client.patch(`/Groups/${id}`, patchOf(...operations));
          expect(reply.status).toBe(204);
          expect(reply.text).toBe("");
        };
        const all = [{ value: one }, { value: two }, { value: three }];
        await change({ op: "Add", path: "members", value: all });
        await change({ op: "add", path: "members", value: [{ value: one }] });
        expect(new Set(await membersOf(id))).toEqual(new Set([one, two, three]));
        await change({ op: "Remove", path: "members", value: [{ $ref: null, value: one }] });
        await change({ op: "remove", path: `members[value eq "${two}"]` });
        await change({ op: "remove", path: `members[value eq "${two}"]` });
        expect(await membersOf(id)).toEqual([three]);
        await change({ op: "replace", path: "members", value: [] });
        expect(await membersOf(id)).toEqual([]);
      });

      it("says what a member is called only where that is asked for by name", async () => {
        const userName = address();
        const user = await make("/Users", person(userName));
        const members = [{ value: user, display: "What the client calls them" }];
        const id = await make("/Groups", { displayName: unique("Data"), members });
        expect((await client.get(`/Groups/${id}`)).text).not.toContain('"display"');
        const asked = await client.get(`/Groups/${id}?attributes=members.display,members.value`);
        expect(asked.body["members"]).toEqual([{ value: user, display: userName }]);
      });

      it("keeps members whom nobody knows, beside those who are known", async () => {
        const known = await make("/Users", person(address()));
        const id = await make("/Groups", { displayName: unique("Engineering") });
        const members = [{ value: "not-arrived-yet" }, { value: known }];
        await client.patch(
          `/Groups/${id}`,
          patchOf({ op: "add", path: "members", value: members }),
        );
        expect(new Set(await membersOf(id))).toEqual(new Set(["not-arrived-yet", known]));
      });

      it("is renamed, which a second time changes nothing, and keeps its members", async () => {
        const user = await make("/Users", person(address()));
        const id = await make("/Groups", {
          displayName: unique("Old"),
          members: [{ value: user }],
        });
        const displayName = unique("New");
        const rename = patchOf({ op: "replace", value: { id, displayName } });
        expect((await client.patch(`/Groups/${id}`, rename)).status).toBe(204);
        const renamed = await client.get(`/Groups/${id}`);
        expect(renamed.body).toMatchObject({ displayName, members: [{ value: user }] });
        expect((await client.patch(`/Groups/${id}`, rename)).status).toBe(204);
        expect((await client.get(`/Groups/${id}`)).body).toEqual(renamed.body);
      });

      it("is replaced by PUT, and empty where PUT names nobody", async () => {
        const [one, two] = [
          await make("/Users", person(address())),
          await make("/Users", person(address())),
        ];
        const displayName = unique("Engineering");
        const id = await make("/Groups", {
          displayName,
          externalId: "e",
          members: [{ value: one }],
        });
        const put = await client.put(`/Groups/${id}`, { displayName, members: [{ value: two }] });
        expect(put.status).toBe(200);
        expect(put.body).toMatchObject({ displayName, members: [{ value: two, type: "User" }] });
        expect(put.body["externalId"]).toBeUndefined();
        await client.put(`/Groups/${id}`, { displayName });
        expect(await membersOf(id)).toEqual([]);
      });

      it("cannot share its name, in whatever case: 409 uniqueness", async () => {
        const displayName = unique("Engineering");
        const id = await make("/Groups", { displayName });
        const other = await make("/Groups", { displayName: unique("Other") });
        const body = { displayName: displayName.toUpperCase() };
        expectError(await client.post("/Groups", body), 409, "uniqueness");
        expectError(
          await client.patch(`/Groups/${other}`, patchOf({ op: "replace", value: body })),
          409,
          "uniqueness",
        );
        expect((await client.delete(`/Groups/${id}`)).status).toBe(204);
        await make("/Groups", body);
      });

      it("is found by name in other case, by externalId and by member, without its members where they are excluded", async () => {
        const user = await make("/Users", person(address()));
        const displayName = unique("Engineering");
        const externalId = unique("X");
        const id = await make("/Groups", { displayName, externalId, members: [{ value: user }] });
        for (const filter of [
          `displayName eq "${displayName.toUpperCase()}"`,
          `externalId eq "${externalId}"`,
          `members eq "${user}"`,
          `members[value eq "${user}"]`,
          `id eq "${id}" and members.value eq "${user}"`,
          `meta.resourceType eq "Group" and id eq "${id}"`,
        ]) {
          const found = await client.find("/Groups", filter, "&excludedAttributes=members");
          expect(found.body, filter).toMatchObject({ totalResults: 1, Resources: [{ id }] });
          expect(found.text).not.toContain("members");
        }
        const miss = await client.find("/Groups", `externalId eq "${externalId.toLowerCase()}"`);
        expect(miss.body["totalResults"]).toBe(0);
        const whole = await client.find("/Groups", `id eq "${id}"`);
        expect(whole.body["Resources"]).toMatchObject([{ members: [{ value: user }] }]);
        const patched = await client.patch(
          `/Groups/${id}?attributes=displayName`,
          patchOf({ op: "add", path: "members", value: [{ value: "other" }] }),
        );
        expect(patched.status).toBe(200);
        expect(patched.body).toEqual({
          schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
          id,
          displayName,
        });
      });
    });

    describe("a list", () => {
      it("finds people by what identity providers match by", async () => {
        const userName = `Bo${address()}`;
        const externalId = unique("00u");
        const work = `work.${address()}`;
        const manager = await make("/Users", person(address()));
        const id = await make("/Users", {
          userName,
          externalId,
          emails: [
            { value: work, type: "work" },
            { value: `home.${work}`, type: "home" },
          ],
          active: "False",
          [enterprise]: { manager: { value: manager }, employeeNumber: "7002" },
        });
        for (const filter of [
          `userName eq "${userName.toUpperCase()}"`,
          `externalId eq "${externalId}"`,
          `emails[type eq "work"].value eq "${work.toUpperCase()}"`,
          `emails[type eq "work" and value eq "${work}"]`,
          `emails.value eq "${work}"`,
          `emails eq "${work}"`,
          `id eq ${id} and manager eq ${manager}`,
          `id eq "${id}" and active eq "False"`,
          `id eq "${id}" and not (active eq true)`,
          `id eq "${id}" and ${enterprise}:employeeNumber eq "7002"`,
          `id eq "${id}" and meta.created gt "2020-01-01T00:00:00Z"`,
          `id eq "${id}" and emails pr and not (title pr)`,
          `userName sw "Bo" and userName ew ".com" and id eq "${id}"`,
        ]) {
          const found = await client.find("/Users", filter);
          expect(found.body, filter).toMatchObject({
            schemas: [listUrn],
            totalResults: 1,
            itemsPerPage: 1,
            startIndex: 1,
            Resources: [{ id }],
          });
        }
        for (const filter of [
          `externalId eq "${externalId.toUpperCase()}"`,
          `emails[type eq "home"].value eq "${work}"`,
          `id eq "${id}" and active eq true`,
          `userName eq "${unique("nobody")}"`,
        ]) {
          const found = await client.find("/Users", filter);
          expect(found.status).toBe(200);
          expect(found.body, filter).toMatchObject({ totalResults: 0, Resources: [] });
        }
      });

      it("pages without gap or double, in one order, with exact totals and integers", async () => {
        const stem = unique("page");
        const ids = [];
        for (let index = 0; index < 7; index += 1) {
          ids.push(await make("/Users", person(`${stem}-${String(index)}@example.com`)));
        }
        const page = async (startIndex: number, count: number) =>
          (
            await client.find(
              "/Users",
              `userName sw "${stem}"`,
              `&startIndex=${String(startIndex)}&count=${String(count)}&attributes=id`,
            )
          ).body;
        const seen: unknown[] = [];
        for (let startIndex = 1; startIndex <= 7; startIndex += 3) {
          const body = await page(startIndex, 3);
          expect(body).toMatchObject({ totalResults: 7, startIndex });
          expect(body["itemsPerPage"]).toBe(startIndex === 7 ? 1 : 3);
          seen.push(...(body["Resources"] as JsonObject[]).map((item) => item["id"]));
        }
        expect(seen).toEqual([...ids].sort());
        expect(await page(8, 3)).toMatchObject({ totalResults: 7, itemsPerPage: 0, Resources: [] });
        expect(await page(1, 0)).toMatchObject({ totalResults: 7, itemsPerPage: 0, Resources: [] });
        expect(await page(-4, -4)).toMatchObject({ totalResults: 7, startIndex: 1, Resources: [] });
        expect(await page(2, 100_000)).toMatchObject({ totalResults: 7, itemsPerPage: 6 });
      });

      it("is walked by cursor, and whoever comes or goes before the place moves nothing", async () => {
        const stem = unique("cursor");
        const ids: string[] = [];
        for (let index = 0; index < 5; index += 1) {
          ids.push(await make("/Users", person(`${stem}-${String(index)}@example.com`)));
        }
        const filter = `userName sw "${stem}"`;
        const page = async (cursor: string) =>
          (await client.find("/Users", filter, `&count=2&cursor=${cursor}&attributes=id`)).body;
        const idsOf = (body: JsonObject) =>
          (body["Resources"] as JsonObject[]).map((item) => item["id"]);
        const first = await page("");
        expect(first).toMatchObject({ totalResults: 5, itemsPerPage: 2 });
        expect(first["startIndex"]).toBeUndefined();
        expect(idsOf(first)).toEqual(ids.toSorted().slice(0, 2));
        await client.delete(`/Users/${String(ids.toSorted()[0])}`);
        const second = await page(String(first["nextCursor"]));
        expect(idsOf(second)).toEqual(ids.toSorted().slice(2, 4));
        const search = await client.post("/Users/.search", {
          filter,
          count: 2,
          cursor: second["nextCursor"],
        });
        expect(idsOf(search.body)).toEqual(ids.toSorted().slice(4));
        expect(search.body["nextCursor"]).toBeUndefined();
        expectError(await client.get("/Users?cursor=nonsense"), 400, "invalidCursor");
        expectError(await client.get("/Users?cursor=&sortBy=userName"), 400, "invalidValue");
        expectError(await client.get("/?cursor="), 400, "invalidCursor");
        const groups = await client.get("/Groups?cursor=&count=0");
        expect(groups.body).toMatchObject({ schemas: [listUrn], Resources: [] });
      });

      it("sorts without regard to case, up and down", async () => {
        const stem = unique("sort");
        for (const part of ["b", "A", "c"])
          await make("/Users", person(`${stem}-${part}@example.com`));
        const names = async (order: string) =>
          (
            (await client.find("/Users", `userName sw "${stem}"`, `&sortBy=userName${order}`)).body[
              "Resources"
            ] as JsonObject[]
          ).map((item) => String(item["userName"]).slice(stem.length + 1, stem.length + 2));
        expect(await names("")).toEqual(["A", "b", "c"]);
        expect(await names("&sortOrder=descending")).toEqual(["c", "b", "A"]);
      });

      it("is the same as a search by POST, for one type and for all", async () => {
        const userName = address();
        const id = await make("/Users", person(userName));
        const displayName = unique("Search");
        const groupId = await make("/Groups", { displayName, members: [{ value: id }] });
        const search = { filter: `userName eq "${userName}"`, attributes: ["userName"] };
        const found = await client.post("/Users/.search", search);
        expect(found.status).toBe(200);
        expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id, userName }] });
        const both = await client.post("/.search", {
          filter: `id eq "${id}" or id eq "${groupId}"`,
        });
        expect(both.body).toMatchObject({
          totalResults: 2,
          itemsPerPage: 2,
          Resources: [{ id }, { id: groupId, members: [{ value: id }] }],
        });
        const second = await client.post("/.search", {
          filter: `id eq "${id}" or id eq "${groupId}"`,
          startIndex: 2,
          count: 1,
        });
        expect(second.body).toMatchObject({
          totalResults: 2,
          startIndex: 2,
          Resources: [{ id: groupId }],
        });
        const groupsOnly = await client.post("/.search", { filter: `members eq "${id}"` });
        expect(groupsOnly.body).toMatchObject({ totalResults: 1, Resources: [{ id: groupId }] });
      });

      it("refuses a filter that it cannot answer, and says why", async () => {
        for (const filter of [
          "foo",
          "userName eq",
          'nosuch eq "x"',
          'groups.value eq "x"',
          'active gt "true"',
          'emails[nosuch eq "x"]',
          'addresses eq "x"',
          'meta.created gt "yesterday"',
        ]) {
          expectError(await client.find("/Users", filter), 400, "invalidFilter");
        }
        const scans = Array.from({ length: 20 }, () => 'title co "x"').join(" or ");
        expectError(await client.find("/Users", scans), 400, "tooMany");
        expectError(await client.get("/Users?sortBy=nosuch"), 400, "invalidPath");
        expectError(await client.get("/Users?startIndex=one"), 400, "invalidValue");
      });
    });

    describe("the service", () => {
      it("describes itself truly, in list responses, and ignores parameters that it does not know", async () => {
        const config = await client.get("/ServiceProviderConfig?aadOptscim062020&x=1");
        expect(config.status).toBe(200);
        expect(config.body).toMatchObject({
          patch: { supported: true },
          bulk: { supported: false },
          etag: { supported: true },
        });
        for (const [path, one] of [
          ["/ResourceTypes", "User"],
          ["/Schemas", "urn:ietf:params:scim:schemas:core:2.0:User"],
        ] as const) {
          const list = await client.get(path);
          expect(list.body).toMatchObject({ schemas: [listUrn] });
          expect((await client.get(`${path}/${one}`)).body).toMatchObject({ id: one });
          expectError(await client.get(`${path}/nosuch`), 404);
          expectError(await client.get(`${path}?filter=id%20pr`), 403);
        }
      });

      it("says what it does not do", async () => {
        expectError(await client.get("/Me"), 501);
        expectError(await client.post("/Bulk", {}), 501);
        expectError(await client.get("/Nothing"), 404);
        expectError(await client.get("/Users/a/b"), 404);
        const reply = await client.put("/Users", {});
        expectError(reply, 405);
        expect(reply.headers.get("allow")).toBe("GET, POST, HEAD");
      });

      it("refuses everybody without a valid token: 401 with a challenge", async () => {
        for (const token of [undefined, "wrong"]) {
          const reply = await new ScimClient(target.baseUrl, token).get("/Users");
          expectError(reply, 401);
          expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer/);
        }
      });

      it("takes a token without scheme, as one header value", async () => {
        const bare = new ScimClient(target.baseUrl, undefined);
        expect((await bare.get("/Users?count=0", { authorization: target.token })).status).toBe(
          200,
        );
      });

      it("takes double and trailing slashes, a lone question mark and a trailing ampersand", async () => {
        for (const path of [
          "//Users/",
          "/Users?",
          "/Users/?count=0&",
          "/Users//?aadOptscim062020",
        ]) {
          expect((await client.get(path)).status, path).toBe(200);
        }
      });

      it("refuses bodies that are no JSON object, and stores nothing", async () => {
        const path = "/Users";
        expectError(await client.send("POST", path, '{"userName":'), 400, "invalidSyntax");
        expectError(await client.send("POST", path, "[]"), 400, "invalidSyntax");
        expectError(await client.post(path, { displayName: "x" }), 400, "invalidValue");
        expectError(
          await client.send("POST", path, "userName=x", {
            "content-type": "application/x-www-form-urlencoded",
          }),
          415,
        );
        const plain = await client.send("POST", path, person(address()), {
          "content-type": "Application/JSON;charset=UTF-8",
        });
        expect(plain.status).toBe(201);
        made.push(`/Users/${String(plain.body["id"])}`);
      });
    });
  });
}
