import type { RecomputeStore } from "../../events/recompute-store.ts";
import type { Engine } from "./engine.ts";
import * as commands from "./recompute-commands.ts";
import * as queries from "./recompute-queries.ts";

/** The recompute port over an engine. */
export function recomputeStore(engine: Engine): RecomputeStore {
  return {
    listUnpublished: (command) => engine.read(queries.listUnpublished, command),
    markPublished: async (marks) => {
      if (marks.length > 0) await engine.write(commands.markPublished, marks);
    },
    listOverdue: (command) => engine.read(queries.listOverdue, command),
    readMarks: (tenantId, identityIds) => engine.read(queries.readMarks, { tenantId, identityIds }),
    recomputeBacklog: (now) => engine.read(queries.recomputeBacklog, { now }),
    // Asked each second, and nearly always for nothing: a question opens no transaction.
    leaseFanout: async (command) =>
      (await engine.read(queries.anyFanout, { now: command.now }))
        ? engine.write(commands.leaseFanout, command)
        : undefined,
    workFanout: (command) => engine.write(commands.workFanout, command),
    leaseSchedule: (command) => engine.write(commands.leaseSchedule, command),
    finishSchedule: async (command) => {
      await engine.write(commands.finishSchedule, command);
    },
  };
}
