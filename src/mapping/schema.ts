import { z } from "zod";
import { scimTargetSettings } from "../model/scim-target.ts";
import { accessSchema } from "./access.ts";
import { declaresSchema } from "./declares.ts";
import { connectionName, kebab, line, strictObject, wordPattern } from "./strict-object.ts";
import { duration, email } from "./written.ts";

/** Upper bounds of one file; a mapping beyond them is a mistake or an attack, not a company. */
export const bounds = {
  rules: 5_000,
  grants: 100,
  conditions: 200,
  depth: 8,
  list: 1_000,
} as const;

const mode = z.enum(["report-only", "additive", "authoritative"]);
export const domain = line(253).regex(
  /^[^@\s.]+(?:\.[^@\s.]+)+$/,
  'write a domain without "@", as in example.com',
);
const scalar = z.union([line(300), z.number(), z.boolean()], {
  error: "write a text, a number, true or false",
});

/** What a rule asks about a person. Exactly one of the forms; `all`, `any` and `not` hold further conditions. */
export interface Condition {
  group?: string | undefined;
  idp?: string | undefined;
  attribute?: string | undefined;
  equals?: string | number | boolean | undefined;
  in?: (string | number | boolean)[] | undefined;
  exists?: boolean | undefined;
  all?: Condition[] | undefined;
  any?: Condition[] | undefined;
  not?: Condition | undefined;
  everyone?: true | undefined;
}

const forms = ["group", "attribute", "all", "any", "not", "everyone"] as const;
const tests = ["equals", "in", "exists"] as const;

const conditionList = () =>
  z.array(condition).min(1, "name at least one condition").max(bounds.conditions);

const condition: z.ZodType<Condition> = z
  .lazy(() =>
    strictObject({
      group: line(300).optional().describe("Members of this IdP group"),
      idp: connectionName().optional().describe("Which IdP connection the group is in"),
      attribute: z
        .string()
        .regex(/^[A-Za-z$][A-Za-z0-9$_.:-]{0,199}$/, "write a SCIM attribute name, as in userType")
        .optional()
        .describe("A SCIM attribute: userType, title, department, …"),
      equals: scalar.optional(),
      in: z.array(scalar).min(1, "name at least one value").max(bounds.list).optional(),
      exists: z.boolean().optional(),
      all: conditionList().optional().describe("Every one of these"),
      any: conditionList().optional().describe("At least one of these"),
      not: condition.optional(),
      everyone: z.literal(true).optional().describe("Every active person"),
    }).superRefine((value, context) => {
      for (const message of formProblems(value)) context.addIssue({ code: "custom", message });
    }),
  )
  .meta({ id: "condition" });

function formProblems(value: Condition): string[] {
  const has = (key: keyof Condition) => value[key] !== undefined;
  const problems: string[] = [];
  const chosen = forms.filter(has);
  if (chosen.length !== 1) {
    problems.push(
      chosen.length === 0
        ? `a condition needs one of ${forms.join(", ")}`
        : `a condition has one form, not ${chosen.join(" and ")}: put them below \`all:\` or \`any:\``,
    );
  }
  const compared = tests.filter(has);
  if (has("attribute") && compared.length !== 1) {
    problems.push("an attribute condition needs exactly one of equals, in, exists");
  }
  if (!has("attribute") && compared.length > 0) {
    problems.push(`${compared.join(", ")} needs \`attribute:\` beside it`);
  }
  if (has("idp") && !has("group")) problems.push("`idp:` belongs to a `group:`");
  return problems;
}

export const objectFields = {
  name: line(300).optional().describe("The vendor's object by name"),
  id: line(300).optional().describe("The vendor's object by id"),
};

const grant = strictObject({
  kind: line(64).optional(),
  ...objectFields,
  role: line(300).optional(),
  bundle: z.string().regex(wordPattern).optional().describe("All grants of this bundle"),
}).superRefine((value, context) => {
  if (value.bundle !== undefined) {
    if (Object.values(value).filter((field) => field !== undefined).length > 1) {
      context.addIssue({ code: "custom", message: "`bundle:` stands alone in a grant" });
    }
  } else if (value.kind === undefined || value.role === undefined) {
    context.addIssue({
      code: "custom",
      message: "a grant needs `kind:` and `role:`, or `bundle:`",
    });
  }
  objectProblem(value, context);
});

const deny = strictObject({
  kind: line(64),
  ...objectFields,
  role: line(300).optional().describe("Absent: every role"),
}).superRefine(objectProblem);

export function objectProblem(
  value: { readonly name?: string | undefined; readonly id?: string | undefined },
  context: { addIssue: (issue: { code: "custom"; message: string }) => void },
): void {
  if (value.name !== undefined && value.id !== undefined) {
    context.addIssue({ code: "custom", message: "write `name:` or `id:`, not both" });
  }
}

const rule = strictObject({
  id: kebab(200).describe("Unique in the file; appears in every explanation"),
  why: line(500).optional().describe("Mandatory where a grant is privileged"),
  owner: line(320).optional().describe("Mandatory where a grant is privileged"),
  idp: connectionName().optional().describe("The IdP connection of all groups of this rule"),
  rank: z.int().min(0).max(1_000).optional().describe("Instead of the vendor's rank of the role"),
  when: condition,
  grant: z.array(grant).min(1).max(bounds.grants).optional(),
  deny: z.array(deny).min(1).max(bounds.grants).optional(),
}).superRefine((value, context) => {
  if (value.grant === undefined && value.deny === undefined) {
    context.addIssue({ code: "custom", message: "a rule needs `grant:` or `deny:`" });
  }
});

const placeholderValue = line(200).regex(/^[^{}]*$/, "must not contain braces");
const placeholder = z.union(
  [
    z.array(placeholderValue).min(1).max(500),
    z.record(placeholderValue, placeholderValue).refine((map) => {
      const size = Object.keys(map).length;
      return size >= 1 && size <= 500;
    }, "write 1 to 500 values"),
  ],
  {
    error:
      "write a list of values, or a map from the word in the group name to the word in the grant",
  },
);

const rail = {
  floor: z.int().min(0).max(1_000_000).optional(),
  fraction: z.number().min(0).max(1).optional(),
  window: duration.optional(),
};

const wayIn = {
  credential: line(300).regex(
    /^(?:sealed|env|file):.+$/,
    "write sealed:<name>, env:<VARIABLE> or file:<path>; never the secret itself",
  ),
  url: z
    .url({ protocol: /^https?$/, error: "write an http or https URL" })
    .max(500)
    .optional(),
};

export const mappingFile = strictObject({
  version: z.literal(1),
  vendor: connectionName(),
  profile: connectionName().optional().describe("May be left out where the vendor has one"),
  connection: strictObject({
    ...wayIn,
    services: z
      .record(z.string().regex(wordPattern), strictObject(wayIn))
      .optional()
      .describe("Interfaces of the vendor that have a credential of their own"),
    app: line(300)
      .regex(
        /^(?:sealed|env|file):.+$/,
        "write sealed:<name>, env:<VARIABLE> or file:<path>; never the secret itself",
      )
      .optional()
      .describe("Client id and secret of the vendor's app, as id:secret (Intercom)"),
    acts_in: line(100)
      .optional()
      .describe("The sub-workspace that an agency's key works in (Instantly)"),
  }),
  target: scimTargetSettings
    .optional()
    .describe("Vendor scim only: where the server differs from its profile"),
  mode: mode.optional().describe("Default: report-only"),
  sets: z
    .record(z.string().regex(wordPattern), z.union([mode, z.literal("ignore")]))
    .optional()
    .describe("Overrides of mode per kind"),
  account: strictObject({
    match: z.literal("email").optional(),
    domains: z.array(domain).max(bounds.list).optional(),
    leaver: z.enum(["remove", "keep"]).optional(),
    create: z.enum(["invite", "never"]).optional(),
    inviteResends: z.int().min(0).max(10).optional(),
    permissions: z
      .record(line(300), z.array(line(100)).min(1).max(100))
      .optional()
      .describe("Section permissions that an invitation carries, by role (Instantly)"),
    nickname: z
      .literal("display-name")
      .optional()
      .describe("What an invitation carries as nickname (Instantly)"),
  }).optional(),
  heirs: strictObject({
    work: z
      .array(
        strictObject({
          label: line(300)
            .optional()
            .describe("Only items with this tag or topic; absent: the rest"),
          to: line(300).describe("Name of the object that takes them over: a team"),
        }),
      )
      .min(1)
      .max(bounds.list)
      .optional()
      .describe("Where a leaver's open work goes, first fitting entry first"),
    people: z
      .array(email)
      .min(1)
      .max(bounds.list)
      .optional()
      .describe("Who takes over what has to be done by hand; then the manager, then the owner"),
    owner: email.optional().describe("Who answers for this connection"),
  }).optional(),
  timing: strictObject({
    debounce: duration.optional(),
    grace: duration.optional(),
    verify: z.array(duration).max(10).optional(),
  }).optional(),
  tasks: strictObject({
    assignee: email.optional().describe("Who does by hand what no API does"),
    fallback: email.optional().describe("Who, where the assignee left or is whom it is about"),
    due: strictObject({
      leaver: duration.optional(),
      joiner: duration.optional(),
      mover: duration.optional(),
      drift: duration.optional(),
    }).optional(),
  })
    .optional()
    .describe("Work by hand at this connection"),
  tickets: strictObject({
    type: line(64).describe("Id of the ticket type"),
    contact: line(64).describe("Id of the contact whom the tickets are about: one made for this"),
    team: line(64).optional().describe("Id of the team that gets them; absent: nobody yet"),
    for: z
      .array(connectionName())
      .min(1)
      .max(bounds.list)
      .optional()
      .describe("Connections whose work by hand becomes tickets here; absent: this one"),
  })
    .optional()
    .describe("Work by hand as tickets of this help desk (Intercom)"),
  budgets: z
    .array(
      strictObject({
        scope: z.enum(["table", "team", "group", "webhook"]),
        name: line(200),
        limit: z
          .int()
          .min(1)
          .max(1_000_000_000)
          .optional()
          .describe("Credits; of a webhook records, 50,000 where left out"),
        owner: email,
        rows: z.int().min(1).max(1_000_000_000).optional().describe("Rows of a table"),
        auto_run: z.boolean().optional().describe("Whether a table may enrich by itself"),
      }).refine((value) => value.scope === "webhook" || value.limit !== undefined, {
        error: "a budget of credits needs `limit:`",
      }),
    )
    .max(bounds.list)
    .optional()
    .describe("Caps on what is used at the vendor, each with who answers for it"),
  declares: declaresSchema
    .optional()
    .describe("Keys, tags and workspaces that shall be there, each with who answers for it"),
  keys: strictObject({
    names: z
      .array(line(60))
      .min(1)
      .max(50)
      .optional()
      .describe("Forms of names of API keys, * for any text: prod-*"),
    remind: duration.optional().describe("How long before its rotation is due somebody is told"),
    unused: duration.optional().describe("How long a key may lie unused"),
  })
    .optional()
    .describe("What is asked of API keys"),
  access: accessSchema
    .optional()
    .describe("What people may do in applications, by the role that the rules give them"),
  bundles: z
    .record(z.string().regex(wordPattern), z.array(grant).min(1).max(bounds.grants))
    .optional(),
  placeholders: z.record(z.string().regex(wordPattern), placeholder).optional(),
  rules: z.array(rule).max(bounds.rules, `at most ${String(bounds.rules)} rules`),
  protected: strictObject({
    accounts: z.array(email).max(bounds.list).optional(),
    admins_min: z.int().min(0).max(1_000).optional(),
  }).optional(),
  rails: strictObject({
    removals: strictObject(rail).optional(),
    grants: strictObject({
      one_cause: strictObject(rail).optional(),
      privileged: z.int().min(0).max(1_000_000).optional(),
    }).optional(),
    leavers: strictObject(rail).optional(),
    confirmed_leavers: strictObject(rail).optional(),
  }).optional(),
});

/** A mapping file as written. The stored document of a version is one too, with bundles and placeholders expanded. */
export type MappingFile = z.infer<typeof mappingFile>;
export type MappingRule = MappingFile["rules"][number];
export type GrantEntry = NonNullable<MappingRule["grant"]>[number];
export type DenyEntry = NonNullable<MappingRule["deny"]>[number];
