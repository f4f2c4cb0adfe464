import type { Slot } from "./entitlement.ts";
import type { ConnectionId, IdentityId, TenantId } from "./ids.ts";
import type { TaskCause, TaskPolicy } from "./policy.ts";

/** One thing that a person does by hand. */
export interface TaskLine {
  /** Where a vendor's slot is changed by it: what proof looks at. */
  readonly slot: Slot | null;
  readonly roleFrom: string | null;
  readonly roleTo: string | null;
  /** Admin rights and the like. */
  readonly privileged: boolean;
  /** Rules and exceptions that wish it. */
  readonly because: readonly string[];
  /** Takes back what somebody said to have given, and no look has shown yet. */
  readonly undo?: true;
  /** What to click, a step a line; `{account}` is the person's address at the vendor. */
  readonly steps: readonly string[];
}

/** What one look leaves to people, for one person at one connection. */
export interface ManualWork {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  readonly cause: TaskCause;
  /** Empty: nothing is left to do by hand. */
  readonly lines: readonly TaskLine[];
  /** The moment that the look shows. A roster shows the one of its capture. */
  readonly shownAt: number;
  /** How much later than a change the vendor may show it, milliseconds. */
  readonly settleMs: number;
  /** What a look is worth: a roster that a person brought, or the vendor's own answer. */
  readonly trust: "observed" | "verified";
  /** The role that a slot holds now; null: none. */
  readonly held: (slot: Slot) => string | null;
  /** What to click to empty a slot. */
  readonly take: (slot: Slot) => readonly string[];
  readonly policy: TaskPolicy;
}

/** What people do about something that belongs to no person. */
export interface ThingTask {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  /** Within the connection. */
  readonly name: string;
  readonly title: string;
  /** Undefined: a look shows that nothing is to be done. */
  readonly steps: readonly string[] | undefined;
  readonly policy: TaskPolicy;
}

/** What became of it: said beside the state of the target. */
export interface ManualTask {
  readonly taskId: string;
  readonly state: string;
  readonly trust: string | null;
}
