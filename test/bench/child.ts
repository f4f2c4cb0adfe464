import { fork, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Stage } from "./measure.ts";
import type { ChildAnswer, ChildQuestion } from "./processes/serve-parent.ts";

/** A process of the bench: a server or a load generator, so that neither lives on the other's event loop. */
export interface Child {
  readonly pid: number;
  /** Calls a handler of the child. @throws Error with the child's own message, or when it has ended */
  ask<Result>(name: string, argument?: unknown): Promise<Result>;
  memory(): Memory;
  /** The newest of what it wrote, for error messages. */
  output(): string;
  /** Ends it calmly, and by force when it does not. */
  stop(): Promise<void>;
}

/** In MB (2^20 bytes). */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

const compileCache = fileURLToPath(
  new URL("../../node_modules/.cache/node-compile-cache", import.meta.url),
);
const stopGraceMs = 10_000;

/** Starts a file of `processes/` and resolves when it says that it is ready. It ends with the stage, however that ends. */
export async function startChild(
  stage: Stage,
  file: string,
  argument: object = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const logPath = join(await stage.folder(), "output.log");
  const log = openSync(logPath, "a");
  const path = fileURLToPath(new URL(`processes/${file}`, import.meta.url));
  const child = fork(path, [JSON.stringify(argument)], {
    stdio: ["ignore", log, log, "ipc"],
    // Many processes load the same files: compiled once, they start faster.
    env: { ...process.env, ...environment, NODE_COMPILE_CACHE: compileCache },
    execArgv: [
      // As `npm start` sets it.
      ...memoryFlags,
      ...(stage.profileFolder === undefined ? [] : profileFlags(stage.profileFolder)),
    ],
  });
  closeSync(log);
  const wire = new Wire(child, file, logPath);
  stage.cleanUp(() => wire.stop());
  await wire.ready;
  return {
    pid: child.pid ?? 0,
    ask: (name, of) => wire.ask(name, of),
    memory: () => memoryOf(child.pid ?? 0),
    output: () => tail(logPath),
    stop: () => wire.stop(),
  };
}

const memoryFlags = startCommand().filter((word) => word.startsWith("--"));

/** The words of the npm script that serves. */
function startCommand(): readonly string[] {
  const path = new URL("../../package.json", import.meta.url);
  const { scripts } = JSON.parse(readFileSync(path, "utf8")) as { scripts: { start: string } };
  return scripts.start.split(" ");
}

const profileFlags = (folder: string) => ["--cpu-prof", `--cpu-prof-dir=${folder}`];

class Wire {
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #exited: Promise<void>;
  #lastId = 0;
  #ended: Error | undefined;

  constructor(child: ChildProcess, file: string, logPath: string) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#ended = new Error(
          `${file} has ended (${signal ?? `exit ${String(code)}`}): ${tail(logPath)}`,
        );
        for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
        this.#waiting.clear();
        resolve();
      });
    });
    this.ready = this.#wait(0) as Promise<void>;
    child.on("message", (answer: ChildAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("error" in answer) waiting?.reject(new Error(`${file}: ${answer.error}`));
      else waiting?.resolve(answer.result);
    });
  }

  async ask<Result>(name: string, argument: unknown): Promise<Result> {
    if (this.#ended !== undefined) throw this.#ended;
    this.#lastId += 1;
    const answer = this.#wait(this.#lastId);
    this.#child.send({ id: this.#lastId, name, argument } satisfies ChildQuestion);
    return (await answer) as Result;
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    if (this.#child.connected) this.#child.disconnect();
    const force = setTimeout(() => this.#child.kill("SIGKILL"), stopGraceMs);
    await this.#exited;
    clearTimeout(force);
  }

  #wait(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

function tail(path: string): string {
  const text = readFileSync(path, "utf8").trim();
  return text === "" ? "it said nothing" : text.slice(-600);
}

/** From the kernel's own books; zeros where there are none (not Linux). */
function memoryOf(pid: number): Memory {
  let text: string;
  try {
    text = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  } catch {
    return { now: 0, peak: 0 };
  }
  const of = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1_024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}
