import type { ApplyDeps } from "./apply/apply-deps.ts";
import { hasDesk, withDesk } from "./apply/ticket-desk.ts";
import { createLoop, type Loop } from "./events/loop.ts";
import { SyncError } from "./model/errors.ts";
import { asId, type ConnectionId } from "./model/ids.ts";
import { keepTickets, type TicketDeps } from "./tasks/keep-tickets.ts";

/** A resolved ticket is heard of within this; a task that is due in hours or days can wait for its ticket so long. */
const ticketsPollMs = 30_000;

/** Keeps a ticket for each piece of work by hand at the connections that a mapping names. */
export function createTicketLoop(tasks: TicketDeps, apply: ApplyDeps): Loop {
  return createLoop({
    name: "tickets",
    clock: apply.clock,
    logger: apply.logger,
    round: async () => {
      await keepAllTickets(tasks, apply);
      return ticketsPollMs;
    },
  });
}

/** One round over all help desks. What one vendor refuses is told and keeps nobody else from their tickets. */
export async function keepAllTickets(tasks: TicketDeps, apply: ApplyDeps): Promise<void> {
  for (const lane of (await apply.store.listLanes(undefined)).filter(hasDesk)) {
    const { tenantId, connectionId, policy } = lane;
    const key = `tickets:${connectionId}`;
    const served = (policy.tickets?.connections ?? [connectionId]).map((id) =>
      asId<ConnectionId>(id),
    );
    try {
      await withDesk(apply, lane, (desk) => keepTickets(tasks, tenantId, desk, served));
      await apply.store.resolveFindings(tenantId, { keys: [key], now: apply.clock.now() });
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      await apply.store.raiseFindings(tenantId, {
        findings: [
          {
            key,
            kind: "tickets",
            severity: "warning",
            connectionId,
            text: `no tickets are opened for work by hand: ${error.message}; the tasks themselves are in \`rolecall tasks list\``,
            facts: { code: error.code },
          },
        ],
        now: apply.clock.now(),
      });
    }
  }
}
