import type { LeaverCase } from "../accounts/leaver-case.ts";
import type { StoredRecord } from "../audit/audit-store.ts";
import { proveRecord, type RecordProof } from "../audit/proof.ts";
import type { AccessException } from "../model/identity.ts";
import type { Instant } from "../model/clock.ts";
import { foldEmail } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import type { TenantId } from "../model/ids.ts";
import { leaverPack, packHash, type LeaverPack } from "../offboarding/leaver-pack.ts";
import type { EvidenceDeps } from "./evidence-deps.ts";
import { recordsOf } from "./period.ts";

/** One leaver, from HR's word to the absence that was read again: everything an auditor asks for, and nothing personal. */
export interface Dossier {
  readonly format: "rolecall-leaver/1";
  readonly madeAt: Instant;
  readonly pack: LeaverPack;
  /** Of the pack alone: what the record of the case's end names. */
  readonly packHash: string;
  /** What HR said, where it did. */
  readonly hr: { readonly at: Instant; readonly facts: JsonObject } | null;
  /** Every record of the person since they left: vendor request ids, outcomes, rules and read-backs stand in them. */
  readonly records: readonly {
    readonly recordId: string;
    readonly at: Instant;
    readonly action: string;
    readonly connectionId: string | null;
    readonly requestIds: readonly string[];
    readonly facts: JsonObject;
  }[];
  /** Hashes of what the vendors showed when absence was verified. */
  readonly readBacks: readonly {
    readonly connectionId: string | null;
    readonly at: Instant;
    readonly sha256: string;
  }[];
  readonly exceptions: readonly Omit<AccessException, "person">[];
  /** Decisions on batches that the leave was part of, or that covered everybody in them. */
  readonly approvals: readonly {
    readonly recordId: string;
    readonly at: Instant;
    readonly by: string;
    readonly action: string;
    readonly covers: "named" | "all";
  }[];
  /** Each record with its place in the signed tree; those that no checkpoint saw yet are in `unproved`. */
  readonly proofs: readonly RecordProof[];
  readonly unproved: readonly string[];
}

export async function leaverDossier(
  deps: EvidenceDeps,
  tenantId: TenantId,
  item: LeaverCase,
): Promise<Dossier> {
  const { identityId, t0 } = item;
  const pack = await leaverPack(deps, item);
  const stored = (await deps.store.findRecords(tenantId, { identityId, limit: 1_000 }))
    .filter(({ record }) => record.at >= t0)
    .toReversed();
  const left = stored.find(({ record }) => record.action === "employment.left");
  const until = (item.closedAt ?? deps.clock.now()) + 1;
  const decisions = await Promise.all(
    ["hold.approved", "hold.rejected"].map((action) =>
      recordsOf(deps.store, tenantId, action, { from: t0, to: until }),
    ),
  );
  const [person] = await deps.store.readIdentities(tenantId, [identityId]);
  const names = new Set<string>([
    identityId,
    ...(person === undefined ? [] : [...person.emails, foldEmail(person.userName)]),
  ]);
  const { proofs, unproved } = await prove(deps, tenantId, stored);
  return {
    format: "rolecall-leaver/1",
    madeAt: deps.clock.now(),
    pack,
    packHash: packHash(pack),
    hr: left === undefined ? null : { at: left.record.at, facts: left.record.facts },
    records: stored.map(({ record }) => ({
      ...{ recordId: record.recordId, at: record.at, action: record.action },
      ...{ connectionId: record.connectionId ?? null, facts: record.facts },
      requestIds: requestIdsOf(record.facts["requestIds"], record.requestId),
    })),
    readBacks: stored.flatMap(({ record }) => {
      const { readBack } = record.facts;
      return typeof readBack === "string"
        ? [{ connectionId: record.connectionId ?? null, at: record.at, sha256: readBack }]
        : [];
    }),
    exceptions: (await deps.store.listExceptions(tenantId))
      .filter((one) => names.has(one.person))
      .map(({ person: _person, ...rest }) => rest),
    approvals: decisions.flat().flatMap(({ record }) => {
      const { people } = record.facts;
      const named = Array.isArray(people) && (people as readonly unknown[]).includes(identityId);
      if (!named && people !== "all") return [];
      const covers = named ? ("named" as const) : ("all" as const);
      const { recordId, at, action, actor } = record;
      return [{ recordId, at, action, by: actor.id, covers }];
    }),
    proofs,
    unproved,
  };
}

function requestIdsOf(list: unknown, one: string | undefined): readonly string[] {
  const many = Array.isArray(list) ? (list as readonly unknown[]).map(String) : [];
  return many.length > 0 || one === undefined ? many : [one];
}

const leavesPage = 10_000;

async function prove(
  deps: EvidenceDeps,
  tenantId: TenantId,
  stored: readonly StoredRecord[],
): Promise<Pick<Dossier, "proofs" | "unproved">> {
  const checkpoint = await deps.lastCheckpoint(tenantId);
  const unproved = stored
    .filter((one) => one.leafIndex === undefined || one.leafIndex >= (checkpoint?.size ?? 0))
    .map((one) => one.record.recordId);
  if (checkpoint === undefined) return { proofs: [], unproved };
  const leaves: string[] = [];
  while (leaves.length < checkpoint.size) {
    const limit = Math.min(leavesPage, checkpoint.size - leaves.length);
    const next = await deps.store.listLeaves(tenantId, { from: leaves.length, limit });
    // Fewer than the checkpoint saw: the record was cut, and nothing of it can be proved.
    if (next.length === 0)
      return { proofs: [], unproved: stored.map((one) => one.record.recordId) };
    leaves.push(...next);
  }
  const proofs = stored.flatMap(({ leafIndex, record, commitments }) => {
    if (leafIndex === undefined || leafIndex >= checkpoint.size) return [];
    const { personal: _personal, ...bare } = record;
    const exported = { leafIndex, leafHash: leaves[leafIndex], record: bare, commitments };
    return [proveRecord(exported, leaves, checkpoint)];
  });
  return { proofs, unproved };
}
