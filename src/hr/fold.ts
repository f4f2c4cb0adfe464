import type { HrMessage, HrPerson, HrStatement } from "../directory/hr-store.ts";
import type { Instant } from "../model/clock.ts";
import { momentAt, type HrAttributes, type HrMoment, type Spell } from "../model/employment.ts";

/** What all messages of one source about one person add up to. */
export interface Folded {
  readonly person: HrPerson;
  readonly spells: readonly Spell[];
}

interface Said {
  readonly statement: HrStatement;
  readonly saidAt: Instant;
  readonly receivedAt: Instant;
}

type Draft = { -readonly [Key in keyof Spell]: Spell[Key] };

/**
 * Adds up the messages of one person in the order in which they were said: the same messages give the same spells, in whatever order
 * they arrived, and however often.
 */
export function foldMessages(messages: readonly HrMessage[]): Folded {
  const inOrder = messages.toSorted(
    (a, b) =>
      a.saidAt - b.saidAt ||
      a.receivedAt - b.receivedAt ||
      (a.uploadId < b.uploadId ? -1 : a.uploadId > b.uploadId ? 1 : a.position - b.position),
  );
  const spells: Draft[] = [];
  const said: Said[] = inOrder.flatMap((message) =>
    message.repeatedAt === undefined
      ? [message]
      : [message, { ...message, saidAt: message.repeatedAt }],
  );
  said.sort((a, b) => a.saidAt - b.saidAt);
  for (const item of said) tell(spells, item);
  return { person: personOf(inOrder), spells };
}

/** The newest word for each of the keys; one that a message leaves out stays. */
function personOf(inOrder: readonly HrMessage[]): HrPerson {
  const last = <Key extends keyof HrPerson>(key: Key) =>
    inOrder.findLast((message) => message.person[key] !== undefined)?.person[key];
  return {
    key: last("key") ?? "",
    employeeNumber: last("employeeNumber"),
    email: last("email"),
    displayName: last("displayName"),
    ...attributesOf(inOrder),
  };
}

/** The newest word for each attribute by itself. */
function attributesOf(inOrder: readonly HrMessage[]): { readonly attributes?: HrAttributes } {
  const all = inOrder.flatMap((message) => Object.entries(message.person.attributes ?? {}));
  return all.length === 0 ? {} : { attributes: Object.fromEntries(all) };
}

function tell(spells: Draft[], { statement, saidAt, receivedAt }: Said): void {
  switch (statement.type) {
    case "hire":
      hire(spells, statement.starts, saidAt);
      return;
    case "change":
      if (statement.starts === undefined) current(spells);
      else hire(spells, statement.starts, saidAt);
      return;
    case "leave":
      leave(spells, statement.moment, receivedAt);
      return;
    case "leave-withdrawn":
      current(spells).leaves = undefined;
      return;
    case "absence":
      absent(current(spells), statement.from, statement.until);
      return;
    case "absence-ended":
      endAbsence(current(spells), statement.until);
      return;
    case "state":
      standing(spells, statement, saidAt, receivedAt);
  }
}

/** The last spell; one without a start where there is none. */
function current(spells: Draft[]): Draft {
  return spells.at(-1) ?? open(spells, undefined);
}

function open(spells: Draft[], starts: HrMoment | undefined): Draft {
  const spell: Draft = { spell: spells.length + 1, starts, leaves: undefined, absences: [] };
  spells.push(spell);
  return spell;
}

/** Opens a spell, or corrects the start of the last one: a start at or after its leave is a rehire. */
function hire(spells: Draft[], starts: HrMoment | undefined, saidAt: Instant): void {
  const last = spells.at(-1);
  if (last === undefined) {
    open(spells, starts);
    return;
  }
  const leavesAt = last.leaves === undefined ? undefined : momentAt(last.leaves.moment);
  const startsAt = starts === undefined ? saidAt : momentAt(starts);
  if (leavesAt !== undefined && startsAt >= leavesAt) open(spells, starts ?? { at: saidAt });
  else if (starts !== undefined) last.starts = starts;
}

/** A leave belongs to the last spell that had begun by then: a late correction does not end the spell that follows. */
function leave(spells: Draft[], moment: HrMoment, acceptedAt: Instant): void {
  const at = momentAt(moment);
  const spell =
    spells.findLast((item) => item.starts === undefined || momentAt(item.starts) <= at) ??
    current(spells);
  const before = spell.leaves;
  const again = before !== undefined && momentAt(before.moment) === at;
  spell.leaves = {
    moment,
    acceptedAt: again ? Math.min(before.acceptedAt, acceptedAt) : acceptedAt,
  };
}

function absent(spell: Draft, from: HrMoment, until: HrMoment | undefined): void {
  const at = momentAt(from);
  spell.absences = [
    ...spell.absences.filter((item) => momentAt(item.from) !== at),
    { from, until },
  ];
}

function endAbsence(spell: Draft, until: HrMoment): void {
  const at = momentAt(until);
  spell.absences = spell.absences.map((item) =>
    momentAt(item.from) <= at && (item.until === undefined || momentAt(item.until) > at)
      ? { from: item.from, until }
      : item,
  );
}

/** How things stand, said at `saidAt`. */
function standing(
  spells: Draft[],
  statement: Extract<HrStatement, { type: "state" }>,
  saidAt: Instant,
  receivedAt: Instant,
): void {
  const { status, starts, leaves } = statement;
  if (starts !== undefined || spells.length === 0) hire(spells, starts, saidAt);
  const gone = () => {
    const last = current(spells);
    return last.leaves !== undefined && momentAt(last.leaves.moment) <= saidAt;
  };
  if (leaves !== undefined && leaves !== null) {
    leave(spells, leaves, receivedAt);
    return;
  }
  if (status === "left") {
    if (!gone()) leave(spells, { at: saidAt }, receivedAt);
    return;
  }
  // Employed again after a leave that had come, and no start is told: the new spell begins with the word.
  if (gone()) open(spells, { at: saidAt });
  else if (leaves === null) current(spells).leaves = undefined;
  const spell = current(spells);
  const away = spell.absences.some(
    ({ from, until }) =>
      momentAt(from) <= saidAt && (until === undefined || momentAt(until) > saidAt),
  );
  if (status === "away" && !away) absent(spell, { at: saidAt }, undefined);
  if (status === "employed" && away) endAbsence(spell, { at: saidAt });
}
