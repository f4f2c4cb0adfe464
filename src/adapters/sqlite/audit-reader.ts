import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AuditStore } from "../../audit/audit-store.ts";
import { InputError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import { getTree, listLeaves, listRecords } from "./audit-queries.ts";
import { Database } from "./database.ts";

/** The record of a data folder, for reading alone: works beside a running service and when there is none. */
export interface AuditReader extends Pick<AuditStore, "getTree" | "listRecords" | "listLeaves"> {
  readonly tenants: readonly TenantId[];
  close(): void;
}

/** @throws InputError when the folder holds no database */
export function openAuditReader(folder: string): AuditReader {
  const path = join(folder, "rolecall.db");
  if (!existsSync(path)) {
    throw new InputError(`there is no database in ${folder}`, [
      "set ROLECALL_DATA_DIR to the data folder of the service",
    ]);
  }
  const db = new Database(path, { readOnly: true, cacheKib: 16_384 });
  const read = <T>(run: () => T) => Promise.resolve(run());
  return {
    tenants: db
      .all<{ tenant_id: TenantId }>("SELECT tenant_id FROM tenants ORDER BY tenant_id")
      .map((row) => row.tenant_id),
    getTree: (tenantId) => read(() => getTree.run(db, { tenantId })),
    listRecords: (tenantId, page) => read(() => listRecords.run(db, { tenantId, ...page })),
    listLeaves: (tenantId, page) => read(() => listLeaves.run(db, { tenantId, ...page })),
    close: () => {
      db.close();
    },
  };
}
