// Goal: what only people can do about a leaver is a task of somebody who is still here, and ends by proof.
// Method: as leaver-stories.test.ts.
import { describe, expect, test } from "vitest";
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
  /** What only people can do, as the case owes it now. */
  const owed = async () =>
    (
      await world.store.listObligations(tenantId, {
        ...{ identityId: ada.identityId, state: "open", limit: 50 },
      })
    ).filter((item) => item.channel === "manual" && ["transfer", "rotate_key"].includes(item.kind));
  const tasks = async () =>
    (await world.store.listTasks(tenantId, { keyPrefix: "case:", limit: 20 })).toSorted((a, b) =>
      a.title < b.title ? -1 : 1,
    );
  const duties = async () =>
    (await world.store.listObligations(tenantId, { identityId: ada.identityId, limit: 50 })).map(
      (item) => `${item.kind} ${item.state}`,
    );
  return { world, vendor, ada, owed, tasks, duties };
}

describe("a duty that only people can do", () => {
  test("is one task with the case's deadline, given to the first heir who is still here", async () => {
    const { world, owed, tasks } = await leaving();
    await world.pass(2 * hour, 30 * minute);
    const found = await tasks();
    expect(found.map((task) => [task.title, task.state, task.assignee, task.proof])).toEqual([
      ["vendor: hand over what a leaver had: conversation", "open", "heir@example.com", "word"],
      ["vendor: rotate the key production", "open", "heir@example.com", "read-back"],
    ]);
    expect(found.map((task) => task.dueAt)).toEqual((await owed()).map((item) => item.deadline));
  });

  test("ends by the word of who handed work over, and by the vendor where a key is rotated", async () => {
    const { world, vendor, tasks, duties } = await leaving();
    const [handOver, rotate] = await tasks();
    if (handOver === undefined || rotate === undefined) throw new Error("two tasks");
    for (const { taskId } of [handOver, rotate])
      await finishTask(world.tasks, tenantId, { taskId, actor: desk, note: "done" });
    await world.settle();
    expect(await duties()).toContain("transfer done");
    expect(await duties()).toContain("rotate_key open");
    vendor.endKey("production");
    await world.pass(2 * hour, 30 * minute);
    expect(await duties()).toContain("rotate_key done");
    expect((await tasks()).map((task) => [task.state, task.trust])).toEqual([
      ["done", "attested"],
      ["done", "verified"],
    ]);
  });

  test("is asked of nobody any more when a person waives it", async () => {
    const { world, ada, owed, tasks } = await leaving();
    const known = await world.store.currentCase(tenantId, ada.identityId);
    const [, rotate] = await tasks();
    if (known === undefined || rotate === undefined) throw new Error("a case with a task");
    for (const { connectionId, kind, subject } of await owed()) {
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
    await world.settle();
    const states = (await tasks()).map((task) => task.state);
    expect(states).toEqual(["cancelled", "cancelled"]);
  });
});
