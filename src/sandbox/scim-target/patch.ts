import { z } from "zod";
import type { SimulatedCall } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import type { Quirks } from "./truth.ts";

export interface Operation {
  readonly op: "add" | "replace" | "remove";
  /** Undefined: the value holds the attributes. */
  readonly path: string | undefined;
  readonly value: unknown;
}

const patchShape = z.object({
  schemas: z.array(z.string()),
  Operations: z
    .array(z.object({ op: z.string(), path: z.string().optional(), value: z.unknown().optional() }))
    .min(1),
});

/** The operations of a PATCH as this server takes them (RFC 7644 §3.5.2). @throws Refusal 400 */
export function readOperations(quirks: Quirks, call: SimulatedCall): readonly Operation[] {
  const parsed = patchShape.safeParse(call.json);
  if (!parsed.success) throw refuse(quirks, 400, "The patch cannot be read", "invalidSyntax");
  const { Operations: operations } = parsed.data;
  if (operations.length > quirks.operationsMax) {
    throw refuse(quirks, 400, "Too many operations in one request", "tooMany");
  }
  return operations.map((item) => {
    refuseSpelling(quirks, item.op);
    const op = item.op.toLowerCase();
    if (op !== "add" && op !== "replace" && op !== "remove") {
      throw refuse(quirks, 400, `There is no operation ${item.op}`, "invalidSyntax");
    }
    if (item.path === undefined && quirks.pathlessPatch === "refuse") {
      throw refuse(quirks, 400, "An operation needs a path", "noTarget");
    }
    if (item.path !== undefined && quirks.pathPatch === "refuse" && op !== "remove") {
      throw refuse(quirks, 400, "Paths are not supported", "invalidPath");
    }
    if (item.path === undefined && op === "remove") {
      throw refuse(quirks, 400, "A removal needs a path", "noTarget");
    }
    return { op, path: item.path, value: item.value };
  });
}

function refuseSpelling(quirks: Quirks, op: string): void {
  const lower = op === op.toLowerCase();
  const wrong =
    (quirks.opCase === "lower" && !lower) ||
    (quirks.opCase === "capital" && !/^[A-Z][a-z]+$/.test(op));
  if (wrong) throw refuse(quirks, 400, `The operation ${op} is not known`, "invalidSyntax");
}

/** `attribute[value eq "x"]`: the attribute and the value. Undefined: another path. */
export function elementOf(
  path: string,
): { readonly attribute: string; readonly value: string } | undefined {
  const match = /^(.+)\[value eq ("(?:[^"\\]|\\.)*")\]$/.exec(path);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { attribute: match[1], value: String(JSON.parse(match[2]) as unknown) };
}

/** Operations with one attribute each: a value without a path is taken apart. */
export function singly(
  operations: readonly Operation[],
): readonly (Operation & { readonly path: string })[] {
  return operations.flatMap((item) => {
    const { path } = item;
    if (path !== undefined) return [{ ...item, path }];
    if (typeof item.value !== "object" || item.value === null) return [];
    const named = Object.entries(item.value) as readonly (readonly [string, unknown])[];
    return named.map(([name, value]) => ({ op: item.op, path: name, value }));
  });
}

/** A boolean of a request. @throws Refusal 400 for a form that this server does not take */
export function readBoolean(quirks: Quirks, value: unknown): boolean {
  const text = typeof value === "string" && /^(?:true|false)$/i.test(value);
  const takes = quirks.acceptsBooleans;
  if (typeof value === "boolean" && takes !== "text") return value;
  if (text && takes !== "json") return value.toLowerCase() === "true";
  throw refuse(quirks, 400, "active is not a boolean here", "invalidValue");
}

/** `value`s of a list of elements, of one element, or of bare text. */
export function valuesIn(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    if (typeof item === "string") return [item];
    if (typeof item !== "object" || item === null || !("value" in item)) return [];
    return typeof item.value === "string" ? [item.value] : [];
  });
}
