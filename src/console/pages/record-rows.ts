import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { to } from "./page.ts";
import { clock, when } from "./widgets.ts";

export const recordsShape = z.object({
  records: z.array(
    z.object({
      leafIndex: z.number().optional(),
      record: z.object({
        recordId: z.string(),
        at: z.number(),
        actor: z.object({ kind: z.string(), id: z.string() }),
        action: z.string(),
        subject: z.object({ type: z.string(), id: z.string() }),
        connectionId: z.string().optional(),
        cause: z.string().optional(),
        mappingVersion: z.string().optional(),
        facts: z.record(z.string(), z.unknown()),
      }),
    }),
  ),
});
export type RecordRow = z.output<typeof recordsShape>["records"][number];

/** What happened, newest first, one line each. */
export function recordList(records: readonly RecordRow[], now: number, empty: string): Markup {
  if (records.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<ol class="plain-list timeline">
    ${records.map(
      ({ record }) =>
        html`<li>
          ${when(record.at, now)} <strong>${actionWords(record.action)}</strong>
          ${record.connectionId === undefined ? "" : html`at ${record.connectionId}`}
          <span class="faint">by ${actorWords(record.actor)} ${factWords(record.facts)}</span>
        </li>`,
    )}
  </ol>`;
}

export function actionWords(action: string): string {
  return action.replaceAll(".", " ").replaceAll("_", " ");
}

export function actorWords(actor: { readonly kind: string; readonly id: string }): string {
  return actor.kind === "worker" || actor.kind === "system"
    ? "Rolecall"
    : `${actor.kind} ${actor.id}`;
}

/** Facts that read as a line; nested ones are in the record itself. */
export function factWords(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? [`${name}: ${String(value)}`]
        : [],
    )
    .slice(0, 5)
    .join(", ");
}

export function recordCells({ record, leafIndex }: RecordRow): readonly Piece[] {
  const { subject } = record;
  return [
    clock(record.at),
    actionWords(record.action),
    actorWords(record.actor),
    subject.type === "identity"
      ? html`<a href="${to(`/people/${subject.id}`)}">person</a>`
      : html`${subject.type} <span class="faint">${subject.id.slice(0, 18)}</span>`,
    record.connectionId ?? "",
    factWords(record.facts),
    leafIndex === undefined ? html`<span class="faint">on its way</span>` : leafIndex,
  ];
}
