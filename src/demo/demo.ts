import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeScratchDatabase } from "../adapters/postgres/scratch-database.ts";
import { verifyStore } from "../cli/verify-record.ts";
import type { Environment } from "../config/config.ts";
import type { KafkaConfig } from "../config/kafka-settings.ts";
import { makeToken } from "../credentials/tokens.ts";
import { createHttpPools, type HttpPools } from "../http/http-pools.ts";
import { createJsonClient } from "../http/json-client.ts";
import { systemClock, type Clock } from "../model/clock.ts";
import { asId, type TenantId } from "../model/ids.ts";
import { checkExplanation, checkVendor, renderChecks, type VendorCheck } from "./final-check.ts";
import { Fleet, oneBroker, oneProcess, sharedEnvironment, twoProcesses } from "./fleet.ts";
import { Operator } from "./operator.ts";
import { startDemoVendors } from "./simulated-vendors.ts";
import { Story } from "./story.ts";
import { Timeline } from "./timeline.ts";
import type { DemoVendors } from "./vendors.ts";

export interface DemoOptions {
  /** Leaves the service and the vendors running until a signal. */
  readonly keep: boolean;
  /** How often the service is killed at a random moment and started again. */
  readonly kills: number;
  /** false: the bus drops every hint, so that the sweep alone does the work. */
  readonly hints: boolean;
  /** A PostgreSQL server on which the day gets a database of its own; undefined: the embedded store. */
  readonly databaseServer: string | undefined;
  /** Brokers on which the day gets topics of its own, for two processes; undefined: one process, and the bus inside it. */
  readonly kafka: DemoKafka | undefined;
  readonly write: (text: string) => void;
  readonly live: boolean;
  readonly columns: number;
}

/** Where Kafka is, and the settings that say so to a process. */
export interface DemoKafka {
  readonly config: KafkaConfig;
  readonly env: Environment;
}

/** A wall second is a minute. */
const scale = 60;
const tenantId = asId<TenantId>("demo");
const mappings = fileURLToPath(new URL("../../mappings", import.meta.url));

/** Plays the day. Answers whether every vendor ended as the mapping says and the record verifies. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const anchor = Date.now();
  const clock = systemClock({ scale, anchor });
  const { write, live, columns } = options;
  const timeline = new Timeline({ clock, write, live, columns });
  timeline.say(
    `A day at an invented company, ${String(scale)} times as fast: one second here is a minute there. Times are story times.\n`,
  );
  const folder = await mkdtemp(join(tmpdir(), "rolecall-demo-"));
  const database = await databaseOf(options, anchor);
  const vendors = await startDemoVendors(clock);
  const pools = createHttpPools();
  const token = makeToken("operator", clock);
  const prefix = `rolecall-demo-${String(anchor)}`;
  const service = await Fleet.make({
    folder,
    processes: options.kafka === undefined ? oneProcess : twoProcesses,
    clock,
    env: {
      ...sharedEnvironment({
        databaseUrl: database?.url,
        kafka: options.kafka === undefined ? {} : { ...oneBroker, ...options.kafka.env },
        instance: "demo",
        adminToken: token,
        scimToken: makeToken("scim", clock),
        sealKey: Buffer.from(clock.bytes(32)).toString("hex"),
        mappings,
      }),
      ...rehearsal(vendors.urls, anchor),
      ...(options.kafka === undefined ? {} : { KAFKA_TOPIC_PREFIX: prefix }),
      ...(options.hints ? {} : { ROLECALL_SANDBOX_DROP_HINTS: "1" }),
    },
  });
  const chaos = new AbortController();
  let right = false;
  try {
    service.start();
    await service.ready((url) => answers(pools, url));
    timeline.tell("Rolecall", `started ${placeOf(options)}, ${service.scimUrl}/scim/v2`);
    const client = createJsonClient({
      baseUrl: `${service.operatorUrl}/api/v1`,
      token,
      pools,
      totalMs: 10_000,
    });
    const operator = new Operator(
      (method, path, input) => client.call(method, path, input),
      clock,
      () => {
        service.assertAlive();
      },
    );
    const story = new Story({ clock, timeline, service, operator, vendors });
    const killing = killAtRandom(options.kills, service, clock, timeline, chaos.signal);
    try {
      await story.play();
    } finally {
      chaos.abort();
      await killing;
    }
    await service.ready((url) => answers(pools, url));
    const { checks, lies, explained } = await compare(vendors, operator);
    timeline.end();
    timeline.say(
      `\nWhat the mapping says against what the vendors hold:\n\n${renderChecks(checks)}`,
    );
    timeline.say(
      `What \`rolecall explain\` says was compared with both for each of them: ${String(explained)} explanations, ${String(lies.length)} wrong.`,
    );
    const complaints = [...story.complaints, ...lies];
    for (const complaint of complaints) timeline.say(`NOT RIGHT: ${complaint}`);
    right = complaints.length === 0 && checks.every((check) => check.differences.length === 0);
    if (options.keep) await keepRunning(timeline, service, token);
  } catch (error) {
    timeline.end();
    timeline.say(
      `\nNOT RIGHT: ${error instanceof Error ? error.message : String(error)}\nWhat the service said is in ${service.logPaths.join(" and ")}`,
    );
  }
  await service.stop();
  await vendors.close();
  await pools.close();
  const place = { dataDir: service.recordFolder, databaseUrl: database?.url };
  right = (await verified(place, timeline)) && right;
  if (right) {
    await database?.drop();
    if (options.kafka !== undefined) await dropTopics(options.kafka, prefix);
    if (!options.keep) timeline.say(whatNext);
    await rm(folder, { recursive: true, force: true });
  }
  return right;
}

function placeOf({ databaseServer, kafka }: DemoOptions): string {
  if (databaseServer === undefined) return "on a fresh folder";
  const database = "on a fresh PostgreSQL database";
  if (kafka === undefined) return database;
  const names = twoProcesses.map(({ name }) => name).join(" and ");
  return `${database} and fresh Kafka topics, as two processes (${names})`;
}

async function databaseOf({ databaseServer }: DemoOptions, anchor: number) {
  if (databaseServer === undefined) return undefined;
  return makeScratchDatabase(databaseServer, `rolecall_demo_${String(anchor)}`);
}

async function dropTopics({ config }: DemoKafka, prefix: string): Promise<void> {
  // The client of Kafka is loaded by days that have one.
  const { dropScratchTopics } = await import("../adapters/kafka/scratch-topics.ts");
  await dropScratchTopics({ ...config, prefix, clientId: prefix });
}

/** The settings of every such day: fast time, and the vendors of this process. */
function rehearsal(vendorUrls: Readonly<Record<string, string>>, anchor: number) {
  return {
    ROLECALL_SANDBOX: "1",
    ROLECALL_SANDBOX_VENDORS: Object.entries(vendorUrls)
      .map(([vendor, url]) => `${vendor}=${url}`)
      .join(","),
    ROLECALL_TIME_SCALE: String(scale),
    ROLECALL_TIME_ANCHOR: new Date(anchor).toISOString(),
    ROLECALL_TENANT: tenantId,
  };
}

/** What the mapping wishes and what `explain` says, against what each vendor really holds. */
async function compare(vendors: DemoVendors, operator: Operator) {
  const checks: VendorCheck[] = [];
  const lies: string[] = [];
  let explained = 0;
  for (const truth of vendors.truth()) {
    const wishes = await operator.targets(truth.connection);
    checks.push(checkVendor(truth, wishes));
    for (const wish of wishes) {
      const told = await operator.explanation(wish.identityId, truth.connection);
      lies.push(...checkExplanation(truth, wish, told));
      explained += 1;
    }
  }
  return { checks, lies, explained };
}

async function verified(
  place: Parameters<typeof verifyStore>[0],
  timeline: Timeline,
): Promise<boolean> {
  try {
    const result = await verifyStore(place, tenantId);
    timeline.say(
      result.ok
        ? `The audit record verifies: ${String(result.size)} records, ${String(result.checkpoints)} checkpoints, root ${result.root.slice(0, 16)}…`
        : `NOT RIGHT: the audit record does not verify: ${result.problems.join("; ")}`,
    );
    return result.ok;
  } catch (error) {
    timeline.say(
      `NOT RIGHT: the audit record could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
    return false;
  }
}

/** kill -9 at moments that nobody chose, each followed by a new life on the same folder. */
async function killAtRandom(
  kills: number,
  service: Fleet,
  clock: Clock,
  timeline: Timeline,
  signal: AbortSignal,
): Promise<void> {
  for (let done = 0; done < kills; done++) {
    await clock.sleep(20_000 + clock.random() * 130_000, signal);
    if (signal.aborted) return;
    const name = await service.crash();
    timeline.tell(
      "chaos",
      `kill -9 of ${name}, and a new start (${String(done + 1)} of ${String(kills)})`,
    );
  }
}

async function keepRunning(timeline: Timeline, service: Fleet, token: string): Promise<void> {
  timeline.say(
    [
      "The service goes on running. In another terminal:",
      "",
      `  export ROLECALL_API_URL=${service.operatorUrl} ROLECALL_ADMIN_TOKEN=${token} ROLECALL_TENANT=demo`,
      "  npx rolecall status",
      "  npx rolecall explain omar.benjelloun@example.com",
      '  npx rolecall explain kwame.boateng@example.com --want "instantly:admin"',
      "  npx rolecall findings",
      "",
      "Ctrl-C ends it.",
    ].join("\n"),
  );
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

async function answers(pools: HttpPools, url: string): Promise<boolean> {
  const { origin, pathname } = new URL(url);
  try {
    const { statusCode, body } = await pools.of(origin).request({ method: "GET", path: pathname });
    await body.dump();
    return statusCode === 200;
  } catch {
    // Not listening yet: that is what is being asked.
    return false;
  }
}

const whatNext = `
Next: npm run demo -- --keep    leaves it running; then, in another terminal, the commands that it prints, for example
        npx rolecall explain omar.benjelloun@example.com
      npm start                 the real thing, report-only until you say otherwise`;
