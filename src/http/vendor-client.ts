import { createHash } from "node:crypto";
import type { Clock } from "../model/clock.ts";
import { InputError, SyncError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { untraced, type Span, type Tracer } from "../model/trace.ts";
import type { EndpointFacts, VendorFacts } from "../model/vendor-facts.ts";
import type {
  CallGovernor,
  CallReport,
  VendorAnswer,
  VendorHttp,
  VendorRequest,
} from "../model/vendor-http.ts";
import {
  answerError,
  exchangeError,
  failureOfStatus,
  unknownAnswer,
  type AnswerHead,
  type CallContext,
} from "./answer-error.ts";
import { exchange, ExchangeError, type Exchange } from "./exchange.ts";
import type { HttpPools } from "./http-pools.ts";
import { walkPages } from "./pagination.ts";
import { restMs } from "./rate-headers.ts";
import { createRedactor } from "./redaction.ts";
import { userAgent } from "./user-agent.ts";
import { callUrl, parseBaseUrl } from "./vendor-url.ts";

export interface VendorHttpOptions {
  readonly facts: VendorFacts;
  readonly baseUrl: string;
  /** Addresses of the vendor's services that are not where the facts put them, behind `baseUrl`. */
  readonly serviceUrls?: Readonly<Record<string, string>>;
  /** Allows `http:` to other machines; for simulators only. */
  readonly clearText?: boolean;
  /** Opens the credential of the vendor or of one of its services, for each call anew. @throws SyncError CREDENTIAL_MISSING */
  readonly headers: (service: string | undefined) => Promise<Readonly<Record<string, string>>>;
  /** Asked before each call: in report-only nothing but declared reads leaves the process. */
  readonly mode: () => "report-only" | "write";
  readonly governor: CallGovernor;
  /** The organisation of the connection, once it is known. */
  readonly pinnedOrganization?: () => string | undefined;
  /** The last thing before the first byte of a write is written; throws when it may not leave. */
  readonly beforeWrite?: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pools: HttpPools;
  /** Absent: nothing is traced. Vendors are told of no trace: its ids are ours. */
  readonly tracer?: Tracer;
  /** Wall time of one exchange, milliseconds; default 30 s. */
  readonly totalMs?: number;
  readonly signal: AbortSignal;
}

const bodyMaxBytes = 8 * 1024 * 1024;

/**
 * A client of one connection for one piece of work. Every call passes, in this order: declared operation, report-only gate,
 * rate (`governor.admit`), credential, connection, `beforeWrite`, the bytes.
 * @throws InputError for a base URL that cannot be used
 */
export function createVendorHttp(options: VendorHttpOptions): VendorHttp {
  const client = new VendorClient(options, addressesOf(options));
  return {
    request: (request) => client.request(request),
    pages: (request, next) => walkPages((page) => client.request(page), request, next),
  };
}

/** Where the main interface ("") and each service are. */
function addressesOf(options: VendorHttpOptions): ReadonlyMap<string, URL> {
  const check = (text: string): URL => {
    const url = parseBaseUrl(text, options.clearText === true ? { clearText: true } : {});
    if (options.pools.mayReach(url.hostname)) return url;
    throw new InputError("the vendor's base URL cannot be used", [
      `${url.hostname} is an address inside this network: where that is meant, list it in ROLECALL_INNER_HOSTS`,
    ]);
  };
  const main = check(options.baseUrl);
  const addresses = new Map([["", main]]);
  for (const [name, service] of Object.entries(options.facts.services ?? {})) {
    const told = options.serviceUrls?.[name];
    addresses.set(name, check(told ?? `${main.href.replace(/\/$/, "")}${service.path}`));
  }
  return addresses;
}

class VendorClient {
  readonly #options: VendorHttpOptions;
  readonly #addresses: ReadonlyMap<string, URL>;
  readonly #endpoints: ReadonlyMap<string, EndpointFacts>;

  constructor(options: VendorHttpOptions, addresses: ReadonlyMap<string, URL>) {
    this.#options = options;
    this.#addresses = addresses;
    this.#endpoints = new Map(options.facts.endpoints.map((item) => [item.operation, item]));
  }

  async request<T>(request: VendorRequest<T>): Promise<VendorAnswer<T>> {
    const endpoint = this.#endpoint(request.operation);
    this.#refuseInReportOnly(endpoint);
    const url = callUrl(this.#address(endpoint), endpoint, request);
    await this.#admit(endpoint);
    const credential = await this.#options.headers(endpoint.service);
    const call: CallContext = {
      vendor: this.#options.facts.vendor,
      endpoint,
      redact: createRedactor(Object.values(credential)),
    };
    const { tracer = untraced, facts } = this.#options;
    const answer = await tracer.span(
      {
        name: `${endpoint.method} ${endpoint.path}`,
        kind: "client",
        parent: "current",
        facts: {
          "http.request.method": endpoint.method,
          "url.template": endpoint.path,
          "server.address": url.hostname,
          "rolecall.vendor": facts.vendor,
          "rolecall.operation": endpoint.operation,
        },
      },
      (span) => this.#exchange(call, url, credential, request, span),
    );
    return this.#read(call, answer, request);
  }

  #endpoint(operation: string): EndpointFacts {
    const endpoint = this.#endpoints.get(operation);
    if (endpoint === undefined) {
      const { vendor, profile } = this.#options.facts;
      throw new Error(`${vendor}/${profile} does not declare the operation ${operation}`);
    }
    return endpoint;
  }

  #address(endpoint: EndpointFacts): URL {
    const address = this.#addresses.get(endpoint.service ?? "");
    if (address === undefined) {
      throw new Error(`${endpoint.operation} is at a service that the facts do not declare`);
    }
    return address;
  }

  #refuseInReportOnly(endpoint: EndpointFacts): void {
    if (endpoint.access === "read" || this.#options.mode() === "write") return;
    throw new SyncError(
      "GATE_REFUSED",
      `${this.#options.facts.vendor} ${endpoint.operation}: the connection is report-only; nothing was sent`,
      { facts: { operation: endpoint.operation, reportOnly: true } },
    );
  }

  async #admit(endpoint: EndpointFacts): Promise<void> {
    const { governor, signal, facts } = this.#options;
    try {
      signal.throwIfAborted();
      await governor.admit(endpoint.bucket, signal);
    } catch (error) {
      if (!signal.aborted || error instanceof SyncError) throw error;
      throw exchangeError(
        { vendor: facts.vendor, endpoint, redact: (text) => text },
        new ExchangeError("aborted", false, error),
      );
    }
  }

  async #exchange(
    call: CallContext,
    url: URL,
    credential: Readonly<Record<string, string>>,
    { body, ifMatch }: Pick<VendorRequest<unknown>, "body" | "ifMatch">,
    span: Span,
  ): Promise<Exchange> {
    const { clock, facts, pools, signal, totalMs, beforeWrite } = this.#options;
    const startedAt = clock.monotonic();
    const { service, headers } = call.endpoint;
    const media = service === undefined ? facts.media : facts.services?.[service]?.media;
    try {
      return await exchange(pools, {
        method: call.endpoint.method,
        url,
        headers: {
          "user-agent": userAgent,
          accept: media?.accept ?? "application/json",
          ...(body === undefined ? {} : { "content-type": media?.send ?? "application/json" }),
          ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
          ...credential,
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        beforeSend: () => {
          this.#refuseInReportOnly(call.endpoint);
          if (call.endpoint.access === "write") beforeWrite?.();
        },
        signal,
        totalMs: totalMs ?? 30_000,
        bodyMaxBytes,
      }).then((answer) => {
        span.set({ "http.response.status_code": answer.status });
        if (answer.status >= 400) span.fail(String(answer.status));
        this.#settled(call, clock.monotonic() - startedAt, headOf(this.#options.facts, answer));
        return answer;
      });
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
      if (error.failure === "kept_back") throw error.cause;
      this.#unanswered(call, clock.monotonic() - startedAt, error);
      throw exchangeError(call, error);
    }
  }

  #settled(call: CallContext, durationMs: number, head: AnswerHead): void {
    const { governor, clock, logger } = this.#options;
    const { operation, bucket } = call.endpoint;
    logger.debug(
      { operation, status: head.status, durationMs, vendorRequestId: head.requestId },
      "vendor call",
    );
    governor.settled({
      operation,
      bucket,
      status: head.status,
      durationMs,
      failure: failureOfStatus(head),
      retryAfterMs: restMs(head.status, head.headers, clock.now()),
    });
  }

  /** A call that we stopped ourselves says nothing about the vendor and is not reported. */
  #unanswered(call: CallContext, durationMs: number, error: ExchangeError): void {
    const { operation, bucket } = call.endpoint;
    this.#options.logger.debug(
      { operation, durationMs, failure: error.failure, reason: error.reason, sent: error.sent },
      "vendor call without an answer",
    );
    if (error.failure === "aborted" || error.failure === "unsendable") return;
    const failure: CallReport["failure"] = error.failure === "too_large" ? "none" : "unavailable";
    this.#options.governor.settled({
      operation,
      bucket,
      status: undefined,
      durationMs,
      failure,
      retryAfterMs: undefined,
    });
  }

  #read<T>(call: CallContext, answer: Exchange, request: VendorRequest<T>): VendorAnswer<T> {
    const head = headOf(this.#options.facts, answer);
    this.#refuseOtherOrganization(call, answer);
    const good = (head.status >= 200 && head.status < 300) || request.also?.includes(head.status);
    const body = decode(answer.body);
    const refusal = body.ok ? request.refusals?.(head.status, body.value) : undefined;
    if (good !== true || refusal?.code !== undefined) {
      throw answerError(call, head, refusal, this.#options.clock.now());
    }
    if (!body.ok) throw unknownAnswer(call, head, body.problem);
    return {
      status: head.status,
      value: this.#parse(call, head, request, body.value),
      requestId: head.requestId,
      etag: answer.headers.get("etag"),
      location: answer.headers.get("location"),
      bodyHash: createHash("sha256").update(answer.body).digest("hex"),
    };
  }

  #parse<T>(call: CallContext, head: AnswerHead, request: VendorRequest<T>, body: unknown): T {
    try {
      return request.parse(body);
    } catch (error) {
      throw error instanceof SyncError ? error : unknownAnswer(call, head, error);
    }
  }

  #refuseOtherOrganization(call: CallContext, answer: Exchange): void {
    const { facts, pinnedOrganization } = this.#options;
    const pinned = pinnedOrganization?.();
    if (facts.organizationHeader === undefined || pinned === undefined) return;
    const answered = answer.headers.get(facts.organizationHeader);
    if (answered === undefined || answered === pinned) return;
    throw new SyncError(
      "WRONG_ORGANIZATION",
      `${facts.vendor} ${call.endpoint.operation}: the credential answers for organisation ${call.redact(answered)}, this connection is pinned to ${pinned}`,
      { facts: { operation: call.endpoint.operation, pinned, answered: call.redact(answered) } },
    );
  }
}

function headOf(facts: VendorFacts, answer: Exchange): AnswerHead {
  const { requestIdHeader } = facts;
  const requestId = requestIdHeader === undefined ? undefined : answer.headers.get(requestIdHeader);
  return {
    status: answer.status,
    headers: answer.headers,
    requestId: requestId?.slice(0, 128),
    html: /^text\/html\b/i.test(answer.headers.get("content-type") ?? ""),
  };
}

type Decoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: unknown };

function decode(body: Buffer): Decoded {
  if (body.length === 0) return { ok: true, value: undefined };
  try {
    return {
      ok: true,
      value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown,
    };
  } catch {
    return { ok: false, problem: new SyntaxError("not JSON in UTF-8") };
  }
}
