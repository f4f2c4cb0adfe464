import { writeCsv } from "../csv/csv-file.ts";
import { printable, printedInstant } from "../print/printable.ts";
import type { Dossier } from "./dossier.ts";
import type { Population, PopulationRow } from "./population.ts";

/** A population as a page to print. */
export function populationPage(found: Population): string {
  const columns = columnsOf(found.rows);
  return printable({
    title: `Population: ${found.kind}`,
    lead: [
      [
        "Period",
        `${printedInstant(found.period.from)} to before ${printedInstant(found.period.to)}`,
      ],
      ["Asked", printedInstant(found.askedAt)],
      ["Question", found.query],
      ["Complete", found.complete ? "yes" : "no: see the gaps"],
      ...Object.entries(found.counts).map(([name, value]) => [name, value] as const),
    ],
    tables: [
      { title: "Gaps of the whole", columns: ["gap"], rows: found.gaps.map((gap) => [gap]) },
      {
        title: "Rows",
        columns: ["id", "gap", ...columns, "records"],
        rows: found.rows.map((row) => cellsOf(row, columns)),
      },
    ],
  });
}

export function populationCsv(found: Population): string {
  const columns = columnsOf(found.rows);
  return writeCsv(
    ["id", "gap", ...columns, "records"],
    found.rows.map((row) => cellsOf(row, columns)),
  );
}

const columnsOf = (rows: readonly PopulationRow[]): readonly string[] => [
  ...new Set(rows.flatMap((row) => Object.keys(row.facts))),
];

function cellsOf(row: PopulationRow, columns: readonly string[]): readonly (string | number)[] {
  return [
    row.id,
    row.gap ?? "",
    ...columns.map((name) => cell(name, row.facts[name])),
    row.records.join(" "),
  ];
}

function cell(name: string, value: unknown): string | number {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return /(At|t0)$/.test(name) ? printedInstant(value) : value;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** One leaver as a page to print. */
export function dossierPage(dossier: Dossier): string {
  const { pack } = dossier;
  const { case: item } = pack;
  const seconds = (clock: { fromSignal: number; fromHr: number | undefined } | undefined) =>
    clock === undefined
      ? "not yet"
      : `${String(clock.fromSignal)} s${clock.fromHr === undefined ? "" : `, ${String(clock.fromHr)} s from HR`}`;
  return printable({
    title: `Leaver ${item.identityId}`,
    lead: [
      ["Case", item.caseId],
      ["State", item.state],
      ["Told by", item.source],
      ["Left (T0)", printedInstant(item.t0)],
      ["HR's instant", printedInstant(item.hrAt) || "HR told none"],
      ["Signal accepted", printedInstant(item.signalAt)],
      ["Closed", printedInstant(item.closedAt) || "no"],
      ["SHA-256 of the pack", dossier.packHash],
      ["Made", printedInstant(dossier.madeAt)],
    ],
    tables: [
      {
        title: "Vendors",
        columns: ["connection", "channel", "contained", "removed", "verified", "writes"],
        rows: pack.connections.map((one) => [
          ...[one.connectionId, one.channel, seconds(one.contained), seconds(one.removed)],
          ...[seconds(one.verified), one.writes.length],
        ]),
      },
      {
        title: "Still owed",
        columns: ["connection", "duty", "subject", "until"],
        rows: pack.open.map((duty) => [
          ...[duty.connectionId ?? "", duty.kind, duty.subject, printedInstant(duty.deadline)],
        ]),
      },
      {
        title: "Read back at the vendors",
        columns: ["connection", "at", "SHA-256"],
        rows: dossier.readBacks.map((one) => [
          one.connectionId,
          printedInstant(one.at),
          one.sha256,
        ]),
      },
      {
        title: "Approvals",
        columns: ["at", "what", "by", "covers", "record"],
        rows: dossier.approvals.map((one) => [
          ...[printedInstant(one.at), one.action, one.by, one.covers, one.recordId],
        ]),
      },
      {
        title: "Exceptions",
        columns: ["connection", "effect", "kind", "role", "why", "by"],
        rows: dossier.exceptions.map((one) => [
          ...[one.connectionId, one.effect, one.kind, one.role, one.why, one.by],
        ]),
      },
      {
        title: "Records",
        note: `${String(dossier.proofs.length)} are proved in the signed tree, ${String(dossier.unproved.length)} not yet`,
        columns: ["at", "action", "connection", "vendor request ids", "record"],
        rows: dossier.records.map((one) => [
          ...[printedInstant(one.at), one.action, one.connectionId],
          ...[one.requestIds.join(" "), one.recordId],
        ]),
      },
    ],
  });
}
