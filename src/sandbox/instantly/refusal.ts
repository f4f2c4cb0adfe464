import type { z } from "zod";
import { Refusal } from "../simulated-api.ts";
import type { Reply, SimulatedCall } from "../simulated-api.ts";

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The one error form of the API (OpenAPI document, 2026-08-21). */
export function errorReply(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const error = titles[status] ?? "Error";
  return { status, headers, body: { statusCode: status, error, message } };
}

export function refuse(status: number, message: string): Refusal {
  return new Refusal(message, errorReply(status, message));
}

/**
 * The checked body of a write; unknown keys are dropped, as Fastify does by default.
 * @throws Refusal 400 in the words of its validator, Ajv: `body must have required property 'role'`.
 */
export function readBody<T>(schema: z.ZodType<T>, call: SimulatedCall): T {
  return read(schema, call.json, "body");
}

/** The checked query; values come as strings and are coerced by the schema. */
export function readQuery<T>(schema: z.ZodType<T>, call: SimulatedCall): T {
  return read(schema, Object.fromEntries(call.query), "querystring");
}

/** A body of a PATCH: at least one of its known keys must be there. */
export function atLeastOne<T extends object>(schema: z.ZodType<T>): z.ZodType<T> {
  return schema.refine((body) => Object.values(body).some((value) => value !== undefined), {
    message: "must NOT have fewer than 1 properties",
    params: { ajv: true },
  });
}

function read<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(400, issue === undefined ? `${where} is invalid` : ajvText(issue, where, value));
}

function ajvText(issue: z.core.$ZodIssue, where: string, value: unknown): string {
  const path = [where, ...issue.path.map(String)].join("/");
  switch (issue.code) {
    case "invalid_type": {
      const name = issue.path.at(-1);
      if (name !== undefined && missing(value, issue.path)) {
        const parent = [where, ...issue.path.slice(0, -1).map(String)].join("/");
        return `${parent} must have required property '${String(name)}'`;
      }
      return `${path} must be ${ajvType(issue.expected)}`;
    }
    case "invalid_value":
      if (missing(value, issue.path)) {
        return `${where} must have required property '${String(issue.path.at(-1))}'`;
      }
      return `${path} must be equal to one of the allowed values`;
    case "invalid_format":
      return `${path} must match format "${issue.format}"`;
    case "too_small":
      return issue.origin === "string" || issue.origin === "array"
        ? `${path} must NOT have fewer than ${String(issue.minimum)} ${issue.origin === "string" ? "characters" : "items"}`
        : `${path} must be >= ${String(issue.minimum)}`;
    case "too_big":
      return issue.origin === "string" || issue.origin === "array"
        ? `${path} must NOT have more than ${String(issue.maximum)} ${issue.origin === "string" ? "characters" : "items"}`
        : `${path} must be <= ${String(issue.maximum)}`;
    default:
      return `${path} ${issue.message}`;
  }
}

function missing(value: unknown, path: readonly PropertyKey[]): boolean {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null) return false;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current === undefined;
}

function ajvType(expected: string): string {
  return expected === "int" ? "integer" : expected;
}
