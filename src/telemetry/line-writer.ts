import { writeSync } from "node:fs";
import { setImmediate } from "node:timers";

/** A line that tells of a problem, as pino begins it. */
const problem = /^\{"level":"(?:warn|error)"/;
/** More than that is not held back: characters. */
const heldMax = 65_536;

/**
 * Writes log lines to a file descriptor. The lines of one turn of the event loop go out in one call: under load a call a line
 * is a twentieth of a request. A problem is written at once with all that came before it, and so is everything at the end of
 * the process, by an uncaught error too; only what ends it from outside (SIGKILL, power) can cost the lines of that turn.
 */
export function lineWriter(fd: number): (line: string) => void {
  const known = writers.get(fd);
  if (known !== undefined) return known.write;
  if (writers.size === 0) {
    process.on("exit", () => {
      for (const writer of writers.values()) writer.flush();
    });
  }
  const writer = createWriter(fd);
  writers.set(fd, writer);
  return writer.write;
}

interface Writer {
  readonly write: (line: string) => void;
  readonly flush: () => void;
}

/** One of each file: the lines of two loggers keep their order. */
const writers = new Map<number, Writer>();

function createWriter(fd: number): Writer {
  let held = "";
  let isDue = false;
  const flush = () => {
    isDue = false;
    const text = held;
    held = "";
    if (text !== "") writeAll(fd, text);
  };
  const write = (line: string) => {
    held += line;
    if (held.length > heldMax || problem.test(line)) {
      flush();
    } else if (!isDue) {
      isDue = true;
      setImmediate(flush);
    }
  };
  return { write, flush };
}

/** A pipe takes a part, or for a moment nothing. */
function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text, "utf8");
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nobody reads any more: a log that is not read is no reason to stop serving.
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
