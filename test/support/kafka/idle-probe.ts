// What an idle process with Kafka connected costs: `node idle-probe.ts <brokers> <prefix> <calm|raw> <ms>` prints one line of JSON with
// timers armed per second and the share of a core. `raw` puts the client's own request queue back, as it was before we ended its loop.
import { createRequire } from "node:module";
import { kafkaBusFor } from "./kafka-bus-for.ts";

const [brokers = "", prefix = "", kind = "calm", ms = "5000"] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { prototype } = require("kafkajs/src/network/requestQueue/index.js") as {
  prototype: { scheduleCheckPendingRequests: () => void };
};
const own = prototype.scheduleCheckPendingRequests;
const { bus } = kafkaBusFor(brokers.split(","), { prefix });
if (kind === "raw") prototype.scheduleCheckPendingRequests = own;

const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time));
const hint = { tenantId: "acme", identityId: "01890a5d-ac96-774b-bcce-b302099a8057" } as never;
const handled = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
for (const [at, topic] of (["hints", "hints.urgent"] as const).entries()) {
  await bus.subscribe(topic, () => {
    handled[at]?.resolve();
    return Promise.resolve();
  });
  await bus.publish(topic, [hint]);
}
await Promise.all(handled.map((item) => item.promise));
await wait(1_000);

let timers = 0;
const { setTimeout: arm } = globalThis;
globalThis.setTimeout = ((...args: Parameters<typeof arm>) => {
  timers += 1;
  return arm(...args);
}) as typeof arm;
const cpu = process.cpuUsage();
await new Promise((resolve) => arm(resolve, Number(ms)));
const { user, system } = process.cpuUsage(cpu);
globalThis.setTimeout = arm;
process.stdout.write(
  `${JSON.stringify({ timersPerSecond: timers / (Number(ms) / 1_000), core: (user + system) / 1_000 / Number(ms) })}\n`,
);
await bus.close();
