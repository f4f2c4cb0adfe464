import type { Lane } from "../accounts/lane.ts";
import { foldEmail } from "../model/fold.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { Actor } from "../model/records.ts";
import type { ReviewDeps } from "./review-deps.ts";
import type { ReviewItem, ReviewerRules } from "./review.ts";

/** Whom an item is about. */
export interface About {
  readonly identityId: IdentityId | null;
  /** Folded address of the account. */
  readonly who: string;
  readonly person: IdentityFacts | undefined;
}

/** Who is asked about an item. */
export interface Reviewers {
  /** Folded address; null: of all who could be asked nobody may. */
  for(about: About, lane: Lane, barred: readonly string[]): Promise<string | null>;
  /** Of the named people the first who is none of these. */
  named(barred: readonly string[]): string | null;
}

/**
 * Named people first, then the manager, then whoever answers for the connection. Nobody is asked about what is theirs, or about a rule
 * that they wrote or let in.
 */
export function createReviewers(
  deps: Pick<ReviewDeps, "store">,
  tenantId: TenantId,
  rules: ReviewerRules,
): Reviewers {
  const managers = new Map<string, string | undefined>();
  const managerOf = async (person: IdentityFacts | undefined): Promise<string | undefined> => {
    const said = person?.attributes["manager"];
    if (typeof said !== "string" || said === "") return undefined;
    if (!managers.has(said)) managers.set(said, await addressOf(deps, tenantId, said));
    return managers.get(said);
  };
  const people = rules.people.map(foldEmail);
  return {
    async for(about, lane, barred) {
      const not = new Set([...ownNames(about.person, about.who), ...barred]);
      const asked = [
        ...people,
        ...(rules.manager ? [await managerOf(about.person)] : []),
        ...(rules.owner ? [lane.policy.heirs?.owner] : []),
      ];
      return asked.find((item) => item !== undefined && !not.has(foldEmail(item))) ?? null;
    },
    named: (barred) => people.find((item) => !barred.includes(item)) ?? null,
  };
}

async function addressOf(
  { store }: Pick<ReviewDeps, "store">,
  tenantId: TenantId,
  text: string,
): Promise<string | undefined> {
  const found = await store.findIdentities(tenantId, text.includes("@") ? foldEmail(text) : text);
  const active = (await store.readIdentities(tenantId, found)).filter((person) => person.active);
  // Two people of one name: nobody is guessed.
  return active.length === 1 ? (active[0]?.emails[0] ?? active[0]?.userName) : undefined;
}

/** Every name by which somebody could stand before their own access, folded. */
export function ownNames(person: IdentityFacts | undefined, who: string): readonly string[] {
  if (person === undefined) return [foldEmail(who)];
  return [who, ...person.emails, ...person.formerEmails, person.userName].map(foldEmail);
}

/**
 * Why somebody may not decide about an item; undefined: they may. People are known by the label of their token: an operator whose token
 * says another name than the directory does is told from nobody, so tokens of reviewers carry their address.
 */
export function whyNot(
  item: Pick<ReviewItem, "who" | "barred" | "kind">,
  person: IdentityFacts | undefined,
  actor: Actor,
): string | undefined {
  const name = foldEmail(actor.id);
  if (item.kind !== "line" && ownNames(person, item.who).includes(name))
    return "nobody reviews what is their own: somebody else has to decide";
  if (item.barred.includes(name))
    return "who wrote or let in what gives it does not review it: somebody else has to decide";
  return undefined;
}
