import type { Instant } from "../model/clock.ts";
import type { ConnectionId, EvidenceId, IdentityId, TaskId, TenantId } from "../model/ids.ts";
import type { Also } from "../model/records.ts";
import type { Evidence, Task, TaskSet, TaskState } from "./task.ts";

/** Work by hand and what proves it. Commands are compare-and-set: a change carries the version that it saw. */
export interface TaskStore {
  /** @throws StoreError ALREADY_EXISTS field "key" while a task of this key lives; NOT_FOUND for an identity of another tenant */
  openTask(tenantId: TenantId, task: Task, also: Also): Promise<void>;
  /** Writes the named fields, version + 1. @throws StoreError NOT_FOUND; VERSION_CONFLICT */
  changeTask(
    tenantId: TenantId,
    command: {
      readonly taskId: TaskId;
      readonly version: number;
      readonly set: TaskSet;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<Task>;
  getTask(tenantId: TenantId, taskId: TaskId): Promise<Task | undefined>;
  /** The task of this key that lives, and the one that ended last. */
  tasksOfKey(
    tenantId: TenantId,
    key: string,
  ): Promise<{ readonly live: Task | undefined; readonly last: Task | undefined }>;
  /** Earliest due first. `keyPrefix` takes the tasks of one case or connection. */
  listTasks(
    tenantId: TenantId,
    filter: {
      readonly states?: readonly TaskState[];
      readonly connectionId?: ConnectionId;
      readonly identityId?: IdentityId;
      readonly assignee?: string;
      readonly keyPrefix?: string;
      readonly dueBefore?: Instant;
      readonly limit: number;
    },
  ): Promise<readonly Task[]>;
  /** @throws StoreError NOT_FOUND for a task that is not there */
  addEvidence(
    tenantId: TenantId,
    command: { readonly evidence: Evidence; readonly content: Uint8Array | null },
    also: Also,
  ): Promise<void>;
  /** Oldest first. */
  listEvidence(tenantId: TenantId, taskId: TaskId): Promise<readonly Evidence[]>;
  readEvidence(
    tenantId: TenantId,
    evidenceId: EvidenceId,
  ): Promise<{ readonly evidence: Evidence; readonly content: Uint8Array | null } | undefined>;
}
