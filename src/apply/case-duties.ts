import {
  deadlineFindingKey,
  deadlineMs,
  type LeaverCase,
  type Obligation,
  type ObligationDraft,
} from "../accounts/leaver-case.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Instant } from "../model/clock.ts";
import type { JsonObject } from "../model/json.ts";
import { newRecord } from "../model/records.ts";
import type { Channel } from "../model/vendor-facts.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/** A duty that a look shows done. */
export interface SettledDuty {
  readonly kind: Obligation["kind"];
  readonly subject: string;
  readonly facts: JsonObject;
}

/** The duties of one leaver at one connection, as one lease sees and settles them. */
export class CaseDuties {
  readonly #deps: ApplyDeps;
  readonly #target: LeasedTarget;
  readonly #channel: Channel;
  #found: LeaverCase | undefined;
  #open: readonly Obligation[] = [];
  #loaded = false;

  constructor(deps: ApplyDeps, target: LeasedTarget, channel: Channel) {
    this.#deps = deps;
    this.#target = target;
    this.#channel = channel;
  }

  /** Undefined: they left before cases were kept, or had nothing here. */
  get case(): LeaverCase | undefined {
    return this.#found;
  }

  get open(): readonly Obligation[] {
    return this.#open;
  }

  /** When a duty of this kind ends, counted from the accepted signal. */
  deadlineOf(kind: Obligation["kind"]): Instant {
    return (this.#found?.signalAt ?? this.#deps.clock.now()) + deadlineMs[kind];
  }

  async load(): Promise<void> {
    if (this.#loaded) return;
    const { tenantId, identityId, connectionId } = this.#target;
    [this.#found, this.#open] = await Promise.all([
      this.#deps.store.currentCase(tenantId, identityId),
      this.#deps.store.listObligations(tenantId, {
        identityId,
        connectionId,
        state: "open",
        limit: 1_000,
      }),
    ]);
    this.#loaded = true;
  }

  /** Writes only what changes the case. `again` says why the end of the account is owed once more, where it had been settled. */
  async settle(
    settle: readonly SettledDuty[],
    found: readonly ObligationDraft[],
    again: string | null,
  ): Promise<void> {
    const deps = this.#deps;
    const target = this.#target;
    if (this.#found === undefined) return;
    const owed = new Set(this.#open.map((item) => `${item.kind} ${item.subject}`));
    const due = settle.filter((item) => owed.has(`${item.kind} ${item.subject}`));
    const fresh = found.filter((item) => !owed.has(`${item.kind} ${item.subject}`));
    // The account is back where its end was settled before.
    const returned = again !== null && !owed.has("remove ");
    if (due.length === 0 && fresh.length === 0 && !returned) return;
    const { tenantId, connectionId, identityId } = target;
    const now = deps.clock.now();
    const answer = await deps.store.noteDuties(
      tenantId,
      {
        identityId,
        connectionId,
        settle: due,
        found: fresh,
        again: returned
          ? {
              kinds: ["contain", "remove", "verify"],
              why: again,
              deadlines: {
                contain: now + deadlineMs.contain,
                remove: now + deadlineMs.remove,
                verify: now + deadlineMs.verify,
              },
            }
          : null,
        now,
      },
      {
        records: [
          newRecord(deps.clock, {
            actor: deps.actor,
            action: returned ? "case.owed_again" : "case.duties_noted",
            subject: { type: "identity", id: identityId },
            connectionId,
            cause: target.cause,
            facts: {
              caseId: this.#found.caseId,
              done: due.map(({ kind, subject }) => ({ kind, subject })),
              found: fresh.map(({ kind, subject }) => ({ kind, subject })),
              ...(returned ? { again } : {}),
            },
          }),
        ],
        recompute: [],
      },
    );
    if (answer.settled + answer.found > 0 || answer.reopened) this.#loaded = false;
    if (answer.settled > 0) {
      this.#measure(due, now);
      const { caseId } = this.#found;
      const keys = due.map((item) => deadlineFindingKey({ caseId, connectionId, ...item }));
      await deps.store.resolveFindings(tenantId, { keys, now });
    }
    await this.load();
  }

  /** Both clocks of an end of access, by how the vendor is reached. */
  #measure(done: readonly { readonly kind: Obligation["kind"] }[], now: number): void {
    if (this.#found === undefined || !done.some((item) => item.kind === "contain")) return;
    const labels = { tenant: this.#target.tenantId, channel: this.#channel };
    const observe = (clock: "signal" | "hr", since: number) => {
      this.#deps.metrics.observe("rolecall_leaver_contained_seconds", (now - since) / 1_000, {
        ...labels,
        clock,
      });
    };
    observe("signal", this.#found.signalAt);
    if (this.#found.hrAt !== undefined) observe("hr", this.#found.hrAt);
  }
}
