// Goal: whoever reads first and whoever commits last, a person's wish ends as the newest truth says, and a mark that counts as
// done never hides an older wish.
// Method: two recomputes of one person, stopped before each of their three steps, and two changes of the truth, run in every order
// in which these eight steps can happen.
import { expect, test } from "vitest";
import type { Store } from "../../src/adapters/store.ts";
import type { IdentityId } from "../../src/model/ids.ts";
import { createRecompute } from "../../src/sync/recompute.ts";
import { mapping, StoryWorld, tenantId, type StoryPerson } from "../support/story-world.ts";

type Actor = "first" | "second" | "truth";
const steps: Readonly<Record<Actor, number>> = { first: 3, second: 3, truth: 2 };

/** Every order of the steps that keeps each actor's own. */
function orders(left: Readonly<Record<Actor, number>>): readonly (readonly Actor[])[] {
  const actors = (["first", "second", "truth"] as const).filter((actor) => left[actor] > 0);
  if (actors.length === 0) return [[]];
  return actors.flatMap((actor) =>
    orders({ ...left, [actor]: left[actor] - 1 }).map((rest) => [actor, ...rest]),
  );
}

/** A recompute that stops before it reads marks, before it reads the truth and before it commits. */
class SteppedSync {
  readonly #run: () => Promise<void>;
  #ended: Promise<void> | undefined;
  #goOn: () => void = () => undefined;
  #arrived: () => void = () => undefined;

  constructor(world: StoryWorld, identityId: IdentityId) {
    const { store } = world;
    const stop = async (): Promise<void> => {
      const goOn = new Promise<void>((resolve) => (this.#goOn = resolve));
      this.#arrived();
      await goOn;
    };
    const stepped: Store = {
      ...store,
      readMarks: async (...args) => {
        await stop();
        return store.readMarks(...args);
      },
      readIdentities: async (...args) => {
        await stop();
        return store.readIdentities(...args);
      },
      commitSync: async (...args) => {
        await stop();
        return store.commitSync(...args);
      },
    };
    const recompute = createRecompute({ ...world.sync, store: stepped });
    this.#run = () => recompute(tenantId, [identityId]);
  }

  /** Runs to the first stop. */
  async start(): Promise<void> {
    const arrived = new Promise<void>((resolve) => (this.#arrived = resolve));
    this.#ended = this.#run();
    await Promise.race([arrived, this.#ended]);
  }

  /** Runs from one stop to the next, or to the end. */
  async step(): Promise<void> {
    const arrived = new Promise<void>((resolve) => (this.#arrived = resolve));
    this.#goOn();
    await Promise.race([arrived, this.#ended]);
  }
}

test("two recomputes of one person end in the newest wish in each of the 560 orders of their steps", async () => {
  const all = orders(steps);
  expect(all).toHaveLength(560);
  const world = await StoryWorld.open({ mapping: mapping() });
  const people: StoryPerson[] = [];
  for (const [n] of all.entries()) people.push(await world.hire(`person${String(n)}@example.com`));
  const engineering = await world.group("Engineering", people);
  const platform = await world.group("Platform");
  await world.settle();

  const wrong: string[] = [];
  for (const [n, order] of all.entries()) {
    const person = people[n] as StoryPerson;
    const wish = async () =>
      (await world.target(person))?.desired.assignments.map((item) => item.role).join(" ");
    const changes = [
      () => world.members(engineering, { op: "remove", memberIds: [person.sourceUserId] }),
      () => world.members(platform, { op: "add", memberIds: [person.sourceUserId] }),
    ];
    const syncs = {
      first: new SteppedSync(world, person.identityId),
      second: new SteppedSync(world, person.identityId),
    };
    await syncs.first.start();
    await syncs.second.start();
    for (const actor of order) {
      if (actor === "truth") await changes.shift()?.();
      else await syncs[actor].step();
    }
    const [mark] = await world.store.readMarks(tenantId, [person.identityId]);
    const settled = mark?.done === mark?.wanted;
    if (settled && (await wish()) !== "developer writer") wrong.push(`settled: ${order.join(" ")}`);
    // What is still owed is found by the sweep.
    await world.recompute(tenantId, [person.identityId]);
    if ((await wish()) !== "developer writer") wrong.push(`swept: ${order.join(" ")}`);
  }
  expect(wrong).toEqual([]);
});
