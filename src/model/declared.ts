import type { Instant } from "./clock.ts";
import type { JsonObject } from "./json.ts";

/** Kinds of things that a mapping declares beside what people get. */
export const thingKinds = ["api_key", "tag", "workspace", "sub_workspace", "ownership"] as const;
export type ThingKind = (typeof thingKinds)[number];

/** What a key, or the place in which it works, is for. */
export const environments = ["production", "staging", "development", "testing"] as const;
export type Environment = (typeof environments)[number];

/** Something at a vendor that is nobody's entitlement and somebody's responsibility: a key, a tag, a workspace. */
export interface DeclaredThing {
  readonly kind: ThingKind;
  /** What it is called at the vendor; within a kind and a connection it names one thing. */
  readonly name: string;
  /** Folded address of who answers for it. */
  readonly owner: string;
  readonly purpose?: string;
  /** All that work with it, as one text. */
  readonly usedBy?: string;
  /** The same, one by one: a key of several systems cannot be changed for one of them alone. */
  readonly consumers?: readonly string[];
  readonly environment?: Environment;
  /** Whose key it is where it is none of this vendor: a data provider's that works inside it. */
  readonly provider?: string;
  /** A key is rotated this often, milliseconds; counted from `rotatedAt`, or from when the vendor says that it was made. */
  readonly rotateMs?: number;
  readonly rotatedAt?: Instant;
  /** What else is wanted of it, in the vendor's words: scopes, resources, limits. */
  readonly wants: JsonObject;
}

/** The same as the vendor shows it. */
export interface ObservedThing {
  readonly kind: ThingKind;
  readonly thingId: string;
  readonly name: string;
  /** pending: waits for somebody at the vendor · ended: there, and of no use any more (archived, rejected, switched off). */
  readonly state: "active" | "pending" | "ended";
  readonly createdAt: Instant | undefined;
  /** When it was used last, where the vendor tells; null: it tells, and it never was. */
  readonly lastUsedAt?: Instant | null;
  /** What the vendor shows of it; no secret. */
  readonly facts: JsonObject;
  /** false: the vendor keeps it by itself, and nobody has to declare it. */
  readonly ours?: false;
}

/** How keys of a connection are called, and when people are told of them. */
export interface KeyPolicy {
  /** Forms of names, `*` for any text; empty: any name will do. */
  readonly names: readonly string[];
  /** How long before its rotation is due somebody is told. */
  readonly remindMs: number;
  /** How long a key may lie unused. */
  readonly unusedMs: number;
}

const DAY_MS = 86_400_000;

export const keyPolicyDefault: KeyPolicy = {
  names: [],
  remindMs: 14 * DAY_MS,
  unusedMs: 90 * DAY_MS,
};

/** One declared or observed thing, as people see it. */
export interface ThingRow {
  readonly kind: ThingKind;
  readonly name: string;
  readonly thingId: string | null;
  readonly state: ObservedThing["state"] | "missing" | "unseen";
  readonly owner: string | null;
  readonly purpose: string | null;
  readonly usedBy: string | null;
  /** What is to be said of it. */
  readonly notes: readonly string[];
  /** The same by what it is about: `rotate`, `unused`, … */
  readonly about: readonly string[];
  readonly declared: DeclaredThing | null;
  readonly createdAt: Instant | null;
  readonly lastUsedAt: Instant | null;
  readonly facts: JsonObject;
}

/** When a key was made anew, as far as the file or the vendor says. */
export function rotatedAt(
  declared: Pick<DeclaredThing, "rotatedAt"> | undefined | null,
  createdAt: Instant | undefined | null,
): Instant | undefined {
  const known = [declared?.rotatedAt, createdAt].filter(
    (at): at is Instant => at !== undefined && at !== null,
  );
  return known.length === 0 ? undefined : Math.max(...known);
}
