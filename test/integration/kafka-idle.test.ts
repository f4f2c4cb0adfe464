// Goal: an idle service with Kafka connected is idle.
// Method: a process that has both subscriptions and the producer, measured for some seconds, with and without our change of the client.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";

const probe = fileURLToPath(new URL("../support/kafka/idle-probe.ts", import.meta.url));

describeReal("an idle process with Apache Kafka connected", await sharedKafka(), (kafka) => {
  const measure = async (kind: "calm" | "raw") => {
    const args = [probe, kafka.brokers.join(","), kafka.freshPrefix(), kind, "5000"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 });
    return JSON.parse(stdout) as { readonly timersPerSecond: number; readonly core: number };
  };

  test("uses less than two hundredths of a core, where the client's own timer loop used many times as much", async () => {
    const calm = await measure("calm");
    const raw = await measure("raw");
    expect(calm.core).toBeLessThan(0.02);
    expect(calm.timersPerSecond).toBeLessThan(50);
    expect(raw.timersPerSecond).toBeGreaterThan(10 * calm.timersPerSecond);
    expect(raw.core).toBeGreaterThan(calm.core);
  });
});
