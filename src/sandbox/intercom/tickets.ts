import { z } from "zod";
import type { SimulatedCall } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import { readBody, seconds } from "./route.ts";
import type { IntercomRoute, IntercomWorld } from "./route.ts";
import { matches, searchPage, searchSchema, type FieldOf } from "./search.ts";
import type { Ticket, Truth } from "./truth.ts";
import { ticketCategories, type TicketCategory } from "./vocabulary.ts";

const identifier = z.union([z.string(), z.int()]).transform(String);
const attributes = z.record(z.string(), z.unknown());
const createSchema = z.object({
  ticket_type_id: identifier,
  contacts: z.array(z.object({ id: z.string() })).min(1),
  ticket_attributes: attributes.optional(),
  assignment: z
    .object({ admin_assignee_id: z.string().optional(), team_assignee_id: z.string().optional() })
    .optional(),
});
const updateSchema = z.object({
  ticket_attributes: attributes.optional(),
  ticket_state_id: identifier.optional(),
  open: z.boolean().optional(),
});

export const ticketRoutes: readonly IntercomRoute[] = [
  {
    operation: "tickets.search",
    method: "post",
    path: "/tickets/search",
    kind: "list",
    scope: "read_tickets",
    handle: ({ truth }, call) => {
      const { query, pagination } = readBody(searchSchema, call);
      const rows = truth.tickets.filter((ticket) => matches(query, fieldsOf(ticket)));
      return searchPage("ticket", rows, pagination ?? {}, (row) => render(truth, row));
    },
  },
  {
    operation: "tickets.create",
    method: "post",
    path: "/tickets",
    kind: "write",
    scope: "write_tickets",
    handle: ({ truth, now }, call) => {
      const body = readBody(createSchema, call);
      if (!truth.ticketTypes.some((type) => type.id === body.ticket_type_id))
        throw refuse(404, "not_found", "Ticket type not found");
      if (body.contacts.some(({ id }) => !truth.contacts.some((contact) => contact.id === id)))
        throw refuse(404, "not_found", "Contact not found");
      const teamId = body.assignment?.team_assignee_id ?? null;
      if (teamId !== null && !truth.teams.some((team) => team.id === teamId))
        throw refuse(404, "assignee_not_found", "Assignee not found");
      truth.nextId += 1;
      const made: Ticket = {
        id: String(truth.nextId),
        number: truth.tickets.length + 1,
        typeId: body.ticket_type_id,
        contactIds: body.contacts.map(({ id }) => id),
        attributes: body.ticket_attributes ?? {},
        teamId,
        category: "submitted",
        open: true,
        createdAt: now,
        updatedAt: now,
      };
      truth.tickets.push(made);
      return { status: 200, body: render(truth, made) };
    },
  },
  {
    operation: "tickets.read",
    method: "get",
    path: "/tickets/:id",
    kind: "read",
    scope: "read_tickets",
    handle: (world, call) => ({
      status: 200,
      body: render(world.truth, ticketOf(world, call)),
    }),
  },
  {
    operation: "tickets.update",
    method: "put",
    path: "/tickets/:id",
    kind: "write",
    scope: "write_tickets",
    handle: (world, call) => {
      const ticket = ticketOf(world, call);
      const body = readBody(updateSchema, call);
      const category =
        body.ticket_state_id === undefined ? undefined : categoryOf(body.ticket_state_id);
      changeTicket(ticket, world.now, {
        ...(category === undefined ? {} : { category }),
        ...(body.open === undefined ? {} : { open: body.open }),
      });
      Object.assign(ticket.attributes, body.ticket_attributes);
      return { status: 200, body: render(world.truth, ticket) };
    },
  },
];

/** A resolved ticket is closed with it, as the Inbox does. */
export function changeTicket(
  ticket: Ticket,
  now: number,
  { category, open }: { readonly category?: TicketCategory; readonly open?: boolean },
): void {
  if (category !== undefined) {
    ticket.category = category;
    ticket.open = category !== "resolved";
  }
  if (open !== undefined) ticket.open = open;
  ticket.updatedAt = now;
}

function ticketOf({ truth }: IntercomWorld, call: SimulatedCall): Ticket {
  const found = truth.tickets.find((each) => each.id === call.params["id"]);
  if (found === undefined) throw refuse(404, "not_found", "Ticket not found");
  return found;
}

/** Ids of states belong to the workspace; here they are numbered by category. */
function categoryOf(stateId: string): TicketCategory {
  const category = ticketCategories[Number(stateId) - 1];
  if (category !== undefined) return category;
  throw refuse(
    400,
    "ticket_state_id_invalid",
    "Ticket state id is not valid or is not associated with the ticket type",
  );
}

const fieldsOf =
  (ticket: Ticket): FieldOf =>
  (field) => {
    switch (field) {
      case "id":
        return ticket.id;
      case "ticket_type_id":
        return ticket.typeId;
      case "open":
        return ticket.open;
      case "state":
        return ticket.category;
      case "created_at":
        return seconds(ticket.createdAt);
      case "updated_at":
        return seconds(ticket.updatedAt);
      default:
        return undefined;
    }
  };

function render(truth: Truth, ticket: Ticket) {
  const type = truth.ticketTypes.find((each) => each.id === ticket.typeId);
  const label = ticket.category.replaceAll("_", " ");
  return {
    type: "ticket",
    id: ticket.id,
    ticket_id: String(ticket.number),
    category: "Back-office",
    ticket_attributes: ticket.attributes,
    ticket_state: {
      type: "ticket_state",
      id: String(ticketCategories.indexOf(ticket.category) + 1),
      category: ticket.category,
      internal_label: label,
      external_label: label,
    },
    ticket_type: {
      type: "ticket_type",
      id: ticket.typeId,
      name: type?.name ?? "",
      description: "",
      icon: "",
      workspace_id: truth.workspace.idCode,
      archived: false,
      created_at: seconds(ticket.createdAt),
      updated_at: seconds(ticket.createdAt),
      is_internal: true,
      ticket_type_attributes: { type: "list", data: [] },
      category: "Back-office",
    },
    contacts: {
      type: "contact.list",
      contacts: ticket.contactIds.map((id) => ({
        type: "contact",
        id,
        external_id: truth.contacts.find((each) => each.id === id)?.externalId ?? null,
      })),
    },
    admin_assignee_id: 0,
    team_assignee_id: Number(ticket.teamId ?? 0),
    created_at: seconds(ticket.createdAt),
    updated_at: seconds(ticket.updatedAt),
    ticket_parts: { type: "ticket_part.list", ticket_parts: [], total_count: 0 },
    open: ticket.open,
    linked_objects: { type: "list", data: [], total_count: 0, has_more: false },
    is_shared: false,
  };
}
