import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BrakeReason } from "../../src/recovery/brake-store.ts";
import { AccountStage, console_, type OpenStore } from "./account-stage.ts";

const copied: BrakeReason = { kind: "other_home", was: "production", is: "staging" };

/** The brake of the whole store, as lanes and the gate show it. */
export function accountBrakeSuite(open: OpenStore): void {
  let stage: AccountStage;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
  });
  afterEach(() => stage.dispose());

  const pull = (since: number, ...reasons: readonly BrakeReason[]) =>
    stage.store.pullBrake({ since, reasons });
  const release = () => stage.store.releaseBrake({ home: undefined, now: stage.now, tenants: [] });

  describe("the brake", () => {
    it("is off in a new store", async () => {
      expect(await stage.store.readBrake()).toBeUndefined();
    });

    it("makes every connection of every tenant report-only until it is released", async () => {
      await stage.neighbour();
      const modes = async () => {
        const lane = await stage.store.getLane(stage.tenantId, console_);
        const lanes = await stage.store.listLanes(undefined);
        return [lane, ...lanes].map((item) => item?.policy.mode);
      };
      expect(new Set(await modes())).toEqual(new Set(["additive"]));
      await pull(5, copied);
      expect(await modes()).toHaveLength(5);
      expect(new Set(await modes())).toEqual(new Set(["report-only"]));
      await release();
      expect(new Set(await modes())).toEqual(new Set(["additive"]));
      expect(await stage.store.readBrake()).toBeUndefined();
    });

    it("refuses a write that was planned before it came on", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const target = await stage.leaseOne(ada);
      await pull(5, copied);
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "report_only" });
      await release();
      expect(await stage.pass(target)).toMatchObject({ ok: true });
    });

    it("keeps its first instant and gathers reasons, each once", async () => {
      const older: BrakeReason = {
        kind: "older_than_checkpoint",
        tenantId: stage.tenantId,
        storeSize: 3,
        checkpointSize: 9,
      };
      await pull(5, copied);
      await pull(8, copied, older);
      expect(await stage.store.readBrake()).toEqual({ since: 5, reasons: [copied, older] });
    });
  });
}
