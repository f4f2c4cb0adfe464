import { z } from "zod";
import { asId, type ConnectionId, type EvidenceId, type TaskId } from "../../model/ids.ts";
import {
  attachEvidence,
  claimTask,
  finishTask,
  rejectTask,
  TaskRefusal,
} from "../../tasks/decide-task.ts";
import type { TaskDeps } from "../../tasks/task-deps.ts";
import { spelledOut } from "../../tasks/spell-out.ts";
import { liveStates } from "../../tasks/task.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

const taskId = z.string().min(1).max(64);
const note = z.string().min(1).max(2_000);

/** A refusal is the caller's affair, not a fault. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TaskRefusal) throw new OperationError(409, error.message);
    throw error;
  }
}

export const taskOperations = [
  operation({
    name: "listTasks",
    method: "GET",
    path: "/tasks",
    summary: "What people do by hand, what is due first",
    input: z.object({
      connection: z.string().optional(),
      identity: z.string().optional(),
      assignee: z.string().optional(),
      all: z.coerce.boolean().optional(),
      overdue: z.coerce.boolean().optional(),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    run: async (deps, { tenantId }, input) => {
      const now = deps.clock.now();
      const tasks = await deps.store.listTasks(tenantId, {
        limit: input.limit,
        ...(input.all === true ? {} : { states: liveStates }),
        ...(input.overdue === true ? { dueBefore: now } : {}),
        ...(input.assignee === undefined ? {} : { assignee: input.assignee.toLowerCase() }),
        ...(input.connection === undefined
          ? {}
          : { connectionId: asId<ConnectionId>(input.connection) }),
        ...(input.identity === undefined
          ? {}
          : { identityId: await theIdentity(deps, tenantId, input.identity) }),
      });
      const names = await namesOf(
        deps,
        tenantId,
        tasks.flatMap((task) => task.identityId ?? []),
      );
      return {
        tasks: tasks.map((task) => ({
          ...task,
          userName: task.identityId === null ? null : (names.get(task.identityId) ?? null),
          overdue: task.settledAt === null && task.dueAt <= now,
        })),
      };
    },
  }),
  operation({
    name: "showTask",
    method: "GET",
    path: "/tasks/:taskId",
    summary: "One of them: what to click, for whom, until when, and what proves it",
    input: z.object({ taskId }),
    run: async (deps, { tenantId }, input) => {
      const task = await deps.store.getTask(tenantId, asId<TaskId>(input.taskId));
      if (task === undefined) throw new OperationError(404, `no task ${input.taskId}`);
      const evidence = await deps.store.listEvidence(tenantId, task.taskId);
      return { task: await spelledOut(deps.store, tenantId, task), evidence };
    },
  }),
  operation({
    name: "claimTask",
    method: "POST",
    path: "/tasks/:taskId/claim",
    summary: "Say that you are at it",
    input: z.object({ taskId }),
    run: async (deps, { tenantId, actor }, input) => ({
      task: await asked(
        claimTask(taskDeps(deps), tenantId, { taskId: asId<TaskId>(input.taskId), actor }),
      ),
    }),
  }),
  operation({
    name: "finishTask",
    method: "POST",
    path: "/tasks/:taskId/done",
    summary: "Say that it is done; where admin rights are at stake, a second person says it too",
    input: z.object({ taskId, note: note.optional() }),
    run: async (deps, { tenantId, actor }, input) => {
      const task = await asked(
        finishTask(taskDeps(deps), tenantId, {
          taskId: asId<TaskId>(input.taskId),
          actor,
          note: input.note ?? null,
        }),
      );
      deps.ringWorkers(tenantId);
      return { task };
    },
  }),
  operation({
    name: "rejectTask",
    method: "POST",
    path: "/tasks/:taskId/reject",
    summary: "Say why it cannot or shall not be done",
    input: z.object({ taskId, why: note.min(3) }),
    run: async (deps, { tenantId, actor }, input) => ({
      task: await asked(
        rejectTask(taskDeps(deps), tenantId, {
          taskId: asId<TaskId>(input.taskId),
          actor,
          why: input.why,
        }),
      ),
    }),
  }),
  operation({
    name: "attachEvidence",
    method: "POST",
    path: "/tasks/:taskId/evidence",
    summary: "Put a file, a ticket or a line beside a task",
    input: z.object({
      taskId,
      kind: z.enum(["screenshot", "log", "ticket", "note"]),
      text: note,
      mediaType: z.string().max(200).optional(),
      content: z.base64().optional(),
    }),
    run: async (deps, { tenantId, actor }, input) => ({
      evidence: await asked(
        attachEvidence(taskDeps(deps), tenantId, {
          taskId: asId<TaskId>(input.taskId),
          actor,
          kind: input.kind,
          text: input.text,
          mediaType: input.mediaType ?? null,
          content: input.content === undefined ? null : Buffer.from(input.content, "base64"),
        }),
      ),
    }),
  }),
  operation({
    name: "showEvidence",
    method: "GET",
    path: "/evidence/:evidenceId",
    summary: "One piece of evidence with its bytes, base64",
    input: z.object({ evidenceId: z.string().min(1).max(64) }),
    run: async (deps, { tenantId }, { evidenceId }) => {
      const found = await deps.store.readEvidence(tenantId, asId<EvidenceId>(evidenceId));
      if (found === undefined) throw new OperationError(404, `no evidence ${evidenceId}`);
      const { evidence, content } = found;
      return {
        evidence,
        content: content === null ? null : Buffer.from(content).toString("base64"),
      };
    },
  }),
];

function taskDeps(deps: ConsoleDeps): TaskDeps {
  return { store: deps.store, clock: deps.clock, actor: deps.actor };
}
