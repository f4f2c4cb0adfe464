import type { Instant } from "./clock.ts";
import type { HrSourceId } from "./ids.ts";
import { instantOf, type LocalTime } from "./zoned-time.ts";

/** When something happens, as HR wrote it: a local time with its zone, or an instant. */
export type HrMoment = { readonly local: LocalTime } | { readonly at: Instant };

/** One time of employment of a person; a rehire opens the next. */
export interface Spell {
  /** 1 for the first. */
  readonly spell: number;
  /** Undefined: HR said no start; the person is there. */
  readonly starts: HrMoment | undefined;
  readonly leaves: { readonly moment: HrMoment; readonly acceptedAt: Instant } | undefined;
  readonly absences: readonly { readonly from: HrMoment; readonly until: HrMoment | undefined }[];
}

/** What one HR source says about one person. */
export interface HrTruth {
  readonly sourceId: HrSourceId;
  /** The person's key at the source. */
  readonly personKey: string;
  /** At least one, in their order. */
  readonly spells: readonly Spell[];
  /** Of those that hr.yaml declares, as last said; null: said to be empty. */
  readonly attributes?: HrAttributes;
}

/** What an HR source says of a person beyond dates and keys; null: that there is none. */
export type HrAttributes = Readonly<Record<string, string | number | boolean | null>>;

/** How HR facts count for a tenant: the settings of `hr.yaml`. */
export interface EmploymentPolicy {
  /**
   * Which source decides where several know a person. `first`: the first of `order` · `last-to-leave`: who is employed by one of
   * them is employed.
   */
  readonly decide: "first" | "last-to-leave";
  /** Sources in the order of the file; others come after, by name. */
  readonly order: readonly HrSourceId[];
  /** How long before the start a joiner may be given what the mapping says. */
  readonly leadMs: number;
  /** What a leave of absence does: `keep` nothing · `withdraw`: the person is assigned nothing until they are back. */
  readonly absence: "keep" | "withdraw";
}

export const defaultEmploymentPolicy: EmploymentPolicy = {
  decide: "first",
  order: [],
  leadMs: 0,
  absence: "keep",
};

/** Everything that HR says about one identity: a part of IdentityFacts, without a time of its own. */
export interface EmploymentFacts {
  /** At least one. */
  readonly records: readonly HrTruth[];
  readonly policy: EmploymentPolicy;
}

export type EmploymentState = "before-start" | "employed" | "on-leave" | "left";

/** Where a person stands at one instant, by the source that decides. */
export interface Employment {
  readonly state: EmploymentState;
  readonly sourceId: HrSourceId;
  readonly spell: number;
  readonly startsAt: Instant | undefined;
  /** The HR instant of the leave; it may lie ahead. */
  readonly leavesAt: Instant | undefined;
  /** When the message that said so was accepted. */
  readonly leaveAcceptedAt: Instant | undefined;
  /** As HR wrote it, where it was a local time. */
  readonly leavesLocal: LocalTime | undefined;
  readonly backAt: Instant | undefined;
  /** A leave is planned and has not come: `leavesAt` and what follows from it is for role `hr` alone. */
  readonly confidential: boolean;
  /** Sources that say something else about being here or not, now. */
  readonly contradicting: readonly HrSourceId[];
}

/** The instant of a moment, by the zone rules that this build knows. */
export function momentAt(moment: HrMoment): Instant {
  return "at" in moment ? moment.at : instantOf(moment.local);
}

/** Where the person stands at `now`. */
export function employmentAt(facts: EmploymentFacts, now: Instant): Employment {
  const standings = inOrder(facts).map((record) => standing(record, facts.policy, now));
  const decides = deciding(standings, facts.policy);
  const isHere = (item: { readonly state: EmploymentState }) => item.state !== "left";
  return {
    ...decides,
    contradicting: standings
      .filter((item) => isHere(item) !== isHere(decides))
      .map((item) => item.sourceId),
  };
}

/** The next instant at which the answer of `employmentAt` may change; `leave`: because somebody leaves. */
export function nextChange(
  facts: EmploymentFacts,
  now: Instant,
): { readonly at: Instant; readonly leave: boolean } | undefined {
  const changes = facts.records.flatMap((record) =>
    record.spells.flatMap((spell) => [
      ...(spell.starts === undefined
        ? []
        : [{ at: momentAt(spell.starts) - facts.policy.leadMs, leave: false }]),
      ...(spell.leaves === undefined ? [] : [{ at: momentAt(spell.leaves.moment), leave: true }]),
      ...spell.absences.flatMap(({ from, until }) => [
        { at: momentAt(from), leave: false },
        ...(until === undefined ? [] : [{ at: momentAt(until), leave: false }]),
      ]),
    ]),
  );
  return changes
    .filter((change) => change.at > now)
    .sort((a, b) => a.at - b.at || Number(b.leave) - Number(a.leave))[0];
}

/** What somebody may read who has not the role `hr`: a planned leave does not show. */
export function publicEmployment(employment: Employment): Employment {
  if (!employment.confidential) return employment;
  return {
    ...employment,
    leavesAt: undefined,
    leaveAcceptedAt: undefined,
    leavesLocal: undefined,
    confidential: false,
  };
}

/**
 * What somebody may read who has not the role `hr`, at `now`; undefined: nothing, and not that HR spoke either, where all it said is a leave
 * that is planned.
 */
export function employmentForAll(facts: EmploymentFacts, now: Instant): Employment | undefined {
  const employment = employmentAt(facts, now);
  const planned = facts.records.every((record) =>
    record.spells.every(
      (spell) =>
        spell.starts === undefined &&
        spell.absences.length === 0 &&
        (spell.leaves === undefined || momentAt(spell.leaves.moment) > now),
    ),
  );
  return employment.confidential && planned ? undefined : publicEmployment(employment);
}

/** The person of a departure, as far as it matters for that. */
export interface Leavable {
  readonly active: boolean;
  readonly inactiveSince: number | undefined;
  readonly employment?: EmploymentFacts | undefined;
}

/** A person who is gone: both clocks of a leaver case begin here. */
export interface Departure {
  /** The accepted signal: from when we knew and had to act, by whichever source came first. The T0 of all deadlines. */
  readonly acceptedAt: Instant;
  /** The HR instant: when the person left by the word of HR; undefined: no HR source said so. It may lie long before the signal. */
  readonly hrAt: Instant | undefined;
  readonly by: "hr" | "idp";
  /** HR and an IdP say it independently of each other. */
  readonly confirmed: boolean;
  /** The spell that ended; 1 where HR knows nothing. */
  readonly spell: number;
  readonly sourceId: HrSourceId | undefined;
}

/** Whether and since when a person is gone: an inactive IdP says so by itself, and HR's leave instant once it has come. */
export function departureOf(person: Leavable, now: Instant): Departure | undefined {
  const employment =
    person.employment === undefined ? undefined : employmentAt(person.employment, now);
  const hr = employment?.state === "left" ? employment : undefined;
  const idpSignal = person.active ? undefined : (person.inactiveSince ?? now);
  const hrSignal =
    hr?.leavesAt === undefined ? undefined : Math.max(hr.leavesAt, hr.leaveAcceptedAt ?? 0);
  if (idpSignal === undefined && hrSignal === undefined) return undefined;
  const acceptedAt = Math.min(idpSignal ?? Infinity, hrSignal ?? Infinity);
  const then =
    hr ??
    (person.employment === undefined ? undefined : employmentAt(person.employment, acceptedAt));
  return {
    acceptedAt,
    hrAt: hr?.leavesAt,
    by: acceptedAt === hrSignal ? "hr" : "idp",
    confirmed: idpSignal !== undefined && hrSignal !== undefined,
    spell: then?.spell ?? 1,
    sourceId: then?.sourceId,
  };
}

/** present: gets what the mapping says · not-yet, away: nothing for now, by ordinary rails · departed: a leaver. */
export type Presence = "present" | "not-yet" | "away" | "departed";

export function presenceAt(person: Leavable, now: Instant): Presence {
  if (departureOf(person, now) !== undefined) return "departed";
  if (person.employment === undefined) return "present";
  const { state } = employmentAt(person.employment, now);
  if (state === "before-start") return "not-yet";
  return state === "on-leave" && person.employment.policy.absence === "withdraw"
    ? "away"
    : "present";
}

/** What HR says of a person, by name: the word of the first source in order that has one. What nobody says is not there: unknown. */
export function hrAttributesOf(
  facts: EmploymentFacts,
): Readonly<Record<string, string | number | boolean>> {
  const found: Record<string, string | number | boolean> = {};
  for (const { attributes = {} } of inOrder(facts)) {
    for (const [name, value] of Object.entries(attributes))
      if (value !== null && !Object.hasOwn(found, name)) found[name] = value;
  }
  return found;
}

type Standing = Omit<Employment, "contradicting">;

function inOrder({ records, policy }: EmploymentFacts): readonly HrTruth[] {
  const rank = (record: HrTruth) => {
    const at = policy.order.indexOf(record.sourceId);
    return at < 0 ? policy.order.length : at;
  };
  return records.toSorted(
    (a, b) => rank(a) - rank(b) || (a.sourceId < b.sourceId ? -1 : a.sourceId > b.sourceId ? 1 : 0),
  );
}

const nearness: Readonly<Record<EmploymentState, number>> = {
  employed: 0,
  "on-leave": 1,
  "before-start": 2,
  left: 3,
};

function deciding(standings: readonly Standing[], policy: EmploymentPolicy): Standing {
  const [first] = standings;
  if (first === undefined) throw new RangeError("employment facts need a record");
  if (policy.decide === "first") return first;
  return standings.reduce((best, item) => {
    const nearer = nearness[item.state] - nearness[best.state];
    const later = item.state === "left" && (item.leavesAt ?? 0) > (best.leavesAt ?? 0);
    return nearer < 0 || (nearer === 0 && later) ? item : best;
  }, first);
}

/** The spell that counts is the last one that has begun; before the first one the first. */
function standing(record: HrTruth, policy: EmploymentPolicy, now: Instant): Standing {
  const begun = record.spells.filter(
    (spell) => spell.starts === undefined || momentAt(spell.starts) - policy.leadMs <= now,
  );
  const spell = begun.at(-1) ?? record.spells[0];
  if (spell === undefined) throw new RangeError("an HR record needs a spell");
  const leavesAt = spell.leaves === undefined ? undefined : momentAt(spell.leaves.moment);
  const absence = spell.absences.find(
    ({ from, until }) => momentAt(from) <= now && (until === undefined || momentAt(until) > now),
  );
  const moment = spell.leaves?.moment;
  return {
    state:
      leavesAt !== undefined && leavesAt <= now
        ? "left"
        : begun.length === 0
          ? "before-start"
          : absence !== undefined
            ? "on-leave"
            : "employed",
    sourceId: record.sourceId,
    spell: spell.spell,
    startsAt: spell.starts === undefined ? undefined : momentAt(spell.starts),
    leavesAt,
    leaveAcceptedAt: spell.leaves?.acceptedAt,
    leavesLocal: moment !== undefined && "local" in moment ? moment.local : undefined,
    backAt: absence?.until === undefined ? undefined : momentAt(absence.until),
    confidential: leavesAt !== undefined && leavesAt > now,
  };
}
