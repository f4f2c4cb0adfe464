import { z } from "zod";
import { reportAnswer, type Report } from "../console/answers/connection-report.ts";
import { argument, exitCodes, type Command } from "./command.ts";
import { listOf } from "./list-view.ts";

const installationsShape = z.object({
  installations: z.array(
    z.object({
      connectionId: z.string(),
      vendor: z.string(),
      state: z.string(),
      pause: z.string().nullable(),
      installed: z
        .object({
          organizationId: z.string(),
          organizationName: z.string(),
          region: z.string(),
          installedAt: z.number(),
          installedBy: z.string().nullable(),
          credential: z.string(),
        })
        .nullable(),
    }),
  ),
});

const installShape = z.object({
  installation: z.object({
    startUrl: z.string(),
    redirectUrl: z.string(),
    webhookUrl: z.string(),
    uninstallUrl: z.string(),
    scopes: z.array(z.object({ scope: z.string(), operations: z.array(z.string()) })),
  }),
});

/** Before a connection is trusted. */
export const connectCommands: readonly Command[] = [
  {
    words: "installations",
    usage: "installations",
    summary: "into which workspaces a vendor's app was installed, when and by whom",
    flags: {},
    run: async (invocation) => {
      const answer = await (await invocation.api()).call("GET", "/installations");
      const rows = installationsShape
        .parse(answer)
        .installations.map(({ connectionId, vendor, state, pause, installed }) => ({
          connectionId,
          vendor,
          state: pause ?? state,
          workspace:
            installed === null
              ? "not installed yet"
              : `${installed.organizationName} (${installed.organizationId})`,
          region: installed?.region ?? "",
          at: installed === null ? "" : new Date(installed.installedAt).toISOString(),
          by: installed?.installedBy ?? "",
          credential: installed?.credential ?? "",
        }));
      const columns = {
        connectionId: "CONNECTION",
        vendor: "VENDOR",
        state: "STATE",
        workspace: "WORKSPACE",
        region: "REGION",
        at: "INSTALLED",
        by: "BY",
        credential: "SEALED AS",
      };
      const none = "no mapping names an app: write `connection: { app: sealed:NAME }`";
      const text = listOf("installations", columns, none);
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : text({ installations: rows }),
      );
      return exitCodes.ok;
    },
  },
  {
    words: "install",
    usage: "install <connection>",
    summary:
      "a link that installs the vendor's app (Intercom), and what the app's settings must list",
    flags: {},
    run: async (invocation) => {
      const connection = encodeURIComponent(argument(invocation, 0, "connection"));
      const answer = await (
        await invocation.api()
      ).call("POST", `/connections/${connection}/install-link`);
      const { installation: it } = installShape.parse(answer);
      const lines = [
        "In the app's settings at the vendor, exactly:",
        `  redirect URL   ${it.redirectUrl}`,
        `  webhook URL    ${it.webhookUrl}`,
        `  uninstall URL  ${it.uninstallUrl}`,
        "  scopes",
        ...it.scopes.map((item) => `    ${item.scope}: ${item.operations.join(", ")}`),
        "",
        "Then open this within a day, signed in to the workspace as somebody who may install apps:",
        it.startUrl,
        "",
      ];
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : lines.join("\n"),
      );
      return exitCodes.ok;
    },
  },
  {
    words: "connect",
    usage: "connect <connection>",
    summary:
      "whose credential it is, what it can read, every call that will ever be made; only reads",
    flags: {},
    run: async (invocation) => {
      const connection = encodeURIComponent(argument(invocation, 0, "connection"));
      const answer = await (
        await invocation.api()
      ).call("POST", `/connections/${connection}/connect`);
      const { report } = reportAnswer.parse(answer);
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : render(report),
      );
      const refused = report.reads.some((item) => item.outcome === "refused");
      return report.problem !== null || refused ? exitCodes.negative : exitCodes.ok;
    },
  },
];

function render(report: Report): string {
  const { organization, pin, problem } = report;
  const pinned = pin === "new" ? "pinned from now on" : "the one it is pinned to";
  return [
    `${report.connectionId}: ${report.vendor}, profile ${report.profile}, mode ${report.mode}`,
    organization === null
      ? "answers for nobody yet"
      : `answers for ${organization.name} (${organization.id})${pin === null ? ", when it was last asked" : `, ${pinned}`}`,
    ...(problem === null ? [] : [`NOT USABLE ${problem.code}: ${problem.text}`]),
    ...(report.vendorOwnsMembership
      ? [
          "the vendor's own SCIM or JIT provisioning owns membership: only the rest can be managed here",
        ]
      : []),
    ...(report.credential === null
      ? []
      : [
          `  credential: ${report.credential.kind}; ${report.credential.owner === null ? "the vendor does not tell whose" : `of ${report.credential.owner}`}`,
        ]),
    ...report.notes.map((note) => `  ${note}`),
    ...section(
      "reads",
      report.reads.map((item) => `${item.what}: ${item.outcome}, ${item.text}`),
    ),
    ...section("SCOPES THAT ARE MISSING", report.scopesMissing),
    ...section(
      "scopes too many: it may read these, and nothing here needs them",
      report.scopesBeyond,
    ),
    ...section("not in the vendor's plan", report.planGates),
    ...section(
      "scopes that are needed; those of writes are proven by the first write",
      report.scopes,
    ),
    ...section(
      "limits that are kept",
      report.limits.map(
        (item) => `${item.name}: ${String(item.calls)} calls in ${String(item.perMs / 1_000)} s`,
      ),
    ),
    ...section(
      "every call that will ever be made",
      report.endpoints.map(
        (item) => `${item.access.padEnd(5)} ${item.method.padEnd(6)} ${item.path}`,
      ),
    ),
    ...section("done by people, as tasks", report.byHand),
    ...section(
      "impossible",
      report.impossible.map((item) => `${item.what}: ${item.instead}`),
    ),
    "",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
