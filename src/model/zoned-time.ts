import type { Instant } from "./clock.ts";

/** A time as the clocks of one place show it: a day, and where in the day. */
export interface LocalTime {
  /** `2026-11-30` */
  readonly day: string;
  /** `start` and `end` of the day, or `17:30`. The end is the first instant of the next day. */
  readonly time: "start" | "end" | (string & {});
  /** IANA name, as in Australia/Melbourne. */
  readonly zone: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Whether the text is the name of a time zone that this build knows. */
export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether there is such a day in the calendar: `2027-02-29` is none. */
export function isRealDay(day: string): boolean {
  const instant = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(instant) && new Date(instant).toISOString().startsWith(day);
}

/** The first instant whose local date is that day or later: midnight, unless the clocks skip it. */
export function startOfDay(day: string, zone: string): Instant {
  const isThere = (instant: Instant) => localText(instant, zone).slice(0, 10) >= day;
  // No zone is more than 14 h ahead of or 12 h behind UTC, so the day begins between these.
  const noon = Date.parse(`${day}T12:00:00Z`);
  let before = noon - 39 * hourMs;
  let at = noon + 15 * hourMs;
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (isThere(middle)) at = middle;
    else before = middle;
  }
  return at;
}

/** The last millisecond of a day in a zone. */
export function endOfDay(day: string, zone: string): Instant {
  return startOfDay(nextDay(day), zone) - 1;
}

/**
 * The instant at which the clocks of the zone show the time. It follows the zone's rules as this build knows them, so it is asked
 * for again whenever it counts. A time that the clocks skip is the one as long after their jump; of one that they show twice the first.
 */
export function instantOf({ day, time, zone }: LocalTime): Instant {
  if (time === "start") return startOfDay(day, zone);
  if (time === "end") return startOfDay(nextDay(day), zone);
  const wanted = Date.parse(`${day}T${time}:00Z`);
  const offsetAt = (instant: Instant) => Date.parse(`${localText(instant, zone)}Z`) - instant;
  const before = wanted - offsetAt(wanted - dayMs);
  const after = wanted - offsetAt(wanted + dayMs);
  const shown = [before, after].filter((at) => at + offsetAt(at) === wanted);
  return shown.length === 0 ? before : Math.min(...shown);
}

/** `2026-11-30 23:59 Australia/Melbourne`, for people. */
export function localName({ day, time, zone }: LocalTime): string {
  return `${day} ${time === "start" ? "start of day" : time === "end" ? "end of day" : time} ${zone}`;
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + dayMs).toISOString().slice(0, 10);
}

/** Making one is dear; zones are few. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks show, to the second: `2026-11-30T23:59:00`. */
function localText(instant: Instant, zone: string): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  return format.format(Math.floor(instant / 1_000) * 1_000).replace(" ", "T");
}
