import { isDeepStrictEqual } from "node:util";
import { matchHr } from "../directory/hr-join.ts";
import type { HrMessage, HrRecord } from "../directory/hr-store.ts";
import {
  employmentAt,
  defaultEmploymentPolicy,
  publicEmployment,
  type Employment,
  type EmploymentFacts,
  type Spell,
} from "../model/employment.ts";
import { StoreError } from "../model/errors.ts";
import type { HrSettings } from "../model/hr-settings.ts";
import type { HrSourceId, IdentityId } from "../model/ids.ts";
import { newRecord, type AuditRecord } from "../model/records.ts";
import { foldMessages } from "./fold.ts";
import { unmatchedLeaver, type HrDeps, type HrSender } from "./hr-deps.ts";

const attemptsMax = 8;
const lateNoticeMs = 7 * 86_400_000;

/** unchanged: it says what was known already, or something newer outweighs it. */
export type Applied = "applied" | "unchanged";

/**
 * Lets one message count: folds it with all that its source said of the person, joins the record with an identity where that is certain,
 * and commits message, record, mark and audit record together. Safe to repeat.
 */
export async function applyMessage(
  deps: HrDeps,
  sender: HrSender,
  message: HrMessage,
  settings: HrSettings | undefined,
): Promise<Applied> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryToApply(deps, sender, message, settings);
    } catch (error) {
      const lost =
        error instanceof StoreError &&
        (error.code === "VERSION_CONFLICT" || error.code === "ALREADY_EXISTS");
      if (!lost || attempt === attemptsMax) throw error;
    }
  }
}

async function tryToApply(
  deps: HrDeps,
  sender: HrSender,
  message: HrMessage,
  settings: HrSettings | undefined,
): Promise<Applied> {
  const { tenantId, sourceId } = sender;
  const key = { sourceId, personKey: message.person.key };
  const { record, messages } = await deps.store.readHrPerson(tenantId, key);
  const others = messages.filter(
    (item) => item.uploadId !== message.uploadId || item.position !== message.position,
  );
  const repeats = repeatedBy(others, message);
  const folded = foldMessages(
    repeats === undefined
      ? [...others, message]
      : others.map((item) => (item === repeats ? { ...item, repeatedAt: message.saidAt } : item)),
  );
  const changed =
    record === undefined ||
    !isDeepStrictEqual(plain(record.spells), plain(folded.spells)) ||
    !isDeepStrictEqual(plain(record.person), plain(folded.person));
  const joined = await joinOf(deps, sender, record, folded.person, settings);
  const now = deps.clock.now();
  const before = standingOf(sourceId, record?.spells ?? [], settings, now);
  const after = standingOf(sourceId, folded.spells, settings, now);
  const { identityId } = joined;
  const leftNow = after?.state === "left" && before?.state !== "left";
  await deps.store.applyHrMessage(
    tenantId,
    {
      message,
      sourceId,
      repeats:
        repeats === undefined
          ? undefined
          : { uploadId: repeats.uploadId, position: repeats.position },
      expect: record?.version ?? 0,
      record: {
        sourceId,
        person: folded.person,
        spells: folded.spells,
        identityId,
        joinedBy: joined.by,
        updatedAt: now,
      },
    },
    {
      records: recordsOf(deps, sender, message, { identityId, before, after, changed }),
      recompute:
        identityId === undefined || (!changed && record.identityId !== undefined)
          ? []
          : [{ identityId, cause: { kind: "hr" }, urgent: leftNow }],
    },
  );
  deps.onCommit();
  await tellFindings(deps, sender, folded.person.key, { joined, before, after });
  return changed ? "applied" : "unchanged";
}

/** JSON forgets what is undefined: what was read back is compared in that form. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** An earlier state row that this one says again with nothing in between: it is noted there, so that daily uploads do not pile up. */
function repeatedBy(others: readonly HrMessage[], message: HrMessage): HrMessage | undefined {
  if (message.statement.type !== "state") return undefined;
  const end = (item: HrMessage) => item.repeatedAt ?? item.saidAt;
  const last = others.toSorted((a, b) => end(a) - end(b)).at(-1);
  return last !== undefined &&
    end(last) <= message.saidAt &&
    isDeepStrictEqual(plain(last.statement), plain(message.statement)) &&
    isDeepStrictEqual(plain(last.person), plain(message.person))
    ? last
    : undefined;
}

interface Joined {
  readonly identityId: IdentityId | undefined;
  readonly by: HrRecord["joinedBy"];
  readonly disputed: boolean;
}

/** A join that was made stays, whatever becomes of number and address. */
async function joinOf(
  deps: HrDeps,
  { tenantId, sourceId }: HrSender,
  record: HrRecord | undefined,
  person: HrRecord["person"],
  settings: HrSettings | undefined,
): Promise<Joined> {
  if (record?.identityId !== undefined)
    return { identityId: record.identityId, by: record.joinedBy, disputed: false };
  const candidates = await deps.store.findHrCandidates(tenantId, {
    sourceId,
    personKey: person.key,
    employeeNumber: person.employeeNumber,
    email: person.email,
  });
  const match = matchHr(candidates, { sourceId, email: person.email }, settings);
  return typeof match === "string"
    ? { identityId: undefined, by: undefined, disputed: match === "disputed" }
    : { ...match, disputed: false };
}

function standingOf(
  sourceId: HrSourceId,
  spells: readonly Spell[],
  settings: HrSettings | undefined,
  now: number,
): Employment | undefined {
  if (spells.length === 0) return undefined;
  const facts: EmploymentFacts = {
    records: [{ sourceId, personKey: "", spells }],
    policy: settings?.employment ?? defaultEmploymentPolicy,
  };
  return employmentAt(facts, now);
}

/**
 * Every message leaves the same record, which names nobody and no kind: a planned leave must not show. What has become public is a second
 * record, at the person.
 */
function recordsOf(
  deps: HrDeps,
  sender: HrSender,
  message: HrMessage,
  what: {
    readonly identityId: IdentityId | undefined;
    readonly before: Employment | undefined;
    readonly after: Employment | undefined;
    readonly changed: boolean;
  },
): readonly AuditRecord[] {
  const accepted = newRecord(deps.clock, {
    actor: sender.actor,
    action: "hr.message_accepted",
    subject: { type: "hr_message", id: `${message.uploadId}/${String(message.position)}` },
    cause: "hr",
    facts: { sourceId: sender.sourceId },
  });
  const { identityId, after } = what;
  if (identityId === undefined || after === undefined) return [accepted];
  // The first word about a person may be a leave that is planned: that HR spoke at all would show it.
  if (what.before === undefined && after.confidential) return [accepted];
  const shown = publicEmployment(after);
  const known = what.before === undefined ? undefined : publicEmployment(what.before);
  if (isDeepStrictEqual(known, shown)) return [accepted];
  return [
    accepted,
    newRecord(deps.clock, {
      actor: sender.actor,
      action: "employment.changed",
      subject: { type: "identity", id: identityId },
      cause: "hr",
      facts: {
        sourceId: sender.sourceId,
        state: shown.state,
        spell: shown.spell,
        startsAt: shown.startsAt ?? null,
        leavesAt: shown.leavesAt ?? null,
      },
    }),
  ];
}

/** What a person should know; nothing of it speaks of a leave that has not come. */
async function tellFindings(
  deps: HrDeps,
  { tenantId, sourceId }: HrSender,
  personKey: string,
  what: {
    readonly joined: Joined;
    readonly before: Employment | undefined;
    readonly after: Employment | undefined;
  },
): Promise<void> {
  const { joined, before, after } = what;
  const facts = { sourceId, personKey };
  const person = joined.identityId === undefined ? {} : { identityId: joined.identityId };
  if (joined.disputed)
    await deps.raiseFinding(tenantId, {
      key: `hr_disputed:${sourceId}:${personKey}`,
      kind: "hr_disputed",
      severity: "warning",
      text: "an HR record fits several people, or somebody whom another record of its source has: it counts for nobody until `rolecall hr join` says whose it is",
      facts,
    });
  const left = after?.state === "left" && before?.state !== "left" ? after : undefined;
  if (left !== undefined && joined.identityId === undefined)
    await deps.raiseFinding(tenantId, unmatchedLeaver(sourceId, personKey));
  const delayMs = (left?.leaveAcceptedAt ?? 0) - (left?.leavesAt ?? 0);
  if (left !== undefined && delayMs > lateNoticeMs)
    await deps.raiseFinding(tenantId, {
      key: `hr_late_notice:${sourceId}:${personKey}:${String(left.spell)}`,
      kind: "hr_late_notice",
      severity: "warning",
      ...person,
      text: `HR told of this leave ${String(Math.floor(delayMs / 86_400_000))} days after it: access is taken away now, and auditors count from the date of HR`,
      facts: { ...facts, delayMs },
    });
  if (before?.state === "left" && after?.state !== "left" && after?.spell === before.spell)
    await deps.raiseFinding(tenantId, {
      key: `hr_leave_withdrawn:${sourceId}:${personKey}:${String(before.spell)}`,
      kind: "hr_leave_withdrawn",
      severity: "warning",
      ...person,
      text: "HR took back a leave that had come: access is given again by the mapping, what was contained by a leaver case stays so until a person looks",
      facts,
    });
}
