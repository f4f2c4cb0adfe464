import { createHash } from "node:crypto";
import { z } from "zod";
import { personSchema } from "./person.ts";

const userEntrySchema = z.strictObject({
  person: personSchema,
  accountEnabled: z.boolean(),
  /** `soft`: in the bin for 30 days and restorable; `hard`: gone, and the next cycle sends DELETE. */
  deleted: z.enum(["no", "soft", "hard"]),
  /** The SCIM id, kept for good once an answer gave it. */
  scimId: z.string().optional(),
  /** What the service was last known to have. */
  pushed: z
    .strictObject({
      person: personSchema,
      active: z.boolean(),
      managerScimId: z.string().optional(),
    })
    .optional(),
});

const groupEntrySchema = z.strictObject({
  /** objectId, sent as externalId. */
  id: z.string(),
  name: z.string(),
  /** Ids of people. */
  members: z.array(z.string()),
  scimId: z.string().optional(),
  pushedName: z.string().optional(),
  pushedMembers: z.array(z.string()),
});

const stateSchema = z.strictObject({
  idp: z.literal("entra"),
  /** The attribute by which users are matched before they are created. */
  matching: z.enum(["userName", "externalId", "emails"]),
  /** `assigned`: only members of some group are in scope; `all`: everyone is. */
  scope: z.enum(["assigned", "all"]),
  users: z.array(userEntrySchema),
  groups: z.array(groupEntrySchema),
  /** Groups that were deleted here and wait for their DELETE. */
  deletedGroups: z.array(z.strictObject({ name: z.string(), scimId: z.string() })),
  /** Numbers for object ids of groups; never reused, so a group that is made again is another one. */
  serial: z.int(),
});

export type EntraUser = z.infer<typeof userEntrySchema>;
export type EntraGroup = z.infer<typeof groupEntrySchema>;
/** Everything that one Entra tenant and its provisioning job know; plain JSON. */
export type EntraState = z.infer<typeof stateSchema>;

export function emptyEntraState(settings: Pick<EntraState, "matching" | "scope">): EntraState {
  return { idp: "entra", ...settings, users: [], groups: [], deletedGroups: [], serial: 0 };
}

/** @throws z.ZodError when it is not what `EntraSimulator.toJSON` gives. */
export function readEntraState(json: unknown): EntraState {
  return stateSchema.parse(json);
}

/** A GUID made from text: Entra's object ids, the same in every run. */
export function objectIdOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
