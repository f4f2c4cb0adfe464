import { AsyncLocalStorage } from "node:async_hooks";
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type Span as OtelSpan,
  type SpanContext,
  type Tracer as OtelTracer,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import type { Clock } from "../model/clock.ts";
import type { Logger, Metrics } from "../model/log.ts";
import {
  isTraceParent,
  type OpenSpan,
  type Span,
  type SpanDraft,
  type TraceParent,
  type Tracer,
} from "../model/trace.ts";

export interface TraceOptions {
  /** Of the receiver's traces signal. */
  readonly url: string;
  readonly protocol: "http/protobuf" | "http/json";
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** What traces say of this process beside its name. */
  readonly resource: Readonly<Record<string, string>>;
  /** `ratio` of new traces is recorded; with `parentBased`, others follow their parent. */
  readonly sampler: { readonly parentBased: boolean; readonly ratio: number };
  /** How long spans gather, and how many wait at most; more are dropped. */
  readonly batch: { readonly delayMs: number; readonly queueMax: number };
  readonly version: string;
  /** This process, unique per life. */
  readonly instance: string;
}

export interface Traces {
  readonly tracer: Tracer;
  /** Sends what is left, for a few seconds at most. */
  close(): Promise<void>;
}

const closeMs = 5_000;
const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/**
 * Traces by the OpenTelemetry SDK, sent in batches in the background. Nothing is registered for the whole process: two services in one
 * trace for themselves. What the receiver does not take is lost, told once, and counted; no request waits for it.
 */
export async function openTraces(
  options: TraceOptions,
  parts: { readonly logger: Logger; readonly metrics: Metrics; readonly clock: Clock },
): Promise<Traces> {
  const { serviceName, resource, version, instance } = options;
  const { parentBased, ratio } = options.sampler;
  const root = new TraceIdRatioBasedSampler(ratio);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      ...resource,
      "service.name": serviceName,
      "service.version": version,
      "service.instance.id": instance,
    }),
    sampler: parentBased ? new ParentBasedSampler({ root }) : root,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: toldExporter(await exporterOf(options), parts),
        scheduledDelayMillis: options.batch.delayMs,
        maxQueueSize: options.batch.queueMax,
      }),
    ],
  });
  return {
    tracer: new SdkTracer(provider.getTracer("rolecall", version)),
    async close() {
      const late = new AbortController();
      const shutdown = provider.shutdown().catch((error: unknown) => {
        // Told by the exporter already.
        parts.logger.debug({ err: error }, "the last spans were not sent");
      });
      await Promise.race([shutdown, parts.clock.sleep(closeMs, late.signal)]);
      late.abort();
    },
  };
}

async function exporterOf({ url, headers, protocol }: TraceOptions): Promise<SpanExporter> {
  const settings = { url, headers: { ...headers } };
  const { OTLPTraceExporter } =
    protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter(settings);
}

/** Failures are told here, as the SDK would tell them to a logger of the whole process only. */
function toldExporter(
  exporter: SpanExporter,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || result.code !== 0;
        if (failed) metrics.count("rolecall_spans_lost_total", {}, spans.length);
        if (failed && !failing)
          logger.warn({ err: result.error }, "the trace receiver takes no spans; they are lost");
        if (!failed && failing) logger.info({}, "the trace receiver takes spans again");
        failing = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

class SdkTracer implements Tracer {
  readonly #tracer: OtelTracer;
  readonly #running = new AsyncLocalStorage<SdkSpan>();

  constructor(tracer: OtelTracer) {
    this.#tracer = tracer;
  }

  async span<Result>(draft: SpanDraft, work: (span: Span) => Promise<Result>): Promise<Result> {
    const span = this.#start(draft);
    if (span === undefined) return work(unrecorded);
    try {
      return await this.#running.run(span, () => work(span));
    } catch (error) {
      span.fail(typeOf(error));
      throw error;
    } finally {
      span.end();
    }
  }

  open(draft: SpanDraft): OpenSpan {
    return this.#start(draft) ?? unrecorded;
  }

  current(): TraceParent | undefined {
    return this.#running.getStore()?.at;
  }

  #start({ name, kind, parent, links, facts }: SpanDraft): SdkSpan | undefined {
    const above = parent === "current" ? this.#running.getStore()?.context : contextOf(parent);
    if (above === undefined) return undefined;
    const span = this.#tracer.startSpan(
      name,
      {
        kind: kinds[kind],
        attributes: { ...facts },
        links: (links ?? []).flatMap((link): Link[] => {
          const context = spanContextOf(link);
          return context === undefined ? [] : [{ context }];
        }),
      },
      above,
    );
    return new SdkSpan(span);
  }
}

class SdkSpan implements OpenSpan {
  readonly #span: OtelSpan;
  readonly at: TraceParent;

  constructor(span: OtelSpan) {
    this.#span = span;
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.at = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, "0")}`;
  }

  get context(): Context {
    return trace.setSpan(ROOT_CONTEXT, this.#span);
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(facts: Parameters<Span["set"]>[0]): void {
    this.#span.setAttributes({ ...facts });
  }

  /** No message: what libraries write into one may name a person. */
  fail(type: string): void {
    this.#span.setAttribute("error.type", type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    this.#span.end();
  }
}

const unrecorded: OpenSpan = { at: undefined, rename() {}, set() {}, fail() {}, end() {} };

/** A trace of its own where there is no parent, or one that cannot be read. */
function contextOf(parent: TraceParent | undefined): Context {
  const above = parent === undefined ? undefined : spanContextOf(parent);
  return above === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, above);
}

function spanContextOf(at: TraceParent): SpanContext | undefined {
  if (!isTraceParent(at)) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = at.split("-");
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code) ? code : error.name;
}
