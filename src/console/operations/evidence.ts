import { z } from "zod";
import { joinerPopulation, moverPopulation, operatorPopulation } from "../../evidence/changes.ts";
import { controlPack } from "../../evidence/control-pack.ts";
import { leaverDossier } from "../../evidence/dossier.ts";
import { leaverPopulation } from "../../evidence/leavers.ts";
import { readPeriod, sampleOf } from "../../evidence/period.ts";
import { populationKinds, type PopulationKind } from "../../evidence/population.ts";
import { dossierPage, populationCsv, populationPage } from "../../evidence/print-evidence.ts";
import { asId, type CaseId, type TenantId } from "../../model/ids.ts";
import { newRecord, type Actor } from "../../model/records.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { theIdentity } from "./people.ts";

const period = z.string().min(4).max(24);
const of: Readonly<Record<PopulationKind, typeof leaverPopulation>> = {
  leavers: leaverPopulation,
  joiners: joinerPopulation,
  movers: moverPopulation,
  operators: operatorPopulation,
};

/** Who took what out: an export is something that somebody did. */
async function note(
  deps: ConsoleDeps,
  tenantId: TenantId,
  actor: Actor,
  facts: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  await deps.store.appendRecords(tenantId, [
    newRecord(deps.clock, {
      actor,
      action: "evidence.exported",
      subject: { type: "tenant", id: tenantId },
      facts,
    }),
  ]);
}

export const evidenceOperations = [
  operation({
    name: "population",
    method: "GET",
    path: "/populations/:kind",
    summary:
      "Everybody who left, came or moved in a period, or our own operators, each row with its gap, and whether that is all",
    input: z.object({
      kind: z.enum(populationKinds),
      period,
      sample: z.coerce.number().int().min(1).max(10_000).optional(),
      seed: z.string().min(1).max(100).default("rolecall"),
      format: z.enum(["json", "csv", "html"]).default("json"),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const whole = await of[input.kind](deps, tenantId, readPeriod(input.period));
      const { sample, seed } = input;
      const found =
        sample === undefined
          ? whole
          : { ...whole, rows: sampleOf(whole.rows, sample, seed, (row) => row.id) };
      await note(deps, tenantId, actor, {
        ...{ what: input.kind, period: input.period, rows: found.rows.length },
        ...{ of: whole.rows.length, seed: sample === undefined ? null : seed },
      });
      const drawn = sample === undefined ? {} : { sample: { of: whole.rows.length, seed } };
      switch (input.format) {
        case "json":
          return { ...found, ...drawn };
        case "csv":
          return { text: populationCsv(found) };
        case "html":
          return { text: populationPage(found) };
      }
    },
  }),
  operation({
    name: "leaverPack",
    method: "GET",
    path: "/cases/:caseId/pack",
    summary:
      "One leaver's whole evidence: HR's word, both clocks, vendor request ids, read-backs, approvals, and a proof of every record",
    input: z.object({
      caseId: z.string().min(1).max(320),
      format: z.enum(["json", "html"]).default("json"),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const known = await deps.store.getCase(tenantId, asId<CaseId>(input.caseId));
      const item =
        known ??
        (
          await deps.store.listCases(tenantId, {
            identityId: await theIdentity(deps, tenantId, input.caseId),
            limit: 1,
          })
        )[0];
      if (item === undefined) throw new OperationError(404, `"${input.caseId}" has no leaver case`);
      const dossier = await leaverDossier(deps, tenantId, item);
      await note(deps, tenantId, actor, { what: "leaver", caseId: item.caseId });
      return input.format === "html" ? { text: dossierPage(dossier) } : dossier;
    },
  }),
  operation({
    name: "evidencePack",
    method: "GET",
    path: "/evidence",
    summary: "The reports of a period, arranged by SOC 2 control, as files",
    input: z.object({ period }),
    run: async (deps, { tenantId, actor }, input) => {
      const files = await controlPack(deps, tenantId, readPeriod(input.period));
      await note(deps, tenantId, actor, {
        ...{ what: "pack", period: input.period, files: files.length },
      });
      return { files };
    },
  }),
];
