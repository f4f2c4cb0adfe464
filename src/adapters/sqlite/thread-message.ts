import { StoreError, type StoreErrorCode } from "../../model/errors.ts";

/** What a store thread is started with. */
export interface ThreadStart {
  readonly role: "writer" | "reader";
  readonly path: string;
}

/** Calls that were made in one turn of the event loop, in their order. */
export type ThreadRequest =
  { readonly kind: "calls"; readonly calls: readonly ThreadCall[] } | { readonly kind: "close" };

/** Number of the call, name of the command or query, its argument. */
export type ThreadCall = readonly [id: number, name: string, args: unknown];

export type ThreadAnswer =
  | { readonly kind: "ready" }
  /** In the order of the calls: the answers of one commit come in one message. */
  | { readonly kind: "answers"; readonly answers: readonly ThreadOutcome[] };

export type ThreadOutcome =
  | readonly [id: number, ok: true, result: unknown]
  | readonly [id: number, ok: false, error: ThreadError];

/** An error without its class: structured clone keeps neither class nor fields. */
export interface ThreadError {
  readonly code: StoreErrorCode | undefined;
  readonly message: string;
  readonly field: string | undefined;
  readonly stack: string | undefined;
}

export function packError(error: Error): ThreadError {
  const isStore = error instanceof StoreError;
  return {
    code: isStore ? error.code : undefined,
    message: error.message,
    field: isStore ? error.field : undefined,
    stack: isStore ? undefined : error.stack,
  };
}

export function unpackError(packed: ThreadError): Error {
  if (packed.code !== undefined) {
    return new StoreError(packed.code, packed.message, {
      ...(packed.field !== undefined && { field: packed.field }),
    });
  }
  const error = new Error(packed.message);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}
