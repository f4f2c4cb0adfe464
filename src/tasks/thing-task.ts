import type { ThingTask } from "../model/manual-work.ts";
import { endTask, keepTask } from "./keep-task.ts";
import type { TaskDeps } from "./task-deps.ts";

/** Keeps the task of two people about a thing while there is something to do, and ends it by the look that shows it done. */
export async function keepThingTask(deps: TaskDeps, work: ThingTask): Promise<void> {
  const { tenantId, connectionId, steps, policy } = work;
  const key = `thing:${connectionId}:${work.name}`;
  if (steps === undefined) {
    const note = "the vendor shows it";
    await endTask(deps, tenantId, key, { state: "done", trust: "verified", note });
    return;
  }
  await keepTask(deps, tenantId, {
    key,
    title: `${connectionId}: ${work.title}`,
    connectionId,
    identityId: null,
    cause: "operator",
    lines: [{ slot: null, roleFrom: null, roleTo: null, privileged: true, because: [], steps }],
    dueAt: deps.clock.now() + policy.dueMs.operator,
    fourEyes: true,
    proof: "read-back",
    assignee: policy.assignee ?? null,
    fallback: policy.fallback ?? null,
  });
}
