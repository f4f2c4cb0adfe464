// Goal: the token decides the tenant; nothing that a request says reaches across.
// Method: two tenants with a person and a group each; random requests with the token of one that name what is the other's.
import fc from "fast-check";
import { expect, it } from "vitest";
import { enterprise, patchOf, person, ScimClient, type ScimReply } from "../support/scim-client.ts";
import { startScimService } from "../support/scim-service.ts";

it("random requests with one tenant's token neither see nor change what is another's", async () => {
  const service = await startScimService();
  const mine = service.client;
  const theirs = new ScimClient(service.baseUrl, service.otherToken);
  try {
    const secret = "theirs.alone@example.com";
    const theirUser = await theirs.create("/Users", person(secret, { externalId: "their-ext" }));
    const theirGroup = await theirs.create("/Groups", {
      displayName: "Theirs alone",
      externalId: "their-group-ext",
      members: [{ value: theirUser }],
    });
    const myUser = await mine.create("/Users", person("mine@example.com"));
    const myGroup = await mine.create("/Groups", { displayName: "Mine" });
    const state = async () => [
      (await theirs.get("/Users")).text,
      (await theirs.get("/Groups")).text,
    ];
    const before = await state();

    const id = fc.constantFrom(theirUser, theirGroup);
    const name = fc.constantFrom(
      `id eq "${theirUser}"`,
      `userName eq "${secret}"`,
      `userName co "theirs"`,
      `externalId sw "their"`,
      `emails.value eq "${secret}"`,
      `emails[type eq "work"].value eq "${secret}"`,
      `not (userName eq "mine@example.com")`,
      `displayName eq "Theirs alone"`,
      `members eq "${theirUser}"`,
      `id eq "${theirGroup}" or displayName eq "Theirs alone"`,
    );
    const type = fc.constantFrom("/Users", "/Groups");
    const query = fc.constantFrom(
      "",
      "?attributes=id,userName,displayName,members",
      "?tenant=globex",
    );
    const headers = fc.constantFrom<Record<string, string>>(
      {},
      { "if-match": "*" },
      { "if-none-match": "*" },
      { "x-tenant": "globex", host: "globex.example.com" },
      { "x-forwarded-host": "globex.example.com" },
    );
    const put = person(secret, { title: "Taken over" });
    const replies: fc.Arbitrary<() => Promise<ScimReply>> = fc.oneof(
      fc.tuple(fc.constantFrom("GET", "DELETE"), type, id, query, headers).map(
        ([method, path, which, more, sent]) =>
          () =>
            mine.send(method, `${path}/${which}${more}`, undefined, sent),
      ),
      fc.tuple(id, headers).map(
        ([which, sent]) =>
          () =>
            mine.put(`/Users/${which}`, put, sent),
      ),
      fc.tuple(id, headers).map(
        ([which, sent]) =>
          () =>
            mine.put(`/Groups/${which}`, { displayName: "Taken over", members: [] }, sent),
      ),
      fc.tuple(type, id, headers).map(
        ([path, which, sent]) =>
          () =>
            mine.patch(
              `${path}/${which}`,
              patchOf({ op: "replace", value: { displayName: "Taken over" } }),
              sent,
            ),
      ),
      fc.tuple(id, fc.constantFrom("add", "remove", "replace")).map(
        ([which, op]) =>
          () =>
            mine.patch(
              `/Groups/${which}`,
              patchOf({ op, path: "members", value: [{ value: myUser }] }),
            ),
      ),
      fc.tuple(type, name).map(
        ([path, filter]) =>
          () =>
            mine.find(path, filter),
      ),
      fc.tuple(name).map(
        ([filter]) =>
          () =>
            mine.post("/.search", { filter }),
      ),
    );
    const answered = await fc.assert(
      fc.asyncProperty(replies, async (send) => {
        const reply = await send();
        if (reply.status === 200) {
          // A list, and not one that has anything of theirs in it.
          expect(reply.body).toHaveProperty("totalResults");
          expect(reply.text).not.toContain(theirUser);
          expect(reply.text).not.toContain(theirGroup);
          expect(reply.text).not.toContain(secret);
        } else {
          expect([304, 400, 404]).toContain(reply.status);
          expect(reply.text).not.toContain(secret);
          expect(reply.status).not.toBe(304);
        }
      }),
      { numRuns: 150 },
    );
    expect(answered).toBeUndefined();
    expect(await state()).toEqual(before);

    // An id of theirs may be written down as any other that is unknown, and stays one: no name, no type, no group of theirs.
    const add = patchOf({ op: "add", path: "members", value: [{ value: theirUser }] });
    expect((await mine.patch(`/Groups/${myGroup}`, add)).status).toBe(204);
    const manager = patchOf({ op: "add", path: `${enterprise}:manager`, value: theirUser });
    expect((await mine.patch(`/Users/${myUser}`, manager)).status).toBe(200);
    expect(
      (await mine.get(`/Groups/${myGroup}?attributes=members.value,members.display,members.type`))
        .body["members"],
    ).toEqual([{ value: theirUser }]);
    expect(await state()).toEqual(before);
    // The same names are free here: uniqueness ends at the tenant.
    expect((await mine.post("/Users", person(secret))).status).toBe(201);
    expect((await mine.post("/Groups", { displayName: "Theirs alone" })).status).toBe(201);
    expect(await state()).toEqual(before);
  } finally {
    await service.close();
  }
});
