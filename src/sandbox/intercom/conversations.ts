import { z } from "zod";
import { refuse } from "./refusal.ts";
import { readBody, seconds } from "./route.ts";
import type { IntercomRoute, IntercomWorld } from "./route.ts";
import { matches, searchPage, searchSchema, type FieldOf } from "./search.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { changeConversation } from "./truth.ts";
import type { Conversation, Truth } from "./truth.ts";

const identifier = z.union([z.string(), z.int()]).transform(String);
const noteSchema = z.object({
  message_type: z.enum(["note", "comment"]),
  type: z.literal("admin"),
  admin_id: identifier,
  body: z.string().min(1),
});
const manageSchema = z.discriminatedUnion("message_type", [
  z.object({
    message_type: z.literal("assignment"),
    type: z.enum(["admin", "team"]),
    admin_id: identifier,
    assignee_id: identifier.optional(),
    body: z.string().optional(),
  }),
  z.object({
    message_type: z.literal("close"),
    type: z.literal("admin"),
    admin_id: identifier,
    body: z.string().optional(),
  }),
  z.object({
    message_type: z.literal("snoozed"),
    admin_id: identifier,
    snoozed_until: z.int(),
  }),
  z.object({ message_type: z.literal("open"), admin_id: identifier }),
]);

export const conversationRoutes: readonly IntercomRoute[] = [
  {
    operation: "conversations.search",
    method: "post",
    path: "/conversations/search",
    kind: "list",
    scope: "read_conversations",
    handle: (world, call) => {
      const { truth, now } = world;
      const { query, pagination } = readBody(searchSchema, call);
      const rows = truth.conversations.flatMap((conversation) => {
        const shown = searchable(truth, conversation, now);
        return shown !== undefined && matches(query, fieldsOf(shown)) ? [conversation] : [];
      });
      return searchPage("conversation", rows, pagination ?? {}, (row) => renderConversation(row));
    },
  },
  {
    operation: "conversations.read",
    method: "get",
    path: "/conversations/:id",
    kind: "read",
    scope: "read_conversations",
    handle: (world, call) => ({
      status: 200,
      body: renderWhole(world, conversationOf(world, call)),
    }),
  },
  {
    operation: "conversations.manage",
    method: "post",
    path: "/conversations/:id/parts",
    kind: "write",
    scope: "write_conversations",
    handle: (world, call) => {
      refusePlan(world.truth);
      const conversation = conversationOf(world, call);
      const body = readBody(manageSchema, call);
      refuseStranger(world.truth, body.admin_id);
      manage(world, conversation, body);
      return { status: 200, body: renderWhole(world, conversation) };
    },
  },
  {
    operation: "conversations.reply",
    method: "post",
    path: "/conversations/:id/reply",
    kind: "write",
    scope: "write_conversations",
    handle: (world, call) => {
      refusePlan(world.truth);
      const conversation = conversationOf(world, call);
      const body = readBody(noteSchema, call);
      refuseStranger(world.truth, body.admin_id);
      putPart(world, conversation, {
        type: body.message_type,
        body: `<p>${body.body}</p>`,
        authorId: body.admin_id,
        assignedTo: null,
      });
      return { status: 200, body: renderWhole(world, conversation) };
    },
  },
];

/** What the index holds of a conversation: for a while what was so before. */
function searchable(truth: Truth, conversation: Conversation, now: number) {
  const settled = now - conversation.updatedAt >= truth.settings.searchLagMs;
  const shown = settled ? conversation : conversation.before;
  return shown === null ? undefined : { ...conversation, ...shown };
}

const fieldsOf =
  (conversation: Conversation): FieldOf =>
  (field) => {
    switch (field) {
      case "id":
        return conversation.id;
      case "admin_assignee_id":
        return Number(conversation.adminAssigneeId ?? 0);
      case "team_assignee_id":
        return Number(conversation.teamAssigneeId ?? 0);
      case "open":
        return conversation.state === "open";
      case "state":
        return conversation.state;
      case "created_at":
        return seconds(conversation.createdAt);
      case "updated_at":
        return seconds(conversation.updatedAt);
      default:
        return undefined;
    }
  };

function manage(
  world: IntercomWorld,
  conversation: Conversation,
  body: z.infer<typeof manageSchema>,
): void {
  const { now } = world;
  const part = (type: string, assignedTo: Conversation["parts"][number]["assignedTo"] = null) => {
    const text = "body" in body && body.body !== undefined ? `<p>${body.body}</p>` : null;
    putPart(world, conversation, { type, body: text, authorId: body.admin_id, assignedTo });
  };
  switch (body.message_type) {
    case "assignment": {
      const id = body.assignee_id ?? "0";
      refuseAssignee(world.truth, body.type, id);
      const assignee = id === "0" ? null : id;
      // An assignment opens what is closed.
      const reopens = conversation.state !== "open";
      changeConversation(conversation, now, {
        state: "open",
        ...(body.type === "admin" ? { adminAssigneeId: assignee } : { teamAssigneeId: assignee }),
      });
      part(
        reopens ? "assign_and_reopen" : "assignment",
        assignee === null ? null : { type: body.type, id: assignee },
      );
      return;
    }
    case "close":
      changeConversation(conversation, now, { state: "closed" });
      part("close");
      return;
    case "snoozed":
      changeConversation(conversation, now, { state: "snoozed" });
      conversation.snoozedUntil = body.snoozed_until * 1000;
      part("snoozed");
      return;
    case "open":
      changeConversation(conversation, now, { state: "open" });
      part("open");
      return;
  }
}

function conversationOf(world: IntercomWorld, call: SimulatedCall): Conversation {
  const found = world.truth.conversations.find((each) => each.id === call.params["id"]);
  if (found === undefined) throw refuse(404, "not_found", "Resource Not Found");
  return found;
}

function refusePlan(truth: Truth): void {
  if (truth.settings.conversationWrite) return;
  throw refuse(403, "api_plan_restricted", "Active subscription needed.");
}

function refuseStranger(truth: Truth, adminId: string): void {
  if (truth.admins.some((each) => each.id === adminId)) return;
  throw refuse(404, "admin_not_found", "Admin not found");
}

function refuseAssignee(truth: Truth, type: "admin" | "team", id: string): void {
  if (id === "0") return;
  const admin = truth.admins.find((each) => each.id === id);
  const known = type === "team" ? truth.teams.some((team) => team.id === id) : admin !== undefined;
  if (!known) throw refuse(404, "assignee_not_found", "Assignee not found");
  // An older help page; the code is not documented.
  if (type === "admin" && admin?.inboxSeat === false) {
    throw refuse(400, "parameter_invalid", "Assignee has no Inbox seat");
  }
}

function putPart(
  { truth, now }: IntercomWorld,
  conversation: Conversation,
  part: Omit<Conversation["parts"][number], "id" | "at">,
): void {
  truth.nextId += 1;
  conversation.parts.push({ id: String(truth.nextId), at: now, ...part });
}

/** Assignees are integers, 0 for nobody. */
function renderConversation(conversation: Conversation) {
  return {
    type: "conversation",
    id: conversation.id,
    created_at: seconds(conversation.createdAt),
    updated_at: seconds(conversation.updatedAt),
    waiting_since: null,
    snoozed_until: conversation.snoozedUntil === null ? null : seconds(conversation.snoozedUntil),
    contacts: { type: "contact.list", contacts: [] },
    first_contact_reply: null,
    admin_assignee_id: Number(conversation.adminAssigneeId ?? 0),
    team_assignee_id: Number(conversation.teamAssigneeId ?? 0),
    open: conversation.state === "open",
    state: conversation.state,
    read: false,
    tags: {
      type: "tag.list",
      tags: conversation.tags.map((tag) => ({ type: "tag", ...tag })),
    },
    priority: "none",
    title: conversation.title,
    custom_attributes: {},
    // Not in the vendor's documents, and in every one of its examples.
    topics: conversation.topics.length === 0 ? {} : topicList(conversation),
    linked_objects: { type: "list", data: [], total_count: 0, has_more: false },
    ai_agent_participated: false,
  };
}

function topicList(conversation: Conversation) {
  return {
    type: "topic.list",
    topics: conversation.topics.map((topic) => ({ type: "topic", ...topic })),
    total_count: conversation.topics.length,
  };
}

function renderWhole(world: IntercomWorld, conversation: Conversation) {
  return {
    ...renderConversation(conversation),
    conversation_parts: {
      type: "conversation_part.list",
      conversation_parts: conversation.parts.map((part) => renderPart(world.truth, part)),
      total_count: conversation.parts.length,
    },
  };
}

function renderPart(truth: Truth, part: Conversation["parts"][number]) {
  const author = truth.admins.find((each) => each.id === part.authorId);
  return {
    type: "conversation_part",
    id: part.id,
    part_type: part.type,
    body: part.body,
    created_at: seconds(part.at),
    updated_at: seconds(part.at),
    notified_at: seconds(part.at),
    assigned_to: part.assignedTo,
    author: {
      id: part.authorId,
      type: "admin",
      name: author?.name ?? null,
      email: author?.email ?? "unknown@example.com",
    },
    attachments: [],
    external_id: null,
    redacted: false,
  };
}

/** A conversation that is simply there; one that is new is in the index at once. */
export function putConversation(
  truth: Truth,
  now: number,
  input: {
    readonly adminAssigneeId: string | null;
    readonly teamAssigneeId?: string | null;
    readonly state?: Conversation["state"];
    readonly title?: string | null;
    readonly tags?: readonly string[];
    readonly topics?: readonly string[];
  },
): Conversation {
  const label = (name: string) => {
    truth.nextId += 1;
    return { id: String(truth.nextId), name };
  };
  truth.nextId += 1;
  const searched = {
    adminAssigneeId: input.adminAssigneeId,
    teamAssigneeId: input.teamAssigneeId ?? null,
    state: input.state ?? ("open" as const),
  };
  const made: Conversation = {
    ...searched,
    id: String(truth.nextId),
    title: input.title ?? null,
    tags: (input.tags ?? []).map(label),
    topics: (input.topics ?? []).map(label),
    parts: [],
    snoozedUntil: null,
    createdAt: now,
    updatedAt: now,
    before: searched,
  };
  truth.conversations.push(made);
  return made;
}
