import { fold } from "../model/fold.ts";

/** The known word that a misspelt one most likely means; undefined where none is close. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(fold(word), fold(candidate), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** "write one of a, b, c (did you mean b?)": the end of every message about a word that is not known. */
export function oneOf(word: string, known: readonly string[]): string {
  if (known.length === 0) return "there is none to choose from";
  const shown = known.slice(0, 20).join(", ");
  const rest = known.length > 20 ? ` and ${String(known.length - 20)} more` : "";
  const guess = nearest(word, known);
  return `write ${known.length === 1 ? shown : `one of ${shown}${rest}`}${guess === undefined || known.length === 1 ? "" : ` (did you mean ${guess}?)`}`;
}

/** Levenshtein distance, given up (as `limit`) once it cannot be below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}
