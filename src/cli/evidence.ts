import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { checkpointPath, readCheckpoints } from "../audit/checkpoint.ts";
import { exportAudit, fileSource, storeSource } from "../audit/export.ts";
import { verifyAudit } from "../audit/verify.ts";
import { readConfig, type Config } from "../config/config.ts";
import {
  checkManifest,
  readArchive,
  recordIdsIn,
  writeArchive,
  type ArchiveFile,
} from "../evidence/archive.ts";
import { asId, type TenantId } from "../model/ids.ts";
import { openRecord } from "../open-store.ts";
import {
  argument,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type ExitCode,
  type Invocation,
} from "./command.ts";
import { fileBytes } from "./input-file.ts";
import { givenKeys } from "./prove-record.ts";

const exportPath = "record/export.ndjson";
const checkpointsPath = "record/checkpoints.txt";
const packShape = z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) });

/** What auditors get. */
export const evidenceCommands: readonly Command[] = [
  {
    words: "audit population",
    usage:
      "audit population leavers|joiners|movers|operators --period 2026-Q3 [--sample N --seed S] [--format json|csv|html]",
    summary: "everybody of a kind in a period, each with its gap, and whether that is all",
    flags: { period: "string", sample: "string", seed: "string", format: "string" },
    run: async (invocation) => {
      const kind = encodeURIComponent(argument(invocation, 0, "kind"));
      return printText(invocation, `/populations/${kind}`, {
        period: requiredFlag(invocation, "period"),
        sample: flag(invocation, "sample"),
        seed: flag(invocation, "seed"),
        format: flag(invocation, "format"),
      });
    },
  },
  {
    words: "case pack",
    usage: "case pack <case or identity> [--format json|html]",
    summary: "one leaver's evidence: clocks, vendor request ids, read-backs, approvals, proofs",
    flags: { format: "string" },
    run: async (invocation) => {
      const which = encodeURIComponent(argument(invocation, 0, "case"));
      return printText(invocation, `/cases/${which}/pack`, { format: flag(invocation, "format") });
    },
  },
  {
    words: "audit pack",
    usage: "audit pack --period 2026-Q3 --out FILE.tar | --verify FILE.tar [--key KEY]",
    summary:
      "the evidence of a period as one archive by SOC 2 control; or check one, without a service",
    flags: { period: "string", out: "string", verify: "string", key: "string" },
    run: (invocation) => {
      const path = flag(invocation, "verify");
      return path === undefined ? writePack(invocation) : verifyPack(invocation, path);
    },
  },
];

async function printText(
  invocation: Invocation,
  path: string,
  input: Readonly<Record<string, string | undefined>>,
): Promise<ExitCode> {
  const answer = await (await invocation.api()).call("GET", path, input);
  const page = z.object({ text: z.string() }).safeParse(answer);
  invocation.terminal.out(page.success ? page.data.text : `${JSON.stringify(answer, null, 2)}\n`);
  return exitCodes.ok;
}

async function writePack(invocation: Invocation): Promise<ExitCode> {
  const period = requiredFlag(invocation, "period");
  const out = requiredFlag(invocation, "out");
  const answer = await (await invocation.api()).call("GET", "/evidence", { period });
  const reports = packShape.parse(answer).files.map(({ path, text }) => fileOf(path, text));
  const config = readConfig();
  const tenantId = asId<TenantId>(flag(invocation, "tenant") ?? config.tenantId);
  const record = await recordFiles(config, tenantId);
  const files = [fileOf("README.txt", readme), ...reports, ...record];
  const about = { tenant: tenantId, period, version: config.version };
  await writeFile(out, writeArchive(files, about), { mode: 0o600 });
  invocation.terminal.out(`${out}: ${String(files.length)} files\n`);
  return exitCodes.ok;
}

const fileOf = (path: string, text: string): ArchiveFile => ({ path, bytes: Buffer.from(text) });

/** The whole record without personal values, and the checkpoints that it is held against. */
async function recordFiles(config: Config, tenantId: TenantId): Promise<readonly ArchiveFile[]> {
  const reader = await openRecord(config);
  try {
    const lines: string[] = [];
    for await (const text of exportAudit(await storeSource(reader, tenantId), { personal: false }))
      lines.push(text);
    const path = checkpointPath(config.checkpointsDir, tenantId);
    return [
      fileOf(exportPath, lines.join("")),
      { path: checkpointsPath, bytes: await readFile(path) },
    ];
  } finally {
    await reader.close();
  }
}

/** Needs nothing but the archive; with the key of the checkpoints it says who signed them, too. */
async function verifyPack(invocation: Invocation, path: string): Promise<ExitCode> {
  const files = readArchive(await fileBytes(path));
  const problems = [...checkManifest(files)];
  const keys = await givenKeys(invocation);
  const folder = await mkdtemp(join(tmpdir(), "rolecall-pack-"));
  let size = 0;
  try {
    const found = (name: string) => files.find((file) => file.path === name);
    const [exported, checkpoints] = [found(exportPath), found(checkpointsPath)];
    if (exported === undefined || checkpoints === undefined) problems.push("the record is missing");
    else {
      const at = { record: join(folder, "export"), checkpoints: join(folder, "checkpoints") };
      await writeFile(at.record, exported.bytes);
      await writeFile(at.checkpoints, checkpoints.bytes);
      const source = await fileSource(at.record);
      const result = await verifyAudit(source, readCheckpoints(at.checkpoints), keys);
      size = result.size;
      problems.push(...result.problems);
      const known = new Set<string>();
      for await (const item of source.records()) known.add(item.record.recordId);
      const unknown = [...recordIdsIn(files)].filter((id) => !known.has(id));
      if (unknown.length > 0)
        problems.push(
          `${String(unknown.length)} records that reports name are not in the record: ${unknown.slice(0, 5).join(", ")}`,
        );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const ok = problems.length === 0;
  const signed = keys.length === 0 ? " (signatures not checked: give --key)" : ", signed";
  invocation.terminal.out(
    invocation.json
      ? `${JSON.stringify({ ok, files: files.length, records: size, problems }, null, 2)}\n`
      : ok
        ? `${path}: verified, ${String(files.length)} files, ${String(size)} records${signed}\n`
        : `${path}: does NOT verify\n${problems.map((text) => `  ${text}\n`).join("")}`,
  );
  return ok ? exitCodes.ok : exitCodes.negative;
}

const readme = `Evidence of Rolecall, arranged by SOC 2 control.

CC6.1  operators.json     who may work on the service, and which identity providers may write to it
       connections.json   vendors, modes, rails
CC6.2  joiners.json       everybody who came, with what they were given and by which rule
       leavers.json       everybody who left: HR leavers = cases = absence at the vendors, or a named gap
       leavers/           one file a case, with vendor request ids, read-backs, approvals and proofs
CC6.3  movers.json        whose access changed
       reviews/           access reviews as NDJSON
CC7.2  findings.json      what the service told people
       decisions.json     holds, stops, pauses, revoked keys
CC8.1  mapping-changes.json  who proposed, approved and activated which rules
record/export.ndjson      the whole record without personal values; checkpoints.txt: what it was at each minute, signed

Check it without the service:  rolecall audit pack --verify FILE.tar --key KEY
KEY is what \`rolecall audit key\` prints, got by another way than this archive. Without Rolecall: manifest.json has the SHA-256 of every file;
leaves are RFC 8785 JSON, the tree is that of RFC 6962, checkpoints are C2SP signed notes (Ed25519). Instants are UTC milliseconds.
`;
