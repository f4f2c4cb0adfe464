import type { Measure } from "../measure.ts";
import { rules } from "./rules.ts";
import { scimWrites } from "./scim-writes.ts";

/** Every measure, in the order of the report. */
export const allMeasures: readonly Measure[] = [scimWrites, rules];
