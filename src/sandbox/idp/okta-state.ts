import { createHash } from "node:crypto";
import { z } from "zod";
import { personFields, personSchema } from "./person.ts";

const assignmentSchema = z.strictObject({
  person: personSchema,
  /** Whether the application is assigned to the person. */
  assigned: z.boolean(),
  /** The SCIM id, kept for good once an answer gave it. */
  scimId: z.string().optional(),
});

const groupSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** Ids of people, whether or not they are provisioned. */
  members: z.array(z.string()),
  scimId: z.string().optional(),
});

const groupId = z.string();
const personId = z.string();
/** What an administrator's click becomes. A task reads the directory when it runs, so a retry pushes today's values. */
const actionSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("assign"), personId }),
  z.strictObject({ kind: z.literal("update"), personId, fields: z.array(z.enum(personFields)) }),
  z.strictObject({ kind: z.literal("unassign"), personId }),
  z.strictObject({ kind: z.literal("push-group"), groupId }),
  z.strictObject({
    kind: z.literal("change-members"),
    groupId,
    add: z.array(personId),
    remove: z.array(personId),
  }),
  z.strictObject({ kind: z.literal("rename-group"), groupId }),
  z.strictObject({ kind: z.literal("push-now"), groupId }),
  z.strictObject({ kind: z.literal("delete-group"), name: z.string(), scimId: z.string() }),
]);

const taskSchema = z.strictObject({
  id: z.int(),
  action: actionSchema,
  /** Undefined while it runs; then what the service answered, as shown under Dashboard > Tasks. */
  failure: z.string().optional(),
});

const stateSchema = z.strictObject({
  idp: z.literal("okta"),
  app: z.enum(["catalogue", "wizard"]),
  people: z.array(assignmentSchema),
  groups: z.array(groupSchema),
  tasks: z.array(taskSchema),
  /** Numbers for tasks and groups; never reused, so a group that is made again is another one. */
  serial: z.int(),
});

export type OktaAction = z.infer<typeof actionSchema>;
export type OktaTask = z.infer<typeof taskSchema>;
export type OktaAssignment = z.infer<typeof assignmentSchema>;
export type OktaGroup = z.infer<typeof groupSchema>;
/** Everything that one Okta organisation and its application know; plain JSON. */
export type OktaState = z.infer<typeof stateSchema>;

export function emptyOktaState(app: OktaState["app"]): OktaState {
  return { idp: "okta", app, people: [], groups: [], tasks: [], serial: 0 };
}

/**
 * A state that was saved before. A task that ran when it was saved is failed now: whether it arrived is not known.
 * @throws z.ZodError when it is not such a state.
 */
export function readOktaState(json: unknown): OktaState {
  const state = stateSchema.parse(json);
  for (const task of state.tasks) task.failure ??= "Interrupted before an answer was kept";
  return state;
}

/** Okta's form of a group id: `00g` and 17 more characters. */
export function oktaGroupId(serial: number): string {
  const digest = createHash("sha256")
    .update(`group ${String(serial)}`)
    .digest("hex");
  return `00g${digest.slice(0, 17)}`;
}
