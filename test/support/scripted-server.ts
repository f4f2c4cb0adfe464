import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A real HTTP server that does what a test says, and remembers what it was asked. */
export interface ScriptedServer {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
  /** What happens to requests from now on. */
  reply(script: Script): void;
  close(): Promise<void>;
}

export type Script = (response: ServerResponse, request: ReceivedRequest, count: number) => unknown;

/** Answers with JSON. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Script {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const received: ReceivedRequest[] = [];
  let script: Script = json(200, {});
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const item: ReceivedRequest = {
        method: request.method ?? "",
        target: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      received.push(item);
      void script(response, item, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    received,
    reply: (next) => {
      script = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/**
 * Answers by method and path (without query), each with a list that is worked off; its last answer repeats. Anything else is a 599,
 * which no vendor sends.
 */
export function routes(table: Readonly<Record<string, readonly Script[]>>): Script {
  const counts = new Map<string, number>();
  return (response, request, count) => {
    const key = `${request.method} ${request.target.split("?")[0] ?? ""}`;
    const scripts = Object.hasOwn(table, key) ? table[key] : undefined;
    const at = counts.get(key) ?? 0;
    counts.set(key, at + 1);
    const script = scripts?.[Math.min(at, scripts.length - 1)];
    return (script ?? json(599, { unexpected: key }))(response, request, count);
  };
}
