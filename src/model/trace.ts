/**
 * A place in a trace as the header `traceparent` writes it (W3C Trace Context, version 00: 55 characters, ids and flags only). It is
 * what rows, hints and messages carry, so that work that is done later, elsewhere, belongs to what asked for it.
 */
export type TraceParent = string;

/** Whether a text from outside is one. Ids of zeros only mean nothing (W3C Trace Context section 3.2.2). */
export function isTraceParent(text: string): text is TraceParent {
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(text);
}

/** Whether two places are in one trace. */
export function isSameTrace(one: TraceParent, other: TraceParent): boolean {
  return one.slice(3, 35) === other.slice(3, 35);
}

/** What may be said of a span: names from code, ids of ours, numbers. Never a value that names a person: there is no key for one. */
export interface SpanFacts {
  readonly "http.request.method"?: string;
  readonly "http.route"?: string;
  readonly "http.response.status_code"?: number;
  readonly "url.template"?: string;
  readonly "server.address"?: string;
  readonly "messaging.destination.name"?: string;
  readonly "db.operation.name"?: string;
  /** A code or the name of an error's class, never its message. */
  readonly "error.type"?: string;
  readonly "rolecall.tenant"?: string;
  readonly "rolecall.idp"?: string;
  readonly "rolecall.request_id"?: string;
  readonly "rolecall.identity"?: string;
  readonly "rolecall.connection"?: string;
  readonly "rolecall.vendor"?: string;
  readonly "rolecall.operation"?: string;
  readonly "rolecall.cause"?: string;
  readonly "rolecall.reasons"?: number;
  readonly "rolecall.urgent"?: boolean;
  readonly "rolecall.generation"?: number;
  readonly "rolecall.step"?: string;
  readonly "rolecall.state"?: string;
  readonly "rolecall.reason"?: string;
}

export interface SpanDraft {
  /** Low in number: an operation, a route, never an id. */
  readonly name: string;
  readonly kind: "server" | "client" | "producer" | "consumer" | "internal";
  /**
   * Beneath which span: `current` is the one that runs now, and where none runs nothing is recorded. Undefined: a trace of its own.
   */
  readonly parent?: TraceParent | "current" | undefined;
  /** What else asked for this work, or led to it long ago. */
  readonly links?: readonly TraceParent[];
  readonly facts?: SpanFacts;
}

export interface Span {
  /** Undefined where nothing is recorded. */
  readonly at: TraceParent | undefined;
  /** Says what it is, where that was not known before. */
  rename(name: string): void;
  set(facts: SpanFacts): void;
  /** The work failed, as far as whoever reads traces is concerned. A throw is one by itself. */
  fail(type: string): void;
}

/** A span that is not the current one of anything, for work that many share. */
export interface OpenSpan extends Span {
  end(): void;
}

/** Traces of work from request to vendor call. Implemented in telemetry; costs a function call where it is off. */
export interface Tracer {
  /** Runs `work` in a span that ends with it; what it rejects with passes through. */
  span<Result>(draft: SpanDraft, work: (span: Span) => Promise<Result>): Promise<Result>;
  /** Opens a span; `end` must follow. */
  open(draft: SpanDraft): OpenSpan;
  /** The span that runs now. */
  current(): TraceParent | undefined;
}

const noSpan: OpenSpan = { at: undefined, rename() {}, set() {}, fail() {}, end() {} };

/** Nothing is traced. */
export const untraced: Tracer = {
  span: (_draft, work) => work(noSpan),
  open: () => noSpan,
  current: () => undefined,
};
