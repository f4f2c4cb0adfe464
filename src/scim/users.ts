import { isDeepStrictEqual } from "node:util";
import type { SourceUser, SourceUserDraft } from "../directory/directory-store.ts";
import type { DirectoryQuery, PageRequest } from "../directory/query.ts";
import { StoreError } from "../model/errors.ts";
import { asId, newId, type IdentityId, type SourceUserId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";
import { coerceUser } from "./coerce.ts";
import { etagOf, namesVersion, requireMatch } from "./etag.ts";
import { maxAttempts } from "./limits.ts";
import { answerPage, type ListPage, type ListRequest } from "./list.ts";
import { parsePatchOp } from "./patch-op.ts";
import { patchUser } from "./patch.ts";
import { compileProjection, isWanted, project, type Projection } from "./project.ts";
import { heardOperations } from "./request-log.ts";
import {
  type Answer,
  causedBy,
  isOurId,
  type ScimCall,
  type ScimDeps,
  scimRecord,
} from "./scim-call.ts";
import { userSchemaWith } from "./extension.ts";
import type { ResourceSchema } from "./schema.ts";
import { notFound, tooContended } from "./store-error.ts";
import { Turns } from "./turns.ts";
import { draftOf, userLocation, userResource } from "./user-resource.ts";

export interface Users {
  /** With the extensions of this installation. */
  readonly schema: ResourceSchema;
  create(call: ScimCall): Promise<Answer>;
  read(call: ScimCall, id: string): Promise<Answer>;
  replace(call: ScimCall, id: string): Promise<Answer>;
  patch(call: ScimCall, id: string): Promise<Answer>;
  remove(call: ScimCall, id: string): Promise<Answer>;
  page(call: ScimCall, list: ListRequest): Promise<ListPage>;
}

/** What a change makes of the stored person. */
interface Next {
  readonly resource: JsonObject;
  readonly action: "user.replaced" | "user.patched";
}

/** The /Users endpoints (RFC 7644 section 3): each write is one command with one audit record. */
export function createUsers(deps: ScimDeps, baseUrl: string): Users {
  return new UserEndpoints(deps, baseUrl);
}

class UserEndpoints implements Users {
  private readonly deps: ScimDeps;
  readonly baseUrl: string;
  private readonly turns = new Turns();
  readonly schema: ResourceSchema;

  constructor(deps: ScimDeps, baseUrl: string) {
    this.deps = deps;
    this.baseUrl = baseUrl;
    this.schema = userSchemaWith(deps.extensions ?? []);
  }

  async create(call: ScimCall): Promise<Answer> {
    const { store, clock } = this.deps;
    const { tenantId, idpId } = call.caller;
    const projection = this.projectionOf(call);
    const { resource, dropped } = coerceUser(call.body, this.schema);
    call.heard.dropped = dropped;
    const user = draftOf(resource, true);
    const sourceUserId = newId<SourceUserId>(clock);
    const identityId = newId<IdentityId>(clock);
    const stored = await store.createUser(
      tenantId,
      { idpId, sourceUserId, identityId, user, now: clock.now() },
      this.also(call, { sourceUserId, identityId }, user, {
        action: "user.created",
        changed: Object.keys(user.resource),
        urgent: false,
      }),
    );
    this.deps.onCommit();
    // Nobody can have known the id before, so no group holds it.
    return {
      status: 201,
      headers: {
        Location: userLocation(this.baseUrl, sourceUserId),
        ETag: etagOf(stored.version),
      },
      body: JSON.stringify(project(projection, userResource(this, stored, undefined))),
    };
  }

  async read(call: ScimCall, id: string): Promise<Answer> {
    const user = await this.find(call, id);
    const etag = etagOf(user.version);
    if (call.ifNoneMatch !== undefined && namesVersion(call.ifNoneMatch, user.version)) {
      return { status: 304, headers: { ETag: etag } };
    }
    return this.answer(call, user, this.projectionOf(call));
  }

  async replace(call: ScimCall, id: string): Promise<Answer> {
    const { resource, dropped } = coerceUser(call.body, this.schema);
    call.heard.dropped = dropped;
    return this.change(call, id, () => ({ resource, action: "user.replaced" }));
  }

  async patch(call: ScimCall, id: string): Promise<Answer> {
    const operations = parsePatchOp(call.body);
    call.heard.operations = heardOperations(operations);
    return this.change(call, id, (user) => {
      const { resource, dropped } = patchUser(user.resource, operations, this.schema);
      call.heard.dropped = dropped;
      return { resource, action: "user.patched" };
    });
  }

  async remove(call: ScimCall, id: string): Promise<Answer> {
    const { store, clock, onCommit } = this.deps;
    const { tenantId, idpId } = call.caller;
    const user = await this.find(call, id);
    requireMatch(call.ifMatch, user.version);
    await store.deleteUser(
      tenantId,
      {
        idpId,
        sourceUserId: user.sourceUserId,
        expect: call.ifMatch === undefined ? undefined : user.version,
        now: clock.now(),
      },
      this.also(call, user, draftOf(user.resource, user.active), {
        action: "user.deleted",
        changed: [],
        urgent: true,
      }),
    );
    onCommit();
    return { status: 204 };
  }

  async page(call: ScimCall, list: ListRequest): Promise<ListPage> {
    return answerPage(this.schema, list, (query, page, projection) =>
      this.readPage(call, query, page, projection),
    );
  }

  private async readPage(
    call: ScimCall,
    query: DirectoryQuery,
    page: PageRequest,
    projection: Projection,
  ): Promise<ListPage & { readonly last?: string }> {
    const { store } = this.deps;
    const { tenantId, idpId } = call.caller;
    const { items, total } = await store.listUsers(tenantId, idpId, query, page);
    const groups =
      items.length > 0 && isWanted(projection, "groups")
        ? await store.groupsOfUser(
            tenantId,
            idpId,
            items.map((user) => user.sourceUserId),
          )
        : undefined;
    const elements = items.map((user) =>
      JSON.stringify(project(projection, userResource(this, user, groups?.get(user.sourceUserId)))),
    );
    const last = items.at(-1)?.sourceUserId;
    return {
      total,
      size: items.length,
      elements: elements.join(","),
      ...(last === undefined ? {} : { last }),
    };
  }

  private async change(
    call: ScimCall,
    id: string,
    next: (user: SourceUser) => Next,
  ): Promise<Answer> {
    // Before anything is stored: what is wrong with the query must not come after the effect.
    const projection = this.projectionOf(call);
    const key = `${call.caller.tenantId}/${id}`;
    const user = await this.turns.run(key, () => this.store(call, id, next));
    return this.answer(call, user, projection);
  }

  private async store(
    call: ScimCall,
    id: string,
    next: (user: SourceUser) => Next,
  ): Promise<SourceUser> {
    const { store, clock, onCommit } = this.deps;
    const { tenantId, idpId } = call.caller;
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.find(call, id);
      requireMatch(call.ifMatch, before.version);
      const { resource, action } = next(before);
      const user = draftOf(resource, before.active);
      const changed = changedNames(before.resource, user.resource);
      if (changed.length === 0) return before;
      try {
        const stored = await store.replaceUser(
          tenantId,
          {
            idpId,
            sourceUserId: before.sourceUserId,
            expect: before.version,
            user,
            now: clock.now(),
          },
          this.also(call, before, user, {
            action: actionOf(action, before.active, user.active),
            changed,
            urgent: before.active && !user.active,
          }),
        );
        onCommit();
        return stored;
      } catch (error) {
        const moved = error instanceof StoreError && error.code === "VERSION_CONFLICT";
        if (!moved || call.ifMatch !== undefined) throw error;
        if (attempt === maxAttempts) throw tooContended();
      }
    }
  }

  private also(
    call: ScimCall,
    who: { readonly sourceUserId: SourceUserId; readonly identityId: IdentityId },
    user: SourceUserDraft,
    what: {
      readonly action: string;
      readonly changed: readonly string[];
      readonly urgent: boolean;
    },
  ): Also {
    const cause = { kind: "scim.user" } as const;
    const record = scimRecord(this.deps, call, {
      action: what.action,
      subject: { type: "source_user", id: who.sourceUserId },
      cause: cause.kind,
      facts: { identityId: who.identityId, active: user.active, changed: what.changed },
      personal: { userName: user.userName, email: user.emails[0] },
    });
    return {
      records: [record],
      recompute: [
        { identityId: who.identityId, cause: causedBy(call, cause), urgent: what.urgent },
      ],
    };
  }

  private async find(call: ScimCall, id: string): Promise<SourceUser> {
    const { tenantId, idpId } = call.caller;
    const user = isOurId(id)
      ? await this.deps.store.getUser(tenantId, idpId, asId<SourceUserId>(id))
      : undefined;
    if (user === undefined) throw notFound("User");
    return user;
  }

  private projectionOf(call: ScimCall): Projection {
    return compileProjection(this.schema, {
      attributes: call.params.getAll("attributes"),
      excludedAttributes: call.params.getAll("excludedAttributes"),
    });
  }

  private async answer(call: ScimCall, user: SourceUser, projection: Projection): Promise<Answer> {
    const { tenantId, idpId } = call.caller;
    const groups = isWanted(projection, "groups")
      ? await this.deps.store.groupsOfUser(tenantId, idpId, [user.sourceUserId])
      : undefined;
    return {
      status: 200,
      headers: { ETag: etagOf(user.version) },
      body: JSON.stringify(
        project(projection, userResource(this, user, groups?.get(user.sourceUserId))),
      ),
    };
  }
}

function actionOf(plain: Next["action"], before: boolean, after: boolean): string {
  if (before === after) return plain;
  return after ? "user.reactivated" : "user.deactivated";
}

/** Top-level names whose values differ: names go into the record, values never. */
function changedNames(before: JsonObject, after: JsonObject): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => {
    const [old, now] = [before[name], after[name]];
    return old !== now && !isDeepStrictEqual(old, now);
  });
}
