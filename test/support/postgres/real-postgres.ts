import { mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { openPostgresStore } from "../../../src/adapters/postgres/postgres-store.ts";
import type { Clock } from "../../../src/model/clock.ts";
import { eventually } from "../eventually.ts";
import { fakeClock } from "../fake-clock.ts";
import type { Found } from "../real-server.ts";
import type { TestStore } from "../store.ts";
import {
  postgresBinaries,
  PostgresServer,
  writeWhole,
  type PostgresTls,
} from "./postgres-server.ts";

/** A server for tests that only use it; who kills a server takes `ownPostgres`. */
export interface RealPostgres {
  /** Of a user who may create databases. */
  readonly url: string;
  /** A fresh, empty database: its URL, and how to give it back. */
  database(): Promise<{ readonly url: string; release(): Promise<void> }>;
  /** A fresh store stamped "test", in a database of its own. */
  openStore(clock?: Clock): Promise<TestStore>;
}

/** A first start on a busy machine. */
const sharedMs = 240_000;

/**
 * The server of this test run: `DATABASE_URL` where given (its user may create databases), else one that the first test file to ask
 * starts and all others share. It ends with the run.
 */
export async function sharedPostgres(): Promise<Found<RealPostgres>> {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") return { server: realPostgres(new URL(given)) };
  const binaries = await postgresBinaries();
  if ("missing" in binaries) return binaries;
  // Test files run in threads of one process: its id is what they have in common.
  const folder = join(tmpdir(), `rolecall-postgres-${String(process.pid)}`);
  const answer = join(folder, "answer.json");
  if (await isFirst(folder)) {
    try {
      const server = await PostgresServer.start(binaries.server, folder);
      await writeWhole(answer, { url: server.url() });
    } catch (error) {
      await writeWhole(answer, { missing: error instanceof Error ? error.message : String(error) });
    }
  }
  let said: { readonly url?: string; readonly missing?: string } = {};
  await eventually(
    async () => {
      said = JSON.parse(await readFile(answer, "utf8")) as typeof said;
    },
    { timeoutMs: sharedMs, everyMs: 100 },
  );
  return said.url === undefined
    ? { missing: said.missing ?? "no server" }
    : { server: realPostgres(new URL(said.url)) };
}

/** Whether this machine can start servers of its own, for suites that kill them. */
export async function ownPostgres(): Promise<
  Found<(tls?: PostgresTls) => Promise<PostgresServer>>
> {
  const binaries = await postgresBinaries();
  if ("missing" in binaries) return binaries;
  let count = 0;
  return {
    server: (tls) => {
      count += 1;
      const unique = `${String(process.pid)}-${Math.floor(Math.random() * 2 ** 40).toString(36)}`;
      return PostgresServer.start(
        binaries.server,
        join(tmpdir(), `rolecall-postgres-own-${unique}-${String(count)}`),
        tls,
      );
    },
  };
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch {
    return false;
  }
}

/** Everything but what migrations wrote; as a replica, so that neither triggers nor foreign keys ask about the order. */
const emptied = `DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'migrations' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$`;

function realPostgres(server: URL): RealPostgres {
  const free: string[] = [];
  let made = 0;
  const urlOf = (database: string) => {
    const url = new URL(server);
    url.pathname = `/${database}`;
    return url.href;
  };
  const run = async (url: string, sql: string) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const create = async () => {
    made += 1;
    const unique = Math.floor(Math.random() * 2 ** 40).toString(36);
    const name = `test_${String(process.pid)}_${unique}_${String(made)}`;
    await run(server.href, `CREATE DATABASE ${name}`);
    return name;
  };
  /** Who empties a database knows its tables from the last time; a new connection learns each of them anew. */
  const emptiers = new Map<string, Client>();
  const empty = async (url: string) => {
    const known = emptiers.get(url);
    const client = known ?? new Client({ connectionString: url });
    if (known === undefined) {
      emptiers.set(url, client);
      // One that breaks is replaced, and nobody waits for it at the end of a run.
      client.on("error", () => emptiers.delete(url));
      await client.connect();
      // Its types do not know it.
      (client as Client & { unref(): void }).unref();
    }
    await client.query(emptied);
  };
  const fresh = async () => {
    // Emptying a database that was used is much faster than making one.
    const name = free.pop() ?? (await create());
    const url = urlOf(name);
    return {
      url,
      release: async () => {
        await empty(url);
        free.push(name);
      },
    };
  };
  return {
    url: server.href,
    database: fresh,
    openStore: async (clock = fakeClock()) => {
      const taken = await fresh();
      const store = await openPostgresStore({
        url: taken.url,
        connectionsMax: 12,
        world: "test",
        clock,
      });
      return {
        store,
        folder: taken.url,
        dispose: async () => {
          await store.close();
          await taken.release();
        },
      };
    },
  };
}
