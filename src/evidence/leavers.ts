import { createHash } from "node:crypto";
import type { PersonState } from "../accounts/account-store.ts";
import type { LeaverCase, Obligation } from "../accounts/leaver-case.ts";
import type { HrRecord } from "../directory/hr-store.ts";
import type { Instant } from "../model/clock.ts";
import { momentAt } from "../model/employment.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { EvidenceDeps } from "./evidence-deps.ts";
import { isWithin, recordsOf, type Period } from "./period.ts";
import { population, type Population, type PopulationRow } from "./population.ts";
import { syntheticAmong } from "./synthetic.ts";

const page = 500;

interface HrLeave {
  readonly source: string;
  /** A mark of the person at HR: their key stays with HR. */
  readonly personMark: string;
  readonly identityId: IdentityId | undefined;
  readonly at: Instant;
  readonly acceptedAt: Instant;
}

/**
 * HR leavers = cases = absence at the vendors, or a named gap: everybody of whom HR, an identity provider or an operator said in the period
 * that they are gone. A leave that is planned and has not come is nobody's here.
 */
export async function leaverPopulation(
  deps: EvidenceDeps,
  tenantId: TenantId,
  period: Period,
): Promise<Population> {
  const askedAt = deps.clock.now();
  const sources = await deps.store.listHrSources(tenantId);
  const told = await hrLeaves(
    deps,
    tenantId,
    sources.map((item) => item.sourceId),
    {
      ...period,
      to: Math.min(period.to, askedAt + 1),
    },
  );
  const opened = (await deps.store.listCases(tenantId, { limit: 100_000 })).filter((item) =>
    isWithin(period, item.t0),
  );
  const synthetic = await syntheticAmong(
    deps,
    tenantId,
    opened.map((item) => item.identityId),
  );
  const cases = opened.filter((item) => !synthetic.has(item.identityId));
  const closed = new Map<string, string>();
  for (const item of await recordsOf(deps.store, tenantId, "case.closed", {
    from: period.from,
    to: askedAt + 1,
  }))
    closed.set(String(item.record.facts["caseId"]), item.record.recordId);
  const people = new Set<IdentityId>([
    ...cases.map((item) => item.identityId),
    ...told.flatMap((item) => item.identityId ?? []),
  ]);
  const rows: PopulationRow[] = told
    .filter((leave) => leave.identityId === undefined)
    .map((leave) => ({
      id: `hr:${leave.source}:${leave.personMark}`,
      gap: "HR says that somebody left with whom no identity is joined",
      records: [],
      facts: { source: leave.source, hrAt: leave.at, hrAcceptedAt: leave.acceptedAt },
    }));
  for (const ids of pagesOf([...people].toSorted())) {
    const states = await deps.store.readPeople(tenantId, ids);
    for (const state of states) {
      const leave = told.find((item) => item.identityId === state.identityId);
      const own = cases.filter((item) => item.identityId === state.identityId);
      rows.push(
        ...(own.length === 0
          ? [withoutCase(state, leave)]
          : await Promise.all(
              own.map((item) =>
                caseRow(deps, item, { leave, state, closed, hr: sources.length > 0 }),
              ),
            )),
      );
    }
  }
  const count = (what: string) => rows.filter((row) => row.facts["outcome"] === what).length;
  return population({
    kind: "leavers",
    query:
      "every HR record with a leave instant in the period, joined with every leaver case whose T0 is in it, joined with what each vendor owes and shows; without the synthetic person of the pulse",
    period,
    askedAt,
    counts: {
      hrLeavers: told.length,
      cases: cases.length,
      synthetic: opened.length - cases.length,
      absent: count("absent"),
      nothingToRemove: count("nothing to remove"),
      open: count("open"),
      cancelled: count("cancelled"),
      gaps: rows.filter((row) => row.gap !== null).length,
    },
    gaps:
      sources.length === 0 ? ["no HR source: who left is known from identity providers alone"] : [],
    rows,
  });
}

function* pagesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += page) yield items.slice(at, at + page);
}

async function hrLeaves(
  deps: EvidenceDeps,
  tenantId: TenantId,
  sources: readonly HrRecord["sourceId"][],
  period: Period,
): Promise<readonly HrLeave[]> {
  const found: HrLeave[] = [];
  for (const sourceId of sources) {
    let after: string | undefined;
    for (;;) {
      const records = await deps.store.listHrRecords(tenantId, { sourceId, after, limit: page });
      for (const record of records) {
        for (const { leaves } of record.spells) {
          const at = leaves === undefined ? undefined : momentAt(leaves.moment);
          if (leaves === undefined || at === undefined || !isWithin(period, at)) continue;
          found.push({
            ...{ source: sourceId, identityId: record.identityId, at },
            personMark: createHash("sha256").update(record.person.key).digest("hex").slice(0, 12),
            acceptedAt: leaves.acceptedAt,
          });
        }
      }
      if (records.length < page) break;
      after = records.at(-1)?.person.key;
    }
  }
  return found;
}

/** Who had nothing at a vendor has no case; who still has something and no case is a gap. */
function withoutCase(state: PersonState, leave: HrLeave | undefined): PopulationRow {
  const held = present(state);
  return {
    id: state.identityId,
    gap:
      held.length === 0
        ? null
        : `HR says that they left, and no case was opened: still at ${held.join(", ")}`,
    records: [],
    facts: {
      outcome: held.length === 0 ? "nothing to remove" : "no case",
      ...{ hrAt: leave?.at ?? null, hrAcceptedAt: leave?.acceptedAt ?? null },
    },
  };
}

const present = (state: PersonState): readonly string[] => [
  ...new Set(
    state.observed
      .filter((item) => !item.gone && item.state !== "expired" && item.state !== "suspended")
      .map((item) => item.connectionId),
  ),
];

async function caseRow(
  deps: EvidenceDeps,
  item: LeaverCase,
  known: {
    readonly leave: HrLeave | undefined;
    readonly state: PersonState;
    readonly closed: ReadonlyMap<string, string>;
    readonly hr: boolean;
  },
): Promise<PopulationRow> {
  const { caseId, tenantId } = item;
  const duties = await deps.store.listObligations(tenantId, { caseId, limit: 1_000 });
  const open = duties.filter((duty) => duty.state === "open" && duty.kind !== "evidence");
  const held = item.state === "cancelled" ? [] : present(known.state);
  const record = known.closed.get(caseId);
  const late = duties.filter((duty) => duty.missedAt !== undefined).length;
  const gaps = [
    ...(open.length === 0 ? [] : [`${String(open.length)} duties are open (${kindsOf(open)})`]),
    ...(held.length === 0 ? [] : [`an account shows at ${held.join(", ")}`]),
    ...(known.hr && known.leave === undefined && item.state !== "cancelled"
      ? ["HR says nothing of a leave in the period"]
      : []),
  ];
  return {
    id: item.identityId,
    gap: gaps.length === 0 ? null : gaps.join("; "),
    records: record === undefined ? [] : [record],
    facts: {
      outcome:
        item.state === "cancelled"
          ? "cancelled"
          : open.length === 0 && held.length === 0
            ? "absent"
            : "open",
      ...{ caseId, state: item.state, source: item.source, t0: item.t0, signalAt: item.signalAt },
      ...{ hrAt: item.hrAt ?? known.leave?.at ?? null, closedAt: item.closedAt ?? null },
      hrAcceptedAt: known.leave?.acceptedAt ?? null,
      missedDeadlines: late,
      vendors: vendorsOf(item, duties),
    },
  };
}

const kindsOf = (duties: readonly Obligation[]) =>
  [...new Set(duties.map((duty) => `${duty.connectionId ?? "case"} ${duty.kind}`))].join(", ");

/** Seconds from the signal and from HR's instant to the verified absence, by connection. */
function vendorsOf(item: LeaverCase, duties: readonly Obligation[]) {
  const ids = [...new Set(duties.flatMap((duty) => duty.connectionId ?? []))].toSorted();
  return ids.map((connectionId) => {
    const doneAt = (kind: Obligation["kind"]) =>
      duties.find((duty) => duty.connectionId === connectionId && duty.kind === kind)?.doneAt;
    const seconds = (at: Instant | undefined, since: Instant | undefined) =>
      at === undefined || since === undefined ? null : Math.max(0, at - since) / 1_000;
    const [removed, verified] = [doneAt("remove"), doneAt("verify")];
    return {
      connectionId,
      removedSeconds: seconds(removed, item.signalAt),
      removedSecondsFromHr: seconds(removed, item.hrAt),
      verifiedSeconds: seconds(verified, item.signalAt),
      verifiedSecondsFromHr: seconds(verified, item.hrAt),
    };
  });
}
