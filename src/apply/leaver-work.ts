import type { Lane } from "../accounts/lane.ts";
import type { ObligationDraft } from "../accounts/leaver-case.ts";
import type { WorkItem } from "../connectors/connector.ts";
import { isOver, type VendorAccount } from "../model/account.ts";
import type { Slot } from "../model/entitlement.ts";
import { SyncError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import { channelOf } from "../plan/channel.ts";
import { accountKindOf } from "../plan/plan.ts";
import type { Plan } from "../plan/step.ts";
import { CaseDuties, type SettledDuty } from "./case-duties.ts";
import { heirOfWork } from "./heirs.ts";
import { keysOf, type LeaverKeys } from "./leaver-keys.ts";
import type { Look } from "./look.ts";
import { refusalVerdict, reserveStep } from "./refusal.ts";
import { runWrite, type Sent, type StepContext, type Write } from "./run-step.ts";
import type { Verdict } from "./verdict.ts";

/** Items that one lease hands over; the next goes on. */
const itemsMax = 100;

type Early = Verdict | "abandoned" | undefined;

/**
 * What a leaver needs beside the plan, in the order contain, secure, remove: their own keys off, new work kept away, open work handed
 * over; then the plan ends the account. What a look shows of it settles the duties of the case.
 */
export class LeaverWork {
  readonly #context: Omit<StepContext, "look">;
  readonly #lane: Lane;
  readonly #notes: () => JsonObject;
  readonly #note: (facts: JsonObject) => void;
  readonly #duties: CaseDuties;
  #keys: LeaverKeys | undefined;
  /** Items that this lease handed over: a search may show them for a while. */
  readonly #handed = new Set<string>();

  constructor(
    context: Omit<StepContext, "look">,
    lane: Lane,
    notes: { readonly read: () => JsonObject; readonly add: (facts: JsonObject) => void },
  ) {
    this.#context = context;
    this.#duties = new CaseDuties(context.deps, context.target, channelOf(context.connector.facts));
    this.#lane = lane;
    this.#notes = notes.read;
    this.#note = notes.add;
  }

  /** Before the steps of a plan. An answer ends the lease. */
  async before(look: Look, plan: Plan): Promise<Early> {
    const { connector, call } = this.#context;
    await this.#duties.load();
    this.#keys = await keysOf(connector, call, look.account, look.link);
    const present = this.#isPresent(look);
    await this.#reportMadeKeys();
    if (this.#isLeftAlone(plan)) {
      await this.#noteDuties(look, present);
      return undefined;
    }
    for (const key of this.#keys?.own ?? []) {
      const slot = { kind: "api_key", objectId: key.keyId };
      const early = await this.#write("deactivate_key", slot, look, () => {
        if (connector.keys === undefined) throw new Error("no keys");
        return connector.keys.deactivate(call, key.keyId);
      });
      if (early !== undefined) return early;
    }
    if (this.#keys !== undefined) this.#keys = { ...this.#keys, own: [] };
    const early = present ? await this.#secureWork(look, plan) : undefined;
    await this.#noteDuties(look, present);
    return early;
  }

  /** Whether something that no step of ours ends is still owed here: the target comes back, and keeps its link. */
  async owesMore(): Promise<boolean> {
    await this.#duties.load();
    return this.#duties.open.some((item) => item.kind !== "verify" && item.kind !== "evidence");
  }

  /** The last of the declared reads agreed. */
  async verified(facts: JsonObject): Promise<void> {
    await this.#duties.settle([{ kind: "verify", subject: "", facts }], [], null);
  }

  /** Report-only, a protected account, our own one, or one that the mapping keeps: people do all of it. */
  #isLeftAlone(plan: Plan): boolean {
    const { mode, leaver } = this.#lane.policy;
    const isProtected = plan.blocked.some((item) => item.code === "PROTECTED");
    return mode === "report-only" || leaver === "keep" || isProtected;
  }

  #isPresent(look: Look): boolean {
    return look.account !== undefined && !isOver(look.account, this.#context.connector.facts);
  }

  async #reportMadeKeys(): Promise<void> {
    const { deps, target } = this.#context;
    const key = `keys:${target.connectionId}:${target.identityId}`;
    const now = deps.clock.now();
    if (this.#keys === undefined) return;
    if (this.#keys.made.length === 0) {
      await deps.store.resolveFindings(target.tenantId, { keys: [key], now });
      return;
    }
    await deps.store.raiseFindings(target.tenantId, {
      findings: [
        {
          key,
          kind: "api_keys_remain",
          severity: "urgent",
          connectionId: target.connectionId,
          identityId: target.identityId,
          text: "API keys that a leaver made go on working after the account is gone: rotate them; Rolecall never switches them off by itself, because a service may run on them",
          facts: { keyIds: this.#keys.made.map((item) => item.keyId) },
        },
      ],
      now,
    });
  }

  /** Work that cannot be read or moved is left to people: it keeps nobody's access alive. */
  async #secureWork(look: Look, plan: Plan): Promise<Early> {
    const { connector, deps } = this.#context;
    try {
      return await this.#handOverWork(look, plan);
    } catch (error) {
      if (!(error instanceof SyncError) || connector.work === undefined) throw error;
      const passes = error.disposition === "retry" || error.disposition === "replan";
      if (passes && deps.clock.now() < this.#stopAt()) throw error;
      const duty = this.#transferDuty(connector.work.kind, 0, true);
      await this.#duties.settle([], [{ ...duty, facts: { code: error.code } }], null);
      deps.logger.warn(
        { code: error.code, connectionId: this.#lane.connectionId },
        "a leaver's open work could not be handed over; people do it",
      );
      return undefined;
    }
  }

  /** Until then the end of the account waits for work that is handed over. */
  #stopAt(): number {
    return this.#duties.deadlineOf("contain");
  }

  async #handOverWork(look: Look, plan: Plan): Promise<Early> {
    const { connector, call, deps } = this.#context;
    const { account } = look;
    if (connector.work === undefined || account?.state !== "active") return undefined;
    const early = await this.#keepWorkAway(look, account);
    if (early !== undefined) return early;
    const items: WorkItem[] = [];
    let complete = false;
    for await (const item of connector.work.list(call, account)) {
      if ("complete" in item) complete = true;
      else if (!this.#handed.has(item.itemId)) items.push(item);
    }
    if (!complete)
      throw new SyncError(
        "VENDOR_READ_INCOMPLETE",
        "the list of work ended without its end marker",
      );
    if (items.length === 0) {
      const done = { kind: "transfer" as const, subject: connector.work.kind, facts: { left: 0 } };
      await this.#duties.settle([done], [], null);
      return undefined;
    }
    const objects = await deps.store.listObjects(this.#lane.tenantId, this.#lane.connectionId);
    const { heirs } = this.#lane.policy;
    const { toKind, kind } = connector.work;
    const placed = items.flatMap((item) => {
      const to =
        this.#actorId() === undefined
          ? undefined
          : heirOfWork(heirs, objects.objects, toKind, item);
      return to === undefined ? [] : [{ item, to }];
    });
    const unplaced = items.length - placed.length;
    const found = [this.#transferDuty(kind, items.length, unplaced > 0)];
    await this.#duties.settle([], found, null);
    for (const { item, to } of placed.slice(0, itemsMax)) {
      const stopped = await this.#handOver(look, account, item, to);
      if (stopped !== undefined) return stopped;
    }
    if (unplaced === 0 && placed.length <= itemsMax) {
      const facts = { left: 0, handedOver: placed.length };
      await this.#duties.settle([{ kind: "transfer", subject: kind, facts }], [], null);
      return undefined;
    }
    // Access ends in time whatever is left: what nobody took over stays a duty.
    const waits = plan.steps.length > 0 && deps.clock.now() < this.#stopAt();
    return placed.length > itemsMax && waits
      ? this.#soon("open work is handed over before the account goes")
      : undefined;
  }

  /** New work is kept away once per case, before what is there is counted. */
  async #keepWorkAway(look: Look, account: VendorAccount): Promise<Early> {
    const { connector, call } = this.#context;
    if (connector.containment === undefined) return undefined;
    const caseId = this.#duties.case?.caseId ?? "";
    if (this.#notes().containedFor === caseId) return undefined;
    const contain = connector.containment;
    const early = await this.#write("contain_account", this.#accountSlot(), look, () =>
      contain.contain(call, account),
    );
    if (early === undefined) this.#note({ containedFor: caseId });
    return early;
  }

  async #handOver(look: Look, from: VendorAccount, item: WorkItem, to: Slot): Promise<Early> {
    const { connector, call } = this.#context;
    const { work } = connector;
    const actorId = this.#actorId();
    if (work === undefined || actorId === undefined) return undefined;
    const note = `Rolecall: handed over, case ${this.#duties.case?.caseId ?? "unknown"}`;
    const early = await this.#write(
      "hand_over",
      { kind: work.kind, objectId: item.itemId },
      look,
      () => work.handOver(call, { itemId: item.itemId, from, to, note, actorId }),
    );
    if (early === undefined) this.#handed.add(item.itemId);
    return early;
  }

  /** Our own account at the vendor, in whose name work is moved. */
  #actorId(): Lane["ownAccountIds"][number] | undefined {
    return this.#lane.ownAccountIds[0];
  }

  #transferDuty(kind: string, count: number, byHand: boolean): ObligationDraft {
    const { target } = this.#context;
    return {
      connectionId: target.connectionId,
      kind: "transfer",
      subject: kind,
      channel: byHand ? "manual" : channelOf(this.#context.connector.facts),
      deadline: this.#duties.deadlineOf("transfer"),
      facts: { count },
    };
  }

  /** One write of what only leavers need, counted and held with the end of their account. */
  async #write(
    action: Write["action"],
    slot: Slot,
    look: Look,
    send: () => Promise<Sent>,
  ): Promise<Early> {
    const { deps, target } = this.#context;
    const write: Write = {
      action,
      slot,
      roleFrom: null,
      roleTo: null,
      direction: "neutral",
      privileged: false,
      because: [],
    };
    const context = { ...this.#context, look };
    let result = await runWrite(context, write, send);
    if (!result.ran && result.refusal.why === "rail_missing") {
      await reserveStep(deps, this.#lane, target, {
        action: "remove_account",
        slot: this.#accountSlot(),
        roleFrom: look.account?.role ?? null,
        roleTo: null,
        direction: "loss",
        privileged: false,
        because: [],
      });
      result = await runWrite(context, write, send);
    }
    return result.ran ? undefined : refusalVerdict(deps, target, result.refusal);
  }

  #accountSlot(): Slot {
    return { kind: accountKindOf(this.#context.connector.facts).name, objectId: "" };
  }

  #soon(text: string): Verdict {
    const { deps, target } = this.#context;
    return {
      state: "waiting",
      reason: { code: "SETTLING", text },
      dueAt: deps.clock.now() + 1_000,
      attempts: target.attempts,
      reached: false,
      notes: this.#notes(),
    };
  }

  /** Contain, remove and rotate as the look shows them. */
  async #noteDuties(look: Look, present: boolean): Promise<void> {
    const { deps, target } = this.#context;
    const keys = this.#keys;
    const mine = target.desired.profile.emails;
    const alike = look.lookalikes.filter((account) => mine.includes(account.email));
    const facts: JsonObject = {
      readAt: deps.clock.now(),
      ...(look.link === undefined ? {} : { accountId: look.link.accountId }),
    };
    const absent = !present && alike.length === 0;
    const settle: SettledDuty[] = [];
    if (absent && (keys?.own.length ?? 0) === 0)
      settle.push({ kind: "contain", subject: "", facts });
    if (absent) settle.push({ kind: "remove", subject: "", facts });
    if (absent && look.link === undefined) settle.push({ kind: "verify", subject: "", facts });
    const inUse = new Set((keys?.made ?? []).map((key): string => key.keyId));
    for (const item of this.#duties.open) {
      if (item.kind !== "rotate_key" || keys === undefined || inUse.has(item.subject)) continue;
      settle.push({
        kind: "rotate_key",
        subject: item.subject,
        facts: { ...item.facts, ...facts },
      });
    }
    const found = (keys?.made ?? []).map((key) => this.#rotateDuty(key));
    await this.#duties.settle(settle, found, present ? "the account is there again" : null);
  }

  #rotateDuty(key: LeaverKeys["made"][number]): ObligationDraft {
    const { target } = this.#context;
    return {
      connectionId: target.connectionId,
      kind: "rotate_key",
      subject: key.keyId,
      channel: "manual",
      deadline: this.#duties.deadlineOf("rotate_key"),
      facts: {
        name: key.name,
        ...(key.createdAt === undefined ? {} : { createdAt: key.createdAt }),
        ...(key.lastUsedAt === undefined ? {} : { lastUsedAt: key.lastUsedAt }),
      },
    };
  }
}
