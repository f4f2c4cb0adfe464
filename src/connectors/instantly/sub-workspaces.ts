import type { DeclaredThing, ObservedThing } from "../../model/declared.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, Call, EndOfList } from "../connector.ts";
import { ask, askPages } from "./ask.ts";
import { requestIds } from "./members.ts";
import { saysNotFound } from "./refusals.ts";
import { groupMemberWire, nextPage, pageLimit, pageWire } from "./wire.ts";

const groupPage = pageWire(groupMemberWire);
const states = { pending: "pending", accepted: "active", rejected: "ended" } as const;

/** An agency's sub-workspaces, each by the name of its declaration where there is one. */
export async function* listSubWorkspaces(
  call: Call,
  declared: readonly DeclaredThing[],
): AsyncGenerator<ObservedThing | EndOfList> {
  const names = new Map(declared.map((item) => [item.wants["id"], item.name]));
  const pages = askPages(
    call,
    {
      operation: "sub_workspaces.list",
      query: { limit: pageLimit },
      parse: (body) => groupPage.parse(body),
    },
    nextPage,
  );
  let count = 0;
  for await (const page of pages) {
    for (const row of page.value.items) {
      count += 1;
      const { sub_workspace_id: id, sub_workspace_name: said } = row;
      yield {
        kind: "sub_workspace",
        thingId: row.id,
        name: names.get(id) ?? said ?? id,
        state: states[row.status],
        createdAt: row.timestamp_created ?? undefined,
        facts: { id, status: row.status },
      };
    }
  }
  yield { complete: true, count };
}

/** Invites a workspace into the agency's group: its owner has to accept. */
export async function inviteSubWorkspace(call: Call, declared: DeclaredThing): Promise<Applied> {
  try {
    const answer = await ask(call, {
      operation: "sub_workspaces.create",
      body: { sub_workspace_id: String(declared.wants["id"]) },
      parse: (body) => groupMemberWire.parse(body),
    });
    return { outcome: "pending", requestIds: requestIds(answer) };
  } catch (error) {
    if (!(error instanceof SyncError) || error.facts.status !== 409) throw error;
    // It did not show among ours: the parent is another agency's.
    throw new SyncError(
      "VENDOR_REJECTED",
      "instantly: the workspace has another parent or an open invitation of one: its owner has to leave that first",
      { cause: error, facts: { ...error.facts } },
    );
  }
}

export async function endSubWorkspace(call: Call, observed: ObservedThing): Promise<Applied> {
  try {
    const answer = await ask(call, {
      operation: "sub_workspaces.remove",
      path: { groupMemberId: observed.thingId },
      parse: () => undefined,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (saysNotFound(error)) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}
