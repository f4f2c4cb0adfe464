import { z } from "zod";

/** What `showIdp` answers of the requests of an IdP connection, the last ones first. */
export const trafficAnswer = z.object({
  requests: z.number(),
  refused: z.number(),
  failed: z.number(),
  usualPauseMs: z.number().nullish(),
  longestPauseMs: z.number().nullish(),
  quiet: z.boolean(),
  recent: z.array(
    z.object({
      at: z.number(),
      method: z.string(),
      route: z.string(),
      status: z.number(),
      scimType: z.string().optional(),
      operations: z.array(z.string()).optional(),
      dropped: z.array(z.string()).optional(),
    }),
  ),
});
