import type { Request, Response } from "express";
import type { Clock } from "../../model/clock.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Logger } from "../../model/log.ts";
import type { ConsoleDeps } from "../operation.ts";

/** How often the store is asked whether anything changed, while somebody looks. Wall time. */
const everyMs = 2_000;
/** Proxies end what says nothing. */
const heartbeatMs = 20_000;
/** Streams of one process; further ones are told to come back later, and their pages work without. */
const streamsMax = 200;

/** Tells open pages that something changed, as server-sent events; one question to the store for all who look at a tenant. */
export interface Live {
  readonly stream: (request: Request, response: Response, tenantId: TenantId) => void;
  /** What a page is as fresh as: it comes back with the stream that it opens. */
  readonly mark: (tenantId: TenantId) => Promise<string>;
  /** Ends every stream: browsers come back by themselves. */
  readonly close: () => void;
}

export function createLive(deps: {
  readonly store: ConsoleDeps["store"];
  /** Wall time. */
  readonly clock: Clock;
  readonly logger: Logger;
}): Live {
  const open = new Map<TenantId, Set<Response>>();
  const last = new Map<TenantId, string>();
  let cancel: (() => void) | undefined;
  let closed = false;

  const look = async (): Promise<void> => {
    for (const [tenantId, streams] of open) {
      try {
        const mark = await markOf(deps.store, tenantId);
        const before = last.get(tenantId);
        last.set(tenantId, mark);
        if (before !== undefined && before !== mark)
          for (const stream of streams) stream.write(changed(mark));
      } catch (error) {
        deps.logger.warn({ err: error, tenant: tenantId }, "open pages are not told of changes");
      }
    }
  };
  /** What happened between the making of a page and the opening of its stream. */
  const tellIfOld = async (response: Response, tenantId: TenantId, shown: unknown) => {
    try {
      const mark = await markOf(deps.store, tenantId);
      if (!last.has(tenantId)) last.set(tenantId, mark);
      if (typeof shown === "string" && shown !== mark && !response.writableEnded)
        response.write(changed(mark));
    } catch (error) {
      deps.logger.warn({ err: error, tenant: tenantId }, "an open page is not told of changes");
    }
  };
  const watch = (): void => {
    if (cancel !== undefined || closed || open.size === 0) return;
    cancel = deps.clock.after(everyMs, () => {
      void look().finally(() => {
        cancel = undefined;
        watch();
      });
    });
  };
  const forget = (tenantId: TenantId, response: Response): void => {
    const streams = open.get(tenantId);
    streams?.delete(response);
    if (streams?.size === 0) {
      open.delete(tenantId);
      last.delete(tenantId);
    }
  };

  return {
    mark: (tenantId) => markOf(deps.store, tenantId),
    stream: (request, response, tenantId) => {
      const streams = open.get(tenantId) ?? new Set<Response>();
      if (closed || streams.size >= streamsMax) {
        response.status(503).setHeader("Retry-After", "60").end();
        return;
      }
      response.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
      response.write("retry: 3000\n\n");
      open.set(tenantId, streams.add(response));
      void tellIfOld(response, tenantId, request.query["mark"]);
      let stop: () => void;
      const beat = () => {
        response.write(": still here\n\n");
        stop = deps.clock.after(heartbeatMs, beat);
      };
      stop = deps.clock.after(heartbeatMs, beat);
      response.on("close", () => {
        stop();
        forget(tenantId, response);
      });
      watch();
    },
    close: () => {
      closed = true;
      cancel?.();
      for (const streams of open.values()) for (const stream of streams) stream.end();
      open.clear();
    },
  };
}

const changed = (mark: string): string => `event: changed\ndata: ${mark}\n\n`;

/** Changes when anything that a page shows may have changed: whatever happens leaves a record. */
async function markOf(store: ConsoleDeps["store"], tenantId: TenantId): Promise<string> {
  const [tree, newest] = await Promise.all([
    store.getTree(tenantId),
    store.findRecords(tenantId, { limit: 1 }),
  ]);
  return `${String(tree.size)}.${newest[0]?.record.recordId ?? ""}`;
}
