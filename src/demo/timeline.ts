import type { Clock, Instant } from "../model/clock.ts";

/** Where the demo tells its story: coloured with a live last line on a terminal, plain lines elsewhere. */
export class Timeline {
  readonly #clock: Clock;
  readonly #startedAt: Instant;
  readonly #write: (text: string) => void;
  readonly #live: boolean;
  readonly #columns: number;
  #status = "";

  constructor(options: {
    readonly clock: Clock;
    readonly write: (text: string) => void;
    readonly live: boolean;
    /** Width of the terminal: a longer moving line would wrap and leave its beginning behind. */
    readonly columns: number;
  }) {
    this.#clock = options.clock;
    this.#startedAt = options.clock.now();
    this.#write = options.write;
    this.#live = options.live;
    this.#columns = options.columns;
  }

  /** A line of the story: who acts, and what. */
  tell(who: "IdP" | "HR" | "you" | "vendor" | "Rolecall" | "chaos", text: string): void {
    const line = `${this.#stamp()}  ${who.padEnd(8)}  ${text}`;
    this.#line(this.#live ? `${colours[who]}${line}\u001b[0m` : line);
  }

  /** A line without a time. */
  say(text: string): void {
    this.#line(text);
  }

  /** The moving last line; nothing where nobody watches. */
  status(text: string): void {
    if (!this.#live || text === this.#status) return;
    this.#status = text;
    const line = `${this.#stamp()}  ${text}`.slice(0, Math.max(20, this.#columns - 1));
    this.#write(`\r\u001b[2K\u001b[2m${line}\u001b[0m`);
  }

  /** Takes the moving line away. */
  end(): void {
    if (this.#live && this.#status !== "") this.#write("\r\u001b[2K");
    this.#status = "";
  }

  #line(text: string): void {
    const status = this.#status;
    this.end();
    this.#write(`${text}\n`);
    if (status !== "") this.status(status);
  }

  /** Story time since the beginning: `+00:14:30`. */
  #stamp(): string {
    const seconds = Math.floor((this.#clock.now() - this.#startedAt) / 1000);
    const part = (value: number) => String(value).padStart(2, "0");
    return `+${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
  }
}

const colours = {
  IdP: "\u001b[36m",
  HR: "\u001b[34m",
  you: "\u001b[35m",
  vendor: "\u001b[33m",
  Rolecall: "\u001b[32m",
  chaos: "\u001b[31m",
} as const;
