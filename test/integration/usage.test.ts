// Goal: what is used at a vendor is held against its budgets, and what is not so any more is over.
// Method: real store, the directory's story world, files as people bring them.
import { afterEach, expect, test } from "vitest";
import { auditUsage, readWebhook } from "../../src/governance/audit-usage.ts";
import { InputError } from "../../src/model/errors.ts";
import type { Actor } from "../../src/model/records.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const actor: Actor = { kind: "operator", id: "ann" };
const closing: StoryWorld[] = [];
afterEach(async () => {
  for (const world of closing.splice(0)) await world.store.close();
});

async function open() {
  const owner = "ops@example.com";
  const world = await StoryWorld.open({
    mapping: mapping({
      budgets: [
        { scope: "table", name: "Leads", limit: 1_000, owner },
        { scope: "webhook", name: "inbound", owner },
      ],
    }),
  });
  closing.push(world);
  const lane = await world.store.getLane(tenantId, connectionId);
  if (lane === undefined) throw new Error("the mapping made no lane");
  const deps = { store: world.store, clock: world.clock };
  const texts = async () =>
    (await world.store.listFindings(tenantId, { open: true, limit: 10 }))
      .filter((item) => item.kind === "usage")
      .map((item) => `${item.severity} ${String(item.facts["kind"])}`)
      .toSorted();
  const usage = (text: string) => auditUsage(deps, tenantId, { lane, actor, text });
  const reading = (name: string, count: number) =>
    readWebhook(deps, tenantId, { lane, actor, name, count });
  return { world, texts, usage, reading };
}

test("an export is held against the budgets; what is within them again is no finding any more", async () => {
  const { texts, usage, world } = await open();
  await usage("Table,Owner,Credits\nLeads,ops@example.com,950\nStray,ops@example.com,3");
  expect(await texts()).toEqual(["warning near_cap", "warning no_cap"]);
  await usage("Table,Owner,Credits\nLeads,ops@example.com,10");
  expect(await texts()).toEqual([]);
  const records = await world.store.findRecords(tenantId, { action: "usage.audited", limit: 5 });
  expect(records).toHaveLength(2);
});

test("a file that was cut changes nothing", async () => {
  const { texts, usage } = await open();
  await usage("Table,Owner,Credits\nLeads,ops@example.com,1500");
  await expect(usage("Table,Owner,Credits\nLeads,ops@exam")).rejects.toThrow(InputError);
  expect(await texts()).toEqual(["urgent over_cap", "urgent over_total"]);
});

test("a webhook source is warned of at 80 and 90 in the hundred of its 50,000, and one without a cap is said", async () => {
  const { texts, reading } = await open();
  const said = [];
  for (const count of [39_999, 40_000, 45_000, 50_000]) {
    await reading("inbound", count);
    said.push((await texts()).join());
  }
  expect(said).toEqual(["", "info near_cap", "warning near_cap", "urgent over_cap"]);
  await reading("other", 1);
  expect(await texts()).toEqual(["urgent over_cap", "warning no_cap"]);
});
