// Goal: a worker that stands still for longer than its lease and then goes on sends nothing of what it had decided before.
// Method: real processes on PostgreSQL and Kafka; SIGSTOP while a read is under way, and between an allowed write and its first byte; the
// next worker does both; SIGCONT.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { faultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { FleetWorld } from "../support/fleet-world.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
import type { RolecallProcess } from "../support/rolecall-process.ts";
import { vendorGate, type GatedCall, type VendorGate } from "../support/vendor-gate.ts";

/** Lease, intent window and grace run in real time here. */
const long = { timeoutMs: 240_000, everyMs: 200 };

describeReal(
  "a worker that stands still",
  bothFound(await sharedPostgres(), await sharedKafka()),
  ({ first: postgres, second: kafka }) => {
    let database: Awaited<ReturnType<typeof postgres.database>>;
    let world: FleetWorld;
    let proxy: FaultProxy;
    let api: RolecallProcess;
    let gates: VendorGate[];

    beforeAll(async () => {
      database = await postgres.database();
      world = await FleetWorld.open({
        databaseUrl: database.url,
        brokers: kafka.brokers,
        prefix: kafka.freshPrefix(),
      });
      gates = [await vendorGate(world.vendor.url), await vendorGate(world.vendor.url)];
      proxy = await faultProxy();
      proxy.aim(Number(new URL(database.url).port));
      api = await world.startApi();
    }, 300_000);
    afterAll(async () => {
      await world.close();
      await Promise.all(gates.map((gate) => gate.close()));
      await proxy.close();
      await database.release();
    }, 120_000);

    const invites = (at: number, email: string) =>
      (gates[at]?.calls ?? []).filter(
        ({ method, body }) => method === "POST" && body.includes(email),
      ).length;
    const looksFor = (name: string) => (call: GatedCall) =>
      call.method === "GET" && call.path.includes("/users?") && call.path.includes(name);

    test("sends nothing when it goes on, neither what it read for nor what it had been allowed", async () => {
      const throughProxy = new URL(database.url);
      throughProxy.port = String(proxy.port);
      const [gate] = gates;
      if (gate === undefined) throw new Error("no gate");
      const first = await world.startWorker(gate.url, { DATABASE_URL: throughProxy.href });

      // Both at once: a call that is caught for half a minute is given up.
      await api.api("POST", "/lanes/anthropic/pause", { why: "until both are there" });
      await world.hire("ann");
      await world.hire("bob");
      await eventually(async () => {
        const { rows } = await world.database.query("SELECT 1 FROM targets");
        expect(rows).toHaveLength(2);
      }, long);
      const reads = [gate.catch(looksFor("bob")), gate.catch(looksFor("ann"))] as const;
      await api.api("POST", "/lanes/anthropic/resume", { why: "both are there" });
      // bob: the answer to the last read before a decision is under way. ann: the gate has let the write pass, and all that is missing
      // is the word that the vendor's rate allows it.
      const [heldRead, lastRead] = await Promise.all(reads);
      const sql = (text: string) => world.database.query(text);
      await sql(
        "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END $$",
      );
      await sql(
        "CREATE TRIGGER wait_for_test BEFORE UPDATE ON buckets FOR EACH ROW EXECUTE FUNCTION wait_for_test()",
      );
      await sql("SELECT pg_advisory_lock(7)");
      // What the worker may have drawn ahead is good for a second: the write has to ask for a token of its own.
      await sleep(1_100);
      await lastRead.answer();
      await world.waitsForLock("UPDATE buckets");
      expect(await world.intents()).toEqual({ sent: 1 });
      proxy.hold();
      await sql("SELECT pg_advisory_unlock(7)");
      await eventually(() => proxy.held() > 0, long);
      first.signal("SIGSTOP");
      // The word lies before it; whatever else it asks of the database when it goes on stays without an answer.
      proxy.releaseHeld();
      await sql("DROP FUNCTION wait_for_test CASCADE");

      const second = await world.startWorker(gates[1]?.url);
      await eventually(() => {
        expect([invites(1, "ann"), invites(1, "bob")]).toEqual([1, 1]);
      }, long);
      await eventually(async () => {
        const { sent = 0, unknown = 0 } = await world.intents();
        expect([sent, unknown]).toEqual([0, 0]);
      }, long);
      await second.stop();

      first.signal("SIGCONT");
      await eventually(() => {
        const kept = first.lines().some((line) => line["code"] === "INTENT_EXPIRED");
        return kept || invites(0, "ann") > 0;
      }, long);
      expect(invites(0, "ann")).toBe(0);
      proxy.release();
      await heldRead.answer();
      // It works on, so it is past what it had in hand.
      await world.hire("carol");
      await eventually(() => {
        expect(invites(0, "carol")).toBe(1);
      }, long);
      expect([invites(0, "ann"), invites(0, "bob")]).toEqual([0, 0]);
      for (const name of ["ann", "bob", "carol"]) {
        const counts = world.vendor.createAttempts(`${name}@example.com`);
        expect([name, counts]).toEqual([name, { attempted: 1, created: 1, refused: 0 }]);
      }
    }, 480_000);
  },
);
