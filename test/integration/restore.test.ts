import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkpointFiles } from "../../src/audit/checkpoint.ts";
import { noteSigner } from "../../src/audit/signed-note.ts";
import { exportAudit, fileSource, storeSource } from "../../src/audit/export.ts";
import { createSequencer } from "../../src/audit/sequencer.ts";
import type { Logger } from "../../src/model/log.ts";
import { accountKindOf } from "../../src/plan/plan.ts";
import { releaseStore } from "../../src/recovery/release.ts";
import { replayOutcomes } from "../../src/recovery/replay.ts";
import { checkStoreAtStart } from "../../src/recovery/start-check.ts";
import { connectionId, idpId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const minute = 60_000;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const ida = { kind: "operator" as const, id: "ida" };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rolecall-restore-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);
const checkpointsOf = (world: StoryWorld) =>
  checkpointFiles(path("elsewhere"), world.store.stamp.instanceId, (origin) =>
    noteSigner(origin, new Uint8Array(32)),
  );

/** What the service does with the record: gives indexes and writes a checkpoint outside the store. */
async function sequence(world: StoryWorld): Promise<void> {
  const sequencer = createSequencer({
    store: world.store,
    checkpoints: checkpointsOf(world),
    clock: world.clock,
    logger: silent,
    metrics: { count() {}, gauge() {}, observe() {} },
    owner: "worker-1",
  });
  await sequencer.stop();
}

function start(world: StoryWorld, home?: string) {
  return checkStoreAtStart({
    store: world.store,
    checkpoints: checkpointsOf(world),
    stamp: world.store.stamp,
    home,
    clock: world.clock,
    logger: silent,
    actor: { kind: "system", id: "start" },
  });
}

const release = (world: StoryWorld) =>
  releaseStore(
    {
      store: world.store,
      clock: world.clock,
      home: undefined,
      instanceId: world.store.stamp.instanceId,
    },
    { actor: ida, why: "replayed and read", without: [] },
  );

/** Ada works; then a backup is made; then she becomes a developer of Production. */
async function restoredAfterPromotion() {
  const first = await StoryWorld.open({ mapping: mapping(), folder: path("first") });
  const ada = await first.hire("ada@example.com");
  const engineering = await first.group("Engineering", [ada]);
  const platform = await first.group("Platform");
  await first.settle();
  first.vendor.accept(ada.email);
  await first.pass(6 * minute);
  await sequence(first);
  await first.store.close();
  await cp(path("first"), path("backup"), { recursive: true });

  const later = await first.on(path("first"));
  await later.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
  await later.pass(6 * minute);
  await sequence(later);
  expect(later.vendor.holding(ada.email)).toBe("developer ws_dev:writer ws_prod:writer");
  const exported = path("export.ndjson");
  const lines: string[] = [];
  const source = await storeSource(later.store, tenantId);
  for await (const line of exportAudit(source, { personal: false })) lines.push(line);
  await writeFile(exported, lines.join(""));
  await later.store.close();

  const restored = await first.on(path("backup"));
  return { restored, ada, engineering, platform, exported };
}

test("a restored store writes nothing until it has been replayed, read and signed for", async () => {
  const { restored, ada, engineering, platform, exported } = await restoredAfterPromotion();
  const brake = await start(restored);
  expect(brake?.reasons).toMatchObject([{ kind: "older_than_checkpoint", tenantId }]);
  const written = restored.vendor.writes.length;

  // A joiner while it is braked: planned, not invited.
  const bob = await restored.hire("bob@example.com");
  await restored.members(engineering, { op: "add", memberIds: [bob.sourceUserId] });
  await restored.pass(6 * minute);
  expect(restored.vendor.writes).toHaveLength(written);

  const reason = brake?.reasons[0];
  const from = reason?.kind === "older_than_checkpoint" ? reason.storeSize : -1;
  const source = await fileSource(exported);
  const result = await replayOutcomes(
    {
      store: {
        changeLedger: (...args) => restored.store.changeLedger(...args),
        listLedger: (...args) => restored.store.listLedger(...args),
        getLane: (...args) => restored.store.getLane(...args),
        knownIdentities: async (tenant, ids) =>
          new Set((await restored.store.readIdentities(tenant, ids)).map((p) => p.identityId)),
      },
      clock: restored.clock,
      accountKindOf: () => accountKindOf(restored.vendor.facts).name,
    },
    tenantId,
    source.records(),
    from,
    ida,
  );
  expect(result).toMatchObject({ replayed: 2, unknown: 0 });
  const ledger = await restored.store.listLedger(tenantId, connectionId, ada.identityId);
  expect(ledger.map((entry) => `${entry.objectId} ${entry.role}`).toSorted()).toEqual([
    " developer",
    "ws_dev writer",
    "ws_prod writer",
  ]);

  expect(await release(restored)).toMatchObject({ released: true });
  await restored.pass(10 * minute);
  // The directory of the backup does not know of the promotion; until the IdP has said it again, its absence takes nothing.
  expect(restored.vendor.holding(ada.email)).toBe("developer ws_dev:writer ws_prod:writer");
  expect(restored.vendor.writes.slice(written)).toEqual(["invite bob@example.com user"]);

  // The IdP pushes again, and Ada is in Platform no more: what the replay told the ledger can be taken back.
  await restored.members(platform, { op: "replace", memberIds: [] });
  await restored.store.setIdpLoaded(
    tenantId,
    { idpId, loadedAt: restored.clock.now() },
    restored.also("idp.loaded", [
      { identityId: ada.identityId, cause: { kind: "operator" }, urgent: false },
    ]),
  );
  await restored.pass(10 * minute);
  expect(restored.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  await restored.store.close();
});

test("is not released before every connection has been read as a whole", async () => {
  const { restored } = await restoredAfterPromotion();
  await start(restored);
  expect(await release(restored)).toMatchObject({
    released: false,
    why: "unread",
    connections: [{ tenantId, connectionId }],
  });
  await restored.pass(6 * minute);
  expect(await release(restored)).toMatchObject({ released: true });
  // The checkpoints that told it are set aside: the next start finds nothing.
  expect(await start(restored)).toBeUndefined();
  await restored.store.close();
});

test("stays braked over a restart, and says why again", async () => {
  const { restored } = await restoredAfterPromotion();
  await start(restored);
  await sequence(restored);
  await restored.store.close();
  const again = await restored.on(path("backup"));
  expect((await start(again))?.reasons).toMatchObject([{ kind: "older_than_checkpoint" }]);
  await again.store.close();
});

test("a copy that is opened elsewhere is braked; its original is not", async () => {
  const first = await StoryWorld.open({ mapping: mapping() });
  const was = { ...first.store.stamp, home: "production" };
  const check = (home: string) =>
    checkStoreAtStart({
      store: first.store,
      checkpoints: checkpointsOf(first),
      stamp: was,
      home,
      clock: first.clock,
      logger: silent,
      actor: { kind: "system", id: "start" },
    });
  expect(await check("production")).toBeUndefined();
  expect((await check("staging"))?.reasons).toEqual([
    { kind: "other_home", was: "production", is: "staging" },
  ]);
  const [idp] = await first.store.listIdps(tenantId);
  expect(idp?.loadedAt).toBeDefined();
  await first.store.close();
});
