import type { DeclaredThing, KeyPolicy } from "./declared.ts";
import type { ScimTargetSettings } from "./scim-target.ts";

/** What a connection may do: report-only reads and plans; additive gives and takes back its own; authoritative owns the set. */
export type Mode = "report-only" | "additive" | "authoritative";

/** What a connection may do to one kind; ignore: it is neither touched nor spoken of. */
export type SetMode = Mode | "ignore";

/** A rail: more than max(floor, fraction of managed accounts) people within the window, and the batch waits for a decision. */
export interface RailRule {
  readonly floor: number;
  readonly fraction: number;
  readonly windowMs: number;
}

/** The rails of one connection, defaults filled in. Units: people, not slots. */
export interface RailPolicy {
  readonly removals: RailRule;
  /** Grants that one cause (a group write, a mapping version) brings. */
  readonly oneCause: RailRule;
  /** Privileged grants within 24 h that pass without a decision. */
  readonly privilegedGrants: number;
  /** Leavers of the whole tenant within 24 h that pass without a decision. */
  readonly leavers: RailRule;
  /** The same for leavers whom HR and an IdP name independently of each other; they do not count above. */
  readonly confirmedLeavers?: RailRule;
}

export interface TimingPolicy {
  /** How long an ordinary removal waits so that all of a wave are counted first. Never for leavers or privileged roles. */
  readonly debounceMs: number;
  /** How long a mover keeps what they lose; 0 for privileged roles whatever is written. */
  readonly graceMs: number;
  /** When a leaver's absence is read again, counted from the removal. */
  readonly verifyMs: readonly number[];
}

/** Who takes over what a leaver had at one connection. */
export interface HeirPolicy {
  /** Objects that take open work over, first fitting one first: those with a label want it, one without takes the rest. */
  readonly work: readonly { readonly label?: string; readonly to: string }[];
  /** People, best first, as folded addresses; then the leaver's manager, then the owner. Who left is skipped. */
  readonly people: readonly string[];
  readonly owner?: string;
}

export interface ServiceAccess {
  /** As `Lane.credential`. */
  readonly credential: string;
  readonly baseUrl?: string;
}

/** A cap that somebody answers for: credits of a table or team, records in the life of a webhook source. */
export interface BudgetPolicy {
  readonly scope: "table" | "team" | "group" | "webhook";
  readonly name: string;
  readonly limit: number;
  /** Folded address. */
  readonly owner: string;
  /** Of a table: so many rows at most, and whether it may enrich by itself. */
  readonly rows?: number;
  readonly autoRun?: boolean;
}

/** Why something is to be done by hand. */
export type TaskCause = "leaver" | "joiner" | "mover" | "drift" | "review" | "operator";

/** Who does by hand what no API does, and how soon. */
export interface TaskPolicy {
  /** Folded addresses; absent: whoever claims it. */
  readonly assignee?: string;
  readonly fallback?: string;
  /** From when it was asked for, milliseconds, by cause. */
  readonly dueMs: Readonly<Record<TaskCause, number>>;
}

const HOUR_MS = 3_600_000;

/** A leaver's by the end of the half day, a joiner's within a day. */
export const taskDueMs: TaskPolicy["dueMs"] = {
  leaver: 4 * HOUR_MS,
  joiner: 24 * HOUR_MS,
  mover: 48 * HOUR_MS,
  drift: 72 * HOUR_MS,
  review: 120 * HOUR_MS,
  operator: 72 * HOUR_MS,
};

/** How one connection is run: the parsed head of its mapping file. */
export interface ConnectionPolicy {
  readonly mode: Mode;
  /** Credential, and where told address, of the vendor's services beside its main interface. */
  readonly services?: Readonly<Record<string, ServiceAccess>>;
  /** Overrides of `mode` per kind. */
  readonly sets: Readonly<Record<string, SetMode>>;
  /** Domains whose addresses may be matched and invited; folded. */
  readonly domains: readonly string[];
  /** What a leaver's account gets. `keep` opens a task instead. */
  readonly leaver: "remove" | "keep";
  readonly create: "invite" | "never";
  /** How often an expired invitation is sent again before the target parks. */
  readonly inviteResends: number;
  /** Section permissions that an invitation carries, by role; absent: none, which the vendor takes for all. */
  readonly permissions?: Readonly<Record<string, readonly string[]>>;
  /** An invitation carries the person's name as nickname. */
  readonly nickname?: true;
  readonly timing: TimingPolicy;
  readonly rails: RailPolicy;
  /** Who takes over what a leaver had; absent: nobody is declared. */
  readonly heirs?: HeirPolicy;
  /** Folded addresses that are shown and never touched. */
  readonly protectedAccounts: readonly string[];
  readonly adminsMin: number;
  /** Absent: the defaults. */
  readonly tasks?: TaskPolicy;
  /** Work by hand becomes tickets of this vendor's help desk. */
  readonly tickets?: TicketPolicy;
  /** Caps on what is used at the vendor, held against what people bring of it. */
  readonly budgets?: readonly BudgetPolicy[];
  /** Keys, tags and workspaces that shall be there, whoever works with them. */
  readonly declares?: readonly DeclaredThing[];
  /** Absent: the defaults. */
  readonly keys?: KeyPolicy;
  /** Reference of the id and secret of the vendor's app (`id:secret`), where the credential comes by installing it. */
  readonly app?: string;
  /** The workspace that an agency's key acts in, where that is not its own. */
  readonly actsIn?: string;
  /** Where the server of a SCIM connection differs from its profile. */
  readonly target?: ScimTargetSettings;
}

/** Where tickets for work by hand are opened, and whose work it is. */
export interface TicketPolicy {
  /** Id of the ticket type at the vendor. */
  readonly type: string;
  /** Id of the contact that the vendor wants a ticket to be about. */
  readonly contact: string;
  /** Id of the team that gets them; absent: the vendor's own rules say who. */
  readonly team?: string;
  /** Absent: the connection of the help desk itself. */
  readonly connections?: readonly string[];
}

export const DAY_MS = 86_400_000;

/** Where a mapping says nothing else of confirmed leavers. */
export const confirmedLeaversDefault: RailRule = { floor: 25, fraction: 0.03, windowMs: DAY_MS };

/** The most people that one rail lets pass in its window. */
export function railAllowance(rule: RailRule, managed: number): number {
  return Math.max(rule.floor, Math.floor(rule.fraction * managed));
}

/** The mode that counts for a kind. */
export function modeOf(policy: ConnectionPolicy, kind: string): SetMode {
  const own = policy.sets[kind];
  if (own === "ignore") return own;
  return policy.mode === "report-only" ? "report-only" : (own ?? policy.mode);
}

/** Things of kinds that nobody wants us to look at are left out. */
export function withoutIgnored<T extends { readonly kind: string }>(
  policy: ConnectionPolicy,
  things: readonly T[],
): readonly T[] {
  if (!Object.values(policy.sets).includes("ignore")) return things;
  return things.filter((item) => modeOf(policy, item.kind) !== "ignore");
}
