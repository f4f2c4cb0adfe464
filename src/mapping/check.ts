import { fold } from "../model/fold.ts";
import type { KindFacts, VendorFacts } from "../model/vendor-facts.ts";
import type { Expansion, PlainRule } from "./expand.ts";
import { checkAccess } from "./check-access.ts";
import { checkDeclares } from "./check-declares.ts";
import { oneOf } from "./nearest.ts";
import type { Path, Problem } from "./problem.ts";
import { bounds, type Condition } from "./schema.ts";

interface EntryText {
  readonly kind: string;
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly role?: string | undefined;
}

/** SCIM attributes whose values are text whatever they look like (RFC 7643 §4.1.1, §4.3): a number never equals them. */
const textAttributes = new Set([
  "userType",
  "title",
  "department",
  "division",
  "organization",
  "costCenter",
  "employeeNumber",
  "preferredLanguage",
  "locale",
  "timezone",
  "nickName",
  "displayName",
  "userName",
]);

/** Everything in an expanded mapping that the vendor's facts contradict, and rules that can never count. */
export function checkMapping(expansion: Expansion, facts: VendorFacts): Problem[] {
  const problems: Problem[] = [...expansion.problems];
  const { mapping, origins } = expansion;
  const seen = new Map<string, Path>();
  mapping.rules.forEach((rule, index) => {
    const origin = origins[index];
    if (origin === undefined) return;
    const add = (path: Path, message: string) => problems.push({ path, message });
    if (seen.has(rule.id)) {
      add([...origin.rule, "id"], `the rule id "${rule.id}" is used twice: give each rule its own`);
    }
    seen.set(rule.id, origin.rule);
    if (rule.id.length > 200) {
      add([...origin.rule, "id"], "is longer than 200 characters once its values are added");
    }
    checkConditions(rule.when, [...origin.rule, "when"], 1, problems);
    rule.grant?.forEach((entry, at) => {
      const path = origin.grants[at] ?? origin.rule;
      checkGrant(entry, path, facts, problems);
      if (isPrivileged(facts, entry) && (rule.why === undefined || rule.owner === undefined)) {
        add(
          origin.rule,
          `${entry.kind} ${entry.role} is privileged: add ${rule.why === undefined ? "`why:`" : ""}${rule.why === undefined && rule.owner === undefined ? " and " : ""}${rule.owner === undefined ? "`owner:`" : ""}`,
        );
      }
    });
    rule.deny?.forEach((entry, at) => {
      const path = [...origin.rule, "deny", at];
      const kind = checkKind(entry, path, facts, problems);
      if (kind !== undefined) checkRole(entry, kind, path, problems);
      if (kind !== undefined) checkObject(entry, kind, path, false, problems);
    });
    checkReach(rule, [...origin.rule, "when"], problems);
  });
  checkSmothered(expansion, problems);
  checkKinds(expansion, facts, problems);
  checkServices(expansion, facts, problems);
  checkInvitations(expansion, facts, problems);
  if (mapping.tickets !== undefined && facts.tickets === undefined) {
    problems.push({
      path: ["tickets"],
      message: `${facts.vendor} has no help desk that takes tickets: write this in the file of one that has (intercom)`,
      atKey: true,
    });
  }
  problems.push(...checkAccess(mapping.access, mapping.rules, facts));
  problems.push(...checkDeclares(mapping.declares, mapping.connection.acts_in, facts));
  if (facts.ownAddress === false && mapping.connection.url === undefined) {
    problems.push({
      path: ["connection"],
      message: `${facts.vendor} has another address for every customer: add \`url:\``,
    });
  }
  return distinct(problems);
}

function isPrivileged(facts: VendorFacts, entry: EntryText): boolean {
  return facts.kinds[entry.kind]?.roles[entry.role ?? ""]?.privileged === true;
}

/** Checks one grant, of a rule or of an exception. */
export function checkGrant(
  entry: EntryText,
  path: Path,
  facts: VendorFacts,
  problems: Problem[],
): void {
  const kind = checkKind(entry, path, facts, problems);
  if (kind === undefined) return;
  const role = checkRole(entry, kind, path, problems);
  if (role !== undefined && !role.assignable) {
    const assignable = Object.entries(kind.roles).filter(([, item]) => item.assignable);
    problems.push({
      path: [...path, "role"],
      message: `${facts.vendor} does not let anybody assign ${entry.role ?? ""} through its API: ${oneOf(
        entry.role ?? "",
        assignable.map(([name]) => name),
      )}`,
    });
  }
  checkObject(entry, kind, path, true, problems);
}

/** Checks one deny of an exception: role and object may be left out. */
export function checkDeny(
  entry: EntryText,
  path: Path,
  facts: VendorFacts,
  problems: Problem[],
): void {
  const kind = checkKind(entry, path, facts, problems);
  if (kind === undefined) return;
  checkRole(entry, kind, path, problems);
  checkObject(entry, kind, path, false, problems);
}

function checkKind(
  entry: EntryText,
  path: Path,
  facts: VendorFacts,
  problems: Problem[],
): KindFacts | undefined {
  const kind = Object.hasOwn(facts.kinds, entry.kind) ? facts.kinds[entry.kind] : undefined;
  if (kind === undefined) {
    problems.push({
      path: [...path, "kind"],
      message: `${facts.vendor} has no kind "${entry.kind}": ${oneOf(entry.kind, Object.keys(facts.kinds))}`,
    });
  }
  return kind;
}

function checkRole(entry: EntryText, kind: KindFacts, path: Path, problems: Problem[]) {
  if (entry.role === undefined) return undefined;
  const role = Object.hasOwn(kind.roles, entry.role) ? kind.roles[entry.role] : undefined;
  if (role === undefined) {
    problems.push({
      path: [...path, "role"],
      message: `${entry.kind} has no role "${entry.role}": ${oneOf(
        entry.role,
        Object.entries(kind.roles)
          .filter(([, item]) => item.assignable)
          .map(([name]) => name),
      )}`,
    });
  }
  return role;
}

function checkObject(
  entry: EntryText,
  kind: KindFacts,
  path: Path,
  required: boolean,
  problems: Problem[],
): void {
  const written = entry.id !== undefined ? "id" : entry.name !== undefined ? "name" : undefined;
  if (kind.object === "none") {
    if (written === undefined) return;
    problems.push({
      path: [...path, written],
      message: `${entry.kind} names no object: leave \`${written}:\` out`,
      atKey: true,
    });
    return;
  }
  if (written === undefined) {
    if (required) {
      problems.push({ path, message: `${entry.kind} needs \`name:\` or \`id:\`: say which one` });
    }
    return;
  }
  if (entry.id !== undefined && !new RegExp(kind.object.idPattern, "u").test(entry.id)) {
    problems.push({
      path: [...path, "id"],
      message: `"${entry.id}" is no id of a ${entry.kind} (they look like ${kind.object.idPattern}): copy the id from the vendor, or write \`name:\``,
    });
  }
}

function checkConditions(node: Condition, path: Path, depth: number, problems: Problem[]): void {
  if (depth > bounds.depth) {
    problems.push({
      path,
      message: `conditions are nested deeper than ${String(bounds.depth)} levels: split the rule`,
    });
    return;
  }
  if (node.attribute !== undefined && textAttributes.has(node.attribute)) {
    const values = node.equals === undefined ? (node.in ?? []) : [node.equals];
    for (const value of values) {
      if (typeof value === "string") continue;
      problems.push({
        path,
        message: `${node.attribute} is always text and never equals ${String(value)}: write "${String(value)}" in quotes`,
      });
    }
  }
  node.all?.forEach((item, at) => {
    checkConditions(item, [...path, "all", at], depth + 1, problems);
  });
  node.any?.forEach((item, at) => {
    checkConditions(item, [...path, "any", at], depth + 1, problems);
  });
  if (node.not !== undefined) checkConditions(node.not, [...path, "not"], depth + 1, problems);
}

/** What a condition can come out as, over all people. */
interface Reach {
  readonly canBeTrue: boolean;
  readonly canBeFalse: boolean;
}

function reachOf(node: Condition): Reach {
  if (node.everyone === true) return { canBeTrue: true, canBeFalse: false };
  // An absent attribute is unknown, so "is there" is never false and "is not there" is never true.
  if (node.exists !== undefined) return { canBeTrue: node.exists, canBeFalse: !node.exists };
  if (node.not !== undefined) {
    const inner = reachOf(node.not);
    return { canBeTrue: inner.canBeFalse, canBeFalse: inner.canBeTrue };
  }
  const parts = (node.all ?? node.any)?.map(reachOf);
  if (parts === undefined) return { canBeTrue: true, canBeFalse: true };
  return node.all === undefined
    ? {
        canBeTrue: parts.some((part) => part.canBeTrue),
        canBeFalse: parts.every((part) => part.canBeFalse),
      }
    : {
        canBeTrue: parts.every((part) => part.canBeTrue),
        canBeFalse: parts.some((part) => part.canBeFalse),
      };
}

function checkReach(rule: PlainRule, path: Path, problems: Problem[]): void {
  if (rule.grant === undefined || reachOf(rule.when).canBeTrue) return;
  problems.push({
    path,
    message:
      "never matches anybody, because missing data never gives access (`exists: false` is for deny rules): ask for something that a person has",
  });
}

/** A grant that an unconditional deny takes from everybody. */
function checkSmothered({ mapping, origins }: Expansion, problems: Problem[]): void {
  const denies = mapping.rules
    .filter((rule) => rule.when.everyone === true)
    .flatMap((rule) => (rule.deny ?? []).map((entry) => ({ rule: rule.id, entry })));
  if (denies.length === 0) return;
  mapping.rules.forEach((rule, index) => {
    rule.grant?.forEach((entry, at) => {
      const smothering = denies.find(
        ({ entry: deny }) =>
          deny.kind === entry.kind &&
          (deny.role === undefined || deny.role === entry.role) &&
          ((deny.name === undefined && deny.id === undefined) ||
            (deny.id !== undefined && deny.id === entry.id) ||
            (deny.name !== undefined &&
              entry.name !== undefined &&
              fold(deny.name.trim()) === fold(entry.name.trim()))),
      );
      if (smothering === undefined) return;
      problems.push({
        path: origins[index]?.grants[at] ?? [],
        message: `never gives anything, because the rule ${smothering.rule} denies it to everyone: remove one of them`,
      });
    });
  });
}

function checkKinds({ mapping }: Expansion, facts: VendorFacts, problems: Problem[]): void {
  for (const [kind, mode] of Object.entries(mapping.sets ?? {})) {
    if (mode === "ignore" && facts.kinds[kind]?.account === true)
      problems.push({
        path: ["sets", kind],
        message: `"${kind}" is the account itself and cannot be ignored: let the connection be report-only`,
      });
    if (Object.hasOwn(facts.kinds, kind)) continue;
    problems.push({
      path: ["sets", kind],
      message: `${facts.vendor} has no kind "${kind}": ${oneOf(kind, Object.keys(facts.kinds))}`,
      atKey: true,
    });
  }
}

/** What an invitation carries beside address and role, where the vendor takes it. */
function checkInvitations({ mapping }: Expansion, facts: VendorFacts, problems: Problem[]): void {
  const { permissions = {}, nickname } = mapping.account ?? {};
  if (nickname !== undefined && facts.create.nickname === undefined) {
    problems.push({
      path: ["account", "nickname"],
      message: `an invitation to ${facts.vendor} carries no nickname: leave it out`,
      atKey: true,
    });
  }
  const known = facts.create.permissions;
  if (known === undefined && mapping.account?.permissions !== undefined) {
    problems.push({
      path: ["account", "permissions"],
      message: `an invitation to ${facts.vendor} carries no section permissions: leave them out`,
      atKey: true,
    });
    return;
  }
  const roles = Object.values(facts.kinds).find((kind) => kind.account)?.roles ?? {};
  const assignable = Object.keys(roles).filter((role) => roles[role]?.assignable === true);
  for (const [role, words] of Object.entries(permissions)) {
    const path = ["account", "permissions", role];
    if (!assignable.includes(role)) {
      problems.push({
        path,
        message: `no invitation gives the role "${role}": ${oneOf(role, assignable)}`,
        atKey: true,
      });
    }
    words.forEach((word, at) => {
      if (known?.includes(word) !== false) return;
      problems.push({
        path: [...path, at],
        message: `${facts.vendor} has no permission "${word}": ${oneOf(word, known)}`,
      });
    });
  }
}

/** Each service of the vendor needs its credential, and no other has one. */
function checkServices({ mapping }: Expansion, facts: VendorFacts, problems: Problem[]): void {
  const written = mapping.connection.services ?? {};
  const known = facts.services ?? {};
  for (const name of Object.keys(written)) {
    if (Object.hasOwn(known, name)) continue;
    problems.push({
      path: ["connection", "services", name],
      message: `${facts.vendor}/${facts.profile} has no service "${name}": ${oneOf(name, Object.keys(known))}`,
      atKey: true,
    });
  }
  for (const [name, service] of Object.entries(known)) {
    if (Object.hasOwn(written, name)) continue;
    problems.push({
      path: ["connection"],
      message: `${facts.vendor}/${facts.profile} needs \`services: { ${name}: { credential: … } }\` (${service.title})`,
    });
  }
}

/** One complaint per place: an expanded rule says the same a hundred times. */
function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>();
  for (const problem of problems) {
    const key = JSON.stringify([problem.path, problem.message]);
    if (!seen.has(key)) seen.set(key, problem);
  }
  return [...seen.values()];
}
