export interface ChildQuestion {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** Id 0: ready. */
export type ChildAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/**
 * The child's side: answers the parent's questions one after the other, and ends when the parent does, so that no run leaves a
 * process behind.
 */
export function serveParent(handlers: Handlers, close: () => Promise<void> | void): void {
  const send = (answer: ChildAnswer) => {
    if (process.connected) process.send?.(answer);
  };
  let turn: Promise<void> = Promise.resolve();
  process.on("message", ({ id, name, argument }: ChildQuestion) => {
    turn = turn.then(async () => {
      try {
        const handler = handlers[name];
        if (handler === undefined) throw new Error(`nothing here is called ${name}`);
        send({ id, result: await handler(argument as never) });
      } catch (error) {
        send({
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    });
  });
  process.once("disconnect", () => {
    void end(close);
  });
  send({ id: 0, result: null });
}

async function end(close: () => Promise<void> | void): Promise<void> {
  try {
    await close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  }
}

/** What the parent gave at the start. */
export function startArgument<Argument>(): Argument {
  return JSON.parse(process.argv[2] ?? "{}") as Argument;
}
