import type { TenantId } from "../model/ids.ts";
import type { ExportedRecord } from "./export.ts";

/** Where the audit record is streamed to. */
export interface AuditSink {
  /** Resolves when all of them are safe there. Records may come twice, never with a gap, and in leaf order per tenant. */
  send(tenantId: TenantId, records: readonly ExportedRecord[]): Promise<void>;
}
