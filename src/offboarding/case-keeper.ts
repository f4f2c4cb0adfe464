import {
  deadlineFindingKey,
  watchMs,
  type LeaverCase,
  type Obligation,
} from "../accounts/leaver-case.ts";
import type { DueCase } from "../accounts/case-store.ts";
import type { TenantId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import type { TaskDeps } from "../tasks/task-deps.ts";
import { keepDutyTasks } from "./duty-tasks.ts";
import { leaverPack, packHash } from "./leaver-pack.ts";
import type { OffboardingDeps } from "./offboarding-deps.ts";

const page = 200;
/** Who dies over a case leaves it to the next one after this. */
const leaseMs = 60_000;

export interface CaseKeeperDeps extends OffboardingDeps {
  readonly tasks: TaskDeps;
}

/**
 * Looks at the cases that are due: tells of deadlines that come near or were missed, each once, keeps the tasks of what only people can
 * do, and ends cases in which nothing is owed any more. Due times are rows, so any number of processes may run it at once. Answers how
 * many it looked at.
 */
export async function keepCases(deps: CaseKeeperDeps): Promise<number> {
  const due = await deps.store.takeDueCases({ now: deps.clock.now(), leaseMs, limit: page });
  for (const item of due) await keepCase(deps, item);
  return due.length;
}

async function keepCase(deps: CaseKeeperDeps, { leaverCase, wake }: DueCase): Promise<void> {
  const { tenantId, caseId } = leaverCase;
  const alarms = await deps.store.takeAlarms(tenantId, { caseId, now: deps.clock.now() });
  for (const { alarm, obligation } of alarms) await tellDeadline(deps, tenantId, alarm, obligation);
  const open = await deps.store.listObligations(tenantId, { caseId, state: "open", limit: 1_000 });
  await keepDutyTasks(deps, leaverCase, open);
  if (leaverCase.state === "open" && open.every((duty) => duty.kind === "evidence"))
    await close(deps, leaverCase);
  await deps.store.restCase(tenantId, { caseId, wake });
}

async function tellDeadline(
  deps: OffboardingDeps,
  tenantId: TenantId,
  alarm: "warning" | "missed",
  obligation: Obligation,
): Promise<void> {
  const { connectionId, identityId, kind, subject, channel, caseId, deadline } = obligation;
  const missed = alarm === "missed";
  const what = subject === "" ? kind : `${kind} ${subject}`;
  const text = missed
    ? `a leaver's deadline was missed: ${what} is not done; see \`rolecall case show ${caseId}\``
    : `a leaver's deadline comes near: ${what} is not done; see \`rolecall case show ${caseId}\``;
  await deps.store.raiseFindings(tenantId, {
    findings: [
      {
        key: deadlineFindingKey(obligation),
        kind: missed ? "deadline_missed" : "deadline_near",
        severity: "urgent",
        identityId,
        ...(connectionId === undefined ? {} : { connectionId }),
        text,
        facts: { caseId, kind, subject, channel, deadline },
      },
    ],
    now: deps.clock.now(),
  });
  deps.logger.error(
    {
      tenantId,
      caseId,
      identityId,
      kind,
      channel,
      deadline,
      ...(connectionId === undefined ? {} : { connectionId }),
    },
    missed ? "leaver deadline missed" : "leaver deadline comes near",
  );
}

async function close(deps: OffboardingDeps, item: LeaverCase): Promise<void> {
  const { tenantId, caseId, identityId } = item;
  const pack = await leaverPack(deps, item);
  const now = deps.clock.now();
  const evidence = { packHash: packHash(pack), madeAt: now };
  const closed = await deps.store.closeCase(
    tenantId,
    { caseId, facts: evidence, watchUntil: now + watchMs, now },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "case.closed",
          subject: { type: "identity", id: identityId },
          facts: {
            caseId,
            ...evidence,
            t0: item.t0,
            connections: pack.connections.map((story) => ({
              connectionId: story.connectionId,
              channel: story.channel,
              containedSeconds: story.contained?.fromSignal ?? null,
              removedSeconds: story.removed?.fromSignal ?? null,
            })),
          },
        }),
      ],
      recompute: [],
    },
  );
  // Something came to be owed meanwhile: the case is due again.
  if (!closed) return;
  await deps.store.resolveFindings(tenantId, { prefix: `deadline:${caseId}:`, now });
}
