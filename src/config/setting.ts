import { z } from "zod";

export interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** One sentence for the settings table. */
  readonly description: string;
  /** What counts when the variable is unset or empty, as text in the variable's own form; undefined: nothing does. */
  readonly default: string | undefined;
  /** Said in the table instead of the default where that depends on something. */
  readonly defaultSays?: string;
  readonly example: string;
  /** A value that messages never repeat. */
  readonly secret: boolean;
  /** Reads the text of the variable. Messages say what to write. */
  readonly schema: Schema;
}

/** One row of the settings table. */
export function setting<Schema extends z.ZodType<unknown, string>>(
  row: Omit<Setting<Schema>, "secret" | "default"> & {
    readonly default?: string;
    readonly secret?: boolean;
  },
): Setting<Schema> {
  return { ...row, default: row.default, secret: row.secret ?? false };
}

/** A schema of texts whose parser throws a sentence where the text is wrong. */
export function text<Value>(read: (value: string) => Value) {
  return z.string().transform((value, context): Value => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({
        code: "custom",
        message: error instanceof Error ? error.message : String(error),
      });
      return z.NEVER;
    }
  });
}

export const flag = text((value) => {
  if (value === "1" || value === "true") return true;
  if (value === "0" || value === "false") return false;
  throw new Error("write 1 or 0");
});

/** Items between commas. */
export const list = (value: string): readonly string[] =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
