import type { Measure } from "../measure.ts";
import { access } from "./access.ts";
import { companyImport } from "./company-import.ts";
import { firstCall } from "./first-call.ts";
import { fleetWorkers } from "./fleet-workers.ts";
import { groupMember } from "./group-member.ts";
import { idle } from "./idle.ts";
import { kafkaHints } from "./kafka-hints.ts";
import { laneLimit } from "./lane-limit.ts";
import { leaver } from "./leaver.ts";
import { lookup } from "./lookup.ts";
import { rules } from "./rules.ts";
import { scimBySize } from "./scim-by-size.ts";
import { scimPostgres } from "./scim-postgres.ts";
import { scimRead } from "./scim-read.ts";
import { scimWrites } from "./scim-writes.ts";
import { simulation } from "./simulation.ts";
import { underImport } from "./under-import.ts";

/** Every measure, in the order of the run and of the report: one process first, then the fleet, then what takes long. */
export const allMeasures: readonly Measure[] = [
  rules,
  firstCall,
  scimWrites,
  scimRead,
  underImport,
  lookup,
  groupMember,
  access,
  simulation,
  companyImport,
  laneLimit,
  idle,
  kafkaHints,
  fleetWorkers,
  scimPostgres,
  leaver,
  scimBySize,
];
