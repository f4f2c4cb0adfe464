import type { LookRecord } from "../accounts/account-store.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/**
 * What the last look of a lease showed and no commit holds yet. It goes with the next one about the target, the gate or the end of the
 * lease, instead of costing one of its own; whoever asks the store for what was observed saves it before.
 */
export class UnsavedLook {
  readonly #deps: Pick<ApplyDeps, "store">;
  readonly #target: LeasedTarget;
  #record: LookRecord | undefined;

  constructor(deps: Pick<ApplyDeps, "store">, target: LeasedTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  /** The part of a command that takes it along; `taken` follows once that is written. */
  get part(): { readonly look?: LookRecord } {
    return this.#record === undefined ? {} : { look: this.#record };
  }

  taken(): void {
    this.#record = undefined;
  }

  /** `waits`: it may be stored later, with something else. */
  async note(record: LookRecord, waits: boolean): Promise<void> {
    const { accounts, gone, grants } = record;
    this.#record = accounts.length + gone.length + grants.length === 0 ? undefined : record;
    if (!waits) await this.save();
  }

  /** A commit of its own. */
  async save(): Promise<void> {
    if (this.#record === undefined) return;
    const { tenantId, connectionId } = this.#target;
    await this.#deps.store.recordLook(tenantId, { connectionId, ...this.#record });
    this.taken();
  }
}
