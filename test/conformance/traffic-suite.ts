import { expect, it } from "vitest";
import { keptPauses, keptRequests } from "../../src/directory/traffic-store.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, tenantForEach } from "./directory-stage.ts";

/** What was heard of IdP connections: counts that add up, silences that ended, the last requests; bounded. */
export function trafficSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const minute = 60_000;
  const request = (at: number) => ({ at, method: "GET", route: "/Users", status: 200 });
  const note = (at: number, more: { requests?: number; refused?: number; failed?: number } = {}) =>
    stage.store.noteTraffic(stage.tenantId, {
      ...{ idpId: stage.idpId, firstAt: at, lastAt: at, recent: [request(at)] },
      ...{ requests: 1, refused: 0, failed: 0, ...more },
    });
  const heard = () => stage.store.readTraffic(stage.tenantId, stage.idpId);

  it("are nothing before the first request", async () => {
    expect(await heard()).toEqual({
      ...{ lastRequestAt: undefined, requests: 0, refused: 0, failed: 0 },
      ...{ pauses: [], recent: [] },
    });
  });

  it("add up, newest first, with silences from ten minutes on", async () => {
    const start = stage.now;
    await note(start, { requests: 5, refused: 2 });
    await note(start + 9 * minute, { failed: 1 });
    await note(start + 29 * minute);
    // Another process, a little late.
    await note(start + 28 * minute);
    expect(await heard()).toMatchObject({
      ...{ lastRequestAt: start + 29 * minute, requests: 8, refused: 2, failed: 1 },
      pauses: [20 * minute],
    });
    expect((await heard()).recent.map((one) => (one.at - start) / minute)).toEqual([29, 28, 9, 0]);
  });

  it("of several processes at once lose nothing", async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => note(stage.now + index)));
    expect(await heard()).toMatchObject({ requests: 12 });
    expect((await heard()).recent).toHaveLength(12);
  });

  it("stay bounded", async () => {
    for (let index = 0; index < keptPauses + 3; index += 1) {
      await note(stage.now + index * 20 * minute);
    }
    const known = await heard();
    expect(known.pauses).toHaveLength(keptPauses);
    expect(known.recent).toHaveLength(keptRequests);
  });
}
