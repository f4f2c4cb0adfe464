import type { Measure } from "../measure.ts";
import { companyImport } from "./company-import.ts";
import { firstCall } from "./first-call.ts";
import { groupMember } from "./group-member.ts";
import { lookup } from "./lookup.ts";
import { rules } from "./rules.ts";
import { scimWrites } from "./scim-writes.ts";
import { simulation } from "./simulation.ts";

/** Every measure, in the order of the report. */
export const allMeasures: readonly Measure[] = [
  scimWrites,
  lookup,
  groupMember,
  firstCall,
  rules,
  simulation,
  companyImport,
];
