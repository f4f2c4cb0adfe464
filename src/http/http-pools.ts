import type { lookup } from "node:dns";
import { Pool } from "undici";
import { guardedLookup, mayReach, type InnerHosts } from "./inner-address.ts";

export interface HttpPools {
  /** The pool of an origin, made at first use and kept. */
  of(origin: string): Pool;
  /** false: the host (as `URL.hostname` has it) is an address inside, and nothing allows it. */
  mayReach(host: string): boolean;
  /** Ends every connection; calls in flight fail. */
  close(): Promise<void>;
}

/** Connections of one process to one origin, at most. */
const connectionsMax = 32;
const keepAliveMs = 10_000;

/**
 * Keep-alive connections, shared by every client of the process. One request at a time per connection, so that a broken one
 * never takes a second request with it; TLS is always verified, whatever the environment says. Names that lead inside this network are
 * refused when they are looked up.
 */
export function createHttpPools(
  options: {
    readonly connectMs?: number;
    /** Hosts that may have addresses inside this network; none unless told, beside this machine by its own names. */
    readonly innerHosts?: InnerHosts;
    /** What finds the addresses of a name; the system's unless told. */
    readonly resolve?: typeof lookup;
  } = {},
): HttpPools {
  const pools = new Map<string, Pool>();
  const innerHosts = options.innerHosts ?? [];
  return {
    mayReach: (host) => mayReach(host, innerHosts),
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
          connect: {
            timeout: options.connectMs ?? 10_000,
            rejectUnauthorized: true,
            lookup: guardedLookup(new URL(origin).hostname, innerHosts, options.resolve),
          },
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
