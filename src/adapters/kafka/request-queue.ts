import { createRequire } from "node:module";

/** The one version of the client whose inside this file knows. */
export const knownVersion = "2.2.4";

interface RequestQueue {
  readonly pending: readonly unknown[];
}
interface RequestQueueClass {
  readonly prototype: RequestQueue & { scheduleCheckPendingRequests(): void };
}

const require = createRequire(import.meta.url);
let calmed = false;

/**
 * Ends an idle loop of kafkajs 2.2.4: each connection looks for waiting requests, and arms a timer to look again even where none
 * waits; the timer's time is negative, which counts as one millisecond. That is some 900 wake-ups a second and connection, for nothing,
 * and a TimeoutNegativeWarning on Node.js 24. A queue without waiting requests needs no timer: a request that comes later arms its own.
 * @throws Error where another version is installed: then look whether the loop is gone, and change this file.
 */
export function calmRequestQueues(): void {
  if (calmed) return;
  const installed = (require("kafkajs/package.json") as { readonly version: string }).version;
  if (installed !== knownVersion) {
    throw new Error(
      `kafkajs ${installed} is installed and adapters/kafka knows ${knownVersion} only: compare its request queue with request-queue.ts`,
    );
  }
  const { prototype } = require("kafkajs/src/network/requestQueue/index.js") as RequestQueueClass;
  const schedule = prototype.scheduleCheckPendingRequests;
  if (typeof schedule !== "function") throw new Error("kafkajs has no request queue as known");
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
  calmed = true;
}
