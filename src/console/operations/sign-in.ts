import { z } from "zod";
import { dutyOf, duties, reaches, refusalText, roleOf } from "../role.ts";
import { operation, OperationError, type OperationContext } from "../operation.ts";

/** As long as a session at most: who may not sign in any more has nothing left by then. */
const ownTokenMs = 12 * 3_600_000;

/** What a session or a short token let somebody do must not let them do it for longer. */
function refuseRenewal({ purpose, expiresAt }: OperationContext["via"], now: number): void {
  if (purpose !== "session" && (expiresAt === undefined || expiresAt - now > ownTokenMs)) return;
  throw new OperationError(
    403,
    "what you are signed in with ends within hours, and cannot sign you in anew: sign in as you did before",
  );
}

export const signInOperations = [
  operation({
    name: "signInLink",
    method: "POST",
    path: "/sign-in-links",
    needs: "viewer",
    summary:
      "A link that signs one person in to the console, once, within ten minutes: yourself, or as an admin somebody else",
    input: z.object({
      as: z.string().trim().min(1).max(100).optional(),
      role: z.enum(duties).optional(),
    }),
    run: async (deps, { tenantId, actor, via }, { as, role }) => {
      const own = dutyOf(actor.role);
      const forOther =
        (as !== undefined && as !== actor.id) || (role !== undefined && role !== own);
      if (forOther && !reaches(actor, "admin"))
        throw new OperationError(403, refusalText(actor, "admin"));
      if (!forOther) refuseRenewal(via, deps.clock.now());
      const person = {
        label: as ?? actor.id,
        role: role === undefined ? actor.role : roleOf(role),
      };
      return deps.signInLink(tenantId, person, actor);
    },
  }),
  operation({
    name: "ownToken",
    method: "POST",
    path: "/tokens/own",
    needs: "viewer",
    summary:
      "A token for your own command line, with your own role, until your session in the browser ends; shown this once",
    input: z.object({}),
    run: async (deps, { tenantId, actor, via }) => {
      if (via.purpose !== "session" || via.expiresAt === undefined)
        throw new OperationError(403, "it is made in the console, by whoever is signed in there");
      const { expiresAt } = via;
      const { role } = actor;
      const draft = { kind: "operator", idpId: undefined, label: actor.id, expiresAt } as const;
      const issued = await deps.issueToken(
        tenantId,
        { ...draft, ...(role === undefined ? {} : { role }) },
        actor,
      );
      return { ...issued, expiresAt };
    },
  }),
];
