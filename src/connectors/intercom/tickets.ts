import type { Applied, Call, DeskTicket, EndOfList, TicketAbility } from "../connector.ts";
import { refusals, saysNotFound } from "./refusals.ts";
import { searchPages } from "./search.ts";
import { ticketsPage, ticketWire, type TicketWire } from "./wire.ts";

const titleAttribute = "_default_title_";
const textAttribute = "_default_description_";

export async function* listOpenTickets(
  call: Call,
  type: string,
): AsyncGenerator<DeskTicket | EndOfList> {
  const pages = searchPages(
    call,
    "tickets.search",
    [
      { field: "ticket_type_id", operator: "=", value: type },
      { field: "open", operator: "=", value: true },
    ],
    (body) => ticketsPage.parse(body),
  );
  let count = 0;
  for await (const page of pages) {
    for (const wire of page.value.tickets) {
      if (wire === null) continue;
      const ticket = ticketOf(wire);
      if (ticket.state !== "open") continue;
      count += 1;
      yield ticket;
    }
  }
  yield { complete: true, count };
}

export async function readTicket(call: Call, ticketId: string): Promise<DeskTicket | undefined> {
  try {
    const answer = await call.http.request({
      operation: "tickets.read",
      path: { ticketId },
      parse: (body) => ticketWire.parse(body),
      refusals,
    });
    return ticketOf(answer.value);
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

export async function openTicket(
  call: Call,
  { type, contact, team, title, text }: Parameters<TicketAbility["open"]>[1],
): Promise<Applied & { readonly ticket: DeskTicket }> {
  const answer = await call.http.request({
    operation: "tickets.create",
    body: {
      ticket_type_id: type,
      contacts: [{ id: contact }],
      ticket_attributes: { [titleAttribute]: title, [textAttribute]: text },
      ...(team === undefined ? {} : { assignment: { team_assignee_id: team } }),
    },
    parse: (body) => ticketWire.parse(body),
    refusals,
  });
  return { outcome: "changed", requestIds: idsOf(answer), ticket: ticketOf(answer.value) };
}

export async function closeTicket(call: Call, ticketId: string): Promise<Applied> {
  try {
    const answer = await call.http.request({
      operation: "tickets.update",
      path: { ticketId },
      body: { open: false },
      parse: (body) => ticketWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: idsOf(answer) };
  } catch (error) {
    if (saysNotFound(error)) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

function ticketOf(wire: TicketWire): DeskTicket {
  const { ticket_state: state, ticket_attributes: attributes } = wire;
  const category = typeof state === "string" ? state : state?.category;
  const title = attributes?.[titleAttribute];
  return {
    ticketId: wire.id,
    shownId: wire.ticket_id,
    title: typeof title === "string" ? title : "",
    state: category === "resolved" ? "resolved" : wire.open === false ? "closed" : "open",
  };
}

function idsOf(answer: { readonly requestId: string | undefined }): readonly string[] {
  return answer.requestId === undefined ? [] : [answer.requestId];
}
