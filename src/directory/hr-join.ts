import { emailDomain } from "../model/fold.ts";
import type { HrSettings } from "../model/hr-settings.ts";
import type { HrSourceId, IdentityId } from "../model/ids.ts";
import type { HrCandidate } from "./hr-store.ts";

/** Whose person an HR record is, as far as that is certain. */
export type HrMatch =
  | { readonly identityId: IdentityId; readonly by: "employee_number" | "email" }
  | "nobody"
  /** Several people fit, or the one who fits is another record's: a person decides. */
  | "disputed";

/**
 * Decides whom an HR record is joined with: by employee number, or by an address of a listed domain, as the source's settings allow.
 * The number outweighs nothing: where number and address point to two people, nobody is taken.
 */
export function matchHr(
  candidates: readonly HrCandidate[],
  person: { readonly sourceId: HrSourceId; readonly email: string | undefined },
  settings: HrSettings | undefined,
): HrMatch {
  const allowed = settings?.sources[person.sourceId]?.match ?? ["employee_number", "email"];
  const domains = settings?.domains ?? [];
  const verified =
    person.email !== undefined &&
    (domains.length === 0 || domains.includes(emailDomain(person.email)));
  const counting = candidates.filter(
    (item) => allowed.includes(item.by) && (item.by === "employee_number" || verified),
  );
  const people = new Set(counting.map((item) => item.identityId));
  const [first] = counting;
  if (first === undefined) return "nobody";
  if (people.size > 1 || first.taken) return "disputed";
  return { identityId: first.identityId, by: first.by };
}
