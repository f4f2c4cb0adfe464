import type { Socket } from "node:net";
import type { PoolClient, QueryResult } from "pg";
import { stepsOf, type Step, type Steps } from "../sql/database.ts";
import { isEcho } from "./postgres-error.ts";
import { preparedText } from "./statement.ts";

/** How a transaction ended: with a result, or with what went wrong, and whether it was written all the same. */
export type Ended<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: unknown; readonly written: "no" | "unknown" };

/**
 * The statements of one transaction on one connection. They are sent without waiting for the answers of those before them, unless
 * the command asks for one: what needs no answer costs no round trip, and neither do BEGIN and COMMIT.
 */
class Conversation {
  private readonly client: PoolClient;
  private readonly sent: Promise<QueryResult | undefined>[] = [];
  /** The error that came first; those behind it only say that the transaction has failed. */
  private firstError: Error | undefined;
  private held = false;

  constructor(client: PoolClient) {
    this.client = client;
  }

  /** Sends; the answer may be waited for or not, its error is kept. */
  send(text: string, name?: string, values?: unknown[]): Promise<QueryResult | undefined> {
    this.hold();
    const answer = this.client
      .query({ text, ...(name !== undefined && { name }), ...(values !== undefined && { values }) })
      .catch((error: unknown) => {
        if (this.firstError === undefined || isEcho(this.firstError))
          this.firstError = error instanceof Error ? error : new Error(String(error));
        return undefined;
      });
    this.sent.push(answer);
    return answer;
  }

  /** Bytes of one turn of the event loop leave in one system call: each costs more than the statement that it carries. */
  private hold(): void {
    if (this.held) return;
    this.held = true;
    const { stream } = (this.client as unknown as { readonly connection: { stream: Socket } })
      .connection;
    stream.cork();
    process.nextTick(() => {
      this.held = false;
      stream.uncork();
    });
  }

  /** Runs a command or query to its end. @throws what went wrong first */
  async run<Result>(steps: Steps<Result>): Promise<Result> {
    let turn = steps.next();
    while (turn.done !== true) {
      const asked = turn.value;
      const answers = stepsOf(asked).map((step) => this.ask(step));
      // Without a promise to wait for, the next statement leaves with this one.
      const answer =
        "sql" in asked && asked.answer === "none" ? undefined : await Promise.all(answers);
      turn = steps.next("sql" in asked ? answer?.[0] : answer);
    }
    return turn.value;
  }

  private async ask(step: Step): Promise<unknown> {
    const { text, name } = preparedText(step.sql);
    const sent = this.send(text, name, step.parameters as unknown[]);
    if (step.answer === "none") return undefined;
    const result = await sent;
    if (result === undefined) throw this.firstError ?? new Error("no answer");
    return answerOf(step, result);
  }

  /** Waits for every answer. @returns what went wrong first */
  async settle(): Promise<Error | undefined> {
    await Promise.all(this.sent);
    return this.firstError;
  }
}

function answerOf(step: Step, result: QueryResult): unknown {
  switch (step.answer) {
    case "rows":
      return result.rows;
    case "row":
      return result.rows[0];
    case "count":
      return result.rowCount ?? 0;
    case "none":
      return undefined;
  }
}

/** Runs a command as one transaction. Resolves when it is on disk, or not. */
export async function runCommand<Result>(
  client: PoolClient,
  steps: Steps<Result>,
): Promise<Ended<Result>> {
  const conversation = new Conversation(client);
  void conversation.send("BEGIN");
  let result: Result;
  try {
    result = await conversation.run(steps);
  } catch (thrown) {
    void conversation.send("ROLLBACK");
    // What a statement before it had to say comes before what the command concluded.
    const first = await conversation.settle();
    return { ok: false, error: first ?? thrown, written: "no" };
  }
  const commit = await conversation.send("COMMIT");
  const first = await conversation.settle();
  if (commit?.command === "COMMIT" && first === undefined) return { ok: true, result };
  // COMMIT of a transaction that failed before answers ROLLBACK; without an answer, nobody knows.
  const error = first ?? new Error("the transaction was rolled back");
  return { ok: false, error, written: commit === undefined ? "unknown" : "no" };
}

/** Runs a query; all its reads see one state where `snapshot` says so. @throws what went wrong first */
export async function runQuery<Result>(
  client: PoolClient,
  steps: Steps<Result>,
  snapshot: boolean,
): Promise<Result> {
  const conversation = new Conversation(client);
  if (snapshot) void conversation.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    return await conversation.run(steps);
  } finally {
    if (snapshot) await conversation.send("COMMIT");
  }
}
