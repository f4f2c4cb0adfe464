import type { Response } from "express";
import { z } from "zod";
import { ask, type Visit } from "./page.ts";

const pageShape = z.object({
  tenantId: z.string(),
  tree: z.object({ size: z.number(), frontier: z.array(z.string()) }),
  records: z.array(z.looseObject({ leafIndex: z.number().optional() })),
});

const pageSize = 1_000;

/**
 * The audit record as a file that `rolecall audit verify --export` reads: head, a line per record, end line. Without personal values; their
 * commitments stay, so every proof is valid.
 */
export async function exportFile(visit: Visit, response: Response): Promise<void> {
  let page = await ask(visit, "auditPage", { from: 0, limit: pageSize }, pageShape);
  const { tenantId, tree } = page;
  response.type("application/x-ndjson");
  response.attachment(`rolecall-audit-${tenantId}-${String(tree.size)}.ndjson`);
  const write = async (value: object) => {
    if (!response.write(`${JSON.stringify(value)}\n`))
      await new Promise<void>((resolve) => {
        response.once("drain", resolve);
        response.once("close", resolve);
      });
  };
  await write({ format: "rolecall-audit-export/1", tenantId, tree });
  let count = 0;
  while (count < tree.size && !response.destroyed) {
    // What was added since the first page belongs to a later tree.
    const records = page.records.slice(0, tree.size - count);
    if (records.length === 0) break;
    for (const record of records) await write(record);
    count += records.length;
    if (count < tree.size)
      page = await ask(visit, "auditPage", { from: count, limit: pageSize }, pageShape);
  }
  await write({ end: true, count });
  response.end();
}
