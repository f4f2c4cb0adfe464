// Scenarios of the way in, and of the record; the table in README.md says where each scenario is tested.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TreeState } from "../../../src/audit/audit-store.ts";
import { checkpointText } from "../../../src/audit/checkpoint.ts";
import type { AuditSource, ExportedRecord } from "../../../src/audit/export.ts";
import { leafBytes, leafHash } from "../../../src/audit/leaf.ts";
import { appendLeaves, emptyTree, rootOf } from "../../../src/audit/tree.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { asId, type TenantId } from "../../../src/model/ids.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { newRecord } from "../../../src/model/records.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { patchOf, person } from "../../support/scim-client.ts";
import { startScimService, type ScimService } from "../../support/scim-service.ts";

describe("scenario", () => {
  let service: ScimService;
  beforeEach(async () => {
    // On disk: lists are read by a thread of its own there.
    service = await startScimService({ file: true });
  }, 60_000);
  afterEach(() => service.close(), 60_000);

  const membersOf = async (groupId: string) =>
    ((await service.client.get(`/Groups/${groupId}`)).body["members"] as JsonObject[] | undefined)
      ?.map((member) => String(member["value"]))
      .toSorted() ?? [];

  test("2 value-list member remove: each named member goes, in either form, and nobody else", async () => {
    const { client } = service;
    const users: string[] = [];
    for (const name of ["a", "b", "c", "d"])
      users.push(await client.create("/Users", person(`${name}@example.com`)));
    const members = users.map((value) => ({ value }));
    const id = await client.create("/Groups", { displayName: "Engineering", members });
    const [a = "", b = "", c = "", d = ""] = users;
    const list = { op: "remove", path: "members", value: [{ value: a }, { value: b }] };
    await client.patch(`/Groups/${id}`, patchOf(list));
    expect(await membersOf(id)).toEqual([c, d].toSorted());
    await client.patch(
      `/Groups/${id}`,
      patchOf({ op: "Remove", path: `members[value eq "${c}"]` }),
    );
    expect(await membersOf(id)).toEqual([d]);
  });

  test("3 read from a lagging replica: what was written is what the next read, list and search show", async () => {
    const { client } = service;
    const id = await client.create("/Groups", { displayName: "Engineering" });
    for (let at = 0; at < 20; at++) {
      const userName = `p${String(at)}@example.com`;
      const user = await client.create("/Users", person(userName));
      await client.patch(
        `/Groups/${id}`,
        patchOf({ op: "add", path: "members", value: [{ value: user }] }),
      );
      expect(await membersOf(id)).toHaveLength(at + 1);
      expect((await client.find("/Users", `userName eq "${userName}"`)).body["totalResults"]).toBe(
        1,
      );
      expect((await client.get("/Users?count=0")).body["totalResults"]).toBe(at + 1);
    }
  });

  test("5 case-variant POST: one person, whatever the case of the name", async () => {
    const { client } = service;
    await client.create("/Users", person("Ada@Example.com"));
    const again = await client.post("/Users", person("aDA@exAMPLE.COM"));
    expect(again.status).toBe(409);
    expect((await client.get("/Users?count=0")).body["totalResults"]).toBe(1);
  });

  test("6 409 without scimType: ours says uniqueness, for people and groups", async () => {
    const { client } = service;
    await client.create("/Users", person("ada@example.com"));
    await client.create("/Groups", { displayName: "Engineering" });
    const replies = [
      await client.post("/Users", person("ada@example.com")),
      await client.post("/Groups", { displayName: "engineering" }),
    ];
    expect(replies.map(({ status, body }) => [status, body["scimType"]])).toEqual([
      [409, "uniqueness"],
      [409, "uniqueness"],
    ]);
  });

  test("29 audit tail cut; row edited; chain rebuilt with a stolen database: the check finds each", async () => {
    const clock = fakeClock();
    const tenantId = asId<TenantId>("acme");
    const records: ExportedRecord[] = [0, 1, 2, 3, 4].map((leafIndex) => {
      const record = newRecord(clock, {
        actor: { kind: "operator", id: "ida" },
        action: "hold.approved",
        subject: { type: "hold", id: `h${String(leafIndex)}` },
        facts: { why: "looked at" },
      });
      return { leafIndex, record, commitments: {}, leafHash: leafHash(leafBytes(record, {})) };
    });
    const treeOf = (items: readonly ExportedRecord[]): TreeState =>
      appendLeaves(
        emptyTree,
        items.map((item) => leafHash(leafBytes(item.record, item.commitments))),
      );
    const checkpoint = {
      origin: `rolecall/store/${tenantId}`,
      size: 4,
      root: rootOf(treeOf(records.slice(0, 4))),
    };
    const verify = async (items: readonly ExportedRecord[], tree: TreeState) => {
      const source: AuditSource = {
        tenantId,
        tree,
        async *records() {
          yield* items;
        },
      };
      return (
        await verifyAudit(
          source,
          (async function* () {
            yield { ...checkpoint, text: checkpointText(checkpoint), signatures: [] };
          })(),
        )
      ).problems.join("; ");
    };
    const honest = treeOf(records);
    expect(await verify(records, honest)).toBe("");
    const edited = records.map((item) =>
      item.leafIndex === 2
        ? { ...item, record: { ...item.record, facts: { why: "never mind" } } }
        : item,
    );
    expect(await verify(edited, honest)).toContain("its content is not what was recorded");
    // Whoever has the database makes everything in it agree; the checkpoint outside does not.
    const rebuilt = edited.map((item) => ({
      ...item,
      leafHash: leafHash(leafBytes(item.record, item.commitments)),
    }));
    expect(await verify(rebuilt, treeOf(rebuilt))).toContain("checkpoint");
    const cut = records.slice(0, 3);
    expect(await verify(cut, treeOf(cut))).toContain("the tail was cut");
  });
});
