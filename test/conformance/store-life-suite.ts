import { describe, expect, it } from "vitest";
import { fakeClock } from "../support/fake-clock.ts";
import type { OpenStore } from "./account-stage.ts";
import { DirectoryStage, refusal } from "./directory-stage.ts";

/** A store as a whole: its stamp, whether it answers, and how it ends. */
export function storeLifeSuite(open: OpenStore): void {
  it("is stamped with its world, and no two are one", async () => {
    const clock = fakeClock();
    const [one, other] = [await open(clock), await open(clock)];
    expect(one.store.stamp).toMatchObject({ world: "test", createdAt: clock.now() });
    expect(one.store.stamp.instanceId).not.toBe(other.store.stamp.instanceId);
    await Promise.all([one.dispose(), other.dispose()]);
  });

  describe("closing", () => {
    it("lets what was asked finish and refuses what comes later", async () => {
      const stage = await DirectoryStage.open(open);
      await stage.store.ping();
      const running = Array.from({ length: 20 }, (_, n) => stage.addUser(`p${String(n)}`));
      const closing = stage.store.close();
      await closing;
      expect(await Promise.all(running)).toHaveLength(20);
      expect(await refusal(stage.addUser("late"))).toBe("UNAVAILABLE");
      expect(await refusal(stage.store.ping())).toBe("UNAVAILABLE");
      expect(await refusal(stage.store.listTenants())).toBe("UNAVAILABLE");
      expect(await refusal(stage.store.countIdentities(stage.tenantId))).toBe("UNAVAILABLE");
      await stage.store.close();
      await stage.dispose();
    });
  });
}
