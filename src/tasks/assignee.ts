import type { IdentityId, TenantId } from "../model/ids.ts";
import type { TaskDeps } from "./task-deps.ts";
import type { TaskDraft } from "./task.ts";

interface People {
  readonly store: Pick<TaskDeps["store"], "findIdentities" | "readIdentities">;
}

/**
 * Who should do a task now: its assignee, or the fallback where that person has left or is whom the task is about. null: whoever
 * claims it. An address that the directory does not know counts as somebody: a mailbox of a team is one.
 */
export async function assigneeNow(
  deps: People,
  tenantId: TenantId,
  task: Pick<TaskDraft, "assignee" | "fallback" | "identityId">,
): Promise<string | null> {
  for (const address of [task.assignee, task.fallback]) {
    if (address !== null && (await canDo(deps, tenantId, address, task.identityId))) return address;
  }
  return null;
}

/** Whether the directory knows somebody of this folded address, and nobody of it is there any more. */
export async function hasLeft(
  { store }: People,
  tenantId: TenantId,
  address: string,
): Promise<boolean> {
  const found = await store.findIdentities(tenantId, address);
  const people = await store.readIdentities(tenantId, found);
  return people.length > 0 && people.every((person) => !person.active);
}

async function canDo(
  { store }: People,
  tenantId: TenantId,
  address: string,
  about: IdentityId | null,
): Promise<boolean> {
  const people = await store.readIdentities(
    tenantId,
    await store.findIdentities(tenantId, address),
  );
  return (
    people.length === 0 || people.some((person) => person.active && person.identityId !== about)
  );
}
