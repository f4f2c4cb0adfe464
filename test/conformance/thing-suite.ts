import { beforeEach, describe, expect, it } from "vitest";
import type { ThingStep } from "../../src/accounts/thing-store.ts";
import { asId, newId, type ConnectionId, type IntentId } from "../../src/model/ids.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { ConnectionPolicy } from "../../src/model/policy.ts";
import { connectionPolicy } from "../../src/mapping/connection-policy.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

const connectionId = asId<ConnectionId>("outreach");
const job = "things:outreach";
const owner = "worker-1:run-1";
const policy: ConnectionPolicy = connectionPolicy({
  mode: "additive",
  connection: { credential: "sealed:x" },
});

/** The gate of writes that belong to no person. */
export function thingSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });
  beforeEach(async () => {
    await lane(policy);
    await lease(owner);
  });

  const none = { records: [], recompute: [] };
  const lane = (as: ConnectionPolicy) =>
    stage.store.upsertLane(
      stage.tenantId,
      {
        connectionId,
        ...{ vendor: "instantly", profile: "default", credential: "sealed:x" },
        baseUrl: undefined,
        policy: as,
        now: stage.now,
      },
      none,
    );
  const lease = (by: string) =>
    stage.store.leaseSchedule({
      ...{ tenantId: stage.tenantId, job, owner: by, now: stage.now, leaseMs: 60_000 },
    });
  const pass = (more: { step?: ThingStep; name?: string; owner?: string; now?: number } = {}) => {
    const intentId = stage.newId<IntentId>();
    const { step = "create", name = "crm", now = stage.now, ...by } = more;
    return stage.store
      .insertThingIntent(stage.tenantId, {
        ...{ intentId, connectionId, step, kind: "api_key", name, job, owner },
        ...{ notAfter: now + 30_000, now },
        ...by,
      })
      .then((answer) => (answer.ok ? intentId : answer.why));
  };
  const finish = (
    intentId: string,
    state: "done" | "unknown" | "refused" | "unsent",
    facts: JsonObject = {},
  ) =>
    stage.store.finishThingIntent(
      stage.tenantId,
      { intentId: asId<IntentId>(intentId), state, facts, now: stage.now },
      { records: [stage.record("thing.create")], recompute: [] },
    );
  const openOnes = async () =>
    (await stage.store.openThingIntents(stage.tenantId, connectionId)).map((item) => [
      item.name,
      item.state,
    ]);

  it("lets one write to a thing through, and no second before the first has an outcome", async () => {
    const first = await pass();
    expect(await openOnes()).toEqual([["crm", "sent"]]);
    expect(await pass({ step: "end" })).toBe("in_flight");
    expect(await pass({ name: "other" })).toMatch(/^[0-9a-f-]{36}$/);
    await finish(first, "unknown");
    expect(await pass()).toBe("in_flight");
    await finish(first, "done");
    expect(await openOnes()).toEqual([["other", "sent"]]);
    expect(await pass()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("writes an outcome once, with its record", async () => {
    const intent = await pass();
    await finish(intent, "refused", { code: "VENDOR_REJECTED" });
    await finish(intent, "done");
    const records = await stage.store.findRecords(stage.tenantId, {
      action: "thing.create",
      limit: 9,
    });
    expect(records).toHaveLength(1);
    expect(await refusal(finish(newId<IntentId>(stage.clock), "done"))).toBe("NOT_FOUND");
  });

  describe("is closed", () => {
    it("without the lease, and once it has run out", async () => {
      expect(await pass({ owner: "worker-2:run-1" })).toBe("lease_lost");
      expect(await pass({ now: stage.now + 60_001 })).toBe("lease_lost");
    });

    it("while the lane is paused", async () => {
      const pause = { code: "OPERATOR" as const, text: "x", since: stage.now };
      await stage.store.updateLane(
        stage.tenantId,
        { connectionId, set: { state: "paused", pause }, now: stage.now },
        none,
      );
      expect(await pass()).toBe("lane_paused");
    });

    it("while the connection, or the kind alone, is report-only", async () => {
      await lane({ ...policy, sets: { api_key: "report-only" } });
      expect(await pass()).toBe("report_only");
      await lane({ ...policy, mode: "report-only" });
      expect(await pass()).toBe("report_only");
    });

    it.each([
      ["all", "stopped", "stopped"],
      ["all-but-leavers", "stopped", "stopped"],
      ["grants", "stopped", "passes"],
      ["removals", "passes", "stopped"],
    ] as const)("under a stop of %s: create %s, end %s", async (covers, create, end) => {
      await stage.store.setStop(
        stage.tenantId,
        {
          stop: { connectionId, covers, by: "ann", why: "test", since: stage.now },
          on: true,
          now: stage.now,
        },
        none,
      );
      const told = (answer: string) => (answer === "stopped" ? answer : "passes");
      expect(told(await pass({ name: "a" }))).toBe(create);
      expect(told(await pass({ name: "b", step: "end" }))).toBe(end);
    });

    it("where there is no such lane", async () => {
      const answer = await stage.store.insertThingIntent(stage.tenantId, {
        intentId: stage.newId<IntentId>(),
        connectionId: asId<ConnectionId>("nowhere"),
        ...{ step: "create", kind: "api_key", name: "crm", job, owner },
        ...{ notAfter: stage.now, now: stage.now },
      });
      expect(answer).toEqual({ ok: false, why: "no_lane" });
    });
  });
}
