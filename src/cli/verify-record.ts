import { join } from "node:path";
import { checkpointPath, readCheckpoints } from "../audit/checkpoint.ts";
import { exportAudit, fileSource, storeSource, type AuditSource } from "../audit/export.ts";
import { verifyAudit, type Verification } from "../audit/verify.ts";
import { readConfig } from "../config/config.ts";
import { asId, type TenantId } from "../model/ids.ts";
import { openRecord, type RecordPlace } from "../open-store.ts";
import { csvRows } from "../csv/csv-file.ts";
import { formatOf, recordCells, recordHeader, recordShape } from "./audit-view.ts";
import { exitCodes, flag, type ExitCode, type Invocation } from "./command.ts";
import { givenKeys, verifyProof } from "./prove-record.ts";

/** Recomputes the record of one tenant from its store and compares it with every checkpoint in the data folder. */
export async function verifyStore(place: RecordPlace, tenantId: TenantId): Promise<Verification> {
  const reader = await openRecord(place);
  try {
    return await verifyAudit(
      await storeSource(reader, tenantId),
      readCheckpoints(checkpointPath(join(place.dataDir, "checkpoints"), tenantId)),
    );
  } finally {
    await reader.close();
  }
}

/** `rolecall audit verify`: of the store, of an export with a checkpoint file from elsewhere, or of one proof. */
export async function verifyRecord(invocation: Invocation): Promise<ExitCode> {
  const proof = flag(invocation, "proof");
  if (proof !== undefined) return verifyProof(invocation, proof);
  const exported = flag(invocation, "export");
  const results =
    exported === undefined
      ? await verifyTenants(invocation)
      : await verifyExport(invocation, exported);
  if (invocation.json) invocation.terminal.out(`${JSON.stringify(results, null, 2)}\n`);
  else
    for (const [name, result] of Object.entries(results))
      invocation.terminal.out(render(name, result));
  if (invocation.flags["report"] === true) await report(invocation, results);
  return Object.values(results).every((result) => result.ok) ? exitCodes.ok : exitCodes.negative;
}

/** Tells the service, which records it and tells people outside where the record does not hold. */
async function report(
  invocation: Invocation,
  results: Readonly<Record<string, Verification>>,
): Promise<void> {
  const api = await invocation.api();
  for (const [tenant, { ok, size, root, problems }] of Object.entries(results))
    await api.call("POST", "/audit/verifications", {
      ...{ tenant, ok, size, root, problems: problems.length },
    });
}

async function verifyTenants(
  invocation: Invocation,
): Promise<Readonly<Record<string, Verification>>> {
  const config = readConfig();
  const wanted = flag(invocation, "tenant");
  const keys = await givenKeys(invocation);
  const reader = await openRecord(config);
  try {
    const results: Record<string, Verification> = {};
    for (const tenantId of reader.tenants) {
      if (wanted !== undefined && wanted !== tenantId) continue;
      const checkpoints =
        flag(invocation, "checkpoints") ?? checkpointPath(config.checkpointsDir, tenantId);
      results[tenantId] = await verifyAudit(
        await storeSource(reader, tenantId),
        readCheckpoints(checkpoints),
        keys,
      );
    }
    return results;
  } finally {
    await reader.close();
  }
}

/** `rolecall audit export`: the record of one tenant, for whoever verifies it elsewhere or replays it. */
export async function exportRecord(invocation: Invocation): Promise<ExitCode> {
  const config = readConfig();
  const wanted = asId<TenantId>(flag(invocation, "tenant") ?? config.tenantId);
  const reader = await openRecord(config);
  try {
    const source = await storeSource(reader, wanted);
    const lines =
      formatOf(invocation) === "csv"
        ? exportCsv(source)
        : exportAudit(source, { personal: invocation.flags["personal"] === true });
    for await (const text of lines) invocation.terminal.out(text);
  } finally {
    await reader.close();
  }
  return exitCodes.ok;
}

/** Rows for spreadsheets, in leaf order; what is verified elsewhere is the NDJSON. */
async function* exportCsv(source: AuditSource): AsyncGenerator<string> {
  yield csvRows([[...recordHeader, "leaf_hash"]]);
  let rows: (readonly (string | number)[])[] = [];
  for await (const item of source.records()) {
    const cells = recordCells(recordShape.parse(item));
    rows.push([...cells, item.leafHash].map((cell) => cell ?? ""));
    if (rows.length < csvPage) continue;
    yield csvRows(rows);
    rows = [];
  }
  if (rows.length > 0) yield csvRows(rows);
}

const csvPage = 1_000;

async function verifyExport(
  invocation: Invocation,
  path: string,
): Promise<Readonly<Record<string, Verification>>> {
  const source = await fileSource(path);
  const checkpoints = flag(invocation, "checkpoints");
  return {
    [source.tenantId]: await verifyAudit(
      source,
      checkpoints === undefined ? none() : readCheckpoints(checkpoints),
      await givenKeys(invocation),
    ),
  };
}

async function* none(): AsyncGenerator<never> {
  // An export without checkpoints is compared with itself alone.
}

function render(name: string, result: Verification): string {
  const head = result.ok
    ? `${name}: verified, ${String(result.size)} records, ${String(result.checkpoints)} checkpoints${result.signed === undefined ? " (signatures not checked: give --key)" : ", all signed"}, root ${result.root}`
    : `${name}: does NOT verify (${String(result.size)} records read)`;
  return `${[head, ...result.problems.map((problem) => `  ${problem}`)].join("\n")}\n`;
}
