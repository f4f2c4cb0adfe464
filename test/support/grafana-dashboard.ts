import type { MetricRow } from "../../src/telemetry/metric-table.ts";

/** Rows of the dashboard: the first whose prefix fits takes a metric. */
const sections: readonly (readonly [prefix: string, title: string])[] = [
  ["rolecall_scim_", "Identity providers"],
  ["rolecall_recompute_", "Recompute"],
  ["rolecall_hints_", "Hints and sweep"],
  ["rolecall_sweep_", "Hints and sweep"],
  ["rolecall_fanout_", "Hints and sweep"],
  ["rolecall_bus_", "Hints and sweep"],
  ["rolecall_dead_letters_", "Hints and sweep"],
  ["rolecall_vendor_", "Vendors"],
  ["rolecall_event_to_call_", "Vendors"],
  ["rolecall_targets", "People and lanes"],
  ["rolecall_leaver_", "People and lanes"],
  ["rolecall_holds_", "People and lanes"],
  ["rolecall_lane_", "People and lanes"],
  ["rolecall_retr", "People and lanes"],
  ["rolecall_store_", "Store"],
  ["rolecall_database_", "Store"],
  ["rolecall_audit_", "Audit record"],
  ["", "Process"],
];

/** What is looked at first: one number each, red above its bound. */
const headlines: readonly (readonly [title: string, expr: string, unit: string, red: number])[] = [
  ["Oldest leaver with access", "max(rolecall_leaver_oldest_seconds)", "s", 900],
  ["Oldest change not worked on", "max(rolecall_recompute_oldest_seconds)", "s", 300],
  ["People owed", "max(rolecall_recompute_owed)", "short", 10_000],
  [
    "Lanes closed",
    "count(max by (tenant, connection) (rolecall_lane_open) == 0) or vector(0)",
    "short",
    1,
  ],
  [
    "Batches held",
    "sum(max by (tenant, connection) (rolecall_holds_open)) or vector(0)",
    "short",
    1,
  ],
  ["Records not in the tree", "sum(max by (tenant) (rolecall_audit_unsequenced))", "short", 500],
];

/** Of the process itself, which prom-client measures. */
const processPanels = [
  ["CPU", "rate(process_cpu_seconds_total[$__rate_interval])", "percentunit"],
  ["Memory", "process_resident_memory_bytes", "bytes"],
  ["Event loop, 99th percentile", "nodejs_eventloop_lag_p99_seconds", "s"],
] as const;

const columns = 24;
const datasource = { type: "prometheus", uid: "${datasource}" };

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** The dashboard of every declared metric, as Grafana imports it. Made, so that no metric is forgotten and none is shown that is gone. */
export function grafanaDashboard(table: Readonly<Record<string, MetricRow>>): object {
  const panels: object[] = [];
  let y = 0;
  const nextId = () => panels.length + 1;
  const addRow = (title: string) => {
    panels.push({
      type: "row",
      id: nextId(),
      title,
      collapsed: false,
      gridPos: place(0, y, columns, 1),
      panels: [],
    });
    y += 1;
  };
  const addGraphs = (graphs: readonly Omit<Graph, "id" | "gridPos">[]) => {
    for (const [at, graph] of graphs.entries()) {
      const gridPos = place((at % 3) * 8, y + Math.floor(at / 3) * 8, 8, 8);
      panels.push(timeSeries({ ...graph, id: nextId(), gridPos }));
    }
    y += Math.ceil(graphs.length / 3) * 8;
  };

  addRow("Is all well");
  for (const [at, [title, expr, unit, red]] of headlines.entries())
    panels.push(stat({ id: nextId(), gridPos: place(at * 4, y, 4, 4), title, expr, unit, red }));
  y += 4;
  const titles = [...new Set(sections.map(([, title]) => title))];
  for (const title of titles) {
    const graphs = Object.entries(table)
      .filter(([name]) => titleOf(name) === title)
      .map(([name, row]) => graphOf(name, row));
    const more =
      title === "Process"
        ? processPanels.map(([name, expr, unit]) => processGraph(name, expr, unit))
        : [];
    if (graphs.length + more.length === 0) continue;
    addRow(title);
    addGraphs([...graphs, ...more]);
  }
  return {
    title: "Rolecall",
    uid: "rolecall",
    tags: ["rolecall"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    timezone: "utc",
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        variable("tenant", "label_values(rolecall_lane_open, tenant)"),
        variable("connection", 'label_values(rolecall_lane_open{tenant=~"$tenant"}, connection)'),
      ],
    },
    annotations: { list: [] },
    panels,
  };
}

const place = (x: number, y: number, w: number, h: number): Place => ({ x, y, w, h });

function titleOf(name: string): string {
  return sections.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "";
}

interface Graph {
  readonly id: number;
  readonly gridPos: Place;
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
}

function graphOf(name: string, row: MetricRow): Omit<Graph, "id" | "gridPos"> {
  const chosen = row.labels.filter((label) => label === "tenant" || label === "connection");
  const matcher = chosen.map((label) => `${label}=~"$${label}"`).join(", ");
  const from = (suffix = "") => `${name}${suffix}${matcher === "" ? "" : `{${matcher}}`}`;
  const by = row.labels.length === 0 ? "" : ` by (${row.labels.join(", ")}) `;
  const legend = row.labels.map((label) => `{{${label}}}`).join(" ");
  const title = name
    .replace(/^rolecall_/, "")
    .replace(/_(total|seconds)$/, "")
    .replaceAll("_", " ");
  const unit = row.unit === "seconds" ? "s" : row.unit === "ratio" ? "percentunit" : "short";
  const base = {
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    description: `${row.help} (${name})`,
  };
  switch (row.kind) {
    case "counter":
      return {
        ...base,
        unit: "cps",
        queries: [{ expr: `sum${by}(rate(${from()}[$__rate_interval]))`, legend }],
      };
    case "gauge":
      return { ...base, unit, queries: [{ expr: `max${by}(${from()})`, legend }] };
    case "histogram":
      return {
        ...base,
        unit,
        queries: [0.5, 0.99].map((quantile) => ({
          expr: `histogram_quantile(${String(quantile)}, sum by (${["le", ...row.labels].join(", ")}) (rate(${from("_bucket")}[$__rate_interval])))`,
          legend: `p${String(quantile * 100)} ${legend}`.trim(),
        })),
      };
  }
}

function processGraph(title: string, expr: string, unit: string): Omit<Graph, "id" | "gridPos"> {
  return {
    title,
    description: "Of each process.",
    unit,
    // Only processes of ours: others may export the same names.
    queries: [
      { expr: `${expr} and on (instance) rolecall_recompute_owed`, legend: "{{instance}}" },
    ],
  };
}

function timeSeries({ id, gridPos, title, description, unit, queries }: Graph): object {
  return {
    type: "timeseries",
    id,
    gridPos,
    title,
    description,
    datasource,
    fieldConfig: {
      defaults: { unit, min: 0, custom: { lineWidth: 1, fillOpacity: 8, showPoints: "never" } },
      overrides: [],
    },
    options: {
      legend: { displayMode: "list", placement: "bottom" },
      tooltip: { mode: "multi", sort: "desc" },
    },
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr,
      legendFormat: legend === "" ? title : legend,
    })),
  };
}

function stat(panel: {
  readonly id: number;
  readonly gridPos: Place;
  readonly title: string;
  readonly expr: string;
  readonly unit: string;
  readonly red: number;
}): object {
  const { id, gridPos, title, expr, unit, red } = panel;
  const steps = [
    { color: "green", value: null },
    { color: "red", value: red },
  ];
  return {
    type: "stat",
    id,
    gridPos,
    title,
    datasource,
    fieldConfig: { defaults: { unit, thresholds: { mode: "absolute", steps } }, overrides: [] },
    options: { colorMode: "value", graphMode: "area", reduceOptions: { calcs: ["lastNotNull"] } },
    targets: [{ refId: "A", datasource, expr }],
  };
}

function variable(name: string, query: string): object {
  return {
    name,
    type: "query",
    datasource,
    query,
    refresh: 2,
    multi: true,
    includeAll: true,
    current: { text: "All", value: "$__all" },
  };
}
