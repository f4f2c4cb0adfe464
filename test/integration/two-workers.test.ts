// Goal: of two workers that are told to look after the same person one does, however often they are told; and whoever joins or leaves
// the group while a write is under way, nothing is lost and nothing is done twice.
// Method: real processes on PostgreSQL and Kafka; the call of one is caught at the vendor while both are told again and again, and while
// a third one comes and another one goes.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { FleetWorld } from "../support/fleet-world.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
import type { RolecallProcess } from "../support/rolecall-process.ts";
import { vendorGate, type VendorGate } from "../support/vendor-gate.ts";

const long = { timeoutMs: 120_000, everyMs: 100 };
const found = bothFound(await sharedPostgres(), await sharedKafka());

describeReal("two workers", found, ({ first: postgres, second: kafka }) => {
  let database: Awaited<ReturnType<typeof postgres.database>>;
  let world: FleetWorld;
  let api: RolecallProcess;
  let gates: VendorGate[];
  let workers: RolecallProcess[];

  beforeAll(async () => {
    database = await postgres.database();
    world = await FleetWorld.open({
      databaseUrl: database.url,
      brokers: kafka.brokers,
      prefix: kafka.freshPrefix(),
    });
    gates = [await vendorGate(world.vendor.url), await vendorGate(world.vendor.url)];
    api = await world.startApi();
    workers = await Promise.all(gates.map((gate) => world.startWorker(gate.url)));
  }, 300_000);
  afterAll(async () => {
    await world.close();
    await Promise.all(gates.map((gate) => gate.close()));
    await database.release();
  }, 120_000);

  const about = (gate: VendorGate | undefined, text: string) =>
    (gate?.calls ?? []).filter(({ path, body }) => path.includes(text) || body.includes(text));
  const invitesOf = (gate: VendorGate | undefined) =>
    (gate?.calls ?? []).filter(({ method }) => method === "POST");

  test("that are told of the same person look after them one at a time, and invite once", async () => {
    const caught = Promise.race(
      gates.map(async (gate, at) => ({
        at,
        call: await gate.catch(({ method, path }) => method === "GET" && path.includes("ann")),
      })),
    );
    const ann = await world.hire("ann");
    const { at, call } = await caught;
    const [holder, other] = [gates[at], gates[1 - at]];
    const tell = () => api.api("POST", "/reconcile", { identity: ann.email });
    // The other one works, and passes ann by.
    for (let n = 0; invitesOf(other).length < 2; n += 1) {
      await tell();
      const { email } = await world.hire(`p${String(n)}`);
      await eventually(() => {
        expect(world.invitations(email)).toBe(1);
      }, long);
    }
    expect(about(other, "ann")).toEqual([]);
    expect(world.invitations(ann.email)).toBe(0);
    await call.answer();
    await eventually(() => {
      expect(world.invitations(ann.email)).toBe(1);
    }, long);
    // What both were told meanwhile is looked at too, and comes to nothing.
    await tell();
    await eventually(async () => {
      const { rows } = await world.database.query(
        "SELECT 1 FROM targets WHERE lease_owner IS NULL AND state = 'waiting' AND reason LIKE '%INVITATION_OPEN%' AND desired LIKE $1",
        [`%${ann.email}%`],
      );
      expect(rows).toHaveLength(1);
    }, long);
    expect(world.vendor.createAttempts(ann.email)).toEqual({
      attempted: 1,
      created: 1,
      refused: 0,
    });
    expect(invitesOf(holder).filter(({ body }) => body.includes("ann"))).toHaveLength(1);
  }, 480_000);

  test("who join and leave their group while a write is under way lose nothing and double nothing", async () => {
    const caught = Promise.race(
      gates.map(async (gate, at) => ({
        at,
        call: await gate.catch(({ method, body }) => method === "POST" && body.includes("bea")),
      })),
    );
    const hired = [await world.hire("bea")];
    const { at, call } = await caught;
    // The vendor has it; whoever sent it does not know yet.
    await call.forward();
    const [holder, other] = [workers[at], workers[1 - at]];
    const joins = () =>
      (holder?.lines() ?? []).filter(({ message }) => message === "joined the group of workers");
    const rebalanced = async (work: () => Promise<unknown>) => {
      const before = joins().length;
      await work();
      await eventually(() => joins().length > before, long);
      for (let n = 0; n < 4; n += 1)
        hired.push(await world.hire(`r${String(before)}-${String(n)}`));
    };
    await rebalanced(() => world.startWorker());
    await rebalanced(() => other?.stop() ?? Promise.resolve());
    await eventually(() => {
      for (const { email } of hired) expect([email, world.invitations(email)]).toEqual([email, 1]);
    }, long);
    await call.answer();
    await eventually(async () => {
      const { sent = 0, unknown = 0 } = await world.intents();
      expect([sent, unknown]).toEqual([0, 0]);
    }, long);
    for (const { email } of hired) {
      const counts = world.vendor.createAttempts(email);
      expect([email, counts]).toEqual([email, { attempted: 1, created: 1, refused: 0 }]);
    }
    expect(new Set(await world.recordsPerIntent(api))).toEqual(new Set([1]));
  }, 480_000);
});
