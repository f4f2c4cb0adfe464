import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/adapters/store.ts";
import { StoreError } from "../../src/model/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { patchOf, person } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

function atTheSameTime(name: string, start: () => Promise<ScimService>): void {
  describe(`requests at the same time: ${name}`, () => {
    let service: ScimService;
    beforeEach(async () => {
      service = await start();
    }, 120_000);
    afterEach(() => service.close(), 120_000);

    const statuses = (replies: readonly { readonly status: number }[]) =>
      replies.map((reply) => reply.status).toSorted((a, b) => a - b);

    it("1 two concurrent single-member PATCHes to one group, and twenty: none is lost, and ten go again", async () => {
      const { client } = service;
      const users = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          client.create("/Users", person(`person${String(index)}@example.com`)),
        ),
      );
      const id = await client.create("/Groups", { displayName: "Engineering" });
      const each = (ids: readonly string[], operation: (id: string) => JsonObject) =>
        Promise.all(ids.map((user) => client.patch(`/Groups/${id}`, patchOf(operation(user)))));
      const added = await each(users, (user) => ({
        op: "add",
        path: "members",
        value: [{ value: user }],
      }));
      expect(new Set(statuses(added))).toEqual(new Set([204]));
      const members = async () =>
        ((await client.get(`/Groups/${id}`)).body["members"] as JsonObject[]).map(
          (member) => member["value"],
        );
      expect(new Set(await members())).toEqual(new Set(users));
      const removed = await each(users.slice(0, 10), (user) => ({
        op: "remove",
        path: `members[value eq "${user}"]`,
      }));
      expect(new Set(statuses(removed))).toEqual(new Set([204]));
      expect(new Set(await members())).toEqual(new Set(users.slice(10)));
    });

    it("create one userName exactly once out of 50", async () => {
      const { client } = service;
      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          client.post("/Users", person(index % 2 === 0 ? "ada@example.com" : "ADA@example.com")),
        ),
      );
      expect(statuses(replies)).toEqual([201, ...Array.from({ length: 49 }, () => 409)]);
      expect((await client.get("/Users")).body["totalResults"]).toBe(1);
    });

    it("patch one person 30 times, and every change stays", async () => {
      const { client } = service;
      const id = await client.create("/Users", person("ada@example.com"));
      const roles = Array.from({ length: 30 }, (_, index) => `role-${String(index)}`);
      const replies = await Promise.all(
        roles.map((value) =>
          client.patch(`/Users/${id}`, patchOf({ op: "add", path: "roles", value: [{ value }] })),
        ),
      );
      expect(new Set(statuses(replies))).toEqual(new Set([200]));
      const { body } = await client.get(`/Users/${id}`);
      const kept = (body["roles"] as JsonObject[]).map((role) => role["value"]);
      expect(new Set(kept)).toEqual(new Set(roles));
    });

    it("put and patch one person: the end is one of the two orders, never a mixture that nobody sent", async () => {
      const { client } = service;
      for (let round = 0; round < 10; round += 1) {
        const userName = `ada${String(round)}@example.com`;
        const id = await client.create("/Users", person(userName));
        const [put, patched] = await Promise.all([
          client.put(`/Users/${id}`, person(userName, { title: "Put" })),
          client.patch(
            `/Users/${id}`,
            patchOf({ op: "replace", value: { nickName: "Patched", active: false } }),
          ),
        ]);
        expect([put.status, patched.status]).toEqual([200, 200]);
        const { title, nickName, active } = (await client.get(`/Users/${id}`)).body;
        // Patched last: both; put last: the whole body of the PUT.
        expect([
          ["Put", "Patched", false],
          ["Put", undefined, true],
        ]).toContainEqual([title, nickName, active]);
      }
    });

    it("put and patch one group: the end is one of the two orders", async () => {
      const { client } = service;
      const [old, put, added] = await Promise.all(
        ["old", "put", "added"].map((name) =>
          client.create("/Users", person(`${name}@example.com`)),
        ),
      );
      for (let round = 0; round < 5; round += 1) {
        const displayName = `Engineering ${String(round)}`;
        const id = await client.create("/Groups", { displayName, members: [{ value: old }] });
        const replies = await Promise.all([
          client.put(`/Groups/${id}`, { displayName, members: [{ value: put }] }),
          client.patch(
            `/Groups/${id}`,
            patchOf({ op: "add", path: "members", value: [{ value: added }] }),
          ),
        ]);
        expect(replies.map((reply) => reply.status)).toEqual([200, 204]);
        const { members } = (await client.get(`/Groups/${id}`)).body;
        const ids = (members as JsonObject[]).map((member) => member["value"]).toSorted();
        expect([[put], [added, put].toSorted()]).toContainEqual(ids);
      }
    });

    it("delete a person while a group takes them in: gone for good, and no group shows them as somebody", async () => {
      const { client } = service;
      const id = await client.create("/Groups", { displayName: "Engineering" });
      for (let round = 0; round < 5; round += 1) {
        const user = await client.create("/Users", person(`leaver${String(round)}@example.com`));
        const add = patchOf({ op: "add", path: "members", value: [{ value: user }] });
        const [deleted, patched] = await Promise.all([
          client.delete(`/Users/${user}`),
          client.patch(`/Groups/${id}`, add),
        ]);
        expect([deleted.status, patched.status]).toEqual([204, 204]);
        expect((await client.get(`/Users/${user}`)).status).toBe(404);
        const members = ((await client.get(`/Groups/${id}`)).body["members"] ?? []) as JsonObject[];
        const seen = members.find((member) => member["value"] === user);
        // Added last: an id that nobody is known by, as any other that has not arrived.
        expect([undefined, { value: user }]).toContainEqual(seen);
      }
    });

    it("delete a group while it takes somebody in: 404 or 204 for the one who came with a member, and no group is left", async () => {
      const { client } = service;
      const user = await client.create("/Users", person("ada@example.com"));
      for (let round = 0; round < 5; round += 1) {
        const id = await client.create("/Groups", { displayName: "Engineering" });
        const add = patchOf({ op: "add", path: "members", value: [{ value: user }] });
        const [deleted, patched] = await Promise.all([
          client.delete(`/Groups/${id}`),
          client.patch(`/Groups/${id}`, add),
        ]);
        expect(deleted.status).toBe(204);
        expect([204, 404]).toContain(patched.status);
        expect((await client.get(`/Groups/${id}`)).status).toBe(404);
        expect((await client.get(`/Users/${user}`)).body["groups"]).toBeUndefined();
      }
    });

    it("give one of two writers with the same If-Match the word", async () => {
      const { client } = service;
      const id = await client.create("/Users", person("ada@example.com"));
      const etag = (await client.get(`/Users/${id}`)).headers.get("etag") ?? "";
      const replies = await Promise.all(
        ["one", "two"].map((value) =>
          client.patch(`/Users/${id}`, patchOf({ op: "replace", path: "title", value }), {
            "if-match": etag,
          }),
        ),
      );
      expect(statuses(replies)).toEqual([200, 412]);
    });
  });
}

atTheSameTime("SQLite", () => startScimService({ file: true }));
describeReal("on PostgreSQL", await sharedPostgres(), (server) => {
  atTheSameTime("PostgreSQL", () => startScimService({ open: (clock) => server.openStore(clock) }));
});

describe("another process that changes the same person", () => {
  const conflicting = (times: number) => {
    let left = times;
    return (store: Store): Store =>
      new Proxy(store, {
        get: (target, name) =>
          name === "replaceUser"
            ? async (...args: Parameters<Store["replaceUser"]>) => {
                left -= 1;
                if (left >= 0) throw new StoreError("VERSION_CONFLICT", "moved");
                return target.replaceUser(...args);
              }
            : (Reflect.get(target, name) as unknown),
      });
  };
  const title = patchOf({ op: "replace", path: "title", value: "Lead" });

  it("makes us read again and repeat, up to five tries", async () => {
    const service = await startScimService({ around: conflicting(4) });
    const id = await service.client.create("/Users", person("ada@example.com"));
    expect((await service.client.patch(`/Users/${id}`, title)).body["title"]).toBe("Lead");
    await service.close();
  });

  it("again and again makes us ask the client to come later, which identity providers do after a 429", async () => {
    const service = await startScimService({ around: conflicting(5) });
    const id = await service.client.create("/Users", person("ada@example.com"));
    const reply = await service.client.patch(`/Users/${id}`, title);
    expect(reply.status).toBe(429);
    expect(reply.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await service.client.get(`/Users/${id}`)).body["title"]).toBeUndefined();
    await service.close();
  });
});
