import type { Clock } from "../../model/clock.ts";
import type { Tracer } from "../../model/trace.ts";
import type { Store, StoreStamp } from "../store.ts";
import { accessStore } from "./access.ts";
import { accountStore } from "./account-store.ts";
import { adoptionStore } from "./adoption.ts";
import { auditStore } from "./audit-store.ts";
import { brakeStore } from "./brake.ts";
import { caseStore } from "./case-store.ts";
import { credentialStore } from "./credential-store.ts";
import { deadLetterStore } from "./dead-letters.ts";
import { deliveryStore } from "./deliveries.ts";
import { directoryStore } from "./directory-store.ts";
import { tracedEngine, type Engine } from "./engine.ts";
import { hrStore } from "./hr-store.ts";
import { mappingStore } from "./mapping-store.ts";
import { pulseStore } from "./pulse.ts";
import { recomputeStore } from "./recompute-store.ts";
import { reviewStore } from "./reviews.ts";
import { rosterStore } from "./rosters.ts";
import { taskStore } from "./tasks.ts";
import { trafficStore } from "./traffic.ts";
import { thingStore } from "./things.ts";
import { stampCommands, stampQueries } from "./stamp.ts";

/** Every port of the store over one engine. `close` closes the engine, and what the adapter holds beside it. */
export function composeStore(
  bare: Engine,
  { clock, tracer }: { readonly clock: Clock; readonly tracer?: Tracer },
  stamp: StoreStamp,
  close: () => Promise<void>,
): Store {
  const engine = tracer === undefined ? bare : tracedEngine(bare, tracer);
  return {
    ...directoryStore(engine, clock),
    ...hrStore(engine, clock),
    ...trafficStore(engine),
    ...recomputeStore(engine),
    ...mappingStore(engine, clock),
    ...credentialStore(engine, clock),
    ...auditStore(engine),
    ...accountStore(engine),
    ...accessStore(engine),
    ...adoptionStore(engine, clock),
    ...caseStore(engine, clock),
    ...deliveryStore(engine),
    ...brakeStore(engine),
    ...deadLetterStore(engine, clock),
    ...taskStore(engine),
    ...reviewStore(engine),
    ...rosterStore(engine),
    ...thingStore(engine),
    ...pulseStore(engine, clock),
    stamp,
    ping: async () => {
      await Promise.all([
        engine.read(stampQueries.pingRead, null),
        engine.read(stampQueries.pingScan, null),
        engine.write(stampCommands.pingWrite, { at: clock.now() }),
      ]);
    },
    connections: () => engine.connections?.(),
    close,
  };
}
