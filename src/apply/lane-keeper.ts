import type { Lane } from "../accounts/lane.ts";
import { priorities } from "../accounts/target.ts";
import type { Call, Connector } from "../connectors/connector.ts";
import { openLane } from "./open-lane.ts";
import { keepThings } from "./keep-things.ts";
import { logPeriodMs, watchLog } from "./watch-log.ts";
import type { VendorAccount, VendorObject } from "../model/account.ts";
import { SyncError } from "../model/errors.ts";
import { newId, type AccountId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { ensureChecked, pauseLane } from "./lane-check.ts";

const pageSize = 500;
/** A listing that lost more than this fraction since the last one is not believed. */
const shrinkMax = 0.2;
/** Pauses between probes of a lane that paused itself: 1, 5, 15, then 60 minutes. */
const probeMs = [60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000] as const;

/**
 * Keeps one lane's own knowledge fresh: pin, objects, the listing of all accounts; and tries a paused credential again.
 * Run under a leased schedule row, so that one worker of the fleet does it at a time.
 */
export async function keepLane(deps: ApplyDeps, lane: Lane): Promise<void> {
  if (lane.state === "paused") await probe(deps, lane);
  else if (laneNeedsKeeping(lane, deps.clock.now())) await refresh(deps, lane);
}

/** Whether `keepLane` would do something now. */
export function laneNeedsKeeping(lane: Lane, now: number): boolean {
  if (lane.state === "paused") return lane.pause?.code !== "OPERATOR" && (lane.probeAt ?? 0) <= now;
  if (lane.breakerUntil !== null && lane.breakerUntil > now) return false;
  return listingDue(lane, now) || logDue(lane, now);
}

function listingDue(lane: Lane, now: number): boolean {
  return lane.nextListAt === null || lane.nextListAt <= now || laneIsBusyLate(lane, now);
}

/** Lanes whose vendor has a log begin to be watched at their first listing. */
function logDue(lane: Lane, now: number): boolean {
  return lane.logReadAt !== null && lane.logReadAt + logPeriodMs <= now;
}

/** Open invitations want a listing every few minutes, even where the next one was planned for tomorrow. */
function laneIsBusyLate(lane: Lane, now: number): boolean {
  return lane.openInvitations > 0 && (lane.listedAt ?? 0) + 5 * 60_000 <= now;
}

async function refresh(deps: ApplyDeps, lane: Lane): Promise<void> {
  try {
    const { connector, call, fingerprint } = await openLane(deps, lane);
    const checked = await ensureChecked(deps, lane, connector, call, fingerprint);
    const now = deps.clock.now();
    const due = listingDue(lane, now);
    if (due || logDue(lane, now)) {
      const { accessTouched } = await watchLog(deps, checked, connector, call);
      if (!due && !accessTouched) return;
    }
    // First: what it makes, people may be put into.
    await keepThingsApart(deps, checked);
    await readObjects(deps, checked, connector, call);
    await listAccounts(deps, checked, connector, call);
  } catch (error) {
    await afterFailure(deps, lane, error);
  }
}

/** Whatever becomes of keys and tags, members are listed. */
async function keepThingsApart(deps: ApplyDeps, lane: Lane): Promise<void> {
  try {
    await keepThings(deps, lane);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    deps.logger.warn(
      { code: error.code, tenantId: lane.tenantId, connectionId: lane.connectionId },
      "declared things not looked after; tried again",
    );
  }
}

async function readObjects(
  deps: ApplyDeps,
  lane: Lane,
  connector: Connector,
  call: Call,
): Promise<void> {
  const objects: VendorObject[] = [];
  let complete = false;
  for await (const item of connector.listObjects(call)) {
    if ("complete" in item) complete = true;
    else objects.push(item);
  }
  if (!complete)
    throw new SyncError(
      "VENDOR_READ_INCOMPLETE",
      "the list of objects ended without its end marker",
    );
  const { changed } = await deps.store.recordObjects(lane.tenantId, {
    connectionId: lane.connectionId,
    objects,
    now: deps.clock.now(),
  });
  if (changed) await deps.afterObjects(lane.tenantId, lane.connectionId);
}

async function listAccounts(
  deps: ApplyDeps,
  lane: Lane,
  connector: Connector,
  call: Call,
): Promise<void> {
  const { tenantId, connectionId } = lane;
  const listingId = newId(deps.clock);
  const changed = new Set<AccountId>();
  let page: VendorAccount[] = [];
  let count: number | undefined;
  const flush = async () => {
    if (page.length === 0) return;
    const now = deps.clock.now();
    for (const id of await deps.store.recordListing(tenantId, {
      connectionId,
      listingId,
      accounts: page,
      now,
    }))
      changed.add(id);
    page = [];
  };
  for await (const item of connector.listAccounts(call)) {
    if ("complete" in item) count = item.count;
    else page.push(item);
    if (page.length >= pageSize) await flush();
  }
  await flush();
  if (count === undefined)
    throw new SyncError(
      "VENDOR_READ_INCOMPLETE",
      "the list of accounts ended without its end marker",
    );
  const now = deps.clock.now();
  const finished = await deps.store.finishListing(tenantId, {
    connectionId,
    listingId,
    count,
    shrinkMax,
    now,
  });
  if (finished.implausible) await reportImplausible(deps, lane, count, finished.previousCount ?? 0);
  else finished.gone.forEach((id) => changed.add(id));
  const after = await deps.store.getLane(tenantId, connectionId);
  const watched = (await deps.store.countCases()).some((row) => row.tenantId === tenantId);
  const quietMs = watched ? deps.timing.listWatchMs : deps.timing.listQuietMs;
  const periodMs = (after?.openInvitations ?? 0) > 0 ? deps.timing.listBusyMs : quietMs;
  await deps.store.updateLane(
    tenantId,
    {
      connectionId,
      set: {
        listedAt: finished.implausible ? lane.listedAt : now,
        nextListAt: now + (finished.implausible ? deps.timing.listBusyMs : periodMs),
      },
      now,
    },
    { records: [], recompute: [] },
  );
  await deps.afterListing(tenantId, connectionId, [...changed]);
}

async function reportImplausible(
  deps: ApplyDeps,
  lane: Lane,
  count: number,
  previous: number,
): Promise<void> {
  await deps.store.raiseFindings(lane.tenantId, {
    findings: [
      {
        key: `implausible:${lane.connectionId}`,
        kind: "implausible_listing",
        severity: "warning",
        connectionId: lane.connectionId,
        text: `the vendor listed ${String(count)} accounts where it listed ${String(previous)} before: nothing is concluded from who is missing`,
        facts: { count, previous },
      },
    ],
    now: deps.clock.now(),
  });
}

async function afterFailure(deps: ApplyDeps, lane: Lane, error: unknown): Promise<void> {
  if (error instanceof SyncError && error.disposition === "pause") {
    await pauseLane(deps, lane, error);
    return;
  }
  deps.logger.warn(
    { err: error, tenantId: lane.tenantId, connectionId: lane.connectionId },
    "lane not refreshed; it is tried again",
  );
  const now = deps.clock.now();
  const retryAfterMs = error instanceof SyncError ? (error.retryAfterMs ?? 30_000) : 30_000;
  await deps.store.updateLane(
    lane.tenantId,
    { connectionId: lane.connectionId, set: { nextListAt: now + retryAfterMs }, now },
    { records: [], recompute: [] },
  );
}

async function probe(deps: ApplyDeps, lane: Lane): Promise<void> {
  const now = deps.clock.now();
  try {
    const { connector, call, fingerprint } = await openLane(deps, lane);
    await ensureChecked(deps, { ...lane, checkedAt: null }, connector, call, fingerprint);
  } catch (error) {
    const since = lane.pause?.since ?? now;
    const wait = probeMs.find((ms) => since + ms > now) ?? 60 * 60_000;
    await deps.store.updateLane(
      lane.tenantId,
      { connectionId: lane.connectionId, set: { probeAt: now + wait }, now },
      { records: [], recompute: [] },
    );
    deps.logger.warn(
      { err: error, connectionId: lane.connectionId, tenantId: lane.tenantId },
      "paused lane probed in vain",
    );
    return;
  }
  await resumeLane(deps, lane, "its credential answers again");
}

/** Opens a lane and wakes what waited behind it. */
export async function resumeLane(
  deps: Pick<ApplyDeps, "store" | "clock" | "actor">,
  lane: Lane,
  why: string,
): Promise<void> {
  const now = deps.clock.now();
  await deps.store.updateLane(
    lane.tenantId,
    {
      connectionId: lane.connectionId,
      set: { state: "open", pause: null, probeAt: null, breakerUntil: null, nextListAt: null },
      now,
    },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "connection.resumed",
          subject: { type: "connection", id: lane.connectionId },
          connectionId: lane.connectionId,
          facts: { why },
        }),
      ],
      recompute: [],
    },
  );
  await deps.store.resolveFindings(lane.tenantId, {
    keys: [`lane_paused:${lane.connectionId}`],
    now,
  });
  await deps.store.wakeTargets(
    lane.tenantId,
    { connectionId: lane.connectionId, identityIds: "all", priority: priorities.background, now },
    { records: [], recompute: [] },
  );
}
