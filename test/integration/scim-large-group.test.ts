import { request } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { patchOf } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";
import { openFileStore } from "../support/store.ts";

const size = 100_000;
const memberId = (index: number) => `0199aa00-0000-7000-8000-${String(index).padStart(12, "0")}`;

/** Has the database itself count each row of memberships that is written from now on, whoever writes it. */
function countMembershipWrites(folder: string): () => number {
  const database = new DatabaseSync(join(folder, "rolecall.db"), { timeout: 10_000 });
  database.exec(
    "CREATE TABLE counted (writes INTEGER NOT NULL) STRICT; INSERT INTO counted VALUES (0)",
  );
  for (const event of ["INSERT", "UPDATE", "DELETE"])
    database.exec(
      `CREATE TRIGGER counts_${event} AFTER ${event} ON memberships BEGIN UPDATE counted SET writes = writes + 1; END`,
    );
  database.close();
  return () => {
    const reader = new DatabaseSync(join(folder, "rolecall.db"), { readOnly: true });
    const { writes } = reader.prepare("SELECT writes FROM counted").get() as { writes: number };
    reader.close();
    return writes;
  };
}

describe("a group of 100,000 members", () => {
  let service: ScimService;
  let id: string;
  let folder = "";
  beforeAll(async () => {
    service = await startScimService({
      open: async (clock) => {
        const opened = await openFileStore(clock);
        folder = opened.folder;
        return opened;
      },
    });
    id = await service.client.create("/Groups", {
      displayName: "Everybody",
      members: Array.from({ length: size }, (_, index) => ({ value: memberId(index) })),
    });
  }, 120_000);
  afterAll(() => service.close());

  it("is read whole, in pieces, while memory stays bounded", async () => {
    const { port, token } = service;
    let [bytes, pieces, largest, tail] = [0, 0, 0, ""];
    let members = 0;
    const before = process.memoryUsage.rss();
    await new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      request({ port, path: `/scim/v2/Groups/${id}`, headers }, (response) => {
        expect(response.statusCode).toBe(200);
        expect(response.headers["content-length"]).toBeUndefined();
        response.setEncoding("latin1");
        response.on("data", (piece: string) => {
          bytes += piece.length;
          pieces += 1;
          largest = Math.max(largest, process.memoryUsage.rss() - before);
          // Counted on the way: the answer is never held whole here either.
          const text = tail + piece;
          members += text.split('"value":"').length - 1;
          tail = text.slice(-8);
        });
        response.on("end", resolve);
        response.on("error", reject);
      }).end();
    });
    expect(members).toBe(size);
    expect(bytes).toBeGreaterThan(size * 40);
    expect(pieces).toBeGreaterThan(50);
    expect(largest).toBeLessThan(96 * 1_048_576);
  });

  it("is valid JSON as a resource and in a list, with every member once", async () => {
    const { client } = service;
    const one = (await client.get(`/Groups/${id}?attributes=members.value`)).body;
    const values = (one["members"] as JsonObject[]).map((member) => member["value"]);
    expect(new Set(values).size).toBe(size);
    expect(values).toHaveLength(size);
    const list = (await client.get("/Groups")).body;
    expect(list).toMatchObject({ totalResults: 1, itemsPerPage: 1 });
    expect(((list["Resources"] as JsonObject[])[0]?.["members"] as unknown[]).length).toBe(size);
    const both = (await client.post("/.search", { filter: `id eq "${id}"` })).body;
    expect(((both["Resources"] as JsonObject[])[0]?.["members"] as unknown[]).length).toBe(size);
  });

  it("is looked up without loading members, and changed by one without reading them", async () => {
    const { client } = service;
    const lean = await client.get(`/Groups/${id}?excludedAttributes=members`);
    expect(lean.text.length).toBeLessThan(1_000);
    const add = patchOf({ op: "add", path: "members", value: [{ value: "one-more" }] });
    const reply = await client.patch(`/Groups/${id}`, add);
    expect(reply.status).toBe(204);
    const found = await client.find(
      "/Groups",
      'members eq "one-more"',
      "&excludedAttributes=members",
    );
    expect(found.body["totalResults"]).toBe(1);
    const remove = patchOf({ op: "Remove", path: "members", value: [{ value: "one-more" }] });
    expect((await client.patch(`/Groups/${id}`, remove)).status).toBe(204);
  });

  it("is replaced by PUT with a difference of two, and the answer leaves the members out", async () => {
    const { client, records } = service;
    const members = Array.from({ length: size }, (_, index) => ({ value: memberId(index + 1) }));
    const reply = await client.put(`/Groups/${id}`, { displayName: "Everybody", members });
    expect(reply.status).toBe(200);
    expect(reply.text.length).toBeLessThan(1_000);
    expect((await records())[0]?.facts).toMatchObject({
      added: [memberId(size)],
      removed: [memberId(0)],
    });
  });

  it("writes as many membership rows as members changed by PUT: one for one, none for none", async () => {
    const { client } = service;
    const written = countMembershipWrites(folder);
    const put = async (last: number) => {
      const members = Array.from({ length: last }, (_, index) => ({ value: memberId(index + 1) }));
      const reply = await client.put(`/Groups/${id}`, { displayName: "Everybody", members });
      expect(reply.status).toBe(200);
      return written();
    };
    expect(await put(size - 1)).toBe(1);
    expect(await put(size - 1)).toBe(1);
    expect(await put(size)).toBe(2);
  });
});
