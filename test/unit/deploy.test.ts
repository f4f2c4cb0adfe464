// Goal: what the deployment files say fits the code: names of settings, ports, roles.
// Method: read each file as its own tool would, then compare with the tables in code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DockerfileParser } from "dockerfile-ast";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { settings } from "../../src/config/settings.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { metricTable } from "../../src/telemetry/metric-table.ts";
import { readYamlDocuments, secretNames, settingNames } from "../support/deployment-files.ts";
import { grafanaDashboard } from "../support/grafana-dashboard.ts";
import { dockerContext } from "../support/hand-built-image.ts";
import { promqlParts } from "../support/promql.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("Dockerfile", () => {
  const text = read("Dockerfile");
  const parsed = DockerfileParser.parse(text);
  const steps = parsed.getInstructions();
  const last = steps.findLastIndex((step) => step.getKeyword() === "FROM");
  const of = (keyword: string, from = last) =>
    steps.slice(from).filter((step) => step.getKeyword() === keyword);

  test("has nothing that a linter objects to", () => {
    const settingsOfLinter = {
      deprecatedMaintainer: ValidationSeverity.ERROR,
      directiveCasing: ValidationSeverity.ERROR,
      emptyContinuationLine: ValidationSeverity.ERROR,
      instructionCasing: ValidationSeverity.ERROR,
      instructionCmdMultiple: ValidationSeverity.ERROR,
      instructionEntrypointMultiple: ValidationSeverity.ERROR,
      instructionHealthcheckMultiple: ValidationSeverity.ERROR,
      instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
      instructionWorkdirRelative: ValidationSeverity.ERROR,
    };
    const messages = (dockerfile: string) =>
      validate(dockerfile, settingsOfLinter).map((problem) => problem.message);
    expect(messages(text)).toEqual([]);
    expect(messages(text.replace("VOLUME", "VOLUMES"))).toHaveLength(1);
  });

  test("builds on one image of Node.js 24 and installs from the lockfile, without scripts of packages", () => {
    const bases = parsed.getFROMs().map((from) => from.getArguments()[0]?.getValue());
    expect(new Set(bases)).toEqual(new Set(["${NODE_IMAGE}"]));
    expect(text).toMatch(/^ARG NODE_IMAGE=node:24-[a-z]+-slim$/m);
    const installs = of("RUN", 0).map((step) => step.getArgumentsContent() ?? "");
    expect(installs.filter((command) => command.startsWith("npm"))).toEqual([
      "npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund",
    ]);
    expect(of("ADD", 0)).toEqual([]);
  });

  test("starts with the heap flags of `npm start` and of the launcher", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: { start: string } };
    const flags = scripts.start.split(" ").filter((word) => word.startsWith("--"));
    expect(flags.length).toBeGreaterThan(0);
    const entry = JSON.parse(of("ENTRYPOINT")[0]?.getArgumentsContent() ?? "[]") as string[];
    expect(entry).toEqual(["node", ...flags, "src/bin.js"]);
    expect(read("src/bin.js")).toContain(
      `const smallHeap = ${JSON.stringify(flags).replaceAll(",", ", ")};`,
    );
  });

  test("ends as a numbered user who is not root, with a health check and the default ports", () => {
    expect(of("USER").at(-1)?.getArgumentsContent()).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(of("HEALTHCHECK")).toHaveLength(1);
    expect(of("EXPOSE")[0]?.getArgumentsContent()).toBe(
      `${settings.port.default} ${settings.operatorPort.default}`,
    );
  });

  test("sets known settings only, and no secret", () => {
    const names = of("ENV", 0).flatMap((step) =>
      step.getArguments().map((argument) => argument.getValue().split("=")[0] ?? ""),
    );
    expect(names.filter((name) => name !== "NODE_ENV" && !settingNames.has(name))).toEqual([]);
    expect(names.filter((name) => secretNames.has(name))).toEqual([]);
  });

  test("gets nothing from the folder but what it needs", () => {
    const allowed = dockerContext(read(".dockerignore"));
    for (const path of ["src/bin.js", "mappings/default/tenant.yaml", "package-lock.json"])
      expect([path, allowed(path)]).toEqual([path, true]);
    for (const path of [
      ".env",
      ".git/config",
      "data/seal.key",
      "data/bootstrap.json",
      "test/unit/deploy.test.ts",
      "node_modules/express/index.js",
      "src/README.md",
      "key.txt",
    ])
      expect([path, allowed(path)]).toEqual([path, false]);
  });
});

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const alerts = (
  readYamlDocuments(read("deploy/alerts.yaml"))[0] as {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[];
  }
).groups.flatMap((group) => group.rules);

/** The names that `/metrics` shows, with those of the process, and the labels of ours. */
async function exposedNames(): Promise<ReadonlySet<string>> {
  const { body } = await createMetrics().expose();
  const typed = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", kind]) =>
    kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(typed);
}

const labelsOf = (metric: string): readonly string[] => {
  const name = metric.replace(/_(bucket|sum|count)$/, "");
  const row = Object.entries(metricTable).find(([key]) => key === name || key === metric)?.[1];
  return row?.labels ?? [];
};

/** What is wrong with an expression: no PromQL, a metric that nobody measures, a label that the metric lacks. */
function expressionFaults(expression: string, exposed: ReadonlySet<string>): readonly string[] {
  const { faults, metrics, labels } = promqlParts(expression);
  const known = new Set(["le", "instance", "job", ...metrics.flatMap(labelsOf)]);
  return [
    ...faults.map((fault) => `no PromQL: ${fault}`),
    ...metrics.filter((name) => !exposed.has(name)).map((name) => `no metric ${name}`),
    ...labels.filter((label) => !known.has(label)).map((label) => `no label ${label}`),
  ];
}

describe("deploy/alerts.yaml", () => {
  test("asks for metrics that exist, by labels that they have", async () => {
    const exposed = await exposedNames();
    expect(alerts.length).toBeGreaterThan(12);
    for (const { alert, expr } of alerts)
      expect([alert, expressionFaults(expr, exposed)]).toEqual([alert, []]);
    expect(expressionFaults("max by (color) (rolecall_gone) >", exposed)).toEqual([
      expect.stringMatching(/^no PromQL/),
      "no metric rolecall_gone",
      "no label color",
    ]);
  });

  test("says of each how urgent it is, after what time, and where the runbook speaks of it", () => {
    for (const { alert, labels, annotations, ...rule } of alerts) {
      expect(alert).toMatch(/^Rolecall([A-Z][a-z]+)+$/);
      expect(["critical", "warning"], alert).toContain(labels.severity);
      expect(rule.for, alert).toMatch(/^\d+[mh]$/);
      expect(annotations.runbook, alert).toBe(`deploy/runbook.md#${alert.toLowerCase()}`);
      // A label that the expression sums away would be empty in the message.
      const used = [...(annotations.summary ?? "").matchAll(/\$labels\.(\w+)/g)].map((m) => m[1]);
      for (const label of used) expect(rule.expr, alert).toContain(label);
    }
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  test("watches every promise with a clock: leavers, changes, lanes, holds, the record", () => {
    const watched = alerts.flatMap(({ expr }) => promqlParts(expr).metrics);
    for (const name of [
      "rolecall_leaver_oldest_seconds",
      "rolecall_recompute_urgent_owed",
      "rolecall_recompute_oldest_seconds",
      "rolecall_lane_open",
      "rolecall_holds_open",
      "rolecall_audit_unsequenced",
    ])
      expect(watched).toContain(name);
  });
});

describe("deploy/runbook.md", () => {
  const runbook = read("deploy/runbook.md");
  const headings = [...runbook.matchAll(/^### (Rolecall\w+)$/gm)].map((match) => match[1]);

  test("has a heading for each alert and none for others", () => {
    expect(headings.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  test("says at each alert what it means, what to look at and what to do", () => {
    for (const { alert } of alerts) {
      const section = runbook.split(`### ${alert}\n`)[1]?.split(/^#/m)[0] ?? "";
      for (const part of ["Means", "Look at", "Do"])
        expect(section, alert).toMatch(new RegExp(`- \\*\\*${part}\\*\\*: .{20,}`));
    }
  });
});

test("deploy/README.md has the alerts of alerts.yaml, with what the runbook says that they mean", () => {
  const runbook = read("deploy/runbook.md");
  const rows = alerts.map(({ alert, labels, ...rule }) => {
    const section = runbook.split(`### ${alert}\n`)[1] ?? "";
    const means = /- \*\*Means\*\*: (.*)\.$/m.exec(section)?.[1] ?? "";
    return `| [\`${alert}\`](runbook.md#${alert.toLowerCase()}) | ${labels.severity ?? ""} | ${rule.for} | ${means} |`;
  });
  const readme = read("deploy/README.md");
  const [, rest = ""] = readme.split("<!-- alerts: made from alerts.yaml and runbook.md -->");
  expect(rest.split("<!-- end of alerts -->")[0]?.trim()).toBe(
    ["| alert | urgency | after | means |", "|---|---|---|---|", ...rows].join("\n"),
  );
});

describe("deploy/dashboard.json", () => {
  test("is made from the metric table", async () => {
    // After a change of the table: npx vitest run -u test/unit/deploy.test.ts
    const made = `${JSON.stringify(grafanaDashboard(metricTable), null, 2)}\n`;
    await expect(made).toMatchFileSnapshot("../../deploy/dashboard.json");
  });

  test("shows every metric, asks for none that does not exist, and lays no panel over another", async () => {
    const { panels } = grafanaDashboard(metricTable) as {
      readonly panels: readonly {
        readonly id: number;
        readonly title: string;
        readonly gridPos: {
          readonly x: number;
          readonly y: number;
          readonly w: number;
          readonly h: number;
        };
        readonly targets?: readonly { readonly expr: string }[];
      }[];
    };
    const exposed = await exposedNames();
    // What Grafana fills in before it asks.
    const filled = (expr: string) =>
      expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$(tenant|connection)/g, ".*");
    const asked = panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => filled(expr)));
    for (const expr of asked) expect([expr, expressionFaults(expr, exposed)]).toEqual([expr, []]);
    const shown = new Set(
      asked.flatMap((expr) =>
        promqlParts(expr).metrics.map((name) => name.replace(/_bucket$/, "")),
      ),
    );
    expect(Object.keys(metricTable).filter((name) => !shown.has(name))).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, at) => `${String(x + (at % w))} ${String(y + Math.floor(at / w))}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
