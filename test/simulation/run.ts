import { actionsOf, type Action } from "./actions.ts";
import { perform } from "./perform.ts";
import { comeToRest, judgeRest, lookAtEverybody } from "./quiet.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  /** How far it came: the action during which a promise broke. */
  readonly ran: number;
  readonly turns: number;
  readonly intents: number;
  /** Sums up everything that happened: equal for two runs of one seed. */
  readonly fingerprint: string;
  readonly trace: readonly string[];
}

/** One whole run: a company, everything that happens to it, and the quiet after. */
export async function runSeed(
  seed: number,
  options: { readonly actions?: readonly Action[]; readonly tracing?: boolean } = {},
): Promise<Outcome> {
  const actions = options.actions ?? actionsOf(seed);
  const world = await World.open(seed, options.tracing === true);
  const { watch, scheduler } = world;
  let ran = 0;
  try {
    await world.begin();
    for (const action of actions) {
      await perform(world, action);
      if (watch.violations.length > 0) break;
      ran += 1;
    }
    if (watch.violations.length === 0) await comeToRest(world);
    if (watch.violations.length === 0) await judgeRest(world, world.watch.meddled);
    if (world.watch.meddled.size > 0 && watch.violations.length === 0) {
      await lookAtEverybody(world);
      await judgeRest(world, new Set());
    }
  } catch (error) {
    watch.fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await world.close();
  }
  return {
    seed,
    violations: watch.violations,
    ran,
    turns: scheduler.turns,
    intents: watch.intents.size,
    fingerprint: `${String(scheduler.turns)} ${String(scheduler.monotonic)} ${String(watch.intents.size)} ${String(world.random.next())}`,
    trace: scheduler.lines,
  };
}
