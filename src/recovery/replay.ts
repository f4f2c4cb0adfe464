import type { AccountStore, LedgerChange } from "../accounts/account-store.ts";
import type { ExportedRecord } from "../audit/export.ts";
import type { Clock } from "../model/clock.ts";
import { asId, type ConnectionId, type IdentityId, type TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { newRecord, type Actor, type AuditRecord } from "../model/records.ts";

export interface ReplayDeps {
  readonly store: Pick<AccountStore, "changeLedger" | "listLedger" | "getLane"> & {
    /** The identities of these that the store has. */
    readonly knownIdentities: (
      tenantId: TenantId,
      identityIds: readonly IdentityId[],
    ) => Promise<ReadonlySet<IdentityId>>;
  };
  readonly clock: Clock;
  /** The kind of slot that is the account itself at a connection's vendor; undefined: no such connector. */
  readonly accountKindOf: (vendor: string, profile: string) => string | undefined;
}

export interface ReplayResult {
  /** Outcomes that were written into the ledger. */
  readonly replayed: number;
  /** Outcomes of people or connections that this store does not know. */
  readonly unknown: number;
  /** Records that say nothing about the ledger, or that the store has itself. */
  readonly passed: number;
}

/** Of outcomeRecord(): the actions of vendor writes. */
const gives: ReadonlySet<string> = new Set(["account.invited", "account.role_set", "grant.set"]);
const takes: ReadonlySet<string> = new Set(["grant.revoked"]);
const ends: ReadonlySet<string> = new Set(["account.removed", "invitation.cancelled"]);
const happened: ReadonlySet<unknown> = new Set(["done", "unchanged", "pending"]);

/**
 * Tells the ledger what was given and taken after the backup was made, from the record that lies outside: without it, everything
 * that was given meanwhile would look as if somebody else had given it, and would never be taken away again. Outcomes are
 * repeated in their order; doing it twice changes nothing.
 * @param from leaf index of the first record that the store does not have
 */
export async function replayOutcomes(
  deps: ReplayDeps,
  tenantId: TenantId,
  records: AsyncIterable<ExportedRecord>,
  from: number,
  actor: Actor,
): Promise<ReplayResult> {
  const result = { replayed: 0, unknown: 0, passed: 0 };
  for await (const { leafIndex, record } of records) {
    const write = leafIndex < from ? undefined : writeOf(record);
    if (write === undefined) {
      result.passed += 1;
      continue;
    }
    const kind = await accountKind(deps, tenantId, write.connectionId);
    const known = await deps.store.knownIdentities(tenantId, [write.identityId]);
    if (kind === undefined || !known.has(write.identityId)) {
      result.unknown += 1;
      continue;
    }
    await deps.store.changeLedger(
      tenantId,
      {
        connectionId: write.connectionId,
        identityId: write.identityId,
        changes: await changesOf(deps, tenantId, write, kind),
        now: deps.clock.now(),
      },
      {
        records: [
          newRecord(deps.clock, {
            actor,
            action: "ledger.replayed",
            subject: { type: "identity", id: write.identityId },
            connectionId: write.connectionId,
            facts: { recordId: record.recordId, leafIndex, action: record.action },
          }),
        ],
        recompute: [],
      },
    );
    result.replayed += 1;
  }
  return result;
}

interface Write {
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  readonly effect: "gives" | "takes" | "ends";
  readonly kind: string;
  readonly objectId: string;
  readonly role: string | undefined;
  readonly because: readonly string[];
}

/** What a record says that was written to a vendor; undefined: nothing, or that it did not happen. */
function writeOf(record: AuditRecord): Write | undefined {
  const effect = gives.has(record.action)
    ? "gives"
    : takes.has(record.action)
      ? "takes"
      : ends.has(record.action)
        ? "ends"
        : undefined;
  const { facts, connectionId } = record;
  if (effect === undefined || connectionId === undefined || record.subject.type !== "identity")
    return undefined;
  if (!happened.has(facts["outcome"])) return undefined;
  const text = (name: keyof JsonObject) => {
    const value = facts[name];
    return typeof value === "string" ? value : undefined;
  };
  const kind = text("kind");
  const role = text("roleTo");
  if (kind === undefined || (effect === "gives" && role === undefined)) return undefined;
  const because = facts["because"];
  return {
    connectionId,
    identityId: asId<IdentityId>(record.subject.id),
    effect,
    kind,
    objectId: text("objectId") ?? "",
    role,
    because: Array.isArray(because) ? because.map(String) : [],
  };
}

async function changesOf(
  deps: ReplayDeps,
  tenantId: TenantId,
  write: Write,
  accountKind: string,
): Promise<readonly LedgerChange[]> {
  const slot = { kind: write.kind, objectId: write.objectId };
  switch (write.effect) {
    case "gives":
      return [
        {
          op: "set",
          entitlement: { ...slot, role: write.role ?? "" },
          origin: "granted",
          because: write.because,
        },
      ];
    case "takes":
      return [{ op: "remove", slot }];
    case "ends": {
      // The account took everything with it.
      const held = await deps.store.listLedger(tenantId, write.connectionId, write.identityId);
      return [{ kind: accountKind, objectId: "" }, ...held].map(({ kind, objectId }) => ({
        op: "remove" as const,
        slot: { kind, objectId },
      }));
    }
  }
}

async function accountKind(
  deps: ReplayDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<string | undefined> {
  const lane = await deps.store.getLane(tenantId, connectionId);
  return lane === undefined ? undefined : deps.accountKindOf(lane.vendor, lane.profile);
}
