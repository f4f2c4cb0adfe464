import type { z } from "zod";
import { oneOf } from "./nearest.ts";

export type Path = readonly (string | number)[];

/** One thing that is wrong in a file: where in the document, and what to write instead. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The key itself is wrong, not its value. */
  readonly atKey?: boolean;
}

/** `rules[3].grant[0].role`; "" is the whole file. */
export function pathText(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${String(part)}]` : index === 0 ? part : `.${part}`,
    )
    .join("");
}

export function problemText(problem: Problem): string {
  const where = pathText(problem.path);
  return where === "" ? problem.message : `${where}: ${problem.message}`;
}

/** What zod found in `input`, as problems of ours. */
export function problemsOf(error: z.ZodError, input: unknown): Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    switch (issue.code) {
      case "unrecognized_keys": {
        const key = issue.keys[0];
        return key === undefined
          ? { path, message: issue.message }
          : { path: [...path, key], message: issue.message, atKey: true };
      }
      case "invalid_key":
        return {
          path,
          message:
            "write lower-case letters, digits, hyphens or underscores, beginning with a letter",
          atKey: true,
        };
      case "invalid_type":
        return { path, message: typeMessage(issue.expected, valueAt(input, path)) };
      case "invalid_value":
        return { path, message: choiceMessage(issue.values.map(String), valueAt(input, path)) };
      default: {
        const missing = valueAt(input, path) === undefined ? "is missing: " : "";
        return { path, message: `${missing}${issue.message}` };
      }
    }
  });
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[part];
  }
  return value;
}

const words: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a block of keys and values",
  record: "a block of keys and values",
  null: "nothing",
};

function typeMessage(expected: string, value: unknown): string {
  const wanted = words[expected] ?? expected;
  if (value === undefined) return `is missing: write ${wanted}`;
  const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const is = kind === "boolean" ? String(value) : (words[kind] ?? kind);
  const quotes =
    expected === "string" && (kind === "number" || kind === "boolean") ? ": put it in quotes" : "";
  return `must be ${wanted}, is ${is}${quotes}`;
}

function choiceMessage(values: readonly string[], value: unknown): string {
  if (value === undefined) return `is missing: ${oneOf("", values)}`;
  return oneOf(typeof value === "string" ? value : "", values);
}
