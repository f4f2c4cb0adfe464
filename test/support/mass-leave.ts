import { expect } from "vitest";
import { mapping, StoryWorld, tenantId, type StoryPerson } from "./story-world.ts";

const minute = 60_000;
const rules = [
  { id: "engineers", when: { group: "Engineering" }, grant: [{ kind: "org_role", role: "user" }] },
];

/**
 * Everybody of a company is sent inactive, one request each, while sync and apply go on working: the cap may go, everybody else is in
 * one hold, and each has a case whose clock runs.
 */
export async function massLeave(size: number): Promise<void> {
  const rails = { grants: { one_cause: { floor: size } } };
  const world = await StoryWorld.open({ mapping: mapping({ rules, rails }) });
  const people: StoryPerson[] = [];
  for (let n = 0; n < size; n += 1) people.push(await world.hire(`person${String(n)}@example.com`));
  await world.group("Engineering", people);
  await world.settle();
  for (const person of people) world.vendor.accept(person.email);
  await world.pass(6 * minute, minute);
  const before = world.vendor.writes.length;
  const cap = Math.max(10, Math.floor(0.01 * size));

  for (const [n, person] of people.entries()) {
    await world.setActive(person, false);
    if (n % 50 === 0) await world.settle();
  }
  await world.pass(11 * minute, minute);
  const removed = world.vendor.writes.slice(before);
  expect(removed.every((write) => write.startsWith("remove "))).toBe(true);
  expect(removed.length).toBeLessThanOrEqual(cap);
  expect(removed.length).toBeGreaterThan(0);
  const holds = await world.store.listHolds(tenantId, { limit: 100 });
  expect(holds.map((hold) => [hold.state, hold.rail, hold.people])).toEqual([
    ["open", "leavers", size - removed.length],
  ]);
  const open = await world.store.countCases();
  expect(open).toEqual([{ tenantId, state: "open", count: size }]);
  const overdue = await world.store.listFindings(tenantId, { open: true, limit: 10_000 });
  const near = overdue.filter((finding) => finding.kind === "deadline_near");
  expect(near).toHaveLength(size - removed.length);
}
