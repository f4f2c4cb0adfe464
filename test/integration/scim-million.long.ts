// Goal: SCIM for a million people and a group of 200,000: what an index answers stays quick, what none answers is refused, memory is bounded.
// Method: the router over a store on disk that is filled by store commands; then the requests of identity providers.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import {
  asId,
  newId,
  type GroupId,
  type IdentityId,
  type SourceUserId,
} from "../../src/model/ids.ts";
import { systemClock } from "../../src/model/clock.ts";
import { patchOf, person } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";
import { noAlso } from "../support/store.ts";

const people = Number(process.env["ROLECALL_LONG_PEOPLE"] ?? "1000000");
const inGroup = Math.min(people, 200_000);
const userIdOf = (at: number) =>
  asId<SourceUserId>(`0190000a-0000-7000-8000-${at.toString(16).padStart(12, "0")}`);
const groupId = asId<GroupId>("0190000d-0000-7000-8000-000000000001");
/** Far above what an index needs on a busy machine, far below a scan of a million. */
const quickMs = 2_000;

describe(`a company of ${people.toLocaleString("en-GB")} people`, () => {
  let service: ScimService;
  const clock = systemClock();

  beforeAll(async () => {
    service = await startScimService({ file: true });
    const { store, tenantId, idpId } = service;
    let next = 0;
    await Promise.all(
      Array.from({ length: 512 }, async () => {
        while (next < people) {
          const at = next++;
          const userName = `p${String(at)}@example.com`;
          const { schemas: _, ...resource } = person(userName, { title: "Lead" });
          const user = {
            ...{ userName, externalId: `x${String(at)}`, displayName: `P ${String(at)}` },
            ...{ active: at % 10 !== 0, emails: [userName], resource },
          };
          await store.createUser(
            tenantId,
            {
              ...{ idpId, user, sourceUserId: userIdOf(at) },
              ...{ identityId: newId<IdentityId>(clock), now: clock.now() },
            },
            noAlso,
          );
        }
      }),
    );
    await store.createGroup(
      tenantId,
      {
        ...{ idpId, groupId, displayName: "Everybody", externalId: undefined },
        memberIds: Array.from({ length: inGroup }, (_, at) => userIdOf(at)),
        ...{ memberCause: { kind: "scim.group" }, now: clock.now() },
      },
      noAlso,
    );
  }, 6 * 3_600_000);
  afterAll(() => service.close(), 600_000);

  const timed = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
    const startedAt = performance.now();
    return [await work(), performance.now() - startedAt];
  };

  it("is asked by what has an index, wherever the person stands", async () => {
    const { client } = service;
    const last = String(people - 1);
    for (const filter of [
      `userName eq "P${last}@EXAMPLE.com"`,
      `externalId eq "x${last}"`,
      `emails[type eq "work"].value eq "p${last}@example.com"`,
      `id eq "${userIdOf(people - 1)}" and active eq ${String((people - 1) % 10 !== 0)}`,
    ]) {
      const [found, ms] = await timed(() => client.find("/Users", filter));
      expect(found.body["totalResults"], filter).toBe(1);
      expect(ms, filter).toBeLessThan(quickMs);
    }
    const [groups, ms] = await timed(() =>
      client.find("/Groups", `members eq "${userIdOf(1)}"`, "&excludedAttributes=members"),
    );
    expect(groups.body["totalResults"]).toBe(1);
    expect(ms).toBeLessThan(quickMs);
  });

  it("is refused what would read every document", async () => {
    const found = await service.client.find("/Users", 'title eq "Lead"');
    if (people > 200_000) expect(found.body).toMatchObject({ status: "400", scimType: "tooMany" });
    else expect(found.body["totalResults"]).toBe(people);
  });

  it("is walked to its end by cursor, each once", async () => {
    const { client } = service;
    let [cursor, seen, before] = ["", 0, ""];
    for (;;) {
      const { body } = await client.get(`/Users?cursor=${cursor}&count=1000&attributes=id`);
      const ids = (body["Resources"] as JsonObject[]).map((one) => String(one["id"]));
      for (const id of ids) {
        expect(id > before).toBe(true);
        before = id;
      }
      seen += ids.length;
      if (body["nextCursor"] === undefined) break;
      cursor = String(body["nextCursor"]);
    }
    expect(seen).toBe(people);
  });

  it("takes one member more into its largest group, and a whole list with one changed as two rows", async () => {
    const { client, records } = service;
    const add = patchOf({ op: "add", path: "members", value: [{ value: "one-more" }] });
    const [patched, ms] = await timed(() => client.patch(`/Groups/${groupId}`, add));
    expect(patched.status).toBe(204);
    expect(ms).toBeLessThan(quickMs);
    const members = Array.from({ length: inGroup }, (_, at) => ({ value: userIdOf(at) }));
    const put = await client.put(`/Groups/${groupId}`, { displayName: "Everybody", members });
    expect(put.status).toBe(200);
    expect((await records())[0]?.facts).toMatchObject({ added: [], removed: ["one-more"] });
  });

  it("keeps memory bounded while its largest group is read whole", async () => {
    const { baseUrl, token } = service;
    const before = process.memoryUsage.rss();
    const response = await fetch(`${baseUrl}/Groups/${groupId}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    let [bytes, largest] = [0, 0];
    for await (const piece of response.body ?? []) {
      bytes += (piece as Uint8Array).length;
      largest = Math.max(largest, process.memoryUsage.rss() - before);
    }
    expect(bytes).toBeGreaterThan(inGroup * 40);
    expect(largest / 1_048_576).toBeLessThan(96);
  });
});
