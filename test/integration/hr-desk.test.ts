import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadSealKey } from "../../src/credentials/seal.ts";
import { createSecretVault } from "../../src/credentials/secret-vault.ts";
import { createHrRoom, type HrRoom } from "../../src/hr-room.ts";
import { asId, type HrSourceId } from "../../src/model/ids.ts";
import type { Actor } from "../../src/model/records.ts";
import { HrSystem as PushingHr } from "../../src/sandbox/hr/hr-system.ts";
import { HrSystem } from "../support/hr-sender.ts";
import { StoryWorld, tenantId } from "../support/story-world.ts";

const ida: Actor = { kind: "operator", id: "ida" };
const agency = asId<HrSourceId>("agency");
const hour = 3_600_000;

/** The room as the service wires it, with real secrets, a real socket, a real folder, and a clock that the test moves. */
describe("HR's desk", () => {
  let folder = "";
  let world: StoryWorld;
  let room: HrRoom;
  let baseUrl = "";
  let close: () => Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rolecall-hr-desk-"));
    world = await StoryWorld.open();
    await new HrSystem(world, "agency").read({}, { zone: "Europe/Berlin" });
    const { store, clock } = world;
    const sealKey = await loadSealKey({
      ...{ value: "ab".repeat(32), path: join(folder, "key"), clock },
    });
    const vault = createSecretVault({
      store,
      key: sealKey,
      clock,
      readEnv: () => undefined,
      readFile: () => Promise.reject(new Error("no files")),
    });
    room = createHrRoom(
      { tenantId, hrFolder: join(folder, "in") },
      {
        ...{ store, vault, sealKey, clock },
        ...{ logger: world.sync.logger, metrics: world.sync.metrics },
        onCommit: () => undefined,
      },
    );
    const app = express().use("/hr/v1", room.router);
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    baseUrl = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await room.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    };
  });
  afterEach(() => close());

  const push = (secret: string, id: string) =>
    new PushingHr({ baseUrl, source: "agency", secret, clock: world.clock })
      .send({ id, type: "change", person: { id: "7" } })
      .then(
        (answer) => answer.status,
        (error: unknown) => Number(/refused: (\d+)/.exec(String(error))?.[1]),
      );

  test("gives out a secret, rotates it with an overlap, and takes it back with the source", async () => {
    const { secret: first } = await room.desk.addSource(tenantId, agency, ida);
    expect(await push(first, "e1")).toBe(202);
    const { secret: second } = await room.desk.rotate(tenantId, agency, hour, ida);
    expect([await push(first, "e2"), await push(second, "e3")]).toEqual([202, 202]);
    await world.clock.advance(hour);
    expect([await push(first, "e4"), await push(second, "e5")]).toEqual([401, 202]);
    await room.desk.removeSource(tenantId, agency, ida);
    expect(await push(second, "e6")).toBe(401);
    const record = await world.store.getHrRecord(tenantId, { sourceId: agency, personKey: "7" });
    expect(record?.spells).toHaveLength(1);
    const told = JSON.stringify(await world.store.findRecords(tenantId, { limit: 100 }));
    expect(told).toContain("hr.secret_added");
    for (const secret of [first, second]) expect(told).not.toContain(secret);
  });

  test("reads a file, row by row, and the same one for the same day once", async () => {
    await room.desk.addSource(tenantId, agency, ida);
    const text = "id,start,end\n7,2026-01-02,\n8,soon,\n";
    const file = { text, asOf: "2026-01-05T08:00:00Z", complete: false };
    const first = await room.desk.importFile(tenantId, agency, file, ida);
    expect(first.receipts).toMatchObject([
      { state: "applied" },
      { state: "parked", code: "UNREADABLE" },
    ]);
    expect(await room.desk.importFile(tenantId, agency, file, ida)).toEqual(first);
    const next = await room.desk.importFile(
      tenantId,
      agency,
      { ...file, asOf: "2026-01-05T08:30:00Z" },
      ida,
    );
    expect(next.receipts[0]).toMatchObject({ state: "unchanged" });
  });

  test("keeps what came so that the database alone does not tell it, and reads it again", async () => {
    await room.desk.addSource(tenantId, agency, ida);
    const text = "id,email,start,end\n7,ada@example.com,2026-01-02,\n8,bo@example.com,soon,\n";
    const file = { text, asOf: "2026-01-05T08:00:00Z", complete: false };
    const { uploadId, receipts } = await room.desk.importFile(tenantId, agency, file, ida);
    expect(receipts).toHaveLength(2);
    const kept = await world.store.getHrUpload(tenantId, uploadId);
    const bytes = Buffer.from(kept?.body ?? []);
    expect(bytes.length).toBeGreaterThan(text.length);
    for (const word of ["ada@example.com", "bo@example.com", "soon"])
      expect(bytes.includes(word)).toBe(false);
    expect((await room.desk.replay(tenantId, uploadId, ida)).receipts).toMatchObject([
      { state: "unchanged" },
      { state: "parked", code: "UNREADABLE" },
    ]);
  });

  test("takes files from the folder once they are whole, and says which it cannot take", async () => {
    await room.desk.addSource(tenantId, agency, ida);
    const place = join(folder, "in", "agency");
    await mkdir(place, { recursive: true });
    await mkdir(join(folder, "in", "unknown"), { recursive: true });
    const now = world.clock.now() / 1_000;
    const put = async (path: string, ageSeconds: number) => {
      await writeFile(path, "id,start\n7,2026-01-02\n");
      await utimes(path, now - ageSeconds, now - ageSeconds);
    };
    await put(join(place, "people.csv"), 60);
    await put(join(place, "growing.csv"), 1);
    await put(join(folder, "in", "unknown", "people.csv"), 60);
    room.start();
    const names = async (...parts: readonly string[]) =>
      (await readdir(join(folder, "in", ...parts)).catch(() => [])).toSorted();
    await expect
      .poll(() => names("unknown", "refused"), { timeout: 30_000 })
      .toEqual(["people.csv"]);
    expect(await names("agency", "done")).toEqual(["people.csv"]);
    expect(await names("agency")).toEqual(["done", "growing.csv"]);
    const record = await world.store.getHrRecord(tenantId, { sourceId: agency, personKey: "7" });
    expect(record?.spells).toHaveLength(1);
  });

  test("works through what a crash left behind, without being asked", async () => {
    await room.desk.addSource(tenantId, agency, ida);
    await mkdir(join(folder, "in"), { recursive: true });
    await world.store.keepHrUpload(tenantId, {
      uploadId: "left-behind",
      sourceId: agency,
      kind: "event",
      key: "e1",
      contentType: "application/json",
      body: Buffer.from('{"id":"e1","type":"change","person":{"id":"9"}}'),
      bodyHash: "h",
      receivedAt: world.clock.now(),
    });
    await world.clock.advance(61_000);
    room.start();
    await expect
      .poll(() => world.store.getHrRecord(tenantId, { sourceId: agency, personKey: "9" }), {
        timeout: 30_000,
      })
      .toBeDefined();
  });

  test("says who has left whom no IdP has sent, once a planned leave has come", async () => {
    await room.desk.addSource(tenantId, agency, ida);
    await mkdir(join(folder, "in"), { recursive: true });
    const text = "id,end\n7,2026-01-05T11:00\n";
    await room.desk.importFile(tenantId, agency, { text, asOf: undefined, complete: false }, ida);
    room.start();
    // 10:00 UTC is the leave in Berlin. Each round of the loop waits for the clock once more.
    const aRoundLater = async () => {
      await world.clock.advance(11_000);
      return world.findings();
    };
    expect(await aRoundLater()).toEqual([]);
    await world.clock.advance(2 * hour);
    await expect.poll(aRoundLater, { timeout: 30_000 }).toEqual(["hr_unmatched"]);
  });

  test("joins and parts a record by decision, with a record of who and why", async () => {
    await room.desk.addSource(tenantId, agency, ida);
    const ada = await world.hire("ada@example.com");
    const text = "id,email\n7,someone.else@example.com\n";
    await room.desk.importFile(tenantId, agency, { text, asOf: undefined, complete: false }, ida);
    const key = { sourceId: agency, personKey: "7" };
    const joined = async () => (await world.store.getHrRecord(tenantId, key))?.identityId;
    expect(await joined()).toBeUndefined();
    await room.desk.join(tenantId, key, ada.identityId, "she uses a second address", ida);
    expect(await joined()).toBe(ada.identityId);
    await room.desk.join(tenantId, key, undefined, "it was somebody else", ida);
    expect(await joined()).toBeUndefined();
    const actions = (await world.store.findRecords(tenantId, { limit: 100 })).map(
      ({ record }) => record.action,
    );
    expect(actions).toEqual(expect.arrayContaining(["hr.joined", "hr.parted"]));
  });
});
