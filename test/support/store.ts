import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { Store } from "../../src/adapters/store.ts";
import type { Clock } from "../../src/model/clock.ts";
import { asId, type IdpId, type TenantId } from "../../src/model/ids.ts";
import { fakeClock } from "./fake-clock.ts";

export interface TestStore {
  readonly store: Store;
  /** `:memory:`, or the temporary folder. */
  readonly folder: string;
  /** Closes the store and removes its folder. */
  dispose(): Promise<void>;
}

/** A fresh store stamped "test". */
export async function openMemoryStore(clock: Clock = fakeClock()): Promise<TestStore> {
  const store = await openSqliteStore({ folder: ":memory:", world: "test", clock });
  return { store, folder: ":memory:", dispose: () => store.close() };
}

/** A fresh store in a temporary folder, with its threads and its write-ahead log. */
export async function openFileStore(clock: Clock = fakeClock()): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), "rolecall-store-"));
  const store = await openSqliteStore({ folder, world: "test", clock });
  return {
    store,
    folder,
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const noAlso = { records: [], recompute: [] } as const;

/** A tenant with one IdP connection. */
export async function addTenant(
  store: Store,
  now: number,
  names: { readonly tenant?: string; readonly idp?: string } = {},
): Promise<{ readonly tenantId: TenantId; readonly idpId: IdpId }> {
  const tenantId = asId<TenantId>(names.tenant ?? "acme");
  const idpId = asId<IdpId>(names.idp ?? "okta");
  await store.createTenant(tenantId, { now }, noAlso);
  await store.createIdp(tenantId, { idpId, kind: "okta", now }, noAlso);
  return { tenantId, idpId };
}
