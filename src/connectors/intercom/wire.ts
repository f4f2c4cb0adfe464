import { z } from "zod";
import type { VendorAccount, VendorObject } from "../../model/account.ts";
import { foldEmail } from "../../model/fold.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { NextPage } from "../../model/vendor-http.ts";
import { member, teamKind } from "./facts.ts";

/** The vendor's JSON, only as far as we use it. Ids are texts in some places and integers in others: texts for us. */

const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);
/** An assignee; 0 and null are nobody. */
const assignee = z
  .union([z.string(), z.int()])
  .nullish()
  .transform((value) =>
    value === null || value === undefined || String(value) === "0" ? undefined : String(value),
  );

const levelsWire = z
  .object({
    primary_team_ids: z.array(id).nullish(),
    secondary_team_ids: z.array(id).nullish(),
  })
  .nullish();

export const adminWire = z.object({
  type: z.literal("admin"),
  id,
  name: z.string().nullish(),
  email: z.string(),
  away_mode_enabled: z.boolean().nullish(),
  away_mode_reassign: z.boolean().nullish(),
  has_inbox_seat: z.boolean().nullish(),
  team_ids: z.array(id).nullish(),
  team_priority_level: levelsWire,
  role: z.object({ id, name: z.string() }).nullish(),
});
export type AdminWire = z.infer<typeof adminWire>;

export const adminsWire = z.object({
  type: z.literal("admin.list"),
  admins: z.array(adminWire),
});

export const meWire = z.object({
  id,
  app: z.object({ id_code: z.string().min(1), name: z.string(), region: z.string().nullish() }),
});

export const teamWire = z.object({
  type: z.literal("team"),
  id,
  name: z.string(),
  admin_ids: z.array(id),
  admin_priority_level: z.object({ secondary_admin_ids: z.array(id).nullish() }).nullish(),
  distribution_method: z.string().nullish(),
});
export type TeamWire = z.infer<typeof teamWire>;

export const teamsWire = z.object({ type: z.literal("team.list"), teams: z.array(teamWire) });

const labelWire = z.object({ name: z.string() });

export const conversationWire = z.object({
  type: z.literal("conversation"),
  id,
  state: z.string(),
  admin_assignee_id: assignee,
  team_assignee_id: assignee,
  tags: z.object({ tags: z.array(labelWire) }).nullish(),
  topics: z.object({ topics: z.array(labelWire).optional() }).nullish(),
  conversation_parts: z
    .object({
      conversation_parts: z.array(
        z.object({ part_type: z.string().nullish(), body: z.string().nullish() }),
      ),
    })
    .nullish(),
});
export type ConversationWire = z.infer<typeof conversationWire>;

const cursorWire = z.union([
  z.object({ starting_after: z.string().nullish() }),
  // Older versions write the whole address of the next page.
  z.string(),
]);

export const conversationsPage = z.object({
  conversations: z.array(conversationWire),
  pages: z.object({ next: cursorWire.nullish() }).nullish(),
});

/** `id` is the API's, `ticket_id` the number that people see. */
export const ticketWire = z.object({
  type: z.literal("ticket"),
  id,
  ticket_id: id,
  ticket_attributes: z.record(z.string(), z.unknown()).nullish(),
  // Older versions write the category alone.
  ticket_state: z.union([z.object({ category: z.string() }), z.string()]).nullish(),
  open: z.boolean().nullish(),
});
export type TicketWire = z.infer<typeof ticketWire>;

export const ticketsPage = z.object({
  tickets: z.array(ticketWire.nullable()),
  pages: z.object({ next: cursorWire.nullish() }).nullish(),
});

export const activityPage = z.object({
  activity_logs: z.array(
    z
      .object({
        id: z.string(),
        performed_by: z
          .object({ id: id.nullish(), email: z.string().nullish(), ip: z.string().nullish() })
          .nullish(),
        metadata: z.record(z.string(), z.unknown()).nullish(),
        created_at: z.number(),
        activity_type: z.string(),
        activity_description: z.string().nullish(),
      })
      .nullable(),
  ),
  pages: z.object({ next: cursorWire.nullish() }).nullish(),
});

export const scimUserWire = z.object({ id: z.string().min(1), userName: z.string() });
export const scimUsersWire = z.object({
  totalResults: z.int(),
  Resources: z.array(scimUserWire).optional(),
});

export type CursorPages =
  { readonly next?: z.infer<typeof cursorWire> | null | undefined } | null | undefined;

/** Where a list goes on: null, an object or an address, by version. */
export function cursorOf(pages: CursorPages): string | undefined {
  const next = pages?.next;
  if (next === null || next === undefined) return undefined;
  if (typeof next === "object") return next.starting_after ?? undefined;
  return URL.canParse(next) ? (new URL(next).searchParams.get("starting_after") ?? "") : "";
}

/** The next page of a list whose cursor goes into the query. */
export function nextActivityPage(page: z.infer<typeof activityPage>): NextPage {
  const cursor = cursorOf(page.pages);
  if (cursor === undefined) return "end";
  return cursor === "" ? "incomplete" : { query: { starting_after: cursor } };
}

export function accountOf(admin: AdminWire): VendorAccount {
  return {
    accountId: asId<AccountId>(admin.id),
    email: foldEmail(admin.email),
    otherEmails: [],
    // Invitations are in no answer, and there is no other state than being there.
    state: "active",
    role: member,
    displayName: admin.name ?? undefined,
    createdAt: undefined,
    expiresAt: undefined,
  };
}

export function objectOfTeam(team: TeamWire): VendorObject {
  return { kind: teamKind, objectId: team.id, name: team.name, archived: false, manageable: true };
}
