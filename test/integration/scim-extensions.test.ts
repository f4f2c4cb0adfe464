// Goal: attributes of an installation's own behave as those of the RFC; what no index answers has a bound.
// Method: the router on a store in memory with one extension; then what mapping conditions see of the person.
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Store } from "../../src/adapters/store.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { readExtensions } from "../../src/scim/extension.ts";
import { patchOf, person } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

const urn = "urn:example:badges:1.0";
const extensions = readExtensions(
  JSON.stringify([
    {
      id: urn,
      name: "Badges",
      attributes: [
        { name: "badge", caseExact: true },
        { name: "contractor", type: "boolean" },
        { name: "grade", type: "integer" },
        { name: "share", type: "decimal" },
        {
          ...{ name: "desks", type: "complex", multiValued: true },
          subAttributes: [{ name: "value" }, { name: "type" }],
        },
      ],
    },
  ]),
);

let scanAtMost = 200_000;
/** The same store, with documents read up to a bound of the test. */
const around = (store: Store): Store => ({
  ...store,
  listUsers: (tenantId, idpId, query, page) =>
    store.listUsers(tenantId, idpId, query, { ...page, scanAtMost }),
});

let service: ScimService;
beforeEach(async () => {
  scanAtMost = 200_000;
  service = await startScimService({ around, deps: { extensions } });
});
afterEach(() => service.close());

it("may be numbers: kept as such, however they are written, asked by size, and seen by conditions", async () => {
  const { client, store, tenantId } = service;
  const ids: string[] = [];
  for (const [name, grade, share] of [
    ["ada", "9", 0.5],
    ["bo", 10, "1.25"],
    ["cy", "", -2],
  ] as const) {
    const numbers = { [urn]: { grade, share } };
    const created = await client.post("/Users", person(`${name}@example.com`, numbers));
    expect([created.status, name]).toEqual([201, name]);
    ids.push(String(created.body["id"]));
  }
  const [ada = ""] = ids;
  expect((await client.get(`/Users/${ada}`)).body[urn]).toEqual({ grade: 9, share: 0.5 });
  for (const [filter, total] of [
    [`${urn}:grade gt 9`, 1],
    [`${urn}:grade ge "9"`, 2],
    [`${urn}:grade eq 10`, 1],
    [`${urn}:share lt 0`, 1],
    [`not (${urn}:grade pr)`, 1],
  ] as const) {
    expect((await client.find("/Users", filter)).body["totalResults"], filter).toBe(total);
  }
  for (const wrong of [1.5, "9,5", true, 2 ** 53, "1e3"]) {
    const answer = await client.patch(
      `/Users/${ada}`,
      patchOf({ op: "replace", path: `${urn}:grade`, value: wrong }),
    );
    expect([wrong, answer.status]).toEqual([wrong, 400]);
  }
  const sorted = await client.get(`/Users?sortBy=${encodeURIComponent(`${urn}:grade`)}`);
  expect([sorted.status, sorted.text]).toEqual([400, expect.stringContaining("is a number")]);
  const co = await client.find("/Users", `${urn}:grade co 1`);
  expect(co.status).toBe(400);
  const attributes = (await client.get(`/Schemas/${urn}`)).body["attributes"];
  expect(attributes).toContainEqual(expect.objectContaining({ name: "grade", type: "integer" }));
  const found = await store.findIdentities(tenantId, "ada@example.com");
  const [facts] = await store.readIdentities(tenantId, found);
  expect(facts?.attributes).toMatchObject({ grade: 9, share: 0.5 });
});

it("are kept, shown, changed in every form, asked for, projected and described", async () => {
  const { client } = service;
  const badge = { badge: "Blue", contractor: "True", colour: "no such attribute" };
  const created = await client.post("/Users", person("ada@example.com", { [urn]: badge }));
  expect(created.body).toMatchObject({
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", urn],
    [urn]: { badge: "Blue", contractor: true },
  });
  expect(created.text).not.toContain("colour");
  const id = String(created.body["id"]);
  const patched = await client.patch(
    `/Users/${id}`,
    patchOf(
      { op: "add", path: `${urn}:badge`, value: "Red" },
      { op: "replace", value: { [`${urn}:contractor`]: "False" } },
      { op: "add", path: `${urn}:desks[type eq "north"].value`, value: "12" },
    ),
  );
  expect(patched.body[urn]).toEqual({
    badge: "Red",
    contractor: false,
    desks: [{ type: "north", value: "12" }],
  });
  for (const [filter, total] of [
    [`${urn}:badge eq "Red"`, 1],
    [`${urn}:badge eq "red"`, 0],
    [`${urn}:contractor eq false and ${urn}:desks[value eq "12"]`, 1],
    ['badge sw "R"', 1],
  ] as const) {
    expect((await client.find("/Users", filter)).body["totalResults"], filter).toBe(total);
  }
  const only = await client.get(`/Users/${id}?attributes=${urn}:badge`);
  expect(only.body[urn]).toEqual({ badge: "Red" });
  const types = (await client.get("/ResourceTypes/User")).body;
  expect(types["schemaExtensions"]).toContainEqual({ schema: urn, required: false });
  expect((await client.get(`/Schemas/${urn}`)).body).toMatchObject({ id: urn, name: "Badges" });
  expect((await client.get("/Schemas")).body["totalResults"]).toBe(4);
  const gone = await client.patch(`/Users/${id}`, patchOf({ op: "remove", path: urn }));
  expect(gone.body["schemas"]).toEqual(["urn:ietf:params:scim:schemas:core:2.0:User"]);
});

it("are what conditions of mapping files may ask", async () => {
  const { client, store, tenantId } = service;
  await client.create("/Users", person("ada@example.com", { [urn]: { badge: "Blue" } }));
  const [identityId] = await store.findIdentities(tenantId, "ada@example.com");
  const [facts] = await store.readIdentities(
    tenantId,
    identityId === undefined ? [] : [identityId],
  );
  expect(facts?.attributes).toMatchObject({ badge: "Blue", [`${urn}:badge`]: "Blue" });
});

it("a filter or an order that no index answers is refused as tooMany above the bound", async () => {
  const { client } = service;
  for (const name of ["ada", "bo", "cai"]) {
    await client.create("/Users", person(`${name}@example.com`, { title: "Lead" }));
  }
  scanAtMost = 2;
  const asked = async (query: string): Promise<JsonObject> =>
    (await client.get(`/Users?${query}`)).body;
  const tooMany = { status: "400", scimType: "tooMany" };
  expect(await asked("filter=title%20eq%20%22Lead%22")).toMatchObject(tooMany);
  expect(await asked("sortBy=title")).toMatchObject(tooMany);
  const narrowed = encodeURIComponent('userName eq "ada@example.com" and title eq "Lead"');
  expect(await asked(`filter=${narrowed}`)).toMatchObject({ totalResults: 1 });
  expect(await asked("sortBy=userName")).toMatchObject({ totalResults: 3 });
});
