import { pino, type Logger as PinoLogger } from "pino";
import type { Clock } from "../model/clock.ts";
import type { LogFacts, Logger } from "../model/log.ts";
import { lineWriter } from "./line-writer.ts";
import { createRedact, sensitiveNames } from "./redaction.ts";

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Domain time of each line, the same as in records. */
  readonly clock: Pick<Clock, "now">;
  /** Facts of every line: version, instance. */
  readonly base?: LogFacts;
  /** Names beyond the standing list whose values are redacted. @throws Error at construction for one that cannot match */
  readonly redact?: readonly string[];
  /** Takes each finished line with its line end; default: standard error. */
  readonly write?: (line: string) => void;
}

/** The root logger: JSON lines, redacted. Rooms get children with bound facts. */
export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedact([...sensitiveNames, ...(options.redact ?? [])]);
  const plain = (facts: object) => redact(facts) as Record<string, unknown>;
  const root = pino(
    {
      level: options.level,
      base: options.base === undefined ? null : plain(options.base),
      messageKey: "message",
      timestamp: timestamps(options.clock),
      formatters: { level: (label) => ({ level: label }), log: plain },
      // Errors are described by the redaction, at any depth; pino would take the description for an error.
      serializers: { err: (value: unknown) => value },
    },
    { write: options.write ?? lineWriter(2) },
  );
  return loggerOver(root, plain);
}

/** Under load many lines belong to one millisecond: its text is made once. */
function timestamps(clock: Pick<Clock, "now">): () => string {
  let at: number | undefined;
  let text = "";
  return () => {
    const now = clock.now();
    if (now !== at) {
      at = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

/** pino formats the bound facts of its root only, so those of children are redacted here. */
function loggerOver(line: PinoLogger, plain: (facts: object) => Record<string, unknown>): Logger {
  return {
    debug: (facts, message) => {
      line.debug(facts, message);
    },
    info: (facts, message) => {
      line.info(facts, message);
    },
    warn: (facts, message) => {
      line.warn(facts, message);
    },
    error: (facts, message) => {
      line.error(facts, message);
    },
    child: (facts) => loggerOver(line.child(plain(facts)), plain),
  };
}
