import { flag, list, setting, text } from "./setting.ts";

/** Where spans go, and how many. */
export interface TraceConfig {
  /** Of the traces signal itself. */
  readonly url: string;
  readonly protocol: TraceProtocol;
  /** May hold a secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerConfig;
  readonly batch: { readonly delayMs: number; readonly queueMax: number };
}

export interface SamplerConfig {
  /** Follows what a span's parent says, where it has one. */
  readonly parentBased: boolean;
  /** Of new traces, 0 to 1. */
  readonly ratio: number;
}

const protocols = ["http/protobuf", "http/json"] as const;
export type TraceProtocol = (typeof protocols)[number];

const url = text((value) => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed !== undefined && ["http:", "https:"].includes(parsed.protocol)) return parsed.href;
  throw new Error("write the URL of an OTLP receiver, http://collector:4318");
});

const protocol = text((value) => {
  const known = protocols.find((item) => item === value);
  if (known !== undefined) return known;
  throw new Error(`write ${protocols.join(" or ")}; gRPC is not spoken here`);
});

const exporter = text((value) => {
  if (value === "otlp" || value === "none") return value;
  throw new Error("write otlp or none");
});

const samplers = {
  always_on: { parentBased: false, share: "all" },
  always_off: { parentBased: false, share: "none" },
  traceidratio: { parentBased: false, share: "some" },
  parentbased_always_on: { parentBased: true, share: "all" },
  parentbased_always_off: { parentBased: true, share: "none" },
  parentbased_traceidratio: { parentBased: true, share: "some" },
} as const;

const sampler = text((value) => {
  const name = Object.keys(samplers).find((item) => item === value);
  if (name !== undefined) return name as keyof typeof samplers;
  throw new Error(`write one of ${Object.keys(samplers).join(", ")}`);
});

const ratio = text((value) => {
  const number = Number(value);
  if (/^\d*\.?\d+$/.test(value) && number <= 1) return number;
  throw new Error("write a number from 0 to 1");
});

const whole = (min: number, max: number) =>
  text((value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    throw new Error(`write a number, ${String(min)} to ${String(max)}`);
  });

/** `key=value,key=value`, percent-encoded, as W3C Baggage writes lists. */
const pairs = text((value): Readonly<Record<string, string>> =>
  Object.fromEntries(
    list(value).map((item) => {
      const [key = "", given] = item.split(/=(.*)/s);
      if (key.trim() === "" || given === undefined || !isEncoding(given)) {
        throw new Error("write name=value with commas between them, percent-encoded");
      }
      return [key.trim(), decodeURIComponent(given.trim())];
    }),
  ),
);

function isEncoding(value: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(value);
}

const anyText = text((value) => value);

/**
 * The variables that every OpenTelemetry SDK reads (opentelemetry.io/docs/specs/otel, configuration and protocol/exporter, 2026-01). Others
 * of them, such as OTEL_EXPORTER_OTLP_TIMEOUT, are read by its packages themselves.
 */
export const traceSettings = {
  otelEndpoint: setting({
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    description:
      "Receiver of OpenTelemetry traces by OTLP over HTTP; spans go to `/v1/traces` behind it. Unset, with the next one: nothing is traced.",
    example: "http://collector:4318",
    schema: url,
  }),
  otelTracesEndpoint: setting({
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    description: "The whole URL for spans, instead of the one before.",
    example: "http://collector:4318/v1/traces",
    schema: url,
  }),
  otelProtocol: setting({
    name: "OTEL_EXPORTER_OTLP_PROTOCOL",
    description: "`http/protobuf` or `http/json`.",
    default: "http/protobuf",
    example: "http/json",
    schema: protocol,
  }),
  otelHeaders: setting({
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    description: "Headers for the receiver, `name=value` with commas between them.",
    example: "a file, by `OTEL_EXPORTER_OTLP_HEADERS_FILE`",
    secret: true,
    schema: pairs,
  }),
  otelExporter: setting({
    name: "OTEL_TRACES_EXPORTER",
    description: "`none` traces nothing although there is an endpoint.",
    default: "otlp",
    example: "none",
    schema: exporter,
  }),
  otelDisabled: setting({
    name: "OTEL_SDK_DISABLED",
    description: "`true` traces nothing.",
    default: "false",
    example: "true",
    schema: flag,
  }),
  otelServiceName: setting({
    name: "OTEL_SERVICE_NAME",
    description: "What traces call this service.",
    default: "rolecall",
    example: "rolecall-staging",
    schema: anyText,
  }),
  otelResource: setting({
    name: "OTEL_RESOURCE_ATTRIBUTES",
    description: "What else traces say of this process.",
    example: "deployment.environment.name=staging",
    schema: pairs,
  }),
  otelSampler: setting({
    name: "OTEL_TRACES_SAMPLER",
    description:
      "Which traces are kept: `always_on`, `always_off`, `traceidratio`, and each with `parentbased_` before it.",
    default: "parentbased_always_on",
    example: "parentbased_traceidratio",
    schema: sampler,
  }),
  otelSamplerArg: setting({
    name: "OTEL_TRACES_SAMPLER_ARG",
    description: "The share of traces that a ratio keeps, 0 to 1.",
    default: "1",
    example: "0.05",
    schema: ratio,
  }),
  otelDelay: setting({
    name: "OTEL_BSP_SCHEDULE_DELAY",
    description: "Milliseconds in which spans gather before they are sent.",
    default: "5000",
    example: "1000",
    schema: whole(1, 600_000),
  }),
  otelQueue: setting({
    name: "OTEL_BSP_MAX_QUEUE_SIZE",
    description: "Spans that wait to be sent at most; more are dropped.",
    default: "2048",
    example: "8192",
    schema: whole(512, 1_000_000),
  }),
} as const;

/** What `readTraces` needs of the values that the environment gave. */
export interface TraceValues {
  readonly otelEndpoint: string | undefined;
  readonly otelTracesEndpoint: string | undefined;
  readonly otelProtocol: TraceProtocol | undefined;
  readonly otelHeaders: Readonly<Record<string, string>> | undefined;
  readonly otelExporter: "otlp" | "none" | undefined;
  readonly otelDisabled: boolean | undefined;
  readonly otelServiceName: string | undefined;
  readonly otelResource: Readonly<Record<string, string>> | undefined;
  readonly otelSampler: keyof typeof samplers | undefined;
  readonly otelSamplerArg: number | undefined;
  readonly otelDelay: number | undefined;
  readonly otelQueue: number | undefined;
}

/** Undefined: nothing is traced. */
export function readTraces(values: TraceValues): TraceConfig | undefined {
  if (values.otelDisabled === true || values.otelExporter === "none") return undefined;
  const base = values.otelEndpoint;
  const whole = values.otelTracesEndpoint;
  if (base === undefined && whole === undefined) return undefined;
  const { parentBased, share } = samplers[values.otelSampler ?? "parentbased_always_on"];
  return Object.freeze<TraceConfig>({
    url: whole ?? `${base?.replace(/\/+$/, "") ?? ""}/v1/traces`,
    protocol: values.otelProtocol ?? "http/protobuf",
    headers: values.otelHeaders ?? {},
    serviceName: values.otelServiceName ?? "rolecall",
    resource: values.otelResource ?? {},
    sampler: {
      parentBased,
      ratio: share === "all" ? 1 : share === "none" ? 0 : (values.otelSamplerArg ?? 1),
    },
    batch: { delayMs: values.otelDelay ?? 5_000, queueMax: values.otelQueue ?? 2_048 },
  });
}
