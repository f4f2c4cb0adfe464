import { createHash } from "node:crypto";
import { priorities } from "../accounts/target.ts";
import { liveOperators } from "../credentials/credential-store.ts";
import { StoreError } from "../model/errors.ts";
import { newId, type EvidenceId, type TaskId, type TenantId } from "../model/ids.ts";
import type { Actor } from "../model/records.ts";
import { change, taskRecord } from "./keep-task.ts";
import type { TaskDeps } from "./task-deps.ts";
import { isLive, type Evidence, type Task } from "./task.ts";

/** What a person wants of a task and cannot have, with the reason. */
export class TaskRefusal extends Error {
  override readonly name = "TaskRefusal";
}

/** The bytes of one piece of evidence. */
export const evidenceBytesMax = 700_000;

interface Wish {
  readonly taskId: TaskId;
  readonly actor: Actor;
}

/** Says that somebody is at it. @throws StoreError NOT_FOUND; TaskRefusal */
export async function claimTask(deps: TaskDeps, tenantId: TenantId, wish: Wish): Promise<Task> {
  const task = await living(deps, tenantId, wish.taskId);
  if (task.state === "submitted")
    throw new TaskRefusal("it is said to be done already, and waits for proof");
  if (task.claimedBy === wish.actor.id && task.state === "claimed") return task;
  return change(
    deps,
    tenantId,
    task,
    { state: "claimed", claimedBy: wish.actor.id, claimedAt: deps.clock.now(), note: null },
    { actor: wish.actor, action: "task.claimed" },
  );
}

/**
 * A person's word that it is done. What a look can prove waits for it as attested; what none can prove is done with it, and where
 * admin rights are at stake with a second person's, as far as there is a second one.
 * @throws StoreError NOT_FOUND; TaskRefusal
 */
export async function finishTask(
  deps: TaskDeps,
  tenantId: TenantId,
  wish: Wish & { readonly note: string | null },
): Promise<Task> {
  const task = await living(deps, tenantId, wish.taskId);
  const { actor, note } = wish;
  if (task.state === "submitted") return confirm(deps, tenantId, task, wish);
  const now = deps.clock.now();
  const trust = (await hasEvidence(deps, tenantId, task)) ? "observed" : "attested";
  const alone = task.fourEyes && (await operators(deps, tenantId)) < 2;
  const submitted = { submittedBy: actor.id, submittedAt: now, trust, note } as const;
  if (task.proof === "word" && (!task.fourEyes || alone)) {
    return change(
      deps,
      tenantId,
      task,
      { ...submitted, state: "done", settledAt: now },
      { actor, action: "task.done", facts: { alone } },
    );
  }
  const changed = await change(
    deps,
    tenantId,
    task,
    { ...submitted, state: "submitted" },
    { actor, action: "task.submitted" },
  );
  await wake(deps, tenantId, task);
  return changed;
}

/** A second person's word. */
async function confirm(
  deps: TaskDeps,
  tenantId: TenantId,
  task: Task,
  { actor, note }: Wish & { readonly note: string | null },
): Promise<Task> {
  if (task.submittedBy === actor.id) {
    throw new TaskRefusal(
      task.fourEyes
        ? "you said so already; another person has to confirm it"
        : "you said so already; it waits for a look at the vendor",
    );
  }
  const now = deps.clock.now();
  const settles = task.proof === "word";
  return change(
    deps,
    tenantId,
    task,
    {
      trust: "observed",
      note,
      ...(settles ? { state: "done", settledAt: now } : {}),
    },
    {
      actor,
      action: settles ? "task.done" : "task.confirmed",
      facts: { doneBy: task.submittedBy, confirmedBy: actor.id },
    },
  );
}

/** Says why it cannot or shall not be done: it stays until the wish changes. @throws StoreError NOT_FOUND; TaskRefusal */
export async function rejectTask(
  deps: TaskDeps,
  tenantId: TenantId,
  wish: Wish & { readonly why: string },
): Promise<Task> {
  const task = await living(deps, tenantId, wish.taskId);
  return change(
    deps,
    tenantId,
    task,
    { state: "rejected", note: wish.why, trust: null, submittedBy: null, submittedAt: null },
    { actor: wish.actor, action: "task.rejected" },
  );
}

/** Puts evidence beside a task, a finished one too. @throws StoreError NOT_FOUND; TaskRefusal when it is too large */
export async function attachEvidence(
  deps: TaskDeps,
  tenantId: TenantId,
  wish: Wish & {
    readonly kind: Evidence["kind"];
    readonly text: string;
    readonly mediaType: string | null;
    readonly content: Uint8Array | null;
  },
): Promise<Evidence> {
  const { taskId, actor, kind, text, mediaType, content } = wish;
  if ((content?.length ?? 0) > evidenceBytesMax) {
    throw new TaskRefusal(
      `a file of evidence may have ${String(evidenceBytesMax)} bytes: attach its address instead`,
    );
  }
  const task = await deps.store.getTask(tenantId, taskId);
  if (task === undefined) throw new StoreError("NOT_FOUND", `there is no task ${taskId}`);
  const sha256 = content === null ? null : createHash("sha256").update(content).digest("hex");
  const evidence: Evidence = {
    evidenceId: newId<EvidenceId>(deps.clock),
    taskId,
    kind,
    text,
    mediaType,
    bytes: content?.length ?? 0,
    sha256,
    by: actor.id,
    at: deps.clock.now(),
  };
  const { evidenceId, bytes } = evidence;
  await deps.store.addEvidence(
    tenantId,
    { evidence, content },
    {
      records: [
        taskRecord(deps, task, actor, "task.evidence_attached", {
          evidenceId,
          kind,
          bytes,
          sha256,
        }),
      ],
      recompute: [],
    },
  );
  // A file shows what until now was only said.
  if (task.state === "submitted" && task.trust === "attested" && kind !== "note") {
    await change(
      deps,
      tenantId,
      task,
      { trust: "observed" },
      { actor, action: "task.observed", facts: { evidenceId } },
    );
  }
  return evidence;
}

async function living(deps: TaskDeps, tenantId: TenantId, taskId: TaskId): Promise<Task> {
  const task = await deps.store.getTask(tenantId, taskId);
  if (task === undefined) throw new StoreError("NOT_FOUND", `there is no task ${taskId}`);
  if (isLive(task)) return task;
  throw new TaskRefusal(task.state === "done" ? "it is done already" : "nobody wants it any more");
}

/** People who could do and confirm: two eyes are enough where there are no four. */
async function operators(deps: TaskDeps, tenantId: TenantId): Promise<number> {
  return liveOperators(await deps.store.listTokens(tenantId), deps.clock.now()).length;
}

async function hasEvidence(deps: TaskDeps, tenantId: TenantId, task: Task): Promise<boolean> {
  const evidence = await deps.store.listEvidence(tenantId, task.taskId);
  return evidence.some((item) => item.kind !== "note");
}

/** The vendor is looked at again at once: its answer is the proof. */
async function wake(deps: TaskDeps, tenantId: TenantId, task: Task): Promise<void> {
  if (task.connectionId === null || task.identityId === null) return;
  await deps.store.wakeTargets(
    tenantId,
    {
      connectionId: task.connectionId,
      identityIds: [task.identityId],
      priority: task.cause === "leaver" ? priorities.leaver : priorities.change,
      now: deps.clock.now(),
    },
    { records: [], recompute: [] },
  );
}
