import type { Lane } from "../accounts/lane.ts";
import type { ActivityHint, Call, Connector } from "../connectors/connector.ts";
import { SyncError } from "../model/errors.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/** Entries of the vendor's log that are named at most, newest first. */
const namedMax = 5;

/** Who changed who may do what, by the vendor's own log. */
export interface FightActor {
  /** The vendor's id of the account; undefined: the log does not say. */
  readonly accountId: string | undefined;
  readonly type: string;
  readonly at: number;
}

/**
 * Who changed access at the vendor since an instant, ourselves left out. A hint for the person who asks: a vendor without a log, or one
 * that cannot be read now, names nobody, and stops nothing.
 */
export async function fightActors(
  deps: ApplyDeps,
  {
    lane,
    connector,
    call,
  }: { readonly lane: Lane; readonly connector: Connector; readonly call: Call },
  since: number,
): Promise<readonly FightActor[]> {
  const { activity } = connector;
  if (activity === undefined) return [];
  const found: ActivityHint[] = [];
  try {
    for await (const hint of activity.list(call, since))
      if ("type" in hint && hint.touchesAccess && hint.at >= since) found.push(hint);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    deps.logger.warn(
      { tenantId: lane.tenantId, connectionId: lane.connectionId, code: error.code },
      "the vendor's log cannot be read: nobody knows who undid a repair",
    );
    return [];
  }
  return found
    .filter((hint) => hint.by === undefined || !lane.ownAccountIds.includes(hint.by))
    .sort((a, b) => b.at - a.at)
    .slice(0, namedMax)
    .map(({ by, type, at }) => ({ accountId: by, type, at }));
}

/** `, 1 of them …`: what a finding says of them; empty where nobody is named. */
export function namedActors(actors: readonly FightActor[]): string {
  if (actors.length === 0) return "";
  const one = ({ accountId, type, at }: FightActor) =>
    `${accountId ?? "somebody"} (${type}, ${new Date(at).toISOString()})`;
  return `; the vendor's log says who changed access meanwhile: ${actors.map(one).join(", ")}`;
}
