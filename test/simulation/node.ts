import { Readable, Writable } from "node:stream";
import type { Request, Response } from "express";
import type { Store } from "../../src/adapters/store.ts";
import type { Connector } from "../../src/connectors/connector.ts";
import type { ConsoleDeps } from "../../src/console/operation.ts";
import { createEngine, type Engine } from "../../src/engine.ts";
import type { Clock } from "../../src/model/clock.ts";
import { acceptUpload, type UploadAnswer } from "../../src/hr/accept.ts";
import type { HrDeps } from "../../src/hr/hr-deps.ts";
import {
  asId,
  type HrSourceId,
  type IdentityId,
  type IdpId,
  type TenantId,
} from "../../src/model/ids.ts";
import type { LogFacts, Logger, Metrics } from "../../src/model/log.ts";
import { createHrDesk } from "../../src/hr/hr-desk.ts";
import { createScimRouter } from "../../src/scim/router.ts";
import type { MessageLog } from "./message-log.ts";
import type { Random } from "./random.ts";
import { Life, type Scheduler } from "./scheduler.ts";
import type { VendorNetwork } from "./vendor-network.ts";

/** Sees every store command that was done, before its caller does. */
export type StoreWatch = (
  life: Life,
  name: string,
  args: readonly unknown[],
  result: unknown,
) => Promise<void>;

export interface NodeParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The one store of all processes, without anything in between. */
  readonly store: Store;
  readonly log: MessageLog;
  readonly network: VendorNetwork;
  readonly connectorOf: (vendor: string) => Connector | undefined;
  readonly storeWatch: StoreWatch;
  readonly callers: ReadonlyMap<string, { readonly tenantId: TenantId; readonly idpId: IdpId }>;
}

export interface ScimAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The HR source of every tenant. */
export const hrSource = asId<HrSourceId>("people");

/** One process of the service in one of its lives: the engine and the SCIM router, as the composition root puts them together. */
export class Node {
  readonly life: Life;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly console: ConsoleDeps;
  readonly #router: ReturnType<typeof createScimRouter>;
  readonly #hr: HrDeps;

  constructor(parts: NodeParts, name: string) {
    const { scheduler, network, log } = parts;
    const life = new Life(name);
    this.life = life;
    this.clock = scheduler.clockOf(life, parts.random);
    const store = throughScheduler(parts, life);
    const logger = tracingLogger(scheduler, name);
    this.engine = createEngine({
      store,
      bus: log.busOf(life),
      clock: this.clock,
      logger,
      metrics: unmeasured,
      owner: name,
      connectorOf: (vendor) => parts.connectorOf(vendor),
      openHttp: (lane, options) => network.open(life, lane, options),
      // Looking every quarter of an hour shows nothing more than looking a few times.
      timing: { listWatchMs: 4 * 3_600_000 },
    });
    this.#router = createScimRouter({
      store,
      clock: this.clock,
      logger,
      metrics: unmeasured,
      publicUrl: "https://id.example.com",
      authenticate: (token) => {
        const caller = parts.callers.get(token);
        return Promise.resolve(caller && { ...caller, actor: { kind: "idp", id: caller.idpId } });
      },
      onCommit: this.engine.ringRelay,
    });
    this.#hr = {
      store,
      clock: this.clock,
      logger,
      metrics: unmeasured,
      onCommit: this.engine.ringRelay,
      raiseFinding: async (tenantId, { identityId, ...finding }) => {
        const whose = identityId === undefined ? {} : { identityId: asId<IdentityId>(identityId) };
        await store.raiseFindings(tenantId, {
          findings: [{ ...finding, ...whose }],
          now: this.clock.now(),
        });
      },
    };
    const unused = () => Promise.reject(new Error("not part of the simulation"));
    this.console = {
      ...this.engine.sync,
      store,
      connect: unused,
      things: unused,
      endThing: unused,
      reseal: unused,
      lastCheckpoint: () => Promise.resolve(undefined),
      keys: { endKey: unused, makeKey: unused, endOlderKeys: unused },
      installLink: () => ({}),
      hr: {
        desk: createHrDesk({ ...this.#hr, putSecret: unused }),
      },
      version: "simulation",
      world: "test",
      publicUrl: "https://id.example.com",
      instanceId: parts.store.stamp.instanceId,
      home: parts.store.stamp.home,
      tokensChanged: () => undefined,
      trends: () => ({ since: 0, everyMs: 60_000, series: [] }),
      signInLink: unused,
      verifyAudit: unused,
      issueToken: unused,
      putCredential: unused,
      proposeMappings: unused,
      leaverFacts: () => undefined,
      channels: [],
      backlog: async () => store.recomputeBacklog(this.clock.now()),
    };
  }

  /** One HR event, its signature left out. @throws StoreError; where the process dies meanwhile, it never answers */
  async hr(tenantId: TenantId, key: string, event: object): Promise<UploadAnswer> {
    const sender = { tenantId, sourceId: hrSource, actor: { kind: "hr", id: hrSource } } as const;
    const answer = await acceptUpload(this.#hr, sender, {
      kind: "event",
      key,
      contentType: "application/json",
      body: Buffer.from(JSON.stringify(event)),
    });
    if (answer === "conflict") throw new Error("one key for two HR events");
    return answer;
  }

  /** One SCIM request over no socket. Never answers when the process dies meanwhile. */
  scim(token: string, method: string, url: string, body: unknown): Promise<ScimAnswer> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const request = Object.assign(Readable.from(text === "" ? [] : [Buffer.from(text)]), {
      method,
      url,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/scim+json",
        "content-length": String(Buffer.byteLength(text)),
      },
      ip: "192.0.2.1",
      complete: true,
    });
    const response = new Answering();
    return new Promise((resolve, reject) => {
      response.once("finish", () => {
        resolve({ status: response.statusCode, body: response.json() });
      });
      void this.#router(
        request as unknown as Request,
        response as unknown as Response,
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error("SCIM has no such route"));
        },
      );
    });
  }
}

class Answering extends Writable {
  statusCode = 200;
  headersSent = false;
  readonly #chunks: Buffer[] = [];

  writeHead(status: number): this {
    this.statusCode = status;
    this.headersSent = true;
    return this;
  }

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  json(): Readonly<Record<string, unknown>> {
    const text = Buffer.concat(this.#chunks).toString("utf8");
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  }
}

/** The store as one process has it: every command waits for its turn, and may meet what the seed holds for it. */
function throughScheduler(parts: NodeParts, life: Life): Store {
  const wrapped: Record<string, unknown> = { stamp: parts.store.stamp };
  for (const [name, method] of Object.entries(parts.store)) {
    if (typeof method !== "function") continue;
    wrapped[name] = (...args: readonly unknown[]) =>
      parts.scheduler.call(life, `store.${name}`, async () => {
        const result: unknown = await (method as (...all: readonly unknown[]) => unknown)(...args);
        await parts.storeWatch(life, name, args, result);
        return result;
      });
  }
  return wrapped as unknown as Store;
}

const unmeasured: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
};

function tracingLogger(scheduler: Scheduler, name: string): Logger {
  const at = (level: string) => (facts: LogFacts, message: string) => {
    scheduler.tell(name, () => {
      const error = facts["err"] ?? facts["error"];
      const why = error instanceof Error ? ` ${error.stack ?? error.message}` : "";
      return `${level}: ${message}${why}`;
    });
  };
  const silent = () => undefined;
  const logger: Logger = {
    debug: silent,
    info: silent,
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}
