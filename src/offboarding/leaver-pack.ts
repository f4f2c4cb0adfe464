import { createHash } from "node:crypto";
import type { Intent } from "../accounts/intent.ts";
import type { LeaverCase, Obligation } from "../accounts/leaver-case.ts";
import { canonicalJson } from "../model/canonical-json.ts";
import type { Instant } from "../model/clock.ts";
import type { ConnectionId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import type { Channel } from "../model/vendor-facts.ts";
import type { OffboardingDeps } from "./offboarding-deps.ts";

/** Seconds from both starts of the clock; `hr` only where HR told a leave instant. */
export interface TwoClocks {
  readonly fromSignal: number;
  readonly fromHr: number | undefined;
}

/** One connection's part of the story. */
export interface ConnectionStory {
  readonly connectionId: ConnectionId;
  readonly channel: Channel;
  readonly obligations: readonly Obligation[];
  /** From T0 to the end of access, on both clocks; undefined while it goes on. */
  readonly contained: TwoClocks | undefined;
  readonly removed: TwoClocks | undefined;
  readonly verified: TwoClocks | undefined;
  /** Every write that was allowed since the signal, oldest first. */
  readonly writes: readonly Pick<Intent, "intentId" | "step" | "slot" | "state" | "sentAt">[];
}

/** What an auditor gets of one leaver: facts and times without a personal value, and what is still open. */
export interface LeaverPack {
  readonly case: LeaverCase;
  readonly connections: readonly ConnectionStory[];
  readonly open: readonly Obligation[];
  /** Ids of the audit records of this person since the signal: their proofs are in the tree. */
  readonly records: readonly string[];
}

/** Who left how, told from rows. Reading it twice of an ended case gives the same. */
export async function leaverPack(deps: OffboardingDeps, item: LeaverCase): Promise<LeaverPack> {
  const { tenantId, caseId, identityId } = item;
  const obligations = await deps.store.listObligations(tenantId, { caseId, limit: 1_000 });
  const byConnection = Map.groupBy(obligations, (duty) => duty.connectionId);
  const connections: ConnectionStory[] = [];
  for (const [connectionId, own] of byConnection) {
    if (connectionId === undefined) continue;
    connections.push(await connectionStory(deps, item, connectionId, own));
  }
  const records = await deps.store.findRecords(tenantId, { identityId, limit: 1_000 });
  return {
    case: item,
    connections,
    open: obligations.filter((duty) => duty.state === "open"),
    records: records
      .filter((stored) => stored.record.at >= item.t0)
      .map((stored) => stored.record.recordId)
      .toReversed(),
  };
}

async function connectionStory(
  deps: OffboardingDeps,
  item: LeaverCase,
  connectionId: ConnectionId,
  obligations: readonly Obligation[],
): Promise<ConnectionStory> {
  const intents = await deps.store.listIntents(item.tenantId, connectionId, item.identityId, 500);
  const doneAt = (kind: Obligation["kind"]) =>
    clocksOf(item, obligations.find((duty) => duty.kind === kind)?.doneAt);
  return {
    connectionId,
    channel: obligations.find((duty) => duty.kind === "remove")?.channel ?? "api",
    obligations,
    contained: doneAt("contain"),
    removed: doneAt("remove"),
    verified: doneAt("verify"),
    writes: intents
      .filter((intent) => intent.sentAt >= item.t0)
      .map(({ intentId, step, slot, state, sentAt }) => ({ intentId, step, slot, state, sentAt }))
      .toReversed(),
  };
}

function clocksOf(item: LeaverCase, at: Instant | undefined): TwoClocks | undefined {
  if (at === undefined) return undefined;
  const seconds = (since: Instant) => Math.max(0, at - since) / 1_000;
  return {
    fromSignal: seconds(item.signalAt),
    fromHr: item.hrAt === undefined ? undefined : seconds(item.hrAt),
  };
}

/** SHA-256 (hex) of the pack's canonical JSON: what the audit record names. */
export function packHash(pack: LeaverPack): string {
  const plain = JSON.parse(JSON.stringify(pack)) as Json;
  return createHash("sha256").update(canonicalJson(plain)).digest("hex");
}
