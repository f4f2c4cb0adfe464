import { startChild } from "../child.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio } from "../statistics.ts";

export const simulation: Measure = {
  name: "simulation",
  title: "A change of mapping simulated for everybody",
  method:
    "Everybody of a company read from disk and evaluated before and after a change, page by page, in a process of its own, as a roll-out " +
    "does. Floor: the same pages read and not evaluated.",
  timeoutMs: 600_000,
  run: measureSimulation,
};

interface Walked {
  readonly ms: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
  readonly people: number;
  readonly gain?: number;
}

async function measureSimulation(stage: Stage): Promise<Findings> {
  const [people, rules] = stage.size === "smoke" ? [200, 20] : [100_000, 200];
  const folder = await stage.company(people);
  const child = await startChild(stage, "simulation.ts", { folder });
  const ours: number[] = [];
  const floor: number[] = [];
  const cpu: number[] = [];
  for (const _round of rounds({ least: 1, most: stage.size === "smoke" ? 1 : 3, seconds: 60 })) {
    const simulated = await child.ask<Walked>("simulate", { rules });
    const walked = await child.ask<Walked>("walk");
    if (simulated.people !== people || walked.people !== people || simulated.gain === 0) {
      throw new Error(`not everybody was evaluated: ${JSON.stringify({ simulated, walked })}`);
    }
    ours.push(simulated.ms / 1_000);
    cpu.push(simulated.cpuMs / 1_000);
    floor.push(walked.ms / 1_000);
  }
  const memory = child.memory();
  const name = `${people.toLocaleString("en-GB")} people × ${String(rules)} rules`;
  return {
    rows: [
      {
        measure: `${name} simulated, before and after`,
        ours: { value: median(ours), unit: "s" },
        floor: { value: median(floor), unit: "s", what: "reading everybody" },
        ratio: pairedRatio(ours, floor),
        goal: { kind: "at-most", value: 30 },
        whenMissed:
          "wall time on a machine that others keep busy; the processor time below is what it costs where the cores are free",
      },
      { measure: `${name} simulated, processor time`, ours: { value: median(cpu), unit: "s" } },
      { measure: `${name} simulated, peak memory`, ours: { value: memory.peak, unit: "MB" } },
    ],
    notes: [`${String(ours.length)} rounds.`],
  };
}
