import { setImmediate } from "node:timers";
import { Worker } from "node:worker_threads";
import { StoreError } from "../../model/errors.ts";
import { closedError, type Command, type Engine, type Query } from "../sql/engine.ts";
import { commands, queries } from "../sql/registry.ts";
import { sqliteDialect } from "../sql/sql-dialect.ts";
import { Connection } from "./connection.ts";
import { runQuery } from "./run.ts";
import { toStoreError } from "./sqlite-error.ts";
import {
  unpackError,
  type ThreadAnswer,
  type ThreadCall,
  type ThreadRequest,
  type ThreadStart,
} from "./thread-message.ts";

/**
 * A database file of this process: one writing connection in a thread, one connection here for reads of a few rows, and one
 * in a second thread for lists and scans. The file is prepared (migrated, stamped) before.
 * @param onDeath called once when a thread ends by itself
 * @throws StoreError UNAVAILABLE when a thread does not start
 */
export async function openFileEngine(
  path: string,
  onDeath: (error: StoreError) => void,
): Promise<Engine> {
  // Beside each other: most of a start is loading the same modules twice.
  const starting = StoreThread.start({ role: "writer", path }, onDeath);
  const reader = await StoreThread.start({ role: "reader", path }, onDeath).catch(
    async (error: unknown) => {
      await starting.then(
        (thread) => thread.close(),
        () => undefined,
      );
      throw error;
    },
  );
  const writer = await starting.catch(async (error: unknown) => {
    await reader.close();
    throw error;
  });
  const here = new Connection(path, { readOnly: true, cacheKib: 4_096 });
  const commandNames = namesOf(commands);
  const queryNames = namesOf(queries);
  let closed = false;
  return {
    dialect: sqliteDialect,
    write: async <Args, Result>(command: Command<Args, Result>, args: Args) => {
      const name = commandNames.get(command);
      if (name === undefined) throw new Error(`${command.name} is missing in registry.ts`);
      return (await writer.call(name, args)) as Result;
    },
    read: async <Args, Result>(query: Query<Args, Result>, args: Args) => {
      const place = typeof query.place === "function" ? query.place(args) : query.place;
      if (place === "scan") {
        const name = queryNames.get(query);
        if (name === undefined) throw new Error("a query is missing in registry.ts");
        return (await reader.call(name, args)) as Result;
      }
      if (closed) throw closedError();
      try {
        return runQuery(here, query, args);
      } catch (error) {
        throw toStoreError(error);
      }
    },
    close: async () => {
      if (closed) return;
      closed = true;
      // The reader first: the writer's last checkpoint can then empty the write-ahead log.
      await reader.close();
      here.close();
      await writer.close();
    },
  };
}

function namesOf(entries: Readonly<Record<string, unknown>>): ReadonlyMap<unknown, string> {
  return new Map(Object.entries(entries).map(([name, entry]) => [entry, name]));
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One thread with its calls in flight. When it dies, everything that waits is refused, and so is all that comes later. */
class StoreThread {
  private readonly worker: Worker;
  private readonly role: ThreadStart["role"];
  private readonly waiting = new Map<number, Waiting>();
  private readonly exited: Promise<void>;
  private readonly onDeath: (error: StoreError) => void;
  private outbox: ThreadCall[] = [];
  private lastId = 0;
  private refusal: StoreError | undefined;

  static async start(
    start: ThreadStart,
    onDeath: (error: StoreError) => void,
  ): Promise<StoreThread> {
    const worker = new Worker(new URL("./store-thread.ts", import.meta.url), {
      workerData: start,
      name: `rolecall store ${start.role}`,
    });
    await new Promise<void>((resolve, reject) => {
      worker.once("message", () => {
        resolve();
      });
      worker.once("error", (cause: unknown) => {
        reject(deathError(start.role, cause));
      });
    });
    return new StoreThread(worker, start.role, onDeath);
  }

  private constructor(
    worker: Worker,
    role: ThreadStart["role"],
    onDeath: (error: StoreError) => void,
  ) {
    this.onDeath = onDeath;
    this.worker = worker;
    this.role = role;
    worker.removeAllListeners("error");
    worker.on("message", (answer: ThreadAnswer) => {
      if (answer.kind === "answers") this.settle(answer.answers);
    });
    worker.on("error", (cause: unknown) => {
      this.refuseAll(deathError(role, cause));
    });
    this.exited = new Promise((resolve) => {
      worker.once("exit", () => {
        this.refuseAll(deathError(role, undefined));
        resolve();
      });
    });
  }

  call(name: string, args: unknown): Promise<unknown> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    return new Promise((resolve, reject) => {
      this.lastId += 1;
      this.waiting.set(this.lastId, { resolve, reject });
      this.outbox.push([this.lastId, name, args]);
      // One message for all calls of this turn of the event loop: posting is the dearest part of a call.
      if (this.outbox.length === 1) setImmediate(() => this.post());
    });
  }

  async close(): Promise<void> {
    this.post();
    this.refusal ??= closedError();
    this.worker.postMessage({ kind: "close" } satisfies ThreadRequest);
    await this.exited;
  }

  private post(): void {
    if (this.outbox.length === 0) return;
    const calls = this.outbox;
    this.outbox = [];
    try {
      this.worker.postMessage({ kind: "calls", calls } satisfies ThreadRequest);
    } catch (cause) {
      this.postOneByOne(calls, cause);
    }
  }

  /** An argument that cannot be cloned is the fault of one caller; the others of its turn go on. */
  private postOneByOne(calls: readonly ThreadCall[], cause: unknown): void {
    for (const call of calls) {
      try {
        this.worker.postMessage({ kind: "calls", calls: [call] } satisfies ThreadRequest);
      } catch {
        this.take(call[0])?.reject(
          new TypeError(`the ${this.role} takes plain values only: ${call[1]}`, { cause }),
        );
      }
    }
  }

  private settle(answers: Extract<ThreadAnswer, { kind: "answers" }>["answers"]): void {
    for (const answer of answers) {
      const waiting = this.take(answer[0]);
      if (answer[1]) waiting?.resolve(answer[2]);
      else waiting?.reject(unpackError(answer[2]));
    }
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private refuseAll(error: StoreError): void {
    if (this.refusal === undefined) {
      this.refusal = error;
      this.onDeath(error);
    }
    const all = [...this.waiting.values()];
    this.waiting.clear();
    this.outbox = [];
    for (const waiting of all) waiting.reject(error);
  }
}

function deathError(role: ThreadStart["role"], cause: unknown): StoreError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new StoreError(
    "UNAVAILABLE",
    `the store's ${role} thread has ended${why}; restart the process`,
    { cause },
  );
}
