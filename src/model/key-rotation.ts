import type { Actor } from "./records.ts";

/** What somebody wants to become of one key. */
export interface KeyWish {
  /** As the vendor writes it; to end one, its id will do. */
  readonly name: string;
  readonly why: string;
  readonly actor: Actor;
}

/** What a rotation begins with; by-hand: no API makes this key. */
export type KeyMade =
  | { readonly way: "api"; readonly sealedAs: string; readonly older: readonly string[] }
  | { readonly way: "by-hand"; readonly steps: string; readonly older: readonly string[] }
  | { readonly way: "refused"; readonly why: string };
