import type { Lane } from "../accounts/lane.ts";
import type { Call, Connector, EndOfList } from "../connectors/connector.ts";
import type { ConnectRead, ConnectReport } from "../model/connect-report.ts";
import { thingKinds } from "../model/declared.ts";
import { SyncError } from "../model/errors.ts";
import { DAY_MS } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { believeCheck } from "./lane-check.ts";
import { openLane } from "./open-lane.ts";

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
    const seen = await readEach(connector, call, lane);
    const { kind, owner } = report.credential;
    return {
      ...base,
      organization: checked.organization,
      pin: lane.organization === null ? "new" : "same",
      credential: { kind, owner: owner ?? null },
      notes: report.notes,
      reads: seen.map(({ what, outcome, text }) => ({ what, outcome, text })),
      scopesMissing: distinct(seen.flatMap((item) => scopeOf(connector.facts, item.missing))),
      scopesBeyond: await readBeyond(connector, call, lane),
      planGates: seen.flatMap((item) => (item.gate ? [`${item.what}: ${item.text}`] : [])),
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

/** One read, with what its refusal says of the credential. */
interface SeenRead extends ConnectRead {
  readonly missing?: SyncError;
  readonly gate?: boolean;
}

const distinct = (items: readonly string[]): readonly string[] => [...new Set(items)].sort();

function scopeOf(facts: VendorFacts, error: SyncError | undefined): readonly string[] {
  const operation = error?.facts.operation;
  return facts.endpoints.flatMap((item) =>
    item.operation === operation && item.scope !== undefined ? [item.scope] : [],
  );
}

/** Operations of declared things that this connection declares none of. */
function unneeded(lane: Lane, facts: VendorFacts): ReadonlySet<string> {
  const declared = new Set(lane.policy.declares?.map((item) => item.kind));
  const operations = new Set<string>();
  for (const kind of thingKinds) {
    const isAudited = kind === "api_key" && lane.policy.declares !== undefined;
    if (declared.has(kind) || isAudited) continue;
    for (const operation of facts.things?.[kind]?.reads ?? []) operations.add(operation);
  }
  return operations;
}

/** Scopes of reads that answer and that nothing here needs: a smaller credential would do. One call each. */
async function readBeyond(
  connector: Connector,
  call: Call,
  lane: Lane,
): Promise<readonly string[]> {
  const beyond: string[] = [];
  for (const operation of unneeded(lane, connector.facts)) {
    const scope = connector.facts.endpoints.find((item) => item.operation === operation)?.scope;
    if (scope === undefined) continue;
    try {
      await call.http.request({ operation, query: { limit: 1 }, parse: () => undefined });
      beyond.push(scope);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
    }
  }
  return distinct(beyond);
}

function described(lane: Lane, facts: VendorFacts): ConnectReport {
  const skipped = unneeded(lane, facts);
  const scopes = facts.endpoints
    .filter((item) => !skipped.has(item.operation))
    .flatMap((item) => item.scope ?? []);
  return {
    connectionId: lane.connectionId,
    vendor: facts.vendor,
    profile: facts.profile,
    mode: lane.policy.mode,
    organization: lane.organization,
    pin: null,
    problem: null,
    credential: null,
    notes: [],
    reads: [],
    vendorOwnsMembership: false,
    scopes: distinct(scopes),
    scopesMissing: [],
    scopesBeyond: [],
    planGates: [],
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

async function readEach(
  connector: Connector,
  call: Call,
  lane: Lane,
): Promise<readonly SeenRead[]> {
  const { keys, activity, things } = connector;
  const reads: SeenRead[] = [
    await tryRead("accounts", "nobody is listed", () => connector.listAccounts(call)),
  ];
  if (Object.values(connector.facts.kinds).some((kind) => kind.object !== "none"))
    reads.push(await tryRead("objects", "nothing is listed", () => connector.listObjects(call)));
  if (keys !== undefined)
    reads.push(await tryRead("API keys", "no key is listed", () => keys.list(call)));
  for (const kind of thingKinds) {
    const facts = connector.facts.things?.[kind];
    const declared = lane.policy.declares?.filter((item) => item.kind === kind) ?? [];
    if (things === undefined || facts?.api.includes("list") !== true || declared.length === 0)
      continue;
    const what = `declared: ${facts.title}`;
    reads.push(await tryRead(what, "none is there", () => things.list(call, kind, declared)));
  }
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
): Promise<SeenRead> {
  try {
    for await (const item of list()) {
      if ("complete" in item) break;
      return { what, outcome: "answers", text: "readable" };
    }
    return { what, outcome: "empty", text: empty };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    if (error.code === "ROSTER_MISSING") return { what, outcome: "empty", text: error.message };
    const gate = error.code === "VENDOR_PLAN_REQUIRED";
    if (gate && what === "activity log") return { what, outcome: "empty", text: empty, gate };
    const text = `${error.code}: ${error.message}`;
    const missing = error.code === "CREDENTIAL_SCOPE_MISSING" ? error : undefined;
    return { what, outcome: "refused", text, gate, ...(missing && { missing }) };
  }
}
