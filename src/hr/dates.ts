import type { Instant } from "../model/clock.ts";
import type { HrMoment } from "../model/employment.ts";
import type { HrSettings, HrSourceSettings } from "../model/hr-settings.ts";
import { isRealDay, isZone } from "../model/zoned-time.ts";
import { MessageFault } from "./message-fault.ts";

/** A date as it may be written: text, or its parts. */
export type WrittenDate =
  | string
  | {
      readonly date: string;
      readonly time?: string | undefined;
      readonly zone?: string | undefined;
    };

/** Where a date's zone comes from, where it brings none. */
export interface ZoneSources {
  readonly person: string | undefined;
  readonly location: string | undefined;
  readonly source: HrSourceSettings;
  readonly settings: HrSettings | undefined;
}

const isoDay = /^\d{4}-\d{2}-\d{2}$/;
const isoLocal = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?$/;
const isoInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * The moment of a date: an instant where it has an offset, else a local time with the zone of the date, the person, their location,
 * the HR system or the tenant, in this order.
 * @param dayTime what a day alone means: `start`, `end` or a time of day
 * @throws MessageFault NO_ZONE, UNREADABLE
 */
export function readMoment(
  written: WrittenDate,
  field: string,
  dayTime: string,
  zones: ZoneSources,
): HrMoment {
  const parts = typeof written === "string" ? { date: written.trim() } : written;
  if (isoInstant.test(parts.date)) {
    const at = Date.parse(parts.date);
    if (Number.isFinite(at) && isRealDay(parts.date.slice(0, 10))) return { at };
    throw noSuchDay(field, parts.date);
  }
  const local = isoLocal.exec(parts.date);
  const day = local?.[1] ?? dayOf(parts.date, zones.source.dates);
  const time = parts.time ?? local?.[2] ?? dayTime;
  if (day === undefined || !isRealDay(day)) throw noSuchDay(field, parts.date);
  if (!/^(?:start|end|(?:[01]\d|2[0-3]):[0-5]\d)$/.test(time))
    throw new MessageFault(
      "UNREADABLE",
      `${field}: "${time}" is no time of day: write 17:30, start or end`,
    );
  return { local: { day, time, zone: zoneOf(field, parts.zone, zones) } };
}

/** An instant that a message says of itself. @throws MessageFault UNREADABLE */
export function readInstant(text: string, field: string): Instant {
  const at = isoInstant.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new MessageFault(
    "UNREADABLE",
    `${field}: write an instant with its offset, as in 2026-11-30T09:00:00Z`,
  );
}

function zoneOf(field: string, own: string | undefined, zones: ZoneSources): string {
  const { person, location, source, settings } = zones;
  const known = location === undefined ? undefined : source.locations[location.trim()];
  const zone = own ?? person ?? known ?? source.zone ?? settings?.zone;
  if (zone === undefined)
    throw new MessageFault(
      "NO_ZONE",
      `${field}: the date has no time zone${location === undefined ? "" : `, and hr.yaml lists none for the location "${location}"`}: give the message one, or hr.yaml or tenant.yaml, and replay it`,
    );
  if (!isZone(zone))
    throw new MessageFault(
      "UNREADABLE",
      `${field}: "${zone}" is no IANA time zone, as Australia/Melbourne is one`,
    );
  return zone;
}

/** `DD.MM.YYYY` and its like say where a date's parts stand; ISO days are always read. */
function dayOf(text: string, format: string): string | undefined {
  const date = text.split(/[T ]/, 1)[0] ?? "";
  if (isoDay.test(date)) return date;
  const names = format.match(/YYYY|MMM|MM|M|DD|D/g) ?? [];
  const values = date.split(/[^0-9A-Za-z]+/);
  if (names.length !== 3 || values.length !== 3) return undefined;
  const part = (letter: string) => values[names.findIndex((name) => name.startsWith(letter))] ?? "";
  const month = names.includes("MMM")
    ? String(months.indexOf(part("M").slice(0, 3).toLowerCase()) + 1)
    : part("M");
  if (!/^\d{4}$/.test(part("Y")) || !/^\d{1,2}$/.test(month) || !/^\d{1,2}$/.test(part("D")))
    return undefined;
  return `${part("Y")}-${month.padStart(2, "0")}-${part("D").padStart(2, "0")}`;
}

const months = [
  ...["jan", "feb", "mar", "apr", "may", "jun"],
  ...["jul", "aug", "sep", "oct", "nov", "dec"],
];

function noSuchDay(field: string, text: string): MessageFault {
  return new MessageFault(
    "UNREADABLE",
    `${field}: "${text.slice(0, 40)}" is no day of the calendar: write 2026-11-30, or say the format in hr.yaml`,
  );
}
