// Goal: an auditor gets every leaver, joiner and mover of a period with its proof, a gap has a name, and an archive that was touched is caught.
// Method: the whole way from the directory to a vendor in one process, a signed record on disk, and the command line as an auditor runs it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  checkpointFiles,
  checkpointPath,
  lastCheckpoint,
  originOf,
} from "../../src/audit/checkpoint.ts";
import { exportAudit, storeSource } from "../../src/audit/export.ts";
import { checkProof } from "../../src/audit/proof.ts";
import { createSequencer } from "../../src/audit/sequencer.ts";
import { noteSigner, noteVerifier } from "../../src/audit/signed-note.ts";
import { runCli } from "../../src/cli.ts";
import { readArchive, writeArchive, type ArchiveFile } from "../../src/evidence/archive.ts";
import {
  joinerPopulation,
  moverPopulation,
  operatorPopulation,
} from "../../src/evidence/changes.ts";
import { controlPack } from "../../src/evidence/control-pack.ts";
import { leaverDossier } from "../../src/evidence/dossier.ts";
import type { EvidenceDeps } from "../../src/evidence/evidence-deps.ts";
import { leaverPopulation } from "../../src/evidence/leavers.ts";
import { readPeriod, sampleOf } from "../../src/evidence/period.ts";
import { dossierPage, populationCsv, populationPage } from "../../src/evidence/print-evidence.ts";
import { asId, type HrSourceId } from "../../src/model/ids.ts";
import type { PulseSettings } from "../../src/model/pulse-settings.ts";
import { beAbsent, bePresent } from "../../src/pulse/pulse-person.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const secret = new Uint8Array(32).fill(7);
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Ada moved and stays, Bob left; both came before the period that is asked about. */
async function open() {
  const world = await StoryWorld.open({ mapping: mapping() });
  const folder = await mkdtemp(join(tmpdir(), "rolecall-evidence-"));
  closing.push(() => world.store.close());
  closing.push(() => rm(folder, { recursive: true, force: true }));
  for (const email of ["ada@example.com", "bob@example.com"]) world.vendor.seed(email);
  const ada = await world.hire("ada@example.com");
  const bob = await world.hire("bob@example.com");
  const engineering = await world.group("Engineering", [ada, bob]);
  const platform = await world.group("Platform");
  await world.pass(6 * minute);
  const from = world.clock.now();
  await world.members(engineering, { op: "remove", memberIds: [ada.sourceUserId] });
  await world.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
  await world.pass(6 * minute);
  const instanceId = world.store.stamp.instanceId;
  const sequencer = createSequencer({
    store: world.store,
    checkpoints: checkpointFiles(folder, instanceId, (origin) => noteSigner(origin, secret)),
    clock: world.clock,
    logger: world.sync.logger,
    metrics: world.sync.metrics,
    owner: "worker-1",
  });
  const deps: EvidenceDeps = {
    ...world.offboarding,
    store: world.store,
    lastCheckpoint: (tenant) => lastCheckpoint(checkpointPath(folder, tenant)),
  };
  const key = noteSigner(originOf(instanceId, tenantId), secret).verifierKey;
  const leave = async () => {
    await world.setActive(bob, false);
    await world.pass(40 * minute);
    await world.pass(30 * hour, hour);
    await sequencer.runOnce();
    await world.clock.advance(2 * minute);
    await sequencer.runOnce();
  };
  const period = () => ({ from, to: world.clock.now() });
  return { world, folder, ada, bob, deps, key, leave, period };
}

describe("a population", () => {
  test("of leavers has each case with its vendors' times, and says what of the whole is not known", async () => {
    const { bob, deps, leave, period } = await open();
    await leave();
    const found = await leaverPopulation(deps, tenantId, period());
    expect(found.rows).toMatchObject([
      { id: bob.identityId, gap: null, facts: { outcome: "absent", source: "idp" } },
    ]);
    expect(found.rows[0]?.records).toHaveLength(1);
    expect(found.counts).toMatchObject({ cases: 1, absent: 1, gaps: 0 });
    expect(found.gaps.join()).toContain("no HR source");
    expect(found.complete).toBe(false);
    expect(JSON.stringify(found)).not.toContain("example.com");
    expect(populationPage(found)).toContain("absent");
    expect(populationCsv(found)).toContain(bob.identityId);
  });

  test("names the leaver whose vendor still owes something, and the one of whom HR says nothing", async () => {
    const { world, bob, deps, period } = await open();
    await world.store.addHrSource(
      tenantId,
      { sourceId: asId<HrSourceId>("people"), now: world.clock.now() },
      { records: [], recompute: [] },
    );
    await world.setActive(bob, false);
    world.vendor.fail("remove", "before", 500);
    await world.pass(10 * minute);
    await world.clock.advance(1);
    const found = await leaverPopulation(deps, tenantId, period());
    expect(found.rows[0]?.gap).toMatch(/duties are open .*remove.*HR says nothing/);
    expect(found.complete).toBe(false);
  });

  test("of movers and joiners tells them apart by when they were seen first", async () => {
    const { world, ada, deps, period } = await open();
    const cy = await world.hire("cy@example.com");
    await world.pass(minute);
    await world.clock.advance(1);
    const movers = await moverPopulation(deps, tenantId, period());
    expect(movers.rows.map((row) => [row.id, row.gap])).toEqual([[ada.identityId, null]]);
    expect(movers.rows[0]?.records.length).toBeGreaterThan(1);
    const joiners = await joinerPopulation(deps, tenantId, period());
    expect(joiners.rows.map((row) => row.id)).toEqual([cy.identityId]);
    expect(joiners.complete).toBe(true);
    expect((await operatorPopulation(deps, tenantId, period())).rows).toEqual([]);
  });

  test("has nobody in it of whom the pulse alone speaks", async () => {
    const { world, deps, period } = await open();
    const pulse: PulseSettings = {
      ...{ email: "pulse@example.com", givenName: "Rolecall", familyName: "Pulse" },
      ...{ attributes: {}, groups: ["Engineering"], connections: [connectionId] },
      ...{ everyMs: 24 * hour, withinMs: hour },
    };
    const when = { group: "Engineering", idp: "pulse" };
    const grant = [{ kind: "org_role", role: "user" }];
    await world.activate(mapping({ rules: [{ id: "pulse", when, grant }] }));
    const people = { store: world.store, clock: world.clock, ringRelay: () => undefined };
    await bePresent(people, tenantId, pulse);
    await world.pass(6 * minute);
    await beAbsent(people, tenantId);
    await world.pass(6 * minute);
    await world.clock.advance(1);
    const all = period();
    const found = {
      joiners: await joinerPopulation(deps, tenantId, all),
      leavers: await leaverPopulation(deps, tenantId, all),
      movers: await moverPopulation(deps, tenantId, { ...all, from: all.to - 1 }),
    };
    expect(found.joiners).toMatchObject({ rows: [], counts: { joiners: 0, synthetic: 1 } });
    expect(found.leavers).toMatchObject({ rows: [], counts: { cases: 0, synthetic: 1 } });
    expect(found.movers.rows).toEqual([]);
    const files = await controlPack(deps, tenantId, all);
    expect(files.filter((file) => file.path.startsWith("CC6.2/leavers/"))).toEqual([]);
  });

  test("is sampled so that anybody draws the same again", () => {
    const rows = Array.from({ length: 100 }, (_, at) => ({ id: `row-${String(at)}` }));
    const draw = (seed: string, all = rows) =>
      sampleOf(all, 5, seed, (row) => row.id).map((row) => row.id);
    expect(draw("a")).toEqual(draw("a", rows.toReversed()));
    expect(draw("a")).not.toEqual(draw("b"));
    expect(new Set(draw("a")).size).toBe(5);
  });

  test.each([
    ["2026", "2026-01-01", "2027-01-01"],
    ["2026-Q3", "2026-07-01", "2026-10-01"],
    ["2026-12", "2026-12-01", "2027-01-01"],
    ["2026-02-01..2026-02-03", "2026-02-01", "2026-02-04"],
  ])("of the period %s begins and ends in UTC", (text, from, to) => {
    expect(readPeriod(text)).toEqual({ from: Date.parse(from), to: Date.parse(to) });
    expect(() => readPeriod("last summer")).toThrow(/period/);
  });
});

describe("the evidence of one leaver", () => {
  test("has every record proved in the signed tree, what was read back, and both clocks", async () => {
    const { world, bob, deps, key, leave } = await open();
    await leave();
    const [item] = await world.store.listCases(tenantId, { identityId: bob.identityId, limit: 1 });
    if (item === undefined) throw new Error("no case");
    const dossier = await leaverDossier(deps, tenantId, item);
    expect(dossier.pack.connections).toMatchObject([
      { removed: { fromSignal: expect.any(Number) } },
    ]);
    expect(dossier.readBacks).toMatchObject([{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(dossier.records.map((record) => record.action)).toContain("account.removed");
    expect(dossier.unproved).toEqual([]);
    expect(dossier.proofs).toHaveLength(dossier.records.length);
    const verifier = noteVerifier(key);
    for (const proof of dossier.proofs) expect(checkProof(proof, verifier)).toEqual([]);
    const closed = await world.store.findRecords(tenantId, { action: "case.closed", limit: 1 });
    expect(closed[0]?.record.facts["caseId"]).toBe(item.caseId);
    expect(dossierPage(dossier)).toContain(item.caseId);
    expect(JSON.stringify(dossier)).not.toContain("bob@example.com");
  });
});

describe("the archive", () => {
  async function packed() {
    const { world, folder, deps, key, leave, period } = await open();
    await leave();
    const reports = await controlPack(deps, tenantId, period());
    const lines: string[] = [];
    for await (const line of exportAudit(await storeSource(world.store, tenantId), {
      personal: false,
    }))
      lines.push(line);
    const files: ArchiveFile[] = [
      ...reports.map(({ path, text }) => ({ path, bytes: Buffer.from(text) })),
      { path: "record/export.ndjson", bytes: Buffer.from(lines.join("")) },
      {
        path: "record/checkpoints.txt",
        bytes: await readFile(checkpointPath(folder, tenantId)),
      },
    ];
    const verify = async (bytes: Uint8Array) => {
      const path = join(folder, "pack.tar");
      await writeFile(path, bytes);
      const said: string[] = [];
      const code = await runCli(["audit", "pack", "--verify", path, "--key", key], {
        out: (text) => said.push(text),
        err: (text) => said.push(text),
        isTty: false,
        columns: 80,
        readStdin: () => Promise.resolve(""),
      });
      return { code, text: said.join("") };
    };
    return { files, verify };
  }

  test("verifies without a service, and not once a report, a record or the end was touched", async () => {
    const { files, verify } = await packed();
    const whole = writeArchive(files, { period: "test" });
    expect(readArchive(whole).map((file) => file.path)).toEqual([
      ...files.map((file) => file.path),
      "manifest.json",
    ]);
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining([
        "CC6.1/operators.json",
        "CC6.2/leavers.json",
        "CC8.1/mapping-changes.json",
      ]),
    );
    expect(await verify(whole)).toMatchObject({ code: 0, text: expect.stringContaining("signed") });

    const touched = Buffer.from(whole);
    touched.write("X", touched.indexOf('"outcome"') + 1);
    expect((await verify(touched)).text).toContain("CC6.2/leavers.json was changed");

    // A forger who writes the manifest anew cannot write the record anew.
    const without = files.map((file) => {
      if (file.path !== "record/export.ndjson") return file;
      const text = Buffer.from(file.bytes)
        .toString("utf8")
        .replace("account.removed", "account.invited");
      return { ...file, bytes: Buffer.from(text) };
    });
    expect((await verify(writeArchive(without, {}))).code).toBe(3);
    const invented = files.map((file) =>
      file.path === "CC6.2/leavers.json"
        ? {
            ...file,
            bytes: Buffer.from(JSON.stringify({ rows: [{ records: ["no-such-record"] }] })),
          }
        : file,
    );
    expect((await verify(writeArchive(invented, {}))).text).toContain("no-such-record");
    expect((await verify(whole.subarray(0, whole.length - 1_024))).text).toContain(
      "its end is missing",
    );
  });
});
