/** Entry of the two threads of a file store: the one writing connection, and the one for lists and scans. */
import {
  parentPort,
  receiveMessageOnPort,
  workerData,
  type MessagePort,
} from "node:worker_threads";
import { runBatch, type Outcome } from "./batch.ts";
import { commands, queries } from "../sql/registry.ts";
import { Connection } from "./connection.ts";
import { database, runQuery } from "./run.ts";
import { toStoreError } from "./sqlite-error.ts";
import {
  packError,
  type ThreadAnswer,
  type ThreadCall,
  type ThreadOutcome,
  type ThreadRequest,
  type ThreadStart,
} from "./thread-message.ts";

/** The most commands of one commit: keeps the wait of the first of them short. */
const batchMax = 512;

if (parentPort === null)
  throw new Error("store-thread.ts is started by file-engine.ts, not by hand");
serve(parentPort, workerData as ThreadStart);

function serve(port: MessagePort, start: ThreadStart): void {
  const writes = start.role === "writer";
  const connection = new Connection(start.path, {
    readOnly: !writes,
    cacheKib: writes ? 24_576 : 8_192,
  });
  const send = (answer: ThreadAnswer) => {
    port.postMessage(answer);
  };
  port.on("message", (first: ThreadRequest) => {
    // Whatever arrived while the last transaction was being committed shares the next one.
    const calls: ThreadCall[] = [];
    let request: ThreadRequest | undefined = first;
    while (request?.kind === "calls") {
      calls.push(...request.calls);
      if (!writes || calls.length >= batchMax) break;
      request = receiveMessageOnPort(port)?.message as ThreadRequest | undefined;
    }
    if (calls.length > 0) {
      send({
        kind: "answers",
        answers: writes ? writeAll(connection, calls) : readAll(connection, calls),
      });
    }
    if (request?.kind === "close") {
      if (writes) connection.exec("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
      connection.close();
      port.close();
    }
  });
  send({ kind: "ready" });
}

function writeAll(connection: Connection, calls: readonly ThreadCall[]): ThreadOutcome[] {
  const outcomes = runBatch(
    connection,
    calls.map(([, name, args]) => () => {
      const command = commands[name];
      if (command === undefined) throw new Error(`no command is called ${name}`);
      return command(database, args as never);
    }),
  );
  return calls.map(([id], index) => packOutcome(id, outcomes[index]));
}

function readAll(connection: Connection, calls: readonly ThreadCall[]): ThreadOutcome[] {
  return calls.map(([id, name, args]) => {
    try {
      const query = queries[name];
      if (query === undefined) throw new Error(`no query is called ${name}`);
      return [id, true, runQuery(connection, query, args as never)];
    } catch (error) {
      return [id, false, packError(toStoreError(error))];
    }
  });
}

function packOutcome(id: number, outcome: Outcome | undefined): ThreadOutcome {
  if (outcome === undefined) return [id, false, packError(new Error("the command has no outcome"))];
  return outcome.ok ? [id, true, outcome.result] : [id, false, packError(outcome.error)];
}
