import type { Lane } from "../accounts/lane.ts";
import type { Call, Connector, EndOfList } from "../connectors/connector.ts";
import type { ConnectRead, ConnectReport } from "../model/connect-report.ts";
import { SyncError } from "../model/errors.ts";
import { DAY_MS } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { believeCheck } from "./lane-check.ts";
import { openLane } from "./lane-keeper.ts";

/** How far back the vendor's own log is asked. */
const logMs = 30 * DAY_MS;

/**
 * Looks at a connection before it is trusted: whom the credential answers for (pinned by the first look), what it can read, what is
 * limited, and every call that will ever be made. Only reads. What is wrong is in the report; faults of ours are thrown.
 */
export async function connectReport(deps: ApplyDeps, lane: Lane): Promise<ConnectReport> {
  const connector = deps.connectorOf(lane.vendor, lane.profile, lane.policy.target);
  if (connector === undefined) throw new Error(`no connector for ${lane.vendor}/${lane.profile}`);
  const base = described(lane, connector.facts);
  try {
    const { call, fingerprint } = await openLane(deps, lane);
    const report = await connector.check(call);
    const checked = await believeCheck(deps, lane, report, fingerprint);
    return {
      ...base,
      organization: checked.organization,
      pin: lane.organization === null ? "new" : "same",
      notes: report.notes,
      reads: await readEach(connector, call),
    };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return {
      ...base,
      vendorOwnsMembership: error.code === "VENDOR_OWNS_MEMBERSHIP",
      problem: { code: error.code, text: error.message },
    };
  }
}

function described(lane: Lane, facts: VendorFacts): ConnectReport {
  const scopes = facts.endpoints.flatMap((item) => item.scope ?? []);
  return {
    connectionId: lane.connectionId,
    vendor: facts.vendor,
    profile: facts.profile,
    mode: lane.policy.mode,
    organization: lane.organization,
    pin: null,
    problem: null,
    notes: [],
    reads: [],
    vendorOwnsMembership: false,
    scopes: [...new Set(scopes)].sort(),
    limits: facts.buckets.map(({ name, capacity: calls, perMs }) => ({ name, calls, perMs })),
    endpoints: facts.endpoints.map(({ method, path, access, scope, service }) => ({
      method,
      path: `${facts.services?.[service ?? ""]?.path ?? ""}${path}`,
      access,
      scope: scope ?? null,
    })),
    byHand: Object.values(facts.kinds)
      .filter((kind) => kind.byHand !== undefined)
      .map((kind) =>
        kind.byHand?.always === true
          ? kind.title
          : `${kind.title}, where the workspace lacks the write`,
      ),
    impossible: facts.impossible,
  };
}

async function readEach(connector: Connector, call: Call): Promise<readonly ConnectRead[]> {
  const { keys, activity } = connector;
  const reads: ConnectRead[] = [
    await tryRead("accounts", "nobody is listed", () => connector.listAccounts(call)),
  ];
  if (Object.values(connector.facts.kinds).some((kind) => kind.object !== "none"))
    reads.push(await tryRead("objects", "nothing is listed", () => connector.listObjects(call)));
  if (keys !== undefined)
    reads.push(await tryRead("API keys", "no key is listed", () => keys.list(call)));
  if (activity !== undefined) {
    const empty = "the log is empty or not in the plan: that is not proof that nothing happened";
    reads.push(await tryRead("activity log", empty, () => activity.list(call, call.now() - logMs)));
  }
  return reads;
}

/** The first item is enough: it proves the right to read. */
async function tryRead(
  what: string,
  empty: string,
  list: () => AsyncIterable<object | EndOfList>,
): Promise<ConnectRead> {
  try {
    for await (const item of list()) {
      if ("complete" in item) break;
      return { what, outcome: "answers", text: "readable" };
    }
    return { what, outcome: "empty", text: empty };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    if (error.code === "ROSTER_MISSING") return { what, outcome: "empty", text: error.message };
    const plan = error.code === "VENDOR_PLAN_REQUIRED" && what === "activity log";
    return plan
      ? { what, outcome: "empty", text: empty }
      : { what, outcome: "refused", text: `${error.code}: ${error.message}` };
  }
}
