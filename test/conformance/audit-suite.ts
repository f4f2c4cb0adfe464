import { expect, it } from "vitest";
import { commitment } from "../../src/model/commitment.ts";
import { asId, type ConnectionId } from "../../src/model/ids.ts";
import type { AuditRecord } from "../../src/model/records.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

/** The audit record: in the order of commits, sequenced without gaps, found by what it is about. */
export function auditSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const append = (...records: readonly AuditRecord[]) =>
    stage.store.appendRecords(stage.tenantId, records);
  const waiting = async (limit = 100) =>
    (await stage.store.listUnsequenced(stage.tenantId, limit)).map(({ record }) => record.recordId);
  const leaves = (expectSize: number, ...recordIds: readonly string[]) =>
    stage.store.appendLeaves(stage.tenantId, {
      expectSize,
      leaves: recordIds.map((recordId) => ({ recordId, leafHash: `leaf of ${recordId}` })),
      frontier: [`root at ${String(expectSize + recordIds.length)}`],
    });
  const found = async (filter: Partial<Parameters<typeof stage.store.findRecords>[1]>) =>
    (await stage.store.findRecords(stage.tenantId, { limit: 100, ...filter })).map(
      ({ record }) => record.action,
    );

  it("comes back as it was written, personal values beside their commitments", async () => {
    const personal = { email: { value: "ada@example.com", salt: "00".repeat(16) } };
    const record = stage.record("user.created", {
      connectionId: asId<ConnectionId>("console"),
      requestId: "req-1",
      cause: "scim.user",
      mappingVersion: "v1",
      facts: { count: 3, list: ["a", 1, null], deep: { ü: "🎩" } },
      personal,
      actor: { kind: "operator", id: "ada", address: "::1", credentialFingerprint: "0123456789ab" },
    });
    const plain = stage.record("service.started");
    await append(record, plain);
    await append();
    const stored = await stage.store.listUnsequenced(stage.tenantId, 10);
    const email = commitment("email", personal.email);
    expect(stored).toEqual([
      { tenantId: stage.tenantId, leafIndex: undefined, record, commitments: { email } },
      { tenantId: stage.tenantId, leafIndex: undefined, record: plain, commitments: {} },
    ]);
  });

  it("has every record once", async () => {
    const record = stage.record("service.started");
    await append(record);
    expect(await refusal(append(stage.record("other"), record))).toMatch(/^ALREADY_EXISTS/);
    expect(await waiting()).toEqual([record.recordId]);
    const neighbour = await stage.neighbour();
    await neighbour.store.appendRecords(neighbour.tenantId, [record]);
  });

  it("gives indexes without gaps, in the order that the sequencer says, once", async () => {
    const records = ["a", "b", "c"].map((action) => stage.record(action));
    for (const record of records) await append(record);
    const [a = "", b = "", c = ""] = records.map((record) => record.recordId);
    expect(await stage.store.tenantsToSequence()).toContain(stage.tenantId);
    expect(await stage.store.tenantsToStream()).not.toContain(stage.tenantId);
    expect(await waiting()).toEqual([a, b, c]);
    expect(await waiting(2)).toEqual([a, b]);
    expect(await stage.store.getTree(stage.tenantId)).toEqual({ size: 0, frontier: [] });
    await leaves(0, a, b);
    expect(await waiting()).toEqual([c]);
    expect(await refusal(leaves(0, c))).toBe("VERSION_CONFLICT");
    expect(await refusal(leaves(2, c, a))).toBe("NOT_FOUND");
    expect(await refusal(leaves(2, "nobody"))).toBe("NOT_FOUND");
    expect(await waiting()).toEqual([c]);
    await leaves(2, c);
    expect(await stage.store.tenantsToSequence()).not.toContain(stage.tenantId);
    expect(await stage.store.tenantsToStream()).toContain(stage.tenantId);
    await stage.store.moveAuditStream(stage.tenantId, { expect: 0, next: 3 });
    expect(await stage.store.tenantsToStream()).not.toContain(stage.tenantId);
    await leaves(3);
    expect(await stage.store.getTree(stage.tenantId)).toEqual({
      size: 3,
      frontier: ["root at 3"],
    });
    const page = (from: number, limit: number) => ({ from, limit });
    expect(await stage.store.listLeaves(stage.tenantId, page(1, 10))).toEqual([
      `leaf of ${b}`,
      `leaf of ${c}`,
    ]);
    expect(
      (await stage.store.listRecords(stage.tenantId, page(0, 2))).map((one) => [
        one.leafIndex,
        one.record.recordId,
      ]),
    ).toEqual([
      [0, a],
      [1, b],
    ]);
    expect(await stage.store.listRecords(stage.tenantId, page(3, 2))).toEqual([]);
  });

  it("is sequenced by one of many who try at once", async () => {
    const records = Array.from({ length: 4 }, (_, n) => stage.record(`a${String(n)}`));
    await append(...records);
    const tries = await Promise.allSettled(records.map((record) => leaves(0, record.recordId)));
    expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    expect((await stage.store.getTree(stage.tenantId)).size).toBe(1);
    expect(await waiting()).toHaveLength(3);
  });

  it("has one tree for each tenant", async () => {
    const neighbour = await stage.neighbour();
    const record = stage.record("a");
    await append(record);
    await leaves(0, record.recordId);
    expect(await neighbour.store.getTree(neighbour.tenantId)).toEqual({ size: 0, frontier: [] });
    expect(await neighbour.store.listLeaves(neighbour.tenantId, { from: 0, limit: 9 })).toEqual([]);
    expect(await neighbour.store.findRecords(neighbour.tenantId, { limit: 9 })).toEqual([]);
  });

  it("is found by actor, subject, family of actions and period, page by page", async () => {
    const one = stage.record("token.created", {
      actor: { kind: "operator", id: "grace" },
      subject: { type: "token", id: "t1" },
    });
    const two = stage.record("token.revoked", { subject: { type: "token", id: "t2" } });
    const three = stage.record("tokens.counted");
    await append(one, two, three);
    const later = stage.now + 1_000;
    await stage.clock.advance(1_000);
    await append(stage.record("token.created", { subject: { type: "idp", id: "t1" } }));
    expect(await found({ action: "token.*" })).toEqual([
      ...["token.created", "token.revoked", "token.created"],
    ]);
    expect(await found({ actor: "grace" })).toEqual(["token.created"]);
    expect(await found({ subject: { type: "token" } })).toEqual(["token.revoked", "token.created"]);
    expect(await found({ subject: { type: "token", id: "t1" } })).toEqual(["token.created"]);
    expect(await found({ subject: { id: "t1" } })).toHaveLength(2);
    expect(await found({ from: later })).toEqual(["token.created"]);
    expect(await found({ before: later })).toHaveLength(3);
    const pages: string[] = [];
    let after: number | undefined;
    for (;;) {
      const page = await stage.store.findRecords(stage.tenantId, {
        limit: 3,
        ...(after === undefined ? {} : { after }),
      });
      pages.push(...page.map(({ record }) => record.action));
      if (page.length < 3) break;
      after = page.at(-1)?.order;
    }
    expect(pages).toEqual(await found({}));
  });

  it("is found by person, connection, action and time, newest first", async () => {
    const ada = await stage.addUser("ada");
    const connectionId = asId<ConnectionId>("console");
    await append(
      stage.record("by.identity", { subject: { type: "identity", id: ada.identityId } }),
      stage.record("by.source", { subject: { type: "source_user", id: ada.sourceUserId } }),
      stage.record("by.fact", { facts: { identityId: ada.identityId }, connectionId }),
    );
    const before = stage.now + 1;
    await stage.clock.advance(1_000);
    await append(stage.record("later", { connectionId }));
    expect(await found({})).toEqual(["later", "by.fact", "by.source", "by.identity"]);
    expect(await found({ limit: 2 })).toEqual(["later", "by.fact"]);
    expect(await found({ identityId: ada.identityId })).toEqual([
      "by.fact",
      "by.source",
      "by.identity",
    ]);
    expect(await found({ connectionId })).toEqual(["later", "by.fact"]);
    expect(await found({ connectionId, before })).toEqual(["by.fact"]);
    expect(await found({ action: "by.source" })).toEqual(["by.source"]);
    expect(await found({ identityId: ada.identityId, action: "later" })).toEqual([]);
  });

  it("remembers per tenant how far it was streamed out, and moves for one at a time", async () => {
    const { store, tenantId } = stage;
    expect(await store.auditStreamedTo(tenantId)).toBe(0);
    await store.moveAuditStream(tenantId, { expect: 0, next: 500 });
    expect(await refusal(store.moveAuditStream(tenantId, { expect: 0, next: 200 }))).toBe(
      "VERSION_CONFLICT",
    );
    await store.moveAuditStream(tenantId, { expect: 500, next: 501 });
    expect(await store.auditStreamedTo(tenantId)).toBe(501);
  });
}
