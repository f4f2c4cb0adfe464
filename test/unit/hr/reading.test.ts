import { describe, expect, it } from "vitest";
import { eventShape, problemsOf, readEvent, unwrapEvent } from "../../../src/hr/event.ts";
import { readRow } from "../../../src/hr/field-map.ts";
import { MessageFault } from "../../../src/hr/message-fault.ts";
import { checkSignature, signatureOf } from "../../../src/hr/signature.ts";
import { momentAt, type HrMoment } from "../../../src/model/employment.ts";
import { defaultSourceSettings, type HrSourceSettings } from "../../../src/model/hr-settings.ts";
import type { JsonObject } from "../../../src/model/json.ts";

const receivedAt = Date.UTC(2026, 10, 20);
const reading = (source: Partial<HrSourceSettings> = {}, zone?: string) => ({
  receivedAt,
  source: { ...defaultSourceSettings, ...source },
  settings:
    zone === undefined
      ? undefined
      : {
          employment: { decide: "first" as const, order: [], leadMs: 0, absence: "keep" as const },
          zone,
          domains: [],
          sources: {},
        },
});
const planned = (end: unknown, person: object = {}) =>
  eventShape.parse({ id: "e", type: "leave.planned", person: { id: 7, ...person }, end });
const utc = (moment: HrMoment) => new Date(momentAt(moment)).toISOString();
const leaveOf = (end: unknown, person: object, ...how: Parameters<typeof reading>) => {
  const { statement } = readEvent(planned(end, person), reading(...how));
  if (statement.type !== "leave") throw new Error(statement.type);
  return utc(statement.moment);
};
const fault = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof MessageFault) return `${error.code} ${error.message}`;
    throw error;
  }
  return "no fault";
};

describe("a date", () => {
  it("takes its zone from itself, the person, their location, the source, the tenant, in this order", () => {
    const locations = { Melbourne: "Australia/Melbourne" };
    const end = "2026-11-30";
    const all = [{ zone: "Europe/Berlin", locations }, "America/New_York"] as const;
    const inMelbourne = { location: "Melbourne" };
    expect(leaveOf({ date: end, zone: "Asia/Tokyo" }, { zone: "Asia/Kolkata" }, ...all)).toBe(
      "2026-11-30T15:00:00.000Z",
    );
    expect(leaveOf(end, { zone: "Asia/Kolkata", ...inMelbourne }, ...all)).toBe(
      "2026-11-30T18:30:00.000Z",
    );
    expect(leaveOf(end, inMelbourne, ...all)).toBe("2026-11-30T13:00:00.000Z");
    expect(leaveOf(end, { location: "Elsewhere" }, ...all)).toBe("2026-11-30T23:00:00.000Z");
    expect(leaveOf(end, {}, {}, "America/New_York")).toBe("2026-12-01T05:00:00.000Z");
  });

  it("without any zone gives no instant, and not that of UTC", () => {
    expect(fault(() => leaveOf("2026-11-30", {}))).toMatch(/^NO_ZONE end: .*replay/);
    expect(fault(() => leaveOf("2026-11-30", { location: "Melbourne" }))).toContain("Melbourne");
    expect(fault(() => leaveOf("2026-11-30", { zone: "Melbourne" }))).toMatch(/^UNREADABLE/);
  });

  it("may be an instant, a local time, or in the source's own format", () => {
    const zone = { zone: "Australia/Melbourne" };
    expect(leaveOf("2026-11-30T17:00:00+11:00", {})).toBe("2026-11-30T06:00:00.000Z");
    expect(leaveOf("2026-11-30T17:00", zone)).toBe("2026-11-30T06:00:00.000Z");
    expect(leaveOf("2026-11-30", zone, { leaveTime: "17:30" })).toBe("2026-11-30T06:30:00.000Z");
    expect(leaveOf("30.11.2026", zone, { dates: "DD.MM.YYYY" })).toBe("2026-11-30T13:00:00.000Z");
    expect(leaveOf("11/30/2026", zone, { dates: "MM/DD/YYYY" })).toBe("2026-11-30T13:00:00.000Z");
    expect(leaveOf("30-Nov-2026", zone, { dates: "DD-MMM-YYYY" })).toBe("2026-11-30T13:00:00.000Z");
    for (const wrong of ["2026-11-31", "30.11.2026", "soon"])
      expect(fault(() => leaveOf(wrong, zone))).toMatch(/^UNREADABLE end: /);
    expect(fault(() => leaveOf("31/11/2026", zone, { dates: "DD/MM/YYYY" }))).toMatch(
      /^UNREADABLE/,
    );
  });
});

describe("an event", () => {
  it("says what is wrong with it, place by place, without its values", () => {
    const parsed = eventShape.safeParse({
      id: "",
      type: "fired",
      person: { name: "Ada" },
      endd: 1,
    });
    if (parsed.success) throw new Error("it is wrong");
    const problems = problemsOf(parsed.error).join("\n");
    expect(problems).toMatch(/^id: /m);
    expect(problems).toMatch(/^type: write one of hire, change, leave\.planned/m);
    expect(problems).toMatch(/^person\.id: /m);
    expect(problems).toContain("endd");
    expect(problems).not.toContain("Ada");
  });

  it("that needs a date says so", () => {
    expect(fault(() => leaveOf(undefined, {}))).toBe(
      "UNREADABLE end: missing; leave.planned needs it",
    );
  });

  it("leaves at the time it was said, and never after it arrived", () => {
    const now = (time?: string) =>
      readEvent(
        eventShape.parse({ id: "e", type: "leave.now", time, person: { id: "7" } }),
        reading(),
      );
    const said = now("2026-11-19T10:00:00+02:00");
    expect(said.statement).toEqual({ type: "leave", moment: { at: Date.UTC(2026, 10, 19, 8) } });
    expect(now("2026-11-25T00:00:00Z").saidAt).toBe(receivedAt);
    expect(now().saidAt).toBe(receivedAt);
  });

  it("says declared attributes by our names, and no others", () => {
    const event = eventShape.parse({
      ...{ id: "e", type: "change" },
      person: { id: "7", attributes: { costCenter: "42", level: null, shoeSize: 43 } },
    });
    const source = { attributes: { costCenter: "Cost", level: "Level" } };
    expect(readEvent(event, reading(source)).person.attributes).toEqual({
      costCenter: "42",
      level: null,
    });
    expect(readEvent(event, reading()).person.attributes).toBeUndefined();
  });

  it("comes in a CloudEvents envelope, structured or in binary mode", () => {
    const data = { person: { id: "7" }, end: "2026-11-30" };
    const envelope = {
      specversion: "1.0",
      id: "e9",
      source: "/hr",
      type: "com.example.hr.leave.planned",
      time: "2026-11-19T10:00:00Z",
    };
    const event = { ...data, id: "e9", type: "leave.planned", time: "2026-11-19T10:00:00Z" };
    expect(unwrapEvent({ ...envelope, data }, "application/cloudevents+json", {})).toEqual(event);
    const headers = Object.fromEntries(
      Object.entries(envelope).map(([name, value]) => [`ce-${name}`, value]),
    );
    expect(unwrapEvent(data, "application/json", headers)).toEqual(event);
  });
});

describe("a row of a state upload", () => {
  const workday = {
    zone: "Europe/Berlin",
    fields: {
      id: "Employee_ID",
      email: "work.email",
      status: "Worker Status",
      start: "Hire_Date",
      end: "Termination_Date",
    },
    statuses: { employed: ["Active"], away: ["On Leave"], left: ["Terminated"] },
  };
  const row = (more: JsonObject = {}) => ({
    Employee_ID: 1042,
    work: { email: " Ada@Example.com" },
    "Worker Status": "active",
    Hire_Date: "2026-11-02",
    Termination_Date: "",
    ...more,
  });
  const read = (value: JsonObject, source: Partial<HrSourceSettings> = workday) =>
    readRow(value, receivedAt, reading(source));

  it("is read by the field map, columns by name and by path", () => {
    const { person, statement } = read(row());
    expect(person).toEqual({
      key: "1042",
      employeeNumber: "1042",
      email: "ada@example.com",
      displayName: undefined,
    });
    expect(statement).toMatchObject({ type: "state", status: "employed", leaves: null });
    const leaving = read(row({ Termination_Date: "2026-11-30" })).statement;
    expect(leaving.type === "state" && leaving.leaves && utc(leaving.leaves)).toBe(
      "2026-11-30T23:00:00.000Z",
    );
  });

  it("says of declared attributes what its columns have: nothing where one is missing, none where it is empty", () => {
    const attributes = { costCenter: "work.cost", level: "Level", site: "Site" };
    const said = (more: JsonObject) =>
      read(row(more), { ...workday, attributes }).person.attributes;
    expect(said({ Level: 7, Site: " Köln " })).toEqual({ level: 7, site: "Köln" });
    expect(said({ work: { email: "", cost: "" }, Level: null })).toEqual({
      costCenter: null,
      level: null,
    });
    expect(said({})).toBeUndefined();
    expect(fault(() => said({ Site: ["Köln"] }))).toMatch(/^UNREADABLE "Site"/);
  });

  it("that lacks a mapped column, a person or a known status does not count", () => {
    const { Termination_Date: _gone, ...short } = row();
    expect(fault(() => read(short))).toMatch(/^FIELD_MISSING .*Termination_Date/);
    expect(fault(() => read(row({ Employee_ID: "" })))).toMatch(/^NO_PERSON/);
    expect(fault(() => read(row({ "Worker Status": "Suspended" })))).toMatch(
      /^UNREADABLE status: /,
    );
  });

  it("in our own words needs no map, and says nothing of a leave where it has no end", () => {
    const { statement } = read({ id: "7", start: "2026-11-02" }, { zone: "Asia/Tokyo" });
    expect(statement).toMatchObject({ status: "employed", leaves: undefined });
  });
});

describe("a signature", () => {
  const now = Date.UTC(2026, 10, 20, 12);
  const timestamp = String(now / 1_000);
  const body = Buffer.from('{"id":"e"}');
  const signed = (secret: string, headers: Record<string, string> = {}, stamp = timestamp) => {
    const all = { ...headers, "rolecall-timestamp": stamp };
    const signature = `v1=${signatureOf(secret, stamp, { headers: all, body })}`;
    return { headers: { ...all, "rolecall-signature": signature }, body };
  };

  it("is good for each secret that is good, and for no other body, time or envelope", () => {
    expect(checkSignature(signed("old"), ["new", "old"], now)).toBe("good");
    expect(checkSignature(signed("new"), ["new", "old"], now)).toBe("good");
    expect(checkSignature(signed("other"), ["new", "old"], now)).toBe("wrong");
    expect(checkSignature({ ...signed("new"), body: Buffer.from("{}") }, ["new"], now)).toBe(
      "wrong",
    );
    const envelope = signed("new", { "ce-type": "change" });
    expect(checkSignature(envelope, ["new"], now)).toBe("good");
    const swapped = { ...envelope, headers: { ...envelope.headers, "ce-type": "leave.now" } };
    expect(checkSignature(swapped, ["new"], now)).toBe("wrong");
    const added = { ...signed("new") };
    expect(
      checkSignature({ ...added, headers: { ...added.headers, "ce-id": "x" } }, ["new"], now),
    ).toBe("wrong");
  });

  it("is good for five minutes around now", () => {
    for (const [offset, verdict] of [
      [-300, "good"],
      [300, "good"],
      [-301, "outside-window"],
      [301, "outside-window"],
    ] as const)
      expect(
        checkSignature(signed("s", {}, String(now / 1_000 + offset)), ["s"], now),
        String(offset),
      ).toBe(verdict);
  });

  it("that is missing or no signature is told apart", () => {
    const { headers } = signed("s");
    expect(checkSignature({ headers: {}, body }, ["s"], now)).toBe("missing");
    for (const change of [
      { "rolecall-timestamp": "now" },
      { "rolecall-signature": "v2=00" },
      { "rolecall-signature": "v1=zz" },
    ])
      expect(checkSignature({ headers: { ...headers, ...change }, body }, ["s"], now)).toBe(
        "malformed",
      );
  });
});
