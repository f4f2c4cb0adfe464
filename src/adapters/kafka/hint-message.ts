import type { KafkaMessage, Message } from "kafkajs";
import { z } from "zod";
import type { Hint } from "../../events/hint-bus.ts";
import { asId, isName, type IdentityId, type TenantId } from "../../model/ids.ts";
import { isTraceParent, type TraceParent } from "../../model/trace.ts";

const value = z.strictObject({
  v: z.literal(1),
  tenant: z.string().refine(isName, "no tenant id"),
  identity: z.uuid(),
});
/** Proves at a start that a topic takes writes; consumers pass it over. */
const probeKey = "rolecall:probe";

/** W3C Trace Context in a header of the message, as OpenTelemetry carries it over Kafka. */
const traceHeader = "traceparent";

/** The key compacts by person and keeps a person's hints in one partition; the value stands on its own. */
export function hintMessage({ tenantId, identityId, trace }: Hint): Message {
  return {
    key: `${tenantId}:${identityId}`,
    value: JSON.stringify({ v: 1, tenant: tenantId, identity: identityId }),
    ...(trace === undefined ? {} : { headers: { [traceHeader]: trace } }),
  };
}

export function probeMessage(): Message {
  return { key: probeKey, value: "{}" };
}

export type ReadMessage =
  | { readonly kind: "hint"; readonly hint: Hint }
  | { readonly kind: "probe" }
  /** Nobody can read it, now or later. */
  | { readonly kind: "undecodable"; readonly why: string };

export function readMessage(message: Pick<KafkaMessage, "key" | "value" | "headers">): ReadMessage {
  if (message.key?.toString() === probeKey) return { kind: "probe" };
  if (message.value === null) return { kind: "undecodable", why: "no value" };
  let json: unknown;
  try {
    json = JSON.parse(message.value.toString("utf8"));
  } catch {
    return { kind: "undecodable", why: "no JSON" };
  }
  const parsed = value.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      kind: "undecodable",
      why: `no hint of version 1: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(),
    };
  }
  const { tenant, identity } = parsed.data;
  const trace = readTrace(message);
  return {
    kind: "hint",
    hint: {
      tenantId: asId<TenantId>(tenant),
      identityId: asId<IdentityId>(identity),
      ...(trace !== undefined && { trace }),
    },
  };
}

/** What is no trace context costs the trace, not the hint. */
function readTrace({ headers }: Pick<KafkaMessage, "headers">): TraceParent | undefined {
  const text = headers?.[traceHeader]?.toString();
  return text !== undefined && isTraceParent(text) ? text : undefined;
}
