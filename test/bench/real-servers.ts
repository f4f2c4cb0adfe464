import { ownKafka, sharedKafka } from "../support/kafka/real-kafka.ts";
import { ownPostgres, sharedPostgres } from "../support/postgres/real-postgres.ts";
import type { Found } from "../support/real-server.ts";
import { makeScratchDatabase } from "../../src/adapters/postgres/scratch-database.ts";
import type { Stage } from "./measure.ts";

/** A PostgreSQL for one measure; the smallest form shares that of the test run. */
export async function stagePostgres(
  stage: Stage,
): Promise<{ readonly database: () => Promise<string> }> {
  const url = stage.size === "smoke" ? await sharedUrl() : await ownUrl(stage);
  let made = 0;
  return {
    database: async () => {
      made += 1;
      const name = `bench_${String(process.pid)}_${String(Date.now())}_${String(made)}`;
      const scratch = await makeScratchDatabase(url, name);
      stage.cleanUp(() => scratch.drop());
      return scratch.url;
    },
  };
}

async function sharedUrl(): Promise<string> {
  return orThrow(await sharedPostgres()).url;
}

async function ownUrl(stage: Stage): Promise<string> {
  const server = await orThrow(await ownPostgres())();
  stage.cleanUp(() => server.stop());
  return server.url();
}

/** Brokers for one measure (one node, all copies of it), and a prefix of topics that nobody else has. */
export async function stageKafka(
  stage: Stage,
): Promise<{ readonly brokers: readonly string[]; readonly freshPrefix: () => string }> {
  if (stage.size === "smoke") return orThrow(await sharedKafka());
  const cluster = await orThrow(await ownKafka())();
  stage.cleanUp(() => cluster.stop());
  let prefixes = 0;
  return {
    brokers: cluster.brokers,
    freshPrefix: () => {
      prefixes += 1;
      return `bench-${String(prefixes)}`;
    },
  };
}

function orThrow<Server>(found: Found<Server>): Server {
  if ("missing" in found) throw new Error(found.missing);
  return found.server;
}
