import type { ErrorCode } from "./errors.ts";

/**
 * What a connector may do to the world: one declared call at a time, through a client that already holds the
 * credential, the base URL, the timeouts, the size limit, the report-only gate and the rate limiter.
 * Implemented in `http/`; no connector imports a client.
 */
export interface VendorHttp {
  /**
   * Sends one call and parses its answer.
   * @throws SyncError for everything that is not a 2xx (or in `also`); only this layer turns a status into a code,
   *   with `refusals` of the request asked first.
   */
  request<T>(request: VendorRequest<T>): Promise<VendorAnswer<T>>;

  /**
   * Walks a cursor list: sends `request`, then again with the query that `next` takes from each answer, until it says "end".
   * @throws SyncError as `request`, and VENDOR_READ_INCOMPLETE for a page that says "incomplete", a cursor that comes back, or a
   *   list that does not end
   */
  pages<T>(request: VendorRequest<T>, next: (value: T) => NextPage): AsyncIterable<VendorAnswer<T>>;
}

/**
 * Query parameters, or for searches the whole body, that ask for the page behind this one; "incomplete": more is promised, and no way
 * to it is given.
 */
export type NextPage =
  | { readonly query: Readonly<Record<string, string>> }
  | { readonly body: unknown }
  | "end"
  | "incomplete";

export interface VendorRequest<T> {
  /** One of the `operation`s of the vendor's facts; decides method, path template, bucket and access. */
  readonly operation: string;
  /** Values for the `{placeholders}` of the path; percent-encoded by the client. */
  readonly path?: Readonly<Record<string, string>>;
  /** Query parameters; an array repeats its name. Undefined values are left out. */
  readonly query?: Readonly<
    Record<string, string | number | boolean | readonly string[] | undefined>
  >;
  readonly body?: unknown;
  /** Sent as `If-Match`: the write counts only for this version of the resource. 412 is then VENDOR_CONFLICT. */
  readonly ifMatch?: string | undefined;
  /** Checks and narrows the decoded JSON (undefined for an empty body), usually a zod schema's parse. */
  readonly parse: (body: unknown) => T;
  /** Statuses besides 2xx whose body goes to `parse` as well. */
  readonly also?: readonly number[];
  /**
   * Reads status and decoded body of every answer, 2xx too (some vendors say no with a 200); answers what the vendor says beyond
   * the status. Undefined: nothing. Decide by status and vendor code, never by message text.
   */
  readonly refusals?: (status: number, body: unknown) => Refusal | undefined;
}

export interface Refusal {
  /** Undefined: the default by status, the rest is evidence; a 2xx without a code stands. */
  readonly code?: ErrorCode;
  /** The vendor's own code or type, for evidence. */
  readonly vendorCode?: string;
  /** The vendor's text, cut and redacted by the client. */
  readonly detail?: string;
}

export interface VendorAnswer<T> {
  readonly status: number;
  readonly value: T;
  /** The vendor's request id, where it sends one. */
  readonly requestId: string | undefined;
  /** Version of the resource and address of a new one, where the vendor sends these headers. */
  readonly etag: string | undefined;
  readonly location: string | undefined;
  /** SHA-256 (hex) of the raw body: read-back evidence. */
  readonly bodyHash: string;
}

/** Asked by the client before each socket write. Implemented in apply: buckets drawn from the lane row, breaker, leaver share. */
export interface CallGovernor {
  /** Resolves when a call of this bucket may go; throws SyncError when the lane must rest longer than it is worth waiting. */
  admit(bucket: string, signal: AbortSignal): Promise<void>;
  /** Told after each call, for breaker, rate headers and metrics. */
  settled(report: CallReport): void;
}

export interface CallReport {
  readonly operation: string;
  readonly bucket: string;
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly failure: "none" | "rate_limited" | "unavailable" | "refused";
  readonly retryAfterMs: number | undefined;
}
