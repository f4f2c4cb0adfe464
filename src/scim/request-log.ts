import type { Clock } from "../model/clock.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { PatchOperation } from "./patch-op.ts";
import type { Heard, ScimCaller } from "./scim-call.ts";

/** What is known of a request when it is over; `route` is the template (`/Users/{id}`), so that ids stay out of metrics. */
export interface DoneRequest {
  readonly caller: ScimCaller | undefined;
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly scimType: string | undefined;
  readonly userAgent: string | undefined;
  readonly startedAt: number;
  readonly heard: Heard;
}

const maxOperationsTold = 20;
const maxTextTold = 200;

/** One line and two metrics per request: without it no problem of an identity provider can be found. No values. */
export function logRequest(
  deps: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
  done: DoneRequest,
): void {
  const { caller, method, route, status, heard } = done;
  const durationMs = deps.clock.monotonic() - done.startedAt;
  const labels = { method, resource: route.split("/", 2)[1] ?? "none" };
  deps.metrics.count("rolecall_scim_requests_total", { ...labels, status: String(status) });
  deps.metrics.observe("rolecall_scim_request_seconds", durationMs / 1_000, labels);
  deps.logger.info(
    {
      tenantId: caller?.tenantId,
      idpId: caller?.idpId,
      requestId: done.requestId,
      userAgent: done.userAgent?.slice(0, maxTextTold),
      method,
      route,
      status,
      scimType: done.scimType,
      durationMs: Math.round(durationMs),
      ...(heard.operations.length === 0 ? {} : { operations: heard.operations }),
      ...(heard.dropped.length === 0 ? {} : { dropped: heard.dropped }),
    },
    "scim request",
  );
}

/** Operations as `replace emails[type eq "…"].value`: kinds and paths, with every literal taken out. */
export function heardOperations(operations: readonly PatchOperation[]): readonly string[] {
  const told = operations.slice(0, maxOperationsTold).map(describe);
  const more = operations.length - told.length;
  return more > 0 ? [...told, `and ${String(more)} more`] : told;
}

function describe({ op, path, value }: PatchOperation): string {
  const target =
    path ??
    (typeof value === "object" && value !== null && !Array.isArray(value)
      ? `{${Object.keys(value).slice(0, maxOperationsTold).join(", ")}}`
      : "{}");
  return `${op} ${withoutLiterals(target)}`.slice(0, maxTextTold).toWellFormed();
}

/** What stands behind an operator, quoted or not, is a value. */
function withoutLiterals(path: string): string {
  return path
    .replace(/"(?:[^"\\]|\\.)*(?:"|$)/gs, '"…"')
    .replace(/\b(eq|ne|co|sw|ew|gt|ge|lt|le)\s+[^\s"\])]+/gi, "$1 …");
}
