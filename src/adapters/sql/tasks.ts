import { StoreError } from "../../model/errors.ts";
import type { EvidenceId, TaskId, TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import type { TaskStore } from "../../tasks/task-store.ts";
import type { Evidence, Task } from "../../tasks/task.ts";
import { listText, parsed } from "./account-args.ts";
import { writeAlso } from "./also.ts";
import { caseIsDue } from "./case-rows.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

type Params<Method extends keyof TaskStore> = Parameters<TaskStore[Method]>;

interface TaskRow {
  readonly version: number;
  readonly body: string;
}

/** The body holds the whole task but its version, which the row counts. */
const toTask = (row: TaskRow): Task => ({ ...parsed<Task>(row.body), version: row.version });

/** Columns of a task beside its keys, in the order of both statements that write them. */
function columnsOf(task: Task): readonly (string | number | null)[] {
  const { version: _counted, ...body } = task;
  return [
    task.state,
    task.connectionId,
    task.identityId,
    task.assignee,
    task.dueAt,
    task.settledAt,
    documentText(body),
  ];
}

function* openTask(
  db: Database,
  {
    tenantId,
    task,
    also,
  }: { readonly tenantId: TenantId; readonly task: Task; readonly also: Also },
): Steps<null> {
  yield* db.run(
    `INSERT INTO tasks (state, connection_id, identity_id, assignee, due_at, settled_at, body, tenant_id, task_id, key, opened_at, version)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
    ...columnsOf(task),
    tenantId,
    task.taskId,
    task.key,
    task.openedAt,
  );
  yield* writeAlso(db, tenantId, also, task.openedAt);
  return null;
}

function* changeTask(
  db: Database,
  {
    tenantId,
    command,
    also,
  }: {
    readonly tenantId: TenantId;
    readonly command: Params<"changeTask">[1];
    readonly also: Also;
  },
): Steps<Task> {
  const { taskId, version, set, now } = command;
  const row = yield* db.get<TaskRow>(
    `SELECT version, body FROM tasks WHERE tenant_id = ? AND task_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    taskId,
  );
  if (row === undefined) throw new StoreError("NOT_FOUND", `there is no task ${taskId}`);
  if (row.version !== version)
    throw new StoreError("VERSION_CONFLICT", `the task ${taskId} was changed meanwhile`);
  const task: Task = { ...toTask(row), ...set, version: version + 1 };
  yield* db.tell(
    `UPDATE tasks SET state = ?, connection_id = ?, identity_id = ?, assignee = ?, due_at = ?, settled_at = ?, body = ?, version = version + 1
     WHERE tenant_id = ? AND task_id = ?`,
    ...columnsOf(task),
    tenantId,
    taskId,
  );
  if (task.cause === "leaver" && task.settledAt !== null) {
    // What a leaver's case owes may be done with it: its keeper looks.
    yield* db.tell(
      `${caseIsDue} case_id IN (SELECT o.case_id FROM obligations o WHERE o.tenant_id = ? AND o.identity_id = ? AND o.state = 'open')`,
      now,
      tenantId,
      tenantId,
      task.identityId,
    );
  }
  yield* writeAlso(db, tenantId, also, now);
  return task;
}

function* addEvidence(
  db: Database,
  {
    tenantId,
    command,
    also,
  }: {
    readonly tenantId: TenantId;
    readonly command: Params<"addEvidence">[1];
    readonly also: Also;
  },
): Steps<null> {
  const { evidence, content } = command;
  const task = yield* db.get<{ task_id: string }>(
    "SELECT task_id FROM tasks WHERE tenant_id = ? AND task_id = ?",
    tenantId,
    evidence.taskId,
  );
  if (task === undefined) throw new StoreError("NOT_FOUND", `there is no task ${evidence.taskId}`);
  yield* db.tell(
    "INSERT INTO task_evidence (tenant_id, evidence_id, task_id, at, body, content) VALUES (?, ?, ?, ?, ?, ?)",
    tenantId,
    evidence.evidenceId,
    evidence.taskId,
    evidence.at,
    documentText(evidence),
    content,
  );
  yield* writeAlso(db, tenantId, also, evidence.at);
  return null;
}

const getTask: Query<{ readonly tenantId: TenantId; readonly taskId: TaskId }, Task | undefined> = {
  place: "point",
  *run(db, { tenantId, taskId }) {
    const row = yield* db.get<TaskRow>(
      "SELECT version, body FROM tasks WHERE tenant_id = ? AND task_id = ?",
      tenantId,
      taskId,
    );
    return row === undefined ? undefined : toTask(row);
  },
};

const tasksOfKey: Query<
  { readonly tenantId: TenantId; readonly key: string },
  Awaited<ReturnType<TaskStore["tasksOfKey"]>>
> = {
  place: "point",
  *run(db, { tenantId, key }) {
    // One statement sees one state.
    const rows = yield* db.all<TaskRow & { readonly live: number }>(
      `SELECT version, body, 1 AS live FROM tasks WHERE tenant_id = ?1 AND key = ?2 AND settled_at IS NULL
       UNION ALL
       SELECT version, body, 0 AS live FROM (SELECT version, body FROM tasks WHERE tenant_id = ?1 AND key = ?2 AND settled_at IS NOT NULL
         ORDER BY settled_at DESC, task_id DESC LIMIT 1) AS last`,
      tenantId,
      key,
    );
    const found = (live: number) => {
      const row = rows.find((item) => item.live === live);
      return row === undefined ? undefined : toTask(row);
    };
    return { live: found(1), last: found(0) };
  },
};

const listTasks: Query<
  { readonly tenantId: TenantId; readonly filter: Params<"listTasks">[1] },
  readonly Task[]
> = {
  place: "scan",
  *run(db, { tenantId, filter }) {
    const conditions = ["tenant_id = ?"];
    const parameters: (string | number)[] = [tenantId];
    const also = (condition: string, ...values: readonly (string | number)[]) => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (filter.states !== undefined)
      also(`state IN (SELECT value FROM ${db.dialect.values("list")})`, listText(filter.states));
    if (filter.connectionId !== undefined) also("connection_id = ?", filter.connectionId);
    if (filter.identityId !== undefined) also("identity_id = ?", filter.identityId);
    if (filter.assignee !== undefined) also("assignee = ?", filter.assignee);
    if (filter.dueBefore !== undefined) also("due_at < ?", filter.dueBefore);
    if (filter.keyPrefix !== undefined)
      // No LIKE: keys may hold its wildcards.
      also(
        "key >= ? AND substr(key, 1, length(CAST(? AS TEXT))) = ?",
        filter.keyPrefix,
        filter.keyPrefix,
        filter.keyPrefix,
      );
    return (yield* db.all<TaskRow>(
      `SELECT version, body FROM tasks WHERE ${conditions.join(" AND ")} ORDER BY due_at, task_id LIMIT ?`,
      ...parameters,
      filter.limit,
    )).map(toTask);
  },
};

const listEvidence: Query<
  { readonly tenantId: TenantId; readonly taskId: TaskId },
  readonly Evidence[]
> = {
  place: "point",
  *run(db, { tenantId, taskId }) {
    return (yield* db.all<{ body: string }>(
      "SELECT body FROM task_evidence WHERE tenant_id = ? AND task_id = ? ORDER BY at, evidence_id",
      tenantId,
      taskId,
    )).map((row) => parsed<Evidence>(row.body));
  },
};

const readEvidence: Query<
  { readonly tenantId: TenantId; readonly evidenceId: EvidenceId },
  Awaited<ReturnType<TaskStore["readEvidence"]>>
> = {
  place: "point",
  *run(db, { tenantId, evidenceId }) {
    const row = yield* db.get<{ body: string; content: Uint8Array | null }>(
      "SELECT body, content FROM task_evidence WHERE tenant_id = ? AND evidence_id = ?",
      tenantId,
      evidenceId,
    );
    if (row === undefined) return undefined;
    return { evidence: parsed<Evidence>(row.body), content: row.content };
  },
};

export const taskCommands = { openTask, changeTask, addEvidence };
export const taskQueries = { getTask, tasksOfKey, listTasks, listEvidence, readEvidence };

/** The port of work by hand over an engine. */
export function taskStore(engine: Engine): TaskStore {
  return {
    openTask: async (tenantId, task, also) => {
      await engine.write(openTask, { tenantId, task, also });
    },
    changeTask: (tenantId, command, also) => engine.write(changeTask, { tenantId, command, also }),
    getTask: (tenantId, taskId) => engine.read(getTask, { tenantId, taskId }),
    tasksOfKey: (tenantId, key) => engine.read(tasksOfKey, { tenantId, key }),
    listTasks: (tenantId, filter) => engine.read(listTasks, { tenantId, filter }),
    addEvidence: async (tenantId, command, also) => {
      await engine.write(addEvidence, { tenantId, command, also });
    },
    listEvidence: (tenantId, taskId) => engine.read(listEvidence, { tenantId, taskId }),
    readEvidence: (tenantId, evidenceId) => engine.read(readEvidence, { tenantId, evidenceId }),
  };
}
