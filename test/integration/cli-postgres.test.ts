// Goal: what an operator asks from the command line is the same where the store is PostgreSQL and the bus is Kafka: the doctor, the proof of the
// record, and the messages that nobody could read.
// Method: a real process on real servers, the command line in this one; a byte nobody can read on the topic, a record changed behind our back.
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runCli } from "../../src/cli.ts";
import { exitCodes } from "../../src/cli/command.ts";
import { eventually } from "../support/eventually.ts";
import { fleetTenant, fleetToken, FleetWorld } from "../support/fleet-world.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
import type { RolecallProcess } from "../support/rolecall-process.ts";

const long = { timeoutMs: 120_000, everyMs: 200 };

async function rolecall(...line: readonly string[]) {
  let out = "";
  let err = "";
  const code = await runCli(line, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    isTty: false,
    columns: 80,
    readStdin: () => Promise.resolve(""),
  });
  return { code, out, err };
}

const found = bothFound(await sharedPostgres(), await sharedKafka());

describeReal("the command line of a fleet", found, ({ first: postgres, second: kafka }) => {
  let database: Awaited<ReturnType<typeof postgres.database>>;
  let world: FleetWorld;
  let api: RolecallProcess;

  beforeAll(async () => {
    database = await postgres.database();
    world = await FleetWorld.open({
      databaseUrl: database.url,
      brokers: kafka.brokers,
      prefix: kafka.freshPrefix(),
    });
    api = await world.startApi();
    await world.startWorker();
    for (const [name, value] of Object.entries(world.env)) vi.stubEnv(name, value);
    vi.stubEnv("ROLECALL_API_URL", api.operatorUrl);
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", fleetToken);
  }, 300_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await world.close();
    await database.release();
  }, 120_000);

  const doctor = async () => {
    const { code, out } = await rolecall("doctor", "--json");
    const checks = JSON.parse(out) as { what: string; ok: boolean; says: string }[];
    return { code, says: (what: string) => checks.find((check) => check.what === what) };
  };

  test("the doctor looks at the database and at Kafka, and says what is wrong with either", async () => {
    const well = await doctor();
    expect(well.says("database")).toMatchObject({
      ok: true,
      says: expect.stringMatching(/^PostgreSQL \d+.*, without TLS, (\d+) of \1 migrations done$/),
    });
    expect(well.says("Kafka: groups")).toMatchObject({ ok: true });
    const nowhere = new URL(database.url);
    nowhere.pathname = "/nowhere";
    vi.stubEnv("DATABASE_URL", nowhere.href);
    vi.stubEnv("KAFKA_BROKERS", "127.0.0.1:1");
    const ill = await doctor();
    expect(ill.code).toBe(exitCodes.negative);
    expect(ill.says("database")).toMatchObject({
      ok: false,
      says: expect.stringContaining('"nowhere" does not exist'),
    });
    expect(ill.says("Kafka: brokers")).toMatchObject({
      ok: false,
      says: expect.stringContaining("refuses connections"),
    });
    vi.stubEnv("DATABASE_URL", database.url);
    vi.stubEnv("KAFKA_BROKERS", kafka.brokers.join(","));
  });

  test("a message that nobody can read is listed, shown byte by byte and dropped", async () => {
    const producer = new Kafka({
      brokers: [...kafka.brokers],
      logLevel: logLevel.NOTHING,
    }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const topic = `${world.env["KAFKA_TOPIC_PREFIX"] ?? ""}.hints`;
    await producer.send({ topic, messages: [{ key: "acme:x", value: Buffer.from([0xff, 0x41]) }] });
    await producer.disconnect();
    let letter = "";
    await eventually(async () => {
      const { out } = await rolecall("dead-letter", "list", "--json");
      const { letters } = JSON.parse(out) as { letters: { letterId: string; why: string }[] };
      expect(letters).toEqual([expect.objectContaining({ why: "no JSON", valueBytes: 2 })]);
      letter = letters[0]?.letterId ?? "";
    }, long);
    expect((await rolecall("dead-letter", "show", letter)).out).toMatch(/ff 41 +\.A/);
    const dropped = await rolecall("dead-letter", "drop", letter, "--why", "a test of ours");
    expect([dropped.code, dropped.out]).toEqual([exitCodes.ok, `${letter} is dropped\n`]);
    expect((await rolecall("dead-letter", "list")).out).toContain("none");
    expect((await rolecall("dead-letter", "show", letter)).code).toBe(exitCodes.notThere);
  });

  test("the record verifies beside the running service, and no longer when somebody changed it", async () => {
    await eventually(async () => {
      const { code, out } = await rolecall("audit", "verify");
      expect([code, out]).toEqual([
        exitCodes.ok,
        expect.stringMatching(new RegExp(`^${fleetTenant}: verified, [1-9]\\d* records`)),
      ]);
    }, long);
    const change = (from: string, to: string) =>
      world.database.query(
        "UPDATE audit_records SET body = replace(body, $1, $2) WHERE action = 'tenant.created'",
        [from, to],
      );
    expect((await change('"tenant.created"', '"tenant.crowned"')).rowCount).toBe(1);
    const changed = await rolecall("audit", "verify");
    expect([changed.code, changed.out]).toEqual([
      exitCodes.negative,
      expect.stringContaining(`${fleetTenant}: does NOT verify`),
    ]);
    await change('"tenant.crowned"', '"tenant.created"');
    expect((await rolecall("audit", "verify")).code).toBe(exitCodes.ok);
  });
});
