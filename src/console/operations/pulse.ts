import { z } from "zod";
import { pulseReport } from "../../pulse/pulse-report.ts";
import { operation } from "../operation.ts";

export const pulseOperations = [
  operation({
    name: "pulse",
    method: "GET",
    path: "/pulse",
    summary:
      "The synthetic person who joins and leaves every day: what is declared, and what became of each run",
    input: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(30) }),
    run: async (deps, { tenantId }, { limit }) => {
      const report = await pulseReport(deps.store, tenantId, deps.clock.now(), limit);
      return {
        ...report,
        settings: report.settings ?? null,
        lastPassedAt: report.lastPassedAt ?? null,
        overdueFrom: report.overdueFrom ?? null,
      };
    },
  }),
];
