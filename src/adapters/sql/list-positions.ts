import type { Clock } from "../../model/clock.ts";

/** Where the page of a walk ended: the next page begins behind this id. */
interface Position {
  readonly lastId: string;
  readonly at: number;
}

/** Walks that are remembered at once. */
const positionsMax = 2_000;
/** A walk that paused longer starts its next page by counting rows again. */
const freshMs = 600_000;

/**
 * Ends of pages, for IdPs that walk a list with startIndex: the page at row 500,000 is found by key instead of by passing over
 * half a million rows, and a person who left an earlier page meanwhile does not make the next one skip somebody.
 */
export class ListPositions {
  private readonly clock: Clock;
  private readonly ends = new Map<string, Position>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The id that stands before `startIndex`, where the page before it was read a short while ago. */
  find(question: string, startIndex: number): string | undefined {
    const end = this.ends.get(keyOf(question, startIndex));
    if (end === undefined || this.clock.monotonic() - end.at > freshMs) return undefined;
    return end.lastId;
  }

  remember(question: string, nextIndex: number, lastId: string): void {
    const key = keyOf(question, nextIndex);
    this.ends.delete(key);
    this.ends.set(key, { lastId, at: this.clock.monotonic() });
    if (this.ends.size <= positionsMax) return;
    const oldest = this.ends.keys().next();
    if (oldest.done !== true) this.ends.delete(oldest.value);
  }
}

function keyOf(question: string, startIndex: number): string {
  return `${String(startIndex)} ${question}`;
}
