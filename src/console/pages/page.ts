import type { z } from "zod";
import type { ConsoleDeps, Operation, OperationContext } from "../operation.ts";
import { OperationError } from "../operation.ts";
import { dutyFor, reaches, refusalText } from "../role.ts";
import type { Markup } from "./markup.ts";

/** One look at a page: who looks, at what. Everything it shows comes through `ask`. */
export interface Visit {
  readonly deps: ConsoleDeps;
  readonly context: OperationContext;
  readonly operations: ReadonlyMap<string, Operation>;
  /** Parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Of the address, one value each; empty ones are left out. */
  readonly query: Readonly<Record<string, string>>;
  /** Below `/console`, with its query: where a form comes back to. */
  readonly here: string;
  readonly now: number;
  /** Goes into every form. */
  readonly formToken: string;
}

/** A page below `/console`. */
export interface Page {
  readonly path: string;
  readonly title: (visit: Visit) => string;
  /** The entry of the navigation that it belongs to. */
  readonly nav: string;
  readonly render: (visit: Visit) => Promise<Markup>;
}

/** Fields of a form that was sent: each may come several times. */
export interface Form {
  /** Trimmed; undefined where it is empty or not there. */
  one(name: string): string | undefined;
  all(name: string): readonly string[];
}

/** A form below `/console` that calls one operation and comes back to a page. */
export interface Action {
  readonly path: string;
  readonly operation: string;
  readonly input: (form: Form, params: Readonly<Record<string, string>>) => object;
  /** Where to go then, below `/console`; absent: to the page that has the form. */
  readonly then?: (params: Readonly<Record<string, string>>, answer: unknown) => string;
  /** One sentence about what was done. */
  readonly told: string;
  /** Shows the answer instead of going somewhere: it is not kept. */
  readonly shows?: (visit: Visit, answer: unknown) => Markup;
}

/** Calls an operation as whoever looks, the same way as `/api/v1` does. @throws OperationError 403 where they may not */
export async function call(visit: Visit, name: string, input: object): Promise<unknown> {
  const row = operationOf(visit, name);
  const needed = dutyFor(row);
  if (!reaches(visit.context.actor, needed))
    throw new OperationError(403, refusalText(visit.context.actor, needed));
  return row.run(visit.deps, visit.context, row.input.parse(input));
}

/** What an operation answers, as far as the page needs it. */
export async function ask<Shape extends z.ZodType>(
  visit: Visit,
  name: string,
  input: object,
  shape: Shape,
): Promise<z.output<Shape>> {
  return shape.parse(await call(visit, name, input));
}

export function mayCall(visit: Visit, name: string): boolean {
  return reaches(visit.context.actor, dutyFor(operationOf(visit, name)));
}

export function neededFor(visit: Visit, name: string): string {
  return dutyFor(operationOf(visit, name));
}

function operationOf(visit: Visit, name: string): Operation {
  const row = visit.operations.get(name);
  if (row === undefined) throw new Error(`no operation ${name}`);
  return row;
}

/** A path with its parameters, each encoded, and a query without what is undefined. */
export function to(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const text = new URLSearchParams(given).toString();
  return `/console${path}${text === "" ? "" : `?${text}`}`;
}

export const seg = encodeURIComponent;
