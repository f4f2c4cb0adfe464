import type { Instant } from "../model/clock.ts";

const VERSIONS_MAX = 64;

/** Earlier versions of a vendor's truth, for stale reads. Bounded: beyond 64 versions the oldest is forgotten. */
export class TruthHistory {
  #versions: { readonly until: Instant; readonly json: string }[] = [];

  /** Keeps the truth as it was until now; call it before a change. */
  remember(truth: unknown, now: Instant): void {
    this.#versions.push({ until: now, json: JSON.stringify(truth) });
    if (this.#versions.length > VERSIONS_MAX) this.#versions.shift();
  }

  /** The JSON of the truth at that moment; undefined where nothing changed since. */
  at(moment: Instant): string | undefined {
    return this.#versions.find((version) => version.until > moment)?.json;
  }
}
