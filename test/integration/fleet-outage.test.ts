// Goal: a broker and a database that are killed under load cost time only: nothing that was acknowledged is lost, nothing is done twice at the
// vendor, leavers are out inside their deadline, and every process goes on by itself.
// Method: real processes on servers of the test's own; people hired and leaving all the while, by an identity provider that asks again.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { FleetWorld, type Hired } from "../support/fleet-world.ts";
import type { KafkaCluster } from "../support/kafka/kafka-cluster.ts";
import { ownKafka } from "../support/kafka/real-kafka.ts";
import type { PostgresServer } from "../support/postgres/postgres-server.ts";
import { ownPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
import type { RolecallProcess } from "../support/rolecall-process.ts";

const long = { timeoutMs: 240_000, everyMs: 200 };
/** Of mappings without a `deadline`: the access of a leaver ends within it. */
const leaverDeadlineMs = 15 * 60_000;

describeReal(
  "a fleet whose servers are killed",
  bothFound(await ownPostgres(), await ownKafka()),
  ({ first: startPostgres, second: startKafka }) => {
    let server: PostgresServer;
    let cluster: KafkaCluster;
    let world: FleetWorld;
    let api: RolecallProcess;
    let workers: RolecallProcess[];

    beforeAll(async () => {
      [server, cluster] = await Promise.all([startPostgres(), startKafka()]);
      world = await FleetWorld.open({
        databaseUrl: server.url(),
        brokers: cluster.brokers,
        prefix: "outage",
      });
      api = await world.startApi();
      workers = [await world.startWorker(), await world.startWorker()];
    }, 400_000);
    afterAll(async () => {
      await world.close();
      await Promise.all([server.stop(), cluster.stop()]);
    }, 120_000);

    test("loses nothing, doubles nothing, and is whole again when they are", async () => {
      const [eve, fay] = [await world.hireWithAccount("eve"), await world.hireWithAccount("fay")];
      const hired: Hired[] = [];
      let stop = false;
      const joiners = (async () => {
        for (let n = 0; !stop && n < 15; n += 1) hired.push(await world.hire(`j${String(n)}`));
      })();
      const leave = async (person: Hired) => {
        const toldAt = performance.now();
        await world.leave(person);
        return toldAt;
      };
      const isOut = (person: Hired, toldAt: number) =>
        eventually(() => {
          expect(world.hasAccount(person.email)).toBe(false);
          expect(performance.now() - toldAt).toBeLessThan(leaverDeadlineMs);
        }, long);

      await eventually(() => hired.length >= 3, long);
      await cluster.killNode();
      const before = hired.length;
      await isOut(eve, await leave(eve));
      await eventually(() => hired.length >= before + 2, long);
      expect((await fetch(`${api.operatorUrl}/readyz`)).status).toBe(200);

      await server.kill();
      await eventually(async () => {
        expect((await fetch(`${api.operatorUrl}/readyz`)).status).toBe(503);
      }, long);
      const refused = await world.scim.get("/Users");
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      const leaving = leave(fay);
      await server.run();
      await world.reconnect();
      await isOut(fay, await leaving);
      await eventually(() => hired.length >= before + 4, long);
      await cluster.startNode();
      stop = true;
      await joiners;

      await eventually(() => {
        for (const { email } of hired)
          expect([email, world.invitations(email)]).toEqual([email, 1]);
      }, long);
      await eventually(async () => {
        const { sent = 0, unknown = 0 } = await world.intents();
        expect([sent, unknown]).toEqual([0, 0]);
      }, long);
      for (const { email } of hired) {
        const { created, refused: twice } = world.vendor.createAttempts(email);
        expect([email, created, twice]).toEqual([email, 1, 0]);
      }
      expect(new Set(await world.recordsPerIntent(api))).toEqual(new Set([1]));
      // Nothing by halves: a person, the mark and the record came together.
      const { rows } = await world.database.query<Record<string, string>>(
        `SELECT (SELECT count(*) FROM users) AS people, (SELECT count(*) FROM recompute) AS marks,
           (SELECT count(*) FROM audit_records WHERE action = 'user.created') AS records`,
      );
      const people = String(hired.length + 2);
      expect(rows).toEqual([{ people, marks: people, records: people }]);
      for (const process of [api, ...workers]) await process.api("GET", "/status");
    }, 600_000);
  },
);
