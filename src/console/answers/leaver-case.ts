import { z } from "zod";

export const clocksAnswer = z
  .object({ fromSignal: z.number(), fromHr: z.number().optional() })
  .optional();
export const dutyAnswer = z.object({
  connectionId: z.string().optional(),
  kind: z.string(),
  subject: z.string(),
  channel: z.string(),
  state: z.string(),
  deadline: z.number(),
  doneAt: z.number().optional(),
  missedAt: z.number().optional(),
  facts: z.record(z.string(), z.unknown()),
});
/** What `showCase` answers: the whole story of one leaver, times in milliseconds. */
export const caseAnswer = z.object({
  userName: z.string().nullable(),
  now: z.number(),
  order: z
    .object({ by: z.string(), why: z.string(), emergency: z.boolean(), at: z.number() })
    .nullable(),
  case: z.object({
    caseId: z.string(),
    identityId: z.string(),
    state: z.string(),
    source: z.string(),
    t0: z.number(),
    hrAt: z.number().optional(),
    signalAt: z.number(),
    openedAt: z.number(),
    closedAt: z.number().optional(),
    closedWhy: z.string().optional(),
    watchUntil: z.number().optional(),
    reopenedAt: z.number().optional(),
  }),
  connections: z.array(
    z.object({
      connectionId: z.string(),
      channel: z.string(),
      obligations: z.array(dutyAnswer),
      contained: clocksAnswer,
      removed: clocksAnswer,
      verified: clocksAnswer,
      writes: z.array(
        z.object({
          step: z.string(),
          slot: z.object({ kind: z.string(), objectId: z.string() }),
          state: z.string(),
          sentAt: z.number(),
        }),
      ),
    }),
  ),
  open: z.array(dutyAnswer),
  records: z.array(z.string()),
  packHash: z.string(),
});
export type CaseAnswer = z.output<typeof caseAnswer>;
