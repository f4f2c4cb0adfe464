/** What one look at a connection says before anything is written through it. */
export interface ConnectReport {
  readonly connectionId: string;
  readonly vendor: string;
  readonly profile: string;
  readonly mode: string;
  /** Whom the credential answers for; null: it does not. */
  readonly organization: { readonly id: string; readonly name: string } | null;
  /** new: pinned by this look · same: the one that was pinned before · undefined where nobody answered. */
  readonly pin: "new" | "same" | null;
  /** Why the credential cannot be used; null: it can. */
  readonly problem: { readonly code: string; readonly text: string } | null;
  /** What kind of credential it is, and whose; null where it could not be asked, owner null where the vendor does not tell. */
  readonly credential: { readonly kind: string; readonly owner: string | null } | null;
  /** Lines of the connector: plan, region. */
  readonly notes: readonly string[];
  readonly reads: readonly ConnectRead[];
  /** Whether the vendor says that its own SCIM or JIT provisioning owns membership. */
  readonly vendorOwnsMembership: boolean;
  /** What the credential has to be allowed here, in the vendor's words. */
  readonly scopes: readonly string[];
  /** Of these, what a read was refused for. Writes prove theirs when they are made first. */
  readonly scopesMissing: readonly string[];
  /** What it may read beyond them: nothing of this connection needs it. */
  readonly scopesBeyond: readonly string[];
  /** What this plan does not have. */
  readonly planGates: readonly string[];
  readonly limits: readonly {
    readonly name: string;
    readonly calls: number;
    readonly perMs: number;
  }[];
  /** Every call that will ever be made. */
  readonly endpoints: readonly {
    readonly method: string;
    readonly path: string;
    readonly access: "read" | "write";
    readonly scope: string | null;
  }[];
  /** Kinds that only people change here. */
  readonly byHand: readonly string[];
  readonly impossible: readonly { readonly what: string; readonly instead: string }[];
}

export interface ConnectRead {
  readonly what: string;
  readonly outcome: "answers" | "empty" | "refused";
  readonly text: string;
}
