import { describe, expect, test } from "vitest";
import type { LookRecord } from "../../../src/accounts/account-store.ts";
import type { LeasedTarget } from "../../../src/accounts/target.ts";
import type { ApplyDeps } from "../../../src/apply/apply-deps.ts";
import { UnsavedLook } from "../../../src/apply/unsaved-look.ts";
import { asId, type AccountId, type ConnectionId, type TenantId } from "../../../src/model/ids.ts";

const tenantId = asId<TenantId>("acme");
const connectionId = asId<ConnectionId>("console");

describe("a look that no commit holds yet", () => {
  function begin() {
    const saved: unknown[] = [];
    const store = {
      recordLook: (...args: readonly unknown[]) => {
        saved.push(args);
        return Promise.resolve();
      },
    } as unknown as ApplyDeps["store"];
    const target = { tenantId, connectionId } as LeasedTarget;
    return { saved, unsaved: new UnsavedLook({ store }, target) };
  }
  const record = (now: number, gone: readonly string[] = ["a"]): LookRecord => ({
    accounts: [],
    gone: gone.map((id) => asId<AccountId>(id)),
    grants: [],
    now,
  });

  test("waits for the next commit and goes with it once", async () => {
    const { saved, unsaved } = begin();
    await unsaved.note(record(1), true);
    expect(unsaved.part).toEqual({ look: record(1) });
    unsaved.taken();
    expect(unsaved.part).toEqual({});
    await unsaved.save();
    expect(saved).toEqual([]);
  });

  test("has a commit of its own where somebody may ask for it, or where it may not wait", async () => {
    const { saved, unsaved } = begin();
    await unsaved.note(record(1), true);
    await unsaved.save();
    await unsaved.save();
    await unsaved.note(record(2), false);
    expect(saved).toEqual([1, 2].map((now) => [tenantId, { connectionId, ...record(now) }]));
    expect(unsaved.part).toEqual({});
  });

  test("takes the place of the one before, and is nothing where nothing was seen", async () => {
    const { saved, unsaved } = begin();
    await unsaved.note(record(1), true);
    await unsaved.note(record(2), true);
    expect(unsaved.part).toEqual({ look: record(2) });
    await unsaved.note(record(3, []), false);
    expect([unsaved.part, saved]).toEqual([{}, []]);
  });
});
