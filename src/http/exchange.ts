import type { Dispatcher } from "undici";
import type { HttpPools } from "./http-pools.ts";

export interface ExchangeRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Called when a connection is there, immediately before the first byte is written; a throw keeps the request back. */
  readonly beforeSend?: () => void;
  readonly signal?: AbortSignal;
  /** Wall time for everything: waiting for a connection, sending, the whole answer. */
  readonly totalMs: number;
  readonly bodyMaxBytes: number;
}

export interface Exchange {
  readonly status: number;
  /** Names in lower case; a repeated header joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/**
 * kept_back: `beforeSend` threw (its error is the cause) · unsendable: our own request is malformed ·
 * no_connection · aborted: by the caller's signal · timeout · lost: the connection broke · too_large.
 */
export type ExchangeFailure =
  "kept_back" | "unsendable" | "no_connection" | "aborted" | "timeout" | "lost" | "too_large";

/** An exchange without a whole answer. `sent` is false only when no byte of the request has left. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  readonly failure: ExchangeFailure;
  readonly sent: boolean;

  constructor(failure: ExchangeFailure, sent: boolean, cause: unknown) {
    super(`exchange failed: ${failure}`, { cause });
    this.failure = failure;
    this.sent = sent;
  }

  /** The system's own word for the cause, such as ECONNREFUSED. */
  get reason(): string {
    const { cause } = this;
    return cause instanceof Error && "code" in cause && typeof cause.code === "string"
      ? cause.code
      : this.failure;
  }
}

/** Sends one request and reads its whole answer. Redirects are answers. @throws ExchangeError */
export function exchange(pools: HttpPools, request: ExchangeRequest): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    new ExchangeHandler(pools, request, resolve, reject).start();
  });
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #pools: HttpPools;
  readonly #request: ExchangeRequest;
  readonly #resolve: (exchange: Exchange) => void;
  readonly #reject: (error: ExchangeError) => void;
  readonly #deadline: AbortSignal;
  readonly #onAbort = () => {
    this.#fail("aborted", this.#request.signal?.reason);
  };
  readonly #onDeadline = () => {
    this.#fail("timeout", this.#deadline.reason);
  };
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #sent = false;
  #status = 0;
  #headers: ReadonlyMap<string, string> = new Map();
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(
    pools: HttpPools,
    request: ExchangeRequest,
    resolve: (exchange: Exchange) => void,
    reject: (error: ExchangeError) => void,
  ) {
    this.#pools = pools;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = AbortSignal.timeout(request.totalMs);
  }

  start(): void {
    const { signal, url, method, headers, body } = this.#request;
    if (signal?.aborted === true) {
      this.#fail("aborted", signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#deadline.addEventListener("abort", this.#onDeadline, { once: true });
    try {
      this.#pools.of(url.origin).dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method,
          headers: { ...headers },
          body: body ?? null,
        },
        this,
      );
    } catch (error) {
      this.#fail("unsendable", error);
    }
  }

  /** The connection is there and nothing has been written: the last moment to keep the request back, by throwing. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) throw new Error("the exchange is over");
    // A second start would send again what may have arrived already.
    if (this.#sent) {
      this.#fail("lost", new Error("the connection was replaced"));
      throw new Error("the exchange is over");
    }
    try {
      this.#request.beforeSend?.();
    } catch (error) {
      this.#fail("kept_back", error);
      throw error;
    }
    this.#controller = controller;
    this.#sent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = new Map(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined
          ? []
          : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]],
      ),
    );
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#request.bodyMaxBytes) this.#fail("too_large", undefined);
    else if (!this.#settled) this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#chunks),
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (isMalformed(error)) this.#fail("unsendable", error);
    else this.#fail(this.#sent ? "lost" : "no_connection", error);
  }

  #fail(failure: ExchangeFailure, cause: unknown): void {
    if (!this.#settle()) return;
    this.#reject(new ExchangeError(failure, this.#sent, cause));
    this.#controller?.abort(new Error(`exchange over: ${failure}`));
  }

  /** false: it was over already. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
    this.#deadline.removeEventListener("abort", this.#onDeadline);
    return true;
  }
}

function isMalformed(error: Error): boolean {
  return "code" in error && error.code === "UND_ERR_INVALID_ARG";
}
