// Goal: what no API does becomes one task for one person, and ends by what a look shows, not by what somebody says.
// Method: the directory by hand, real store, sync and apply, a vendor whose workspaces only people change; people are this test.
import { afterEach, describe, expect, test } from "vitest";
import type { Entitlement } from "../../src/model/entitlement.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Actor } from "../../src/model/records.ts";
import {
  attachEvidence,
  claimTask,
  finishTask,
  rejectTask,
  TaskRefusal,
} from "../../src/tasks/decide-task.ts";
import { endTask, keepTask } from "../../src/tasks/keep-task.ts";
import { liveStates, type Task, type TaskDraft } from "../../src/tasks/task.ts";
import { FakeVendor } from "../support/fake-vendor.ts";
import {
  connectionId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";
import { facts } from "../unit/plan/plan-fixture.ts";

const minute = 60_000;
const hour = 60 * minute;
const ann: Actor = { kind: "operator", id: "ann" };
const bob: Actor = { kind: "operator", id: "bob" };
const closing: StoryWorld[] = [];
afterEach(async () => {
  for (const world of closing.splice(0)) await world.store.close();
});

/** Only people put anybody into a workspace. */
function vendorByHand(): FakeVendor {
  const { workspace } = facts.kinds;
  if (workspace === undefined) throw new Error("the fixture has workspaces");
  const byHand = {
    always: true,
    give: ["Settings > Workspaces > {object}", "add {account} as {role}"],
    take: ["Settings > Workspaces > {object}", "remove {account}"],
  };
  return new FakeVendor({ kinds: { ...facts.kinds, workspace: { ...workspace, byHand } } });
}

async function open(more: JsonObject = {}) {
  const vendor = vendorByHand();
  const world = await StoryWorld.open({ vendor, mapping: mapping(more) });
  closing.push(world);
  const ada = await world.hire("ada@example.com");
  const engineering = await world.group("Engineering", [ada]);
  const platform = await world.group("Platform");
  await world.pass(minute);
  vendor.accept(ada.email);
  await world.pass(6 * minute);
  return { world, vendor, ada, engineering, platform };
}

const tasksOf = (world: StoryWorld, person: StoryPerson) =>
  world.store.listTasks(tenantId, { identityId: person.identityId, limit: 20 });

async function theTask(world: StoryWorld, person: StoryPerson): Promise<Task> {
  const live = await world.store.listTasks(tenantId, {
    identityId: person.identityId,
    states: liveStates,
    limit: 5,
  });
  expect(live).toHaveLength(1);
  return live[0] as Task;
}

/** What a person does at the vendor, behind our back. */
function byHand(
  vendor: FakeVendor,
  person: StoryPerson,
  grant: Entitlement | null,
  objectId = "ws_dev",
) {
  const held = vendor.of(person.email);
  if (held === undefined) throw new Error("nobody is there");
  const key = `workspace\n${objectId}`;
  if (grant === null) held.grants.delete(key);
  else held.grants.set(key, { ...grant, implicit: false });
}
const writer = (objectId: string): Entitlement => ({ kind: "workspace", objectId, role: "writer" });
const finish = (world: StoryWorld, task: Task, actor = ann) =>
  finishTask(world.tasks, tenantId, { taskId: task.taskId, actor, note: null });

describe("what no API does", () => {
  test("is one task with its clicks, due by cause, which ends by the look that shows it", async () => {
    const { world, vendor, ada } = await open({
      tasks: { assignee: "Ops@example.com", due: { mover: "6h" } },
    });
    const task = await theTask(world, ada);
    expect(task).toMatchObject({
      state: "open",
      cause: "mover",
      assignee: "ops@example.com",
      proof: "read-back",
      fourEyes: false,
    });
    expect(task.dueAt - task.openedAt).toBe(6 * hour);
    expect(task.lines.map((line) => line.steps)).toEqual([
      ["Settings > Workspaces > {object}", "add {account} as writer"],
    ]);
    expect((await world.target(ada))?.state).toBe("manual");
    byHand(vendor, ada, writer("ws_dev"));
    await world.pass(20 * minute);
    expect(await tasksOf(world, ada)).toMatchObject([{ state: "done", trust: "verified" }]);
    expect((await world.target(ada))?.state).toBe("idle");
  });

  test("said to be done is attested, looked at at once, and opened again where the vendor does not show it", async () => {
    const { world, vendor, ada } = await open();
    await claimTask(world.tasks, tenantId, {
      taskId: (await theTask(world, ada)).taskId,
      actor: ann,
    });
    const said = await finish(world, await theTask(world, ada));
    expect(said).toMatchObject({ state: "submitted", trust: "attested" });
    await world.settle();
    expect(await theTask(world, ada)).toMatchObject({
      state: "claimed",
      attempt: 2,
      trust: null,
      claimedBy: "ann",
    });
    byHand(vendor, ada, writer("ws_dev"));
    await finish(world, await theTask(world, ada));
    await world.settle();
    expect(await tasksOf(world, ada)).toMatchObject([
      { state: "done", trust: "verified", submittedBy: "ann" },
    ]);
  });

  test("follows the wish: more lines come into the same task, none left cancels it", async () => {
    const { world, ada, engineering, platform } = await open();
    const first = await theTask(world, ada);
    await world.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(minute);
    const both = await theTask(world, ada);
    expect([both.taskId, both.lines.length]).toEqual([first.taskId, 2]);
    for (const groupId of [engineering, platform])
      await world.members(groupId, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.pass(10 * minute);
    expect(await tasksOf(world, ada)).toMatchObject([{ state: "cancelled", taskId: first.taskId }]);
  });

  test("undone by somebody at the vendor is a new task about drift that names the old one", async () => {
    const { world, vendor, ada } = await open();
    byHand(vendor, ada, writer("ws_dev"));
    await world.pass(20 * minute);
    const [done] = await tasksOf(world, ada);
    byHand(vendor, ada, null);
    await world.store.wakeTargets(
      tenantId,
      { connectionId, identityIds: "all", priority: 2, now: world.clock.now() },
      { records: [], recompute: [] },
    );
    await world.settle();
    expect(await theTask(world, ada)).toMatchObject({
      cause: "drift",
      previousTaskId: done?.taskId,
    });
  });

  test("rejected stays with its reason until the wish is another one", async () => {
    const { world, ada, platform } = await open();
    const task = await theTask(world, ada);
    await rejectTask(world.tasks, tenantId, {
      taskId: task.taskId,
      actor: ann,
      why: "no free place",
    });
    await world.pass(hour, 10 * minute);
    expect(await theTask(world, ada)).toMatchObject({ state: "rejected", note: "no free place" });
    await world.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(minute);
    expect(await theTask(world, ada)).toMatchObject({ state: "open", taskId: task.taskId });
  });

  test("that is late is a finding, once, until it ends", async () => {
    const { world, vendor, ada } = await open({ tasks: { due: { mover: "1h" } } });
    await world.pass(2 * hour, 15 * minute);
    expect(await world.findings()).toContain("task_overdue");
    byHand(vendor, ada, writer("ws_dev"));
    await world.pass(20 * minute);
    expect(await world.findings()).not.toContain("task_overdue");
  });

  test("a leaver still has while a connection only reports is an urgent task, and nothing is written", async () => {
    const { world, vendor, ada } = await open();
    await world.activate(mapping({ mode: "report-only" }));
    await world.pass(minute);
    const before = vendor.writes.length;
    await world.setActive(ada, false);
    await world.pass(minute);
    const task = await theTask(world, ada);
    expect(task).toMatchObject({ cause: "leaver", lines: [{ roleFrom: "user", roleTo: null }] });
    expect(task.dueAt - world.clock.now()).toBeLessThanOrEqual(4 * hour);
    expect(vendor.writes).toHaveLength(before);
    vendor.accounts.clear();
    await finish(world, task);
    await world.settle();
    const ended = await world.store.getTask(tenantId, task.taskId);
    expect(ended).toMatchObject({ state: "done", trust: "verified" });
  });
});

describe("who does it", () => {
  test("is never the person whom it is about, nor somebody who left", async () => {
    const { world, ada, platform } = await open({
      tasks: { assignee: "ada@example.com", fallback: "cy@example.com" },
    });
    const cy = await world.hire("cy@example.com");
    expect((await theTask(world, ada)).assignee).toBe("cy@example.com");
    await world.setActive(cy, false);
    await world.pass(20 * minute);
    expect((await theTask(world, ada)).assignee).toBeNull();
    await world.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(minute);
    expect((await theTask(world, ada)).lines).toHaveLength(2);
  });
});

describe("a task that no look can prove", () => {
  const obligation = (more: Partial<TaskDraft> = {}): TaskDraft => ({
    key: "case:1:hand-over",
    title: "hand the workspace over",
    connectionId: null,
    identityId: null,
    cause: "leaver",
    lines: [
      {
        slot: null,
        roleFrom: null,
        roleTo: null,
        privileged: false,
        because: [],
        steps: ["ask the owner"],
      },
    ],
    dueAt: 10 * hour,
    fourEyes: false,
    proof: "word",
    assignee: null,
    fallback: null,
    ...more,
  });
  const operator = async (world: StoryWorld, label: string) => {
    await world.store.createToken(
      tenantId,
      {
        tokenId: label,
        kind: "operator",
        idpId: undefined,
        hash: label,
        label,
        createdAt: 0,
        expiresAt: undefined,
      },
      world.also("token.created"),
    );
  };

  test("is done by a person's word; a file makes it observed", async () => {
    const { world } = await open();
    const said = await keepTask(world.tasks, tenantId, obligation());
    expect(await finish(world, said)).toMatchObject({ state: "done", trust: "attested" });
    const shown = await keepTask(world.tasks, tenantId, obligation({ key: "case:1:other" }));
    await attachEvidence(world.tasks, tenantId, {
      taskId: shown.taskId,
      actor: ann,
      kind: "screenshot",
      text: "settings.png",
      mediaType: "image/png",
      content: Uint8Array.from([1, 2, 3]),
    });
    expect(await finish(world, shown)).toMatchObject({ state: "done", trust: "observed" });
    expect(await world.store.listEvidence(tenantId, shown.taskId)).toMatchObject([
      { bytes: 3, sha256: "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81" },
    ]);
  });

  test("about admin rights needs two people where there are two, and is done by one where there is one", async () => {
    const { world } = await open();
    const alone = await keepTask(world.tasks, tenantId, obligation({ fourEyes: true }));
    expect(await finish(world, alone)).toMatchObject({ state: "done" });
    await operator(world, "ann");
    await operator(world, "bob");
    const task = await keepTask(
      world.tasks,
      tenantId,
      obligation({ fourEyes: true, key: "case:2" }),
    );
    expect(await finish(world, task)).toMatchObject({ state: "submitted", trust: "attested" });
    await expect(finish(world, task)).rejects.toThrow(TaskRefusal);
    expect(await finish(world, task, bob)).toMatchObject({ state: "done", trust: "observed" });
    await expect(finish(world, task, bob)).rejects.toThrow("it is done already");
  });

  test("asked for again with the same lines stays one task; ended by its key it is over", async () => {
    const { world } = await open();
    const first = await keepTask(world.tasks, tenantId, obligation());
    expect(await keepTask(world.tasks, tenantId, obligation({ dueAt: 20 * hour }))).toEqual(first);
    expect((await keepTask(world.tasks, tenantId, obligation({ dueAt: 5 * hour }))).dueAt).toBe(
      5 * hour,
    );
    const end = { state: "cancelled", note: "the case was called off" } as const;
    expect(await endTask(world.tasks, tenantId, first.key, end)).toMatchObject(end);
    expect(await endTask(world.tasks, tenantId, first.key, end)).toBeUndefined();
  });
});
