import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AuditStore } from "../../audit/audit-store.ts";
import { InputError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import { getTree, listLeaves, listRecords } from "../sql/audit-queries.ts";
import { listTenants } from "../sql/directory-queries.ts";
import { Connection } from "./connection.ts";
import { runQuery } from "./run.ts";

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
  const connection = new Connection(path, { readOnly: true, cacheKib: 8_192 });
  const read = <T>(run: () => T) => Promise.resolve(run());
  return {
    tenants: runQuery(connection, listTenants, null).map((tenant) => tenant.tenantId),
    getTree: (tenantId) => read(() => runQuery(connection, getTree, { tenantId })),
    listRecords: (tenantId, page) =>
      read(() => runQuery(connection, listRecords, { tenantId, ...page })),
    listLeaves: (tenantId, page) =>
      read(() => runQuery(connection, listLeaves, { tenantId, ...page })),
    close: () => {
      connection.close();
    },
  };
}
