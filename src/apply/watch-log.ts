import type { FindingDraft } from "../accounts/finding.ts";
import type { Lane } from "../accounts/lane.ts";
import type { ActivityHint, Call, Connector } from "../connectors/connector.ts";
import { SyncError } from "../model/errors.ts";
import { DAY_MS } from "../model/policy.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/** How often the vendor's own log is read, and how far the first read goes back. */
export const logPeriodMs = 15 * 60_000;
const firstReadMs = DAY_MS;
/** Entries may show late: each read begins this much before the end of the last one. */
const overlapMs = 10 * 60_000;
/** What was told longer ago than this is history. */
const keptMs = 30 * DAY_MS;
/** Single entries that one read tells; the rest is a number. */
const toldMax = 50;

const prefixOf = (lane: Lane): string => `log:${lane.connectionId}:`;

/**
 * Reads what the vendor's own log says since the last time: what is alarming is told, and answers whether somebody changed who may do what,
 * so that a listing is worth its calls. Hints only: a log that is empty, late or not in the plan proves nothing, and stops nothing.
 */
export async function watchLog(
  deps: ApplyDeps,
  lane: Lane,
  connector: Connector,
  call: Call,
): Promise<{ readonly accessTouched: boolean }> {
  const { activity } = connector;
  if (activity === undefined) return { accessTouched: false };
  const now = deps.clock.now();
  const since = lane.logReadAt === null ? now - firstReadMs : lane.logReadAt - overlapMs;
  const hints: ActivityHint[] = [];
  const unreadable = `${prefixOf(lane)}unreadable`;
  try {
    for await (const hint of activity.list(call, since)) if ("type" in hint) hints.push(hint);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    await tell(deps, lane, [unread(lane, unreadable, error)]);
    await note(deps, lane, now);
    return { accessTouched: false };
  }
  const others = hints.filter((hint) => !isOurs(lane, hint));
  await tell(deps, lane, findingsOf(lane, others));
  await forget(deps, lane, unreadable, now);
  await note(deps, lane, now);
  const fresh = others.filter((hint) => lane.logReadAt === null || hint.at >= lane.logReadAt);
  return { accessTouched: fresh.some((hint) => hint.touchesAccess) };
}

/** What our own account did is in our own record. */
function isOurs(lane: Lane, hint: ActivityHint): boolean {
  return hint.by !== undefined && lane.ownAccountIds.includes(hint.by);
}

function findingsOf(lane: Lane, hints: readonly ActivityHint[]): readonly FindingDraft[] {
  const alarming = hints.filter((hint) => hint.alarming).toSorted((a, b) => b.at - a.at);
  const told = alarming.slice(0, toldMax).map((hint): FindingDraft => ({
    key: `${prefixOf(lane)}${hint.entryId}`.slice(0, 400),
    kind: "vendor_log",
    severity: "warning",
    connectionId: lane.connectionId,
    text: `the vendor's log says: ${hint.type}; see at the vendor whether that was meant`,
    facts: {
      type: hint.type,
      at: hint.at,
      ...(hint.by === undefined ? {} : { accountId: hint.by }),
      ...(hint.byAddress === undefined ? {} : { address: hint.byAddress }),
    },
  }));
  if (alarming.length <= toldMax) return told;
  const rest = alarming.length - toldMax;
  return [
    ...told,
    {
      key: `${prefixOf(lane)}more`,
      kind: "vendor_log",
      severity: "warning",
      connectionId: lane.connectionId,
      text: `the vendor's log says ${String(rest)} more things of this kind: read it at the vendor`,
      facts: { count: rest },
    },
  ];
}

function unread(lane: Lane, key: string, error: SyncError): FindingDraft {
  return {
    key,
    kind: "vendor_log",
    severity: "info",
    connectionId: lane.connectionId,
    text: `the vendor's log cannot be read, so nothing is known of what it says: ${error.message}`,
    facts: { code: error.code },
  };
}

async function tell(deps: ApplyDeps, lane: Lane, findings: readonly FindingDraft[]): Promise<void> {
  if (findings.length === 0) return;
  await deps.store.raiseFindings(lane.tenantId, { findings, now: deps.clock.now() });
}

/** Old entries are over, and so is an unreadable log once it was read. */
async function forget(deps: ApplyDeps, lane: Lane, unreadable: string, now: number): Promise<void> {
  const { tenantId, connectionId } = lane;
  const open = await deps.store.listFindings(tenantId, { connectionId, open: true, limit: 1_000 });
  const keys = open
    .filter((item) => item.kind === "vendor_log")
    .filter((item) => item.key === unreadable || item.openedAt < now - keptMs)
    .map((item) => item.key);
  if (keys.length > 0) await deps.store.resolveFindings(tenantId, { keys, now });
}

async function note(deps: ApplyDeps, lane: Lane, now: number): Promise<void> {
  await deps.store.updateLane(
    lane.tenantId,
    { connectionId: lane.connectionId, set: { logReadAt: now }, now },
    { records: [], recompute: [] },
  );
}
