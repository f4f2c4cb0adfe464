import type { Lane } from "../accounts/lane.ts";
import type { Call } from "../connectors/connector.ts";
import { SyncError } from "../model/errors.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { Breaker } from "./breaker.ts";
import { createGovernor } from "./governor.ts";
import { rosterOf } from "./roster.ts";

function refuseWrites(): never {
  throw new SyncError("INTENT_EXPIRED", "a lane is kept by reading only");
}

/** A way to the vendor that only reads, unless told otherwise. @throws SyncError when the credential cannot be opened */
export async function openLane(
  deps: ApplyDeps,
  lane: Lane,
  beforeWrite: () => void = refuseWrites,
) {
  const connector = deps.connectorOf(lane.vendor, lane.profile, lane.policy.target);
  if (connector === undefined) {
    throw new SyncError(
      "INTERNAL",
      `this build has no connector for ${lane.vendor}/${lane.profile}`,
    );
  }
  const abort = new AbortController();
  const opened = await deps.openHttp(lane, {
    governor: createGovernor(deps, lane, connector.facts, {
      leaver: false,
      breaker: new Breaker(deps.clock),
    }),
    beforeWrite,
    signal: abort.signal,
  });
  const call: Call = {
    http: opened.http,
    signal: abort.signal,
    now: () => deps.clock.now(),
    ...(await rosterOf(deps, lane, connector.facts)),
  };
  const { isOwnKey = () => false } = opened;
  return { connector, call, fingerprint: opened.credentialFingerprint, isOwnKey };
}
