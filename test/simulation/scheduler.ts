import type { Clock, Instant } from "../../src/model/clock.ts";
import type { Random } from "./random.ts";

/** One life of one process: what it awaits and what it planned dies with it. */
export class Life {
  readonly name: string;
  alive = true;
  /** Monotonic: until then it gets no turn, as under a stopped virtual machine. */
  stalledUntil = 0;

  /** Resolves when it ends, for whoever waits for its answer. */
  readonly death: Promise<undefined>;
  #died: () => void = () => undefined;

  constructor(name: string) {
    this.name = name;
    this.death = new Promise((resolve) => {
      this.#died = () => {
        resolve(undefined);
      };
    });
  }

  end(): void {
    this.alive = false;
    this.#died();
  }
}

/** What becomes of one adapter call. `lost`: it happened, and the caller hears this error instead. */
export type Fate =
  | { readonly kind: "run" }
  | { readonly kind: "stall"; readonly ms: number }
  | { readonly kind: "crash_before" }
  | { readonly kind: "crash_after" }
  | { readonly kind: "refused"; readonly error: Error }
  | { readonly kind: "lost"; readonly error: Error };

interface Call {
  readonly life: Life;
  readonly name: string;
  readonly readyAt: number;
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Timer {
  readonly life: Life;
  readonly at: number;
  readonly fire: () => void;
  /** Of a loop that looks whether there is work: may be late while there is none of its kind. */
  readonly poll: Poll | undefined;
}

/** What the loops of a process look for, again and again. */
export type Poll =
  | "hints"
  | "marks"
  | "fanouts"
  | "targets"
  | "lanes"
  | "cases"
  | "night"
  | "rollouts"
  | "reviews"
  | "tickets"
  | "sources"
  | "gauges";

/** By the last thing that a loop asked before it went to rest, and how long its rest is where it found nothing. Nobody here opens reviews or tickets. */
const polls: Readonly<Record<string, Readonly<Record<number, Poll>>>> = {
  "store.listUnpublished": { 1_000: "hints" },
  "store.listOverdue": { 1_000: "marks" },
  "store.leaseFanout": { 1_000: "fanouts" },
  "store.nextTargetDueAt": { 1_000: "targets" },
  "store.listLanes": { 5_000: "lanes", 30_000: "tickets" },
  "store.nextCaseDueAt": { 60_000: "cases" },
  "store.leaseSchedule": { 600_000: "night" },
  "store.rollingMappings": { 30_000: "rollouts" },
  "store.recomputeBacklog": { 1_000: "gauges" },
  "store.listPendingRevocations": { 60_000: "reviews" },
};

/** Turns without any progress of time after which the world is said to run in circles. */
const turnsMax = 60_000;

/**
 * Of loops that look for quiet sources and for people at whom nobody looked for long. Their first round is in every run; later ones are
 * left out: with them each quarter of an hour of a leaver's day would be a round of vendor calls, and what a look finds the runs ask for themselves.
 */
const slowMs = 300_000;

export type DueTimes = Readonly<Partial<Record<Poll, Instant>>>;

export interface Turn {
  /** What an adapter call meets; asked once per call. */
  readonly fateOf: (life: Life, name: string) => Fate;
  readonly onCrash: (life: Life) => void;
  /** Whether something was found that ends the run. */
  readonly halted: () => boolean;
  /** By kind, the next instant at which there is work, now included; a kind that is not there: none in sight. */
  readonly nextDue: () => Promise<DueTimes>;
}

/**
 * Owns time and order. Every call of an adapter waits here until its turn comes, in an order that the seed draws; time moves only
 * when nobody can go on. Polls that would find nothing are skipped over, so that days cost as much as what happens in them.
 */
export class Scheduler {
  monotonic = 0;
  /** Wall time minus monotonic time; a jump of the clock changes it. */
  offset: number = Date.UTC(2026, 0, 5, 9);
  readonly lines: string[] = [];
  /** How many turns there were: the price of a run. */
  turns = 0;
  tracing = false;
  readonly #random: Random;
  #turn: Turn = {
    fateOf: () => ({ kind: "run" }),
    onCrash: () => undefined,
    halted: () => false,
    nextDue: () => Promise.resolve({}),
  };
  #calls: Call[] = [];
  #timers: Timer[] = [];
  #due: DueTimes = {};
  /** The call whose answer is being heard. */
  #answered = "";
  #turnsAt = 0;
  #turnsHere = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get now(): Instant {
    return Math.floor(this.monotonic + this.offset);
  }

  attach(turn: Turn): void {
    this.#turn = turn;
  }

  /** One line of the trace, where one is kept. */
  tell(who: string, what: () => string): void {
    if (this.tracing)
      this.lines.push(
        `${(this.monotonic / 1_000).toFixed(3).padStart(10)}s ${who.padEnd(10)} ${what()}`,
      );
  }

  /** An adapter call: happens when its turn comes, not before `delayMs`. A call of a dead life never ends. */
  call<T>(life: Life, name: string, run: () => T | Promise<T>, delayMs = 0): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!life.alive) return;
      this.#calls.push({
        life,
        name,
        readyAt: this.monotonic + delayMs,
        run,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
  }

  after(life: Life, ms: number, fire: () => void, poll?: Poll): () => void {
    const timer: Timer = { life, at: this.monotonic + Math.max(0, ms), fire, poll };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  sleep(life: Life, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = () => {
        cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const poll = ms === slowMs ? "sources" : polls[this.#answered]?.[ms];
      const cancel = this.after(life, ms, done, poll);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  /** The clock of one life. */
  clockOf(life: Life, random: Random): Clock {
    return {
      now: () => this.now,
      monotonic: () => this.monotonic,
      sleep: (ms, signal) => this.sleep(life, ms, signal),
      after: (ms, fire) => this.after(life, ms, fire),
      random: () => random.next(),
      bytes: (size) => Uint8Array.from({ length: size }, () => random.int(256)),
    };
  }

  kill(life: Life): void {
    if (!life.alive) return;
    life.end();
    this.#calls = this.#calls.filter((call) => call.life !== life);
    this.#timers = this.#timers.filter((timer) => timer.life !== life);
    this.tell(life.name, () => "† dies");
    this.#turn.onCrash(life);
  }

  /** Lets `ms` of time pass, with everything that happens in it. */
  async pass(ms: number): Promise<void> {
    await settle();
    const end = this.monotonic + ms;
    while (!this.#turn.halted()) {
      if (await this.#oneCall()) continue;
      const next = await this.#nextInstant();
      if (next === undefined || next > end) {
        this.monotonic = end;
        return;
      }
      await this.#moveTo(next);
    }
  }

  /** Gives turns, and time where it is needed, until `work` is over. */
  async until(work: Promise<unknown>, maxMs = 3_600_000): Promise<void> {
    const state: { done: boolean } = { done: false };
    const over = () => {
      state.done = true;
    };
    work.then(over, over);
    const end = this.monotonic + maxMs;
    await settle();
    while (!state.done && !this.#turn.halted()) {
      if (await this.#oneCall()) continue;
      const next = await this.#nextInstant();
      if (next === undefined || next > end) throw new Error("what was waited for does not end");
      await this.#moveTo(next);
    }
    if (state.done) await work;
  }

  async #oneCall(): Promise<boolean> {
    const ready = this.#calls.filter(
      (call) => call.readyAt <= this.monotonic && call.life.stalledUntil <= this.monotonic,
    );
    if (ready.length === 0) return false;
    this.#countTurn();
    const call = this.#random.pick(ready);
    this.#calls.splice(this.#calls.indexOf(call), 1);
    const fate = this.#turn.fateOf(call.life, call.name);
    if (fate.kind === "crash_before") {
      this.kill(call.life);
      return true;
    }
    if (fate.kind === "stall") {
      call.life.stalledUntil = this.monotonic + fate.ms;
      this.#calls.push(call);
      return true;
    }
    if (fate.kind === "refused") {
      this.tell(call.life.name, () => `${call.name} refused: ${fate.error.message}`);
      call.reject(fate.error);
      await settle();
      return true;
    }
    await this.#perform(call, fate);
    await settle();
    this.#answered = "";
    return true;
  }

  async #perform(call: Call, fate: Fate): Promise<void> {
    let end: () => void;
    try {
      const value = await call.run();
      end = () => {
        call.resolve(value);
      };
    } catch (error) {
      end = () => {
        call.reject(error as Error);
      };
    }
    if (fate.kind === "crash_after") this.kill(call.life);
    else if (fate.kind === "lost") {
      this.tell(call.life.name, () => `${call.name} happened, its answer is lost`);
      call.reject(fate.error);
    } else if (call.life.alive) {
      this.#answered = call.name;
      end();
    }
  }

  async #nextInstant(): Promise<number | undefined> {
    this.#due = await this.#turn.nextDue();
    let next = Infinity;
    for (const timer of this.#timers) {
      const at = Math.max(timer.at, timer.life.stalledUntil);
      // What is due is found by the next poll for it, and so is what the one before could not do.
      if (timer.poll === undefined) next = Math.min(next, at);
      else next = Math.min(next, Math.max(at, (this.#due[timer.poll] ?? Infinity) - this.offset));
    }
    for (const call of this.#calls)
      next = Math.min(next, Math.max(call.readyAt, call.life.stalledUntil));
    return Number.isFinite(next) ? Math.max(next, this.monotonic) : undefined;
  }

  async #moveTo(at: number): Promise<void> {
    this.#countTurn();
    this.monotonic = Math.max(this.monotonic, at);
    const ripe = this.#timers
      .filter((timer) => timer.at <= this.monotonic && timer.life.stalledUntil <= this.monotonic)
      // Nobody is woken to find nothing: a poll is late until there is work.
      .filter(
        (timer) => timer.poll === undefined || (this.#due[timer.poll] ?? Infinity) <= this.now,
      )
      .sort((a, b) => a.at - b.at);
    this.#timers = this.#timers.filter((timer) => !ripe.includes(timer));
    for (const timer of ripe) timer.fire();
    await settle();
  }

  #countTurn(): void {
    this.turns += 1;
    if (this.monotonic !== this.#turnsAt) {
      this.#turnsAt = this.monotonic;
      this.#turnsHere = 0;
    }
    this.#turnsHere += 1;
    if (this.#turnsHere > turnsMax) throw new Error("the world runs in circles without time");
  }
}

/** Everything that the last turn set off has run when this resolves: one pass of the event loop empties both queues before it. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
