import { z } from "zod";
import { dutyOf, duties, reaches, refusalText, roleOf } from "../role.ts";
import { operation, OperationError } from "../operation.ts";

/** As long as a session, so that leaving the company ends it as soon. */
const ownTokenMs = 12 * 3_600_000;

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
    run: async (deps, { tenantId, actor }, { as, role }) => {
      const own = dutyOf(actor.role);
      const forOther =
        (as !== undefined && as !== actor.id) || (role !== undefined && role !== own);
      if (forOther && !reaches(actor, "admin"))
        throw new OperationError(403, refusalText(actor, "admin"));
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
      "A token for your own command line, with your own role, for twelve hours; shown this once",
    input: z.object({}),
    run: async (deps, { tenantId, actor }) => {
      const expiresAt = deps.clock.now() + ownTokenMs;
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
