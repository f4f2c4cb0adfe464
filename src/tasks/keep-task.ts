import type { Trust } from "../accounts/trust.ts";
import { StoreError } from "../model/errors.ts";
import { newId, type TaskId, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor, type AuditRecord } from "../model/records.ts";
import { assigneeNow } from "./assignee.ts";
import type { TaskDeps } from "./task-deps.ts";
import type { Task, TaskDraft, TaskSet } from "./task.ts";

/**
 * Opens a task, or brings the one that lives under its key up to date: asked again with the same lines, nothing changes. Whoever
 * claimed it keeps it; where it was said to be done or not to be, other lines open it again.
 */
export async function keepTask(
  deps: TaskDeps,
  tenantId: TenantId,
  draft: TaskDraft,
): Promise<Task> {
  for (;;) {
    const { live, last } = await deps.store.tasksOfKey(tenantId, draft.key);
    try {
      return live === undefined
        ? await open(deps, tenantId, draft, last)
        : await bringUpToDate(deps, tenantId, live, draft);
    } catch (error) {
      // Somebody was faster: what is there now is read again.
      if (!isRace(error)) throw error;
    }
  }
}

/** Ends the task of a key, where one lives. `done` needs what it is worth; `cancelled` says that nobody wants it any more. */
export async function endTask(
  deps: TaskDeps,
  tenantId: TenantId,
  key: string,
  end:
    | { readonly state: "done"; readonly trust: Trust; readonly note: string }
    | { readonly state: "cancelled"; readonly note: string },
  actor: Actor = deps.actor,
): Promise<Task | undefined> {
  for (;;) {
    const { live } = await deps.store.tasksOfKey(tenantId, key);
    if (live === undefined) return undefined;
    try {
      return await change(
        deps,
        tenantId,
        live,
        { ...end, settledAt: deps.clock.now() },
        { actor, action: `task.${end.state}` },
      );
    } catch (error) {
      if (!isRace(error)) throw error;
    }
  }
}

/** Writes one change with its record. @throws StoreError VERSION_CONFLICT when somebody was faster */
export async function change(
  deps: TaskDeps,
  tenantId: TenantId,
  task: Task,
  set: TaskSet,
  how: {
    readonly actor: Actor;
    readonly action: string;
    readonly facts?: AuditRecord["facts"];
  },
): Promise<Task> {
  const now = deps.clock.now();
  const record = taskRecord(deps, task, how.actor, how.action, {
    state: set.state ?? task.state,
    ...(set.trust === undefined ? {} : { trust: set.trust }),
    ...(set.note === undefined ? {} : { note: set.note }),
    ...how.facts,
  });
  const changed = await deps.store.changeTask(
    tenantId,
    { taskId: task.taskId, version: task.version, set, now },
    { records: [record], recompute: [] },
  );
  if (changed.settledAt !== null)
    await deps.store.resolveFindings(tenantId, { keys: [overdueKey(task)], now });
  return changed;
}

export const overdueKey = (task: Pick<Task, "taskId">): string => `task_overdue:${task.taskId}`;

export function taskRecord(
  deps: Pick<TaskDeps, "clock">,
  task: Pick<Task, "taskId" | "key" | "connectionId" | "identityId" | "cause">,
  actor: Actor,
  action: string,
  facts: AuditRecord["facts"],
): AuditRecord {
  return newRecord(deps.clock, {
    actor,
    action,
    subject: { type: "task", id: task.taskId },
    ...(task.connectionId === null ? {} : { connectionId: task.connectionId }),
    facts: {
      key: task.key,
      cause: task.cause,
      ...(task.identityId === null ? {} : { identityId: task.identityId }),
      ...facts,
    },
  });
}

async function open(
  deps: TaskDeps,
  tenantId: TenantId,
  draft: TaskDraft,
  last: Task | undefined,
): Promise<Task> {
  const now = deps.clock.now();
  const task: Task = {
    ...draft,
    assignee: await assigneeNow(deps, tenantId, draft),
    taskId: newId<TaskId>(deps.clock),
    state: "open",
    version: 1,
    attempt: 1,
    openedAt: now,
    linesAt: now,
    claimedBy: null,
    claimedAt: null,
    submittedBy: null,
    submittedAt: null,
    trust: null,
    note: null,
    settledAt: null,
    previousTaskId: last?.taskId ?? null,
  };
  await deps.store.openTask(tenantId, task, {
    records: [
      taskRecord(deps, task, deps.actor, "task.opened", {
        title: task.title,
        dueAt: task.dueAt,
        fourEyes: task.fourEyes,
        lines: linesInRecord(task),
        previousTaskId: task.previousTaskId,
      }),
    ],
    recompute: [],
  });
  return task;
}

async function bringUpToDate(
  deps: TaskDeps,
  tenantId: TenantId,
  live: Task,
  draft: TaskDraft,
): Promise<Task> {
  const lines = sameLines(live, draft) ? undefined : draft.lines;
  const sooner = draft.dueAt < live.dueAt;
  if (lines === undefined && !sooner) return tend(deps, tenantId, live);
  const again = live.state === "submitted" || live.state === "rejected";
  const set: TaskSet = {
    title: draft.title,
    cause: draft.cause,
    fourEyes: draft.fourEyes,
    dueAt: sooner || lines !== undefined ? Math.min(draft.dueAt, live.dueAt) : live.dueAt,
    ...(lines === undefined ? {} : { lines, linesAt: deps.clock.now() }),
    ...(lines === undefined || !again
      ? {}
      : {
          state: live.claimedBy === null ? "open" : "claimed",
          trust: null,
          submittedBy: null,
          submittedAt: null,
        }),
  };
  return change(deps, tenantId, live, set, {
    actor: deps.actor,
    action: "task.changed",
    facts: { lines: linesInRecord({ ...live, ...set }) },
  });
}

/** Looks after a task that nobody changed: says when it is late, and gives it to the fallback when its assignee has left. */
async function tend(deps: TaskDeps, tenantId: TenantId, task: Task): Promise<Task> {
  const now = deps.clock.now();
  if (task.dueAt <= now && task.state !== "submitted") {
    await deps.store.raiseFindings(tenantId, {
      findings: [
        {
          key: overdueKey(task),
          kind: "task_overdue",
          severity: task.cause === "leaver" ? "urgent" : "warning",
          ...(task.connectionId === null ? {} : { connectionId: task.connectionId }),
          ...(task.identityId === null ? {} : { identityId: task.identityId }),
          text: `a task is late: ${task.title}; see \`rolecall tasks show ${task.taskId}\``,
          facts: { taskId: task.taskId, dueAt: task.dueAt },
        },
      ],
      now,
    });
  }
  if (task.assignee === null) return task;
  const assignee = await assigneeNow(deps, tenantId, task);
  if (assignee === task.assignee) return task;
  return change(deps, tenantId, task, { assignee }, { actor: deps.actor, action: "task.assigned" });
}

export function sameLines(a: Pick<TaskDraft, "lines">, b: Pick<TaskDraft, "lines">): boolean {
  return JSON.stringify(linesInRecord(a)) === JSON.stringify(linesInRecord(b));
}

/** Lines as ids and roles: what makes two lists of lines the same, and what a record may hold. */
function linesInRecord({ lines }: Pick<TaskDraft, "lines">) {
  return lines
    .map(({ slot, roleFrom, roleTo, because, steps }) => ({
      slot: slot === null ? null : { kind: slot.kind, objectId: slot.objectId },
      roleFrom,
      roleTo,
      because: [...because].sort(),
      ...(slot === null ? { steps: [...steps] } : {}),
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

export function isRace(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.code === "VERSION_CONFLICT" || error.code === "ALREADY_EXISTS")
  );
}
