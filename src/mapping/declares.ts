import { z } from "zod";
import { foldEmail } from "../model/fold.ts";
import {
  environments,
  type DeclaredThing,
  type Environment,
  type ThingKind,
} from "../model/declared.ts";
import type { JsonObject } from "../model/json.ts";
import { line, strictObject } from "./strict-object.ts";
import { duration, email } from "./written.ts";

const day = z.iso.date({ error: "write a date: 2026-03-31" });
const list = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(500);
/** Becomes the name of a sealed secret, with the connection before it. */
const keyName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "write 1 to 40 of a-z, 0-9 and hyphens");

const chosen = strictObject({
  prefix: line(200).optional().describe("Whose name begins like this"),
  ids: list(line(320)).optional().describe("These, by id"),
  owner: line(320).optional().describe("Whose owner at the vendor is this"),
}).refine((value) => Object.keys(value).length > 0, "choose by `prefix:`, `ids:` or `owner:`");

const answersFor = { owner: email.describe("Who answers for it") };

/** Things of a vendor that a file declares beside what people get. */
export const declaresSchema = strictObject({
  api_keys: list(
    strictObject({
      name: keyName,
      ...answersFor,
      purpose: line(300),
      used_by: z
        .union([line(200), list(line(200))])
        .describe("The system that works with it: one key, one system; several are a finding"),
      environment: z.enum(environments).optional().describe("What it is for"),
      provider: line(100).optional().describe("Whose key it is, where it is not this vendor's"),
      scopes: list(line(100)).optional().describe("The least that it needs, in the vendor's words"),
      rotate: z
        .union([duration, z.enum(["quarterly", "on-demand"])])
        .optional()
        .describe("How old it may become; on-demand: as old as it likes"),
      rotated: day.optional().describe("When it was made, where the vendor does not tell"),
    }),
  ).optional(),
  tags: list(
    strictObject({
      name: line(80),
      ...answersFor,
      team: line(100).describe("Whose work it marks; it labels and restricts nobody"),
      campaigns: chosen.optional(),
      accounts: chosen.optional(),
    }),
  ).optional(),
  workspaces: list(
    strictObject({
      name: line(40),
      ...answersFor,
      purpose: line(300).optional(),
      limits: list(
        strictObject({
          group: line(100).describe("A model group by name, or batch, files, skills, …"),
          limiter: line(60).describe("requests_per_minute, input_tokens_per_minute, …"),
          value: z.int().min(0).max(1_000_000_000_000),
        }),
      ).optional(),
    }),
  ).optional(),
  ownership: list(
    strictObject({
      name: line(80).describe("What is owned: workspace"),
      ...answersFor,
      holder: email.describe("Who shall own it at the vendor"),
    }),
  ).optional(),
  sub_workspaces: list(strictObject({ id: line(100), name: line(200), ...answersFor })).optional(),
}).superRefine((value, context) => {
  for (const [section, things] of Object.entries(value)) {
    const names = (things as readonly { readonly name: string }[]).map((item) => item.name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined)
      context.addIssue({ code: "custom", path: [section], message: `"${twice}" is there twice` });
  }
});

export type DeclaresFile = z.infer<typeof declaresSchema>;

const kindOf = {
  api_keys: "api_key",
  tags: "tag",
  workspaces: "workspace",
  sub_workspaces: "sub_workspace",
  ownership: "ownership",
} as const satisfies Record<keyof DeclaresFile, ThingKind>;

/** The declarations of a file, each whole. */
export function declaredThings(
  declares: DeclaresFile,
  durationMs: (text: string) => number,
): readonly DeclaredThing[] {
  return Object.entries(declares).flatMap(([section, things]) =>
    (things as readonly Readonly<Record<string, unknown>>[]).map((item): DeclaredThing => {
      const { name, owner: answers, purpose, used_by, rotate, rotated, ...more } = item;
      const { environment, provider, ...wants } = more;
      const consumers = [used_by].flat().filter((one) => typeof one === "string");
      const rotateMs = rotationMs(rotate, durationMs);
      return {
        kind: kindOf[section as keyof DeclaresFile],
        name: String(name),
        owner: foldEmail(String(answers)),
        ...(typeof purpose === "string" ? { purpose } : {}),
        ...(consumers.length === 0 ? {} : { usedBy: consumers.join(", "), consumers }),
        ...(environments.some((one) => one === environment)
          ? { environment: environment as Environment }
          : {}),
        ...(typeof provider === "string" ? { provider } : {}),
        ...(rotateMs === undefined ? {} : { rotateMs }),
        ...(typeof rotated === "string" ? { rotatedAt: Date.parse(rotated) } : {}),
        wants: withoutUndefined(wants),
      };
    }),
  );
}

const quarterMs = 91 * 86_400_000;

/** How old a key may become; undefined: nobody said, or it is rotated when somebody wants it. */
function rotationMs(rotate: unknown, durationMs: (text: string) => number): number | undefined {
  if (typeof rotate !== "string" || rotate === "on-demand") return undefined;
  return rotate === "quarterly" ? quarterMs : durationMs(rotate);
}

function withoutUndefined(wants: Readonly<Record<string, unknown>>): JsonObject {
  return JSON.parse(JSON.stringify(wants)) as JsonObject;
}
