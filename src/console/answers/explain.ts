import { z } from "zod";

const place = z.union([
  z.object({ by: z.literal("none") }),
  z.object({ by: z.literal("id"), id: z.string() }),
  z.object({ by: z.literal("name"), name: z.string() }),
]);
const ruleShape = z.object({
  ruleId: z.string(),
  result: z.string(),
  effect: z.string(),
  outcome: z.string(),
  beatenBy: z.array(z.string()),
  conditions: z.array(
    z.object({ text: z.string(), result: z.string(), why: z.string().optional() }),
  ),
  entitlements: z.array(z.object({ kind: z.string(), role: z.string(), object: place })),
});
const connectionShape = z.object({
  connectionId: z.string(),
  mode: z.string(),
  mappingVersion: z.string(),
  rules: z.array(ruleShape),
  desired: z.object({
    lifecycle: z.string(),
    assignments: z.array(
      z.object({
        kind: z.string(),
        objectId: z.string(),
        role: z.string(),
        because: z.array(z.string()),
        privileged: z.boolean(),
      }),
    ),
  }),
  objectNames: z.record(z.string(), z.string()),
  observed: z
    .object({
      accountId: z.string(),
      state: z.string(),
      role: z.string(),
      readAt: z.number(),
      grants: z.array(
        z.object({
          kind: z.string(),
          objectId: z.string(),
          objectName: z.string().nullable(),
          role: z.string(),
          implicit: z.boolean(),
        }),
      ),
    })
    .nullable(),
  link: z.object({ accountId: z.string(), origin: z.string(), since: z.number() }).nullable(),
  target: z
    .object({
      state: z.string(),
      reason: z.string().nullable(),
      code: z.string().nullable(),
      dueAt: z.number().nullable(),
      verifiedAt: z.number().nullable(),
      trust: z.string().nullable(),
      taskId: z.string().nullable(),
    })
    .nullable(),
  waiting: z.array(
    z.object({
      slot: z.string(),
      rail: z.string(),
      state: z.string(),
      notBefore: z.number(),
      holdId: z.string().nullable(),
    }),
  ),
  plan: z.array(z.string()),
  findings: z.array(z.object({ severity: z.string(), text: z.string() })),
});
export type Connection = z.output<typeof connectionShape>;

/** What `explain` answers: one person, at each connection, with what was asked for. */
export const explainAnswer = z.object({
  person: z.object({
    identityId: z.string(),
    active: z.boolean(),
    userName: z.string(),
    displayName: z.string(),
    emails: z.array(z.string()),
    groups: z.array(z.object({ displayName: z.string() })),
    sources: z.array(
      z.object({
        idpId: z.string(),
        active: z.boolean(),
        loaded: z.boolean(),
        deleted: z.boolean(),
      }),
    ),
    presence: z.string(),
    employment: z
      .object({
        state: z.string(),
        sourceId: z.string(),
        spell: z.number(),
        startsAt: z.number().optional(),
        leavesAt: z.number().optional(),
        leavesLocal: z.object({ day: z.string(), time: z.string(), zone: z.string() }).optional(),
        backAt: z.number().optional(),
        contradicting: z.array(z.string()),
      })
      .nullable(),
  }),
  connections: z.array(connectionShape),
  want: z
    .array(
      z.object({
        connectionId: z.string(),
        thing: z.string(),
        has: z.boolean(),
        ways: z.array(
          z.object({
            ruleId: z.string(),
            missing: z.array(z.string()),
            blockedBy: z.array(z.string()),
          }),
        ),
      }),
    )
    .optional(),
});
export type Explained = z.output<typeof explainAnswer>;
