import type { z } from "zod";
import type { Lane } from "../accounts/lane.ts";
import type { ConnectReport } from "../model/connect-report.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { CheckpointNote } from "../audit/checkpoint.ts";
import type { Verification } from "../audit/verify.ts";
import type { CredentialStore, Token, TokenKind } from "../credentials/credential-store.ts";
import type { TrafficStore } from "../directory/traffic-store.ts";
import type { DeadLetterStore } from "../events/dead-letter-store.ts";
import type { KeyHands } from "../governance/key-desk.ts";
import type { HrDesk } from "../hr/hr-desk.ts";
import type { ThingKind, ThingRow } from "../model/declared.ts";
import type { IdpId, TenantId } from "../model/ids.ts";
import type { DeliveryStore } from "../notify/delivery-store.ts";
import type { RehearsalDeps } from "../offboarding/rehearse.ts";
import type { PulseStore } from "../pulse/pulse-store.ts";
import type { BrakeStore } from "../recovery/brake-store.ts";
import type { Actor, OperatorRole } from "../model/records.ts";
import type { Duty } from "./role.ts";
import type { SyncDeps } from "../sync/sync-deps.ts";
import type { ReviewStore } from "../reviews/review-store.ts";
import type { RosterStore } from "../tasks/roster-store.ts";
import type { TaskStore } from "../tasks/task-store.ts";
import type { ProposalResult } from "../sync/roll-out.ts";

/** What the operator's operations work with: use cases and read ports, nothing that speaks to a vendor. */
export interface ConsoleDeps extends SyncDeps {
  readonly store: SyncDeps["store"] &
    AccountStore &
    AuditStore &
    CredentialStore &
    BrakeStore &
    DeadLetterStore &
    DeliveryStore &
    TaskStore &
    ReviewStore &
    RosterStore &
    PulseStore &
    TrafficStore;
  /** Looks at a connection through its connector; only reads. */
  readonly connect: (lane: Lane) => Promise<ConnectReport>;
  /** What a mapping declares at a connection, beside what is there; only reads. @throws SyncError */
  readonly things: (lane: Lane) => Promise<readonly ThingRow[]>;
  /** Ends one thing on a person's word. Undefined: done; else why not. @throws SyncError */
  readonly endThing: (
    lane: Lane,
    wish: {
      readonly kind: ThingKind;
      readonly which: string;
      readonly why: string;
      readonly actor: Actor;
    },
  ) => Promise<string | undefined>;
  readonly keys: KeyHands;
  /** The newest signed checkpoint of a tenant's record, where this process can read one. */
  readonly lastCheckpoint: (tenantId: TenantId) => Promise<CheckpointNote | undefined>;
  /** What installs a vendor's app into the workspace of a connection. @throws Error that says what the mapping lacks */
  readonly installLink: (lane: Lane, by: string) => object;
  readonly hr: { readonly desk: HrDesk };
  readonly version: string;
  readonly world: "live" | "sandbox" | "test";
  /** Base of what the IdPs are told: `https://rolecall.example.com`. */
  readonly publicUrl: string;
  /** Of the store, and where this process opened it: a release settles it there. */
  readonly instanceId: string;
  readonly home: string | undefined;
  readonly issueToken: (
    tenantId: TenantId,
    draft: {
      readonly kind: TokenKind;
      readonly idpId: IdpId | undefined;
      readonly label: string;
      readonly role?: OperatorRole;
      readonly expiresAt: number | undefined;
    },
    actor: Actor,
  ) => Promise<{ readonly tokenId: string; readonly token: string }>;
  /** The last hours of this process. */
  readonly trends: () => object;
  /** A link that signs a person in, once, within some minutes. */
  readonly signInLink: (
    tenantId: TenantId,
    person: { readonly label: string; readonly role: OperatorRole | undefined },
    actor: Actor,
  ) => Promise<{ readonly url: string; readonly expiresAt: number }>;
  /** Recomputes the audit record of a tenant and compares it with its checkpoints here. */
  readonly verifyAudit: (tenantId: TenantId) => Promise<Verification>;
  /** A token of this process's store was revoked. */
  readonly tokensChanged: () => void;
  readonly putCredential: (
    tenantId: TenantId,
    name: string,
    secret: string,
    actor: Actor,
  ) => Promise<{ readonly fingerprint: string }>;
  /** Seals anew what a former seal key sealed. */
  readonly reseal: (
    tenantId: TenantId,
    actor: Actor,
  ) => Promise<{ readonly resealed: readonly string[]; readonly unreadable: readonly string[] }>;
  /** Reads the mapping files of a tenant again and proposes them. @throws InputError with every problem */
  readonly proposeMappings: (
    tenantId: TenantId,
    actor: Actor,
    /** Who wrote the files, where somebody says so. */
    author?: string,
  ) => Promise<readonly ProposalResult[]>;
  /** Names of the ways out to people. */
  readonly channels: readonly string[];
  readonly leaverFacts: RehearsalDeps["leaverFacts"];
  readonly backlog: () => Promise<{ readonly owed: number; readonly urgentOwed: number }>;
}

/** Whoever calls: by a token, or by a session in a browser. */
export interface OperatorCaller {
  /** Whose operators they are. */
  readonly tenantId: TenantId;
  readonly actor: Actor;
  readonly purpose: Token["purpose"];
  /** Undefined: never. */
  readonly expiresAt: number | undefined;
}

export interface OperationContext {
  readonly tenantId: TenantId;
  readonly actor: Actor;
  /** What they came with, for what may not outlive it. */
  readonly via: Pick<OperatorCaller, "purpose" | "expiresAt">;
}

/** One thing an operator can do or ask: the row that routes, validates, documents and serves it. */
export interface Operation<Input extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; `:parameters` are part of the input. */
  readonly path: string;
  readonly summary: string;
  /** Only reads although it is no GET: a viewer may call it. */
  readonly reads?: true;
  /** Who may call it; absent: a viewer where it reads, an operator where it changes something. */
  readonly needs?: Duty;
  /** Path parameters, query and body as one object. */
  readonly input: Input;
  readonly run: (
    deps: ConsoleDeps,
    context: OperationContext,
    input: z.output<Input>,
  ) => Promise<unknown>;
}

/** Keeps the input's type while the row is written; the list of operations forgets it. */
export function operation<Input extends z.ZodType>(row: Operation<Input>): Operation {
  return row as unknown as Operation;
}

/** What went wrong for the caller; everything else is a 500 with a request id. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly status: 400 | 403 | 404 | 409 | 422;

  constructor(status: 400 | 403 | 404 | 409 | 422, message: string) {
    super(message);
    this.status = status;
  }
}
