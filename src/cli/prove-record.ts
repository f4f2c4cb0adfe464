import { z } from "zod";
import { checkpointPath, lastCheckpoint, type CheckpointNote } from "../audit/checkpoint.ts";
import { storeSource, type ExportedRecord } from "../audit/export.ts";
import { checkProof, proveRecord, type RecordProof } from "../audit/proof.ts";
import { noteSigner, noteVerifier, type NoteVerifier } from "../audit/signed-note.ts";
import { readConfig, type Config } from "../config/config.ts";
import { findSealKey, sealKeyPath } from "../credentials/seal.ts";
import { InputError } from "../model/errors.ts";
import { asId, type TenantId } from "../model/ids.ts";
import { openRecord } from "../open-store.ts";
import { CommandError, exitCodes, flag, type ExitCode, type Invocation } from "./command.ts";
import { inputText } from "./input-file.ts";

/** `rolecall audit key`: the public key of the checkpoints, for whoever checks them elsewhere. */
export async function showCheckpointKey(invocation: Invocation): Promise<ExitCode> {
  const config = readConfig();
  const { origin } = await newestCheckpoint(config, tenantOf(invocation, config));
  const seal = await findSealKey({
    value: config.sealKey,
    former: config.sealKeysFormer,
    path: sealKeyPath(config.dataDir),
  });
  if (seal === undefined) {
    throw new CommandError(
      exitCodes.notThere,
      "there is no seal key here: set ROLECALL_SEAL_KEY as the service has it, or ROLECALL_DATA_DIR",
    );
  }
  const keyOf = (bytes: Uint8Array) => noteSigner(origin, bytes).verifierKey;
  const key = keyOf(seal.bytes);
  // Checkpoints of before a rotation are signed with the key of before: it goes on to be told.
  const former = (seal.former ?? []).map((one) => keyOf(one.bytes));
  const { terminal } = invocation;
  terminal.out(
    invocation.json
      ? `${JSON.stringify({ origin, key, former })}\n`
      : [key, ...former].map((line) => `${line}\n`).join(""),
  );
  return exitCodes.ok;
}

/** `rolecall audit prove`: one record with the proof that the newest checkpoint's tree holds it. */
export async function printProof(invocation: Invocation): Promise<ExitCode> {
  const [recordId] = invocation.positionals;
  if (recordId === undefined) throw new CommandError(exitCodes.usage, "audit prove <record id>");
  const config = readConfig();
  const tenantId = tenantOf(invocation, config);
  const checkpoint = await newestCheckpoint(config, tenantId);
  const reader = await openRecord(config);
  try {
    const source = await storeSource(reader, tenantId);
    const found = await findRecord(source.records(), recordId);
    if (found === undefined)
      throw new CommandError(exitCodes.notThere, `tenant ${tenantId} has no record ${recordId}`);
    if (found.leafIndex >= checkpoint.size) {
      throw new CommandError(
        exitCodes.notThere,
        "no checkpoint has seen that record yet: there is one a minute",
      );
    }
    const leaves: string[] = [];
    while (leaves.length < checkpoint.size) {
      const page = await reader.listLeaves(tenantId, {
        from: leaves.length,
        limit: Math.min(10_000, checkpoint.size - leaves.length),
      });
      if (page.length === 0)
        throw new CommandError(
          exitCodes.negative,
          "the store has fewer records than its checkpoint saw: run `rolecall audit verify`",
        );
      leaves.push(...page);
    }
    const proof = proveRecord(withPersonal(invocation, found), leaves, checkpoint);
    invocation.terminal.out(`${JSON.stringify(proof, null, 2)}\n`);
  } finally {
    await reader.close();
  }
  return exitCodes.ok;
}

/** `rolecall audit verify --proof FILE --key KEY`: needs nothing else, and no service. */
export async function verifyProof(invocation: Invocation, path: string): Promise<ExitCode> {
  const key = await givenKey(invocation);
  if (key === undefined) {
    throw new CommandError(
      exitCodes.usage,
      "--proof wants --key: the key of the checkpoints, as `rolecall audit key` printed it",
    );
  }
  const proof = readProof(path, await inputText(invocation.terminal, path));
  const problems = checkProof(proof, key);
  const ok = problems.length === 0;
  const { terminal } = invocation;
  if (invocation.json) terminal.out(`${JSON.stringify({ ok, problems }, null, 2)}\n`);
  else {
    terminal.out(
      ok
        ? `${path}: proved, ${proof.record.action} of ${new Date(proof.record.at).toISOString()} is in the tree of ${key.name}\n`
        : `${path}: does NOT verify\n${problems.map((problem) => `  ${problem}\n`).join("")}`,
    );
  }
  return ok ? exitCodes.ok : exitCodes.negative;
}

/** The keys of `--key`, one written out or a file with one a line. @throws InputError */
export async function givenKeys(invocation: Invocation): Promise<readonly NoteVerifier[]> {
  const given = flag(invocation, "key");
  if (given === undefined) return [];
  const text = isKey(given) ? given : await inputText(invocation.terminal, given);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map(noteVerifier);
}

const isKey = (text: string) => text.includes("+");

/** The key of `--key`, written out or in a file. @throws InputError */
export async function givenKey(invocation: Invocation): Promise<NoteVerifier | undefined> {
  const given = flag(invocation, "key");
  if (given === undefined) return undefined;
  return noteVerifier(given.includes("+") ? given : await inputText(invocation.terminal, given));
}

function tenantOf(invocation: Invocation, config: Config): TenantId {
  return asId<TenantId>(flag(invocation, "tenant") ?? config.tenantId);
}

async function newestCheckpoint(config: Config, tenantId: TenantId): Promise<CheckpointNote> {
  const last = await lastCheckpoint(checkpointPath(config.checkpointsDir, tenantId));
  if (last === undefined) {
    throw new CommandError(
      exitCodes.notThere,
      `there is no checkpoint of tenant ${tenantId} in ${config.checkpointsDir} yet: the first comes within a minute of the first record`,
    );
  }
  return last;
}

async function findRecord(
  records: AsyncIterable<ExportedRecord>,
  recordId: string,
): Promise<ExportedRecord | undefined> {
  for await (const item of records) if (item.record.recordId === recordId) return item;
  return undefined;
}

function withPersonal(invocation: Invocation, item: ExportedRecord): ExportedRecord {
  if (invocation.flags["personal"] === true) return item;
  const { personal: _, ...record } = item.record;
  return { ...item, record };
}

const proofShape = z.looseObject({
  format: z.literal("rolecall-audit-proof/1"),
  record: z.looseObject({ at: z.number(), action: z.string() }),
  commitments: z.record(z.string(), z.string()),
  proof: z.string(),
});

function readProof(path: string, text: string): RecordProof {
  const { data, error } = proofShape.safeParse(parsed(text));
  if (data === undefined) {
    throw new InputError(`${path} is not a proof`, [
      `expected what \`rolecall audit prove\` prints: ${z.prettifyError(error)}`,
    ]);
  }
  return data as unknown as RecordProof;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
