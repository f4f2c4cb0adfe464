import { z } from "zod";
import { countsAnswer } from "../answers/simulation.ts";
import { html, type Markup } from "./markup.ts";
import { to } from "./page.ts";
import { connectionLink, count, state, table, when } from "./widgets.ts";

export const versionShape = z.object({
  versionId: z.string(),
  connectionId: z.string(),
  vendor: z.string(),
  profile: z.string(),
  state: z.string(),
  hash: z.string(),
  proposedAt: z.number(),
  activatedAt: z.number().optional(),
  author: z.string().optional(),
  proposedBy: z.string().optional(),
  simulation: countsAnswer.optional(),
  decision: z
    .object({
      outcome: z.string(),
      by: z.string(),
      at: z.number(),
      alone: z.boolean(),
      why: z.string().nullable(),
    })
    .optional(),
  rollout: z
    .object({
      stage: z.string(),
      since: z.number(),
      stopped: z.object({ at: z.number(), why: z.string() }).nullable(),
    })
    .optional(),
});
export const mappingsShape = z.object({ mappings: z.array(versionShape) });
export type VersionRow = z.output<typeof versionShape>;

export function mappingRows(versions: readonly VersionRow[], now: number, empty: string): Markup {
  return table(
    "Mapping versions",
    ["Version", "Connection", "State", "Gain", "Lose", "Written by", "Proposed"],
    versions.map((version) => [
      html`<a href="${to(`/mappings/${version.versionId}`)}">${version.hash.slice(0, 10)}</a>`,
      connectionLink(version.connectionId),
      state(version.state),
      version.simulation === undefined ? "" : count(version.simulation.gain),
      version.simulation === undefined ? "" : count(version.simulation.lose),
      version.author ?? version.proposedBy ?? html`<span class="faint">nobody known</span>`,
      when(version.proposedAt, now),
    ]),
    empty,
  );
}
