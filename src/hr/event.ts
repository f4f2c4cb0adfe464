import { z } from "zod";
import type { HrPerson, HrStatement } from "../directory/hr-store.ts";
import type { Instant } from "../model/clock.ts";
import { fold, foldEmail } from "../model/fold.ts";
import type { HrSettings, HrSourceSettings } from "../model/hr-settings.ts";
import { readInstant, readMoment, type WrittenDate, type ZoneSources } from "./dates.ts";
import { MessageFault } from "./message-fault.ts";

export const eventTypes = [
  "hire",
  "change",
  "leave.planned",
  "leave.now",
  "leave.withdrawn",
  "absence",
  "absence.ended",
  "rehire",
] as const;
export type EventType = (typeof eventTypes)[number];

const text = (max: number) => z.string().trim().min(1).max(max);
const key = z.union([text(200), z.number().int()]).transform(String);

const date: z.ZodType<WrittenDate> = z.union(
  [
    text(64),
    z.strictObject({ date: text(64), time: text(16).optional(), zone: text(64).optional() }),
  ],
  { error: 'write a day, as in "2026-11-30", or {"date": …, "time": …, "zone": …}' },
);

const person = z.strictObject({
  id: key,
  employeeNumber: key.optional(),
  email: text(320).optional(),
  name: text(300).optional(),
  location: text(200).optional(),
  zone: text(64).optional(),
  attributes: z
    .record(text(200), z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]))
    .refine((all) => Object.keys(all).length <= 200, "at most 200 attributes")
    .optional(),
});

/** The body of `POST /hr/v1/events` in our own words; an event's id and time may stand in a CloudEvents envelope instead. */
export const eventShape = z.strictObject({
  id: text(200),
  type: z.enum(eventTypes, { error: `write one of ${eventTypes.join(", ")}` }),
  time: text(64).optional(),
  person,
  start: date.optional(),
  end: date.optional(),
  from: date.optional(),
  until: date.optional(),
});

export type WrittenEvent = z.output<typeof eventShape>;

/** How the texts of a source are read. */
export interface Reading {
  readonly source: HrSourceSettings;
  readonly settings: HrSettings | undefined;
  readonly receivedAt: Instant;
}

/** One understood message, without its place. */
export interface ReadMessage {
  readonly person: HrPerson;
  readonly statement: HrStatement;
  readonly saidAt: Instant;
}

/** @throws MessageFault */
export function readEvent(event: WrittenEvent, reading: Reading): ReadMessage {
  // A sender whose clock runs ahead must not outlive what it says next.
  const saidAt = Math.min(
    event.time === undefined ? reading.receivedAt : readInstant(event.time, "time"),
    reading.receivedAt,
  );
  return {
    person: personOf(event.person, reading.source),
    statement: statementOf(event, saidAt, reading),
    saidAt,
  };
}

function statementOf(event: WrittenEvent, saidAt: Instant, reading: Reading): HrStatement {
  const { source, settings } = reading;
  const zones: ZoneSources = {
    person: event.person.zone,
    location: event.person.location,
    source,
    settings,
  };
  const starts = () =>
    event.start === undefined
      ? undefined
      : readMoment(event.start, "start", source.startTime, zones);
  switch (event.type) {
    case "hire":
    case "rehire":
      return { type: "hire", starts: starts() };
    case "change":
      return { type: "change", starts: starts() };
    case "leave.planned":
      return {
        type: "leave",
        moment: readMoment(needed(event, "end"), "end", source.leaveTime, zones),
      };
    case "leave.now":
      return { type: "leave", moment: { at: saidAt } };
    case "leave.withdrawn":
      return { type: "leave-withdrawn" };
    case "absence":
      return {
        type: "absence",
        from: readMoment(needed(event, "from"), "from", "start", zones),
        until:
          event.until === undefined ? undefined : readMoment(event.until, "until", "end", zones),
      };
    case "absence.ended":
      return {
        type: "absence-ended",
        until:
          event.until === undefined
            ? { at: saidAt }
            : readMoment(event.until, "until", "end", zones),
      };
  }
}

function needed(event: WrittenEvent, field: "end" | "from"): WrittenDate {
  const written = event[field];
  if (written !== undefined) return written;
  throw new MessageFault("UNREADABLE", `${field}: missing; ${event.type} needs it`);
}

function personOf(written: WrittenEvent["person"], source: HrSourceSettings): HrPerson {
  const declared = Object.entries(written.attributes ?? {}).filter(([name]) =>
    Object.hasOwn(source.attributes ?? {}, name),
  );
  return {
    key: written.id,
    employeeNumber: fold(written.employeeNumber ?? written.id),
    email: written.email === undefined ? undefined : foldEmail(written.email),
    displayName: written.name,
    ...(declared.length === 0
      ? {}
      : { attributes: Object.fromEntries(declared.map(([name, value]) => [name, word(value)])) }),
  };
}

/** A text without outer blanks; an empty one says that there is none. */
export function word(value: string | number | boolean | null): string | number | boolean | null {
  if (typeof value !== "string") return value;
  const trimmed = value.trim();
  return trimmed === "" ? null : trimmed;
}

/**
 * The event inside a body: our own form, or a CloudEvent (1.0, JSON) whose `data` has the rest of it: structured, or in binary mode with
 * `ce-` headers. A type may have a prefix: `com.example.hr.leave.now`.
 */
export function unwrapEvent(
  body: unknown,
  contentType: string,
  headers: Readonly<Record<string, string | undefined>>,
): unknown {
  const binary = headers["ce-specversion"] !== undefined;
  const structured = contentType.startsWith("application/cloudevents+json");
  if (!binary && !structured) return body;
  const envelope = binary
    ? { id: headers["ce-id"], type: headers["ce-type"], time: headers["ce-time"], data: body }
    : cloudEvent.parse(body);
  const data = typeof envelope.data === "object" && envelope.data !== null ? envelope.data : {};
  return {
    ...data,
    id: envelope.id,
    type:
      eventTypes.find(
        (type) => envelope.type === type || envelope.type?.endsWith(`.${type}`) === true,
      ) ?? envelope.type,
    ...(envelope.time === undefined ? {} : { time: envelope.time }),
  };
}

const cloudEvent = z.looseObject({
  specversion: z.literal("1.0"),
  id: text(200),
  source: text(500),
  type: text(200),
  time: text(64).optional(),
  data: z.unknown(),
});

/** What is wrong with a body, one sentence per place; no values of it. */
export function problemsOf(error: z.ZodError): readonly string[] {
  return error.issues.slice(0, 20).map((issue) => {
    const place = issue.path.length === 0 ? "the body" : issue.path.join(".");
    return `${place}: ${issue.message}`;
  });
}
