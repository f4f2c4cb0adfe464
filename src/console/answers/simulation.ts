import { z } from "zod";

/** How many people a mapping would change. */
export const countsAnswer = z.object({
  people: z.number(),
  gain: z.number(),
  lose: z.number(),
  privilegedGain: z.number(),
  blocked: z.number(),
  unchanged: z.number(),
  hash: z.string().optional(),
});

/** Those people by name, as many as an answer holds. */
export const peopleAnswer = z.array(
  z.object({
    userName: z.string().nullable(),
    identityId: z.string(),
    gains: z.array(z.string()),
    losses: z.array(z.string()),
    privileged: z.boolean(),
  }),
);
