import type { AccountStore } from "../accounts/account-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import { StoreError } from "../model/errors.ts";
import { asId, type ConnectionId, type TaskId, type TenantId } from "../model/ids.ts";
import type { MarkedTicket, TicketDesk } from "../model/ticket-desk.ts";
import { finishTask } from "./decide-task.ts";
import { change, isRace } from "./keep-task.ts";
import { addressOf, spelledOut } from "./spell-out.ts";
import type { TaskDeps } from "./task-deps.ts";
import { isLive, liveStates, type Task } from "./task.ts";

/** One look takes so many tasks, earliest due first; the rest waits until those are done. */
const tasksMax = 500;

export interface TicketDeps extends TaskDeps {
  readonly store: TaskDeps["store"] &
    Pick<AccountStore, "listObjects" | "getLink" | "getTarget"> &
    Pick<DirectoryStore, "readIdentities">;
}

/**
 * Gives each live task of these connections one ticket, takes a resolved ticket for somebody's word that it is done, and closes what nobody
 * wants any more. A task that was opened again, because a look showed otherwise, gets another ticket.
 */
export async function keepTickets(
  deps: TicketDeps,
  tenantId: TenantId,
  desk: TicketDesk,
  connectionIds: readonly ConnectionId[],
): Promise<void> {
  const open = await desk.listOpen();
  const wanted = new Set<string>();
  for (const connectionId of connectionIds) {
    const tasks = await deps.store.listTasks(tenantId, {
      ...{ states: liveStates, connectionId, limit: tasksMax },
    });
    for (const task of tasks) {
      wanted.add(markOf(task));
      await keepTicket(deps, tenantId, desk, task, open);
    }
  }
  for (const ticket of open) {
    if (wanted.has(ticket.mark)) continue;
    const task = await deps.store.getTask(tenantId, taskOfMark(ticket.mark));
    // Of another tenant, or beyond the first page: not ours to close.
    if (task === undefined || (isLive(task) && markOf(task) === ticket.mark)) continue;
    await desk.close(ticket);
  }
}

const markOf = ({ taskId, attempt }: Pick<Task, "taskId" | "attempt">): string =>
  `${taskId}.${String(attempt)}`;

const taskOfMark = (mark: string): TaskId => asId<TaskId>(mark.slice(0, mark.lastIndexOf(".")));

async function keepTicket(
  deps: TicketDeps,
  tenantId: TenantId,
  desk: TicketDesk,
  task: Task,
  open: readonly MarkedTicket[],
): Promise<void> {
  const mark = markOf(task);
  const known = task.ticket?.attempt === task.attempt ? task.ticket : undefined;
  if (known === undefined) {
    const shown = open.find((ticket) => ticket.mark === mark);
    const made = shown ?? (await desk.open({ mark, ...(await textOf(deps, tenantId, task)) }));
    if (made !== undefined) await noteTicket(deps, tenantId, desk, task, made);
    return;
  }
  if (task.state === "submitted" || task.state === "rejected") return;
  // Who resolved the ticket is not known here, and may be whoever would confirm it: two people say so to us.
  if (task.fourEyes) return;
  if (open.some((ticket) => ticket.ticketId === known.ticketId)) return;
  if ((await desk.stateOf(known.ticketId)) !== "resolved") return;
  try {
    await finishTask(deps, tenantId, {
      taskId: task.taskId,
      actor: { kind: "vendor", id: `${desk.name} ticket ${known.shownId}` },
      note: `ticket ${known.shownId} was resolved`,
    });
  } catch (error) {
    // Somebody was faster, or it ended: the next look sees which.
    if (!isRace(error) && !(error instanceof StoreError && error.code === "NOT_FOUND")) throw error;
  }
}

/** Whoever changed the task meanwhile does not undo that it has a ticket: a second one would be opened. */
async function noteTicket(
  deps: TicketDeps,
  tenantId: TenantId,
  desk: TicketDesk,
  seen: Task,
  { ticketId, shownId }: Pick<MarkedTicket, "ticketId" | "shownId">,
): Promise<void> {
  const { attempt, taskId } = seen;
  const ticket = { desk: desk.name, ticketId, shownId, attempt };
  for (let task: Task | undefined = seen; task !== undefined;) {
    try {
      await change(
        deps,
        tenantId,
        task,
        { ticket },
        {
          actor: deps.actor,
          action: "task.ticket_opened",
          facts: { ...ticket },
        },
      );
      return;
    } catch (error) {
      if (!isRace(error)) throw error;
      task = await deps.store.getTask(tenantId, taskId);
    }
  }
}

/** What the ticket says: the steps, for whom, until when, and how to say that it is done. */
async function textOf(
  deps: TicketDeps,
  tenantId: TenantId,
  task: Task,
): Promise<{ readonly title: string; readonly text: string }> {
  const { title, lines, dueAt, fourEyes } = await spelledOut(deps.store, tenantId, task);
  const person = await addressOf(deps.store, tenantId, task);
  const steps = lines.flatMap((line) => line.steps);
  const text = [
    ...(person === undefined ? [] : [`For ${person}:`, ""]),
    ...steps.map((step, at) => `${String(at + 1)}. ${step}`),
    "",
    `Due ${new Date(dueAt).toISOString()}.`,
    fourEyes ? "It is about admin rights: a second person confirms it." : "",
    fourEyes
      ? "Two people say that it is done with `rolecall tasks done`: resolving this ticket says nothing."
      : "Resolve this ticket when it is done. Rolecall looks at the vendor, and opens another one if it does not show.",
  ];
  return { title, text: text.join("\n") };
}
