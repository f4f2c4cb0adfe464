import type { HrStore } from "../../directory/hr-store.ts";
import type { Clock } from "../../model/clock.ts";
import type { Engine } from "./engine.ts";
import * as commands from "./hr-commands.ts";
import * as queries from "./hr-queries.ts";

/** The HR port over an engine. */
export function hrStore(engine: Engine, clock: Clock): HrStore {
  return {
    ...sourceMethods(engine, clock),
    ...messageMethods(engine, clock),
    ...recordMethods(engine, clock),
  };
}

type Methods<Name extends keyof HrStore> = Pick<HrStore, Name>;

function sourceMethods(
  engine: Engine,
  clock: Clock,
): Methods<
  | "setHrSettings"
  | "getHrSettings"
  | "addHrSource"
  | "removeHrSource"
  | "listHrSources"
  | "addHrSecret"
  | "listHrSecrets"
> {
  return {
    setHrSettings: async (tenantId, command, also) => {
      await engine.write(commands.setHrSettings, { tenantId, ...command, now: clock.now(), also });
    },
    getHrSettings: (tenantId) => engine.read(queries.getHrSettings, { tenantId }),
    addHrSource: async (tenantId, command, also) => {
      await engine.write(commands.addHrSource, { tenantId, ...command, also });
    },
    removeHrSource: async (tenantId, command, also) => {
      await engine.write(commands.removeHrSource, { tenantId, ...command, also });
    },
    listHrSources: (tenantId) => engine.read(queries.listHrSources, { tenantId }),
    addHrSecret: async (tenantId, command, also) => {
      await engine.write(commands.addHrSecret, { tenantId, ...command, now: clock.now(), also });
    },
    listHrSecrets: (tenantId, sourceId, now) =>
      engine.read(queries.listHrSecrets, { tenantId, sourceId, now }),
  };
}

function messageMethods(
  engine: Engine,
  clock: Clock,
): Methods<
  | "keepHrUpload"
  | "getHrUpload"
  | "answerHrUpload"
  | "listUnansweredHr"
  | "settledHrMessages"
  | "parkHrMessage"
  | "listParkedHr"
  | "dismissHrMessage"
> {
  return {
    keepHrUpload: (tenantId, upload) => engine.write(commands.keepHrUpload, { tenantId, upload }),
    getHrUpload: (tenantId, uploadId) => engine.read(queries.getHrUpload, { tenantId, uploadId }),
    answerHrUpload: async (tenantId, command) => {
      await engine.write(commands.answerHrUpload, { tenantId, ...command });
    },
    listUnansweredHr: (before, limit) => engine.read(queries.listUnansweredHr, { before, limit }),
    settledHrMessages: (tenantId, uploadId) =>
      engine.read(queries.settledHrMessages, { tenantId, uploadId }),
    parkHrMessage: async (tenantId, message, also) => {
      await engine.write(commands.parkHrMessage, { tenantId, message, now: clock.now(), also });
    },
    listParkedHr: (tenantId, page) => engine.read(queries.listParkedHr, { tenantId, ...page }),
    dismissHrMessage: async (tenantId, command, also) => {
      await engine.write(commands.dismissHrMessage, {
        tenantId,
        ...command,
        now: clock.now(),
        also,
      });
    },
  };
}

function recordMethods(
  engine: Engine,
  clock: Clock,
): Methods<
  | "readHrPerson"
  | "applyHrMessage"
  | "findHrCandidates"
  | "findWaitingHr"
  | "joinHrRecord"
  | "listHrRecords"
  | "getHrRecord"
> {
  return {
    readHrPerson: (tenantId, key) => engine.read(queries.readHrPerson, { tenantId, ...key }),
    applyHrMessage: async (tenantId, command, also) => {
      await engine.write(commands.applyHrMessage, { tenantId, ...command, now: clock.now(), also });
    },
    findHrCandidates: (tenantId, person) =>
      engine.read(queries.findHrCandidates, { tenantId, ...person }),
    findWaitingHr: (tenantId, identityIds) =>
      engine.read(queries.findWaitingHr, { tenantId, identityIds }),
    joinHrRecord: async (tenantId, command, also) => {
      await engine.write(commands.joinHrRecord, { tenantId, ...command, now: clock.now(), also });
    },
    listHrRecords: (tenantId, page) => engine.read(queries.listHrRecords, { tenantId, ...page }),
    getHrRecord: (tenantId, key) => engine.read(queries.getHrRecord, { tenantId, ...key }),
  };
}
