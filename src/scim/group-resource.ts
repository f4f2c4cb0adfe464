import type { DirectoryStore, Group, Member } from "../directory/directory-store.ts";
import type { GroupId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { etagOf } from "./etag.ts";
import { maxBufferedMembers, memberPageSize } from "./limits.ts";
import { isNamed, isWanted, project, type Projection } from "./project.ts";
import { groupUrn } from "./schema.ts";

export function groupLocation(baseUrl: string, groupId: string): string {
  return `${baseUrl}/Groups/${groupId}`;
}

/** Writes groups as JSON. Members are read only where the projection wants them, in pages, and never all held at once. */
export interface GroupWriter {
  /** One text where all members fit into one page, else pieces. */
  one(group: Group, projection: Projection): Promise<string | AsyncIterable<string>>;
  /** The elements of a list with commas between them: one text where the members of all are few, else pieces. */
  many(groups: readonly Group[], projection: Projection): Promise<string | AsyncIterable<string>>;
}

export function createGroupWriter(
  store: Pick<DirectoryStore, "listMembers">,
  baseUrl: string,
): GroupWriter {
  const memberPages = async function* (group: Group, projection: Projection) {
    const withDisplay = isNamed(projection, "members", "display");
    for await (const page of pagesOf(store, group.tenantId, group.groupId)) {
      yield page.map((member) => memberElement(baseUrl, member, withDisplay));
    }
  };

  const whole = async (group: Group, projection: Projection): Promise<string> => {
    const resource = groupResource(baseUrl, group);
    if (!isWanted(projection, "members")) return JSON.stringify(project(projection, resource));
    const members: JsonObject[] = [];
    for await (const page of memberPages(group, projection)) members.push(...page);
    return JSON.stringify(project(projection, { ...resource, members }));
  };

  const pieces = async function* (group: Group, projection: Projection): AsyncGenerator<string> {
    const head = JSON.stringify(project(projection, groupResource(baseUrl, group)));
    if (!isWanted(projection, "members")) {
      yield head;
      return;
    }
    // `id` and `schemas` are always there, so the object that is left open is never empty.
    yield `${head.slice(0, -1)},"members":[`;
    let separator = "";
    for await (const page of memberPages(group, projection)) {
      const members = project(projection, { members: page })["members"];
      if (!Array.isArray(members) || members.length === 0) continue;
      yield separator + JSON.stringify(members).slice(1, -1);
      separator = ",";
    }
    yield "]}";
  };

  const piecesOfMany = async function* (
    groups: readonly Group[],
    projection: Projection,
  ): AsyncGenerator<string> {
    for (const [index, group] of groups.entries()) {
      if (index > 0) yield ",";
      yield* pieces(group, projection);
    }
  };

  return {
    one: async (group, projection) =>
      isWanted(projection, "members") && group.memberCount > memberPageSize
        ? pieces(group, projection)
        : whole(group, projection),
    many: async (groups, projection) => {
      const members = groups.reduce((sum, group) => sum + group.memberCount, 0);
      if (isWanted(projection, "members") && members > maxBufferedMembers) {
        return piecesOfMany(groups, projection);
      }
      const texts: string[] = [];
      for (const group of groups) texts.push(await whole(group, projection));
      return texts.join(",");
    },
  };
}

/** Without members. */
function groupResource(baseUrl: string, group: Group): JsonObject {
  return {
    schemas: [groupUrn],
    id: group.groupId,
    ...(group.externalId === undefined ? {} : { externalId: group.externalId }),
    displayName: group.displayName,
    meta: {
      resourceType: "Group",
      created: new Date(group.createdAt).toISOString(),
      lastModified: new Date(group.updatedAt).toISOString(),
      location: groupLocation(baseUrl, group.groupId),
      version: etagOf(group.version),
    },
  };
}

async function* pagesOf(
  store: Pick<DirectoryStore, "listMembers">,
  tenantId: TenantId,
  groupId: GroupId,
): AsyncGenerator<readonly Member[]> {
  let after: string | undefined;
  for (;;) {
    const members = await store.listMembers(tenantId, groupId, { after, limit: memberPageSize });
    if (members.length > 0) yield members;
    if (members.length < memberPageSize) return;
    after = members.at(-1)?.memberId;
  }
}

/** A member that we do not know yet is an id and nothing else. */
function memberElement(
  baseUrl: string,
  { memberId, kind, display }: Member,
  withDisplay: boolean,
): JsonObject {
  if (kind === "unknown") return { value: memberId };
  return {
    value: memberId,
    $ref: `${baseUrl}/${kind === "user" ? "Users" : "Groups"}/${memberId}`,
    ...(display === undefined || !withDisplay ? {} : { display }),
    type: kind === "user" ? "User" : "Group",
  };
}
