import { startChild, type Child } from "../child.ts";
import { connections, rate } from "../contestant.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import { userNameOf } from "../people.ts";
import type { AccessServerStart } from "../processes/access-server.ts";
import type { LoadAnswer, LoadRound, Target } from "../processes/load.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio, quantile } from "../statistics.ts";

export const access: Measure = {
  name: "access",
  title: "Decisions for applications (AuthZEN)",
  method:
    "A store on disk with everybody's wishes at four connections. The decision alone, in a process of its own: the rows of one person at random " +
    "and what follows from them, one after the other. Over HTTP: POST /access/v1/evaluation beside a bare express route that parses the same " +
    `body and sends it back, ${String(connections)} connections, turn by turn; rates are medians of the rounds, the ratio the median of each round's.`,
  timeoutMs: 600_000,
  run: measureAccess,
};

async function measureAccess(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const people = smoke ? 50 : 100_000;
  const load = await startChild(stage, "load.ts");
  const ours = await seat(stage, load, {
    kind: "rolecall",
    folder: await stage.company(people),
    people,
  });
  const echo = await seat(stage, load, { kind: "echo", folder: await stage.folder(), people });
  const times: (readonly number[])[] = [];
  const plan = smoke ? { least: 2, most: 2, seconds: 1 } : { least: 5, most: 12, seconds: 120 };
  // Round 0 warms up and does not count.
  for (const round of rounds(plan)) {
    const taken = await ours.server.ask<readonly number[]>("decisions", {
      count: smoke ? 50 : 20_000,
      from: round + 1,
    });
    if (round > 0) times.push(taken);
    for (const each of [ours, echo])
      await each.play(smoke ? { amount: 32 } : { seconds: 2 }, round > 0);
    stage.say(`round ${String(round)}`);
  }
  const size = people.toLocaleString("en-GB");
  return {
    rows: [
      {
        measure: `one decision among ${size} people, p99`,
        ours: { value: median(times.map((round) => quantile(round, 0.99))), unit: "ms" },
        goal: { kind: "at-most", value: 0.2 },
      },
      {
        measure: `one decision among ${size} people, median`,
        ours: { value: median(times.flat()), unit: "ms" },
      },
      {
        measure: "POST /access/v1/evaluation",
        ours: rate(ours.rates()),
        floor: { ...rate(echo.rates()), what: "express echo of the same JSON" },
        ratio: pairedRatio(ours.rates(), echo.rates()),
        goal: { kind: "ratio-at-least", value: 0.6 },
      },
    ],
    notes: [
      `Latency as the client saw it: ${median(ours.answers.map((answer) => answer.p99)).toFixed(0)} ms p99, the echo ` +
        `${median(echo.answers.map((answer) => answer.p99)).toFixed(0)} ms.`,
    ],
  };
}

async function seat(stage: Stage, load: Child, start: AccessServerStart) {
  const server = await startChild(stage, "access-server.ts", start);
  const target = await server.ask<Target>("address");
  const answers: LoadAnswer[] = [];
  const names = Array.from({ length: Math.min(2_000, start.people) }, (_, at) =>
    userNameOf((at * 7_919) % start.people),
  );
  let from = 0;
  return {
    server,
    answers,
    rates: () => answers.map((answer) => answer.perSecond),
    async play(length: Pick<LoadRound, "seconds" | "amount">, counts: boolean): Promise<void> {
      const round: LoadRound = { ...length, target, connections, job: "ask", from, ids: names };
      const answer = await load.ask<LoadAnswer>("load", round);
      from = answer.next;
      if (counts) answers.push(answer);
    },
  };
}
