import { z } from "zod";
import { InputError } from "../model/errors.ts";
import type { Instant } from "../model/clock.ts";

/** What an operation does: a list answers many, a read one, a write changes the truth. */
export type OperationKind = "list" | "read" | "write";

/** Answers in the vendor's own error shape, without doing the work. 409 is "another change is in flight". */
const statusFaults = ["409", "429", "500", "503", "529"] as const;
export type StatusFault = (typeof statusFaults)[number];

const faultKinds = [
  ...statusFaults,
  /** Never answers; `work` says whether the work is done all the same. */
  "timeout",
  /** Does the work, then cuts the connection. */
  "lost-answer",
  /** Cuts the connection and does nothing. */
  "reset-before",
  /** Does the work at once and answers after `delayMs` of domain time. */
  "slow",
  /** Answers a read from the truth as it was `staleMs` ago. */
  "stale-read",
  /** Answers a list with the first half of its page and says that this is all. */
  "partial-page",
  /** Answers a list with nothing in it. */
  "empty-list",
  /** Does the work and answers 200 with JSON that is cut in the middle. */
  "garbage-json",
  /** An edge proxy's HTML page with status 403; nothing is done. */
  "html-403",
  /** Works on another customer's organisation, which has other people. */
  "wrong-organization",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export const faultSchema = z
  .strictObject({
    /** Adding a fault whose id is known changes nothing, so that a driver may repeat itself. */
    id: z.string().min(1).optional(),
    /** A logical operation of the simulator such as `invites.create`, or `*` for every one that the kind fits. */
    operation: z.string().min(1),
    kind: z.enum(faultKinds),
    /** Only requests about this e-mail address or vendor id. */
    subject: z.string().min(1).optional(),
    /** Spares matching requests before this one, counted from 1 since the fault was added. */
    fromNth: z.int().min(1).optional(),
    /** How often it strikes. Absent: once, or without limit where `between` is given. */
    times: z.int().min(1).optional(),
    /** Domain instants in UTC milliseconds, the second exclusive. */
    between: z.tuple([z.int(), z.int()]).optional(),
    /** For 429 and 503: what `retry-after` says. Absent: no such header. */
    retryAfter: z
      .strictObject({ seconds: z.int().min(0), as: z.enum(["seconds", "http-date"]) })
      .optional(),
    /** For 500, 503 and 529: an `x-should-retry` header. */
    shouldRetry: z.boolean().optional(),
    /** For `timeout`. Absent: nothing is done. */
    work: z.boolean().optional(),
    /** For `slow`, domain milliseconds. */
    delayMs: z.int().min(1).optional(),
    /** For `stale-read`, domain milliseconds; absent: 30,000. */
    staleMs: z.int().min(1).optional(),
  })
  .refine((fault) => fault.kind !== "slow" || fault.delayMs !== undefined, {
    message: "a slow fault needs delayMs",
  });
export type Fault = Readonly<z.infer<typeof faultSchema>>;

export const scheduledFaultSchema = z.object({
  id: z.string(),
  fault: faultSchema,
  /** Matching requests so far. */
  seen: z.int(),
  /** How often it struck. */
  struck: z.int(),
});
export type ScheduledFault = z.infer<typeof scheduledFaultSchema>;

/** The request that the schedule is asked about. */
export interface Occasion {
  readonly operation: string;
  readonly at: Instant;
  /** E-mail addresses (folded) and vendor ids that the request is about. */
  readonly subjects: readonly string[];
}

/**
 * Which requests go wrong, and how. A fault is found by what a request is about, never by when a thread happened to
 * send it: by logical operation, subject, count of matching requests and domain time.
 */
export class FaultSchedule {
  readonly #operations: ReadonlyMap<string, OperationKind>;
  readonly #changed: () => void;
  #scheduled: ScheduledFault[] = [];
  #added = 0;

  /** `changed` is called after each change by `add`, `remove` and `clear`, to persist it. */
  constructor(operations: ReadonlyMap<string, OperationKind>, changed: () => void) {
    this.#operations = operations;
    this.#changed = changed;
  }

  /** @throws InputError when the fault is malformed, names no known operation or does not fit it. */
  add(input: Fault): string {
    const parsed = faultSchema.safeParse(input);
    if (!parsed.success) {
      throw new InputError(
        "The fault is malformed:",
        parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
      );
    }
    const fault = parsed.data;
    const kind = this.#operations.get(fault.operation);
    if (fault.operation !== "*" && kind === undefined) {
      throw new InputError(
        `The fault names an unknown operation "${fault.operation}". Known are:`,
        [...this.#operations.keys()],
      );
    }
    if (kind !== undefined && !fits(fault.kind, kind)) {
      throw new InputError(
        `A ${fault.kind} fault does not fit ${fault.operation}, which is a ${kind}`,
        [],
      );
    }
    const known = this.#scheduled.find((entry) => entry.id === fault.id);
    if (known !== undefined) return known.id;
    this.#added += 1;
    const id = fault.id ?? this.#freeId();
    this.#scheduled.push({ id, fault, seen: 0, struck: 0 });
    this.#changed();
    return id;
  }

  /** Whether there was one. */
  remove(id: string): boolean {
    const before = this.#scheduled.length;
    this.#scheduled = this.#scheduled.filter((entry) => entry.id !== id);
    if (this.#scheduled.length === before) return false;
    this.#changed();
    return true;
  }

  clear(): void {
    this.#scheduled = [];
    this.#changed();
  }

  /** Everything that was added and not removed, with its counts; spent faults included. */
  list(): readonly ScheduledFault[] {
    return structuredClone(this.#scheduled);
  }

  /** Puts back what `list` gave in an earlier life of the process. */
  restore(scheduled: readonly ScheduledFault[]): void {
    this.#scheduled = structuredClone([...scheduled]);
    this.#added = scheduled.length;
  }

  /** Counts the request for every fault that it matches; the first one that is due strikes. */
  take(occasion: Occasion): Fault | undefined {
    let striking: ScheduledFault | undefined;
    for (const entry of this.#scheduled) {
      if (!this.#matches(entry.fault, occasion)) continue;
      entry.seen += 1;
      if (striking === undefined && entry.seen >= (entry.fault.fromNth ?? 1) && !spent(entry)) {
        striking = entry;
      }
    }
    if (striking !== undefined) striking.struck += 1;
    return striking?.fault;
  }

  /** Whether a fault of this kind may still strike. */
  awaits(kind: FaultKind): boolean {
    return this.#scheduled.some((entry) => entry.fault.kind === kind && !spent(entry));
  }

  #matches(fault: Fault, occasion: Occasion): boolean {
    const kind = this.#operations.get(occasion.operation);
    if (
      fault.operation === "*"
        ? kind === undefined || !fits(fault.kind, kind)
        : fault.operation !== occasion.operation
    ) {
      return false;
    }
    if (fault.subject !== undefined && !occasion.subjects.includes(fault.subject)) return false;
    if (fault.between === undefined) return true;
    return occasion.at >= fault.between[0] && occasion.at < fault.between[1];
  }

  #freeId(): string {
    let number = this.#added;
    while (this.#scheduled.some((entry) => entry.id === `fault-${String(number)}`)) number += 1;
    return `fault-${String(number)}`;
  }
}

function spent(entry: ScheduledFault): boolean {
  const times = entry.fault.times ?? (entry.fault.between === undefined ? 1 : Infinity);
  return entry.struck >= times;
}

function fits(kind: FaultKind, operation: OperationKind): boolean {
  if (kind === "partial-page" || kind === "empty-list") return operation === "list";
  if (kind === "stale-read") return operation !== "write";
  return true;
}
