import { z } from "zod";
import { fold } from "../../model/fold.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { uuid } from "../simulated-id.ts";
import { pageReply } from "./paging.ts";
import { atLeastOne, readBody, readQuery, refuse } from "./refusal.ts";
import { base, timestamp, workspaceOf } from "./route.ts";
import type { InstantlyRoute, InstantlyWorld } from "./route.ts";
import { depart, nextSeq, resourceTypeSchema } from "./truth.ts";
import type { Tag, TagMapping } from "./truth.ts";

const tags = `${base}/custom-tags`;

const label = z.string().regex(/\S/, { message: 'must match pattern ".*\\S.*"' });
const createSchema = z.object({ label, description: z.string().nullish() });
const patchSchema = atLeastOne(
  z.object({ label: label.optional(), description: z.string().nullish() }),
);
const csv = z.string().transform((text) => text.split(","));
const listSchema = z.object({
  search: z.string().optional(),
  resource_ids: csv.optional(),
  tag_ids: csv.optional(),
});
const ids = z.array(z.string()).min(1);
const toggleSchema = z.object({
  tag_ids: ids,
  resource_type: resourceTypeSchema,
  assign: z.boolean(),
  resource_ids: ids.optional(),
  excluded_resource_ids: ids.optional(),
  selected_all: z.boolean().optional(),
  filter: z.unknown().optional(),
  search: z.string().optional(),
});

/** Labels on accounts and campaigns; they give nobody access to anything. */
export const tagRoutes: readonly InstantlyRoute[] = [
  {
    operation: "tags.create",
    method: "post",
    path: tags,
    kind: "write",
    scope: "custom_tags:create",
    handle: (world, call) => {
      const { truth, clock, now } = world;
      const body = readBody(createSchema, call);
      refuseTaken(world, body.label);
      const tag: Tag = {
        id: uuid(clock),
        seq: nextSeq(truth),
        workspaceId: workspaceOf(world).id,
        label: body.label.trim(),
        description: body.description ?? null,
        createdAt: now,
        updatedAt: now,
      };
      truth.tags.push(tag);
      return { status: 200, body: renderTag(tag) };
    },
  },
  {
    operation: "tags.list",
    method: "get",
    path: tags,
    kind: "list",
    scope: "custom_tags:read",
    handle: (world, call) => {
      const query = readQuery(listSchema, call);
      const marked = ownMappings(world)
        .filter((mapping) => query.resource_ids?.includes(mapping.resourceId) ?? false)
        .map((mapping) => mapping.tagId);
      const rows = ownTags(world)
        .filter((tag) => fold(tag.label).includes(fold(query.search ?? "")))
        .filter((tag) => query.tag_ids?.includes(tag.id) ?? true)
        .filter((tag) => query.resource_ids === undefined || marked.includes(tag.id));
      return pageReply(world.truth, call, rows, { render: renderTag });
    },
  },
  {
    operation: "tags.read",
    method: "get",
    path: `${tags}/:id`,
    kind: "read",
    scope: "custom_tags:read",
    handle: (world, call) => ({ status: 200, body: renderTag(findTag(world, call.params["id"])) }),
  },
  {
    operation: "tags.update",
    method: "patch",
    path: `${tags}/:id`,
    kind: "write",
    scope: "custom_tags:update",
    handle: (world, call) => {
      const tag = findTag(world, call.params["id"]);
      const body = readBody(patchSchema, call);
      if (body.label !== undefined) {
        refuseTaken(world, body.label, tag);
        tag.label = body.label.trim();
      }
      if (body.description !== undefined) tag.description = body.description;
      tag.updatedAt = world.now;
      return { status: 200, body: renderTag(tag) };
    },
  },
  {
    operation: "tags.remove",
    method: "delete",
    path: `${tags}/:id`,
    kind: "write",
    scope: "custom_tags:delete",
    handle: (world, call) => {
      const { truth } = world;
      const tag = findTag(world, call.params["id"]);
      truth.tags = truth.tags.filter((each) => each !== tag);
      for (const mapping of truth.mappings) if (mapping.tagId === tag.id) depart(truth, mapping);
      truth.mappings = truth.mappings.filter((mapping) => mapping.tagId !== tag.id);
      depart(truth, tag);
      return { status: 200, body: renderTag(tag) };
    },
  },
  {
    operation: "tags.toggle",
    method: "post",
    path: `${tags}/toggle-resource`,
    kind: "write",
    // The document names no scope for this one.
    scope: "custom_tag_mappings:update",
    handle: (world, call) => {
      toggle(world, call);
      return { status: 200, body: { success: true } };
    },
  },
  {
    operation: "tag_mappings.list",
    method: "get",
    path: `${base}/custom-tag-mappings`,
    kind: "list",
    scope: "custom_tag_mappings:read",
    handle: (world, call) => {
      const query = readQuery(listSchema, call);
      const rows = ownMappings(world).filter(
        (mapping) => query.resource_ids?.includes(mapping.resourceId) ?? true,
      );
      return pageReply(world.truth, call, rows, { render: renderMapping });
    },
  },
];

/** Says what shall be, so that a repetition changes nothing. */
function toggle(world: InstantlyWorld, call: SimulatedCall): void {
  const { truth, clock, now } = world;
  const body = readBody(toggleSchema, call);
  const workspaceId = workspaceOf(world).id;
  const wanted = body.tag_ids.map((id) => findTag(world, id).id);
  const resources = resourcesOf(world, body);
  if (!body.assign) {
    const gone = ownMappings(world).filter(
      (mapping) => wanted.includes(mapping.tagId) && resources.includes(mapping.resourceId),
    );
    for (const mapping of gone) depart(truth, mapping);
    truth.mappings = truth.mappings.filter((mapping) => !gone.includes(mapping));
    return;
  }
  for (const tagId of wanted) {
    for (const resourceId of resources) {
      const known = ownMappings(world).some(
        (mapping) => mapping.tagId === tagId && mapping.resourceId === resourceId,
      );
      if (known) continue;
      truth.mappings.push({
        id: uuid(clock),
        seq: nextSeq(truth),
        workspaceId,
        tagId,
        resourceId,
        resourceType: body.resource_type,
        createdAt: now,
      });
    }
  }
}

function resourcesOf(world: InstantlyWorld, body: z.infer<typeof toggleSchema>): readonly string[] {
  if (body.selected_all !== true) {
    if (body.resource_ids === undefined) {
      throw refuse(400, "body must have required property 'resource_ids'");
    }
    return body.resource_ids;
  }
  if (body.filter !== undefined && body.filter !== null) {
    throw refuse(400, "body/filter is not simulated: name the resources instead");
  }
  const workspaceId = workspaceOf(world).id;
  return world.truth.resources
    .filter((each) => each.workspaceId === workspaceId && each.type === body.resource_type)
    .map((each) => each.id)
    .filter((id) => id.includes(body.search ?? ""))
    .filter((id) => !(body.excluded_resource_ids?.includes(id) ?? false));
}

function ownTags(world: InstantlyWorld): readonly Tag[] {
  const workspaceId = workspaceOf(world).id;
  return world.truth.tags.filter((tag) => tag.workspaceId === workspaceId);
}

function ownMappings(world: InstantlyWorld): readonly TagMapping[] {
  const workspaceId = workspaceOf(world).id;
  return world.truth.mappings.filter((mapping) => mapping.workspaceId === workspaceId);
}

function findTag(world: InstantlyWorld, id: string | undefined): Tag {
  const tag = ownTags(world).find((each) => each.id === id);
  if (tag === undefined) throw refuse(404, "Tag not found");
  return tag;
}

function refuseTaken(world: InstantlyWorld, wanted: string, but?: Tag): void {
  const taken = ownTags(world).some((tag) => tag !== but && tag.label === wanted.trim());
  if (taken) throw refuse(409, "A tag with this name already exists.");
}

function renderTag(tag: Tag) {
  return {
    id: tag.id,
    label: tag.label,
    description: tag.description,
    organization_id: tag.workspaceId,
    timestamp_created: timestamp(tag.createdAt),
    timestamp_updated: timestamp(tag.updatedAt),
  };
}

function renderMapping(mapping: TagMapping) {
  return {
    id: mapping.id,
    tag_id: mapping.tagId,
    resource_id: mapping.resourceId,
    resource_type: mapping.resourceType,
    organization_id: mapping.workspaceId,
    timestamp_created: timestamp(mapping.createdAt),
  };
}
