import { Pool } from "undici";

export interface HttpPools {
  /** The pool of an origin, made at first use and kept. */
  of(origin: string): Pool;
  /** Ends every connection; calls in flight fail. */
  close(): Promise<void>;
}

/** Connections of one process to one origin, at most. */
const connectionsMax = 32;
const keepAliveMs = 10_000;

/**
 * Keep-alive connections, shared by every client of the process. One request at a time per connection, so that a broken one
 * never takes a second request with it; TLS is always verified, whatever the environment says.
 */
export function createHttpPools(options: { readonly connectMs?: number } = {}): HttpPools {
  const pools = new Map<string, Pool>();
  return {
    of(origin) {
      let pool = pools.get(origin);
      if (pool === undefined) {
        pool = new Pool(origin, {
          connections: connectionsMax,
          pipelining: 1,
          allowH2: false,
          keepAliveTimeout: keepAliveMs,
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: { timeout: options.connectMs ?? 10_000, rejectUnauthorized: true },
        });
        pools.set(origin, pool);
      }
      return pool;
    },
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}
