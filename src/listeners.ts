import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express, type Router } from "express";

export interface Listener {
  readonly url: string;
  readonly port: number;
  /** Takes no new connection, lets requests under way end, then closes; after `graceMs` of wall time the rest are cut. */
  close(graceMs: number): Promise<void>;
}

/** Answers to probes: `undefined` body means ready. */
export interface Probes {
  readonly live: () => Promise<ProbeAnswer>;
  readonly ready: () => Promise<ProbeAnswer>;
}

export interface ProbeAnswer {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** What one listener bears. Wall times. */
export interface ListenerLimits {
  /** Connections at one time; more are closed as they come. Each costs about 10 KiB. */
  readonly connectionsMax: number;
  /** From the opening of a connection, or the end of the request before, to the end of a request's headers. */
  readonly headersMs: number;
  /** From a request's first byte to its last. */
  readonly requestMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
}

/** Clients that send slowly, or nothing, are cut; headers above 16 KiB are answered 431 by Node.js itself. */
export const listenerLimits: ListenerLimits = {
  connectionsMax: 10_000,
  headersMs: 20_000,
  requestMs: 60_000,
  // Longer than any operation takes: what the command line waits for, and some.
  idleMs: 150_000,
};

/**
 * Of every answer: data for programs, which no browser may frame, guess the type of, keep or run. Transport security is said by the proxy
 * that has the certificate.
 */
const answerHeaders = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

/** The listener for identity providers, HR and applications: SCIM, signed HR messages, decisions and probes, nothing else. */
export function publicApp(parts: {
  readonly scim: Router;
  /** Absent: HR is not heard here. */
  readonly hr?: Router;
  /** What people may do, for applications; absent: not here. */
  readonly access?: { readonly questions: Router; readonly metadata: Router };
  /** Vendors and browsers that install their apps; absent: not here. */
  readonly vendors?: { readonly oauth: Router; readonly hooks: Router };
  readonly probes: Probes;
  readonly trustedProxies: readonly string[];
}): Express {
  const app = bareApp(parts.trustedProxies);
  app.use("/scim/v2", parts.scim);
  if (parts.hr !== undefined) app.use("/hr/v1", parts.hr);
  if (parts.access !== undefined) {
    app.use("/access/v1", parts.access.questions);
    app.use(parts.access.metadata);
  }
  if (parts.vendors !== undefined) {
    app.use("/oauth", parts.vendors.oauth);
    app.use("/hooks", parts.vendors.hooks);
  }
  addProbes(app, parts.probes);
  app.use((_request, response) => {
    response.status(404).json({
      status: 404,
      detail: "Rolecall answers SCIM at /scim/v2, HR at /hr/v1 and applications at /access/v1",
    });
  });
  return app;
}

/** The operator's listener: `/api/v1`, metrics and probes; on the loopback interface unless told otherwise. */
export function operatorApp(parts: {
  readonly api: Router;
  /** The pages in a browser. */
  readonly console: Router;
  readonly probes: Probes;
  readonly metrics: () => Promise<{ readonly type: string; readonly body: string }>;
  readonly trustedProxies: readonly string[];
}): Express {
  const app = bareApp(parts.trustedProxies);
  app.use("/api/v1", parts.api);
  app.use("/console", parts.console);
  app.get("/metrics", async (_request, response) => {
    const { type, body } = await parts.metrics();
    response.setHeader("Content-Type", type);
    response.end(body);
  });
  addProbes(app, parts.probes);
  app.use((_request, response) => {
    response.status(404).json({ status: 404, detail: "the operator's interface is at /api/v1" });
  });
  return app;
}

function bareApp(trustedProxies: readonly string[]): Express {
  const app = express();
  app.disable("x-powered-by");
  // Rooms send their own entity tags; a hash of the body would contradict them.
  app.set("etag", false);
  app.set("trust proxy", trustedProxies.length === 0 ? false : [...trustedProxies]);
  app.use((_request, response, next) => {
    for (const [name, value] of Object.entries(answerHeaders)) response.setHeader(name, value);
    next();
  });
  return app;
}

function addProbes(app: Express, probes: Probes): void {
  for (const [path, probe] of [
    ["/healthz", probes.live],
    ["/readyz", probes.ready],
  ] as const) {
    app.get(path, async (_request, response) => {
      const answer = await probe();
      response.status(answer.ok ? 200 : 503).json(answer);
    });
  }
}

/** Opens a listener. @throws Error that names the address where it is taken */
export async function listen(
  app: Express,
  port: number,
  host: string | undefined,
  limits: ListenerLimits = listenerLimits,
): Promise<Listener> {
  const server = createServer(
    {
      requestTimeout: limits.requestMs,
      headersTimeout: limits.headersMs,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    },
    app,
  );
  server.maxConnections = limits.connectionsMax;
  server.setTimeout(limits.idleMs);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              `port ${String(port)} is taken: end the other process or choose another port`,
              { cause: error },
            )
          : error,
      );
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://${host === undefined || host === "0.0.0.0" ? "127.0.0.1" : host}:${String(address.port)}`,
    close: (graceMs) => closeServer(server, graceMs),
  };
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const cut = AbortSignal.timeout(graceMs);
  cut.addEventListener("abort", () => {
    server.closeAllConnections();
  });
  await closed;
}
