import { createHash } from "node:crypto";
import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget, TargetReason, TargetState } from "../accounts/target.ts";
import { isOver } from "../model/account.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { Instant } from "../model/clock.ts";
import type { JsonObject } from "../model/json.ts";
import { canonicalJson } from "../model/canonical-json.ts";
import { newRecord } from "../model/records.ts";
import type { Plan } from "../plan/step.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Look } from "./look.ts";

/** What a look at a target came to: how its lease ends. */
export interface Verdict {
  readonly state: TargetState;
  readonly reason: TargetReason | null;
  readonly dueAt: Instant | null;
  readonly attempts: number;
  /** A complete read agreed with the generation. */
  readonly reached: boolean;
  readonly notes: JsonObject;
}

/** What the case of a leaver still asks for. */
interface LeaverDuties {
  /** People owe something here, so that the target is looked at again. */
  owesMore(): Promise<boolean>;
  /** The last declared read agreed. */
  verified(facts: JsonObject): Promise<void>;
}

/** How often what people owe is looked for. */
const dutyLookMs = 60 * 60_000;

const weight: Readonly<Record<TargetState, number>> = {
  parked: 5,
  held: 4,
  manual: 3,
  waiting: 2,
  due: 1,
  idle: 0,
};

/** The verdict that says most about a target when several parts of it wait: parked before held before waiting; the earliest due instant counts. */
export function heaviest(verdicts: readonly Verdict[]): Verdict | undefined {
  const sorted = [...verdicts].sort((a, b) => weight[b.state] - weight[a.state]);
  const first = sorted[0];
  if (first === undefined) return undefined;
  const due = verdicts.flatMap((verdict) => (verdict.dueAt === null ? [] : [verdict.dueAt]));
  return { ...first, dueAt: due.length === 0 ? null : Math.min(...due) };
}

/**
 * A complete look agrees with the wish as far as it can: an open invitation waits for its person, a leaver's absence is read
 * again at the declared times, everybody else is done.
 */
export async function convergedVerdict(
  deps: ApplyDeps,
  lane: Lane,
  target: LeasedTarget,
  plan: Plan,
  look: Look,
  facts: VendorFacts,
  notes: JsonObject,
  leaver: LeaverDuties | undefined,
): Promise<Verdict> {
  const base = { attempts: 0, notes };
  if (target.desired.lifecycle === "departed")
    return absentVerdict(deps, lane, target, look, facts, notes, leaver);
  if (look.account?.state === "invited" || plan.afterAcceptance.length > 0) {
    return {
      ...base,
      state: "waiting",
      reason: { code: "INVITATION_OPEN", text: "invited; waits for the person to accept" },
      dueAt: look.account?.expiresAt === undefined ? null : look.account.expiresAt + 1_000,
      reached: false,
    };
  }
  const active = look.account?.state === "active";
  return {
    ...base,
    notes: active ? { ...notes, invitesSent: 0, goneAt: null } : notes,
    state: "idle",
    reason: null,
    dueAt: null,
    reached: true,
  };
}

async function absentVerdict(
  deps: ApplyDeps,
  lane: Lane,
  target: LeasedTarget,
  look: Look,
  facts: VendorFacts,
  notes: JsonObject,
  leaver: LeaverDuties | undefined,
): Promise<Verdict> {
  const now = deps.clock.now();
  const present = look.account !== undefined && !isOver(look.account, facts);
  if (!present && look.link === undefined && (await leaver?.owesMore()) === true)
    return owedByPeople(now, { ...notes, goneAt: null });
  if (present || look.link === undefined) {
    // Present: something blocks the removal and says so itself. Never linked: there is nothing to verify.
    return {
      state: "idle",
      reason: null,
      dueAt: null,
      attempts: 0,
      reached: !present,
      notes: { ...notes, goneAt: null },
    };
  }
  const goneAt = typeof notes.goneAt === "number" ? notes.goneAt : now;
  const next = lane.policy.timing.verifyMs.map((ms) => goneAt + ms).find((at) => at > now);
  if (next !== undefined) {
    return {
      state: "waiting",
      reason: { code: "VERIFY_AGAIN", text: "the account is gone; its absence is read again" },
      dueAt: next,
      attempts: 0,
      reached: true,
      notes: { ...notes, goneAt },
    };
  }
  await leaver?.verified({ accountId: look.link.accountId, goneAt, verifiedAt: now });
  if ((await leaver?.owesMore()) === true) return owedByPeople(now, { ...notes, goneAt });
  await deps.store.changeLink(
    target.tenantId,
    {
      connectionId: target.connectionId,
      identityId: target.identityId,
      change: { op: "remove" },
      now,
    },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "leaver.verified",
          subject: { type: "identity", id: target.identityId },
          connectionId: target.connectionId,
          cause: target.cause,
          facts: {
            ...{ accountId: look.link.accountId, goneAt, verifiedAt: now },
            readBack: readBackHash(look),
          },
        }),
      ],
      recompute: [],
    },
  );
  return {
    state: "idle",
    reason: null,
    dueAt: null,
    attempts: 0,
    reached: true,
    notes: { ...notes, goneAt },
  };
}

/** SHA-256 (hex) of what the vendor showed: no account, whatever look-alikes there are, and how old that may be. */
function readBackHash({ account, grants, lookalikes, shownAt }: Look): string {
  const shown = {
    ...{ account: account?.accountId ?? null, state: account?.state ?? null, shownAt },
    grants: grants.map(({ kind, objectId, role }) => ({ kind, objectId, role })),
    lookalikes: lookalikes.map((item) => item.accountId).toSorted(),
  };
  return createHash("sha256").update(canonicalJson(shown)).digest("hex");
}

function owedByPeople(now: Instant, notes: JsonObject): Verdict {
  return {
    state: "manual",
    reason: {
      code: "MANUAL_STEP",
      text: "the account is gone and people still owe something: `rolecall case show`",
    },
    dueAt: now + dutyLookMs,
    attempts: 0,
    reached: true,
    notes,
  };
}
