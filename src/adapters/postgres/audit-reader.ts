import type { AuditStore } from "../../audit/audit-store.ts";
import type { TenantId } from "../../model/ids.ts";
import { getTree, listLeaves, listRecords } from "../sql/audit-queries.ts";
import { listTenants } from "../sql/directory-queries.ts";
import { openPool } from "./pool.ts";
import { postgresEngine } from "./postgres-engine.ts";

/** The record of a database, for reading alone: works beside running services, and never migrates. */
export interface AuditReader extends Pick<AuditStore, "getTree" | "listRecords" | "listLeaves"> {
  readonly tenants: readonly TenantId[];
  close(): Promise<void>;
}

/** @throws StoreError UNAVAILABLE */
export async function openAuditReader(url: string): Promise<AuditReader> {
  const engine = postgresEngine(openPool({ url, connectionsMax: 1 }, undefined), new Map());
  try {
    const tenants = await engine.read(listTenants, null);
    return {
      tenants: tenants.map((tenant) => tenant.tenantId),
      getTree: (tenantId) => engine.read(getTree, { tenantId }),
      listRecords: (tenantId, page) => engine.read(listRecords, { tenantId, ...page }),
      listLeaves: (tenantId, page) => engine.read(listLeaves, { tenantId, ...page }),
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
