import type { AccountStore } from "../accounts/account-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { TenantId } from "../model/ids.ts";
import type { Task } from "./task.ts";

type Reads = Pick<AccountStore, "listObjects" | "getLink" | "getTarget"> &
  Pick<DirectoryStore, "readIdentities">;

/** A task with the person's address at the vendor and the names of its objects in the place of their words: for whoever does it. */
export async function spelledOut(store: Reads, tenantId: TenantId, task: Task): Promise<Task> {
  const { connectionId, identityId } = task;
  const account = await addressOf(store, tenantId, task);
  const objects =
    connectionId === null ? [] : (await store.listObjects(tenantId, connectionId)).objects;
  const nameOf = (slot: Task["lines"][number]["slot"]) =>
    objects.find((item) => item.kind === slot?.kind && item.objectId === slot.objectId)?.name ??
    slot?.objectId ??
    "";
  const words = (text: string, slot: Task["lines"][number]["slot"]) =>
    text.replaceAll("{account}", account ?? identityId ?? "").replaceAll("{object}", nameOf(slot));
  return {
    ...task,
    title: words(task.title, null),
    lines: task.lines.map((line) => ({
      ...line,
      steps: line.steps.map((step) => words(step, line.slot)),
    })),
  };
}

/** The account's own address, or the one that an invitation goes to. */
export async function addressOf(
  store: Reads,
  tenantId: TenantId,
  { connectionId, identityId }: Task,
): Promise<string | undefined> {
  if (identityId === null) return undefined;
  if (connectionId !== null) {
    const link = await store.getLink(tenantId, connectionId, identityId);
    if (link !== undefined) return link.email;
    const target = await store.getTarget(tenantId, connectionId, identityId);
    const wanted = target?.desired.profile.emails[0];
    if (wanted !== undefined) return wanted;
  }
  const [person] = await store.readIdentities(tenantId, [identityId]);
  return person?.emails[0] ?? person?.userName;
}
