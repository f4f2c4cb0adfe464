import { expect, it } from "vitest";
import { asId, type ConnectionId, type RosterId } from "../../src/model/ids.ts";
import type { RosterMember } from "../../src/model/roster.ts";
import type { RosterHead } from "../../src/tasks/roster-store.ts";
import { policy } from "../unit/plan/plan-fixture.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

const connectionId = asId<ConnectionId>("clay");

/** Lists of members that people bring: the last one whole, those before it by head, and none that overtakes another. */
export function rosterSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const also = () => ({ records: [stage.record("roster.accepted")], recompute: [] });
  const lane = async (of = stage) => {
    await of.store.upsertLane(
      of.tenantId,
      {
        connectionId,
        vendor: "clay",
        profile: "default",
        credential: "sealed:clay",
        baseUrl: undefined,
        policy,
        now: of.now,
      },
      also(),
    );
  };
  const head = (capturedAt: number): RosterHead => ({
    rosterId: stage.newId<RosterId>(),
    connectionId,
    workspaceId: "ws_1",
    capturedAt,
    acceptedAt: stage.now,
    count: 1,
    sha256: "ab",
    by: "ann",
  });
  const members: readonly RosterMember[] = [
    {
      email: "ada@example.com",
      name: undefined,
      role: "editor",
      status: "active",
      groups: ["GTM"],
    },
  ];
  const keep = async (made: RosterHead, after: RosterId | null) => {
    await stage.store.keepRoster(stage.tenantId, { head: made, members, after }, also());
    return made;
  };

  it("come back whole, the last one by the moment that it shows, in their own tenant only", async () => {
    await lane();
    expect(await stage.store.lastRoster(stage.tenantId, connectionId)).toBeUndefined();
    const first = await keep(head(1_000), null);
    const second = await keep(head(2_000), first.rosterId);
    const last = await stage.store.lastRoster(stage.tenantId, connectionId);
    expect(last).toEqual({
      head: second,
      roster: { workspaceId: "ws_1", capturedAt: 2_000, members },
    });
    expect(await stage.store.listRosters(stage.tenantId, connectionId, 5)).toEqual([second, first]);
    const neighbour = await stage.neighbour();
    expect(await stage.store.lastRoster(neighbour.tenantId, connectionId)).toBeUndefined();
    expect(await stage.store.listRosters(neighbour.tenantId, connectionId, 5)).toEqual([]);
  });

  it("are kept only by who judged them beside the last one", async () => {
    await lane();
    const outcomes = await Promise.allSettled([keep(head(1_000), null), keep(head(2_000), null)]);
    expect(outcomes.filter((item) => item.status === "fulfilled")).toHaveLength(1);
    expect(await refusal(keep(head(3_000), stage.newId<RosterId>()))).toBe("VERSION_CONFLICT");
    expect(await stage.store.listRosters(stage.tenantId, connectionId, 5)).toHaveLength(1);
  });

  it("of a connection that is not there are refused", async () => {
    expect(await refusal(keep(head(1_000), null))).toBe("NOT_FOUND");
  });

  it("make the connection be listed again", async () => {
    await lane();
    const set = { nextListAt: stage.now + 1_000_000 };
    await stage.store.updateLane(stage.tenantId, { connectionId, set, now: stage.now }, also());
    await keep(head(1_000), null);
    expect((await stage.store.getLane(stage.tenantId, connectionId))?.nextListAt).toBeNull();
  });
}
