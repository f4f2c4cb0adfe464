import type { StoredRecord } from "../audit/audit-store.ts";
import type { Instant } from "../model/clock.ts";
import { employmentForAll, momentAt } from "../model/employment.ts";
import type { IdentityFacts } from "../model/identity.ts";
import { asId, type IdentityId, type TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { isSynthetic } from "../model/pulse-settings.ts";
import type { EvidenceDeps } from "./evidence-deps.ts";
import { isWithin, recordsOf, type Period } from "./period.ts";
import { population, type Population, type PopulationRow } from "./population.ts";
import { syntheticAmong } from "./synthetic.ts";

const page = 500;
const gains = ["account.invited", "account.role_set", "grant.set"] as const;
const losses = ["grant.revoked"] as const;

/** The instant in a UUIDv7 (RFC 9562 §5.7): when somebody was seen first. */
export function firstSeen(id: string): Instant {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

function lowestId(at: Instant): IdentityId {
  const hex = Math.max(0, at).toString(16).padStart(12, "0");
  return asId<IdentityId>(`${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`);
}

/** Everybody who was seen first in the period, with what they were given, by which rule, and whether HR says that they started. */
export async function joinerPopulation(
  deps: EvidenceDeps,
  tenantId: TenantId,
  period: Period,
): Promise<Population> {
  const ids: IdentityId[] = [];
  let after: IdentityId | undefined = lowestId(period.from - 1);
  for (;;) {
    const found: readonly IdentityId[] = await deps.store.listIdentities(tenantId, {
      after,
      limit: page,
    });
    ids.push(...found.filter((id) => isWithin(period, firstSeen(id))));
    after = found.at(-1);
    if (found.length < page || after === undefined || firstSeen(after) >= period.to) break;
  }
  const given = await changesOf(deps, tenantId, gains, period);
  const hr = (await deps.store.listHrSources(tenantId)).length > 0;
  const rows: PopulationRow[] = [];
  let synthetic = 0;
  for (let at = 0; at < ids.length; at += page) {
    const people = await deps.store.readIdentities(tenantId, ids.slice(at, at + page));
    for (const person of people) {
      if (isSynthetic(person)) {
        synthetic += 1;
        continue;
      }
      const starts = (person.employment?.records ?? []).flatMap((record) =>
        record.spells.flatMap((spell) =>
          spell.starts === undefined ? [] : [momentAt(spell.starts)],
        ),
      );
      const own = given.get(person.identityId) ?? [];
      rows.push({
        id: person.identityId,
        gap:
          hr && !knownToHr(person, deps.clock.now())
            ? "HR does not know them: no HR record is joined with this identity"
            : null,
        records: own.map((item) => item.record.recordId),
        facts: {
          ...{ firstSeenAt: firstSeen(person.identityId), active: person.active },
          ...{ hrStartsAt: starts[0] ?? null, given: own.map(changeOf) },
        },
      });
    }
  }
  return population({
    kind: "joiners",
    query:
      "every identity that was seen first in the period (the time in its id), with the audit records of what it was given; without the synthetic person of the pulse",
    period,
    askedAt: deps.clock.now(),
    counts: {
      joiners: rows.length,
      synthetic,
      withoutAccess: rows.filter((row) => row.records.length === 0).length,
      gaps: rows.filter((row) => row.gap !== null).length,
    },
    gaps: [],
    rows,
  });
}

/** Everybody who was there before and whose access changed in the period without their leaving. */
export async function moverPopulation(
  deps: EvidenceDeps,
  tenantId: TenantId,
  period: Period,
): Promise<Population> {
  const changes = await changesOf(deps, tenantId, [...gains, ...losses], period);
  const before = [...changes].filter(([identityId]) => firstSeen(identityId) < period.from);
  const synthetic = await syntheticAmong(
    deps,
    tenantId,
    before.map(([identityId]) => identityId),
  );
  const rows: PopulationRow[] = before
    .filter(([identityId]) => !synthetic.has(identityId))
    .map(([identityId, all]) => {
      const own = all.filter((item) => item.record.facts["lifecycle"] !== "departed");
      const unexplained = own.filter(
        (item) => gained(item) && listOf(item.record.facts["because"]).length === 0,
      );
      return {
        id: identityId,
        gap: unexplained.length === 0 ? null : "something was given and no rule is recorded",
        records: own.map((item) => item.record.recordId),
        facts: { changes: own.map(changeOf) },
      };
    })
    .filter((row) => row.records.length > 0)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return population({
    kind: "movers",
    query: `every identity seen first before the period with a record of ${[...gains, ...losses].join(", ")} in it that is no part of a leave; without the synthetic person of the pulse`,
    period,
    askedAt: deps.clock.now(),
    counts: {
      movers: rows.length,
      synthetic: synthetic.size,
      changes: rows.reduce((sum, row) => sum + row.records.length, 0),
      gaps: rows.filter((row) => row.gap !== null).length,
    },
    gaps: [],
    rows,
  });
}

/** Our own doors: every token that was good at some time in the period, operators' and identity providers'. */
export async function operatorPopulation(
  deps: EvidenceDeps,
  tenantId: TenantId,
  period: Period,
): Promise<Population> {
  const tokens = (await deps.store.listTokens(tenantId)).filter(
    (token) =>
      token.createdAt < period.to &&
      (token.revokedAt ?? Infinity) >= period.from &&
      (token.expiresAt ?? Infinity) >= period.from,
  );
  const made = await recordsOf(deps.store, tenantId, "token.created", { ...period, from: 0 });
  const ended = await recordsOf(deps.store, tenantId, "token.revoked", period);
  const rows = tokens.map((token): PopulationRow => {
    const own = [...made, ...ended].filter((item) => item.record.subject.id === token.tokenId);
    const creation = own.find((item) => item.record.action === "token.created");
    return {
      id: token.tokenId,
      gap: creation === undefined ? "no record says who made it" : null,
      records: own.map((item) => item.record.recordId),
      facts: {
        ...{
          label: token.label,
          kind: token.kind,
          role: token.role ?? null,
          idp: token.idpId ?? null,
        },
        ...{ createdAt: token.createdAt, expiresAt: token.expiresAt ?? null },
        ...{ revokedAt: token.revokedAt ?? null, lastUsedAt: token.lastUsedAt ?? null },
        madeBy: creation?.record.actor.id ?? null,
      },
    };
  });
  return population({
    kind: "operators",
    query:
      "every token of this service that was neither revoked nor expired before the period and made before its end",
    period,
    askedAt: deps.clock.now(),
    counts: {
      tokens: rows.length,
      operators: new Set(
        tokens.filter((token) => token.kind === "operator").map((token) => token.label),
      ).size,
      gaps: rows.filter((row) => row.gap !== null).length,
    },
    gaps: [],
    rows,
  });
}

async function changesOf(
  deps: EvidenceDeps,
  tenantId: TenantId,
  actions: readonly string[],
  period: Period,
): Promise<ReadonlyMap<IdentityId, readonly StoredRecord[]>> {
  const all: StoredRecord[] = [];
  for (const action of actions)
    all.push(...(await recordsOf(deps.store, tenantId, action, period)));
  const whole = all
    .filter(({ record }) => record.subject.type === "identity")
    .toSorted((a, b) => a.record.at - b.record.at);
  return Map.groupBy(whole, (item) => asId<IdentityId>(item.record.subject.id));
}

const gained = ({ record }: StoredRecord) =>
  gains.some((action) => action === record.action) && record.facts["roleTo"] !== null;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function changeOf({ record }: StoredRecord): JsonObject {
  const { kind, objectId, roleFrom, roleTo, because, outcome } = record.facts;
  return {
    ...{ at: record.at, action: record.action, connectionId: record.connectionId ?? null },
    ...{ kind: kind ?? null, objectId: objectId ?? null },
    ...{ roleFrom: roleFrom ?? null, roleTo: roleTo ?? null, because: because ?? [] },
    ...{ outcome: outcome ?? null, cause: record.cause ?? null },
    ...{ mappingVersion: record.mappingVersion ?? null, requestId: record.requestId ?? null },
    recordId: record.recordId,
  };
}

/** As far as readers may know: a planned leave alone says nothing. */
function knownToHr({ employment }: Pick<IdentityFacts, "employment">, now: number): boolean {
  return employment !== undefined && employmentForAll(employment, now) !== undefined;
}
