import { createHash } from "node:crypto";
import type { Server } from "node:http";
import express from "express";
import type { Express, NextFunction, Request, Response } from "express";
import { controlSurface } from "./control-surface.ts";
import type { ControlAction } from "./control-surface.ts";
import { RequestLog } from "./request-log.ts";
import type { Reply, SimulatedCall, SimulatedRoute } from "./simulated-api.ts";
import type { Answer, SimulatedVendor } from "./simulated-vendor.ts";
import type { SimulatorOptions, VendorSimulator } from "./vendor-simulator.ts";
import { foldEmail } from "../model/fold.ts";

/** The body limit of a simulated vendor, in bytes. */
const BODY_MAX = 1_048_576;

/**
 * Puts a simulated vendor on a socket, its control surface under `/__control`.
 * @throws Error of the socket when the port cannot be had.
 */
export async function serveSimulator<Truth, Caller>(
  vendor: SimulatedVendor<Truth, Caller>,
  actions: Readonly<Record<string, ControlAction>>,
  options: SimulatorOptions,
): Promise<VendorSimulator> {
  const exchange = new Exchange(vendor, options);
  const server = await listen(exchange.app(actions), options);
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The simulator listens on no TCP port");
  }
  let closed: Promise<void> | undefined;
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    vendor: vendor.api.vendor,
    url: `http://${host}:${String(address.port)}`,
    faults: vendor.faults,
    get requests() {
      return exchange.requests.entries();
    },
    createAttempts: (email) => vendor.attempts(foldEmail(email)),
    allCreateAttempts: () => vendor.allAttempts(),
    close: () => (closed ??= shut(server, exchange)),
  };
}

function shut(server: Server, exchange: { stop(): void }): Promise<void> {
  return new Promise((resolve, reject) => {
    exchange.stop();
    server.close((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
    server.closeAllConnections();
  });
}

/** Between express and the vendor: decoding, recording, delays and cut connections. */
class Exchange<Truth, Caller> {
  readonly requests = new RequestLog();
  readonly #vendor: SimulatedVendor<Truth, Caller>;
  readonly #options: SimulatorOptions;
  readonly #delays = new Set<() => void>();

  constructor(vendor: SimulatedVendor<Truth, Caller>, options: SimulatorOptions) {
    this.#vendor = vendor;
    this.#options = options;
  }

  app(actions: Readonly<Record<string, ControlAction>>): Express {
    const app = express();
    app.disable("x-powered-by");
    app.disable("etag");
    app.use("/__control", controlSurface(this.#vendor, this.requests, actions));
    app.use(express.raw({ type: () => true, limit: BODY_MAX }));
    for (const route of this.#vendor.api.routes) {
      app[route.method](route.path, (request, response) => {
        this.#answer(route, request, response);
      });
    }
    app.use((request, response) => {
      this.#answer(undefined, request, response);
    });
    app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
      this.#failed(error, request, response);
    });
    return app;
  }

  /** Cancels what still waits to be sent. */
  stop(): void {
    for (const cancel of this.#delays) cancel();
    this.#delays.clear();
  }

  #answer(
    route: SimulatedRoute<Truth, Caller> | undefined,
    request: Request,
    response: Response,
  ): void {
    const call = this.#decode(request);
    const vendor = this.#vendor;
    const answer: Answer =
      route === undefined
        ? {
            reply: vendor.api.seal(vendor.truth, vendor.api.unknownRoute(vendor.truth, call)),
            connection: "keep",
            delayMs: 0,
            fault: undefined,
          }
        : vendor.answer(route, call);
    this.requests.add({
      method: request.method,
      path: request.originalUrl,
      operation: route?.operation,
      at: call.at,
      status: answer.reply?.status,
      bodyHash:
        call.raw.length === 0 ? undefined : createHash("sha256").update(call.raw).digest("hex"),
      fault: answer.fault,
    });
    if (answer.connection === "cut") request.socket.destroy();
    const { reply } = answer;
    if (reply === undefined) return;
    if (answer.delayMs === 0) {
      send(response, reply);
      return;
    }
    const cancel = this.#options.clock.after(answer.delayMs, () => {
      this.#delays.delete(cancel);
      send(response, reply);
    });
    this.#delays.add(cancel);
  }

  #decode(request: Request): SimulatedCall {
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const url = new URL(request.originalUrl, "http://vendor.invalid");
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.params)) {
      if (typeof value === "string") params[name] = value;
    }
    return {
      method: request.method,
      path: url.pathname,
      params,
      query: url.searchParams,
      headers: request.headers,
      raw,
      json: decodeJson(raw),
      at: this.#options.clock.now(),
    };
  }

  #failed(error: unknown, request: Request, response: Response): void {
    const { api, truth } = this.#vendor;
    const status = statusOf(error);
    if (status === undefined) {
      this.#options.log?.error(
        { err: error, vendor: api.vendor, method: request.method },
        "the simulator failed",
      );
    }
    if (response.headersSent || request.socket.destroyed) return;
    const reply = status === 413 ? api.tooLarge() : api.failure("500", undefined, request.path);
    send(response, api.seal(truth, reply));
  }
}

function send(response: Response, reply: Reply): void {
  response.status(reply.status).set(reply.headers ?? {});
  if (reply.text === undefined) {
    response.json(reply.body ?? null);
  } else {
    response.set("content-type", reply.text.type).end(reply.text.content);
  }
}

function decodeJson(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  try {
    return JSON.parse(raw.toString("utf8"));
  } catch {
    // The vendor's own admission says what is wrong: it sees bytes without a value.
    return undefined;
  }
}

/** The status that a body parser gives to a request that it cannot read; undefined for a fault of ours. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("status" in error)) return undefined;
  return typeof error.status === "number" && error.status < 500 ? error.status : undefined;
}

function listen(app: Express, options: SimulatorOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = app.listen(options.port ?? 0, options.host ?? "127.0.0.1", (error) => {
      if (error === undefined) resolve(server);
      else reject(error);
    });
  });
}
