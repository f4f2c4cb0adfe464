import type { MappingVersionStore } from "../../mapping/version-store.ts";
import type { Clock } from "../../model/clock.ts";
import type { Engine } from "./engine.ts";
import * as commands from "./mapping-commands.ts";
import * as queries from "./mapping-queries.ts";

/** The mapping version port over an engine. */
export function mappingStore(engine: Engine, clock: Clock): MappingVersionStore {
  return {
    proposeMapping: (tenantId, command, also) =>
      engine.write(commands.proposeMapping, { tenantId, ...command, also }),
    vouchForMapping: (tenantId, command, also) =>
      engine.write(commands.vouchForMapping, { tenantId, ...command, now: clock.now(), also }),
    noteSimulation: async (tenantId, command) => {
      await engine.write(commands.noteSimulation, { tenantId, ...command });
    },
    setRollout: async (tenantId, command, also) => {
      await engine.write(commands.setRollout, { tenantId, ...command, also });
    },
    activateMapping: async (tenantId, command, also) => {
      await engine.write(commands.activateMapping, { tenantId, ...command, also });
    },
    refuseMapping: async (tenantId, command, also) => {
      await engine.write(commands.refuseMapping, { tenantId, ...command, now: clock.now(), also });
    },
    setBindings: async (tenantId, command, also) => {
      await engine.write(commands.setBindings, { tenantId, ...command, now: clock.now(), also });
    },
    listBindings: (tenantId, versionId) =>
      engine.read(queries.listBindings, { tenantId, versionId }),
    activeMappings: (tenantId) => engine.read(queries.activeMappings, { tenantId }),
    rollingMappings: (tenantId) => engine.read(queries.rollingMappings, { tenantId }),
    listMappings: (tenantId, connectionId) =>
      engine.read(queries.listMappings, { tenantId, connectionId }),
    mappingEpoch: (tenantId) => engine.read(queries.mappingEpoch, { tenantId }),
  };
}
