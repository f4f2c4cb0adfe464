import type { Finding } from "../accounts/finding.ts";
import type { Lane } from "../accounts/lane.ts";
import type { JsonObject } from "../model/json.ts";
import { DAY_MS } from "../model/policy.ts";
import { itemIdOf, type Gathering } from "./gather.ts";
import { notKnown, type LineAnswer, type ReviewItem } from "./review.ts";

/** What is known of a connection when its lines are answered. */
interface Known {
  readonly lane: Lane;
  readonly findings: readonly Finding[];
  /** Accounts whose person has left, and accounts of nobody. */
  readonly left: number;
  readonly unlinked: number;
  /** When a usage export, and when a count of a webhook source was brought last. */
  readonly usageAt: number | undefined;
  readonly webhookAt: number | undefined;
  readonly now: number;
}

interface Line {
  readonly id: string;
  readonly asks: string;
  readonly answer: (known: Known) => LineAnswer;
}

/** The vendor's own list for an access audit, in our words (its guide for administrators, 2026-08). A usage export older than this says nothing. */
const freshMs = 35 * DAY_MS;

const attest = (text: string, facts: JsonObject = {}): LineAnswer => ({
  status: "attest",
  text,
  facts,
});
const fromData = (problems: number, good: string, bad: string, facts: JsonObject): LineAnswer =>
  problems === 0 ? { status: "in order", text: good, facts } : { status: "look", text: bad, facts };

const keysOf = ({ policy }: Lane) =>
  (policy.declares ?? []).filter((thing) => thing.kind === "api_key");
const thingFindings = (known: Known, what: string) =>
  known.findings.filter((item) => item.kind === "declared_thing" && item.facts["what"] === what)
    .length;
const usageFindings = (known: Known, fits: (subject: string, kind: string) => boolean) =>
  known.findings.filter(
    (item) =>
      item.kind === "usage" && fits(String(item.facts["subject"]), String(item.facts["kind"])),
  ).length;

export const clayLines: readonly Line[] = [
  {
    id: "members-and-leavers",
    asks: "Is everybody in the workspace still with the company?",
    answer: ({ left, unlinked, lane }) =>
      lane.listedAt === null
        ? attest("no list of members was brought yet: bring one with `rolecall roster import`")
        : fromData(
            left + unlinked,
            "every member is somebody who is here",
            `${String(left)} members have left, ${String(unlinked)} are nobody that we know`,
            { left, unlinked, listedAt: lane.listedAt },
          ),
  },
  {
    id: "roles-and-jobs",
    asks: "Does each role fit the work of whoever has it?",
    answer: () => attest("decide each member's line of this review, then confirm"),
  },
  {
    id: "unused-keys",
    asks: "Were keys that nothing uses revoked?",
    answer: ({ lane }) =>
      attest("Clay tells no last use of a key", { declared: keysOf(lane).map((key) => key.name) }),
  },
  {
    id: "unused-tables",
    asks: "Were tables that nobody uses archived?",
    answer: ({ usageAt }) =>
      attest("tables that spend nothing are no row of a usage export", {
        usageAt: usageAt ?? null,
      }),
  },
  {
    id: "credit-use",
    asks: "Is the credit use of each table within its cap?",
    answer: (known) =>
      stale(known.usageAt, known.now)
        ? attest("no usage export of the last 35 days: bring one with `rolecall usage import`")
        : fromData(
            usageFindings(known, (subject) => !subject.startsWith("webhook ")),
            "every table of the last export is within its cap",
            "tables are over, near or without a cap: see `rolecall findings`",
            { usageAt: known.usageAt ?? null },
          ),
  },
  {
    id: "provider-keys",
    asks: "Do the connections to data providers work with keys that are current?",
    answer: (known) => {
      const held = keysOf(known.lane).filter((key) => key.provider !== undefined);
      return held.length === 0
        ? attest(
            "no provider key is declared: declare them, or look at the workspace's connections",
          )
        : fromData(
            thingFindings(known, "rotate"),
            "every declared provider key is within its rotation",
            "keys are overdue for rotation",
            { declared: held.map((key) => key.name) },
          );
    },
  },
  {
    id: "key-rotation",
    asks: "Was every key rotated in time?",
    answer: (known) => {
      const kept = keysOf(known.lane).filter((key) => key.rotateMs !== undefined);
      const undated = kept.filter((key) => key.rotatedAt === undefined).map((key) => key.name);
      return kept.length === 0 || undated.length > 0
        ? attest("keys have no declared rotation or no date of the last one", { undated })
        : fromData(
            thingFindings(known, "rotate"),
            "every declared key is within its rotation",
            "keys are overdue for rotation",
            { declared: kept.map((key) => key.name) },
          );
    },
  },
  {
    id: "row-limits",
    asks: "Has every table a limit of rows?",
    answer: ({ lane }) =>
      attest("Clay tells no row limits: compare them with the declared budgets", {
        declared: (lane.policy.budgets ?? [])
          .filter((budget) => budget.scope === "table")
          .map((budget) => budget.name),
      }),
  },
  {
    id: "webhook-counts",
    asks: "Is every webhook source below its 50,000 records?",
    answer: (known) =>
      stale(known.webhookAt, known.now)
        ? attest("no count of the last 35 days: bring them with `rolecall usage webhook`")
        : fromData(
            usageFindings(known, (subject) => subject.startsWith("webhook ")),
            "every source that was counted is below its limit",
            "sources are near or over their limit: see `rolecall findings`",
            { webhookAt: known.webhookAt ?? null },
          ),
  },
  {
    id: "new-things",
    asks: "Are new tables and integrations documented?",
    answer: (known) =>
      attest("what is new is known to those who made it", {
        withoutCap: usageFindings(known, (_subject, kind) => kind === "no_cap"),
      }),
  },
];

const stale = (at: number | undefined, now: number): boolean =>
  at === undefined || now - at > freshMs;

/** The lines of one connection, each with what data says of it. */
export async function checklistItems(
  { deps, tenantId, review, reviewers }: Gathering,
  lane: Lane,
): Promise<readonly ReviewItem[]> {
  const known = await know(deps, tenantId, lane);
  return clayLines.map(({ id, asks, answer }) => ({
    reviewId: review.reviewId,
    itemId: itemIdOf(lane.connectionId, "line", id),
    version: 1,
    kind: "line",
    connectionId: lane.connectionId,
    ...{ identityId: null, accountId: null, slot: null, object: id, role: null },
    who: asks,
    ...{ privileged: false, implicit: false, lastUsedAt: null, readAt: known.now },
    provenance: {
      ...{ because: [], origin: "none" as const, since: null, owner: null, why: null },
      ...{ author: notKnown, approver: notKnown, membershipApprover: notKnown },
    },
    trust: "attested",
    reviewer:
      reviewers.named([]) ?? (review.reviewers.owner ? (lane.policy.heirs?.owner ?? null) : null),
    barred: [],
    answer: answer(known),
    decision: null,
    effect: null,
  }));
}

async function know(
  deps: Gathering["deps"],
  tenantId: Gathering["tenantId"],
  lane: Lane,
): Promise<Known> {
  const { connectionId } = lane;
  const findings = await deps.store.listFindings(tenantId, {
    connectionId,
    open: true,
    limit: 1_000,
  });
  let [left, unlinked] = [0, 0];
  let after: string | undefined;
  for (;;) {
    const accounts = await deps.store.listObserved(tenantId, {
      connectionId,
      limit: 500,
      ...(after === undefined ? {} : { after }),
    });
    const links = await deps.store.findLinks(
      tenantId,
      connectionId,
      accounts.map((item) => item.accountId),
    );
    const people = await deps.store.readIdentities(
      tenantId,
      links.map((link) => link.identityId),
    );
    left += people.filter((person) => !person.active).length;
    unlinked += accounts.length - links.length;
    if (accounts.length < 500) break;
    after = accounts.at(-1)?.accountId;
  }
  const audits = await deps.store.findRecords(tenantId, {
    connectionId,
    action: "usage.audited",
    limit: 200,
  });
  const last = (key: string) => audits.find((item) => item.record.facts[key] !== undefined);
  return {
    ...{ lane, findings, left, unlinked, now: deps.clock.now() },
    usageAt: last("tables")?.record.at,
    webhookAt: last("webhook")?.record.at,
  };
}
