import type { Json } from "../model/json.ts";
import { exitCodes, type Invocation } from "./command.ts";

type Input = Readonly<Record<string, Json | undefined>>;

/** Calls one operation and prints its answer: as it is with --json, else through `render`. */
export async function show(
  invocation: Invocation,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  input: Input,
  render: (answer: unknown) => string,
): Promise<0> {
  const answer = await (await invocation.api()).call(method, path, input);
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : render(answer),
  );
  return exitCodes.ok;
}

export function done(text: string) {
  return (): string => `${text}\n`;
}
