import type { DirectoryStore, Group, MemberChange } from "../directory/directory-store.ts";
import type { DirectoryQuery, PageRequest } from "../directory/query.ts";
import { asId, type GroupId, newId } from "../model/ids.ts";
import type { Also, Cause } from "../model/records.ts";
import { coerceGroup } from "./coerce.ts";
import { etagOf, namesVersion, requireMatch } from "./etag.ts";
import { compileGroupPatch } from "./group-patch.ts";
import { createGroupWriter, groupLocation, type GroupWriter } from "./group-resource.ts";
import { maxEchoedMembers } from "./limits.ts";
import { answerPage, type ListPage, type ListRequest } from "./list.ts";
import { parsePatchOp } from "./patch-op.ts";
import { compileProjection, type Projection } from "./project.ts";
import { heardOperations } from "./request-log.ts";
import {
  type Answer,
  causedBy,
  isOurId,
  type ScimCall,
  type ScimDeps,
  scimRecord,
} from "./scim-call.ts";
import { groupSchema } from "./schema.ts";
import { notFound } from "./store-error.ts";

export interface Groups {
  create(call: ScimCall): Promise<Answer>;
  read(call: ScimCall, id: string): Promise<Answer>;
  replace(call: ScimCall, id: string): Promise<Answer>;
  patch(call: ScimCall, id: string): Promise<Answer>;
  remove(call: ScimCall, id: string): Promise<Answer>;
  page(call: ScimCall, list: ListRequest): Promise<ListPage>;
}

/** What a PUT or PATCH asks for; absent keys are unchanged, a null externalId clears it. */
interface Wanted {
  readonly displayName?: string;
  readonly externalId?: string | null;
  readonly memberChanges: readonly MemberChange[];
}

type Updated = Awaited<ReturnType<DirectoryStore["updateGroup"]>>;

/** The /Groups endpoints (RFC 7644 section 3). Members are only ever written as differences and read in pages. */
export function createGroups(deps: ScimDeps, baseUrl: string): Groups {
  return new GroupEndpoints(deps, baseUrl);
}

class GroupEndpoints implements Groups {
  private readonly deps: ScimDeps;
  private readonly baseUrl: string;
  private readonly writer: GroupWriter;

  constructor(deps: ScimDeps, baseUrl: string) {
    this.deps = deps;
    this.baseUrl = baseUrl;
    this.writer = createGroupWriter(deps.store, baseUrl);
  }

  async create(call: ScimCall): Promise<Answer> {
    const { store, clock, onCommit } = this.deps;
    const { tenantId, idpId } = call.caller;
    const projection = projectionOf(call);
    const { displayName, externalId, memberIds = [], dropped } = coerceGroup(call.body);
    call.heard.dropped = dropped;
    const groupId = newId<GroupId>(clock);
    const { group } = await store.createGroup(
      tenantId,
      {
        idpId,
        groupId,
        displayName,
        externalId,
        memberIds,
        memberCause: causedBy(call, causeOf(groupId)),
        now: clock.now(),
      },
      this.also(call, groupId, {
        action: "group.created",
        changed: [
          "displayName",
          ...(externalId === undefined ? [] : ["externalId"]),
          ...(memberIds.length === 0 ? [] : ["members"]),
        ],
        nameMoved: true,
      }),
    );
    onCommit();
    return {
      status: 201,
      headers: { Location: groupLocation(this.baseUrl, groupId), ETag: etagOf(group.version) },
      body: await this.echo(call, group, projection),
    };
  }

  async read(call: ScimCall, id: string): Promise<Answer> {
    const group = await this.find(call, id);
    const headers = { ETag: etagOf(group.version) };
    if (call.ifNoneMatch !== undefined && namesVersion(call.ifNoneMatch, group.version)) {
      return { status: 304, headers };
    }
    return { status: 200, headers, body: await this.writer.one(group, projectionOf(call)) };
  }

  /** RFC 7644 section 3.5.1: what the body leaves out is cleared, members too, as Okta's wizard apps mean it. */
  async replace(call: ScimCall, id: string): Promise<Answer> {
    const projection = projectionOf(call);
    const { displayName, externalId, memberIds = [], dropped } = coerceGroup(call.body);
    call.heard.dropped = dropped;
    const before = await this.find(call, id);
    const group = await this.update(call, before.groupId, before, {
      displayName,
      externalId: externalId ?? null,
      memberChanges: [{ op: "replace", memberIds }],
    });
    return {
      status: 200,
      headers: { ETag: etagOf(group.version) },
      body: await this.echo(call, group, projection),
    };
  }

  /**
   * A change of members alone is one command that reads nothing, whatever the size of the group. 204 unless `attributes`
   * asks for an answer (RFC 7644 section 3.5.2).
   */
  async patch(call: ScimCall, id: string): Promise<Answer> {
    const projection = projectionOf(call);
    const operations = parsePatchOp(call.body);
    call.heard.operations = heardOperations(operations);
    const { dropped, ...wanted } = compileGroupPatch(operations);
    call.heard.dropped = dropped;
    if (!isOurId(id)) throw notFound("Group");
    const blind =
      wanted.displayName === undefined &&
      wanted.externalId === undefined &&
      wanted.memberChanges.length > 0 &&
      call.ifMatch === undefined;
    const before = blind ? undefined : await this.find(call, id);
    const group = await this.update(call, asId<GroupId>(id), before, wanted);
    const headers = { ETag: etagOf(group.version) };
    if (!call.params.has("attributes")) return { status: 204, headers };
    return { status: 200, headers, body: await this.writer.one(group, projection) };
  }

  async remove(call: ScimCall, id: string): Promise<Answer> {
    const { store, clock, onCommit } = this.deps;
    const { tenantId, idpId } = call.caller;
    const group = await this.find(call, id);
    requireMatch(call.ifMatch, group.version);
    await store.deleteGroup(
      tenantId,
      {
        idpId,
        groupId: group.groupId,
        expect: call.ifMatch === undefined ? undefined : group.version,
        now: clock.now(),
      },
      this.also(call, group.groupId, { action: "group.deleted", changed: [], nameMoved: true }),
    );
    onCommit();
    return { status: 204 };
  }

  async page(call: ScimCall, list: ListRequest): Promise<ListPage> {
    return answerPage(groupSchema, list, (query, page, projection) =>
      this.readPage(call, query, page, projection),
    );
  }

  private async readPage(
    call: ScimCall,
    query: DirectoryQuery,
    page: PageRequest,
    projection: Projection,
  ): Promise<ListPage & { readonly last?: string }> {
    const { tenantId, idpId } = call.caller;
    const { items, total } = await this.deps.store.listGroups(tenantId, idpId, query, page);
    const last = items.at(-1)?.groupId;
    return {
      total,
      size: items.length,
      elements: await this.writer.many(items, projection),
      ...(last === undefined ? {} : { last }),
    };
  }

  /** @param before as read a moment ago; undefined: members alone change, which needs no look at the group */
  private async update(
    call: ScimCall,
    groupId: GroupId,
    before: Group | undefined,
    wanted: Wanted,
  ): Promise<Group> {
    const { store, clock, onCommit } = this.deps;
    const { tenantId, idpId } = call.caller;
    if (before !== undefined) requireMatch(call.ifMatch, before.version);
    // Okta sends the name with every change of members: said again, it is no rename and rings nobody.
    const nameMoved =
      wanted.displayName !== undefined && wanted.displayName !== before?.displayName;
    const idMoved =
      wanted.externalId !== undefined && (wanted.externalId ?? undefined) !== before?.externalId;
    if (before !== undefined && !nameMoved && !idMoved && wanted.memberChanges.length === 0) {
      return before;
    }
    const changed = [
      ...(nameMoved ? ["displayName"] : []),
      ...(idMoved ? ["externalId"] : []),
      ...(wanted.memberChanges.length === 0 ? [] : ["members"]),
    ];
    const { group, members }: Updated = await store.updateGroup(
      tenantId,
      {
        idpId,
        groupId,
        expect: call.ifMatch === undefined ? undefined : before?.version,
        ...(nameMoved ? { displayName: wanted.displayName } : {}),
        ...(idMoved ? { externalId: wanted.externalId } : {}),
        memberChanges: wanted.memberChanges,
        memberCause: causedBy(call, causeOf(groupId)),
        now: clock.now(),
      },
      this.also(call, groupId, {
        action: nameMoved || idMoved ? "group.updated" : "group.members_changed",
        changed,
        nameMoved,
      }),
    );
    if (nameMoved || idMoved || members.added.length + members.removed.length > 0) onCommit();
    return group;
  }

  private also(
    call: ScimCall,
    groupId: GroupId,
    what: {
      readonly action: string;
      readonly changed: readonly string[];
      /** The name came, changed or went: sync binds names to groups again. */
      readonly nameMoved: boolean;
    },
  ): Also {
    const cause = causeOf(groupId);
    const record = scimRecord(this.deps, call, {
      action: what.action,
      subject: { type: "group", id: groupId },
      cause: cause.key,
      facts: { changed: what.changed },
    });
    if (!what.nameMoved) return { records: [record], recompute: [] };
    return {
      records: [record],
      recompute: [],
      fanouts: [
        {
          fanoutId: newId(this.deps.clock),
          scope: { kind: "group", groupId },
          cause: causedBy(call, cause),
          urgent: false,
        },
      ],
    };
  }

  private async find(call: ScimCall, id: string): Promise<Group> {
    const { tenantId, idpId } = call.caller;
    const group = isOurId(id)
      ? await this.deps.store.getGroup(tenantId, idpId, asId<GroupId>(id))
      : undefined;
    if (group === undefined) throw notFound("Group");
    return group;
  }

  /** A client that has just sent many members does not need them back (Entra: "not advisable"). */
  private echo(
    call: ScimCall,
    group: Group,
    projection: Projection,
  ): Promise<string | AsyncIterable<string>> {
    const asked = call.params.has("attributes");
    return this.writer.one(
      group,
      asked || group.memberCount <= maxEchoedMembers ? projection : withoutMembers,
    );
  }
}

const withoutMembers = compileProjection(groupSchema, { excludedAttributes: "members" });

function causeOf(groupId: GroupId): Cause & { readonly key: string } {
  return { kind: "scim.group", key: `scim.group:${groupId}` };
}

function projectionOf(call: ScimCall): Projection {
  return compileProjection(groupSchema, {
    attributes: call.params.getAll("attributes"),
    excludedAttributes: call.params.getAll("excludedAttributes"),
  });
}
