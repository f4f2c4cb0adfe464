import { z } from "zod";
import type { Clock } from "../model/clock.ts";
import type { Operator } from "./operator.ts";
import type { Timeline } from "./timeline.ts";
import type { DemoVendors } from "./vendors.ts";

const tasksShape = z.object({
  tasks: z.array(
    z.object({
      taskId: z.string(),
      state: z.string(),
      userName: z.string().nullable(),
      lines: z.array(
        z.object({
          slot: z.object({ kind: z.string(), objectId: z.string() }),
          roleTo: z.string().nullable(),
        }),
      ),
    }),
  ),
});

/** A list that is copied this long after the last click shows it, story time. */
const copyAfterMs = 70_000;

/** The person who does by hand what no API does: clicks at Clay, says so, and brings the list of members. */
export class Desk {
  readonly #operator: Operator;
  readonly #vendors: DemoVendors;
  readonly #clock: Clock;
  readonly #timeline: Timeline;
  /** What the list that was brought last showed, but for its time. */
  #brought: string | undefined;
  #clickedAt = 0;
  #told = new Set<string>();

  constructor(parts: {
    readonly operator: Operator;
    readonly vendors: DemoVendors;
    readonly clock: Clock;
    readonly timeline: Timeline;
  }) {
    this.#operator = parts.operator;
    this.#vendors = parts.vendors;
    this.#clock = parts.clock;
    this.#timeline = parts.timeline;
  }

  /** Does what is there to do. Answers whether nothing was, and the last list shows how things are. */
  async work(): Promise<boolean> {
    const { tasks } = tasksShape.parse(
      await this.#operator.ask("GET", "/tasks", { connection: "clay", limit: 500 }),
    );
    for (const task of tasks) {
      if (task.state !== "open" && task.state !== "claimed") continue;
      const email = task.userName?.toLowerCase() ?? "";
      for (const { slot, roleTo } of task.lines) this.#vendors.click(email, { ...slot, roleTo });
      this.#clickedAt = this.#clock.now();
      await this.#say("POST", `/tasks/${task.taskId}/done`, {});
      this.#tell("done", "did the first tasks at Clay by hand and said so: attested, not proven");
    }
    const now = this.#vendors.roster();
    const same = now.shows === this.#brought;
    const said = tasks.some((task) => task.state === "submitted");
    if (same && !said) return tasks.length === 0;
    if (this.#clock.now() < this.#clickedAt + copyAfterMs) return false;
    const taken = await this.#say("POST", "/connections/clay/rosters", {
      text: now.csv,
      format: "csv",
      shrinkAccepted: false,
    });
    if (taken) {
      this.#brought = now.shows;
      this.#tell("roster", "brought the list of Clay's members: it proves what was said");
    }
    return false;
  }

  /** false: not now: somebody was faster, or the connection is not known yet. It is tried again. */
  async #say(
    method: "POST",
    path: string,
    input: Readonly<Record<string, string | boolean>>,
  ): Promise<boolean> {
    try {
      await this.#operator.ask(method, path, input);
      return true;
    } catch (error) {
      const status = error instanceof Error && "status" in error ? error.status : undefined;
      if (status === 409 || status === 422) return false;
      throw error;
    }
  }

  #tell(what: string, text: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#timeline.tell("you", text);
  }
}
