import { checkServer, postgresMigrations } from "./migrations.ts";
import { openPool } from "./pool.ts";
import { toStoreError } from "./postgres-error.ts";

/**
 * Looks at the server and the database without changing anything.
 * @throws StoreError UNAVAILABLE, or INVALID when they cannot keep what we store
 */
export async function describeServer(url: string): Promise<string> {
  const pool = openPool({ url, connectionsMax: 1 }, undefined);
  try {
    const client = await pool.connect();
    try {
      await checkServer(client);
      const { rows } = await client.query<{ version: string; ssl: number; there: number }>(
        `SELECT current_setting('server_version') AS version, to_regclass('migrations') IS NOT NULL AS there,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS ssl`,
      );
      const server = rows[0];
      const done =
        server?.there === 1 ? (await client.query("SELECT number FROM migrations")).rows.length : 0;
      return [
        `PostgreSQL ${server?.version ?? "of unknown version"}`,
        server?.ssl === 1 ? "over TLS" : "without TLS",
        `${String(done)} of ${String(postgresMigrations().length)} migrations done`,
      ].join(", ");
    } finally {
      client.release();
    }
  } catch (error) {
    throw toStoreError(error, new Map());
  } finally {
    await pool.end();
  }
}
