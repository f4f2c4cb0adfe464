import { z } from "zod";
import { flag, type Command } from "./command.ts";
import { show } from "./show.ts";
import { instant, table } from "./table.ts";

const moment = z.number().optional();
const shape = z.object({
  settings: z
    .object({ email: z.string(), groups: z.array(z.string()), connections: z.array(z.string()) })
    .nullable(),
  verdict: z.string(),
  lastPassedAt: z.number().nullable(),
  overdueFrom: z.number().nullable(),
  runs: z.array(
    z.object({
      state: z.string(),
      startedAt: z.number(),
      arrivedAt: moment,
      leftAt: moment,
      goneAt: moment,
      connections: z.array(z.string()),
      missed: z.array(z.object({ way: z.string(), why: z.string() })),
    }),
  ),
});

/** The synthetic person who joins and leaves every day. */
export const pulseCommands: readonly Command[] = [
  {
    words: "pulse",
    usage: "pulse [--limit N]",
    summary: "whether the synthetic person joined and left in time, run by run",
    flags: { limit: "string" },
    run: (invocation) =>
      show(invocation, "GET", "/pulse", { limit: flag(invocation, "limit") }, renderPulse),
  },
];

function renderPulse(answer: unknown): string {
  const { settings, verdict, lastPassedAt, overdueFrom, runs } = shape.parse(answer);
  const head =
    settings === null
      ? "no pulse is declared: write `pulse.yaml` beside the mapping files\n"
      : `${settings.email} in ${settings.groups.join(", ")}, expected at ${settings.connections.join(", ") || "no connection"}: ${verdict}\nlast passed ${instant(lastPassedAt)}, overdue from ${instant(overdueFrom)}\n`;
  const rows = runs.map((run) => [
    instant(run.startedAt),
    run.state,
    seconds(run.startedAt, run.arrivedAt),
    seconds(run.leftAt, run.goneAt),
    run.connections.join(", ") || "-",
    run.missed.map(({ way, why }) => `${way}: ${why}`).join("; ") || "-",
  ]);
  const columns = ["STARTED", "STATE", "ARRIVED AFTER", "GONE AFTER", "SEEN AT", "MISSED"];
  return `${head}\n${table(columns, rows, "no run yet")}`;
}

function seconds(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined
    ? "-"
    : `${String(Math.round((to - from) / 1_000))} s`;
}
