import { expect } from "vitest";
import { decideHold } from "../../src/sync/decide-hold.ts";
import { connectionId, mapping, StoryWorld, tenantId, type StoryPerson } from "./story-world.ts";

const minute = 60_000;
const rules = [
  { id: "engineers", when: { group: "Engineering" }, grant: [{ kind: "org_role", role: "user" }] },
];

/**
 * The whole way from the directory to a vendor, with `size` people whom Rolecall itself let in: each is taken out of the group by a
 * request of its own, while sync and apply go on working. No write may reach the vendor, and one hold must name them all.
 */
export async function massRemoval(size: number): Promise<void> {
  // The first load passes; what is asked here is what removals do.
  const rails = { grants: { one_cause: { floor: size } } };
  const world = await StoryWorld.open({ mapping: mapping({ rules, rails }) });
  const people: StoryPerson[] = [];
  for (let n = 0; n < size; n += 1) {
    const email = `person${String(n)}@example.com`;
    people.push(await world.hire(email));
  }
  const groupId = await world.group("Engineering", people);
  await world.settle();
  for (const person of people) world.vendor.accept(person.email);
  await world.pass(6 * minute, minute);
  const before = world.vendor.writes.length;
  expect(before).toBe(size);
  const { managedAccounts } = (await world.store.getLane(tenantId, connectionId)) ?? {};
  expect(managedAccounts).toBe(size);
  expect(world.vendor.writes.slice(before)).toEqual([]);

  for (const [n, person] of people.entries()) {
    await world.members(groupId, { op: "remove", memberIds: [person.sourceUserId] });
    // Work goes on beside the wave: the machine has seen the first ones long before the last one comes.
    if (n % 50 === 0) await world.pass(700, 700);
  }
  await world.pass(15 * minute, minute);
  expect(world.vendor.writes.slice(before)).toEqual([]);
  const holds = await world.store.listHolds(tenantId, { limit: 100 });
  expect(holds.map((hold) => [hold.state, hold.rail, hold.people])).toEqual([
    ["open", "removals", size],
  ]);

  const [hold] = holds;
  const few = people.slice(0, 10).map((person) => person.identityId);
  if (hold === undefined) throw new Error("there is no hold");
  await decideHold(world.sync, tenantId, {
    holdId: hold.holdId,
    decision: "approve",
    identityIds: few,
    why: "these ten are right",
    actor: { kind: "operator", id: "ida" },
    operators: ["ida"],
  });
  await world.pass(5 * minute, minute);
  expect(world.vendor.writes).toHaveLength(before + few.length);
}
