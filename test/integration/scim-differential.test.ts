// Goal: PATCH does what RFC 7644 section 3.5.2 says, whatever comes in whatever order.
// Method: random sequences through the router and its store, and through a reference model of a page; then GET is compared with it.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { enterprise, patchOf, person } from "../support/scim-client.ts";
import { type GroupModel, patchGroupModel, patchUserModel } from "../support/scim-model.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

let service: ScimService;
beforeAll(async () => {
  service = await startScimService();
});
afterAll(() => service.close());

const op = (name: string) => fc.constantFrom(name, name[0]?.toUpperCase() + name.slice(1));
const word = fc.constantFrom("Lead", "Chief", "ada", "Ada", "ß", "\u{1F600}", 'with "quotes"', "");
const kind = fc.constantFrom("work", "home", "other");
const address = fc.constantFrom("a@x.example", "A@x.example", "b@x.example", "c@y.example");
const email = fc.record({ value: address, type: kind });
const simple = fc.constantFrom(
  "title",
  "nickName",
  "displayName",
  "name.givenName",
  "name.middleName",
);
const role = fc.constantFrom("auditor", "editor", "viewer");

/** Operations whose meaning the RFC settles. */
const userOperation: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ op: fc.oneof(op("add"), op("replace")), path: simple, value: word }),
  fc.record({ op: op("remove"), path: simple }),
  fc.record({
    op: op("replace"),
    path: fc.constant("active"),
    value: fc.constantFrom(true, false, "True", "false"),
  }),
  fc.record({
    op: fc.oneof(op("add"), op("replace")),
    path: fc.constant("emails"),
    value: fc.array(email, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ op: op("remove"), path: fc.constantFrom("emails", "roles", "name") }),
  kind.map((type) => ({ op: "remove", path: `emails[type eq "${type}"]` })),
  fc
    .record({ type: kind, value: address })
    .map(({ type, value }) => ({ op: "replace", path: `emails[type eq "${type}"].value`, value })),
  fc.record({
    op: op("add"),
    path: fc.constant("roles"),
    value: fc.array(
      role.map((value) => ({ value })),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  role.map((value) => ({ op: "Remove", path: `roles[value eq "${value}"]` })),
  fc.record({
    op: op("replace"),
    value: fc.record(
      {
        title: word,
        "name.givenName": word,
        active: fc.boolean(),
        [`${enterprise}:department`]: fc.constantFrom("Platform", "Sales"),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    op: fc.oneof(op("add"), op("replace")),
    path: fc.constant("name"),
    value: fc.record({ givenName: word, familyName: word }, { requiredKeys: [] }),
  }),
  fc.constant({ op: "remove", path: `${enterprise}:department` }),
);

const member = fc.constantFrom("m1", "m2", "m3", "m4", "m5");
const members = fc.array(member, { maxLength: 3 });
const groupOperation: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({
    op: fc.oneof(op("add"), op("replace")),
    path: fc.constant("members"),
    value: members.map((ids) => ids.map((value) => ({ value, $ref: null }))),
  }),
  members
    .filter((ids) => ids.length > 0)
    .map((ids) => ({ op: "Remove", path: "members", value: ids.map((value) => ({ value })) })),
  member.map((id) => ({ op: "remove", path: `members[value eq "${id}"]` })),
  fc.constant({ op: "remove", path: "members" }),
  fc.record({
    op: op("replace"),
    path: fc.constant("externalId"),
    value: fc.constantFrom("x", "y"),
  }),
  fc.constant({ op: "remove", path: "externalId" }),
);

/** A PATCH, and whether an operation that nobody can do stands at its end. */
const patches = (operation: fc.Arbitrary<JsonObject>) =>
  fc.array(
    fc.record({
      operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
      spoiled: fc.nat(9).map((at) => at === 0),
    }),
    { minLength: 1, maxLength: 5 },
  );
const spoiler = { op: "replace", path: "titel", value: "x" };

let serial = 0;

describe("random PATCH sequences", () => {
  it("make of a person what the reference model makes", async () => {
    const { client } = service;
    await fc.assert(
      fc.asyncProperty(patches(userOperation), async (sequence) => {
        const userName = `ada${String((serial += 1))}@example.com`;
        const { schemas: _, ...start } = person(userName);
        const id = await client.create("/Users", start);
        let model: JsonObject = start;
        for (const { operations, spoiled } of sequence) {
          const sent = patchOf(...operations, ...(spoiled ? [spoiler] : []));
          const reply = await client.patch(`/Users/${id}`, sent);
          expect(reply.status, reply.text).toBe(spoiled ? 400 : 200);
          if (!spoiled) model = operations.reduce(patchUserModel, model);
          const { schemas, id: _id, meta, ...left } = (await client.get(`/Users/${id}`)).body;
          expect(left).toEqual(model);
          expect(schemas).toEqual([
            "urn:ietf:params:scim:schemas:core:2.0:User",
            ...(model[enterprise] === undefined ? [] : [enterprise]),
          ]);
          expect(meta).toMatchObject({ resourceType: "User" });
        }
      }),
      { numRuns: 60 },
    );
  });

  it("make of a group what the reference model makes", async () => {
    const { client } = service;
    await fc.assert(
      fc.asyncProperty(patches(groupOperation), async (sequence) => {
        const displayName = `Engineering ${String((serial += 1))}`;
        const id = await client.create("/Groups", { displayName });
        let model: GroupModel = { externalId: undefined, members: new Set() };
        for (const { operations, spoiled } of sequence) {
          const sent = patchOf(...operations, ...(spoiled ? [spoiler] : []));
          const reply = await client.patch(`/Groups/${id}`, sent);
          expect(reply.status, reply.text).toBe(spoiled ? 400 : 204);
          if (!spoiled) model = operations.reduce(patchGroupModel, model);
          const { body } = await client.get(`/Groups/${id}`);
          const ids = ((body["members"] ?? []) as JsonObject[]).map((one) => one["value"]);
          expect(ids.toSorted()).toEqual([...model.members].toSorted());
          expect(body).toMatchObject({ displayName });
          expect(body["externalId"]).toBe(model.externalId);
        }
      }),
      { numRuns: 60 },
    );
  });
});
