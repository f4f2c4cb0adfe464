// Goal: a worker that stands still for longer than its lease and then goes on sends nothing of what it had decided before.
// Method: real processes on PostgreSQL and Kafka; SIGSTOP while a read is under way, and between an allowed write and its first byte; the
// next worker does both; SIGCONT.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { faultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { FleetWorld } from "../support/fleet-world.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
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
      await world.startApi();
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

      // bob: the answer to the last read before a decision is under way.
      const readOfBob = gate.catch(looksFor("bob"));
      await world.hire("bob");
      const heldRead = await readOfBob;
      // ann: the gate has let the write pass, and the worker has not heard it yet.
      const readOfAnn = gate.catch(looksFor("ann"));
      await world.hire("ann");
      const lastRead = await readOfAnn;
      await world.database.query("BEGIN");
      await world.database.query("LOCK TABLE intents IN ACCESS EXCLUSIVE MODE");
      await lastRead.answer();
      await world.waitsForLock("INSERT INTO intents");
      proxy.hold();
      await world.database.query("COMMIT");
      await eventually(async () => {
        expect(await world.intents()).toEqual({ sent: 1 });
      }, long);
      first.signal("SIGSTOP");
      proxy.release();

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
