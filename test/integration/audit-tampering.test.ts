// Goal: whoever has the database, and even the checkpoint file, changes nothing of the record unseen.
// Method: a real store in a file with sequenced records and signed checkpoints; then its rows are changed by SQL as an intruder would,
// and the record is verified as `rolecall audit verify --key` does it.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openAuditReader } from "../../src/adapters/sqlite/audit-reader.ts";
import {
  checkpointFiles,
  checkpointText,
  originOf,
  readCheckpoints,
} from "../../src/audit/checkpoint.ts";
import { storeSource } from "../../src/audit/export.ts";
import { leafBytes, leafHash } from "../../src/audit/leaf.ts";
import { createSequencer } from "../../src/audit/sequencer.ts";
import { noteSigner, noteVerifier } from "../../src/audit/signed-note.ts";
import { appendLeaves, emptyTree, rootOf } from "../../src/audit/tree.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import type { TenantId } from "../../src/model/ids.ts";
import type { Logger } from "../../src/model/log.ts";
import { newRecord } from "../../src/model/records.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { addTenant, openFileStore, type TestStore } from "../support/store.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const secret = new Uint8Array(32).fill(7);
const amount = 40;

let whole: { readonly store: TestStore; readonly tenantId: TenantId; readonly instanceId: string };
let folder: string;

beforeAll(async () => {
  const clock = fakeClock();
  const store = await openFileStore(clock);
  const { tenantId } = await addTenant(store.store, clock.now());
  const instanceId = store.store.stamp.instanceId;
  const sequencer = createSequencer({
    store: store.store,
    checkpoints: checkpointFiles(join(store.folder, "checkpoints"), instanceId, (origin) =>
      noteSigner(origin, secret),
    ),
    clock,
    logger: silent,
    metrics: { count() {}, gauge() {}, observe() {} },
    owner: "worker-1",
  });
  for (let at = 0; at < amount; at += 1) {
    await store.store.appendRecords(tenantId, [
      newRecord(clock, {
        actor: { kind: "operator", id: "ida" },
        action: "hold.approved",
        subject: { type: "hold", id: `h${String(at)}` },
        facts: { at },
        personal: { email: `p${String(at)}@example.com` },
      }),
    ]);
    await sequencer.runOnce();
    // A checkpoint a minute: several trees of different sizes are outside.
    await clock.advance(20_000);
  }
  await sequencer.stop();
  await store.store.close();
  whole = { store, tenantId, instanceId };
});
afterAll(() => rm(whole.store.folder, { recursive: true, force: true }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rolecall-tamper-"));
  await cp(whole.store.folder, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const notes = () => join(folder, "checkpoints", `${whole.tenantId}.txt`);

async function verified() {
  const reader = openAuditReader(folder);
  try {
    const key = noteVerifier(
      noteSigner(originOf(whole.instanceId, whole.tenantId), secret).verifierKey,
    );
    return await verifyAudit(await storeSource(reader, whole.tenantId), readCheckpoints(notes()), [
      key,
    ]);
  } finally {
    reader.close();
  }
}

function change(...statements: readonly string[]): void {
  const database = new DatabaseSync(join(folder, "rolecall.db"));
  try {
    for (const statement of statements) database.exec(statement);
  } finally {
    database.close();
  }
}

/** What an intruder who knows how it works makes of a record that was edited: every leaf and the tree anew. */
async function rebuild(): Promise<{ readonly size: number; readonly root: string }> {
  const reader = openAuditReader(folder);
  const records = await reader.listRecords(whole.tenantId, { from: 0, limit: 1_000 });
  reader.close();
  const leaves = records.map((item) => leafHash(leafBytes(item.record, item.commitments)));
  const tree = appendLeaves(emptyTree, leaves);
  change(
    ...records.map(
      (item, at) =>
        `UPDATE audit_leaves SET leaf_hash = '${leaves[at] ?? ""}' WHERE record_id = '${item.record.recordId}'`,
    ),
    `UPDATE audit_trees SET frontier = '${JSON.stringify(tree.frontier)}'`,
  );
  return { size: tree.size, root: rootOf(tree) };
}

describe("the audit record", () => {
  test("verifies as it was written, each checkpoint signed", async () => {
    const result = await verified();
    expect(result).toMatchObject({ ok: true, problems: [] });
    expect(result.size).toBeGreaterThanOrEqual(amount);
    expect(result.checkpoints).toBeGreaterThan(5);
    expect(result.signed).toBe(result.checkpoints);
  });

  const edit = "UPDATE audit_records SET body = replace(body, 'ida', 'eve') WHERE leaf_index = 7";
  test.each([
    ["an edited row", [edit], /record 7 .*not what was recorded/],
    [
      "an edited personal value",
      ["UPDATE audit_records SET personal = replace(personal, 'p4@', 'x4@')"],
      /the personal value "email" is not the one/,
    ],
    ["a deleted row", ["DELETE FROM audit_records WHERE leaf_index = 9"], /record 9 is missing/],
    [
      "two rows that changed places",
      [
        ...["audit_records", "audit_leaves"].flatMap((table) => [
          `UPDATE ${table} SET leaf_index = -1 WHERE leaf_index = 3`,
          `UPDATE ${table} SET leaf_index = 3 WHERE leaf_index = 4`,
          `UPDATE ${table} SET leaf_index = 4 WHERE leaf_index = -1`,
        ]),
      ],
      /records 0 to \d+ are not those that the checkpoint/,
    ],
    [
      "a tail that was cut",
      [
        "DELETE FROM audit_records WHERE leaf_index >= 20",
        "UPDATE audit_trees SET size = 20, frontier = '[]'",
      ],
      /a checkpoint saw \d+ records, 20 are there: the tail was cut/,
    ],
  ])("does not verify with %s", async (_what, statements, problem) => {
    change(...statements);
    const result = await verified();
    expect(result.ok).toBe(false);
    expect(result.problems.join("\n")).toMatch(problem);
  });

  test("does not verify when leaves and tree were made anew over an edited row: the checkpoints saw another tree", async () => {
    change(edit);
    await rebuild();
    const result = await verified();
    expect(result.problems[0]).toMatch(/are not those that the checkpoint of size \d+ saw/);
  });

  test.each([
    ["unsigned", () => "", /is not signed$/],
    [
      "signed by a key of the intruder's own",
      (text: string) =>
        noteSigner(originOf(whole.instanceId, whole.tenantId), new Uint8Array(32)).sign(text),
      /is not signed by the given key/,
    ],
    [
      "under a signature of an older one",
      (_text: string, old: string) => old,
      /is not signed by the given key/,
    ],
  ])(
    "does not verify when the checkpoints were made anew as well, %s",
    async (_how, signature, problem) => {
      const old = (await readFile(notes(), "utf8"))
        .split("\n")
        .find((line) => line.startsWith("— "));
      change(edit);
      const tree = await rebuild();
      const text = checkpointText({ origin: originOf(whole.instanceId, whole.tenantId), ...tree });
      await writeFile(notes(), `${text}\n${signature(text, `${old ?? ""}\n`)}\n`);
      const result = await verified();
      expect(result.problems).toHaveLength(1);
      expect(result.problems[0]).toMatch(problem);
    },
  );
});
