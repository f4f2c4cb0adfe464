import type { Slot } from "../model/entitlement.ts";
import { SyncError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import { DAY_MS } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";

/** When a manual step is looked for again: it closes itself once the vendor shows it. */
export const manualLookMs = 15 * 60_000;
/** How long a write that the vendor does not offer here is left to people before it is tried again. */
const byHandMs = DAY_MS;

/** Kinds that are left to people for now, by a target's notes. */
export function byHandKinds(notes: JsonObject, now: number): readonly string[] {
  const { byHand } = notes;
  if (typeof byHand !== "object" || byHand === null) return [];
  return Object.entries(byHand).flatMap(([kind, until]) => (Number(until) > now ? [kind] : []));
}

/**
 * Notes that the vendor does not offer this kind of write here: the next plan tells people what to do instead.
 * false: the error says something else, and nothing is noted.
 */
export function leaveToPeople(
  facts: VendorFacts,
  notebook: { notes: JsonObject },
  { kind }: Slot,
  error: unknown,
  now: number,
): boolean {
  if (!(error instanceof SyncError) || error.code !== "VENDOR_WRITE_MISSING") return false;
  if (facts.kinds[kind]?.byHand === undefined) return false;
  const { byHand } = notebook.notes;
  const known = typeof byHand === "object" && byHand !== null ? byHand : {};
  notebook.notes = { ...notebook.notes, byHand: { ...known, [kind]: now + byHandMs } };
  return true;
}
