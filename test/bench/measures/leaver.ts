import type { Findings, Measure, Row, Stage } from "../measure.ts";
import { rounds } from "../rounds.ts";
import { median, quantile } from "../statistics.ts";
import { startVendorScene, type VendorScene } from "../vendor-scene.ts";

/** What the goal says of a healthy vendor. */
const vendorMs = 50;

export const leaver: Measure = {
  name: "leaver",
  title: "Accepted signal to contained, also behind a queue of joiners",
  method:
    "Rolecall as `npm start` runs it, a simulated Instantly that takes 50 ms for each answer. People with an account are deactivated one after the " +
    "other; the time is what their case says, from the accepted signal to the read-back that shows the account gone. First idle, then while a " +
    "group with 100,000 new members has their invitations stand in line at the same connection.",
  timeoutMs: 1_800_000,
  run: measureLeaver,
};

async function measureLeaver(stage: Stage): Promise<Findings> {
  const [each, queued] = stage.size === "smoke" ? [2, 20] : [30, 100_000];
  const scene = await startVendorScene(stage, 2 * each, vendorMs);
  for (const person of scene.people) await scene.join(person);
  await scene.quiet();
  const idle = await leaveAll(scene, scene.people.slice(0, each));
  await scene.crowd(queued);
  const behind = await leaveAll(scene, scene.people.slice(each));
  return {
    rows: [
      ...rows("idle", idle),
      ...rows(`${queued.toLocaleString("en-GB")} joiners queued`, behind),
    ],
    notes: [
      `${String(idle.length)} and ${String(behind.length)} leavers; a leaver is two reads, a removal and a read-back.`,
    ],
  };
}

async function leaveAll(scene: VendorScene, people: readonly string[]): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (const at of rounds({
    least: Math.min(10, people.length),
    most: people.length,
    seconds: 300,
  }))
    seconds.push(await scene.contain(people[at] ?? ""));
  return seconds;
}

function rows(when: string, seconds: readonly number[]): readonly Row[] {
  return [
    {
      measure: `accepted signal → contained, ${when}, p95`,
      ours: { value: quantile(seconds, 0.95), unit: "s" },
      goal: { kind: "at-most", value: 5 },
      whenMissed: "the goal speaks of a machine of its own; the load above says whether it was one",
    },
    {
      measure: `accepted signal → contained, ${when}, median`,
      ours: { value: median(seconds), unit: "s" },
    },
  ];
}
