import type { AccessLimits, AccessMatrix, AccessRole, RoleSource } from "../model/access-matrix.ts";
import { presenceAt } from "../model/employment.ts";
import type { ConnectionId } from "../model/ids.ts";
import type { AccessSubject, HeldAt, Holding } from "./access-store.ts";

/** Why a question was answered as it was; stable, for programs. */
export type DecisionReason =
  | "permitted"
  /** No such person, or not one alone. */
  | "unknown_subject"
  | "ambiguous_subject"
  /** They left, have not begun, or are away. */
  | "departed"
  | "not_started"
  | "away"
  /** The resource names no connection that declares permissions. */
  | "unknown_connection"
  | "unknown_permission"
  /** The mapping gives them nothing that means a role. */
  | "no_role"
  /** What would give them a role waits for a decision. */
  | "held"
  | "not_permitted"
  | "model_not_allowed";

/** What is asked: `permission` at `connectionId`, about one object where the resource is one. */
export interface Question {
  readonly connectionId: ConnectionId | undefined;
  readonly permission: string;
  /** A kind of the connector with the vendor's id: roles at other objects of that kind do not count. */
  readonly object?: { readonly kind: string; readonly id: string } | undefined;
  /** The model that shall be called, where one shall. */
  readonly model?: string | undefined;
  /** Tokens that are asked for. */
  readonly maxTokens?: number | undefined;
}

export interface Verdict {
  readonly allowed: boolean;
  readonly reason: DecisionReason;
  /** One sentence for people, without anything personal. */
  readonly message: string;
  /** The role that allowed it; else the highest that the person has. */
  readonly role?: string;
  readonly limits?: AccessLimits;
  /** `maxTokens` of the question, cut to the limit. */
  readonly maxTokens?: number;
}

/** Whether one of these people may: pure, from what was read for this question. */
export function decide(
  people: readonly AccessSubject[],
  matrix: AccessMatrix | undefined,
  question: Question,
  now: number,
): Verdict {
  const presences = people.map((person) => ({ person, presence: presenceAt(person, now) }));
  const present = presences.filter((item) => item.presence === "present");
  if (present.length > 1)
    return denied("ambiguous_subject", "several people go by this name: ask by identity");
  const [person] = present.map((item) => item.person);
  if (person === undefined) return absent(presences[0]?.presence);
  if (matrix === undefined)
    return denied(
      "unknown_connection",
      "the resource names no connection that declares permissions",
    );
  const { permission } = question;
  if (!matrix.permissions.has(permission))
    return denied("unknown_permission", `no permission is called ${permission} here`);
  const held =
    question.connectionId === undefined ? undefined : person.connections.get(question.connectionId);
  return byRoles(held, matrix, question);
}

function absent(presence: ReturnType<typeof presenceAt> | undefined): Verdict {
  switch (presence) {
    case undefined:
      return denied("unknown_subject", "nobody goes by this name");
    case "not-yet":
      return denied("not_started", "the person has not started yet");
    case "away":
      return denied("away", "the person is on leave");
    case "departed":
    case "present":
      return denied("departed", "the person has left");
  }
}

function byRoles(held: HeldAt | undefined, matrix: AccessMatrix, question: Question): Verdict {
  if (held?.lifecycle === "departed") return denied("departed", "the person has left");
  const holdings = held === undefined ? [] : currentHoldings(held, matrix.accountKind);
  const roles = rolesOf(matrix, holdings, question.object);
  const allowing = roles.filter((role) => role.allow.has(question.permission));
  const highest = roles.at(-1);
  if (highest === undefined) {
    const waits = held !== undefined && rolesOf(matrix, held.wished, question.object).length > 0;
    return waits
      ? denied("held", "what would give the person a role here waits for a decision")
      : denied("no_role", "the mapping gives the person no role here");
  }
  const granting = allowing.findLast((role) => allowsModel(role, question.model));
  if (granting !== undefined) return permitted(granting, question);
  const best = allowing.at(-1);
  if (best === undefined)
    return {
      ...denied("not_permitted", `the role ${highest.name} does not have ${question.permission}`),
      role: highest.name,
    };
  const models = best.limits.models?.join(", ") ?? "";
  return {
    ...denied(
      "model_not_allowed",
      `the role ${best.name} may call ${models}, not ${question.model ?? ""}`,
    ),
    role: best.name,
    limits: best.limits,
  };
}

/** What the mapping gives, without gains that wait: in such a slot counts what was given before. */
function currentHoldings(held: HeldAt, accountKind: string): readonly Holding[] {
  if (held.heldBack.length === 0) return held.wished;
  const same = (a: Slotted, b: Slotted) => a.kind === b.kind && a.objectId === b.objectId;
  const account = held.heldBack.some((slot) => slot.kind === accountKind);
  const hadAccount = held.given.some((item) => item.kind === accountKind);
  // Who has no account yet has nothing that hangs on one.
  if (account && !hadAccount) return [];
  return [
    ...held.wished.filter((item) => !held.heldBack.some((slot) => same(slot, item))),
    ...held.given,
  ];
}

interface Slotted {
  readonly kind: string;
  readonly objectId: string;
}

function rolesOf(
  matrix: AccessMatrix,
  holdings: readonly Holding[],
  object: Question["object"],
): readonly AccessRole[] {
  const here = holdings.filter((item) => object?.kind !== item.kind || object.id === item.objectId);
  return matrix.roles.filter((role) =>
    role.from.some((source) => here.some((item) => comesFrom(source, item))),
  );
}

function comesFrom(source: RoleSource, item: Holding): boolean {
  return (
    (source.kind === undefined || source.kind === item.kind) &&
    (source.role === undefined || source.role === item.role) &&
    (source.id === undefined || source.id === item.objectId) &&
    (source.rule === undefined || item.because.includes(source.rule))
  );
}

/** A class is a word of the model's id: `haiku` of `claude-haiku-4-5`. */
function allowsModel({ limits }: AccessRole, model: string | undefined): boolean {
  if (model === undefined || limits.models === undefined) return true;
  const words = model.split("-");
  return limits.models.some((allowed) => allowed === model || words.includes(allowed));
}

function permitted(role: AccessRole, question: Question): Verdict {
  const { limits } = role;
  const asked = question.maxTokens;
  const cut =
    asked === undefined || limits.maxTokens === undefined
      ? (asked ?? limits.maxTokens)
      : Math.min(asked, limits.maxTokens);
  return {
    allowed: true,
    reason: "permitted",
    message: `the role ${role.name} has ${question.permission}`,
    role: role.name,
    limits,
    ...(cut === undefined ? {} : { maxTokens: cut }),
  };
}

function denied(reason: Exclude<DecisionReason, "permitted">, message: string): Verdict {
  return { allowed: false, reason, message };
}
