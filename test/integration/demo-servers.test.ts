// Goal: the demo's day on PostgreSQL and Kafka, with one process that answers and one that works, ends as the embedded one does.
// Method: the demo's own command on real servers; its exit code is its verdict over the vendors and the record.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel } from "kafkajs";
import { Client } from "pg";
import { expect, test } from "vitest";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));

async function demo(
  env: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<{ readonly code: number | null; readonly text: string }> {
  const { DATABASE_URL: _database, KAFKA_BROKERS: _brokers, ...inherited } = process.env;
  const child = spawn(process.execPath, [launcher, "demo", ...flags], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, text: Buffer.concat(chunks).toString("utf8") };
}

test.each([
  [["--postgres"], /wants DATABASE_URL/],
  [["--kafka"], /--kafka goes with --postgres/],
])("the demo says what %s needs", async (flags, says) => {
  const { code, text } = await demo({}, ...flags);
  expect([code, text]).toEqual([2, expect.stringMatching(says)]);
});

const found = bothFound(await sharedPostgres(), await sharedKafka());

describeReal("the demo on servers", found, ({ first: postgres, second: kafka }) => {
  test(
    "ends as the mapping says, with its hints on Kafka, and takes its database and topics away",
    { timeout: 480_000 },
    async () => {
      const brokers = [...kafka.brokers];
      const env = { DATABASE_URL: postgres.url, KAFKA_BROKERS: brokers.join(",") };
      const { code, text } = await demo(env, "--postgres", "--kafka");
      expect(text).not.toContain("NOT RIGHT");
      expect(text).toContain("PostgreSQL database and fresh Kafka topics, as two processes");
      expect(text).toMatch(/held: 9 people on the removals rail/);
      expect(text).toContain("62 explanations, 0 wrong");
      expect(text).toContain("The audit record verifies");
      expect(code).toBe(0);
      const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const topics = await admin.listTopics();
      const { groups } = await admin.listGroups();
      await admin.disconnect();
      const left = [...topics, ...groups.map((group) => group.groupId)];
      expect(left.filter((name) => name.startsWith("rolecall-demo-"))).toEqual([]);
      const client = new Client({ connectionString: postgres.url });
      await client.connect();
      const databases = await client.query(
        "SELECT datname FROM pg_database WHERE datname LIKE 'rolecall_demo_%'",
      );
      await client.end();
      expect(databases.rows).toEqual([]);
    },
  );
});
