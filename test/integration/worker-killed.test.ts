// Goal: a worker that is killed anywhere between a gate and its outcome loses nothing and doubles nothing: the next one finds out at the
// vendor what became of the write, and the leaver is out inside the deadline.
// Method: real processes on PostgreSQL and Kafka; calls caught between worker and vendor, a row locked under the worker's outcome, SIGKILL.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { FleetWorld, type Hired } from "../support/fleet-world.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
import type { RolecallProcess } from "../support/rolecall-process.ts";
import { vendorGate, type GatedCall, type VendorGate } from "../support/vendor-gate.ts";

const long = { timeoutMs: 240_000, everyMs: 200 };
/** Of mappings without a `deadline`: the access of a leaver ends within it. */
const leaverDeadlineMs = 15 * 60_000;

describeReal(
  "a worker killed in the middle of writes",
  bothFound(await sharedPostgres(), await sharedKafka()),
  ({ first: postgres, second: kafka }) => {
    let database: Awaited<ReturnType<typeof postgres.database>>;
    let world: FleetWorld;
    let api: RolecallProcess;
    let first: RolecallProcess;
    let gates: VendorGate[];

    beforeAll(async () => {
      database = await postgres.database();
      world = await FleetWorld.open({
        databaseUrl: database.url,
        brokers: kafka.brokers,
        prefix: kafka.freshPrefix(),
      });
      gates = [await vendorGate(world.vendor.url), await vendorGate(world.vendor.url)];
      api = await world.startApi();
      first = await world.startWorker(gates[0]?.url);
    }, 300_000);
    afterAll(async () => {
      await world.close();
      await Promise.all(gates.map((gate) => gate.close()));
      await database.release();
    }, 120_000);

    const writesOf = (at: number, fits: (call: GatedCall) => boolean) =>
      (gates[at]?.calls ?? []).filter(fits).length;
    const invites =
      ({ email }: Pick<Hired, "email">) =>
      ({ method, body }: GatedCall) =>
        method === "POST" && body.includes(email);

    test("25 worker killed after intent row; after vendor call; before outcome row: nothing is lost or doubled, and the leavers are out in time", async () => {
      const [eve, fay] = [await world.hireWithAccount("eve"), await world.hireWithAccount("fay")];
      const accountOf = (email: string) =>
        world.vendor.state().users.find((user) => user.email === email)?.id ?? "";
      const removes = (accountId: string) => (call: GatedCall) =>
        call.method === "DELETE" && call.path.endsWith(accountId);
      const removesEve = removes(accountOf(eve.email));
      const removesFay = removes(accountOf(fay.email));
      const gate = gates[0];
      if (gate === undefined) throw new Error("no gate");

      // Each write stands at another point: two before the vendor, one after it, one before its outcome row.
      const neverArrived = gate.catch(invites({ email: "ann@example.com" }));
      const neverAnswered = gate.catch(invites({ email: "bob@example.com" }));
      const notNoted = gate.catch(removesEve);
      const leaverNeverArrived = gate.catch(removesFay);
      const [ann, bob] = [await world.hire("ann"), await world.hire("bob")];
      const leftAt = performance.now();
      await world.leave(eve);
      await world.leave(fay);
      await neverArrived;
      await (await neverAnswered).forward();
      await leaverNeverArrived;
      const answered = await notNoted;
      const lock = world.database;
      await lock.query("BEGIN");
      await lock.query("SELECT 1 FROM intents WHERE step = 'remove_account' FOR UPDATE");
      await answered.answer();
      await world.waitsForLock("UPDATE intents SET state");
      await first.kill();
      await lock.query("ROLLBACK");

      expect(await world.intents()).toEqual({ sent: 4 });
      expect([world.invitations(ann.email), world.invitations(bob.email)]).toEqual([0, 1]);
      expect([world.hasAccount(eve.email), world.hasAccount(fay.email)]).toEqual([false, true]);

      await world.aMinutePasses();
      await world.startWorker(gates[1]?.url);
      await eventually(() => {
        expect(world.hasAccount(fay.email)).toBe(false);
      }, long);
      expect(performance.now() - leftAt).toBeLessThan(leaverDeadlineMs);
      await eventually(() => {
        expect(world.invitations(ann.email)).toBe(1);
      }, long);
      await eventually(async () => {
        const { sent = 0, unknown = 0 } = await world.intents();
        expect([sent, unknown]).toEqual([0, 0]);
      }, long);

      // What had happened is known to have happened; what had not was sent once more.
      expect([writesOf(1, invites(ann)), writesOf(1, invites(bob))]).toEqual([1, 0]);
      expect([writesOf(1, removesEve), writesOf(1, removesFay)]).toEqual([0, 1]);
      for (const { email } of [ann, bob])
        expect(world.vendor.createAttempts(email)).toEqual({
          attempted: 1,
          created: 1,
          refused: 0,
        });
      expect(await world.intents()).toEqual({ done: 4, unsent: 2 });
      expect(new Set(await world.recordsPerIntent(api))).toEqual(new Set([1]));
    }, 480_000);
  },
);
