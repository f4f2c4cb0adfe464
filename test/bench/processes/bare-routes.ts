import express, { type Express } from "express";
import type { Store } from "../../../src/adapters/store.ts";
import type { SourceUser } from "../../../src/directory/directory-store.ts";
import type { Clock } from "../../../src/model/clock.ts";
import {
  asId,
  newId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../../src/model/ids.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { newRecord, type Also } from "../../../src/model/records.ts";
import { personBody } from "../people.ts";

/** Whether a presented token is somebody's, by the same check as the service's. */
export type KnowsToken = (authorization: string | undefined) => Promise<boolean>;

export interface BareCaller {
  readonly store: Store;
  readonly clock: Clock;
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
}

/**
 * The floor: parse the body, take it as it is, write the same rows by the same command of the same store, answer. No token, no
 * schema, no log, no metrics. A read checks the token and answers bytes that are kept: no store, no projection.
 */
export function bareRoutes(
  caller: BareCaller,
  kind: "bare" | "empty",
  knowsToken: KnowsToken,
): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(express.json({ type: () => true, limit: "1mb" }));
  if (kind === "empty") {
    app.use((_request, response) => {
      response.status(200).end("{}");
    });
    return app;
  }
  app.post("/scim/v2/Users", async (request, response) => {
    const user = await storePerson(caller, request.body as JsonObject);
    response.status(201).type("application/scim+json").end(textOf(user));
  });
  const kept = new Map<string, string>();
  app.get("/scim/v2/Users/:id", async (request, response) => {
    if (!(await knowsToken(request.headers.authorization))) {
      response.status(401).end();
      return;
    }
    const { id } = request.params;
    const text = kept.get(id) ?? (await readPerson(caller, asId<SourceUserId>(id)));
    kept.set(id, text);
    response.type("application/scim+json").end(text);
  });
  app.patch("/scim/v2/Users/:id", async (request, response) => {
    const user = await setActive(caller, asId<SourceUserId>(request.params.id), request.body);
    response.type("application/scim+json").end(textOf(user));
  });
  return app;
}

/** Without HTTP: the store alone. */
export function createPerson(caller: BareCaller, at: number): Promise<SourceUser> {
  return storePerson(caller, personBody(at));
}

async function readPerson(
  { store, tenantId, idpId }: BareCaller,
  id: SourceUserId,
): Promise<string> {
  const user = await store.getUser(tenantId, idpId, id);
  if (user === undefined) throw new Error("nobody has this id");
  return textOf(user);
}

function storePerson(caller: BareCaller, body: JsonObject): Promise<SourceUser> {
  const { store, clock, tenantId, idpId } = caller;
  const { schemas: _schemas, ...resource } = body;
  const sourceUserId = newId<SourceUserId>(clock);
  const identityId = newId<IdentityId>(clock);
  const userName = resource["userName"] as string;
  return store.createUser(
    tenantId,
    {
      idpId,
      sourceUserId,
      identityId,
      user: {
        userName,
        externalId: resource["externalId"] as string,
        displayName: resource["displayName"] as string,
        active: true,
        emails: (resource["emails"] as readonly { readonly value: string }[]).map(
          (email) => email.value,
        ),
        resource,
      },
      now: clock.now(),
    },
    also(caller, sourceUserId, {
      action: "user.created",
      identityId,
      active: true,
      changed: Object.keys(resource),
      userName,
    }),
  );
}

async function setActive(
  caller: BareCaller,
  sourceUserId: SourceUserId,
  body: unknown,
): Promise<SourceUser> {
  const { store, clock, tenantId, idpId } = caller;
  const user = await store.getUser(tenantId, idpId, sourceUserId);
  if (user === undefined) throw new Error("no such user");
  const [operation] = (body as { Operations: readonly { value: { active: boolean } }[] })
    .Operations;
  const active = operation?.value.active === true;
  const resource: JsonObject = { ...user.resource, active };
  return store.replaceUser(
    tenantId,
    {
      idpId,
      sourceUserId,
      expect: user.version,
      user: {
        userName: user.userName,
        externalId: user.externalId,
        displayName: resource["displayName"] as string,
        active,
        emails: [user.userName],
        resource,
      },
      now: clock.now(),
    },
    also(caller, sourceUserId, {
      action: active ? "user.reactivated" : "user.deactivated",
      identityId: user.identityId,
      active,
      changed: ["active"],
      userName: user.userName,
    }),
  );
}

/** The record and the mark that the same request leaves behind at ours, byte for byte as long. */
function also(
  { clock, idpId }: BareCaller,
  sourceUserId: SourceUserId,
  what: {
    readonly action: string;
    readonly identityId: IdentityId;
    readonly active: boolean;
    readonly changed: readonly string[];
    readonly userName: string;
  },
): Also {
  const { action, identityId, active, changed, userName } = what;
  return {
    records: [
      newRecord(clock, {
        actor: {
          kind: "idp",
          id: idpId,
          address: "127.0.0.1",
          credentialFingerprint: "0123456789ab",
        },
        action,
        subject: { type: "source_user", id: sourceUserId },
        cause: "scim.user",
        requestId: newId(clock),
        facts: { idpId, identityId, active, changed },
        personal: { userName, email: userName },
      }),
    ],
    recompute: [
      { identityId, cause: { kind: "scim.user" }, urgent: action === "user.deactivated" },
    ],
  };
}

function textOf(user: SourceUser): string {
  return JSON.stringify({
    id: user.sourceUserId,
    ...user.resource,
    meta: { version: user.version },
  });
}
