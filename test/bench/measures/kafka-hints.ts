import { setTimeout as sleep } from "node:timers/promises";
import { startChild, type Child } from "../child.ts";
import type { Figure, Findings, Measure, Stage } from "../measure.ts";
import type { HintNodeStart, TakeAnswer } from "../processes/hint-node.ts";
import { stageKafka, stagePostgres } from "../real-servers.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio, range } from "../statistics.ts";

export const kafkaHints: Measure = {
  name: "kafka-hints",
  title: "Hint, Kafka, recompute that finds nothing to do",
  method:
    "One process publishes hints of their real size to the topic as the relay does (200 at a time, all copies), another takes them as the service " +
    "does and asks PostgreSQL for each person's mark, which is done. From the first hint sent to the last one handled. Floor: the same messages sent " +
    "the same way and only counted, by kafkajs alone. Broker and database share the cores.",
  timeoutMs: 300_000,
  needs: ["postgres", "kafka"],
  run: measureHints,
};

interface Path {
  readonly publisher: Child;
  readonly taker: Child;
  readonly rates: number[];
  readonly cpuUs: number[];
}

async function measureHints(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const count = smoke ? 1_000 : 20_000;
  const plan = smoke ? { least: 2, most: 2, seconds: 1 } : { least: 4, most: 8, seconds: 40 };
  // A hand of 200 hints names nobody twice.
  const people = smoke ? 3_000 : 12_000;
  const kafka = await stageKafka(stage);
  const postgres = await stagePostgres(stage);
  const database = await postgres.database();
  const open = async (kind: "worker" | "plain"): Promise<Path> => {
    const common = { brokers: kafka.brokers, prefix: kafka.freshPrefix(), people };
    const start: HintNodeStart = { ...common, kind, ...(kind === "worker" && { database }) };
    const taker = await startChild(stage, "hint-node.ts", start);
    const publisher = await startChild(stage, "hint-node.ts", { ...common, kind: "publisher" });
    while (!(await taker.ask<boolean>("ready")))
      await sleep(100, undefined, { signal: stage.signal });
    return { publisher, taker, rates: [], cpuUs: [] };
  };
  const ours = await open("worker");
  const plain = await open("plain");
  // Round 0 joins, connects and warms up; it does not count.
  for (const round of rounds(plan)) {
    await play(ours, count, round > 0);
    await play(plain, count, round > 0);
    stage.say(`round ${String(round)}`);
  }
  return {
    rows: [
      {
        measure: "hint → Kafka → no-op recompute",
        ours: rate(ours.rates),
        floor: { ...rate(plain.rates), what: "kafkajs, counted only" },
        ratio: pairedRatio(ours.rates, plain.rates),
        goal: { kind: "at-least", value: 3_000 },
      },
      {
        measure: "the worker's processor time a hint",
        ours: { value: median(ours.cpuUs), unit: "µs" },
        floor: { value: median(plain.cpuUs), unit: "µs", what: "kafkajs, counted only" },
        ratio: pairedRatio(ours.cpuUs, plain.cpuUs),
      },
    ],
    notes: [
      `${count.toLocaleString("en-GB")} hints a round, ${String(ours.rates.length)} rounds each, 12 partitions, ${people.toLocaleString("en-GB")} people.`,
    ],
  };
}

async function play(path: Path, count: number, counts: boolean): Promise<void> {
  const taking = path.taker.ask<TakeAnswer>("take", count);
  const startedAt = await path.publisher.ask<number>("publish", count);
  const { endedAt, cpuUs } = await taking;
  if (!counts) return;
  path.rates.push(count / ((endedAt - startedAt) / 1_000));
  path.cpuUs.push(cpuUs);
}

function rate(rates: readonly number[]): Figure {
  return { value: median(rates), unit: "/s", range: range(rates) };
}
