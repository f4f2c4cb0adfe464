import type { VendorAccount } from "../../model/account.ts";
import type { AccountId } from "../../model/ids.ts";
import type { Applied, Call, EndOfList, HandOver, WorkItem } from "../connector.ts";
import { refusals, saysNotFound } from "./refusals.ts";
import { searchPages } from "./search.ts";
import { conversationWire, conversationsPage, type ConversationWire } from "./wire.ts";

/** Conversations that lie with a teammate and are not closed: an assignment would open closed ones again. */
export async function* listWork(
  call: Call,
  account: VendorAccount,
): AsyncGenerator<WorkItem | EndOfList> {
  const pages = searchPages(
    call,
    "conversations.search",
    [
      { field: "admin_assignee_id", operator: "=", value: Number(account.accountId) },
      { field: "state", operator: "!=", value: "closed" },
    ],
    (body) => conversationsPage.parse(body),
  );
  let count = 0;
  for await (const page of pages) {
    for (const conversation of page.value.conversations) {
      // The index lags behind: what it shows of state may be over.
      if (conversation.state === "closed") continue;
      count += 1;
      yield { itemId: conversation.id, labels: labelsOf(conversation) };
    }
  }
  yield { complete: true, count };
}

/**
 * Gives one conversation to a team: a note for colleagues first, then the team, then nobody in the place of the leaver. Each of these is read
 * before it is written, so that a repetition adds nothing.
 */
export async function handOver(call: Call, wish: HandOver): Promise<Applied> {
  const { itemId, from, to, note, actorId } = wish;
  const before = await readConversation(call, itemId);
  if (before === undefined || before.admin_assignee_id !== from.accountId) {
    return { outcome: "unchanged", requestIds: [] };
  }
  const requestIds: string[] = [];
  const keep = (id: string | undefined) => {
    if (id !== undefined) requestIds.push(id);
  };
  if (!hasNote(before, note)) {
    const noted = await call.http.request({
      operation: "conversations.note",
      path: { conversationId: itemId },
      body: { message_type: "note", type: "admin", admin_id: actorId, body: note },
      parse: (body) => conversationWire.parse(body),
      refusals,
    });
    keep(noted.requestId);
  }
  if (before.team_assignee_id !== to.objectId) {
    keep(await assign(call, itemId, actorId, "team", to.objectId));
  }
  keep(await assign(call, itemId, actorId, "admin", "0"));
  return { outcome: "changed", requestIds };
}

async function assign(
  call: Call,
  conversationId: string,
  actorId: AccountId,
  type: "admin" | "team",
  assigneeId: string,
): Promise<string | undefined> {
  const answer = await call.http.request({
    operation: "conversations.assign",
    path: { conversationId },
    body: { message_type: "assignment", type, admin_id: actorId, assignee_id: assigneeId },
    parse: (body) => conversationWire.parse(body),
    refusals,
  });
  return answer.requestId;
}

async function readConversation(
  call: Call,
  conversationId: string,
): Promise<ConversationWire | undefined> {
  try {
    const answer = await call.http.request({
      operation: "conversations.read",
      path: { conversationId },
      parse: (body) => conversationWire.parse(body),
      refusals,
    });
    return answer.value;
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

function hasNote(conversation: ConversationWire, note: string): boolean {
  const parts = conversation.conversation_parts?.conversation_parts ?? [];
  return parts.some((part) => part.part_type === "note" && part.body?.includes(note) === true);
}

function labelsOf(conversation: ConversationWire): WorkItem["labels"] {
  return [
    ...(conversation.tags?.tags ?? []).map(({ name }) => ({ kind: "tag", name })),
    ...(conversation.topics?.topics ?? []).map(({ name }) => ({ kind: "topic", name })),
  ];
}
