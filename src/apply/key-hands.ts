import type { Lane } from "../accounts/lane.ts";
import type { KeyWish } from "../model/key-rotation.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { endOlderKeys, makeKeyAnew } from "./rotate-key.ts";
import { endRefusals, endThing } from "./things-report.ts";

/** What is done with keys at vendors on a person's word. */
export function keyHands(deps: ApplyDeps) {
  return {
    endKey: async (lane: Lane, { name, why, actor }: KeyWish) => {
      const answer = await endThing(deps, lane, { kind: "api_key", which: name, why, actor });
      if (answer === "ended") return undefined;
      return { why: endRefusals[answer], byHand: answer === "not_by_api" };
    },
    makeKey: (lane: Lane, wish: KeyWish) => makeKeyAnew(deps, lane, wish),
    endOlderKeys: (lane: Lane, wish: KeyWish) => endOlderKeys(deps, lane, wish),
  };
}
