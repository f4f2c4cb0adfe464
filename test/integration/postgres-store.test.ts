// Goal: what only PostgreSQL can get wrong: many processes that start at once, order of commits, the schema beside the embedded one,
// folding in SQL, and databases that are not ours to open.
// Method: a real server; a second client that holds transactions open.
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { expect, it } from "vitest";
import { openPostgresStore } from "../../src/adapters/postgres/postgres-store.ts";
import { postgresMigrations } from "../../src/adapters/postgres/migrations.ts";
import { sqliteMigrations } from "../../src/adapters/sqlite/migrations.ts";
import { systemClock } from "../../src/model/clock.ts";
import { fold } from "../../src/model/fold.ts";
import { asId, type ConnectionId, type IdentityId, type TenantId } from "../../src/model/ids.ts";
import { newRecord } from "../../src/model/records.ts";
import { eventually } from "../support/eventually.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { addTenant } from "../support/store.ts";

const clock = systemClock();

describeReal("a PostgreSQL database", await sharedPostgres(), (server) => {
  const withDatabase = async (work: (url: string) => Promise<void>) => {
    const database = await server.database();
    try {
      await work(database.url);
    } finally {
      await database.release();
    }
  };
  const connected = async <Result>(url: string, work: (client: Client) => Promise<Result>) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const open = (url: string, world: "test" | "live" = "test") =>
    openPostgresStore({ url, connectionsMax: 4, world, clock });

  it("is prepared once by many processes that start at once", async () => {
    await withDatabase(async (url) => {
      const stores = await Promise.all(Array.from({ length: 6 }, () => open(url)));
      expect(new Set(stores.map((store) => store.stamp.instanceId)).size).toBe(1);
      const done = await connected(url, (client) =>
        client.query("SELECT name FROM migrations ORDER BY number"),
      );
      expect(done.rows.map((row: { name: string }) => row.name)).toEqual(
        postgresMigrations().map((migration) => migration.name),
      );
      await Promise.all(stores.map((store) => store.close()));
    });
  });

  it("of another world, or of a newer version, is refused", async () => {
    await withDatabase(async (url) => {
      await (await open(url)).close();
      await expect(open(url, "live")).rejects.toMatchObject({ code: "INVALID", field: "world" });
      const newest = postgresMigrations().length + 1;
      await connected(url, (client) =>
        client.query("INSERT INTO migrations VALUES ($1, '9999-later.sql', 'x', 0, 0)", [newest]),
      );
      await expect(open(url)).rejects.toThrow(/newer version/);
      await connected(url, (client) =>
        client.query("DELETE FROM migrations WHERE number = $1", [newest]),
      );
    });
  });

  it("that is not there is said in words that lead to the setting", async () => {
    const url = new URL(server.url);
    url.pathname = "/nowhere";
    await expect(open(url.href)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/"nowhere" does not exist.*DATABASE_URL/) as string,
    });
  });

  it("has the tables, columns and keys of the embedded store, by the same migrations", async () => {
    expect(postgresMigrations().map(({ name, olderMayRun }) => [name, olderMayRun])).toEqual(
      sqliteMigrations().map(({ name, olderMayRun }) => [name, olderMayRun]),
    );
    const embedded = new DatabaseSync(":memory:");
    for (const migration of sqliteMigrations()) embedded.exec(migration.sql);
    const tables = embedded
      .prepare(
        `SELECT m.name || '.' || c.name AS name, CASE c.pk WHEN 0 THEN 0 ELSE 1 END AS pk, CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN 1 ELSE 0 END AS filled
         FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' ORDER BY 1`,
      )
      .all()
      .map((row) => [row["name"], row["pk"], row["filled"]]);
    const indexes = embedded
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1")
      .all()
      .map((row) => row["name"]);
    embedded.close();
    await withDatabase(async (url) => {
      await (await open(url)).close();
      await connected(url, async (client) => {
        const columns = await client.query<{ name: string; pk: number; filled: number }>(
          `SELECT c.table_name || '.' || c.column_name AS name, (k.column_name IS NOT NULL)::int AS pk, (c.is_nullable = 'NO')::int AS filled
           FROM information_schema.columns c
           LEFT JOIN (SELECT u.table_name, u.column_name FROM information_schema.table_constraints t
             JOIN information_schema.key_column_usage u USING (constraint_schema, constraint_name) WHERE t.constraint_type = 'PRIMARY KEY') k
             ON k.table_name = c.table_name AND k.column_name = c.column_name
           WHERE c.table_schema = current_schema() AND c.table_name <> 'migrations' ORDER BY c.table_name || '.' || c.column_name COLLATE "C"`,
        );
        expect(columns.rows.map((row) => [row.name, row.pk, row.filled])).toEqual(tables);
        const named = await client.query<{ name: string }>(
          `SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND indexname !~ '_pkey$' ORDER BY indexname COLLATE "C"`,
        );
        expect(named.rows.map((row) => row.name)).toEqual(indexes);
        const collations = await client.query(
          `SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`,
        );
        expect(collations.rows).toEqual([]);
      });
    });
  });

  it("finds a few people among many by their index, also where its statistics are older than their tenant", async () => {
    await withDatabase(async (url) => {
      await (await open(url)).close();
      await connected(url, async (client) => {
        await client.query("ALTER TABLE targets SET (autovacuum_enabled = false)");
        await client.query("SET session_replication_role = replica");
        const insert = (tenant: string, count: number) =>
          client.query(
            `INSERT INTO targets (tenant_id, connection_id, identity_id, generation, applied_generation, wake, priority, state, lifecycle, hash, attempts, wished_at, cause, notes, desired)
             SELECT $1, 'vendor', 'person-' || n, 1, 1, 1, 1, 'idle', 'active', 'hash', 0, 0, '{}', '{}', '{}' FROM generate_series(1, $2::int) n`,
            [tenant, count],
          );
        const read = async () => {
          const { rows } = await client.query<{ scans: number; touched: number }>(
            `SELECT (seq_scan + idx_scan)::int AS scans, (seq_tup_read + idx_tup_fetch)::int AS touched
             FROM pg_stat_user_tables WHERE relname = 'targets'`,
          );
          return rows[0] ?? { scans: 0, touched: 0 };
        };
        await insert("old", 2_000);
        await client.query("ANALYZE targets");
        await insert("new", 20_000);
        const before = await read();
        const store = await open(url);
        const people = ["person-7", "person-77", "person-777"].map((id) => asId<IdentityId>(id));
        const times = 20;
        for (let n = 0; n < times; n += 1) {
          const states = await store.readPeople(asId<TenantId>("new"), people);
          expect(states.map((state) => state.targets.length)).toEqual([1, 1, 1]);
        }
        // A connection that ends says what it has counted.
        await store.close();
        await eventually(async () => {
          expect((await read()).scans - before.scans).toBeGreaterThanOrEqual(times);
        });
        expect((await read()).touched - before.touched).toBeLessThan(1_000);
        await client.query("ALTER TABLE targets RESET (autovacuum_enabled)");
      });
    });
  }, 120_000);

  it("folds in SQL as the code does, letter by letter", async () => {
    // Up to the letters that are younger than some server's ICU.
    const letters = Array.from({ length: 0x1c80 }, (_, code) => code)
      .filter((code) => code > 0 && /\p{L}/u.test(String.fromCodePoint(code)))
      .map((code) => String.fromCodePoint(code));
    const words = [...letters, "ΑΣ", "ΑΣ Σ", "İstanbul", "e\u0301", "Straße", "ﬁ", "ǅ"];
    await connected(server.url, async (client) => {
      const { rows } = await client.query<{ folded: string }>(
        `SELECT lower(normalize(value, NFC) COLLATE "und-x-icu") AS folded FROM json_array_elements_text($1::json) WITH ORDINALITY AS item (value, key) ORDER BY key`,
        [JSON.stringify(words)],
      );
      const differ = words.filter((word, index) => rows[index]?.folded !== fold(word));
      expect(differ).toEqual([]);
    });
  });

  it("gives a leaf to a record whose transaction ends after one with a higher number", async () => {
    await withDatabase(async (url) => {
      const store = await open(url);
      const { tenantId } = await addTenant(store, clock.now());
      const record = (action: string) =>
        newRecord(clock, {
          actor: { kind: "system", id: "test" },
          action,
          subject: { type: "tenant", id: tenantId },
          facts: {},
        });
      const late = record("late");
      await connected(url, async (client) => {
        await client.query("BEGIN");
        await client.query(
          "INSERT INTO audit_records (tenant_id, record_id, at, action, body) VALUES ($1, $2, $3, 'late', $4)",
          [tenantId, late.recordId, late.at, JSON.stringify(late)],
        );
        const early = record("early");
        await store.appendRecords(tenantId, [early]);
        const unsequenced = async () =>
          (await store.listUnsequenced(tenantId, 10)).map((stored) => stored.record.recordId);
        expect(await unsequenced()).toEqual([early.recordId]);
        await store.appendLeaves(tenantId, {
          expectSize: 0,
          leaves: [{ recordId: early.recordId, leafHash: "aa" }],
          frontier: ["aa"],
        });
        await client.query("COMMIT");
        expect(await unsequenced()).toEqual([late.recordId]);
        await store.appendLeaves(tenantId, {
          expectSize: 1,
          leaves: [{ recordId: late.recordId, leafHash: "bb" }],
          frontier: ["bb"],
        });
        expect(await unsequenced()).toEqual([]);
        const records = await store.listRecords(tenantId, { from: 0, limit: 10 });
        expect(records.map((stored) => stored.record.action)).toEqual(["early", "late"]);
      });
      await store.close();
    });
  });

  it("answers reads that were asked together each by itself, over one connection, and one that fails alone", async () => {
    await withDatabase(async (url) => {
      const store = await open(url);
      await addTenant(store, clock.now());
      const lanes = Array.from({ length: 40 }, () => store.listLanes(asId<TenantId>("acme")));
      const bad = store.getLane(asId<TenantId>("acme"), asId<ConnectionId>("half \ud800"));
      const answers = await Promise.allSettled([...lanes, bad, store.listLanes(undefined)]);
      expect(
        answers.map((answer) => answer.status).filter((status) => status === "rejected"),
      ).toEqual(["rejected"]);
      expect(answers[40]).toMatchObject({ status: "rejected", reason: { code: "INVALID" } });
      const { busy, idle } = store.connections?.() ?? { busy: 0, idle: 0 };
      expect(busy + idle).toBeLessThanOrEqual(3);
      await store.close();
    });
  });
});
