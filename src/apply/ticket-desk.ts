import type { Lane } from "../accounts/lane.ts";
import type { DeskTicket, TicketAbility } from "../connectors/connector.ts";
import { SyncError } from "../model/errors.ts";
import { modeOf, type TicketPolicy } from "../model/policy.ts";
import type { MarkedTicket, TicketDesk } from "../model/ticket-desk.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { withThings } from "./keep-things.ts";
import { passThing, settleThings, type ThingWriter } from "./write-thing.ts";

/** A title ends in its mark: whose task the ticket is for, and which attempt of it. */
const marked = (title: string, mark: string) => `${title} [rolecall ${mark}]`;
const markPattern = /\[rolecall ([^\]\s]+)\]$/;

/** Whether tickets may be opened at this connection now: it writes, and its mapping says where. */
export function hasDesk(lane: Lane): boolean {
  const { policy, state } = lane;
  return (
    policy.tickets !== undefined && state === "open" && modeOf(policy, "ticket") !== "report-only"
  );
}

/** Works with the help desk of a lane, every write through its gate with an intent and a record, one owner at a time. false: somebody else is at it. @throws SyncError of the vendor */
export async function withDesk(
  deps: ApplyDeps,
  lane: Lane,
  work: (desk: TicketDesk) => Promise<void>,
): Promise<boolean> {
  return withThings(deps, lane, async (writer) => {
    const { tickets } = writer.connector;
    const policy = lane.policy.tickets;
    if (tickets === undefined || policy === undefined) return;
    await work(deskOf(writer, tickets, policy));
  });
}

function deskOf(writer: ThingWriter, tickets: TicketAbility, policy: TicketPolicy): TicketDesk {
  const { deps, lane, call } = writer;
  return {
    name: writer.connector.facts.vendor,
    async listOpen() {
      const entries = await readOpen(writer, tickets, policy.type);
      const observed = entries.map(({ mark }) => ({ name: mark, state: "active" as const }));
      await settleThings(writer, "ticket", observed);
      return entries;
    },
    stateOf: async (ticketId) => (await tickets.read(call, ticketId))?.state,
    async open({ mark, title, text }) {
      const open = await deps.store.openThingIntents(lane.tenantId, lane.connectionId);
      if (open.some((intent) => intent.kind === "ticket" && intent.name === mark)) return undefined;
      let made: DeskTicket | undefined;
      const { connections: _served, ...where } = policy;
      await passThing(writer, { step: "create", kind: "ticket", name: mark }, async () => {
        const { ticket, ...applied } = await tickets.open(call, {
          ...{ ...where, text },
          title: marked(title, mark),
        });
        made = ticket;
        return applied;
      });
      return made;
    },
    async close({ mark, ticketId }) {
      await passThing(writer, { step: "end", kind: "ticket", name: mark }, () =>
        tickets.close(call, ticketId),
      );
    },
  };
}

async function readOpen(
  { call }: Pick<ThingWriter, "call">,
  tickets: TicketAbility,
  type: string,
): Promise<readonly MarkedTicket[]> {
  const entries: MarkedTicket[] = [];
  for await (const item of tickets.listOpen(call, type)) {
    if ("complete" in item) return entries;
    const mark = markPattern.exec(item.title)?.[1];
    if (mark !== undefined) entries.push({ ticketId: item.ticketId, shownId: item.shownId, mark });
  }
  throw new SyncError("VENDOR_READ_INCOMPLETE", "the list of tickets ended without its end marker");
}
