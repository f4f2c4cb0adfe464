import type { Steps } from "../sql/database.ts";
import type { ConnectionQueue } from "./connection-queue.ts";
import { breaksConnection } from "./postgres-error.ts";
import { runQuery } from "./transaction.ts";

/** So many small reads at most stand behind each other on one connection. */
const most = 16;

interface Asked {
  readonly steps: Steps<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Small reads that are asked in one turn of the event loop share a connection: they leave in one system call and come back
 * together, instead of waking a connection each.
 */
export class SharedReads {
  private readonly queue: ConnectionQueue;
  private asked: Asked[] = [];

  constructor(queue: ConnectionQueue) {
    this.queue = queue;
  }

  /** @throws what went wrong with this read; one that fails takes no other along, but for the connection itself */
  read<Result>(steps: Steps<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.asked.push({ steps, resolve: resolve as (result: unknown) => void, reject });
      if (this.asked.length === 1) process.nextTick(() => void this.send());
    });
  }

  private async send(): Promise<void> {
    const all = this.asked;
    this.asked = [];
    const turns = Array.from({ length: Math.ceil(all.length / most) }, (_, at) =>
      this.run(all.slice(at * most, (at + 1) * most)),
    );
    await Promise.all(turns);
  }

  private async run(reads: readonly Asked[]): Promise<void> {
    try {
      await this.queue.use(
        (client) =>
          Promise.all(
            reads.map(async ({ steps, resolve, reject }) => {
              try {
                resolve(await runQuery(client, steps, false));
                return undefined;
              } catch (error) {
                reject(error);
                return error;
              }
            }),
          ),
        (end) => "error" in end || end.result.some((error) => breaksConnection(error)),
      );
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }
}
