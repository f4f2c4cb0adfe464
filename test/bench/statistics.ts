/** The value below which this share of the samples lies, linear between neighbours. @throws Error without samples */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error("no samples: nothing was measured");
  if (!(share >= 0 && share <= 1)) throw new Error(`a share lies in 0..1, not ${String(share)}`);
  const sorted = samples.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? 0;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** Lowest and highest. @throws Error without samples */
export function range(samples: readonly number[]): readonly [number, number] {
  return [quantile(samples, 0), quantile(samples, 1)];
}

/** `ours` over `floor`. @throws Error where the floor is not above zero: such a ratio says nothing */
export function ratioOf(ours: number, floor: number): number {
  if (!(floor > 0)) throw new Error(`no ratio to a floor of ${String(floor)}`);
  return ours / floor;
}

/**
 * The median of the ratios of rounds that ran beside each other (A B A B …). A machine that slows down for a while slows
 * both halves of a round, so this says more than the ratio of two medians.
 * @throws Error where the rounds do not pair
 */
export function pairedRatio(ours: readonly number[], floor: readonly number[]): number {
  if (ours.length !== floor.length) {
    throw new Error(`${String(ours.length)} rounds of ours beside ${String(floor.length)}`);
  }
  return median(ours.map((value, at) => ratioOf(value, floor[at] ?? 0)));
}
