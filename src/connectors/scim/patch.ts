import type { ScimTarget } from "../../model/scim-target.ts";
import { patchSchema } from "./wire.ts";

/** One operation before the server's dialect is put on it. */
export interface PatchOperation {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}

/**
 * Bodies of PATCH requests (RFC 7644 §3.5.2) in the server's dialect, to be sent one after the other: never more operations in one
 * than the server takes. Every operation is safe to repeat, so a series that broke off is sent again from its start.
 */
export function patchBodies(
  update: ScimTarget["update"],
  operations: readonly PatchOperation[],
): readonly unknown[] {
  const dialect = update.paths === "none" ? withoutPaths(operations) : operations;
  const written = dialect.map(({ op, ...rest }) => ({
    op: update.opCase === "capital" ? capital(op) : op,
    ...rest,
  }));
  const bodies: unknown[] = [];
  for (let at = 0; at < written.length; at += update.operationsMax) {
    bodies.push({
      schemas: [patchSchema],
      Operations: written.slice(at, at + update.operationsMax),
    });
  }
  return bodies;
}

/** Adds and replacements go into one value by attribute name, dotted for parts; what is removed by value needs its path. */
function withoutPaths(
  operations: readonly PatchOperation[],
): readonly (Omit<PatchOperation, "path"> & { readonly path?: string })[] {
  const merged = (op: "add" | "replace") => {
    const own = operations.filter((item) => item.op === op && !item.path.includes("["));
    if (own.length === 0) return [];
    return [{ op, value: Object.fromEntries(own.map((item) => [item.path, item.value])) }];
  };
  return [
    ...merged("add"),
    ...merged("replace"),
    ...operations.filter((item) => item.op === "remove" || item.path.includes("[")),
  ];
}

/** A boolean as the server wants it written. */
export function written(update: ScimTarget["update"], value: boolean): boolean | string {
  if (update.booleans === "json") return value;
  return value ? "True" : "False";
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}
