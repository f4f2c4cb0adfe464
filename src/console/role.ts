import type { Actor, OperatorRole } from "../model/records.ts";

/** What a person may do here; each may do what those before it may. */
export const duties = ["viewer", "operator", "approver", "admin"] as const;
/** viewer: looks · operator: keeps things running · approver: decides · admin: lets people and systems in. */
export type Duty = (typeof duties)[number];

/** The duty that an operator's token gives; one without a role may do everything. */
export function dutyOf(role: OperatorRole | undefined): Duty {
  switch (role) {
    case "read":
      return "viewer";
    case "operator":
    case "approver":
      return role;
    case "hr":
    case undefined:
      return "admin";
  }
}

/** The role of a token that gives a duty; undefined: none, it may do everything. */
export function roleOf(duty: Duty): OperatorRole | undefined {
  if (duty === "admin") return undefined;
  return duty === "viewer" ? "read" : duty;
}

/** What an operation asks of whoever calls it: said in its row, else that reading needs a viewer and changing an operator. */
export function dutyFor(row: {
  readonly method: string;
  readonly reads?: true;
  readonly needs?: Duty;
}): Duty {
  return row.needs ?? (row.method === "GET" || row.reads === true ? "viewer" : "operator");
}

export function reaches(actor: Actor, needed: Duty): boolean {
  return duties.indexOf(dutyOf(actor.role)) >= duties.indexOf(needed);
}

/** Why not, for whoever was refused. */
export function refusalText(actor: Actor, needed: Duty): string {
  const own = dutyOf(actor.role);
  return own === "viewer"
    ? `this token only reads; this needs the role ${needed}`
    : `this needs the role ${needed}, and yours is ${own}`;
}
