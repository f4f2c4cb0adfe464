import type { Intent } from "../accounts/intent.ts";
import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Call, Connector } from "../connectors/connector.ts";
import { SyncError } from "../model/errors.ts";
import { isOver } from "../model/account.ts";
import { slotKey } from "../model/entitlement.ts";
import type { JsonObject } from "../model/json.ts";
import type { ManualTask } from "../model/manual-work.ts";
import { DAY_MS } from "../model/policy.ts";
import { accountKindOf, planTarget } from "../plan/plan.ts";
import { renderPlan } from "../plan/render.ts";
import type { Plan, Step } from "../plan/step.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Breaker } from "./breaker.ts";
import { byHandKinds, leaveToPeople, manualLookMs, manualWorkOf } from "./by-hand.ts";
import { endFight, foughtVerdict, repairNote, splitFought } from "./fights.ts";
import { reportPlan, reportRemainingKeys, toldOf } from "./findings.ts";
import { rosterOf } from "./roster.ts";
import { createGovernor } from "./governor.ts";
import { errorVerdict, waiting } from "./error-verdict.ts";
import { keepLease } from "./keep-lease.ts";
import { ensureChecked } from "./lane-check.ts";
import { LeaverWork } from "./leaver-work.ts";
import { heldOf, lookAt, type Held, type Look } from "./look.ts";
import { releaseTarget } from "./release-target.ts";
import { refusalVerdict, reserveStep } from "./refusal.ts";
import { runStep, WriteWindow, type StepContext, type StepResult } from "./run-step.ts";
import { judgeableAt, settleIntents } from "./settle-intents.ts";
import { UnsavedLook } from "./unsaved-look.ts";
import { convergedVerdict, heaviest, type Verdict } from "./verdict.ts";

/** How often one lease looks, acts and looks again before it comes back later. */
const roundsMax = 4;

/**
 * Makes one vendor agree about one person: look, plan, pass the gate, act, look again. Nothing is remembered between leases but
 * what the store holds, so a crash anywhere is repaired by the next lease. Answers how it ended; undefined: in other hands.
 */
export async function reconcile(
  deps: ApplyDeps,
  breaker: Breaker,
  target: LeasedTarget,
): Promise<Verdict | undefined> {
  const { tenantId, connectionId, identityId } = target;
  const [lane, intents, held, told] = await Promise.all([
    deps.store.getLane(tenantId, connectionId),
    deps.store.openIntents(tenantId, connectionId, identityId),
    heldOf(deps, target),
    toldOf(deps, target),
  ]);
  if (lane === undefined) return undefined;
  const abort = new AbortController();
  const stopRenewing = keepLease(deps, target, abort);
  const unsaved = new UnsavedLook(deps, target);
  const start: Start = { lane, target, intents, held, told, unsaved, signal: abort.signal };
  try {
    const verdict = await judge(deps, breaker, start);
    if (verdict === "abandoned") return undefined;
    await releaseTarget(deps, lane, target, verdict, unsaved);
    return verdict;
  } finally {
    stopRenewing();
    const restUntil = breaker.takeRest();
    if (restUntil !== undefined) await restLane(deps, lane, restUntil);
  }
}

type Judged = Verdict | "abandoned";

/** What a lease begins with: one question to the store. */
interface Start {
  readonly lane: Lane;
  readonly target: LeasedTarget;
  readonly intents: readonly Intent[];
  readonly held: Held;
  readonly told: readonly string[];
  readonly unsaved: UnsavedLook;
  readonly signal: AbortSignal;
}

async function judge(deps: ApplyDeps, breaker: Breaker, start: Start): Promise<Judged> {
  const { lane, target, signal } = start;
  // What a lease learns on its way is kept even where it ends in an error.
  const notebook: Notebook = { notes: target.notes };
  try {
    return await lookAndAct(deps, breaker, start, notebook);
  } catch (error) {
    if (signal.aborted) return "abandoned";
    return errorVerdict(deps, lane, { ...target, notes: notebook.notes }, error);
  }
}

interface Notebook {
  notes: JsonObject;
}

async function lookAndAct(
  deps: ApplyDeps,
  breaker: Breaker,
  start: Start,
  notebook: Notebook,
): Promise<Judged> {
  const { lane, target, intents, signal } = start;
  const connector = deps.connectorOf(lane.vendor, lane.profile, lane.policy.target);
  if (connector === undefined) {
    throw new SyncError(
      "INTERNAL",
      `this build has no connector for ${lane.vendor}/${lane.profile}`,
    );
  }
  const window = new WriteWindow();
  const governor = createGovernor(deps, lane, connector.facts, {
    leaver: target.desired.lifecycle === "departed",
    breaker,
  });
  const opened = await deps.openHttp(lane, {
    governor,
    beforeWrite: () => {
      window.assertOpen(deps.clock.monotonic());
    },
    signal,
  });
  const call: Call = {
    http: opened.http,
    signal,
    now: () => deps.clock.now(),
    // A leaver waits for nobody else's read, and what is said of them is of now.
    ...(intents.length === 0 && target.desired.lifecycle !== "departed"
      ? { share: sharedBy(deps, lane, opened.credentialFingerprint) }
      : {}),
    ...(await rosterOf(deps, lane, connector.facts)),
  };
  const judgeable = judgeableAt(deps, intents, target.fence);
  if (judgeable !== undefined && judgeable > deps.clock.now()) {
    return waiting(
      target,
      "AMBIGUOUS",
      "an interrupted write is read back before anything else is sent",
      judgeable,
    );
  }
  const checked = await ensureChecked(deps, lane, connector, call, opened.credentialFingerprint);
  deps.metrics.observe(
    "rolecall_event_to_call_seconds",
    (deps.clock.now() - target.wishedAt) / 1000,
    {
      tenant: target.tenantId,
      connection: target.connectionId,
    },
  );
  const rounds = new Rounds({
    deps,
    lane: checked,
    connector,
    call,
    target,
    window,
    fingerprint: opened.credentialFingerprint,
    unsaved: start.unsaved,
    told: start.told,
    notebook,
  });
  try {
    return await rounds.run(intents, start.held);
  } finally {
    await governor.flush();
  }
}

/** Reads that the looks of one lane share: other credentials may see other people. */
function sharedBy(
  deps: ApplyDeps,
  { tenantId, connectionId }: Lane,
  fingerprint: string,
): NonNullable<Call["share"]> {
  return (what, read) =>
    deps.reads.share([tenantId, connectionId, fingerprint, what].join("\n"), read);
}

interface RoundsInput {
  readonly deps: ApplyDeps;
  readonly lane: Lane;
  readonly connector: Connector;
  readonly call: Call;
  readonly target: LeasedTarget;
  readonly window: WriteWindow;
  readonly fingerprint: string;
  readonly unsaved: UnsavedLook;
  /** What the plan before said. */
  readonly told: readonly string[];
  readonly notebook: Notebook;
}

class Rounds {
  readonly #deps: ApplyDeps;
  readonly #lane: Lane;
  readonly #connector: Connector;
  readonly #call: Call;
  readonly #target: LeasedTarget;
  readonly #window: WriteWindow;
  readonly #fingerprint: string;
  readonly #ran = new Set<string>();
  readonly #notebook: Notebook;
  readonly #unsaved: UnsavedLook;
  readonly #leaver: LeaverWork | undefined;
  #told: readonly string[];
  /** null: none; undefined: not asked yet. */
  #task: ManualTask | null | undefined;

  constructor(input: RoundsInput) {
    this.#deps = input.deps;
    this.#lane = input.lane;
    this.#connector = input.connector;
    this.#call = input.call;
    this.#target = input.target;
    this.#window = input.window;
    this.#fingerprint = input.fingerprint;
    this.#unsaved = input.unsaved;
    this.#told = input.told;
    this.#notebook = input.notebook;
    const departed = input.target.desired.lifecycle === "departed";
    this.#leaver = departed
      ? new LeaverWork(this.#tools(), input.lane, {
          read: () => input.notebook.notes,
          add: (facts) => {
            this.#note(facts);
          },
        })
      : undefined;
  }

  #tools(): Omit<StepContext, "look"> {
    return {
      deps: this.#deps,
      connector: this.#connector,
      call: this.#call,
      target: this.#target,
      policy: this.#lane.policy,
      unsaved: this.#unsaved,
      window: this.#window,
      credentialFingerprint: this.#fingerprint,
    };
  }

  async run(intents: readonly Intent[], held: Held): Promise<Judged> {
    let [open, known]: [readonly Intent[], Held | undefined] = [intents, held];
    for (let round = 0; round < roundsMax; round++) {
      const look = await this.#look(open, known ?? (await heldOf(this.#deps, this.#target)));
      if ("state" in look) return look;
      [open, known] = [[], undefined];
      const plan = await this.#plan(look);
      const early = await this.#leaver?.before(look, plan);
      if (early !== undefined) return early === "abandoned" ? early : this.#withNotes(early);
      if (this.#lane.policy.mode === "report-only") return this.#reportOnly(plan, look);
      const fresh = plan.steps.filter((step) => !this.#ran.has(stepKey(step)));
      const now = this.#deps.clock.now();
      const { go, fought } = splitFought(this.#target, this.#notebook.notes, fresh, now);
      if (go.length === 0 && fought.length > 0)
        return foughtVerdict(this.#deps, this.#target, this.#notebook.notes, fought, {
          ...{ lane: this.#lane, connector: this.#connector, call: this.#call },
        });
      if (fresh.length === 0) {
        if (plan.steps.length > 0)
          return this.#settling("the vendor does not show what it accepted yet");
        return this.#converged(plan, look);
      }
      const tooEarly = this.#tooEarlyToCreate(go, look);
      if (tooEarly !== undefined) return tooEarly;
      const parts = await this.#act(go, look);
      if (parts === "abandoned") return parts;
      if (parts.length > 0)
        return this.#withNotes(
          heaviest([...parts, ...this.#blockedParts(plan)]) ?? this.#settling("waits"),
        );
    }
    return this.#settling("the account keeps changing while it is brought into line");
  }

  /** One complete look, with interrupted writes judged by it. */
  async #look(open: readonly Intent[], held: Held): Promise<Look | Verdict> {
    const look = await lookAt(this.#tools(), held);
    if (open.length === 0) return look;
    const settled = await settleIntents(
      this.#deps,
      this.#connector.facts,
      this.#target,
      open,
      look,
      numberNote(this.#notebook.notes.lostCreates),
    );
    this.#note({ lostCreates: settled.lostCreates });
    if (settled.waitUntil !== undefined) {
      return this.#withNotes(
        waiting(
          this.#target,
          "AMBIGUOUS",
          "an invitation whose answer was lost is looked up a second time before it may be sent again",
          settled.waitUntil,
        ),
      );
    }
    if (settled.lostCreates >= 2) {
      throw new SyncError(
        "CREATE_AMBIGUOUS",
        "the answer to the invitation was lost twice and it never showed up: check at the vendor, then redrive",
      );
    }
    return { ...look, ...(await heldOf(this.#deps, this.#target)) };
  }

  async #plan(look: Look): Promise<Plan> {
    const { facts } = this.#connector;
    const plan = planTarget({
      facts,
      policy: this.#lane.policy,
      desired: this.#target.desired,
      account: look.account,
      grants: look.grants,
      ledger: look.ledger,
      ownAccountIds: this.#lane.ownAccountIds,
      byHandKinds: this.#byHandKinds(),
      activeAdmins: await this.#activeAdmins(look),
    });
    this.#note({ plan: renderPlan(plan), lookedAt: this.#deps.clock.now() });
    await this.#keepLedger(plan);
    this.#told = await reportPlan(this.#deps, this.#target, plan, look, this.#told);
    const work = manualWorkOf({ facts, lane: this.#lane, target: this.#target, plan, look });
    // Nothing for people, and no task of before: nobody but who has the lease makes one.
    if (work.lines.length === 0 && this.#task === null) return plan;
    const task = (await this.#deps.manualWork(work)) ?? null;
    this.#task = task;
    this.#note({ task: task === null ? null : { ...task } });
    return plan;
  }

  /** Asked for an account that is an admin's, the only one that a plan could take the role from. */
  async #activeAdmins({ account }: Look): Promise<number> {
    const { roles } = accountKindOf(this.#connector.facts).kind;
    if (account === undefined || roles[account.role]?.admin !== true) return 0;
    await this.#unsaved.save();
    const { tenantId, connectionId } = this.#target;
    const adminRoles = Object.keys(roles).filter((role) => roles[role]?.admin === true);
    return this.#deps.store.countObserved(tenantId, connectionId, adminRoles);
  }

  async #keepLedger(plan: Plan): Promise<void> {
    if (this.#lane.policy.mode === "report-only") return;
    const because = new Map(
      this.#target.desired.assignments.map((item) => [slotKey(item), item.because]),
    );
    const changes = [
      ...plan.forget.map((slot) => ({ op: "remove" as const, slot })),
      ...plan.adopt.map((entitlement) => ({
        op: "set" as const,
        entitlement,
        origin: "adopted" as const,
        because: because.get(slotKey(entitlement)) ?? [],
      })),
    ];
    if (changes.length === 0) return;
    const { tenantId, connectionId, identityId } = this.#target;
    await this.#deps.store.changeLedger(
      tenantId,
      { connectionId, identityId, changes, now: this.#deps.clock.now() },
      { records: [], recompute: [] },
    );
  }

  /** A create that the vendor answered may not show in its lists yet: sending it again would double it. */
  #tooEarlyToCreate(steps: readonly Step[], look: Look): Verdict | undefined {
    if (!steps.some((step) => step.action === "create_account") || look.account !== undefined)
      return undefined;
    const since = look.link?.origin === "created" ? look.link.since : undefined;
    const guardMs = Math.max(60_000, 3 * this.#connector.facts.settleMs);
    if (since === undefined || this.#deps.clock.now() - since > guardMs) return undefined;
    return this.#settling("the invitation was accepted by the vendor and is not in its list yet");
  }

  /** Runs the steps in order. Empty: all ran. A step that may not run does not stop gains behind it; losses wait for gains. */
  async #act(steps: readonly Step[], look: Look): Promise<readonly Verdict[] | "abandoned"> {
    const parts: Verdict[] = [];
    const context: StepContext = { ...this.#tools(), look };
    for (const step of steps) {
      if (this.#byHandKinds().includes(step.slot.kind)) continue;
      const wait = this.#waitsForGain(step, parts);
      if (wait !== undefined) {
        parts.push(wait);
        continue;
      }
      const inviteLimit = this.#inviteLimit(step, look);
      if (inviteLimit !== undefined) throw inviteLimit;
      if (step.action === "remove_account" && this.#leaver === undefined)
        await reportRemainingKeys(this.#deps, this.#connector, this.#call, this.#target, look);
      const verdict = await this.#runOne(context, step);
      if (verdict === "abandoned") return verdict;
      if (verdict !== undefined) parts.push(verdict);
    }
    return parts;
  }

  async #runOne(context: StepContext, step: Step): Promise<Judged | undefined> {
    let result: StepResult;
    try {
      result = await runStep(context, step);
      if (!result.ran && result.refusal.why === "rail_missing") {
        await reserveStep(this.#deps, this.#lane, this.#target, step);
        result = await runStep(context, step);
      }
    } catch (error) {
      const now = this.#deps.clock.now();
      if (!leaveToPeople(this.#connector.facts, this.#notebook, step.slot, error, now)) throw error;
      return undefined;
    }
    if (!result.ran) return refusalVerdict(this.#deps, this.#target, result.refusal);
    this.#ran.add(stepKey(step));
    this.#note(repairNote(this.#target, this.#notebook.notes, step, this.#deps.clock.now()));
    if (step.action === "create_account") {
      this.#note({ invitesSent: numberNote(this.#notebook.notes.invitesSent) + 1, lostCreates: 0 });
    }
    return undefined;
  }

  #byHandKinds(): readonly string[] {
    return byHandKinds(this.#notebook.notes, this.#deps.clock.now());
  }

  #waitsForGain(step: Step, parts: readonly Verdict[]): Verdict | undefined {
    if (
      step.direction === "gain" ||
      parts.length === 0 ||
      this.#target.desired.lifecycle === "departed"
    )
      return undefined;
    const until = this.#target.wishedAt + DAY_MS;
    if (this.#deps.clock.now() >= until) return undefined;
    return waiting(
      this.#target,
      "SETTLING",
      "what is taken away waits until what is given is there, at most a day",
      until,
    );
  }

  #inviteLimit(step: Step, look: Look): SyncError | undefined {
    if (step.action !== "create_account" || look.account?.state !== "expired") return undefined;
    const sent = numberNote(this.#notebook.notes.invitesSent);
    if (sent <= this.#lane.policy.inviteResends) return undefined;
    return new SyncError(
      "INVITE_LIMIT",
      `${String(sent)} invitations expired unaccepted; ask the person, then redrive`,
    );
  }

  #blockedParts(plan: Plan): readonly Verdict[] {
    return plan.blocked.map((item) => ({
      state: item.code === "MANUAL_STEP" ? ("manual" as const) : ("parked" as const),
      reason: { code: item.code, text: item.text },
      dueAt: item.code === "MANUAL_STEP" ? this.#deps.clock.now() + manualLookMs : null,
      attempts: 0,
      reached: false,
      notes: {},
    }));
  }

  #reportOnly(plan: Plan, look: Look): Verdict {
    const leaves =
      this.#target.desired.lifecycle === "departed" &&
      look.account !== undefined &&
      !isOver(look.account, this.#connector.facts);
    const text = leaves
      ? "report-only: a leaver still has an account here; remove it by hand or let the connection write"
      : `report-only: ${String(plan.steps.length)} steps noted, none taken`;
    return this.#withNotes({
      state: leaves ? "manual" : "idle",
      reason: { code: "REPORT_ONLY", text },
      dueAt: null,
      attempts: 0,
      reached: plan.steps.length === 0 && plan.blocked.length === 0,
      notes: {},
    });
  }

  async #converged(plan: Plan, look: Look): Promise<Verdict> {
    await endFight(this.#deps, this.#target, this.#notebook.notes);
    const verdict = await convergedVerdict(
      this.#deps,
      this.#lane,
      this.#target,
      plan,
      look,
      this.#connector.facts,
      this.#notebook.notes,
      this.#leaver,
    );
    const parts = [verdict, ...this.#blockedParts(plan), ...this.#unproven(plan)];
    return { ...(heaviest(parts) ?? verdict), notes: verdict.notes };
  }

  /** The look lacks nothing, and is older than what a person said: a newer one has to show it. */
  #unproven(plan: Plan): readonly Verdict[] {
    const asks = this.#task !== undefined && this.#task !== null;
    if (!asks || plan.blocked.some((item) => item.line !== undefined)) return [];
    const text = "what was done by hand is not proven yet: a newer roster shows it";
    return [
      {
        state: "manual",
        reason: { code: "MANUAL_STEP", text },
        dueAt: this.#deps.clock.now() + manualLookMs,
        attempts: 0,
        reached: false,
        notes: {},
      },
    ];
  }

  #settling(text: string): Verdict {
    const { attempts } = this.#target;
    const waitMs = Math.min(
      Math.max(this.#connector.facts.settleMs, 1_000),
      2_000 * 2 ** Math.min(attempts, 10),
    );
    return this.#withNotes({
      ...waiting(this.#target, "SETTLING", text, this.#deps.clock.now() + waitMs),
      attempts: attempts + 1,
    });
  }

  #note(facts: JsonObject): void {
    this.#notebook.notes = { ...this.#notebook.notes, ...facts };
  }

  #withNotes(verdict: Verdict): Verdict {
    return { ...verdict, notes: this.#notebook.notes };
  }
}

async function restLane(deps: ApplyDeps, lane: Lane, until: number): Promise<void> {
  deps.logger.warn(
    { tenantId: lane.tenantId, connectionId: lane.connectionId, until },
    "breaker open: the vendor is down",
  );
  await deps.store.updateLane(
    lane.tenantId,
    { connectionId: lane.connectionId, set: { breakerUntil: until }, now: deps.clock.now() },
    { records: [], recompute: [] },
  );
}

function stepKey(step: Step): string {
  return `${step.action} ${slotKey(step.slot)} ${step.roleTo ?? ""}`;
}

function numberNote(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
