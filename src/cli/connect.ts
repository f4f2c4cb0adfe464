import { z } from "zod";
import { argument, exitCodes, type Command } from "./command.ts";

const shape = z.object({
  report: z.object({
    connectionId: z.string(),
    vendor: z.string(),
    profile: z.string(),
    mode: z.string(),
    organization: z.object({ id: z.string(), name: z.string() }).nullable(),
    pin: z.enum(["new", "same"]).nullable(),
    problem: z.object({ code: z.string(), text: z.string() }).nullable(),
    notes: z.array(z.string()),
    reads: z.array(z.object({ what: z.string(), outcome: z.string(), text: z.string() })),
    vendorOwnsMembership: z.boolean(),
    scopes: z.array(z.string()),
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

type Report = z.infer<typeof shape>["report"];

/** Before a connection is trusted. */
export const connectCommands: readonly Command[] = [
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
      const { report } = shape.parse(answer);
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
    ...report.notes.map((note) => `  ${note}`),
    ...section(
      "reads",
      report.reads.map((item) => `${item.what}: ${item.outcome}, ${item.text}`),
    ),
    ...section(
      "scopes that are needed; whatever else the credential may do is more than that",
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
