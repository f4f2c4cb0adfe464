import { DAY_MS } from "../model/policy.ts";
import type { ManualTask, ManualWork, TaskLine } from "../model/manual-work.ts";
import { change, endTask, isRace, keepTask, sameLines } from "./keep-task.ts";
import type { TaskDeps } from "./task-deps.ts";
import { isLive, lineSlot, type Task, type TaskDraft } from "./task.ts";

/** How long after its end a task that is needed again counts as undone by somebody, not as a new wish. */
const driftMs = 90 * DAY_MS;

/**
 * What people do by hand for one person at one connection is one task: it opens with the first line, follows the lines, and ends by
 * what a look shows. A person's word that it is done counts until a look that is newer than the word says otherwise.
 */
export async function keepManualWork(
  deps: TaskDeps,
  work: ManualWork,
): Promise<ManualTask | undefined> {
  const key = `hand:${work.connectionId}:${work.identityId}`;
  const { live, last } = await deps.store.tasksOfKey(work.tenantId, key);
  const whole: ManualWork = { ...work, lines: withUndoing(work, live) };
  if (whole.lines.length === 0) {
    if (live === undefined) return undefined;
    // The look is of before the lines: it neither shows nor lacks what they ask for.
    if (whole.shownAt < live.linesAt && live.state !== "open") return summary(live);
    await endByLook(deps, whole, live);
    return undefined;
  }
  if (live !== undefined && isProven(live, whole)) {
    // What it asked for is there: what is left is another task.
    await endByLook(deps, whole, live);
    return keepManualWork(deps, work);
  }
  const draft = draftOf(deps, whole, key, { live, last });
  const reopened = live === undefined ? undefined : await doubt(deps, whole, live, draft);
  return summary(reopened ?? (await keepTask(deps, whole.tenantId, draft)));
}

/**
 * The lines of the look, and those that take back what a person said to have given since: the look is too old to show it, nobody
 * wants it any more, and forgetting it would leave it there.
 */
function withUndoing(work: ManualWork, live: Task | undefined): readonly TaskLine[] {
  if (live === undefined) return work.lines;
  const said = live.submittedAt === null ? 0 : live.submittedAt + work.settleMs;
  if (work.shownAt >= Math.max(live.linesAt, said)) return work.lines;
  const asked = new Set(work.lines.map((line) => lineSlot(line.slot)));
  const owed = live.lines.flatMap((line): readonly TaskLine[] => {
    if (line.slot === null || asked.has(lineSlot(line.slot))) return [];
    if (line.undo === true) return [line];
    if (live.state !== "submitted" || line.roleTo === null) return [];
    const { slot, roleTo: roleFrom } = line;
    return [{ ...line, roleFrom, roleTo: null, because: [], undo: true, steps: work.take(slot) }];
  });
  return [...work.lines, ...owed];
}

export function summary(task: Task): ManualTask {
  return { taskId: task.taskId, state: task.state, trust: task.trust };
}

function draftOf(
  deps: TaskDeps,
  work: ManualWork,
  key: string,
  known: { readonly live: Task | undefined; readonly last: Task | undefined },
): TaskDraft {
  const now = deps.clock.now();
  const cause = causeOf(work, known, now);
  return {
    key,
    title: titleOf(work),
    connectionId: work.connectionId,
    identityId: work.identityId,
    cause,
    lines: work.lines,
    dueAt: now + work.policy.dueMs[cause],
    fourEyes: work.lines.some((line) => line.privileged),
    proof: "read-back",
    assignee: work.policy.assignee ?? null,
    fallback: work.policy.fallback ?? null,
  };
}

/** A leaver is a leaver; who is asked for the same again after it was done is undone by somebody at the vendor. */
function causeOf(
  work: ManualWork,
  { live, last }: { readonly live: Task | undefined; readonly last: Task | undefined },
  now: number,
): TaskDraft["cause"] {
  if (work.cause === "leaver") return work.cause;
  if (live !== undefined) return sameLines(live, work) ? live.cause : work.cause;
  const undone = last?.state === "done" && now - (last.settledAt ?? 0) <= driftMs;
  return undone && sameLines(last, work) ? "drift" : work.cause;
}

function titleOf({ connectionId, lines }: ManualWork): string {
  const gives = lines.filter((line) => line.roleTo !== null).length;
  const takes = lines.length - gives;
  const parts = [
    ...(gives === 0 ? [] : [`${String(gives)} to give`]),
    ...(takes === 0 ? [] : [`${String(takes)} to take`]),
  ];
  return `${connectionId}: ${parts.join(", ")}`;
}

/** Opens a submitted task again, when a look that is newer than the word does not show what was promised. */
async function doubt(
  deps: TaskDeps,
  work: ManualWork,
  live: Task,
  draft: TaskDraft,
): Promise<Task | undefined> {
  if (live.state !== "submitted" || live.submittedAt === null) return undefined;
  if (work.shownAt < live.submittedAt + work.settleMs) {
    // The look is of before: what it lacks may well be done.
    return sameLines(live, draft) ? live : undefined;
  }
  const missing = live.lines.filter((line) => !isShown(line, work));
  if (missing.length === 0) return undefined;
  try {
    return await change(
      deps,
      work.tenantId,
      live,
      {
        state: live.claimedBy === null ? "open" : "claimed",
        lines: draft.lines,
        linesAt: deps.clock.now(),
        title: draft.title,
        attempt: live.attempt + 1,
        trust: null,
        submittedBy: null,
        submittedAt: null,
        note: "the vendor does not show it",
      },
      {
        actor: deps.actor,
        action: "task.reopened",
        facts: { missing: missing.length, shownAt: work.shownAt },
      },
    );
  } catch (error) {
    if (!isRace(error)) throw error;
    return undefined;
  }
}

async function endByLook(deps: TaskDeps, work: ManualWork, live: Task): Promise<void> {
  if (!isLive(live)) return;
  const shown = live.lines.filter((line) => isShown(line, work)).length;
  await endTask(
    deps,
    work.tenantId,
    live.key,
    shown > 0
      ? {
          state: "done",
          trust: work.trust,
          note: `${String(shown)} of ${String(live.lines.length)} shown`,
        }
      : { state: "cancelled", note: "nobody wants it any more" },
  );
}

/** Whether a look that is newer than its lines shows every one of them. */
function isProven(task: Task, work: ManualWork): boolean {
  if (!isLive(task) || work.shownAt < task.linesAt) return false;
  return task.lines.length > 0 && task.lines.every((line) => isShown(line, work));
}

/** Whether the look shows what the line asked for: the role is there, or the one to take is not. */
function isShown(line: TaskLine, work: ManualWork): boolean {
  if (line.slot === null) return false;
  const held = work.held(line.slot);
  return line.roleTo === null ? held === null || held !== line.roleFrom : held === line.roleTo;
}
