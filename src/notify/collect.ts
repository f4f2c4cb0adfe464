import type { AccountStore } from "../accounts/account-store.ts";
import type { AuditStore, StoredRecord } from "../audit/audit-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { Finding } from "../accounts/finding.ts";
import type { LeaverCase } from "../accounts/leaver-case.ts";
import type { Hold } from "../accounts/rail.ts";
import { alertingActions, isAlerting } from "../model/alerting-actions.ts";
import { newId, type TenantId } from "../model/ids.ts";
import type { Clock, Instant } from "../model/clock.ts";
import { DAY_MS } from "../model/policy.ts";
import type { ReviewStore } from "../reviews/review-store.ts";
import type { Review } from "../reviews/review.ts";
import type { TaskStore } from "../tasks/task-store.ts";
import type { Task } from "../tasks/task.ts";
import type { Channel } from "./channel.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { Notice } from "./notice.ts";

/** How much of each kind one round reads; what is older was told before. */
const page = 500;

export interface CollectDeps {
  readonly store: DeliveryStore &
    Pick<AccountStore, "listHolds" | "listFindings"> &
    Pick<CaseStore, "listCases"> &
    Pick<TaskStore, "listTasks"> &
    Pick<ReviewStore, "listReviews"> &
    Pick<AuditStore, "alertingRecords">;
  readonly clock: Clock;
  readonly channels: readonly Channel[];
}

/**
 * Queues what a tenant's channels have not been told yet: it is read from what is true, so nothing is lost where a process dies, and
 * nothing is told twice. Answers how many deliveries are new.
 */
export async function collectNotices(deps: CollectDeps, tenantId: TenantId): Promise<number> {
  if (deps.channels.length === 0) return 0;
  const [holds, findings, cases, tasks, reviews, records] = await Promise.all([
    deps.store.listHolds(tenantId, { state: "open", limit: page }),
    deps.store.listFindings(tenantId, { open: true, limit: page }),
    deps.store.listCases(tenantId, { state: "done", limit: page }),
    deps.store.listTasks(tenantId, { states: ["open", "claimed", "rejected"], limit: page }),
    deps.store.listReviews(tenantId, { state: "open", limit: page }),
    deps.store.alertingRecords(tenantId, { from: deps.clock.now() - DAY_MS, limit: page }),
  ]);
  const notices = [
    ...holds.flatMap((hold) => holdNotices(tenantId, hold)),
    ...findings.flatMap((finding) => findingNotice(tenantId, finding)),
    ...cases.flatMap((item) => caseNotice(item, deps.clock.now() - DAY_MS)),
    ...tasks.map((task) => taskNotice(tenantId, task)),
    ...records.flatMap((stored) => recordNotice(tenantId, stored)),
    ...reviews.flatMap((review) => reviewNotice(tenantId, review, deps.clock.now())),
  ];
  const deliveries = notices.flatMap((notice) =>
    deps.channels
      .filter((channel) => notice.topic === "test" || channel.topics.includes(notice.topic))
      .map((channel) => ({ deliveryId: newId(deps.clock), channel: channel.name, notice })),
  );
  if (deliveries.length === 0) return 0;
  return deps.store.queueDeliveries(tenantId, { deliveries, now: deps.clock.now() });
}

/** Something of the record that somebody outside should hear of, whoever did it: keys, admins, rails, switches, tokens. */
function recordNotice(tenantId: TenantId, { record }: StoredRecord): readonly Notice[] {
  const { recordId, action, at, actor, subject, connectionId } = record;
  if (!isAlerting(action)) return [];
  return [
    {
      tenantId,
      noticeId: `record:${recordId}`,
      topic: "record",
      type: `rolecall.record.${action}`,
      at,
      subject: `${subject.type}:${subject.id}`,
      text: `${alertingActions[action]}, by ${actor.kind} ${actor.id}; see \`rolecall audit query --action ${action}\``,
      data: {
        ...{ recordId, action, actor: { kind: actor.kind, id: actor.id } },
        subject: { type: subject.type, id: subject.id },
        ...(connectionId === undefined ? {} : { connectionId }),
      },
    },
  ];
}

/** Told when it opens, and again when one of two people has approved. */
function holdNotices(tenantId: TenantId, hold: Hold): readonly Notice[] {
  const { holdId, firstBy } = hold;
  const common = {
    tenantId,
    topic: "hold",
    at: hold.openedAt,
    subject: holdId,
    data: {
      holdId,
      rail: hold.rail,
      ...(hold.connectionId === undefined ? {} : { connectionId: hold.connectionId }),
      count: hold.count,
      allowance: hold.allowance,
    },
  } as const;
  const opened: Notice = {
    ...common,
    noticeId: `hold.opened:${holdId}`,
    type: "rolecall.hold.opened",
    text: `a batch waits for a decision: ${String(hold.count)} people where ${String(hold.allowance)} may pass; see \`rolecall holds show ${holdId}\``,
  };
  if (firstBy === undefined) return [opened];
  const first: Notice = {
    ...common,
    noticeId: `hold.seconding:${holdId}`,
    type: "rolecall.hold.seconding",
    text: `a batch above twice its cap was approved by one person and waits for a second person; see \`rolecall holds show ${holdId}\``,
  };
  return [opened, first];
}

function findingNotice(tenantId: TenantId, finding: Finding): readonly Notice[] {
  const deadline = finding.kind === "deadline_near" || finding.kind === "deadline_missed";
  if (isRotation(finding)) return [rotationNotice(tenantId, finding)];
  if (finding.severity !== "urgent") return [];
  return [
    {
      tenantId,
      // A deadline that comes near and is missed are two things about one duty.
      noticeId: `finding:${finding.kind}:${finding.key}:${String(finding.openedAt)}`,
      topic: deadline ? "deadline" : "finding",
      type: deadline
        ? `rolecall.deadline.${finding.kind === "deadline_near" ? "near" : "missed"}`
        : "rolecall.finding.opened",
      at: finding.openedAt,
      subject: finding.key,
      text: finding.text,
      data: {
        kind: finding.kind,
        severity: finding.severity,
        ...(finding.connectionId === undefined ? {} : { connectionId: finding.connectionId }),
        ...(finding.identityId === undefined ? {} : { identityId: finding.identityId }),
        facts: finding.facts,
      },
    },
  ];
}

/** A key whose rotation is due, or will be soon. */
function isRotation({ kind, facts }: Finding): boolean {
  return (
    kind === "declared_thing" && (facts["what"] === "rotate" || facts["what"] === "rotate_soon")
  );
}

function rotationNotice(tenantId: TenantId, finding: Finding): Notice {
  const { key, openedAt, connectionId, facts, text } = finding;
  return {
    tenantId,
    noticeId: `finding:${finding.kind}:${key}:${String(openedAt)}`,
    topic: "task",
    type: `rolecall.key.${facts["what"] === "rotate" ? "overdue" : "due"}`,
    at: openedAt,
    subject: key,
    text: `${text}; see \`rolecall key list --about ${String(facts["what"])}\``,
    data: { ...(connectionId === undefined ? {} : { connectionId }), facts },
  };
}

/** Work for people: told when it opens, again each time that it was not done, and when somebody says that it cannot be. */
function taskNotice(tenantId: TenantId, task: Task): Notice {
  const { taskId, state, attempt, cause, dueAt, connectionId, identityId } = task;
  const what = state === "rejected" ? "rejected" : attempt > 1 ? "reopened" : "opened";
  return {
    tenantId,
    noticeId: `task.${what}:${taskId}:${String(attempt)}`,
    topic: "task",
    type: `rolecall.task.${what}`,
    at: state === "rejected" ? task.linesAt : task.openedAt,
    subject: taskId,
    text: `work for people (${cause}, until ${new Date(dueAt).toISOString()}): ${task.title}; see \`rolecall tasks show ${taskId}\``,
    data: {
      taskId,
      cause,
      dueAt,
      ...(connectionId === null ? {} : { connectionId }),
      ...(identityId === null ? {} : { identityId }),
    },
  };
}

/**
 * A review: told when it opens, at half its time, in its last two days, and each day that it is late. Who opened it knows the reviewers:
 * no address is in a notice.
 */
function reviewNotice(tenantId: TenantId, review: Review, now: Instant): readonly Notice[] {
  const { reviewId, openedAt, dueAt } = review;
  const late = Math.floor((now - dueAt) / DAY_MS);
  const stages = [
    { from: dueAt, what: `overdue:${String(late)}`, at: dueAt + late * DAY_MS },
    { from: dueAt - 2 * DAY_MS, what: "due:last", at: dueAt - 2 * DAY_MS },
    { from: openedAt + (dueAt - openedAt) / 2, what: "due:half", at: (openedAt + dueAt) / 2 },
    { from: openedAt, what: "opened", at: openedAt },
  ];
  const stage = stages.find(
    (item) => item.from <= now && (item.from > openedAt || item.what === "opened"),
  );
  // The log of what was told forgets after a month: an old opening is no news.
  if (stage === undefined || (stage.what === "opened" && openedAt < now - 7 * DAY_MS)) return [];
  const [what = ""] = stage.what.split(":");
  return [
    {
      tenantId,
      noticeId: `review.${stage.what}:${reviewId}`,
      topic: "task",
      type: `rolecall.review.${what}`,
      at: Math.floor(stage.at),
      subject: reviewId,
      text: `an access review waits for decisions until ${new Date(dueAt).toISOString()}${what === "overdue" ? ", and is late" : ""}; see \`rolecall review show ${reviewId}\``,
      data: { reviewId, template: review.template, dueAt },
    },
  ];
}

/** Old ones were told: the log forgets them after a month. */
function caseNotice(item: LeaverCase, after: Instant): readonly Notice[] {
  if (item.closedAt === undefined || item.closedAt < after) return [];
  return [
    {
      tenantId: item.tenantId,
      noticeId: `case.closed:${item.caseId}:${String(item.closedAt)}`,
      topic: "case",
      type: "rolecall.case.closed",
      at: item.closedAt,
      subject: item.caseId,
      text: `a leaver's case is closed, everything is verified; see \`rolecall case show ${item.caseId}\``,
      data: {
        caseId: item.caseId,
        identityId: item.identityId,
        t0: item.t0,
        signalAt: item.signalAt,
        closedAt: item.closedAt,
      },
    },
  ];
}
