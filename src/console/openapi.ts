import { z } from "zod";
import type { Operation } from "./operation.ts";
import { dutyFor } from "./role.ts";

type Schema = Readonly<Record<string, unknown>>;

/** A call that can be tried as it stands, by operation: parameters of path, query and body together. */
export const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  status: {},
  findPeople: { q: "ada", limit: 10 },
  explain: { identity: "ada@example.com", want: "anthropic:Production" },
  plan: { identity: "ada@example.com" },
  reconcile: { identity: "ada@example.com" },
  listHolds: { state: "open" },
  listParked: {},
  listFindings: { limit: 20 },
  listCases: {},
  listTasks: { overdue: true },
  listMappings: {},
  showLane: { connection: "anthropic" },
  listIdps: {},
  showIdp: { idp: "okta" },
  findRecords: { action: "user.created", limit: 5 },
  auditPage: { from: 0, limit: 10 },
  verifyAudit: {},
  trends: {},
};

/** The document of `/api/v1` (OpenAPI 3.1), from the schemas that validate its calls. */
export function openApi(operations: readonly Operation[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const row of operations) {
    const path = row.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[row.method.toLowerCase()] = described(row);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Rolecall, the operator's interface",
      version,
      description:
        "See, explain, decide. Every call bears an operator's token, acts for one tenant and leaves its record.",
    },
    servers: [{ url: "/api/v1" }],
    security: [{ operatorToken: [] }],
    paths,
    components: {
      securitySchemes: { operatorToken: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problem },
    },
  };
}

/** Problem details (RFC 9457). */
const problem: Schema = {
  type: "object",
  required: ["status", "detail"],
  properties: {
    status: { type: "integer" },
    detail: { type: "string", description: "One sentence that says what to do." },
    problems: { type: "array", items: { type: "string" } },
  },
};

const refusals: Readonly<Record<string, string>> = {
  400: "Something that was given cannot be used.",
  401: "There is no such token, or it is over.",
  403: "The token's role does not allow it.",
  404: "There is no such thing.",
  409: "It is not in the state for this.",
  422: "It would be wrong to do.",
  503: "The store cannot be reached; try again.",
};

function described(row: Operation): object {
  const { properties, required, ...rest } = inputOf(row);
  const inPath = [...row.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? "");
  const others = Object.entries(properties).filter(([name]) => !inPath.includes(name));
  const example = examples[row.name] ?? {};
  const parameter = (name: string, place: "path" | "query") => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: properties[name] ?? { type: "string" },
    ...(name in example ? { example: example[name] } : {}),
  });
  const inQuery = row.method === "GET" || row.method === "DELETE";
  const body = {
    ...rest,
    type: "object",
    properties: Object.fromEntries(others),
    required: required.filter((name) => !inPath.includes(name)),
  };
  return {
    operationId: row.name,
    summary: row.summary,
    "x-role": dutyFor(row),
    parameters: [
      ...inPath.map((name) => parameter(name, "path")),
      ...(inQuery ? others.map(([name]) => parameter(name, "query")) : []),
      {
        name: "tenant",
        in: "query",
        required: false,
        schema: { type: "string" },
        description: "The tenant; absent: the one that the service was started for.",
      },
    ],
    ...(inQuery || others.length === 0
      ? {}
      : { requestBody: { content: { "application/json": { schema: body } } } }),
    responses: {
      200: {
        description: "Done; what it is about, as JSON.",
        content: { "application/json": { schema: { type: "object" } } },
      },
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, description]) => [
          status,
          {
            description,
            content: {
              "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
            },
          },
        ]),
      ),
    },
  };
}

function inputOf(row: Operation): {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
} {
  const { $schema: _schema, ...schema } = z.toJSONSchema(row.input, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
  });
  return {
    ...schema,
    properties: (schema.properties ?? {}) as Readonly<Record<string, Schema>>,
    required: schema.required ?? [],
  };
}
