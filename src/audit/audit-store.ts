import type { Instant } from "../model/clock.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { AuditRecord } from "../model/records.ts";

/** A record with its place in the tree; erased personal values are left out, their commitments stay in `commitments`. */
export interface StoredRecord {
  readonly tenantId: TenantId;
  /** Undefined until the sequencer came by. */
  readonly leafIndex: number | undefined;
  readonly record: AuditRecord;
  /** SHA-256 commitments (hex) of the personal values by field. */
  readonly commitments: Readonly<Record<string, string>>;
}

/** RFC 6962 tree of one tenant: its size and the roots (hex) of its perfect subtrees, largest first. */
export interface TreeState {
  readonly size: number;
  readonly frontier: readonly string[];
}

/** Records are inserted by the commands that they record (`also`); this port orders, reads and proves them. */
export interface AuditStore {
  /** Writes records that belong to no other command (a sign-in, an export, a start). */
  appendRecords(tenantId: TenantId, records: readonly AuditRecord[]): Promise<void>;
  /** Tenants with records that have no leaf index. */
  tenantsToSequence(): Promise<readonly TenantId[]>;
  /** Tenants with leaves that were not streamed out. */
  tenantsToStream(): Promise<readonly TenantId[]>;
  /** Records without a leaf index, in commit order. */
  listUnsequenced(tenantId: TenantId, limit: number): Promise<readonly StoredRecord[]>;
  getTree(tenantId: TenantId): Promise<TreeState>;
  /**
   * Gives the records the next gapless indexes and stores the new tree, in one commit.
   * @throws StoreError VERSION_CONFLICT when the tree's size is not `expectSize` any more
   */
  appendLeaves(
    tenantId: TenantId,
    command: {
      readonly expectSize: number;
      readonly leaves: readonly { readonly recordId: string; readonly leafHash: string }[];
      readonly frontier: readonly string[];
    },
  ): Promise<void>;
  /** Leaf hashes (hex) from `from` on, for proofs and verification. */
  listLeaves(
    tenantId: TenantId,
    page: { readonly from: number; readonly limit: number },
  ): Promise<readonly string[]>;
  /** Sequenced records in leaf order. */
  listRecords(
    tenantId: TenantId,
    page: { readonly from: number; readonly limit: number },
  ): Promise<readonly StoredRecord[]>;
  /** How many leaves were streamed out; 0 at first. */
  auditStreamedTo(tenantId: TenantId): Promise<number>;
  /** @throws StoreError VERSION_CONFLICT when somebody else moved it: `expect` is what was read */
  moveAuditStream(
    tenantId: TenantId,
    command: { readonly expect: number; readonly next: number },
  ): Promise<void>;
  /** Newest first; unsequenced ones too. What commits while pages are read may be on none of them: the leaf order has no such gap. */
  findRecords(tenantId: TenantId, filter: RecordFilter): Promise<readonly FoundRecord[]>;
  /** Records whose action is alerting (model/alerting-actions.ts), newest first; cheap however long the record is. */
  alertingRecords(
    tenantId: TenantId,
    filter: { readonly from: Instant; readonly limit: number },
  ): Promise<readonly StoredRecord[]>;
}

/** A record with its place in the order of commits: where the next page begins. */
export interface FoundRecord extends StoredRecord {
  readonly order: number;
}

/** Which records are asked for; all that is given must be true. */
export interface RecordFilter {
  readonly identityId?: IdentityId;
  readonly connectionId?: ConnectionId;
  /** Exact, or with `.*` at its end everything below: `token.*`. */
  readonly action?: string;
  /** `id` of the actor: an operator's name, an IdP connection, a worker. */
  readonly actor?: string;
  readonly subject?: { readonly type?: string; readonly id?: string };
  /** At or after. */
  readonly from?: Instant;
  readonly before?: Instant;
  /** Behind this place of an earlier page. */
  readonly after?: number;
  readonly limit: number;
}
