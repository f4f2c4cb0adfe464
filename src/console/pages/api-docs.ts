import { html, type Markup } from "./markup.ts";
import type { Page } from "./page.ts";
import { badge, card, pageHead, table } from "./widgets.ts";
import { openApi } from "../openapi.ts";
import { z } from "zod";

const schema = z.looseObject({
  type: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
});
const documentShape = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        summary: z.string(),
        "x-role": z.string(),
        parameters: z.array(
          z.object({
            name: z.string(),
            in: z.string(),
            required: z.boolean(),
            schema,
            example: z.unknown().optional(),
          }),
        ),
        requestBody: z
          .object({
            content: z.object({
              "application/json": z.object({
                schema: z.looseObject({
                  properties: z.record(z.string(), schema),
                  required: z.array(z.string()),
                }),
              }),
            }),
          })
          .optional(),
      }),
    ),
  ),
});
type Described = z.output<typeof documentShape>["paths"][string][string];

/** The interface for programs, read from the same document that it publishes. */
export const apiPage: Page = {
  path: "/api",
  nav: "api",
  title: () => "API",
  render: (visit) => {
    const { paths } = documentShape.parse(
      openApi([...visit.operations.values()], visit.deps.version),
    );
    const rows = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, row]) => ({ path, method, row })),
    );
    return Promise.resolve(
      html`${pageHead(
        "API",
        html`Everything here can be done over <code>/api/v1</code> with an operator's token, under
          the same roles and on the same record.`,
        html`<a class="button" href="/console/api/openapi.json" download>OpenAPI 3.1 document</a>`,
      )}
      ${rows.map(({ path, method, row }) => described(path, method, row))}`,
    );
  },
};

function described(path: string, method: string, row: Described): Markup {
  const body = row.requestBody?.content["application/json"].schema;
  const inputs = [
    ...row.parameters
      .filter((item) => item.name !== "tenant")
      .map((item) => ({ ...item, place: item.in })),
    ...Object.entries(body?.properties ?? {}).map(([name, own]) => ({
      name,
      place: "body",
      required: body?.required.includes(name) === true,
      schema: own,
      example: undefined,
    })),
  ];
  return card(
    html`<code>${method.toUpperCase()} ${path}</code>`,
    html`<p>${row.summary}</p>
      ${
        inputs.length === 0
          ? ""
          : html`<details id="op-${row.operationId}">
              <summary>What it takes: ${inputs.length}</summary>
              ${table(
                `Input of ${row.operationId}`,
                ["Name", "Where", "Type", "Needed", "Example"],
                inputs.map((item) => [
                  html`<code>${item.name}</code>`,
                  item.place,
                  typeWords(item.schema),
                  item.required ? "yes" : "no",
                  item.example === undefined
                    ? ""
                    : html`<code>${JSON.stringify(item.example)}</code>`,
                ]),
                "",
              )}
            </details>`
      }`,
    badge(row["x-role"], row["x-role"] === "viewer" ? "quiet" : "busy"),
  );
}

function typeWords(own: z.output<typeof schema>): string {
  if (own.enum !== undefined) return own.enum.map((value) => JSON.stringify(value)).join(", ");
  return typeof own.type === "string" ? own.type : "any";
}
