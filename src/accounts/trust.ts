import type { VendorFacts } from "../model/vendor-facts.ts";
import type { Target } from "./target.ts";

/**
 * How well it is known that a thing is so. attested: a person says so · observed: a file, a picture or a second person shows it ·
 * verified: this process read it at the vendor.
 */
export type Trust = "attested" | "observed" | "verified";

/** What is behind the state of a target: how well it is known, and the task that people have for it. */
export interface Known {
  /** null: nothing is claimed, a change is under way. */
  readonly trust: Trust | null;
  readonly taskId: string | null;
}

/** A target is as well known as the look that agreed with it; while people are at it, as well as their word is. */
export function howKnown(target: Target, facts: Pick<VendorFacts, "roster">): Known {
  const { task } = target.notes;
  if (typeof task === "object" && task !== null && "taskId" in task) {
    const { taskId, trust } = task;
    return {
      taskId: typeof taskId === "string" ? taskId : null,
      trust: trust === "attested" || trust === "observed" ? trust : null,
    };
  }
  const agreed =
    target.generation > 0 &&
    target.appliedGeneration === target.generation &&
    target.state !== "due";
  if (!agreed) return { trust: null, taskId: null };
  return { trust: facts.roster === undefined ? "verified" : "observed", taskId: null };
}
