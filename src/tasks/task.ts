import type { Trust } from "../accounts/trust.ts";
import type { Instant } from "../model/clock.ts";
import type { Slot } from "../model/entitlement.ts";
import type { ConnectionId, EvidenceId, IdentityId, TaskId } from "../model/ids.ts";
import type { TaskLine } from "../model/manual-work.ts";
import type { TaskCause } from "../model/policy.ts";

/**
 * open: nobody has it · claimed: somebody does · submitted: said to be done, waits for proof or for a second person ·
 * rejected: a person says that it cannot or shall not be done · done and cancelled are the ends.
 */
export type TaskState = "open" | "claimed" | "submitted" | "rejected" | "done" | "cancelled";

/** What a task is about and how it ends; the same `key` is the same task while it lives. */
export interface TaskDraft {
  /** `hand:<connection>:<identity>`, `case:<case>:<obligation>`, … */
  readonly key: string;
  /** One line; like `lines` without personal values: `{account}` stands for the person's address. */
  readonly title: string;
  readonly connectionId: ConnectionId | null;
  readonly identityId: IdentityId | null;
  readonly cause: TaskCause;
  /** What to do, in order. */
  readonly lines: readonly TaskLine[];
  readonly dueAt: Instant;
  /** Who does it and who confirms it are two: for changes of admin rights. */
  readonly fourEyes: boolean;
  /** read-back: only a look at the vendor or a roster ends it · word: a person's word ends it, evidence makes it better. */
  readonly proof: "read-back" | "word";
  /** Folded addresses: who should do it, and who where that person left or is whom it is about. */
  readonly assignee: string | null;
  readonly fallback: string | null;
}

export interface Task extends TaskDraft {
  readonly taskId: TaskId;
  readonly state: TaskState;
  /** Rises with every change: changes carry the one that they saw. */
  readonly version: number;
  /** Rises each time that proof said otherwise and it was opened again. */
  readonly attempt: number;
  readonly openedAt: Instant;
  /** Since when the lines are what they are: a look of before cannot end them. */
  readonly linesAt: Instant;
  readonly claimedBy: string | null;
  readonly claimedAt: Instant | null;
  readonly submittedBy: string | null;
  readonly submittedAt: Instant | null;
  /** Where it was submitted or done. */
  readonly trust: Trust | null;
  /** What the last change of state was for, in a person's or our own words. */
  readonly note: string | null;
  readonly settledAt: Instant | null;
  /** Of a help desk, where one was opened. */
  readonly ticket?: TaskTicket;
  /** The last one of this key that ended before this one was opened. */
  readonly previousTaskId: TaskId | null;
}

/** A ticket that was opened for one attempt of a task. */
export interface TaskTicket {
  /** Whose help desk: `intercom`. */
  readonly desk: string;
  readonly ticketId: string;
  /** The number that people see. */
  readonly shownId: string;
  readonly attempt: number;
}

/** Fields that a change of a task can set; absent ones stay. */
export type TaskSet = Partial<
  Pick<
    Task,
    | "state"
    | "title"
    | "cause"
    | "lines"
    | "linesAt"
    | "dueAt"
    | "fourEyes"
    | "assignee"
    | "fallback"
    | "attempt"
    | "claimedBy"
    | "claimedAt"
    | "submittedBy"
    | "submittedAt"
    | "trust"
    | "note"
    | "settledAt"
    | "ticket"
  >
>;

export interface Evidence {
  readonly evidenceId: EvidenceId;
  readonly taskId: TaskId;
  readonly kind: "screenshot" | "log" | "ticket" | "note" | "roster" | "read";
  /** A ticket's address, a line of text; no personal values needed. */
  readonly text: string;
  readonly mediaType: string | null;
  readonly bytes: number;
  /** Hex, of the bytes; null where there are none. */
  readonly sha256: string | null;
  readonly by: string;
  readonly at: Instant;
}

/** Tasks that still bind their key. */
export const liveStates = ["open", "claimed", "submitted", "rejected"] as const;

export function isLive(task: Pick<Task, "state">): boolean {
  return liveStates.some((state) => state === task.state);
}

/** The slot that a line is about, as one string; "" where it is about none. */
export function lineSlot(slot: Slot | null): string {
  return slot === null ? "" : `${slot.kind}\n${slot.objectId}`;
}
