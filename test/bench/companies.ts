import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Stage } from "./measure.ts";

/** Filled stores of several sizes, each made once in a run and copied for whoever wants one. */
export class Companies {
  readonly #made = new Map<number, string>();

  /** A data folder of the caller's own with that many people in it. */
  async copy(stage: Stage, people: number): Promise<string> {
    const from = this.#made.get(people) ?? (await this.#make(stage, people));
    const folder = await stage.folder();
    await cp(join(from, "rolecall.db"), join(folder, "rolecall.db"));
    return folder;
  }

  async remove(): Promise<void> {
    for (const folder of this.#made.values()) await rm(folder, { recursive: true, force: true });
    this.#made.clear();
  }

  async #make(stage: Stage, people: number): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), `rolecall-bench-${String(process.pid)}-company-`));
    try {
      const startedAt = performance.now();
      const child = await startChild(stage, "seed-company.ts");
      await child.ask("fill", { folder, people });
      await child.stop();
      const seconds = (performance.now() - startedAt) / 1_000;
      stage.say(`a company of ${people.toLocaleString("en-GB")} made in ${seconds.toFixed(1)} s`);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    this.#made.set(people, folder);
    return folder;
  }
}
