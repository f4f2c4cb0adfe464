import type { Instant } from "../model/clock.ts";
import type { ConnectionId, IdentityId } from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { AuditRecord } from "../model/records.ts";

/**
 * How well the record knows a line. verified: a look at the vendor agreed · observed: a roster or a second person showed it · attested: a
 * person said so · written: the vendor took our write, and no look came since · desired: the mapping gave it, and nothing says that the
 * vendor had it.
 */
export type LineTrust = "verified" | "observed" | "attested" | "written" | "desired";

/** One thing that one person had at one connection. */
export interface AccessLine {
  readonly identityId: IdentityId;
  readonly connectionId: ConnectionId;
  readonly kind: string;
  readonly objectId: string;
  readonly role: string;
  readonly trust: LineTrust;
  /** When the record that says so was written. */
  readonly since: Instant;
  readonly recordId: string;
  /** Rules that gave it, as far as the record says. */
  readonly because: readonly string[];
  /** Whether the mapping gave it at that instant: what it did not was on its way out. */
  readonly wished: boolean;
}

/** What these connections held, and which absences were proven. */
export interface AccessThen {
  readonly lines: readonly AccessLine[];
  /** Leavers' accounts whose absence had been read as often as the mapping asks. */
  readonly absences: readonly {
    readonly connectionId: ConnectionId;
    readonly since: Instant;
    readonly recordId: string;
  }[];
}

interface Held {
  readonly kind: string;
  readonly objectId: string;
  readonly role: string;
  readonly trust: LineTrust;
  readonly since: Instant;
  readonly recordId: string;
  readonly because: readonly string[];
}

type Wished = Omit<Held, "trust">;

/** One connection of the person, as the record has told it so far. */
interface Story {
  wished: readonly Wished[];
  readonly held: Map<string, Held>;
  absence: { readonly since: Instant; readonly recordId: string } | undefined;
}

/** Actions that say something about what somebody has; others need not be read. */
export const accessActions: ReadonlySet<string> = new Set([
  "target.wished",
  "target.reached",
  "account.invited",
  "account.role_set",
  "account.removed",
  "invitation.cancelled",
  "grant.set",
  "grant.revoked",
  "leaver.verified",
  "task.submitted",
  "task.done",
]);

/** Who had what: replays one person's records, oldest first; later ones than the instant that is asked for must be left out. */
export function whoHadWhat(identityId: IdentityId, records: readonly AuditRecord[]): AccessThen {
  const stories = new Map<ConnectionId, Story>();
  for (const record of records) {
    if (record.connectionId === undefined || !accessActions.has(record.action)) continue;
    let story = stories.get(record.connectionId);
    if (story === undefined) {
      story = { wished: [], held: new Map(), absence: undefined };
      stories.set(record.connectionId, story);
    }
    tell(story, record);
  }
  const found = [...stories];
  return {
    lines: found.flatMap(([connectionId, story]) => linesOf(identityId, connectionId, story)),
    absences: found.flatMap(([connectionId, { absence }]) =>
      absence === undefined ? [] : [{ connectionId, ...absence }],
    ),
  };
}

function tell(story: Story, record: AuditRecord): void {
  switch (record.action) {
    case "target.wished":
      story.wished = assignmentsOf(record);
      if (story.wished.length > 0) story.absence = undefined;
      return;
    case "target.reached":
      agree(story, record, trustOf(record.facts["trust"]) ?? "verified");
      return;
    case "task.submitted":
    case "task.done": {
      // Of tasks only those do it by hand that bring about what the mapping wishes.
      const trust = trustOf(record.facts["trust"]);
      const key = record.facts["key"];
      if (trust !== undefined && typeof key === "string" && key.startsWith("hand:"))
        agree(story, record, trust);
      return;
    }
    case "leaver.verified":
      story.held.clear();
      story.absence = { since: record.at, recordId: record.recordId };
      return;
    default:
      write(story, record);
  }
}

/** What was wished is what is there; a look is worth more than a word of before, and a word does not unsay a look. */
function agree(story: Story, record: AuditRecord, trust: LineTrust): void {
  const before = new Map(story.held);
  story.held.clear();
  for (const item of story.wished) {
    const key = keyOf(item);
    const known = before.get(key);
    const better = trust === "attested" && known?.role === item.role && known.trust === "verified";
    const told = { ...item, trust, since: record.at, recordId: record.recordId };
    story.held.set(key, better ? known : told);
  }
}

/** One write at the vendor; what was refused or never sent changed nothing. */
function write(story: Story, record: AuditRecord): void {
  const { kind, objectId, roleTo, outcome, because } = record.facts;
  if (outcome !== "done" && outcome !== "unchanged" && outcome !== "pending") return;
  if (record.action === "account.removed" || record.action === "invitation.cancelled") {
    story.held.clear();
    return;
  }
  if (typeof kind !== "string" || typeof objectId !== "string") return;
  const key = keyOf({ kind, objectId });
  if (typeof roleTo !== "string") {
    story.held.delete(key);
    return;
  }
  story.held.set(key, {
    ...{ kind, objectId, role: roleTo, trust: "written", because: textsOf(because) },
    ...{ since: record.at, recordId: record.recordId },
  });
}

function linesOf(
  identityId: IdentityId,
  connectionId: ConnectionId,
  { wished, held }: Story,
): readonly AccessLine[] {
  const wishes = new Map(wished.map((item) => [keyOf(item), item]));
  const there = [...held].map(([key, item]): AccessLine => {
    const wish = wishes.get(key);
    const same = wish?.role === item.role;
    const because = item.because.length === 0 && same ? wish.because : item.because;
    return { identityId, connectionId, ...item, because, wished: same };
  });
  const missing = wished
    .filter((item) => held.get(keyOf(item))?.role !== item.role)
    .map((item): AccessLine => ({
      ...{ identityId, connectionId, ...item },
      ...{ trust: "desired", wished: true },
    }));
  return [...there, ...missing].toSorted((a, b) => (lineKey(a) < lineKey(b) ? -1 : 1));
}

const keyOf = (slot: { readonly kind: string; readonly objectId: string }) =>
  `${slot.kind}\n${slot.objectId}`;
const lineKey = (line: AccessLine) => `${keyOf(line)}\n${line.role}`;

function assignmentsOf(record: AuditRecord): readonly Wished[] {
  const { assignments } = record.facts;
  if (!Array.isArray(assignments)) return [];
  return (assignments as readonly JsonObject[]).flatMap(({ kind, objectId, role, because }) =>
    typeof kind === "string" && typeof objectId === "string" && typeof role === "string"
      ? [
          {
            ...{ kind, objectId, role, because: textsOf(because) },
            ...{ since: record.at, recordId: record.recordId },
          },
        ]
      : [],
  );
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly Json[]).filter((item) => typeof item === "string")
    : [];
}

function trustOf(value: Json | undefined): "verified" | "observed" | "attested" | undefined {
  return value === "verified" || value === "observed" || value === "attested" ? value : undefined;
}
