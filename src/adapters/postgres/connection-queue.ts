import type { Pool, PoolClient } from "pg";
import type { StoreConnections } from "../store.ts";
import type { ConnectionWatch } from "./connection-watch.ts";

/** What goes wrong with the database, for a metric. */
export type DatabaseError = "lost" | "refused" | "unknown" | "conflict";

interface Waiting {
  readonly go: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Who wants a connection while all are busy waits here, however long: the server answers, only not to everybody at once. When a
 * connection cannot be had at all, everybody who waits is told, instead of trying one after another.
 */
export class ConnectionQueue {
  private readonly pool: Pool;
  private readonly max: number;
  private readonly watch: ConnectionWatch;
  private readonly note: (kind: DatabaseError) => void;
  private readonly waiting = new Set<Waiting>();
  private busy = 0;

  constructor(pool: Pool, watch: ConnectionWatch, note: (kind: DatabaseError) => void) {
    this.pool = pool;
    this.watch = watch;
    this.note = note;
    this.max = pool.options.max;
  }

  get connections(): StoreConnections {
    const { totalCount, idleCount } = this.pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: this.waiting.size };
  }

  /** Runs `work` on a connection of its own; `broken` says of what it ended in whether the connection is thrown away. */
  async use<Result>(
    work: (client: PoolClient) => Promise<Result>,
    broken: (ended: { readonly result: Result } | { readonly error: unknown }) => boolean,
  ): Promise<Result> {
    await this.turn();
    try {
      const client = await this.connect();
      const isFree = this.watch.begin(client);
      try {
        const result = await work(client);
        client.release(broken({ result }));
        return result;
      } catch (error) {
        client.release(broken({ error }));
        throw error;
      } finally {
        isFree();
      }
    } finally {
      this.busy -= 1;
      const [next] = this.waiting;
      next?.go();
    }
  }

  private async turn(): Promise<void> {
    if (this.busy >= this.max) {
      await new Promise<void>((resolve, reject) => {
        const waiting: Waiting = {
          go: () => {
            this.waiting.delete(waiting);
            this.busy += 1;
            resolve();
          },
          refuse: reject,
        };
        this.waiting.add(waiting);
      });
      return;
    }
    this.busy += 1;
  }

  private async connect(): Promise<PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      this.note("refused");
      const all = [...this.waiting];
      this.waiting.clear();
      for (const { refuse } of all) refuse(error);
      throw error;
    }
  }
}
