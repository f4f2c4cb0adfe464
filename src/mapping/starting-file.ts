import { stringify } from "yaml";
import type { IdentityId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { compareText } from "./canonical.ts";

/** One thing that people hold at the vendor now. */
export interface Holding {
  readonly kind: string;
  readonly objectId: string;
  /** undefined: the kind has no objects, or the vendor did not name it. */
  readonly objectName: string | undefined;
  readonly role: string;
  readonly privileged: boolean;
  readonly assignable: boolean;
  readonly holders: ReadonlySet<IdentityId>;
}

export interface CandidateGroup {
  readonly name: string;
  /** Said where two identity providers have the name. */
  readonly idp: string | undefined;
  /** Active people whose account is known. */
  readonly members: ReadonlySet<IdentityId>;
}

export interface StartingInput {
  readonly vendor: string;
  readonly profile: string;
  readonly credential: string;
  readonly baseUrl: string | undefined;
  readonly domains: readonly string[];
  readonly holdings: readonly Holding[];
  readonly groups: readonly CandidateGroup[];
}

/** A group of fewer people says nothing: its members hold a thing by chance. */
const groupSizeMin = 2;

/**
 * A report-only mapping file that would leave everybody as they are: a rule for each group whose members all hold a thing, the largest
 * groups first. What no group explains, and what is privileged, is left to people, as comments.
 */
export function startingFile(input: StartingInput): string {
  const rules: JsonObject[] = [];
  const open: string[] = [];
  const holdings = [...input.holdings].sort(
    (a, b) => compareText(thing(a), thing(b)) || compareText(a.role, b.role),
  );
  for (const holding of holdings) {
    if (holding.privileged || !holding.assignable) {
      const why = holding.assignable ? "privileged" : "no API gives it";
      open.push(
        `${thing(holding)} ${holding.role}: held by ${people(holding.holders.size)}, ${why}`,
      );
      continue;
    }
    const { groups, rest } = cover(holding.holders, input.groups);
    for (const group of groups) rules.push(ruleOf(holding, group, rules.length + 1));
    if (rest > 0)
      open.push(
        `${thing(holding)} ${holding.role}: ${people(rest)} hold it whom no group explains`,
      );
  }
  const document = {
    version: 1,
    vendor: input.vendor,
    profile: input.profile,
    connection: {
      credential: input.credential,
      ...(input.baseUrl === undefined ? {} : { url: input.baseUrl }),
    },
    mode: "report-only",
    ...(input.domains.length === 0 ? {} : { account: { domains: [...input.domains] } }),
    rules,
  };
  const head = [
    "# yaml-language-server: $schema=../mapping.schema.json",
    "# What is at the vendor now, as rules: with these nobody gains or loses anything. Read it before you believe it.",
    ...(open.length === 0 ? [] : ["# For people to decide:", ...open.map((text) => `#   ${text}`)]),
  ];
  return `${head.join("\n")}\n${stringify(document, { lineWidth: 100 })}`;
}

/** Groups that together explain most holders while nobody else is in them. */
function cover(
  holders: ReadonlySet<IdentityId>,
  groups: readonly CandidateGroup[],
): { readonly groups: readonly CandidateGroup[]; readonly rest: number } {
  const left = new Set(holders);
  const fitting = groups
    .filter(
      (group) =>
        group.members.size >= groupSizeMin && [...group.members].every((one) => holders.has(one)),
    )
    .sort((a, b) => b.members.size - a.members.size || compareText(a.name, b.name));
  const chosen: CandidateGroup[] = [];
  for (const group of fitting) {
    if (![...group.members].some((one) => left.has(one))) continue;
    chosen.push(group);
    for (const member of group.members) left.delete(member);
  }
  return { groups: chosen, rest: left.size };
}

function ruleOf(holding: Holding, group: CandidateGroup, number: number): JsonObject {
  const { kind, objectId, objectName, role } = holding;
  const object =
    objectId === "" ? {} : objectName === undefined ? { id: objectId } : { name: objectName };
  const words = group.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return {
    id: `found-${String(number)}${words === "" ? "" : `-${words.slice(0, 40).replace(/-+$/, "")}`}`,
    when: { group: group.name, ...(group.idp === undefined ? {} : { idp: group.idp }) },
    grant: [{ kind, ...object, role }],
  };
}

function thing(holding: Holding): string {
  const { kind, objectId, objectName } = holding;
  return objectId === "" ? kind : `${kind} ${objectName ?? objectId}`;
}

function people(count: number): string {
  return count === 1 ? "1 person" : `${String(count)} people`;
}
