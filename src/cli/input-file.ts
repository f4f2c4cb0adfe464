import { readFile } from "node:fs/promises";
import { CommandError, exitCodes, type Terminal } from "./command.ts";

/** The bytes of a file that the command line names. @throws CommandError (usage) where it cannot be read */
export async function fileBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(exitCodes.usage, `the file cannot be read: ${why}`);
  }
}

/** The text of a file that the command line names; `-` is standard input. @throws CommandError (usage) */
export async function inputText(terminal: Terminal, path: string): Promise<string> {
  return path === "-" ? terminal.readStdin() : (await fileBytes(path)).toString("utf8");
}
