import { mkdir, mkdtemp, readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import type { Found } from "../real-server.ts";
import { KafkaCluster } from "./kafka-cluster.ts";
import { kafkaJars } from "./kafka-jars.ts";

/** Brokers for tests that only use them; who stops or kills a broker takes `ownKafka`. */
export interface RealKafka {
  readonly brokers: readonly string[];
  /** A prefix of topics and groups that nobody else has. */
  freshPrefix(): string;
}

/** First start on a busy machine, with Maven fetching before it. */
const sharedMs = 400_000;
let prefixes = 0;

/**
 * The broker of this test run: `KAFKA_BROKERS` where given, else one that the first test file to ask starts and all others share. It
 * ends with the run.
 */
export async function sharedKafka(): Promise<Found<RealKafka>> {
  const given = process.env["KAFKA_BROKERS"];
  if (given !== undefined && given !== "") return { server: realKafka(given.split(",")) };
  const jars = await kafkaJars();
  if ("missing" in jars) return jars;
  // Test files run in threads of one process: its id is what they have in common.
  const folder = join(tmpdir(), `rolecall-kafka-${String(process.pid)}`);
  const answer = join(folder, "brokers.json");
  if (await isFirst(folder)) {
    try {
      const { brokers } = await KafkaCluster.start({ jars: jars.server, folder });
      await writeWhole(answer, { brokers });
    } catch (error) {
      await writeWhole(answer, { missing: error instanceof Error ? error.message : String(error) });
    }
  }
  let said: { readonly brokers?: readonly string[]; readonly missing?: string } = {};
  await eventually(
    async () => {
      said = JSON.parse(await readFile(answer, "utf8"));
    },
    { timeoutMs: sharedMs, everyMs: 100 },
  );
  return said.brokers === undefined
    ? { missing: said.missing ?? "no broker" }
    : { server: realKafka(said.brokers) };
}

/** Whether this machine can start brokers of its own, for suites that kill them. */
export async function ownKafka(): Promise<
  Found<
    (
      options?: Omit<Parameters<typeof KafkaCluster.start>[0], "jars" | "folder">,
    ) => Promise<KafkaCluster>
  >
> {
  const jars = await kafkaJars();
  if ("missing" in jars) return jars;
  return {
    server: async (options = {}) =>
      KafkaCluster.start({
        ...options,
        jars: jars.server,
        folder: await mkdtemp(join(tmpdir(), "rolecall-kafka-own-")),
      }),
  };
}

function realKafka(brokers: readonly string[]): RealKafka {
  return {
    brokers: brokers.map((broker) => broker.trim()),
    freshPrefix() {
      prefixes += 1;
      const unique = Math.floor(Math.random() * 2 ** 40).toString(36);
      return `test-${String(process.pid)}-${unique}-${String(prefixes)}`;
    },
  };
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function writeWhole(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.half`, JSON.stringify(value));
  await rename(`${path}.half`, path);
}
