import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import type { Clock, Instant } from "../model/clock.ts";
import type { Fault, OperationKind, StatusFault } from "./fault-schedule.ts";

/** A vendor's HTTP API as data and synchronous functions: one request is worked in one go, so requests never interleave. */
export interface SimulatedApi<Truth, Caller> {
  readonly vendor: string;
  /** Checks a truth that was loaded from a file. */
  readonly truthSchema: z.ZodType<Truth>;
  readonly routes: readonly SimulatedRoute<Truth, Caller>[];
  /** Edge, credential, plan, rate limits and body form, in the vendor's order. @throws Refusal */
  admit(truth: Truth, call: SimulatedCall, route: SimulatedRoute<Truth, Caller>): Caller;
  /** The answer to a path or method that the vendor does not have. */
  unknownRoute(truth: Truth, call: SimulatedCall): Reply;
  /** The answer to a body beyond the vendor's limit. */
  tooLarge(): Reply;
  /**
   * An error of this status in the vendor's own shape; headers of the fault are added by the server. `path` is the request's: a
   * vendor may have several interfaces.
   */
  failure(status: StatusFault, fault: Fault | undefined, path: string): Reply;
  /** The same list answer with only the first `keep(count)` items, said to be complete. */
  shorten(reply: Reply, keep: (count: number) => number): Reply;
  /** Adds what every answer carries: request ids, organisation. `truth` is the one that the answer was read from. */
  seal(truth: Truth, reply: Reply): Reply;
  /** The truth of another customer, for a key that suddenly answers for somebody else. */
  foreign(truth: Truth): Truth;
  /** E-mail addresses (folded) and ids that a request is about, beyond its path parameters. */
  subjects(truth: Truth, call: SimulatedCall): readonly string[];
  /** The truth for `GET /__control/state`: no key's secret. */
  view(truth: Truth, now: Instant): unknown;
}

export interface SimulatedRoute<Truth, Caller> {
  /** Logical name, e.g. `invites.create`. */
  readonly operation: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** Express form: `/v1/organizations/users/:id`. */
  readonly path: string;
  readonly kind: OperationKind;
  /** What the credential must be allowed; the vendor's own names. */
  readonly scope: string;
  /** Of a create: the folded address that it is for, undefined when the body has none. */
  readonly creates?: (call: SimulatedCall) => string | undefined;
  /** Validates first and changes last, so that a refusal leaves the truth as it was. @throws Refusal */
  handle(world: World<Truth, Caller>, call: SimulatedCall): Reply;
}

/** What a route works on; a fault may put an older or another customer's truth here. */
export interface World<Truth, Caller> {
  readonly truth: Truth;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly now: Instant;
}

export interface SimulatedCall {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the body, empty where there is none. */
  readonly raw: Buffer;
  /** The decoded JSON; undefined where the body is empty or no JSON. */
  readonly json: unknown;
  readonly at: Instant;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly text?: { readonly type: string; readonly content: string };
}

/** The vendor says no. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reply: Reply;

  constructor(message: string, reply: Reply) {
    super(message);
    this.reply = reply;
  }
}

/** The page that an edge proxy puts before the API. */
export function edgePage(status: number, reason: string): Reply {
  const content = `<!DOCTYPE html>\n<html><head><title>${reason}</title></head><body><h1>${reason}</h1><p>The owner of this website has banned your access.</p></body></html>\n`;
  return { status, text: { type: "text/html; charset=UTF-8", content } };
}

/** Leaves out what is undefined, for optional fields that came through a schema. */
export function withoutUndefined<T extends object>(
  input: T,
): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(input).filter((entry) => entry[1] !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
