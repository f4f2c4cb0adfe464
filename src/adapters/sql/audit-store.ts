import type { AuditStore } from "../../audit/audit-store.ts";
import { auditStreamedTo, moveAuditStream, tenantsToStream } from "./audit-stream.ts";
import * as commands from "./audit-commands.ts";
import * as queries from "./audit-queries.ts";
import type { Engine } from "./engine.ts";

/** The audit port over an engine. */
export function auditStore(engine: Engine): AuditStore {
  return {
    appendRecords: async (tenantId, records) => {
      if (records.length > 0) await engine.write(commands.appendRecords, { tenantId, records });
    },
    tenantsToSequence: () => engine.read(queries.tenantsToSequence, null),
    tenantsToStream: () => engine.read(tenantsToStream, null),
    listUnsequenced: (tenantId, limit) => engine.read(queries.listUnsequenced, { tenantId, limit }),
    getTree: (tenantId) => engine.read(queries.getTree, { tenantId }),
    appendLeaves: async (tenantId, command) => {
      await engine.write(commands.appendLeaves, { tenantId, ...command });
    },
    listLeaves: (tenantId, page) => engine.read(queries.listLeaves, { tenantId, ...page }),
    listRecords: (tenantId, page) => engine.read(queries.listRecords, { tenantId, ...page }),
    auditStreamedTo: (tenantId) => engine.read(auditStreamedTo, { tenantId }),
    moveAuditStream: async (tenantId, command) => {
      await engine.write(moveAuditStream, { tenantId, ...command });
    },
    alertingRecords: (tenantId, filter) =>
      engine.read(queries.alertingRecords, { tenantId, ...filter }),
    findRecords: (tenantId, filter) => engine.read(queries.findRecords, { tenantId, ...filter }),
  };
}
