import { z } from "zod";
import type { Lane } from "../../accounts/lane.ts";
import { beginRotation, finishRotation, KeyRefusal, revokeKey } from "../../governance/key-desk.ts";
import { keyRegister, keysOfPerson } from "../../governance/key-register.ts";
import { SyncError } from "../../model/errors.ts";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { theIdentity } from "./people.ts";

const connection = z.string().min(1).max(64);
const name = z.string().min(1).max(300);
const why = z.string().min(3).max(500);

const registerDeps = (deps: ConsoleDeps) => ({
  store: deps.store,
  things: deps.things,
  hasKeys: (lane: Lane) =>
    deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target)?.things?.api_key !== undefined,
});

async function theLane(deps: ConsoleDeps, tenantId: TenantId, text: string): Promise<Lane> {
  const lane = await deps.store.getLane(tenantId, asId<ConnectionId>(text));
  if (lane === undefined) throw new OperationError(404, `no active connection "${text}"`);
  return lane;
}

/** A refusal, and what the vendor says, are for whoever asked. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof KeyRefusal) throw new OperationError(409, error.message);
    if (error instanceof SyncError)
      throw new OperationError(422, `${error.code}: ${error.message}`);
    throw error;
  }
}

export const keyOperations = [
  operation({
    name: "listKeys",
    method: "GET",
    path: "/keys",
    summary:
      "Every API key that vendors show or mappings declare: owner, purpose, who works with it, age, and what speaks against it",
    input: z.object({
      connection: connection.optional(),
      person: z.string().min(1).max(320).optional(),
      about: z.string().max(40).optional(),
    }),
    run: async (deps, { tenantId }, input) => {
      const only =
        input.connection === undefined ? undefined : asId<ConnectionId>(input.connection);
      if (only !== undefined) await theLane(deps, tenantId, only);
      const register = await keyRegister(registerDeps(deps), tenantId, only);
      const keys =
        input.person === undefined
          ? register.keys
          : await keysOfPerson(
              registerDeps(deps),
              tenantId,
              await theIdentity(deps, tenantId, input.person),
              register,
            );
      const { about } = input;
      return {
        keys: about === undefined ? keys : keys.filter((key) => key.about.includes(about)),
        gaps: register.gaps,
      };
    },
  }),
  operation({
    name: "revokeKey",
    method: "POST",
    path: "/connections/:connection/keys/revoke",
    needs: "approver",
    summary: "End one key now; a compromised one whoever works with it, who are named",
    input: z.object({ connection, name, why, compromised: z.boolean().default(false) }),
    run: async (deps, { tenantId, actor }, { compromised, ...input }) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const wish = { name: input.name, why: input.why, actor, compromised };
      return asked(revokeKey({ ...deps, ...deps.keys }, tenantId, lane, wish));
    },
  }),
  operation({
    name: "rotateKey",
    method: "POST",
    path: "/connections/:connection/keys/rotate",
    needs: "approver",
    summary: "Make a declared key anew beside the old one, or with `finish` end the old one",
    input: z.object({ connection, name, why, finish: z.boolean().default(false) }),
    run: async (deps, { tenantId, actor }, { finish, ...input }) => {
      const lane = await theLane(deps, tenantId, input.connection);
      const wish = { name: input.name, why: input.why, actor };
      const rotate = finish ? finishRotation : beginRotation;
      return asked(rotate({ ...deps, ...deps.keys }, tenantId, lane, wish));
    },
  }),
];
