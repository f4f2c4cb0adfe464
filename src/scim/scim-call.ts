import type { DirectoryStore } from "../directory/directory-store.ts";
import type { HeardRequest } from "../directory/traffic-store.ts";
import type { Clock } from "../model/clock.ts";
import type { IdpId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { CustomExtension } from "./extension.ts";
import { type Actor, type AuditRecord, type Cause, newRecord } from "../model/records.ts";
import type { Tracer, TraceParent } from "../model/trace.ts";

/** Whom a token speaks for. */
export interface ScimCaller {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly actor: Actor;
}

export interface ScimDeps {
  readonly store: DirectoryStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
  /** Public base of the service, the only source of locations: `https://id.example.com`. */
  readonly publicUrl: string;
  /** undefined: nobody's token. Compares in constant time; `address` is the caller's network address. */
  readonly authenticate: (token: string, address: string) => Promise<ScimCaller | undefined>;
  /** What people have beyond the enterprise extension. Absent: nothing. */
  readonly extensions?: readonly CustomExtension[];
  /** Told after each commit: rings the relay. */
  readonly onCommit: () => void;
  /** Told of every request of a known caller, once it is answered; must not wait. */
  readonly heardRequest?: (caller: ScimCaller, request: HeardRequest) => void;
  /** Of each token; more are answered 429. Absent: no limit. */
  readonly requestsPerSecond?: number;
  /** Whole seconds for which clients should stay away, answered as 429 before any work; undefined: come in. */
  readonly pauseWhen?: () => number | undefined;
}

/** One authenticated request as handlers see it: HTTP, sockets and sending stay in the router. */
export interface ScimCall {
  readonly caller: ScimCaller;
  readonly requestId: string;
  readonly params: URLSearchParams;
  /** Parsed JSON; undefined for methods without body. */
  readonly body: unknown;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly heard: Heard;
  /** Where this request is traced: what it causes belongs there. */
  readonly trace: TraceParent | undefined;
}

/** What a request asked for, in names and paths, never values: for the log and the audit record. */
export interface Heard {
  operations: readonly string[];
  dropped: readonly string[];
}

/** `body` is finished JSON text, or pieces of it that are sent as they come. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | AsyncIterable<string>;
}

/** The audit record of a SCIM write; what the request held beyond our schemas goes into its facts. */
export function scimRecord(
  deps: ScimDeps,
  call: ScimCall,
  draft: Pick<AuditRecord, "action" | "subject" | "facts" | "cause"> & {
    readonly personal?: Readonly<Record<string, string | undefined>>;
  },
): AuditRecord {
  const { dropped } = call.heard;
  return newRecord(deps.clock, {
    ...draft,
    actor: call.caller.actor,
    requestId: call.requestId,
    facts: {
      idpId: call.caller.idpId,
      ...draft.facts,
      ...(dropped.length === 0 ? {} : { dropped }),
    },
  });
}

/** Every id that we gave out is a lower-case UUID; anything else needs no look-up. */
export function isOurId(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

/** What a call causes, with where it was asked for. */
export function causedBy<Given extends Cause>(call: ScimCall, cause: Given): Given {
  return call.trace === undefined ? cause : { ...cause, trace: call.trace };
}
