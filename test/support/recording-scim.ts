import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "../../src/model/json.ts";

export interface Received {
  readonly method: string;
  /** Path and query, still encoded, without the `/scim/v2` of the base URL. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject | undefined;
}

/** What happens to one request instead of the answer: `lose` does the work and cuts the answer, `silence` waits. */
export type Fault =
  | "cut"
  | "lose"
  | "silence"
  | { status: number; headers?: Record<string, string>; body?: JsonObject | string };

/**
 * A SCIM server just able enough for a client's tests: it records every request, keeps what POST and PUT bring, finds
 * by one `eq`, and answers PATCH with 204 without applying it.
 */
export class RecordingScim {
  readonly received: Received[] = [];
  readonly resources = new Map<string, JsonObject & { id: string }>();
  /** Consumed one per request that `matches`. */
  readonly #faults: { readonly fault: Fault; readonly matches: (request: Received) => boolean }[] =
    [];
  #server: Server | undefined;
  #port = 0;
  #serial = 0;

  /** Starts, at the same port as before when it was stopped. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      void this.#serve(request, response);
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}/scim/v2`;
  }

  fail(fault: Fault, matches: (request: Received) => boolean = () => true): void {
    this.#faults.push({ fault, matches });
  }

  failTimes(times: number, fault: Fault, matches?: (request: Received) => boolean): void {
    for (let i = 0; i < times; i += 1) this.fail(fault, matches);
  }

  put(path: string, resource: JsonObject & { id: string }): void {
    this.resources.set(`${path}/${resource.id}`, resource);
  }

  /** Method and decoded target of what came since the last call. */
  lines(): string[] {
    return this.take().map(({ method, target }) => `${method} ${readable(target)}`);
  }

  /** What came since the last call. */
  take(): Received[] {
    return this.received.splice(0);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const received: Received = {
      method: request.method ?? "",
      target: (request.url ?? "").replace(/^\/scim\/v2/, ""),
      headers: request.headers,
      body: text === "" ? undefined : (JSON.parse(text) as JsonObject),
    };
    this.received.push(received);
    const index = this.#faults.findIndex(({ matches }) => matches(received));
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    if (fault === "silence") return;
    if (fault === "cut") {
      request.socket.destroy();
      return;
    }
    const answer = typeof fault === "object" ? fault : this.#answer(received);
    if (fault === "lose") {
      // Half an answer: the status line promises more than comes.
      response.writeHead(answer.status, { "content-length": "1000" });
      response.write("{", () => request.socket.destroy());
      return;
    }
    const { body } = answer;
    response.writeHead(answer.status, {
      "content-type": "application/scim+json",
      ...answer.headers,
    });
    response.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  }

  #answer({ method, target, body }: Received): Exclude<Fault, string> {
    const url = new URL(target, "http://scim.invalid");
    const kind = url.pathname.startsWith("/Groups") ? "/Groups" : "/Users";
    if (method === "POST") {
      this.#serial += 1;
      const resource = { ...body, id: `${kind === "/Users" ? "u" : "g"}${String(this.#serial)}` };
      this.put(kind, resource);
      return { status: 201, body: resource };
    }
    if (url.pathname === kind) return { status: 200, body: this.#list(kind, url.searchParams) };
    const held = this.resources.get(url.pathname);
    if (held === undefined) return { status: 404, body: { status: "404", detail: "Not found" } };
    if (method === "DELETE") this.resources.delete(url.pathname);
    if (method === "PUT") this.resources.set(url.pathname, { ...body, id: held.id });
    if (method === "GET") return { status: 200, body: held };
    return { status: method === "PUT" ? 200 : 204, ...(method === "PUT" ? { body: held } : {}) };
  }

  #list(kind: string, query: URLSearchParams): JsonObject {
    const all = [...this.resources].filter(([key]) => key.startsWith(`${kind}/`));
    const found = all.map(([, resource]) => resource).filter(matcher(query.get("filter")));
    const startIndex = Number(query.get("startIndex") ?? 1);
    const count = Number(query.get("count") ?? 100);
    const Resources = found.slice(startIndex - 1, startIndex - 1 + count);
    return {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: found.length,
      startIndex,
      itemsPerPage: Resources.length,
      Resources,
    };
  }
}

function matcher(filter: string | null): (resource: JsonObject) => boolean {
  if (filter === null) return () => true;
  // A question with `and` (is this the manager?) is always answered with no.
  const [, attribute = "", value] = /^(\S+|emails\[.*\]\.value) eq "([^"]*)"$/.exec(filter) ?? [];
  if (attribute.startsWith("emails")) {
    return (resource) =>
      (resource.emails as { value: string }[] | undefined)?.some((one) => one.value === value) ??
      false;
  }
  return (resource) => value !== undefined && resource[attribute] === value;
}

function readable(target: string): string {
  return decodeURIComponent(target.replaceAll("+", " "));
}
