/** Replaces a value that must not be seen. */
export const redacted = "[redacted]";

/**
 * Names whose values never reach a log line. A name counts when it ends with one of these, whatever its case, dashes and
 * underscores: `scimToken`, `X-Api-Key` and `client_secret` are covered.
 */
export const sensitiveNames = [
  "authorization",
  "token",
  "secret",
  "credential",
  "password",
  "apiKey",
  "privateKey",
  "sealKey",
  "sealKeysFormer",
  "cookie",
  "email",
  "emails",
  "userName",
  "displayName",
  "givenName",
  "familyName",
  "phoneNumbers",
] as const;

const depthMax = 4;
const itemsMax = 100;
const messageMax = 500;
const framesMax = 12;
const causesMax = 3;

export type Redact = (value: unknown) => unknown;

/**
 * A function that copies a value without what must not be seen: values under sensitive names down to four levels, everything
 * deeper, items beyond the hundredth, and credentials inside texts of errors. Errors become plain objects.
 * A walk and not a list of paths with wildcards: for these names that costs 4 µs a line against 110 µs.
 * @throws Error for a name that could never match
 */
export function createRedact(names: readonly string[] = sensitiveNames): Redact {
  const endings = names.map((name) => {
    const plain = plainName(name);
    if (plain === "" || !/^[a-z][a-z0-9]*$/.test(plain)) {
      throw new Error(`"${name}" is no name that can be redacted: write letters and digits`);
    }
    return plain;
  });
  const known = new Map<string, boolean>();
  const isSensitive = (name: string): boolean => {
    const answer = known.get(name);
    if (answer !== undefined) return answer;
    const plain = plainName(name);
    const sensitive = endings.some((ending) => plain.endsWith(ending));
    // Names of facts are few and written in code; the bound is for objects that came from outside.
    if (known.size < 10_000) known.set(name, sensitive);
    return sensitive;
  };
  const walk = (value: unknown, depth: number): unknown => {
    if (value instanceof Error) return describeError(value, (facts) => walk(facts, depth + 1));
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object" || value === null) return value;
    if (depth > depthMax) return "[too deep]";
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (Array.isArray(value) || value instanceof Set) {
      return [...value].slice(0, itemsMax).map((item) => walk(item, depth + 1));
    }
    const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
    return Object.fromEntries(
      entries
        .slice(0, itemsMax)
        .map(([key, item]) => [
          String(key),
          isSensitive(String(key)) ? redacted : walk(item, depth + 1),
        ]),
    );
  };
  return (value) => walk(value, 1);
}

/** What an error says about itself, short and without credentials: type, code, message, frames, facts, causes. */
export function describeError(error: Error, redact: Redact, causes = 0): Record<string, unknown> {
  const facts = ["code", "field", "status", "statusCode", "errno", "syscall", "retryAfterMs"];
  const own = Object.fromEntries(
    facts.flatMap((name) => {
      const value: unknown = Reflect.get(error, name);
      return typeof value === "string" || typeof value === "number" ? [[name, value]] : [];
    }),
  );
  const more: unknown = Reflect.get(error, "facts");
  const parts = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const inner = (item: unknown) =>
    item instanceof Error ? describeError(item, redact, causes + 1) : typeof item;
  return {
    type: error.name,
    message: cut(withoutCredentials(error.message)),
    ...own,
    ...(typeof more === "object" && more !== null ? { facts: redact(more) } : {}),
    stack: framesOf(error),
    ...(error.cause !== undefined && causes < causesMax ? { cause: inner(error.cause) } : {}),
    ...(parts.length > 0 && causes < causesMax ? { errors: parts.slice(0, 5).map(inner) } : {}),
  };
}

/** The frames only: the first lines of a stack repeat the message at its full length. */
function framesOf(error: Error): string {
  const frames = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  return frames.slice(0, framesMax).join("\n");
}

function cut(text: string): string {
  return text.length <= messageMax
    ? text
    : `${text.slice(0, messageMax)}… (${String(text.length - messageMax)} characters more)`;
}

/** Removes what looks like a bearer token or a vendor key from a text that libraries wrote. */
function withoutCredentials(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${redacted}`)
    .replace(/\b(sk-[\w-]{8,}|rc_(?:scim|op)_[\w-]{8,})/g, redacted);
}

function plainName(name: string): string {
  return name.replace(/[-_ ]/g, "").toLowerCase();
}
