import { describe } from "./coerce-value.ts";
import { ScimError } from "./scim-error.ts";

/** One operation of a PatchOp message, checked for form only. */
export interface PatchOperation {
  readonly op: "add" | "replace" | "remove";
  /** undefined: the operation says where inside `value`. */
  readonly path: string | undefined;
  /** undefined: none was sent; null was sent as null. */
  readonly value: unknown;
  /** For messages: `Operations[2]`, from 0. */
  readonly place: string;
}

export const maxOperations = 1_000;

/**
 * The envelope of PATCH (RFC 7644 section 3.5.2). Names and `op` in any case; `schemas` may be missing or hold more.
 * @throws ScimError 400 invalidSyntax
 */
export function parsePatchOp(body: unknown): readonly PatchOperation[] {
  const envelope = asObject(body, "The request body");
  const operations = read(envelope, "operations");
  if (!Array.isArray(operations)) {
    throw syntax("Operations", describe(operations), "a list of operations");
  }
  if (operations.length === 0 || operations.length > maxOperations) {
    throw syntax(
      "Operations",
      `${String(operations.length)} operations`,
      `1 to ${String(maxOperations)}`,
    );
  }
  return operations.map((item, index) => parseOperation(item, `Operations[${String(index)}]`));
}

function parseOperation(item: unknown, place: string): PatchOperation {
  const source = asObject(item, place);
  const op = read(source, "op");
  const lower = typeof op === "string" ? op.toLowerCase() : undefined;
  if (lower !== "add" && lower !== "replace" && lower !== "remove") {
    throw syntax(`${place}.op`, describe(op), "add, replace or remove");
  }
  const path = read(source, "path");
  if (path !== undefined && path !== null && typeof path !== "string") {
    throw new ScimError(
      400,
      "invalidPath",
      `${place}.path: got ${describe(path)}, but expected an attribute path as text`,
    );
  }
  const value = read(source, "value");
  const trimmed = path?.trim() ?? "";
  if (trimmed === "" && lower === "remove") {
    throw new ScimError(
      400,
      "noTarget",
      `${place}: a remove needs a path that says what to remove`,
    );
  }
  if (value === undefined && lower !== "remove") {
    throw new ScimError(400, "invalidValue", `${place}: ${lower} needs a value; null clears`);
  }
  return { op: lower, path: trimmed === "" ? undefined : trimmed, value, place };
}

function asObject(value: unknown, place: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw syntax(place, describe(value), "a JSON object");
}

/** An own property by name without case. */
function read(source: Record<string, unknown>, lowerName: string): unknown {
  if (Object.hasOwn(source, lowerName)) return source[lowerName];
  const key = Object.keys(source).find((name) => name.toLowerCase() === lowerName);
  return key === undefined ? undefined : source[key];
}

function syntax(place: string, got: string, expected: string): ScimError {
  return new ScimError(400, "invalidSyntax", `${place}: got ${got}, but expected ${expected}`);
}
