import type { Instant } from "./clock.ts";
import type { JsonObject } from "./json.ts";

/** Kinds of things that a mapping declares beside what people get. */
export const thingKinds = ["api_key", "tag", "workspace", "sub_workspace", "ownership"] as const;
export type ThingKind = (typeof thingKinds)[number];

/** Something at a vendor that is nobody's entitlement and somebody's responsibility: a key, a tag, a workspace. */
export interface DeclaredThing {
  readonly kind: ThingKind;
  /** What it is called at the vendor; within a kind and a connection it names one thing. */
  readonly name: string;
  /** Folded address of who answers for it. */
  readonly owner: string;
  readonly purpose?: string;
  readonly usedBy?: string;
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
  /** What the vendor shows of it; no secret. */
  readonly facts: JsonObject;
  /** false: the vendor keeps it by itself, and nobody has to declare it. */
  readonly ours?: false;
}
