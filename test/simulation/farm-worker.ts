import { parentPort, workerData } from "node:worker_threads";
import { plantBug } from "./plant.ts";
import type { FarmAnswer, FarmQuestion, FarmStart } from "./farm.ts";

// The hooks come first: what is imported below is patched while it is loaded, in this thread only.
const { bug } = workerData as FarmStart;
if (bug !== undefined) plantBug(bug);

const { runSeed } = await import("./run.ts");
const { shrinkRun } = await import("./shrink.ts");

parentPort?.on("message", (question: FarmQuestion) => {
  void answer(question).then((value: FarmAnswer) => parentPort?.postMessage(value));
});

async function answer(question: FarmQuestion): Promise<FarmAnswer> {
  const { seed, actions } = question;
  const more = actions === undefined ? {} : { actions };
  if (question.shrink) return { kind: "shrunk", shrunk: await shrinkRun(seed, actions) };
  return { kind: "outcome", outcome: await runSeed(seed, more) };
}
