import { z } from "zod";
import { exchange, ExchangeError, type Exchange } from "./exchange.ts";
import type { HttpPools } from "./http-pools.ts";
import { createRedactor } from "./redaction.ts";
import { userAgent } from "./user-agent.ts";

export interface JsonClient {
  /**
   * Sends `input` as query of a GET or DELETE and as JSON body otherwise (undefined values are left out), answers the decoded body.
   * @throws JsonClientError
   */
  call(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    input?: Readonly<Record<string, unknown>>,
  ): Promise<unknown>;
}

export interface JsonClientOptions {
  /** With path: `http://127.0.0.1:8081/api/v1`. */
  readonly baseUrl: string;
  readonly token: string;
  readonly pools: HttpPools;
  /** Wall time of one call, milliseconds; default 60 s. */
  readonly totalMs?: number;
  readonly signal?: AbortSignal;
}

/** A call to our own operator interface that did not succeed. `status` is undefined where no answer came. */
export class JsonClientError extends Error {
  override readonly name = "JsonClientError";
  readonly status: number | undefined;
  /** Where no answer came: whether the request may have arrived. */
  readonly sent: boolean;

  constructor(
    message: string,
    options: { readonly status?: number; readonly sent: boolean; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.sent = options.sent;
  }
}

const bodyMaxBytes = 64 * 1024 * 1024;

/** Problem details (RFC 9457) as `/api/v1` sends them. */
const problemShape = z.object({ detail: z.string(), problems: z.array(z.string()).optional() });

/** A client for our own JSON interface: bearer token, time limit, size limit, no redirects. */
export function createJsonClient(options: JsonClientOptions): JsonClient {
  return {
    async call(method, path, input = {}) {
      const answer = await send(options, method, path, input);
      const body = decode(answer);
      if (answer.status < 200 || answer.status > 299) throw refusal(options, answer.status, body);
      return body;
    },
  };
}

async function send(
  options: JsonClientOptions,
  method: string,
  path: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Exchange> {
  const url = new URL(options.baseUrl);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  const inQuery = method === "GET" || method === "DELETE";
  if (inQuery) {
    for (const [name, value] of Object.entries(input)) {
      if (value !== undefined && value !== null) url.searchParams.append(name, queryText(value));
    }
  }
  try {
    return await exchange(options.pools, {
      method,
      url,
      headers: {
        "user-agent": userAgent,
        accept: "application/json",
        authorization: `Bearer ${options.token}`,
        ...(inQuery ? {} : { "content-type": "application/json" }),
      },
      ...(inQuery ? {} : { body: JSON.stringify(input) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      totalMs: options.totalMs ?? 60_000,
      bodyMaxBytes,
    });
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    throw new JsonClientError(`${url.origin} did not answer (${error.reason})`, {
      sent: error.sent,
      cause: error,
    });
  }
}

function queryText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function decode(answer: Exchange): unknown {
  if (answer.body.length === 0) return undefined;
  try {
    return JSON.parse(answer.body.toString("utf8")) as unknown;
  } catch (error) {
    throw new JsonClientError(
      `the answer is not JSON (HTTP ${String(answer.status)}): is this the operator interface?`,
      { status: answer.status, sent: true, cause: error },
    );
  }
}

function refusal(options: JsonClientOptions, status: number, body: unknown): JsonClientError {
  const problem = problemShape.safeParse(body);
  const redact = createRedactor([options.token]);
  const message = problem.success
    ? [problem.data.detail, ...(problem.data.problems ?? [])].join("\n  ")
    : `HTTP ${String(status)}${typeof body === "string" ? `: ${redact(body)}` : ""}`;
  return new JsonClientError(message, { status, sent: true });
}
