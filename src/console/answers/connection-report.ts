import { z } from "zod";

/** What `connect` answers of one connection. */
export const reportAnswer = z.object({
  report: z.object({
    connectionId: z.string(),
    vendor: z.string(),
    profile: z.string(),
    mode: z.string(),
    organization: z.object({ id: z.string(), name: z.string() }).nullable(),
    pin: z.enum(["new", "same"]).nullable(),
    problem: z.object({ code: z.string(), text: z.string() }).nullable(),
    credential: z.object({ kind: z.string(), owner: z.string().nullable() }).nullable(),
    notes: z.array(z.string()),
    reads: z.array(z.object({ what: z.string(), outcome: z.string(), text: z.string() })),
    vendorOwnsMembership: z.boolean(),
    scopes: z.array(z.string()),
    scopesMissing: z.array(z.string()),
    scopesBeyond: z.array(z.string()),
    planGates: z.array(z.string()),
    limits: z.array(z.object({ name: z.string(), calls: z.number(), perMs: z.number() })),
    endpoints: z.array(
      z.object({
        method: z.string(),
        path: z.string(),
        access: z.string(),
        scope: z.string().nullable(),
      }),
    ),
    byHand: z.array(z.string()),
    impossible: z.array(z.object({ what: z.string(), instead: z.string() })),
  }),
});
export type Report = z.output<typeof reportAnswer>["report"];
