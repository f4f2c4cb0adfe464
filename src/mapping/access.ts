import { z } from "zod";
import type { AccessLimits, AccessMatrix } from "../model/access-matrix.ts";
import type { JsonObject } from "../model/json.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { kebab, line, strictObject } from "./strict-object.ts";

const permission = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$/, "write area:action, as in contacts:read");

const source = strictObject({
  kind: line(64).optional(),
  role: line(300).optional(),
  id: line(300).optional(),
  rule: kebab(200).optional().describe("A rule of this file that gives it"),
}).superRefine((value, context) => {
  if (value.rule === undefined && (value.kind === undefined || value.role === undefined))
    context.addIssue({ code: "custom", message: "write `kind:` and `role:`, or `rule:`" });
  if (value.id !== undefined && value.kind === undefined)
    context.addIssue({ code: "custom", message: "`id:` belongs to a `kind:`" });
});

const limits = strictObject({
  models: z
    .union([z.literal("all"), z.array(line(100)).min(1).max(100)], {
      error: "write `all`, or a list of model ids or classes, as in [haiku, sonnet]",
    })
    .optional(),
  max_tokens: z.int().min(1).max(10_000_000).optional(),
  requests_per_minute: z.int().min(1).max(1_000_000).optional(),
});

/** `access:` of a mapping file: what people may do in applications, by the role that the mapping gives them. */
export const accessSchema = strictObject({
  permissions: z
    .array(permission)
    .min(1)
    .max(500)
    .describe("Everything that applications may ask about; anything else is denied by name"),
  roles: z
    .array(
      strictObject({
        role: kebab(64),
        from: z.array(source).min(1).max(100).describe("Who has it: one of these is enough"),
        allow: z.union([z.literal("all"), z.array(permission).max(500)], {
          error: "write `all`, or a list of permissions",
        }),
        limits: limits.optional(),
      }),
    )
    .min(1)
    .max(100)
    .describe("Least first: of several the last one that allows it says the limits"),
});

export type AccessFile = z.infer<typeof accessSchema>;

/** The matrix of a stored document; undefined: it declares none, or one that this build cannot read. */
export function accessMatrix(document: JsonObject, facts: VendorFacts): AccessMatrix | undefined {
  const read = accessSchema.safeParse(document["access"]);
  return read.success ? compileAccess(read.data, facts) : undefined;
}

export function compileAccess(file: AccessFile, facts: VendorFacts): AccessMatrix {
  const account = Object.entries(facts.kinds).find(([, kind]) => kind.account);
  const permissions = new Set(file.permissions);
  return {
    permissions,
    accountKind: account?.[0] ?? "",
    roles: file.roles.map(({ role, from, allow, limits: limited }) => ({
      name: role,
      from,
      allow: allow === "all" ? permissions : new Set(allow),
      limits: limitsOf(limited),
    })),
  };
}

function limitsOf(written: z.infer<typeof limits> | undefined): AccessLimits {
  const { models, max_tokens: maxTokens, requests_per_minute: requestsPerMinute } = written ?? {};
  return {
    ...(models === undefined || models === "all" ? {} : { models }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  };
}
