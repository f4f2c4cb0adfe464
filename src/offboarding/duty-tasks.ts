import type { LeaverCase, Obligation } from "../accounts/leaver-case.ts";
import type { CaseId, TenantId } from "../model/ids.ts";
import type { HeirPolicy } from "../model/policy.ts";
import { newRecord } from "../model/records.ts";
import { endTask, keepTask } from "../tasks/keep-task.ts";
import type { TaskDeps } from "../tasks/task-deps.ts";
import { liveStates, type Task, type TaskDraft } from "../tasks/task.ts";
import { heirOf } from "./heirs.ts";
import type { OffboardingDeps } from "./offboarding-deps.ts";

const page = 500;

export interface DutyTaskDeps extends OffboardingDeps {
  readonly tasks: TaskDeps;
}

type Owed = Pick<Obligation, "caseId" | "connectionId" | "kind" | "subject">;

/** `case:<case>:` */
const prefixOf = (caseId: CaseId): string => `case:${caseId}:`;

/** `case:<case>:<connection>:<kind>:<subject>` */
function keyOf(item: Owed): string {
  return `${prefixOf(item.caseId)}${item.connectionId ?? ""}:${item.kind}:${item.subject}`;
}

/**
 * What of a leaver's case only people can do is a task each: opened while it is owed, given to the heir, ended when the vendor shows it.
 * Work that no read of ours shows as moved ends by the word of whoever did it. `open` is what the case owes.
 */
export async function keepDutyTasks(
  deps: DutyTaskDeps,
  { tenantId, caseId }: Pick<LeaverCase, "tenantId" | "caseId">,
  open: readonly Obligation[],
): Promise<void> {
  const owed = new Set<string>();
  for (const duty of open) {
    if (duty.channel !== "manual" || !(duty.kind === "transfer" || duty.kind === "rotate_key"))
      continue;
    const key = keyOf(duty);
    owed.add(key);
    const { live, last } = await deps.tasks.store.tasksOfKey(tenantId, key);
    const done = live === undefined && last?.state === "done" && last.proof === "word";
    if (done && last.openedAt >= duty.openedAt) await believe(deps, tenantId, duty, last);
    else await keepTask(deps.tasks, tenantId, await draftOf(deps, tenantId, duty, key));
  }
  await endSettled(deps, tenantId, caseId, owed);
}

async function draftOf(
  deps: DutyTaskDeps,
  tenantId: TenantId,
  item: Obligation,
  key: string,
): Promise<TaskDraft> {
  const lanes = await deps.store.listLanes(tenantId);
  const policy = lanes.find((lane) => lane.connectionId === item.connectionId)?.policy;
  const { title, steps } = said(item);
  return {
    key,
    title: `${item.connectionId ?? "everywhere"}: ${title}`,
    connectionId: item.connectionId ?? null,
    identityId: item.identityId,
    cause: "leaver",
    lines: [{ slot: null, roleFrom: null, roleTo: null, privileged: false, because: [], steps }],
    dueAt: item.deadline,
    fourEyes: false,
    proof: item.kind === "rotate_key" ? "read-back" : "word",
    assignee: await addressOfHeir(deps, tenantId, item, policy?.heirs),
    fallback: policy?.tasks?.assignee ?? policy?.heirs?.owner ?? null,
  };
}

function said(item: Obligation): { readonly title: string; readonly steps: readonly string[] } {
  if (item.kind === "rotate_key") {
    const name = typeof item.facts.name === "string" ? ` "${item.facts.name}"` : "";
    return {
      title: `rotate the key ${item.subject}`,
      steps: [
        `find out what runs on the key${name}, which somebody who left made`,
        "make a new key, put it where the old one is used, and see that it works",
        `switch the key ${item.subject} off at the vendor: the next look sees it`,
      ],
    };
  }
  return {
    title: `hand over what a leaver had: ${item.subject}`,
    steps: [
      `find what is open (${item.subject}) with {account}, or with the vendor's default owner where the account is gone`,
      "give each to whoever goes on with it",
    ],
  };
}

async function addressOfHeir(
  deps: DutyTaskDeps,
  tenantId: TenantId,
  item: Obligation,
  heirs: HeirPolicy | undefined,
): Promise<string | null> {
  const [leaver] = await deps.store.readIdentities(tenantId, [item.identityId]);
  if (leaver === undefined) return null;
  const heir = await heirOf(deps, tenantId, leaver, heirs);
  if (heir === undefined) return null;
  const [person] = await deps.store.readIdentities(tenantId, [heir.identityId]);
  return person?.emails[0] ?? null;
}

async function believe(
  deps: DutyTaskDeps,
  tenantId: TenantId,
  item: Obligation,
  task: Task,
): Promise<void> {
  const { caseId, connectionId, kind, subject, identityId } = item;
  const facts = { taskId: task.taskId, trust: task.trust };
  await deps.store.decideObligation(
    tenantId,
    { caseId, connectionId, kind, subject, state: "done", facts, now: deps.clock.now() },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "case.duty_done",
          subject: { type: "identity", id: identityId },
          ...(connectionId === undefined ? {} : { connectionId }),
          facts: { caseId, kind, subject, ...facts },
        }),
      ],
      recompute: [],
    },
  );
}

/** Tasks whose duty is not owed any more: the vendor shows it, a person waived it, or the leaver is back. */
async function endSettled(
  deps: DutyTaskDeps,
  tenantId: TenantId,
  caseId: CaseId,
  owed: ReadonlySet<string>,
): Promise<void> {
  const tasks = await deps.tasks.store.listTasks(tenantId, {
    states: liveStates,
    keyPrefix: prefixOf(caseId),
    limit: page,
  });
  for (const task of tasks) {
    if (owed.has(task.key)) continue;
    const note = "the case does not ask for it any more";
    const shown = task.proof === "read-back" && (await isDone(deps, tenantId, caseId, task.key));
    const end = shown
      ? ({ state: "done", trust: "verified", note } as const)
      : ({ state: "cancelled", note } as const);
    await endTask(deps.tasks, tenantId, task.key, end);
  }
}

/** Whether the duty of a key was met, and not waived or left behind by a return. */
async function isDone(
  deps: DutyTaskDeps,
  tenantId: TenantId,
  caseId: CaseId,
  key: string,
): Promise<boolean> {
  const duties = await deps.store.listObligations(tenantId, { caseId, limit: 1_000 });
  return duties.some((item) => keyOf(item) === key && item.state === "done");
}
