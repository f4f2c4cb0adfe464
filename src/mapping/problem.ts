import type { z } from "zod";

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

/** What zod found, as problems of ours. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    if (issue.code === "unrecognized_keys") {
      const key = issue.keys[0];
      return key === undefined
        ? { path, message: issue.message }
        : { path: [...path, key], message: issue.message, atKey: true };
    }
    if (issue.code === "invalid_key") {
      return {
        path,
        message:
          "write lower-case letters, digits, hyphens or underscores, beginning with a letter",
        atKey: true,
      };
    }
    if (issue.code === "invalid_type") {
      const missing = issue.message.includes("received undefined");
      return {
        path,
        message: missing ? `is missing: it must be ${article(issue.expected)}` : issue.message,
      };
    }
    return { path, message: issue.message };
  });
}

function article(expected: string): string {
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}
