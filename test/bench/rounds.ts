/** How often something is repeated: until its time is over, but `least` times whatever it takes and `most` times at most. */
export interface Rounds {
  readonly least: number;
  readonly most: number;
  readonly seconds: number;
}

/** Numbers from 0. On a busy machine fewer rounds come, and the report says how many. */
export function* rounds({ least, most, seconds }: Rounds): Generator<number> {
  const until = performance.now() + seconds * 1_000;
  for (let round = 0; round < most; round++) {
    if (round >= least && performance.now() > until) return;
    yield round;
  }
}
