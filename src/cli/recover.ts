import { z } from "zod";
import { fileSource, type ExportedRecord } from "../audit/export.ts";
import type { Json } from "../model/json.ts";
import {
  argument,
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type Invocation,
} from "./command.ts";
import { instant } from "./table.ts";

const statusShape = z.object({
  braked: z.boolean(),
  since: z.number().optional(),
  reasons: z.array(z.string()).default([]),
  unread: z.array(z.object({ tenantId: z.string(), connectionId: z.string() })).default([]),
  arriving: z.array(z.string()).default([]),
  missingRecords: z.object({ from: z.number(), to: z.number() }).nullish(),
});

const replayShape = z.object({ replayed: z.number(), unknown: z.number(), passed: z.number() });

/** Records of one request; each is a few hundred bytes. */
const pageSize = 200;

/** What to do with a store that was restored or copied: look, replay, release. */
export const recoverCommands: readonly Command[] = [
  {
    words: "recover",
    usage: "recover",
    summary: "whether the store is braked after a restore or a copy, and what to do",
    flags: {},
    run: async (invocation) => {
      const answer = await (await invocation.api()).call("GET", "/recovery");
      if (invocation.json) invocation.terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
      else invocation.terminal.out(render(statusShape.parse(answer)));
      return exitCodes.ok;
    },
  },
  {
    words: "recover replay",
    usage: "recover replay <export.ndjson> [--from N]",
    summary: "tell a restored store what was written after its backup, from an audit export",
    flags: { from: "string" },
    run: replay,
  },
  {
    words: "recover release",
    usage: "recover release --why TEXT [--without connection]",
    summary: "take the brake off, signed by you",
    flags: { why: "string", without: "string" },
    run: async (invocation) => {
      const without = flag(invocation, "without");
      const answer = await (
        await invocation.api()
      ).call("POST", "/recovery/release", {
        why: requiredFlag(invocation, "why"),
        ...(without === undefined ? {} : { without: without.split(",") }),
      });
      invocation.terminal.out(
        invocation.json
          ? `${JSON.stringify(answer, null, 2)}\n`
          : "released: connections write again as their mappings say; everybody is looked at anew\n",
      );
      return exitCodes.ok;
    },
  },
];

async function replay(invocation: Invocation): Promise<0> {
  const source = await fileSource(argument(invocation, 0, "export.ndjson"));
  const api = await invocation.api();
  const from = firstMissing(invocation, await api.call("GET", "/recovery"));
  const sum = { replayed: 0, unknown: 0, passed: 0 };
  const send = async (records: readonly ExportedRecord[]) => {
    if (records.length === 0) return;
    const page = replayShape.parse(
      await api.call("POST", "/recovery/replay", { from, records: records as unknown as Json }),
    );
    sum.replayed += page.replayed;
    sum.unknown += page.unknown;
    sum.passed += page.passed;
  };
  let page: ExportedRecord[] = [];
  for await (const item of source.records()) {
    if (item.leafIndex < from) continue;
    page.push(item);
    if (page.length < pageSize) continue;
    await send(page);
    page = [];
  }
  await send(page);
  invocation.terminal.out(
    invocation.json
      ? `${JSON.stringify(sum, null, 2)}\n`
      : `${String(sum.replayed)} outcomes replayed from record ${String(from)} on; ${String(sum.unknown)} of people or connections that this store does not know\n`,
  );
  return exitCodes.ok;
}

function firstMissing(invocation: Invocation, answer: unknown): number {
  const given = flag(invocation, "from");
  if (given !== undefined) {
    const from = Number(given);
    if (Number.isSafeInteger(from) && from >= 0) return from;
    throw new CommandError(exitCodes.usage, "--from wants a record number, 0 or above");
  }
  const status = statusShape.parse(answer);
  if (!status.braked) throw new CommandError(exitCodes.notThere, "the store is not braked");
  if (status.missingRecords === undefined || status.missingRecords === null) {
    throw new CommandError(
      exitCodes.usage,
      "it is not known which records the store lacks: say with --from N where its own record ended",
    );
  }
  return status.missingRecords.from;
}

function render(status: z.output<typeof statusShape>): string {
  if (!status.braked) return "the store is not braked\n";
  const { arriving, missingRecords, unread } = status;
  return `${[
    `BRAKED since ${instant(status.since ?? null)}: every connection is report-only`,
    ...status.reasons.map((reason) => `  ${reason}`),
    "",
    "what to do, in this order:",
    missingRecords === undefined || missingRecords === null
      ? "  1. if another store with a newer record exists, use that one"
      : `  1. rolecall recover replay <export.ndjson>   (records ${String(missingRecords.from)} to ${String(missingRecords.to)}, from the audit stream or an export)`,
    arriving.length === 0
      ? "  2. every identity provider has arrived: done"
      : `  2. have them push everybody and every group again (Okta: Push Now; Entra ID: Restart provisioning), then rolecall idp loaded <name>: ${arriving.join(", ")}`,
    unread.length === 0
      ? "  3. every connection has been read as a whole: done"
      : `  3. wait until these connections have been read as a whole: ${unread.map((item) => `${item.tenantId}/${item.connectionId}`).join(", ")}`,
    "  4. rolecall plan   (what would be written)",
    '  5. rolecall recover release --why "…"',
  ].join("\n")}\n`;
}
