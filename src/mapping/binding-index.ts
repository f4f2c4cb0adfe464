import type { Uncertainty } from "../model/assignment.ts";
import { fold } from "../model/fold.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { GroupId } from "../model/ids.ts";
import type { CompiledMapping, CompiledRule } from "./compile.ts";
import { isFalse, isTrue, isUnknown } from "./truth.ts";
import type { GroupBinding } from "./version-store.ts";

/** Where the group names of one compiled mapping point to, by the numbers of its groups. */
export interface BindingIndex {
  readonly bindings: readonly (GroupBinding | undefined)[];
  /** The answer for somebody who is in none of the groups and whose sources are all loaded. */
  readonly base: Uint8Array;
  readonly byGroupId: ReadonlyMap<GroupId, readonly number[]>;
  /** Groups that were deleted; the rules that read them, by their place in `compiled.rules`. */
  readonly deleted: readonly number[];
  readonly brokenRules: readonly number[];
}

// Bindings are values that are read once per version and asked about for everybody: their index is kept as long as they are.
const kept = new WeakMap<
  readonly GroupBinding[],
  { compiled: CompiledMapping; index: BindingIndex }
>();

export function bindingIndex(
  compiled: CompiledMapping,
  bindings: readonly GroupBinding[],
): BindingIndex {
  const known = kept.get(bindings);
  if (known?.compiled === compiled) return known.index;
  const index = makeIndex(compiled, bindings);
  kept.set(bindings, { compiled, index });
  return index;
}

function makeIndex(compiled: CompiledMapping, bindings: readonly GroupBinding[]): BindingIndex {
  const nameOf = (name: string, idp: string | undefined) =>
    JSON.stringify([fold(name), idp ?? null]);
  const byName = new Map(bindings.map((item) => [nameOf(item.groupName, item.idpId), item]));
  const base = new Uint8Array(compiled.groups.length);
  const byGroupId = new Map<GroupId, number[]>();
  const deleted: number[] = [];
  const own = compiled.groups.map((group, at) => {
    const binding = byName.get(nameOf(group.groupName, group.idpId));
    base[at] = binding?.state === "bound" || binding?.state === "deleted" ? isFalse : isUnknown;
    if (binding?.state === "deleted") deleted.push(at);
    if (binding?.state === "bound" && binding.groupId !== undefined) {
      const numbers = byGroupId.get(binding.groupId);
      if (numbers === undefined) byGroupId.set(binding.groupId, [at]);
      else numbers.push(at);
    }
    return binding;
  });
  const gone = new Set(deleted);
  const brokenRules = compiled.rules.flatMap((rule, at) =>
    gone.size > 0 && rule.grants.length > 0 && readsAny(rule, gone) ? [at] : [],
  );
  return { bindings: own, base, byGroupId, deleted, brokenRules };
}

function readsAny({ leaves }: CompiledRule, groups: ReadonlySet<number>): boolean {
  return leaves.some((leaf) => leaf.op === "group" && groups.has(leaf.at));
}

/** Which groups hold the person, for every group that the mapping names. */
export function groupAnswers(index: BindingIndex, person: IdentityFacts): Uint8Array {
  const answers = index.base.slice();
  if (!isSettled(person)) {
    index.bindings.forEach((binding, at) => {
      if (binding?.state === "bound" && mayStillArrive(person, binding)) answers[at] = isUnknown;
    });
  }
  if (person.groups.size <= index.byGroupId.size) {
    for (const groupId of person.groups) mark(answers, index.byGroupId.get(groupId));
  } else {
    for (const [groupId, numbers] of index.byGroupId) {
      if (person.groups.has(groupId)) mark(answers, numbers);
    }
  }
  return answers;
}

function mark(answers: Uint8Array, numbers: readonly number[] | undefined): void {
  if (numbers === undefined) return;
  for (const at of numbers) answers[at] = isTrue;
}

/** Whether not being in a group means something, wherever the group is. */
export function isSettled(person: IdentityFacts): boolean {
  if ((person.arriving?.length ?? 0) > 0 || person.sources.length === 0) return false;
  return person.sources.every((source) => source.loaded);
}

/** Without `idp:` in the file the group may be of any connection, so all of them must be loaded. */
function mayStillArrive(person: IdentityFacts, binding: GroupBinding): boolean {
  const { idpId } = binding;
  if (idpId === undefined) return !isSettled(person);
  if (person.arriving?.includes(idpId) === true) return true;
  const source = person.sources.find((item) => item.idpId === idpId);
  return source === undefined ? person.sources.length === 0 : !source.loaded;
}

/** Why a group's answer is unknown. */
export function groupDoubt(binding: GroupBinding | undefined): Uncertainty["why"] {
  switch (binding?.state) {
    case "ambiguous":
      return "group_ambiguous";
    case "bound":
    case "deleted":
      return "source_not_loaded";
    case "absent":
    case undefined:
      return "group_never_arrived";
  }
}
