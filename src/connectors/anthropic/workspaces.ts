import type { z } from "zod";
import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
import type { Entitlement, Slot } from "../../model/entitlement.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, Call } from "../connector.ts";
import { consoleFacts, orgRoleKind, workspaceKind } from "./facts.ts";
import { moved, requestIds } from "./members.ts";
import { isUncoded, proveListed, refusals, saysNotFound, saysState } from "./refusals.ts";
import {
  deletedWire,
  memberWire,
  nextPage,
  objectOfWorkspace,
  pageLimit,
  pageWire,
  workspaceWire,
} from "./wire.ts";

const workspacesPage = pageWire(workspaceWire);
const membersPage = pageWire(memberWire);

export async function* listWorkspaces(call: Call): AsyncGenerator<VendorObject> {
  for await (const workspace of listRawWorkspaces(call)) yield objectOfWorkspace(workspace);
}

/** Workspaces as the vendor writes them, archived ones and the default one too. */
export async function* listRawWorkspaces(
  call: Call,
): AsyncGenerator<z.infer<typeof workspaceWire>> {
  const pages = call.http.pages(
    {
      operation: "workspaces.list",
      query: { limit: pageLimit, include_archived: true, include_default: true },
      parse: (body) => workspacesPage.parse(body),
      refusals,
    },
    nextPage,
  );
  for await (const page of pages) yield* page.value.data;
}

/** Proves that the organisation has workspaces at all, which only Console organisations have. */
export function proveWorkspaces(call: Call): Promise<void> {
  return proveListed(
    call,
    "workspaces.list",
    (body) => workspacesPage.parse(body),
    "this organisation has no workspaces: it is not a Claude Console organisation",
  );
}

/** What an account holds in the given workspaces. */
export async function readMemberships(
  call: Call,
  account: VendorAccount,
  slots: readonly Slot[],
): Promise<readonly ObservedGrant[]> {
  if (account.state !== "active") return [];
  const grants: ObservedGrant[] = [];
  for (const slot of slots) {
    const grant = await readMembership(call, account, slot.objectId);
    if (grant !== undefined) grants.push(grant);
  }
  return grants;
}

async function readMembership(
  call: Call,
  account: VendorAccount,
  workspaceId: string,
): Promise<ObservedGrant | undefined> {
  const slot = { kind: workspaceKind, objectId: workspaceId };
  if (isAdminClass(account.role)) return { ...slot, role: "workspace_admin", implicit: true };
  const role = await roleInList(call, account.accountId, workspaceId);
  if (account.role === "billing") {
    // Billing members see every workspace; only raising one to workspace admin is a grant of its own.
    return { ...slot, role: role ?? "workspace_billing", implicit: role !== "workspace_admin" };
  }
  return role === undefined ? undefined : { ...slot, role, implicit: role === "workspace_billing" };
}

/**
 * A member's role by the list: the read of one member is served from a cache that lags tens of seconds behind writes.
 * Undefined: not a member, or no such workspace.
 */
async function roleInList(
  call: Call,
  userId: string,
  workspaceId: string,
): Promise<string | undefined> {
  const pages = call.http.pages(
    {
      operation: "workspace_members.list",
      path: { workspaceId },
      query: { limit: pageLimit },
      parse: (body) => membersPage.parse(body),
      refusals,
    },
    nextPage,
  );
  try {
    for await (const page of pages) {
      const member = page.value.data.find((item) => item.user_id === userId);
      if (member !== undefined) return member.workspace_role;
    }
    return undefined;
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

/** Adds the member; where the vendor refuses, its list says whether that is done already, an update, or a refusal. */
export async function grantMembership(
  call: Call,
  account: VendorAccount,
  entitlement: Entitlement,
): Promise<Applied> {
  refuseUnwritable(account, entitlement.role);
  const { objectId: workspaceId, role } = entitlement;
  const userId = account.accountId;
  try {
    const answer = await call.http.request({
      operation: "workspace_members.add",
      path: { workspaceId },
      body: { user_id: userId, workspace_role: role },
      parse: (body) => memberWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    const held = await roleInList(call, userId, workspaceId);
    if (held === role) return { outcome: "unchanged", requestIds: [] };
    if (held === undefined) throw error;
  }
  return updateMembership(call, userId, workspaceId, role);
}

async function updateMembership(
  call: Call,
  userId: string,
  workspaceId: string,
  role: string,
): Promise<Applied> {
  try {
    const answer = await call.http.request({
      operation: "workspace_members.update",
      path: { workspaceId, userId },
      body: { workspace_role: role },
      parse: (body) => memberWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error) || !isUncoded(error)) throw error;
    throw await judgeRefusal(call, userId, workspaceId, error);
  }
}

/** Takes the member out; whoever the list does not show is out already. */
export async function revokeMembership(
  call: Call,
  account: VendorAccount,
  slot: Slot,
): Promise<Applied> {
  refuseUnwritable(account, undefined);
  const { objectId: workspaceId } = slot;
  const userId = account.accountId;
  try {
    const answer = await call.http.request({
      operation: "workspace_members.remove",
      path: { workspaceId, userId },
      parse: (body) => deletedWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    const held = await roleInList(call, userId, workspaceId);
    if (held === undefined) return { outcome: "unchanged", requestIds: [] };
    if (!isUncoded(error)) throw error;
    throw held === "workspace_billing" ? error : disagreement(error);
  }
}

async function judgeRefusal(
  call: Call,
  userId: string,
  workspaceId: string,
  error: SyncError,
): Promise<SyncError> {
  const held = await roleInList(call, userId, workspaceId);
  if (held === undefined) return moved("the membership is gone", error);
  return held === "workspace_billing" ? error : disagreement(error);
}

/** Just after an add the vendor lists a member and refuses writes to it for a while. */
function disagreement(error: SyncError): SyncError {
  return moved("the list shows the membership and the write does not find it yet", error);
}

function refuseUnwritable(account: VendorAccount, role: string | undefined): void {
  const refuse = (why: string) =>
    new SyncError("VENDOR_REJECTED", `anthropic: ${why}`, {
      facts: { orgRole: account.role, ...(role === undefined ? {} : { role }) },
    });
  if (account.state !== "active") {
    throw refuse("workspace roles need an accepted account, not an invitation");
  }
  if (isAdminClass(account.role)) {
    throw refuse(
      `the organisation role ${account.role} carries every workspace; it has to be changed first`,
    );
  }
  if (role === undefined) return;
  const facts = consoleFacts.kinds[workspaceKind]?.roles[role];
  if (facts?.assignable !== true) throw refuse(`${role} cannot be given in a workspace`);
}

function isAdminClass(role: string): boolean {
  return consoleFacts.kinds[orgRoleKind]?.roles[role]?.admin === true;
}
