import { keptRequests, type HeardRequest, type TrafficStore } from "../directory/traffic-store.ts";
import type { Clock, Instant } from "../model/clock.ts";
import type { IdpId, TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import type { ScimCaller } from "./scim-call.ts";

/** How long what was heard waits in memory: a process that dies loses these seconds, and a busy one writes once per connection. */
const flushMs = 5_000;

interface Heard {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly firstAt: Instant;
  lastAt: Instant;
  requests: number;
  refused: number;
  failed: number;
  recent: HeardRequest[];
}

export interface Traffic {
  note(caller: ScimCaller, request: HeardRequest): void;
  /** Writes what waits; nothing is noted any more. */
  close(): Promise<void>;
}

/** Remembers what each IdP connection sends and writes it down every few seconds; a request waits for none of it. */
export function createTraffic(deps: {
  readonly store: Pick<TrafficStore, "noteTraffic">;
  readonly clock: Clock;
  readonly logger: Logger;
}): Traffic {
  const { store, clock, logger } = deps;
  let waiting = new Map<string, Heard>();
  let cancel: (() => void) | undefined;
  let closed = false;

  const flush = async (): Promise<void> => {
    const due = [...waiting.values()];
    waiting = new Map();
    cancel = undefined;
    for (const { tenantId, recent, ...note } of due) {
      try {
        await store.noteTraffic(tenantId, { ...note, recent: recent.slice(-keptRequests) });
      } catch (error) {
        logger.warn({ err: error, tenantId, idpId: note.idpId }, "requests of an IdP not noted");
      }
    }
  };
  return {
    note: ({ tenantId, idpId }, request) => {
      if (closed) return;
      const { at, status } = request;
      const key = `${tenantId}/${idpId}`;
      let heard = waiting.get(key);
      if (heard === undefined) {
        heard = {
          ...{ tenantId, idpId, firstAt: at, lastAt: at },
          ...{ requests: 0, refused: 0, failed: 0, recent: [] },
        };
        waiting.set(key, heard);
      }
      heard.lastAt = Math.max(heard.lastAt, at);
      heard.requests += 1;
      if (status >= 500) heard.failed += 1;
      else if (status >= 400) heard.refused += 1;
      if (heard.recent.length >= 2 * keptRequests) heard.recent = heard.recent.slice(-keptRequests);
      heard.recent.push(request);
      cancel ??= clock.after(flushMs, () => void flush());
    },
    close: async () => {
      closed = true;
      cancel?.();
      await flush();
    },
  };
}
