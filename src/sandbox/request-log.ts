import type { RecordedRequest } from "./vendor-simulator.ts";

const REQUESTS_MAX = 20_000;

/** The newest requests of one simulator. */
export class RequestLog {
  #entries: RecordedRequest[] = [];
  #seq = 0;

  add(entry: Omit<RecordedRequest, "seq">): void {
    this.#seq += 1;
    this.#entries.push({ seq: this.#seq, ...entry });
    // Cut in halves, so that a full log does not move its whole array for each request.
    if (this.#entries.length >= 2 * REQUESTS_MAX)
      this.#entries = this.#entries.slice(-REQUESTS_MAX);
  }

  /** Oldest first. */
  entries(): readonly RecordedRequest[] {
    return this.#entries.slice(-REQUESTS_MAX);
  }
}
