import type { PersonState, TargetWish } from "../accounts/account-store.ts";
import {
  deadlineMs,
  type LeaverCase,
  type LeaverSight,
  type ObligationDraft,
} from "../accounts/leaver-case.ts";
import type { Instant } from "../model/clock.ts";
import type { Departure } from "../model/employment.ts";
import type { IdentityFacts } from "../model/identity.ts";
import { newId, type CaseId, type ConnectionId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import type { Channel } from "../model/vendor-facts.ts";
import { channelOf } from "../plan/channel.ts";
import type { SyncDeps } from "./sync-deps.ts";
import type { World } from "./world.ts";

/**
 * What a recompute says of somebody's leaving: they are gone, and this is owed wherever something of theirs is or was; or they are here
 * although a case is theirs. Undefined: neither.
 */
export function leaverSight(
  deps: Pick<SyncDeps, "clock" | "actor">,
  world: World,
  person: IdentityFacts,
  departure: Departure | undefined,
  state: PersonState,
  wishes: readonly TargetWish[],
): LeaverSight | undefined {
  if (departure === undefined) {
    if (state.leaverCase === undefined) return undefined;
    return {
      gone: false,
      record: newRecord(deps.clock, {
        actor: deps.actor,
        action: state.leaverCase.state === "open" ? "case.cancelled" : "case.ended_by_return",
        subject: { type: "identity", id: person.identityId },
        facts: { caseId: state.leaverCase.caseId },
      }),
    };
  }
  const clocks = clocksOf(person, departure);
  const channels = channelsOf(world, state, wishes);
  const caseId = newId<CaseId>(deps.clock);
  return {
    gone: true,
    draft: {
      caseId,
      ...clocks,
      obligations: obligationsOf(channels, clocks.signalAt),
      record: newRecord(deps.clock, {
        actor: deps.actor,
        action: "case.opened",
        subject: { type: "identity", id: person.identityId },
        facts: {
          caseId,
          source: clocks.source,
          t0: clocks.t0,
          hrAt: clocks.hrAt ?? null,
          signalAt: clocks.signalAt,
          connections: [...channels.keys()],
        },
      }),
    },
  };
}

/** T0 and the accepted signal, by who told first. Without HR the signal of the IdP is T0. */
function clocksOf(
  person: IdentityFacts,
  departure: Departure,
): Pick<LeaverCase, "source" | "t0" | "hrAt" | "signalAt"> {
  const { acceptedAt, hrAt, by } = departure;
  const ordered = person.departedAt !== undefined && person.departedAt <= acceptedAt;
  return {
    source: ordered ? "operator" : by,
    t0: Math.min(acceptedAt, hrAt ?? acceptedAt),
    hrAt,
    signalAt: acceptedAt,
  };
}

/** Every connection with something of theirs, and how its vendor is reached. */
function channelsOf(
  world: World,
  state: PersonState,
  wishes: readonly TargetWish[],
): ReadonlyMap<ConnectionId, Channel> {
  const theirs = new Set([
    ...wishes.map((wish) => wish.connectionId),
    ...state.links.map((link) => link.connectionId),
    ...state.ledger.map((entry) => entry.connectionId),
  ]);
  const known = new Map(
    world.connections.map((item) => [item.version.connectionId, item.facts] as const),
  );
  return new Map(
    [...theirs].sort().map((connectionId) => {
      const facts = known.get(connectionId);
      // No active mapping, so nobody but a person works there any more.
      return [connectionId, facts === undefined ? "manual" : channelOf(facts)] as const;
    }),
  );
}

function obligationsOf(
  channels: ReadonlyMap<ConnectionId, Channel>,
  signalAt: Instant,
): readonly ObligationDraft[] {
  if (channels.size === 0) return [];
  const duties = [...channels].flatMap(([connectionId, channel]) =>
    (["contain", "remove", "verify"] as const).map((kind) => ({
      connectionId,
      kind,
      subject: "",
      channel,
      deadline: signalAt + deadlineMs[kind],
      facts: {},
    })),
  );
  return [
    ...duties,
    {
      connectionId: undefined,
      kind: "evidence",
      subject: "",
      channel: "api",
      deadline: signalAt + deadlineMs.evidence,
      facts: {},
    },
  ];
}
