import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, to, type Action, type Page, type Visit } from "./page.ts";
import {
  badge,
  button,
  card,
  clock,
  connectionLink,
  decision,
  facts,
  pageHead,
  person,
  state,
  table,
  tabs,
  when,
} from "./widgets.ts";

const taskShape = z.object({
  taskId: z.string(),
  title: z.string(),
  state: z.string(),
  trust: z.string().nullable(),
  cause: z.string(),
  connectionId: z.string().nullable(),
  identityId: z.string().nullable(),
  dueAt: z.number(),
  assignee: z.string().nullable(),
  claimedBy: z.string().nullable(),
  submittedBy: z.string().nullable(),
  fourEyes: z.boolean(),
  proof: z.string(),
  attempt: z.number(),
  note: z.string().nullable(),
  lines: z.array(
    z.object({
      steps: z.array(z.string()),
      because: z.array(z.string()),
      roleFrom: z.string().nullable(),
      roleTo: z.string().nullable(),
    }),
  ),
});
const listShape = z.object({
  tasks: z.array(taskShape.extend({ userName: z.string().nullable(), overdue: z.boolean() })),
});
const showShape = z.object({
  task: taskShape,
  evidence: z.array(
    z.object({
      evidenceId: z.string(),
      kind: z.string(),
      text: z.string(),
      by: z.string(),
      at: z.number(),
    }),
  ),
});
type Task = z.output<typeof taskShape>;

const claimAction: Action = {
  path: "/tasks/:taskId/claim",
  operation: "claimTask",
  input: (_form, { taskId }) => ({ taskId }),
  told: "It is yours now.",
};
const doneAction: Action = {
  path: "/tasks/:taskId/done",
  operation: "finishTask",
  input: (form, { taskId }) => ({ taskId, note: form.one("note") }),
  told: "Said to be done. It closes once the vendor, a roster or a second person shows it.",
};
const rejectAction: Action = {
  path: "/tasks/:taskId/reject",
  operation: "rejectTask",
  input: (form, { taskId }) => ({ taskId, why: form.one("why") }),
  told: "Rejected, with your reason.",
};
const evidenceAction: Action = {
  path: "/tasks/:taskId/evidence",
  operation: "attachEvidence",
  input: (form, { taskId }) => ({ taskId, kind: form.one("kind"), text: form.one("text") }),
  told: "Your evidence lies beside the task.",
};

export const taskActions = [claimAction, doneAction, rejectAction, evidenceAction];

export const tasksPage: Page = {
  path: "/tasks",
  nav: "tasks",
  title: () => "Tasks",
  render: async (visit) => {
    const { overdue, all, connection } = visit.query;
    const { tasks } = await ask(visit, "listTasks", { overdue, all, connection }, listShape);
    const view = overdue !== undefined ? "overdue" : all !== undefined ? "all" : "open";
    return html`${pageHead(
      "Tasks",
      "What people do by hand because no interface does it: what to click, for whom, until when, and what proves it.",
    )}
    ${tabs("Which tasks", [
      { text: "Open", href: to("/tasks"), here: view === "open" },
      { text: "Overdue", href: to("/tasks", { overdue: 1 }), here: view === "overdue" },
      { text: "All", href: to("/tasks", { all: 1 }), here: view === "all" },
    ])}
    ${card(
      "By hand",
      table(
        "Tasks",
        ["What", "For whom", "Where", "Why", "Due", "Who", "State"],
        tasks.map((task) => [
          html`<a href="${to(`/tasks/${task.taskId}`)}">${task.title}</a>`,
          task.identityId === null ? "" : person(task.identityId, task.userName),
          task.connectionId === null ? "" : connectionLink(task.connectionId),
          task.cause,
          html`${when(task.dueAt, visit.now)} ${task.overdue ? badge("late", "bad") : ""}`,
          task.claimedBy ?? task.assignee ?? html`<span class="faint">nobody yet</span>`,
          state(task.state),
        ]),
        "Nothing is left to do by hand.",
      ),
    )}`;
  },
};

export const taskPage: Page = {
  path: "/tasks/:taskId",
  nav: "tasks",
  title: () => "Task",
  render: async (visit) => {
    const { taskId = "" } = visit.params;
    const { task, evidence } = await ask(visit, "showTask", { taskId }, showShape);
    const live = !["done", "cancelled"].includes(task.state);
    return html`${pageHead(
      html`${task.title} ${state(task.state)}`,
      html`Due ${when(task.dueAt, visit.now)}, because of a ${task.cause}`,
      live && task.claimedBy === null
        ? button(visit, claimAction, "I am at it", { params: { taskId } })
        : undefined,
    )}
    ${card("What to do", steps(task))}
    ${card(
      "Facts",
      facts([
        ["Person", task.identityId === null ? "nobody" : person(task.identityId, undefined)],
        ["Where", task.connectionId === null ? "" : connectionLink(task.connectionId)],
        ["Should do it", task.assignee ?? "whoever claims it"],
        ["Is at it", task.claimedBy ?? "nobody yet"],
        ["Said to be done by", task.submittedBy ?? "nobody yet"],
        [
          "What ends it",
          task.proof === "word" ? "a person's word" : "a look at the vendor, or a roster",
        ],
        ["Two people", task.fourEyes ? "yes: admin rights are at stake" : "no"],
        ...(task.note === null ? [] : ([["Last note", task.note]] as const)),
      ]),
    )}
    ${live ? decide(visit, taskId) : ""}
    ${card(
      "Evidence",
      table(
        "Evidence",
        ["When", "Kind", "What", "By"],
        evidence.map((item) => [clock(item.at), item.kind, item.text, item.by]),
        "Nothing lies beside this task yet.",
      ),
    )}`;
  },
};

function steps(task: Task): Markup {
  return html`<ol>
    ${task.lines.map(
      (line) =>
        html`<li>
          ${line.steps.map((step) => html`${step}<br />`)}
          ${
            line.because.length === 0
              ? ""
              : html`<span class="faint">because of ${line.because.join(", ")}</span>`
          }
        </li>`,
    )}
  </ol>`;
}

function decide(visit: Visit, taskId: string): Piece {
  const params = { taskId };
  return html`<div class="card row-actions">
    ${decision(visit, doneAction, {
      label: "It is done",
      params,
      why: null,
      explain: "It closes once the vendor or a roster shows it, or a second person says so.",
      fields: html`<label
        >Note
        <input name="note" maxlength="2000" autocomplete="off" />
      </label>`,
    })}
    ${decision(visit, evidenceAction, {
      label: "Add evidence",
      params,
      why: null,
      explain: "A ticket, a line of text: what somebody can look up later.",
      fields: html`<label
          >Kind
          <select name="kind">
            <option value="ticket">ticket</option>
            <option value="note">note</option>
            <option value="log">log</option>
          </select>
        </label>
        <label
          >Text or address
          <input name="text" required maxlength="2000" autocomplete="off" />
        </label>`,
    })}
    ${decision(visit, rejectAction, {
      label: "It cannot be done",
      tone: "danger",
      params,
      explain: "Say why it cannot or shall not be done.",
    })}
  </div>`;
}
