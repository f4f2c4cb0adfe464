import { table } from "../cli/table.ts";
import type { TargetRow, Told } from "./operator.ts";

/** The truth at a vendor, read from the simulator itself and not through Rolecall. */
export interface VendorTruth {
  readonly connection: string;
  readonly accounts: readonly {
    /** Folded. */
    readonly email: string;
    readonly state: "active" | "invited";
    readonly role: string;
    /** Object id → role, implied ones left out. */
    readonly slots: Readonly<Record<string, string>>;
  }[];
  /** The kind whose slot is the account itself. */
  readonly accountKind: string;
  /** Objects by id, for people. */
  readonly names: Readonly<Record<string, string>>;
  /** Addresses that were there before and are nobody's business: owners, break-glass, look-alikes. */
  readonly bystanders: readonly string[];
}

/** One that came to be, read from the simulator itself. */
export interface Invitation {
  readonly vendor: string;
  readonly role: string;
  readonly end: "open" | "accepted" | "expired" | "withdrawn";
}

export interface VendorCheck {
  readonly connection: string;
  /** People who should have an account. */
  readonly desired: number;
  readonly asWished: number;
  readonly invited: number;
  readonly gone: number;
  readonly bystanders: number;
  readonly differences: readonly string[];
}

/** Compares what the mapping wishes for everybody with what the vendor really holds, in both directions. */
export function checkVendor(truth: VendorTruth, wishes: readonly TargetRow[]): VendorCheck {
  const accounts = new Map(truth.accounts.map((account) => [account.email, account]));
  const differences: string[] = [];
  let desired = 0;
  let asWished = 0;
  let invited = 0;
  let gone = 0;
  for (const wish of wishes) {
    const email = wish.emails[0] ?? wish.userName?.toLowerCase() ?? "";
    const account = accounts.get(email);
    accounts.delete(email);
    const role = wish.desired.find((item) => item.kind === truth.accountKind)?.role;
    if (role === undefined) {
      if (account === undefined) gone += 1;
      else
        differences.push(`${email} should have nothing and is ${account.state} as ${account.role}`);
      continue;
    }
    desired += 1;
    if (account === undefined) {
      differences.push(
        `${email} should be ${role} and has no account (${wish.state}: ${wish.reason ?? "no reason"})`,
      );
      continue;
    }
    const wrong = compare(truth, wish, role, account);
    if (wrong.length > 0) differences.push(`${email}: ${wrong.join("; ")}`);
    else if (account.state === "invited") invited += 1;
    else asWished += 1;
  }
  let bystanders = 0;
  for (const email of accounts.keys()) {
    if (truth.bystanders.includes(email)) bystanders += 1;
    else differences.push(`${email} has an account that nobody wished`);
  }
  for (const email of truth.bystanders) {
    if (!truth.accounts.some((account) => account.email === email))
      differences.push(`${email} was to be left alone and is gone`);
  }
  return {
    connection: truth.connection,
    desired,
    asWished,
    invited,
    gone,
    bystanders,
    differences,
  };
}

function compare(
  truth: VendorTruth,
  wish: TargetRow,
  role: string,
  account: VendorTruth["accounts"][number],
): readonly string[] {
  const wrong: string[] = [];
  if (account.role !== role) wrong.push(`should be ${role} and is ${account.role}`);
  if (account.state === "invited") return wrong;
  const wished = new Map(
    wish.desired
      .filter((item) => item.kind !== truth.accountKind)
      .map((item) => [item.objectId, item.role]),
  );
  for (const [objectId, slotRole] of wished) {
    const held = account.slots[objectId];
    if (held !== slotRole)
      wrong.push(
        `${truth.names[objectId] ?? objectId}: should be ${slotRole} and is ${held ?? "nothing"}`,
      );
  }
  for (const objectId of Object.keys(account.slots)) {
    if (!wished.has(objectId))
      wrong.push(
        `${truth.names[objectId] ?? objectId}: should be nothing and is ${account.slots[objectId] ?? ""}`,
      );
  }
  return wrong;
}

/** Compares what `explain` says of one person with the wish that was stored and with what the vendor really holds. */
export function checkExplanation(
  truth: VendorTruth,
  wish: TargetRow,
  told: Told,
): readonly string[] {
  const email = wish.emails[0] ?? wish.userName?.toLowerCase() ?? "";
  const lies: string[] = [];
  const expect = (what: string, said: string, is: string) => {
    if (said !== is) lies.push(`explain says of ${email}: ${what} ${said}, and it is ${is}`);
  };
  const slots = (items: readonly { kind: string; objectId: string; role: string }[]) =>
    items
      .map((item) => `${item.kind} ${item.objectId} ${item.role}`)
      .toSorted()
      .join(", ");
  expect("should have", slots(told.desired.assignments), slots(wish.desired));
  const account = truth.accounts.find((item) => item.email === email);
  const { observed } = told;
  expect("account", observed?.state ?? "none", account?.state ?? "none");
  expect("role", observed?.role ?? "none", account?.role ?? "none");
  const held = Object.entries(account?.slots ?? {}).map(([id, role]) => `${id} ${role}`);
  const said = (observed?.grants ?? [])
    .filter((grant) => !grant.implicit)
    .map((grant) => `${grant.objectId} ${grant.role}`);
  expect("holds", said.toSorted().join(", "), held.toSorted().join(", "));
  const won = told.rules.filter((rule) => rule.outcome === "won").map((rule) => rule.ruleId);
  for (const { because } of told.desired.assignments) {
    if (!because.some((ruleId) => won.includes(ruleId) || ruleId.startsWith("exception:")))
      lies.push(`explain says of ${email}: ${because.join(", ")} gives something and won nothing`);
  }
  return lies;
}

/**
 * What is wrong with the invitations that came to be for one address, oldest first: a further one is right only where the one before it at
 * the same vendor expired, or was taken back because another role is offered now.
 */
export function invitationComplaint(
  email: string,
  invitations: readonly Invitation[],
): string | undefined {
  for (const [at, invitation] of invitations.entries()) {
    const former = invitations.slice(0, at).findLast((item) => item.vendor === invitation.vendor);
    if (former === undefined || former.end === "expired") continue;
    if (former.end === "withdrawn" && former.role !== invitation.role) continue;
    const told = invitations
      .filter((item) => item.vendor === invitation.vendor)
      .map(({ role, end }) => `${role} ${end}`);
    return `${email} was invited ${String(told.length)} times by ${invitation.vendor}: ${told.join(", ")}`;
  }
  return undefined;
}

/** The last page of the demo. */
export function renderChecks(checks: readonly VendorCheck[]): string {
  const summary = table(
    [
      "VENDOR",
      "DESIRED",
      "OBSERVED AS DESIRED",
      "INVITED, WAITING",
      "GONE AS DESIRED",
      "LEFT ALONE",
      "DIFFERENT",
    ],
    checks.map((check) => [
      check.connection,
      check.desired,
      check.asWished,
      check.invited,
      check.gone,
      check.bystanders,
      check.differences.length,
    ]),
    "no vendor",
  );
  const differences = checks.flatMap((check) =>
    check.differences.map((text) => `  ${check.connection}: ${text}`),
  );
  return differences.length === 0 ? summary : `${summary}${differences.join("\n")}\n`;
}
