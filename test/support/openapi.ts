import { z } from "zod";

type Schema = Record<string, unknown>;

/** An OpenAPI 3 document as far as contract tests read it. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses?: Readonly<Record<string, OpenApiResponse>>;
  };
}

interface OpenApiResponse {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface OpenApiOperation {
  readonly requestBody?: OpenApiResponse;
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

/**
 * The schema of one answer, or of the request where `status` is "request".
 * @throws Error when the document describes none
 */
export function schemaOf(
  document: OpenApi,
  method: string,
  path: string,
  status: number | "request",
): z.ZodType {
  const operation = document.paths[path]?.[method.toLowerCase()];
  const named =
    status === "request" ? operation?.requestBody : operation?.responses[String(status)];
  const reference = named?.$ref?.split("/").at(-1);
  const found = reference === undefined ? named : document.components.responses?.[reference];
  const schema = found?.content?.["application/json"]?.schema;
  if (schema === undefined) throw new Error(`${method} ${path} has no ${String(status)}`);
  const $defs = plain(document.components.schemas, true);
  return z.fromJSONSchema({ allOf: [plain(schema)], $defs } as Schema);
}

const dropped = ["example", "examples", "nullable", "description", "title", "default"];

/** JSON Schema in the place of OpenAPI 3.0's dialect: references, `nullable`, and formats of integers. */
function plain(node: unknown, names = false): unknown {
  if (Array.isArray(node)) return node.map((item) => plain(item));
  if (typeof node !== "object" || node === null) return node;
  const nullable = !names && "nullable" in node && node.nullable === true;
  const integer = "type" in node && node.type === "integer";
  const entries = Object.entries(node)
    .filter(([key]) => names || (!key.startsWith("x-") && !dropped.includes(key)))
    .filter(([key]) => names || key !== "format" || !integer)
    .map(([key, value]): [string, unknown] =>
      key === "$ref" && typeof value === "string"
        ? [key, value.replace("#/components/schemas/", "#/$defs/")]
        : [key, plain(value, !names && key === "properties")],
    );
  const made = Object.fromEntries(entries);
  return nullable ? { anyOf: [made, { type: "null" }] } : made;
}
