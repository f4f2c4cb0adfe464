import type { Measure } from "../measure.ts";
import { companyImport } from "./company-import.ts";
import { firstCall } from "./first-call.ts";
import { groupMember } from "./group-member.ts";
import { leaver } from "./leaver.ts";
import { lookup } from "./lookup.ts";
import { rules } from "./rules.ts";
import { scimBySize } from "./scim-by-size.ts";
import { scimWrites } from "./scim-writes.ts";
import { simulation } from "./simulation.ts";
import { underImport } from "./under-import.ts";

/** Every measure, in the order of the run and of the report: short ones first. */
export const allMeasures: readonly Measure[] = [
  rules,
  firstCall,
  scimWrites,
  underImport,
  leaver,
  lookup,
  groupMember,
  simulation,
  scimBySize,
  companyImport,
];
