import type { EmploymentPolicy } from "./employment.ts";

/** How the texts of one source are read. */
export interface HrSourceSettings {
  /** The zone of its dates, where neither the message nor the person's location says one. */
  readonly zone: string | undefined;
  readonly locations: Readonly<Record<string, string>>;
  readonly leaveTime: string;
  readonly startTime: string;
  readonly dates: string;
  /** Our field → theirs, for uploads and files. Empty: uploads speak our own names. */
  readonly fields: Readonly<Record<string, string>>;
  /** What conditions of mapping files may ask as `hr.<name>`: that name → their column. Events speak our names. Absent: nothing. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly statuses: Readonly<Record<"employed" | "away" | "left", readonly string[]>>;
  readonly delimiter: string;
  readonly match: readonly ("employee_number" | "email")[];
  /** What it means to be missing from a complete upload. */
  readonly absent: "nothing" | "left";
  readonly absentFloor: number;
  readonly absentFraction: number;
}

/** `hr.yaml`, defaults filled in. */
export interface HrSettings {
  readonly employment: EmploymentPolicy;
  /** Of tenant.yaml, and only where it says one. */
  readonly zone: string | undefined;
  /** Addresses of these domains are verified; empty: those of every domain. Folded. */
  readonly domains: readonly string[];
  readonly sources: Readonly<Record<string, HrSourceSettings>>;
}

/** How a source that hr.yaml does not name is read: in our own words. */
export const defaultSourceSettings: HrSourceSettings = {
  zone: undefined,
  locations: {},
  leaveTime: "end",
  startTime: "start",
  dates: "YYYY-MM-DD",
  fields: {},
  statuses: {
    employed: ["employed", "active"],
    away: ["away", "on-leave"],
    left: ["left", "terminated", "inactive"],
  },
  delimiter: ",",
  match: ["employee_number", "email"],
  absent: "nothing",
  absentFloor: 3,
  absentFraction: 0.02,
};

/** Our fields of a row of a state upload; hr.yaml maps the columns of an HR system to them. */
export const rowFields = [
  "id",
  "employeeNumber",
  "email",
  "name",
  "location",
  "zone",
  "status",
  "start",
  "end",
] as const;
export type RowField = (typeof rowFields)[number];
