/** One line of a panel. */
export interface Series {
  readonly name: string;
  /** x and y, both above zero: the axes are logarithmic. */
  readonly points: readonly (readonly [number, number])[];
}

/** A growth curve: how a figure grows with a size. */
export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const width = 360;
const height = 250;
const margin = { top: 34, right: 96, bottom: 40, left: 52 };
const columns = 2;
/** Told apart by colour-blind readers too; the marks differ as well. */
const colours = ["#1d4ed8", "#b45309", "#0f766e", "#7e22ce"] as const;

/** Panels in a grid, as one SVG document that needs nothing beside it. @throws Error for a panel without points */
export function plot(panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / columns);
  const [w, h] = [columns * width, rows * height];
  const cells = panels.map((panel, at) => {
    const [x, y] = [(at % columns) * width, Math.floor(at / columns) * height];
    return `<g transform="translate(${String(x)} ${String(y)})">${cell(panel)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(w)} ${String(h)}" width="${String(w)}" height="${String(h)}" font-family="system-ui, sans-serif" font-size="11">`,
    `<rect width="${String(w)}" height="${String(h)}" fill="#ffffff"/>`,
    ...cells,
    "</svg>",
    "",
  ].join("\n");
}

function cell(panel: Panel): string {
  const points = panel.series.flatMap((series) => series.points);
  if (points.length === 0) throw new Error(`nothing to draw in "${panel.title}"`);
  const x = axis(
    points.map(([value]) => value),
    margin.left,
    width - margin.right,
  );
  const y = axis(
    points.map(([, value]) => value),
    height - margin.bottom,
    margin.top,
  );
  const [left, right, bottom] = [margin.left, width - margin.right, height - margin.bottom];
  return [
    text(left, 18, panel.title, { weight: "600" }),
    ...y.ticks.map(
      (tick) =>
        `<path d="M${n(left)} ${n(y.at(tick))}H${n(right)}" stroke="#e5e7eb"/>` +
        text(left - 6, y.at(tick) + 4, tickText(tick), { anchor: "end", colour: "#4b5563" }),
    ),
    ...x.ticks.map((tick) =>
      text(x.at(tick), bottom + 15, tickText(tick), { anchor: "middle", colour: "#4b5563" }),
    ),
    `<path d="M${n(left)} ${n(bottom)}H${n(right)}" stroke="#6b7280"/>`,
    text((left + right) / 2, height - 8, `${panel.x} · ${panel.y}`, {
      anchor: "middle",
      colour: "#4b5563",
    }),
    ...panel.series.map((series, at) => line(series, x, y, at, panel)),
  ].join("");
}

interface Axis {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Whole decades around the values, from one pixel to another. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new Error("a logarithmic axis takes values above zero only");
  }
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at)),
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  };
}

function line(series: Series, x: Axis, y: Axis, at: number, panel: Panel): string {
  const colour = colours[at % colours.length] ?? colours[0];
  const places = series.points.map(([px, py]) => [x.at(px), y.at(py)] as const);
  const path = places.map(([px, py], of) => `${of === 0 ? "M" : "L"}${n(px)} ${n(py)}`).join("");
  const marks = places.map(([px, py]) =>
    at % 2 === 0
      ? `<circle cx="${n(px)}" cy="${n(py)}" r="3" fill="${colour}"/>`
      : `<rect x="${n(px - 3)}" y="${n(py - 3)}" width="6" height="6" fill="${colour}"/>`,
  );
  const last = places.at(-1) ?? [0, 0];
  const [, lastY = 0] = last;
  // Names of lines that end beside each other are moved apart.
  const others = panel.series.slice(0, at).map((other) => y.at(other.points.at(-1)?.[1] ?? 1));
  const crowded = others.some((other) => Math.abs(other - lastY) < 12);
  const label = text(last[0] + 8, lastY + (crowded ? 16 : 4), series.name, { colour });
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${marks.join("")}${label}`;
}

const n = (value: number) => value.toFixed(1);

function tickText(value: number): string {
  if (value >= 1_000_000) return `${String(value / 1_000_000)}M`;
  if (value >= 1_000) return `${String(value / 1_000)}k`;
  return String(Number(value.toPrecision(1)));
}

function text(
  x: number,
  y: number,
  content: string,
  style: {
    readonly anchor?: "middle" | "end";
    readonly colour?: string;
    readonly weight?: string;
  },
): string {
  const { anchor = "start", colour = "#111827", weight = "400" } = style;
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" fill="${colour}" font-weight="${weight}">${safe}</text>`;
}
