import type { AccountStore } from "../accounts/account-store.ts";
import type { Lane } from "../accounts/lane.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { Instant } from "../model/clock.ts";
import { rotatedAt, type Environment, type ThingRow } from "../model/declared.ts";
import { SyncError } from "../model/errors.ts";
import { foldEmail } from "../model/fold.ts";
import type { AccountId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { environmentOf } from "../plan/key-notes.ts";

/** One key of any vendor, read or declared. */
export interface KeyRow {
  readonly connectionId: ConnectionId;
  readonly vendor: string;
  readonly name: string;
  readonly keyId: string | null;
  /** active: the vendor shows it · unseen: only a declaration knows it · missing: declared and not there. */
  readonly state: ThingRow["state"];
  readonly owner: string | null;
  readonly purpose: string | null;
  readonly usedBy: readonly string[];
  readonly environment: Environment | null;
  readonly provider: string | null;
  readonly scopes: readonly string[];
  readonly hint: string | null;
  /** Who made it or whom it acts for, where the vendor tells. */
  readonly madeBy: string | null;
  readonly createdAt: Instant | null;
  readonly rotatedAt: Instant | null;
  /** null: on demand. */
  readonly rotateMs: number | null;
  readonly dueAt: Instant | null;
  /** null: never, or the vendor does not say. */
  readonly lastUsedAt: Instant | null;
  /** `rotate`, `rotate_soon`, `owner_left`, `unused`, `shared`, `misplaced`, `misnamed`, `objection`, `undeclared`, … */
  readonly about: readonly string[];
  readonly notes: readonly string[];
}

export interface KeyRegister {
  readonly keys: readonly KeyRow[];
  /** Connections whose keys could not be read, with the reason. */
  readonly gaps: readonly { readonly connectionId: ConnectionId; readonly why: string }[];
}

export interface RegisterDeps {
  readonly store: Pick<AccountStore, "listLanes" | "listLinks"> &
    Pick<DirectoryStore, "readIdentities">;
  /** What a connection declares and shows; only reads. @throws SyncError */
  readonly things: (lane: Lane) => Promise<readonly ThingRow[]>;
  /** Whether a vendor has keys that may be read or declared. */
  readonly hasKeys: (lane: Lane) => boolean;
}

/** Every key at every connection, read now. One that cannot be read is a gap, and hides no other. */
export async function keyRegister(
  deps: RegisterDeps,
  tenantId: TenantId,
  only?: ConnectionId,
): Promise<KeyRegister> {
  const keys: KeyRow[] = [];
  const gaps: { connectionId: ConnectionId; why: string }[] = [];
  for (const lane of await deps.store.listLanes(tenantId)) {
    if (only !== undefined && lane.connectionId !== only) continue;
    if (!deps.hasKeys(lane)) continue;
    try {
      const rows = (await deps.things(lane)).filter((row) => row.kind === "api_key");
      keys.push(...rows.map((row) => keyRow(lane, row)));
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      gaps.push({ connectionId: lane.connectionId, why: `${error.code}: ${error.message}` });
    }
  }
  return { keys, gaps };
}

function keyRow({ connectionId, vendor }: Lane, row: ThingRow): KeyRow {
  const { declared, facts, name } = row;
  const made = rotatedAt(declared, row.createdAt) ?? null;
  const rotateMs = declared?.rotateMs ?? null;
  const said = facts["scopes"] ?? declared?.wants["scopes"];
  const { createdBy, principal, hint } = facts;
  return {
    connectionId,
    vendor,
    name,
    keyId: row.thingId,
    state: row.state,
    owner: row.owner,
    purpose: row.purpose,
    usedBy: declared?.consumers ?? [],
    environment: declared?.environment ?? environmentOf(name) ?? null,
    provider: declared?.provider ?? null,
    scopes: Array.isArray(said) ? (said as readonly unknown[]).map(String) : [],
    hint: typeof hint === "string" ? hint : null,
    madeBy:
      typeof principal === "string" ? principal : typeof createdBy === "string" ? createdBy : null,
    createdAt: row.createdAt,
    rotatedAt: made,
    rotateMs,
    dueAt: made === null || rotateMs === null ? null : made + rotateMs,
    lastUsedAt: row.lastUsedAt,
    about: row.about,
    notes: row.notes,
  };
}

/** The keys of one person: those that they answer for, and those that an account of theirs made or that act for one. */
export async function keysOfPerson(
  deps: RegisterDeps,
  tenantId: TenantId,
  identityId: IdentityId,
  register: KeyRegister,
): Promise<readonly KeyRow[]> {
  const [person] = await deps.store.readIdentities(tenantId, [identityId]);
  const addresses = new Set(
    person === undefined
      ? []
      : [...person.emails, ...person.formerEmails, person.userName].map(foldEmail),
  );
  const links = await deps.store.listLinks(tenantId, { identityId, limit: 1_000 });
  const theirs = (key: KeyRow, accountId: string) =>
    links.some((link) => link.connectionId === key.connectionId && link.accountId === accountId);
  const found: KeyRow[] = [];
  for (const key of register.keys) {
    const mine =
      (key.owner !== null && addresses.has(key.owner)) ||
      (key.madeBy !== null && theirs(key, key.madeBy as AccountId));
    if (mine) found.push(key);
  }
  return found;
}

/** How often a rotation is wanted, in words. */
export function rotationText(key: Pick<KeyRow, "rotateMs">): string {
  if (key.rotateMs === null) return "on demand";
  return `every ${String(Math.round(key.rotateMs / 86_400_000))} days`;
}
