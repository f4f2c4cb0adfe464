// Goal: whatever happens to PostgreSQL, what was acknowledged is there, what was refused is not, nothing is half-written, and the
// store goes on by itself when the server does.
// Method: a server of the test's own, killed and started again; a proxy that loses the answer to a COMMIT.
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckpointFiles } from "../../src/audit/checkpoint.ts";
import { createSequencer } from "../../src/audit/sequencer.ts";
import type { Logger } from "../../src/model/log.ts";
import { openPostgresStore } from "../../src/adapters/postgres/postgres-store.ts";
import type { Store } from "../../src/adapters/store.ts";
import { systemClock } from "../../src/model/clock.ts";
import { StoreError } from "../../src/model/errors.ts";
import {
  newId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../src/model/ids.ts";
import { newRecord } from "../../src/model/records.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { eventually } from "../support/eventually.ts";
import { faultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import type { PostgresServer } from "../support/postgres/postgres-server.ts";
import { ownPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { person } from "../support/scim-client.ts";
import { startScimService, type ScimService } from "../support/scim-service.ts";
import { addTenant, noAlso } from "../support/store.ts";

const clock = systemClock();

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Resolves when so many connections wait for a lock. */
async function waits(url: string, count: number): Promise<void> {
  const client = await connected(url);
  try {
    await eventually(
      async () => {
        const { rows } = await client.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        );
        expect(rows).toHaveLength(count);
      },
      { timeoutMs: 60_000 },
    );
  } finally {
    await client.end();
  }
}

describeReal("PostgreSQL that fails", await ownPostgres(), (start) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await start();
  }, 240_000);
  afterAll(() => server.stop(), 120_000);

  const open = (url = server.url()) =>
    openPostgresStore({ url, connectionsMax: 8, world: "test", clock });

  interface Place {
    readonly store: Store;
    readonly tenantId: TenantId;
    readonly idpId: IdpId;
  }

  /** One person with a mark and a record, as SCIM makes them. */
  const create = async ({ store, tenantId, idpId }: Place, userName: string) => {
    const identityId = newId<IdentityId>(clock);
    const sourceUserId = newId<SourceUserId>(clock);
    const command = {
      idpId,
      sourceUserId,
      identityId,
      user: {
        userName,
        externalId: undefined,
        displayName: undefined,
        active: true,
        emails: [userName],
        resource: { userName },
      },
      now: clock.now(),
    };
    const also = {
      records: [
        newRecord(clock, {
          actor: { kind: "idp", id: idpId },
          action: "user.created",
          subject: { type: "source_user", id: sourceUserId },
          facts: { identityId },
        }),
      ],
      recompute: [{ identityId, cause: { kind: "scim.user" } as const, urgent: false }],
    };
    return store.createUser(tenantId, command, also);
  };

  const find = ({ store, tenantId, idpId }: Place, userName: string) =>
    store.listUsers(
      tenantId,
      idpId,
      { op: "compare", test: "eq", field: { column: "userName" }, value: userName, exact: false },
      { startIndex: 1, count: 2, sort: undefined },
    );

  it("killed and started again under load loses nothing that was acknowledged, and writes nothing by halves", async () => {
    const store = await open();
    const place = { store, ...(await addTenant(store, clock.now(), { tenant: "load" })) };
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    let stop = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !stop; n += 1) {
        const userName = `w${String(writer)}-${String(n)}@example.com`;
        try {
          await create(place, userName);
          acknowledged.push(userName);
        } catch (error) {
          refused.push(error);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    });
    await eventually(() => acknowledged.length > 50, { timeoutMs: 60_000 });
    await server.kill();
    await eventually(() => refused.length > 20, { timeoutMs: 60_000 });
    await expect(store.ping()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const before = acknowledged.length;
    await server.run();
    await eventually(() => acknowledged.length > before + 50, { timeoutMs: 60_000 });
    stop = true;
    await Promise.all(writers);
    for (const error of refused) {
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: "UNAVAILABLE" });
    }
    const { tenantId } = place;
    for (const userName of acknowledged) expect((await find(place, userName)).total).toBe(1);
    const { total } = await store.countIdentities(tenantId);
    // A commit whose answer was lost may be there too; then all of it is.
    expect(total).toBeGreaterThanOrEqual(acknowledged.length);
    const records = await store.findRecords(tenantId, { action: "user.created", limit: 100_000 });
    expect(records).toHaveLength(total);
    const people = await store.listIdentities(tenantId, { after: undefined, limit: 100_000 });
    expect(await store.readMarks(tenantId, people)).toHaveLength(total);
    const [idp] = await store.listIdps(tenantId);
    expect(idp?.userCount).toBe(total);
    await store.close();
  }, 300_000);

  describe("behind a network that fails", () => {
    let proxy: FaultProxy;
    let direct: Store;
    let behind: Store;
    let place: Place;
    beforeAll(async () => {
      proxy = await faultProxy();
      proxy.aim(server.port);
      direct = await open();
      const url = new URL(server.url());
      url.port = String(proxy.port);
      behind = await open(url.href);
      place = { store: behind, ...(await addTenant(direct, clock.now(), { tenant: "network" })) };
    }, 120_000);
    afterAll(async () => {
      await direct.close();
      await behind.close();
      await proxy.close();
    });

    it("a commit whose answer is lost is unknown, happened once, and is never sent twice by the store", async () => {
      const seen = { ...place, store: direct };
      await create(place, "warm@example.com");
      proxy.mute();
      const lost = create(place, "lost@example.com");
      // Whoever looks elsewhere sees it: it was written.
      await eventually(async () => (await find(seen, "lost@example.com")).total === 1, {
        timeoutMs: 60_000,
      });
      proxy.heal();
      await expect(lost).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringContaining("did not say whether") as string,
      });
      expect((await find(place, "lost@example.com")).total).toBe(1);
      const records = await direct.findRecords(place.tenantId, {
        action: "user.created",
        limit: 10,
      });
      expect(records).toHaveLength(2);
      // Whoever asks again learns that it is there, and makes no second one.
      await expect(create(place, "lost@example.com")).rejects.toMatchObject({
        code: "ALREADY_EXISTS",
        field: "userName",
      });
    }, 120_000);

    it("a connection over which nothing comes any more is given up long before a statement may take so long", async () => {
      await create(place, "heard@example.com");
      proxy.swallow();
      const askedAt = clock.monotonic();
      const ended = await Promise.allSettled([
        create(place, "unheard@example.com"),
        find(place, "heard@example.com"),
      ]);
      for (const end of ended) {
        expect(end).toMatchObject({ status: "rejected", reason: { code: "UNAVAILABLE" } });
      }
      // The server's own limit for a statement is a minute.
      expect(clock.monotonic() - askedAt).toBeLessThan(60_000);
      proxy.heal();
      expect((await find(place, "heard@example.com")).total).toBe(1);
      expect((await find(place, "unheard@example.com")).total).toBe(0);
    }, 180_000);

    it("ends the sequencer in bounded time when the store does not answer, and says what is left", async () => {
      const said: string[] = [];
      const logger: Logger = {
        debug() {},
        info() {},
        warn: (_facts, message) => said.push(message),
        error: (_facts, message) => said.push(message),
        child: () => logger,
      };
      const kept: CheckpointFiles = {
        last: () => Promise.resolve(undefined),
        append: () => Promise.resolve(),
      } as Partial<CheckpointFiles> as CheckpointFiles;
      const sequencerOf = (store: Store) =>
        createSequencer({
          ...{ store, checkpoints: kept, clock, logger, owner: newId(clock), stopMs: 1_000 },
          metrics: { count() {}, gauge() {}, observe() {} },
        });
      const cutOff = sequencerOf(behind);
      await create(place, "unsequenced@example.com");
      proxy.swallow();
      cutOff.start();
      const stoppedAt = clock.monotonic();
      await cutOff.stop();
      expect(clock.monotonic() - stoppedAt).toBeLessThan(15_000);
      expect(said).toContain("the last audit records were not sequenced; the next run does it");
      proxy.heal();
      await sequencerOf(direct).stop();
      expect(await direct.listUnsequenced(place.tenantId, 10)).toEqual([]);
      expect((await direct.getTree(place.tenantId)).size).toBeGreaterThan(0);
    }, 180_000);

    it("connections that died while nobody used them are replaced without anybody noticing", async () => {
      await create(place, "before@example.com");
      proxy.heal();
      expect((await find(place, "before@example.com")).total).toBe(1);
      await create(place, "after@example.com");
      expect((await find(place, "after@example.com")).total).toBe(1);
    }, 120_000);
  });

  it("a command that the server ends because of a deadlock is run again, and written once", async () => {
    const store = await open();
    const place = { store, ...(await addTenant(store, clock.now(), { tenant: "deadlock" })) };
    const { tenantId, idpId } = place;
    const people = [await create(place, "a@example.com"), await create(place, "b@example.com")];
    const [first, second] = people.map((user) => user.sourceUserId).toSorted();
    const memberCause = { kind: "scim.group", key: "deadlock" } as const;
    const groupId = newId<GroupId>(clock);
    await store.createGroup(
      tenantId,
      {
        ...{ idpId, groupId, displayName: "Both", externalId: undefined, memberIds: [] },
        ...{ memberCause, now: clock.now() },
      },
      noAlso,
    );
    const [one, other] = [await connected(server.url()), await connected(server.url())];
    const lock = (table: string, column: string) =>
      `SELECT 1 FROM ${table} WHERE tenant_id = '${tenantId}' AND ${column} = $1 FOR UPDATE`;
    // The command has the group, waits for the first person, then for the second: and who has that one wants the group.
    await one.query("BEGIN");
    await one.query(lock("users", "source_user_id"), [first]);
    await other.query("BEGIN");
    // Who looks for deadlocks is who waits last, and that is to be the command.
    await other.query("SET LOCAL deadlock_timeout = '10min'");
    await other.query(lock("users", "source_user_id"), [second]);
    const memberIds = [first ?? "", second ?? ""];
    const added = store.updateGroup(
      tenantId,
      {
        ...{ idpId, groupId, expect: undefined, memberCause, now: clock.now() },
        memberChanges: [{ op: "add", memberIds }],
      },
      noAlso,
    );
    await waits(server.url(), 1);
    const wanted = other.query(lock("groups", "group_id"), [groupId]);
    await waits(server.url(), 2);
    await one.query("COMMIT");
    await wanted;
    await other.query("COMMIT");
    await added;
    const members = await store.listMembers(tenantId, groupId, {
      after: undefined,
      limit: 10,
    });
    expect(members.map((member) => member.memberId).toSorted()).toEqual(memberIds);
    // A connection tells what it counted some seconds later.
    await eventually(
      async () => {
        const { rows } = await one.query<{ deadlocks: string }>(
          "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        );
        expect(Number(rows[0]?.deadlocks)).toBeGreaterThan(0);
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
    await Promise.all([one.end(), other.end(), store.close()]);
  }, 120_000);

  describe("under SCIM", () => {
    let service: ScimService;
    beforeAll(async () => {
      service = await startScimService({
        open: async () => {
          const store = await open();
          return { store, folder: server.url(), dispose: () => store.close() };
        },
      });
    }, 120_000);
    afterAll(() => service.close());

    it("answers 503 and when to come again while the server is away, is not ready, and goes on by itself", async () => {
      const { client } = service;
      const health = createHealth({ clock, checks: { store: () => service.store.ping() } });
      const id = await client.create("/Users", person("ada@example.com"));
      expect((await health.ready()).ok).toBe(true);
      await server.kill();
      const replies = await Promise.all([
        client.get(`/Users/${id}`),
        client.post("/Users", person("grace@example.com")),
        client.put(`/Users/${id}`, person("ada@example.com", { title: "x" })),
        client.delete(`/Users/${id}`),
      ]);
      for (const reply of replies) {
        expect(reply.status).toBe(503);
        expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
      }
      await eventually(async () => !(await health.ready()).ok, { timeoutMs: 30_000 });
      await server.run();
      await eventually(async () => (await client.get(`/Users/${id}`)).status === 200, {
        timeoutMs: 60_000,
      });
      expect((await client.get(`/Users/${id}`)).body["title"]).toBeUndefined();
      expect((await client.get("/Users")).body["totalResults"]).toBe(1);
      await eventually(async () => (await health.ready()).ok, { timeoutMs: 30_000 });
    }, 240_000);
  });
});
