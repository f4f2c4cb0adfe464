// Goal: what only people can do about a leaver is a task of somebody who is still here, and ends by proof.
// Method: as leaver-stories.test.ts, with the keeper of tasks run by hand.
import { describe, expect, test } from "vitest";
import { keepDutyTasks } from "../../src/offboarding/duty-tasks.ts";
import { finishTask } from "../../src/tasks/decide-task.ts";
import { OfficeVendor } from "../support/office-vendor.ts";
import { mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const desk = { kind: "operator" as const, id: "ida" };

async function leaving() {
  const vendor = new OfficeVendor();
  const heirs = { people: ["gone@example.com", "heir@example.com"] };
  const world = await StoryWorld.open({ mapping: mapping({ heirs }), vendor });
  const ada = await world.hire("ada@example.com");
  await world.hire("heir@example.com");
  const gone = await world.hire("gone@example.com");
  await world.setActive(gone, false);
  await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.settle();
  vendor.accept(ada.email);
  await world.pass(6 * minute, minute);
  const accountId = vendor.of(ada.email)?.account.accountId;
  if (accountId === undefined) throw new Error("ada has no account");
  vendor.addKey("production", accountId);
  vendor.desk.set("c1", { owner: accountId });
  await world.setActive(ada, false);
  await world.settle();
  const keep = () =>
    keepDutyTasks({
      ...world.offboarding,
      tasks: world.tasks,
      tenants: () => Promise.resolve([tenantId]),
    });
  const tasks = async () =>
    (await world.store.listTasks(tenantId, { keyPrefix: "case:", limit: 20 })).toSorted((a, b) =>
      a.title < b.title ? -1 : 1,
    );
  const duties = async () =>
    (await world.store.listObligations(tenantId, { identityId: ada.identityId, limit: 50 })).map(
      (item) => `${item.kind} ${item.state}`,
    );
  return { world, vendor, ada, keep, tasks, duties };
}

describe("a duty that only people can do", () => {
  test("is one task with the case's deadline, given to the first heir who is still here", async () => {
    const { world, keep, tasks } = await leaving();
    expect(await keep()).toBe(2);
    await keep();
    const found = await tasks();
    expect(found.map((task) => [task.title, task.state, task.assignee, task.proof])).toEqual([
      ["vendor: hand over what a leaver had: conversation", "open", "heir@example.com", "word"],
      ["vendor: rotate the key production", "open", "heir@example.com", "read-back"],
    ]);
    const [duty] = await world.store.listOwedByPeople(1);
    expect(found.map((task) => task.dueAt)).toEqual([
      duty?.obligation.deadline,
      duty?.obligation.deadline,
    ]);
  });

  test("ends by the word of who handed work over, and by the vendor where a key is rotated", async () => {
    const { world, vendor, keep, tasks, duties } = await leaving();
    await keep();
    const [handOver, rotate] = await tasks();
    if (handOver === undefined || rotate === undefined) throw new Error("two tasks");
    for (const { taskId } of [handOver, rotate])
      await finishTask(world.tasks, tenantId, { taskId, actor: desk, note: "done" });
    await keep();
    expect(await duties()).toContain("transfer done");
    expect(await duties()).toContain("rotate_key open");
    vendor.endKey("production");
    await world.pass(2 * hour, 30 * minute);
    expect(await duties()).toContain("rotate_key done");
    await keep();
    expect((await tasks()).map((task) => [task.state, task.trust])).toEqual([
      ["done", "attested"],
      ["done", "verified"],
    ]);
  });

  test("is asked of nobody any more when a person waives it", async () => {
    const { world, ada, keep, tasks } = await leaving();
    await keep();
    const known = await world.store.currentCase(tenantId, ada.identityId);
    const [, rotate] = await tasks();
    if (known === undefined || rotate === undefined) throw new Error("a case with a task");
    for (const item of await world.store.listOwedByPeople(10)) {
      const { connectionId, kind, subject } = item.obligation;
      await world.store.decideObligation(
        tenantId,
        {
          ...{ caseId: known.caseId, connectionId, kind, subject, state: "waived" },
          facts: { why: "the workspace is closed" },
          now: world.clock.now(),
        },
        world.also("case.duty_waived"),
      );
    }
    expect(await keep()).toBe(0);
    const states = (await tasks()).map((task) => task.state);
    expect(states).toEqual(["cancelled", "cancelled"]);
  });
});
