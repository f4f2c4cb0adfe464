import { beforeEach, describe, expect, it } from "vitest";
import type { HrMessage, HrRecord, HrUpload } from "../../src/directory/hr-store.ts";
import type { SourceUser } from "../../src/directory/directory-store.ts";
import { employmentAt } from "../../src/model/employment.ts";
import { defaultSourceSettings, type HrSettings } from "../../src/model/hr-settings.ts";
import { asId, type HrSourceId, type IdentityId } from "../../src/model/ids.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";
import { noAlso } from "../support/store.ts";

const workday = asId<HrSourceId>("workday");
const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/** HR sources, their bodies as they came, and what they add up to. */
export function hrSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });
  beforeEach(() => addSource());

  const addSource = (sourceId = workday) =>
    stage.store.addHrSource(stage.tenantId, { sourceId, now: stage.now }, stage.also("added"));
  const upload = (change: Partial<HrUpload> = {}) => ({
    uploadId: "u1",
    sourceId: workday,
    kind: "event" as const,
    key: "e1",
    contentType: "application/json",
    body: Uint8Array.from([0, 255, 10, 123]),
    bodyHash: "h1",
    receivedAt: stage.now,
    ...change,
  });
  const keep = (change: Partial<HrUpload> = {}) =>
    stage.store.keepHrUpload(stage.tenantId, upload(change));
  const person = (change: Partial<HrRecord["person"]> = {}): HrRecord["person"] => ({
    key: "1042",
    employeeNumber: "1042",
    email: "ada@example.com",
    displayName: undefined,
    ...change,
  });
  const message = (change: Partial<HrMessage> = {}): HrMessage => ({
    uploadId: "u1",
    position: 0,
    person: person(),
    statement: { type: "hire", starts: { at: 5_000 } },
    saidAt: 1_000,
    receivedAt: 2_000,
    repeatedAt: undefined,
    ...change,
  });
  const spell = { spell: 1, starts: { at: 5_000 }, leaves: undefined, absences: [] };
  const record = (change: Partial<HrRecord> = {}): Omit<HrRecord, "version"> => ({
    sourceId: workday,
    person: person(),
    spells: [spell],
    identityId: undefined,
    joinedBy: undefined,
    updatedAt: stage.now,
    ...change,
  });
  const apply = async (
    expectVersion: number,
    change: Partial<HrRecord> = {},
    said: Partial<HrMessage> = {},
    repeats?: { uploadId: string; position: number },
    also = stage.also("applied"),
  ) => {
    await stage.store.applyHrMessage(
      stage.tenantId,
      {
        message: message(said),
        sourceId: workday,
        repeats,
        expect: expectVersion,
        record: record(change),
      },
      also,
    );
  };
  const read = (personKey = "1042") =>
    stage.store.readHrPerson(stage.tenantId, { sourceId: workday, personKey });
  const hire = (userName: string, employeeNumber?: string) =>
    stage.addUser(userName, {
      emails: [`${userName}@example.com`],
      resource: { userName, ...(employeeNumber && { [enterprise]: { employeeNumber } }) },
    });
  const candidates = (change: Partial<HrRecord["person"]> = {}) => {
    const { key, employeeNumber, email } = person(change);
    return stage.store.findHrCandidates(stage.tenantId, {
      sourceId: workday,
      personKey: key,
      employeeNumber,
      email,
    });
  };

  describe("a source", () => {
    it("is added once, removed with its secrets, and may come back", async () => {
      expect(await refusal(addSource())).toBe("ALREADY_EXISTS sourceId");
      const secret = { sourceId: workday, fingerprint: "f", createdAt: stage.now };
      const put = (secretName: string, formerUntil: number) =>
        stage.store.addHrSecret(
          stage.tenantId,
          { secret: { ...secret, secretName }, formerUntil },
          stage.also("secret"),
        );
      const names = async (now: number) =>
        (await stage.store.listHrSecrets(stage.tenantId, workday, now))
          .map((item) => item.secretName)
          .toSorted();
      await put("a", stage.now);
      await put("b", stage.now + 1_000);
      expect([await names(stage.now + 999), await names(stage.now + 1_000)]).toEqual([
        ["a", "b"],
        ["b"],
      ]);
      await put("c", stage.now + 500);
      expect(await names(stage.now + 499)).toEqual(["a", "b", "c"]);
      expect(await names(stage.now + 500)).toEqual(["c"]);
      await stage.store.removeHrSource(
        stage.tenantId,
        { sourceId: workday, now: stage.now },
        stage.also("removed"),
      );
      expect(await names(stage.now)).toEqual([]);
      expect(await refusal(put("d", stage.now))).toBe("NOT_FOUND");
      expect(await refusal(keep())).toBe("NOT_FOUND");
      await addSource();
      expect(await stage.store.listHrSources(stage.tenantId)).toMatchObject([
        { sourceId: "workday", removedAt: undefined, lastMessageAt: undefined },
      ]);
      expect(await names(stage.now)).toEqual([]);
    });

    it("belongs to its tenant", async () => {
      const next = await stage.neighbour();
      expect(await next.store.listHrSources(next.tenantId)).toEqual([]);
      expect(await refusal(next.store.keepHrUpload(next.tenantId, upload()))).toBe("NOT_FOUND");
    });

    it("is read by settings that come back as they were written", async () => {
      const settings: HrSettings = {
        employment: { decide: "first", order: [workday], leadMs: 5, absence: "withdraw" },
        zone: "Asia/Tokyo",
        domains: ["example.com"],
        sources: { workday: { ...defaultSourceSettings, zone: "Europe/Berlin" } },
      };
      expect(await stage.store.getHrSettings(stage.tenantId)).toBeUndefined();
      for (const lead of [5, 6]) {
        const next = { ...settings, employment: { ...settings.employment, leadMs: lead } };
        await stage.store.setHrSettings(stage.tenantId, { settings: next }, stage.also("set"));
        expect(await stage.store.getHrSettings(stage.tenantId)).toEqual(next);
      }
    });
  });

  describe("an upload", () => {
    it("is kept with every byte, once per key of its source", async () => {
      expect(await keep()).toEqual({ known: undefined });
      const { known } = await keep({ uploadId: "u2", bodyHash: "other" });
      expect(known).toMatchObject({ uploadId: "u1", bodyHash: "h1", answer: undefined });
      expect((await keep({ uploadId: "u3", kind: "bulk" })).known).toBeUndefined();
      const kept = await stage.store.getHrUpload(stage.tenantId, "u1");
      expect(Buffer.from(kept?.body ?? []).equals(Buffer.from([0, 255, 10, 123]))).toBe(true);
      expect(await stage.store.getHrUpload(stage.tenantId, "u2")).toBeUndefined();
      const [source] = await stage.store.listHrSources(stage.tenantId);
      expect(source?.lastMessageAt).toBe(stage.now);
    });

    it("that comes many times at once is kept once", async () => {
      const kept = await Promise.all(
        Array.from({ length: 6 }, (_, at) => keep({ uploadId: `u${String(at)}` })),
      );
      expect(kept.filter(({ known }) => known === undefined)).toHaveLength(1);
    });

    it("has one answer, and is left behind until it has", async () => {
      await keep();
      const left = async (before: number) =>
        (await stage.store.listUnansweredHr(before, 100)).filter(
          (item) => item.tenantId === stage.tenantId,
        );
      expect(await left(stage.now - 1)).toEqual([]);
      expect(await left(stage.now)).toEqual([{ tenantId: stage.tenantId, uploadId: "u1" }]);
      for (const state of ["applied", "parked"])
        await stage.store.answerHrUpload(stage.tenantId, { uploadId: "u1", answer: { state } });
      expect(await left(stage.now)).toEqual([]);
      expect((await keep()).known?.answer).toEqual({ state: "applied" });
    });
  });

  describe("a parked message", () => {
    const park = (position: number, code: "NO_ZONE" | "UNREADABLE" = "NO_ZONE") =>
      stage.store.parkHrMessage(
        stage.tenantId,
        {
          uploadId: "u1",
          position,
          sourceId: workday,
          kind: "event",
          code,
          why: "no zone",
          receivedAt: stage.now,
          document: { a: 1 },
        },
        stage.also("parked"),
      );
    const parked = async () =>
      (await stage.store.listParkedHr(stage.tenantId, { after: undefined, limit: 10 })).map(
        (item) => `${String(item.position)} ${item.code}`,
      );

    it("is listed until it counts or is dismissed, and parked again without a second record", async () => {
      await keep();
      await park(0);
      await park(1);
      await park(2);
      await park(1);
      await park(2, "UNREADABLE");
      expect(await parked()).toEqual(["0 NO_ZONE", "1 NO_ZONE", "2 UNREADABLE"]);
      expect(await stage.actions()).toEqual(["added", "parked", "parked", "parked", "parked"]);
      const dismiss = (position: number) =>
        stage.store.dismissHrMessage(
          stage.tenantId,
          { uploadId: "u1", position },
          stage.also("dismissed"),
        );
      await dismiss(1);
      expect(await refusal(dismiss(1))).toBe("NOT_FOUND");
      await apply(0);
      await apply(1, {}, { position: 2 }, { uploadId: "u1", position: 0 });
      expect(await parked()).toEqual([]);
      expect(await stage.store.settledHrMessages(stage.tenantId, "u1")).toEqual(
        new Map([
          [0, "applied"],
          [1, "dismissed"],
          [2, "replayed"],
        ]),
      );
      // What counted is not parked by a late reader.
      await park(0, "UNREADABLE");
      expect(await parked()).toEqual([]);
    });

    it("is paged by its place", async () => {
      await keep();
      for (const position of [0, 1, 2]) await park(position);
      const after = { receivedAt: stage.now, uploadId: "u1", position: 0 };
      const page = await stage.store.listParkedHr(stage.tenantId, { after, limit: 1 });
      expect(page.map((item) => item.position)).toEqual([1]);
    });
  });

  describe("a record", () => {
    it("comes back with its messages, and moves by who read it last", async () => {
      await keep();
      expect(await read()).toEqual({ record: undefined, messages: [] });
      await apply(0);
      expect(await read()).toEqual({
        record: { ...record(), version: 1 },
        messages: [message()],
      });
      expect(await refusal(apply(0))).toBe("VERSION_CONFLICT");
      await apply(1, {}, { position: 1, saidAt: 9_000 }, { uploadId: "u1", position: 0 });
      const { record: after, messages } = await read();
      expect(after?.version).toBe(2);
      expect(messages).toEqual([{ ...message(), repeatedAt: 9_000 }]);
    });

    it("finds people by number and by present address, among the living", async () => {
      const ada = await hire("ada", " 1042");
      const bo = await hire("bo", "7");
      expect(await candidates()).toEqual([
        { identityId: ada.identityId, by: "employee_number", taken: false },
        { identityId: ada.identityId, by: "email", taken: false },
      ]);
      expect(await candidates({ employeeNumber: "7", email: undefined })).toEqual([
        { identityId: bo.identityId, by: "employee_number", taken: false },
      ]);
      expect(await candidates({ employeeNumber: undefined, email: "bo@example.com" })).toEqual([
        { identityId: bo.identityId, by: "email", taken: false },
      ]);
      await keep();
      await apply(0, { identityId: ada.identityId, joinedBy: "email" });
      expect(await candidates({ key: "other" })).toMatchObject([{ taken: true }, { taken: true }]);
      expect(await candidates()).toMatchObject([{ taken: false }, { taken: false }]);
      await stage.deleteUser(ada);
      await stage.deleteUser(bo);
      expect(await candidates()).toEqual([]);
    });

    it("waits for its person, found from their side by number or address", async () => {
      await keep();
      await apply(0);
      const waiting = async (...people: readonly SourceUser[]) =>
        (
          await stage.store.findWaitingHr(
            stage.tenantId,
            people.map((one) => one.identityId),
          )
        ).map((item) => item.person.key);
      const bo = await hire("bo", "8");
      expect(await waiting(bo)).toEqual([]);
      const ada = await hire("ada");
      const renamed = await stage.replaceUser(bo, {
        resource: { userName: "bo", [enterprise]: { employeeNumber: 1042 } },
      });
      expect([await waiting(ada), await waiting(renamed), await waiting(ada, bo)]).toEqual([
        ["1042"],
        ["1042"],
        ["1042"],
      ]);
      await join(ada.identityId, 1);
      expect(await waiting(ada, bo)).toEqual([]);
    });

    const join = (identityId: IdentityId | undefined, version: number, personKey = "1042") =>
      stage.store.joinHrRecord(
        stage.tenantId,
        {
          sourceId: workday,
          personKey,
          expect: version,
          identityId,
          by: identityId && "operator",
        },
        identityId === undefined ? noAlso : stage.also("joined", identityId),
      );

    it("is one person's and that person has one of a source", async () => {
      const ada = await hire("ada");
      await keep();
      await apply(0);
      await apply(
        0,
        { person: person({ key: "2" }) },
        { position: 1, person: person({ key: "2" }) },
      );
      await join(ada.identityId, 1);
      expect(await stage.wanted(ada)).toEqual([1]);
      expect(await refusal(join(ada.identityId, 1, "2"))).toBe("ALREADY_EXISTS sourceId");
      expect(await refusal(join(undefined, 1))).toBe("VERSION_CONFLICT");
      const page = await stage.store.listHrRecords(stage.tenantId, {
        sourceId: workday,
        after: undefined,
        limit: 10,
      });
      expect(page.map((item) => [item.person.key, item.identityId])).toEqual([
        ["1042", ada.identityId],
        ["2", undefined],
      ]);
      await join(undefined, 2);
      expect((await read()).record).toMatchObject({ identityId: undefined, joinedBy: undefined });
    });

    it("is a part of its person's facts, and who is gone by it is no active person any more", async () => {
      const ada = await hire("ada");
      expect((await stage.facts(ada.identityId)).employment).toBeUndefined();
      await keep();
      const leaves = { moment: { at: 9_000 }, acceptedAt: 8_000 };
      await apply(0, { identityId: ada.identityId, spells: [{ ...spell, leaves }] });
      const { employment } = await stage.facts(ada.identityId);
      if (employment === undefined) throw new Error("no employment");
      expect(employmentAt(employment, 8_999).state).toBe("employed");
      expect(employmentAt(employment, 9_000)).toMatchObject({
        state: "left",
        leaveAcceptedAt: 8_000,
      });
      const note = async (wanted: number, value: boolean) => {
        await stage.replaceUser(
          (await stage.getUser(ada)) ?? ada,
          { displayName: String(wanted) },
          stage.also("marked", ada.identityId),
        );
        await stage.store.commitSync(
          stage.tenantId,
          {
            identityId: ada.identityId,
            wanted,
            wishes: [],
            nextDueAt: undefined,
            hrDeparted: { value, confirmed: false, record: stage.record(`gone ${String(value)}`) },
            now: stage.now,
          },
          noAlso,
        );
      };
      const active = async () => [
        (await stage.store.countIdentities(stage.tenantId)).active,
        (await stage.store.findIdentitiesByEmail(stage.tenantId, ["ada@example.com"]))[0]?.active,
      ];
      expect(await active()).toEqual([1, true]);
      await note(1, true);
      await note(2, true);
      expect(await active()).toEqual([0, false]);
      await note(3, false);
      expect(await active()).toEqual([1, true]);
      const told = (await stage.actions()).filter((action) => action.startsWith("gone"));
      expect(told).toEqual(["gone true", "gone false"]);
    });
  });
}
