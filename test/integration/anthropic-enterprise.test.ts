// Goal: a Claude Enterprise organisation is looked after like any other, and what its API refuses to touch is a task.
// Method: real store, sync and apply, the simulated organisation over HTTP, a clock that the test moves.
import { afterEach, expect, test } from "vitest";
import { anthropicEnterprise, anthropicHeaders } from "../../src/connectors/anthropic/anthropic.ts";
import { startAnthropicSimulator } from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { liveStates } from "../../src/tasks/task.ts";
import { tenantId } from "../support/story-world.ts";
import { openVendorStory } from "../support/vendor-story.ts";

const minute = 60_000;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(signOut?: boolean) {
  const story = await openVendorStory({
    connector: anthropicEnterprise,
    headers: anthropicHeaders,
    start: async (clock) => {
      const simulator = await startAnthropicSimulator({
        clock,
        settings: { enterprise: true, ...(signOut === undefined ? {} : { signOut }) },
      });
      simulator.control.addGroup({ name: "Analysts" });
      simulator.control.addGroup({ name: "Owners", grantsOwner: true });
      return simulator;
    },
    rules: {
      vendor: "anthropic",
      profile: "enterprise",
      connection: { credential: "sealed:anthropic" },
      protected: { admins_min: 0 },
      rules: [
        {
          id: "data",
          when: { group: "Data" },
          grant: [{ kind: "group", name: "Analysts", role: "member" }],
        },
        {
          id: "chiefs",
          when: { group: "Chiefs" },
          grant: [{ kind: "group", name: "Owners", role: "member" }],
        },
      ],
    },
  });
  closing.push(story.close);
  const { world, vendor } = story;
  const membersOf = (name: string) =>
    vendor
      .state()
      .groups.find((group) => group.name === name)
      ?.members.map(({ userId }) => vendor.state().users.find((user) => user.id === userId)?.email);
  const join = async (group: string) => {
    const ada = await world.hire("ada@example.com");
    await story.declare({});
    await world.group(group, [ada]);
    await world.pass(2 * minute);
    vendor.control.acceptInvite(ada.email);
    await world.pass(10 * minute);
    return ada;
  };
  return { ...story, membersOf, join };
}

test("people are invited, put into their groups once they accept, and signed out before they go", async () => {
  const { world, vendor, membersOf, join } = await open();
  const ada = await join("Data");
  expect(membersOf("Analysts")).toEqual(["ada@example.com"]);
  const userId = vendor.state().users.find((user) => user.email === ada.email)?.id ?? "";
  await world.setActive(ada, false);
  await world.pass(2 * minute);
  expect(vendor.state().users.map((user) => user.email)).toEqual(["owner@example.com"]);
  expect(vendor.state().signOuts[userId]).toBe(1);
  expect(membersOf("Analysts")).toEqual([]);
});

test("a leaver goes where signing out is not offered, too", async () => {
  const { world, vendor, join } = await open(false);
  const ada = await join("Data");
  await world.setActive(ada, false);
  await world.pass(2 * minute);
  expect(vendor.state().users).toHaveLength(1);
  expect(vendor.state().signOuts).toEqual({});
});

test("a group that grants owner access is a task for people", async () => {
  const { world, membersOf, join } = await open();
  await join("Chiefs");
  expect(membersOf("Owners")).toEqual([]);
  const tasks = await world.store.listTasks(tenantId, { states: liveStates, limit: 9 });
  expect(JSON.stringify(tasks)).toContain("Organization settings > Groups");
});
