import { z } from "zod";
import { asId, type HrSourceId } from "../model/ids.ts";
import {
  defaultSourceSettings,
  rowFields,
  type HrSettings,
  type HrSourceSettings,
} from "../model/hr-settings.ts";
import { isZone } from "../model/zoned-time.ts";
import { durationMs } from "./connection-policy.ts";
import { bounds } from "./schema.ts";
import { duration } from "./written.ts";
import { connectionName, line, strictObject } from "./strict-object.ts";
import type { TenantSettings } from "./tenant-file.ts";

const zone = z
  .string()
  .max(64)
  .refine(isZone, "write an IANA time zone, as in Australia/Melbourne");

const dayTime = z
  .string()
  .regex(
    /^(?:start|end|(?:[01]\d|2[0-3]):[0-5]\d)$/,
    "write start, end, or a time of day as in 17:30",
  );

const words = z.array(line(100)).min(1).max(100);

const source = strictObject({
  zone: zone.optional().describe("Of its dates, where a person's location says none"),
  locations: z.record(line(200), zone).optional().describe("Work location → time zone"),
  leave: dayTime.optional().describe("When on its last day a person is gone; end: with the day"),
  start: dayTime.optional().describe("When on the first day a person is there"),
  dates: line(20)
    .regex(
      /^(?=.*YYYY)(?=.*M)(?=.*D)[YMD]+[^YMD]+[YMD]+[^YMD]+[YMD]+$/,
      "write the format of its dates, as in DD.MM.YYYY or MM/DD/YYYY",
    )
    .optional()
    .describe("Format of its dates; YYYY-MM-DD is always read"),
  fields: z
    .partialRecord(z.enum(rowFields), line(200))
    .optional()
    .describe("Our field → column of its exports, or a path as work.startDate"),
  attributes: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "write a letter, then letters, digits, - and _"),
      line(200),
    )
    .refine((all) => Object.keys(all).length <= 100, "at most 100 attributes")
    .optional()
    .describe(
      "What rules may ask as hr.<name> → column of its exports, or a path; events say it by our name",
    ),
  statuses: strictObject({
    employed: words.optional(),
    away: words.optional(),
    left: words.optional(),
  })
    .optional()
    .describe("What its status words mean"),
  delimiter: z.enum([",", ";", "\t", "|"]).optional(),
  match: z
    .array(z.enum(["employeeNumber", "email"]))
    .min(1)
    .max(2)
    .optional()
    .describe("By what its people are joined with those of the IdPs"),
  absent: strictObject({
    means: z.enum(["nothing", "left"]),
    floor: z.number().int().min(0).max(bounds.list).optional(),
    fraction: z.number().min(0).max(1).optional(),
  })
    .optional()
    .describe("What it means to be missing from a complete upload, and how many may be"),
});

/** `hr.yaml`: the HR sources of a tenant, how they are read, and which of them decides. */
export const hrFile = strictObject({
  version: z.literal(1),
  decide: z
    .enum(["first", "last-to-leave"])
    .optional()
    .describe(
      "first: the first source below that knows a person · last-to-leave: employed by one is employed",
    ),
  lead: duration.optional().describe("How long before the start a joiner is given access"),
  absence: z.enum(["keep", "withdraw"]).optional().describe("What a leave of absence does"),
  sources: z.record(connectionName(), source),
});

/** The settings of a tenant's HR, defaults filled in. */
export function hrSettings(file: z.infer<typeof hrFile>, tenant: TenantSettings): HrSettings {
  return {
    employment: {
      decide: file.decide ?? "first",
      order: Object.keys(file.sources).map((name) => asId<HrSourceId>(name)),
      leadMs: file.lead === undefined ? 0 : durationMs(file.lead),
      absence: file.absence ?? "keep",
    },
    zone: tenant.zoneGiven ? tenant.zone : undefined,
    domains: tenant.domains,
    sources: Object.fromEntries(
      Object.entries(file.sources).map(([name, written]) => [name, sourceSettings(written)]),
    ),
  };
}

function sourceSettings(written: z.infer<typeof source>): HrSourceSettings {
  const standard = defaultSourceSettings;
  return {
    zone: written.zone,
    locations: written.locations ?? {},
    leaveTime: written.leave ?? standard.leaveTime,
    startTime: written.start ?? standard.startTime,
    dates: written.dates ?? standard.dates,
    fields: definite(written.fields ?? {}),
    ...(written.attributes === undefined ? {} : { attributes: written.attributes }),
    statuses: {
      employed: written.statuses?.employed ?? standard.statuses.employed,
      away: written.statuses?.away ?? standard.statuses.away,
      left: written.statuses?.left ?? standard.statuses.left,
    },
    delimiter: written.delimiter ?? standard.delimiter,
    match: written.match?.map((by) => (by === "email" ? by : "employee_number")) ?? standard.match,
    absent: written.absent?.means ?? standard.absent,
    absentFloor: written.absent?.floor ?? standard.absentFloor,
    absentFraction: written.absent?.fraction ?? standard.absentFraction,
  };
}

function definite(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
