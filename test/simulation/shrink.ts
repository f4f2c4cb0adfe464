import { actionsOf, type Action } from "./actions.ts";
import { runSeed } from "./run.ts";

export interface Shrunk {
  readonly seed: number;
  readonly actions: readonly Action[];
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly runs: number;
}

const runsMax = 120;
const traceMax = 150;

/** Delta debugging of the list of actions: drops pieces, large ones first, as long as some promise still breaks. */
export async function shrinkRun(
  seed: number,
  given: readonly Action[] | undefined,
): Promise<Shrunk> {
  let actions = [...(given ?? actionsOf(seed))];
  let runs = 0;
  const breaks = async (candidate: readonly Action[]): Promise<boolean> => {
    runs += 1;
    return (await runSeed(seed, { actions: candidate })).violations.length > 0;
  };
  for (let size = Math.ceil(actions.length / 2); size >= 1 && runs < runsMax;) {
    let shorter = false;
    for (let at = 0; at < actions.length && runs < runsMax;) {
      const candidate = [...actions.slice(0, at), ...actions.slice(at + size)];
      if (candidate.length < actions.length && (await breaks(candidate))) {
        actions = candidate;
        shorter = true;
      } else at += size;
    }
    if (!shorter || size > 1) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  const last = await runSeed(seed, { actions, tracing: true });
  return {
    seed,
    actions,
    violations: last.violations,
    trace: last.trace.slice(-traceMax),
    runs,
  };
}
