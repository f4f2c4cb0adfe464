import { createHash } from "node:crypto";
import type { Lane } from "../accounts/lane.ts";
import type { Clock } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import { newId, type RosterId, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { RosterFacts } from "../model/roster.ts";
import { objections } from "./roster-guard.ts";
import type { RosterHead, RosterStore } from "./roster-store.ts";
import { parseRoster } from "./roster.ts";

export interface RosterDeps {
  readonly store: RosterStore;
  readonly clock: Clock;
}

/**
 * Reads a roster that a person brought, and where it can be believed keeps it as what the vendor shows: tasks end or open again by
 * it, and nobody loses anything for being absent from it.
 * @throws InputError with everything that speaks against it, no address repeated; StoreError VERSION_CONFLICT
 */
export async function importRoster(
  deps: RosterDeps,
  tenantId: TenantId,
  wish: {
    readonly lane: Lane;
    readonly facts: RosterFacts;
    readonly text: string;
    readonly format: "csv" | "json";
    /** A person says that the workspace really became so much smaller. */
    readonly shrinkAccepted: boolean;
    readonly actor: Actor;
  },
): Promise<RosterHead> {
  const { lane, facts, text, actor } = wish;
  const { connectionId } = lane;
  const roster = parseRoster(text, wish.format, facts.aliases);
  const last = (await deps.store.lastRoster(tenantId, connectionId))?.head;
  const now = deps.clock.now();
  const workspaceId = lane.organization?.id;
  const said =
    workspaceId === undefined
      ? ["the connection is not pinned to a workspace yet: its key answers for none so far"]
      : objections(roster, {
          workspaceId,
          now,
          last,
          ageMaxMs: facts.ageMaxMs,
          adminRoles: facts.adminRoles,
          shrinkAccepted: wish.shrinkAccepted,
        });
  if (said.length > 0) throw new InputError("the roster is not believed", said);
  const head: RosterHead = {
    rosterId: newId<RosterId>(deps.clock),
    connectionId,
    workspaceId: roster.workspaceId,
    capturedAt: roster.capturedAt,
    acceptedAt: now,
    count: roster.members.length,
    sha256: createHash("sha256").update(text).digest("hex"),
    by: actor.id,
  };
  await deps.store.keepRoster(
    tenantId,
    { head, members: roster.members, after: last?.rosterId ?? null },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: "roster.accepted",
          subject: { type: "roster", id: head.rosterId },
          connectionId,
          facts: {
            workspaceId: head.workspaceId,
            capturedAt: head.capturedAt,
            count: head.count,
            sha256: head.sha256,
            shrinkAccepted: wish.shrinkAccepted,
          },
        }),
      ],
      recompute: [],
    },
  );
  return head;
}
