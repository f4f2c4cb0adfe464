import { expect, it } from "vitest";
import {
  asId,
  type ConnectionId,
  type EvidenceId,
  type IdentityId,
  type TaskId,
} from "../../src/model/ids.ts";
import { liveStates, type Evidence, type Task } from "../../src/tasks/task.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

const clay = asId<ConnectionId>("clay");

/** Work by hand: one task that lives for each key, changed only by who saw it last, with its evidence byte for byte. */
export function taskSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const also = (action: string) => ({ records: [stage.record(action)], recompute: [] });
  const draft = (change: Partial<Task> = {}): Task => ({
    taskId: stage.newId<TaskId>(),
    key: "hand:clay:1",
    title: "clay: 1 to give",
    connectionId: clay,
    identityId: null,
    cause: "joiner",
    lines: [
      {
        slot: { kind: "group", objectId: "GTM" },
        roleFrom: null,
        roleTo: "member",
        privileged: false,
        because: ["gtm"],
        steps: ["add {account} to {object}"],
      },
    ],
    dueAt: stage.now + 1_000,
    fourEyes: false,
    proof: "read-back",
    assignee: null,
    fallback: null,
    state: "open",
    version: 1,
    attempt: 1,
    openedAt: stage.now,
    linesAt: stage.now,
    claimedBy: null,
    claimedAt: null,
    submittedBy: null,
    submittedAt: null,
    trust: null,
    note: null,
    settledAt: null,
    previousTaskId: null,
    ...change,
  });
  const add = async (change: Partial<Task> = {}) => {
    const task = draft(change);
    await stage.store.openTask(stage.tenantId, task, also("task.opened"));
    return task;
  };
  const end = (task: Task, now = stage.now) =>
    stage.store.changeTask(
      stage.tenantId,
      {
        taskId: task.taskId,
        version: 1,
        set: { state: "done", trust: "verified", settledAt: now },
        now,
      },
      also("task.done"),
    );
  const ids = async (filter: Partial<Parameters<typeof stage.store.listTasks>[1]> = {}) =>
    (await stage.store.listTasks(stage.tenantId, { limit: 10, ...filter })).map(
      (task) => task.taskId,
    );

  it("come back as they were opened, with their record, in their own tenant only", async () => {
    const { identityId } = await stage.addUser("ada@example.com");
    const task = await add({ identityId, assignee: "ops@example.com" });
    expect(await stage.store.getTask(stage.tenantId, task.taskId)).toEqual(task);
    expect((await stage.store.tasksOfKey(stage.tenantId, task.key)).live).toEqual(task);
    const neighbour = await stage.neighbour();
    expect(await stage.store.getTask(neighbour.tenantId, task.taskId)).toBeUndefined();
    expect(await stage.store.listTasks(neighbour.tenantId, { limit: 10 })).toEqual([]);
    const records = await stage.store.findRecords(stage.tenantId, {
      action: "task.opened",
      limit: 5,
    });
    expect(records).toHaveLength(1);
  });

  it("of a person that the tenant does not have are not opened, and leave no record", async () => {
    const opened = add({ identityId: asId<IdentityId>("00000000-0000-7000-8000-000000000000") });
    expect(await refusal(opened)).toBe("NOT_FOUND");
    const records = await stage.store.findRecords(stage.tenantId, {
      action: "task.opened",
      limit: 5,
    });
    expect(records).toEqual([]);
  });

  it("live once for a key; one that ended makes room, and is remembered as the last", async () => {
    const first = await add();
    expect(await refusal(add())).toBe("ALREADY_EXISTS key");
    await add({ key: "hand:clay:2" });
    const done = await end(first, stage.now + 5);
    expect(done).toMatchObject({ state: "done", version: 2, trust: "verified" });
    const second = await add();
    expect(await stage.store.tasksOfKey(stage.tenantId, first.key)).toEqual({
      live: second,
      last: done,
    });
    await end(second, stage.now + 9);
    const known = await stage.store.tasksOfKey(stage.tenantId, first.key);
    expect([known.live, known.last?.taskId]).toEqual([undefined, second.taskId]);
  });

  it("are opened once by two who open them at the same moment", async () => {
    const outcomes = await Promise.allSettled([add(), add(), add()]);
    expect(outcomes.filter((item) => item.status === "fulfilled")).toHaveLength(1);
    expect(await ids()).toHaveLength(1);
  });

  it("change only for who saw the last version", async () => {
    const task = await add();
    const claim = (version: number, claimedBy: string) =>
      stage.store.changeTask(
        stage.tenantId,
        { taskId: task.taskId, version, set: { state: "claimed", claimedBy }, now: stage.now },
        also("task.claimed"),
      );
    const outcomes = await Promise.allSettled([claim(1, "ada"), claim(1, "bo")]);
    expect(outcomes.filter((item) => item.status === "fulfilled")).toHaveLength(1);
    expect(await refusal(claim(1, "cy"))).toBe("VERSION_CONFLICT");
    expect(await refusal(end(draft()))).toBe("NOT_FOUND");
    expect((await stage.store.getTask(stage.tenantId, task.taskId))?.version).toBe(2);
    const records = await stage.store.findRecords(stage.tenantId, {
      action: "task.claimed",
      limit: 5,
    });
    expect(records).toHaveLength(1);
  });

  it("are listed by what is due first, and by state, connection, person, assignee and key", async () => {
    const { identityId } = await stage.addUser("ada@example.com");
    const late = await add({ key: "case:%_1:a", dueAt: stage.now - 5, identityId });
    const soon = await add({ key: "case:%_1:b", connectionId: null, assignee: "ops@example.com" });
    const ended = await add({ key: "case:xx1:c", dueAt: stage.now - 9 });
    await end(ended);
    expect(await ids()).toEqual([ended.taskId, late.taskId, soon.taskId]);
    expect(await ids({ states: liveStates })).toEqual([late.taskId, soon.taskId]);
    expect(await ids({ connectionId: clay })).toEqual([ended.taskId, late.taskId]);
    expect(await ids({ identityId })).toEqual([late.taskId]);
    expect(await ids({ assignee: "ops@example.com" })).toEqual([soon.taskId]);
    expect(await ids({ keyPrefix: "case:%_" })).toEqual([late.taskId, soon.taskId]);
    expect(await ids({ dueBefore: stage.now, states: liveStates })).toEqual([late.taskId]);
    expect(await ids({ limit: 1 })).toEqual([ended.taskId]);
  });

  it("keep evidence in the order that it came, with every byte", async () => {
    const task = await add();
    const bytes = Uint8Array.from([0, 255, 10, 13, 128]);
    const evidence = (at: number, change: Partial<Evidence> = {}): Evidence => ({
      evidenceId: stage.newId<EvidenceId>(),
      taskId: task.taskId,
      kind: "screenshot",
      text: "team page",
      mediaType: "image/png",
      bytes: 5,
      sha256: "ab",
      by: "ada",
      at,
      ...change,
    });
    const put = (item: Evidence, content: Uint8Array | null) =>
      stage.store.addEvidence(
        stage.tenantId,
        { evidence: item, content },
        also("task.evidence_attached"),
      );
    const second = evidence(stage.now + 2, { kind: "ticket", sha256: null, bytes: 0 });
    const first = evidence(stage.now + 1);
    await put(second, null);
    await put(first, bytes);
    expect(await stage.store.listEvidence(stage.tenantId, task.taskId)).toEqual([first, second]);
    const read = await stage.store.readEvidence(stage.tenantId, first.evidenceId);
    expect(Buffer.from(read?.content ?? []).equals(bytes)).toBe(true);
    expect((await stage.store.readEvidence(stage.tenantId, second.evidenceId))?.content).toBeNull();
    expect(await refusal(put(evidence(1, { taskId: asId<TaskId>("none") }), null))).toBe(
      "NOT_FOUND",
    );
    const neighbour = await stage.neighbour();
    expect(await stage.store.readEvidence(neighbour.tenantId, first.evidenceId)).toBeUndefined();
  });
}
