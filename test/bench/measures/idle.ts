import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Findings, Measure, Stage } from "../measure.ts";
import { stageKafka, stagePostgres } from "../real-servers.ts";
import { startService, type Service } from "../service.ts";

export const idle: Measure = {
  name: "idle",
  title: "A service that nobody asks anything",
  method:
    "Rolecall as `npm start` runs it with every role, on PostgreSQL and Kafka, and embedded, each in a process of its own and both idle at the " +
    "same time: processor time of the process as the kernel counts it, after it has settled. Floor: the embedded one.",
  timeoutMs: 240_000,
  needs: ["postgres", "kafka"],
  run: measureIdle,
};

async function measureIdle(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const settleMs = smoke ? 1_000 : 15_000;
  const watchMs = smoke ? 1_000 : 30_000;
  const kafka = await stageKafka(stage);
  const postgres = await stagePostgres(stage);
  const mappings = { "tenant.yaml": { version: 1, idps: { okta: { kind: "okta" } } } };
  const fleet = await startService(stage, {
    mappings,
    environment: {
      DATABASE_URL: await postgres.database(),
      ROLECALL_SEAL_KEY: "0".repeat(64),
      KAFKA_BROKERS: kafka.brokers.join(),
      KAFKA_TOPIC_PREFIX: kafka.freshPrefix(),
      KAFKA_REPLICATION: "1",
    },
  });
  const embedded = await startService(stage, { mappings });
  await connected(stage, fleet);
  await sleep(settleMs, undefined, { signal: stage.signal });
  const before = [cpuMs(fleet.pid), cpuMs(embedded.pid)] as const;
  const startedAt = performance.now();
  await sleep(watchMs, undefined, { signal: stage.signal });
  const tookMs = performance.now() - startedAt;
  const share = (pid: number, from: number) => (100 * (cpuMs(pid) - from)) / tookMs;
  return {
    rows: [
      {
        measure: "idle with Kafka and PostgreSQL connected, share of a core",
        ours: { value: share(fleet.pid, before[0]), unit: "%" },
        floor: { value: share(embedded.pid, before[1]), unit: "%", what: "embedded" },
        goal: { kind: "at-most", value: 2 },
      },
    ],
    notes: [
      `Watched for ${String(watchMs / 1_000)} s. The kernel counts in hundredths of a second.`,
    ],
  };
}

/** Until both subscriptions are in their groups: joining is no idleness. */
async function connected(stage: Stage, service: Service): Promise<void> {
  for (;;) {
    const metrics = await service.metrics();
    if (/^rolecall_bus_ready 1$/m.test(metrics)) return;
    await sleep(200, undefined, { signal: stage.signal });
  }
}

/** Of all threads, from the kernel's own books (proc(5): utime and stime in ticks of 10 ms). */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
