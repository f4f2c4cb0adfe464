import { z } from "zod";
import { oneOf } from "./nearest.ts";

/** A strict object whose complaint about an unknown key names the keys that exist. */
export function strictObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      const keys = (issue["keys"] as readonly string[] | undefined) ?? [];
      const known = Object.keys(shape);
      return keys.map((key) => `unknown key "${key}": ${oneOf(key, known)}`).join("; ");
    },
  });
}

/** One line of text, 1 to `max` characters, no control characters (names end up in keys and logs). */
export function line(max: number) {
  return z
    .string()
    .min(1, "must not be empty")
    .max(max, `must not be longer than ${String(max)} characters`)
    .regex(/^\P{Cc}*$/u, "must not contain line breaks or other control characters");
}

/** Lower-case words joined by hyphens. */
export function kebab(max: number) {
  return z
    .string()
    .max(max, `must not be longer than ${String(max)} characters`)
    .regex(
      /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
      'write lower-case words joined by hyphens, as in "team-leads"',
    );
}

/** A name of a tenant, IdP connection or connection. */
export function connectionName() {
  return z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,63}$/,
      "write 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit",
    );
}

/** Names that files give to things (bundles, placeholders, people in tests). */
export const wordPattern = /^[a-z][a-z0-9_-]{0,63}$/;
