import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, type Visit } from "./page.ts";
import { card, count } from "./widgets.ts";

const trendsShape = z.object({
  since: z.number(),
  everyMs: z.number(),
  series: z.array(z.object({ name: z.string(), unit: z.string(), points: z.array(z.number()) })),
});

/** Small pictures of the last hours, each with its numbers in words. */
export async function trends(visit: Visit): Promise<Piece> {
  const { series, everyMs } = await ask(visit, "trends", {}, trendsShape);
  const drawn = series.filter((item) => item.points.length > 1);
  if (drawn.length === 0) return "";
  return html`<div class="stats">
    ${drawn.map((item) => card(item.name, picture(item, everyMs)))}
  </div>`;
}

const width = 240;
const height = 48;

function picture(
  {
    points,
    unit,
    name,
  }: { readonly points: readonly number[]; readonly unit: string; readonly name: string },
  everyMs: number,
): Markup {
  const top = Math.max(...points, 1e-9);
  const place = (value: number, at: number) =>
    `${((at / (points.length - 1)) * width).toFixed(1)},${(height - 2 - (value / top) * (height - 6)).toFixed(1)}`;
  const line = points.map(place).join(" ");
  const last = points.at(-1) ?? 0;
  const minutes = Math.round((points.length * everyMs) / 60_000);
  const words = `now ${number(last)} ${unit}, at most ${number(top)} in the last ${count(minutes)} minutes`;
  return html`<svg
      class="spark"
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${name}: ${words}"
    >
      <polygon class="area" points="0,${height} ${line} ${width},${height}" />
      <polyline class="line" points="${line}" />
    </svg>
    <p class="faint">${words}</p>`;
}

function number(value: number): string {
  if (!Number.isInteger(value) && value < 10) return value.toFixed(value < 1 ? 2 : 1);
  return count(Math.round(value));
}
