import { startChild, type Child } from "./child.ts";
import type { Row, Stage } from "./measure.ts";
import type { LoadAnswer, LoadRound, Target } from "./processes/load.ts";
import type { ScimServerStart, StoreLoopAnswer } from "./processes/scim-server.ts";
import { median, pairedRatio, range } from "./statistics.ts";

/** Requests under way at one time. */
export const connections = 16;

export type Job = "create" | "switch" | "read";
export type Length = Pick<LoadRound, "seconds" | "amount">;

/** One server of the SCIM request path with all that was seen of it. */
export class Contestant {
  readonly rounds: Record<Job, LoadAnswer[]> = { create: [], switch: [], read: [] };
  readonly cpuUs: Record<Job, number[]> = { create: [], switch: [], read: [] };
  readonly #server: Child;
  readonly #target: Target;
  readonly #ids: readonly string[];
  readonly #next: Record<Job, number> = { create: 1_000_000, switch: 0, read: 0 };
  #nextLoop = 5_000_000;

  static async start(
    stage: Stage,
    load: Child,
    kind: ScimServerStart["kind"] | "scimmy",
    pool: number,
    /** URL of an empty database; undefined: SQLite in a folder of its own. */
    database?: string,
  ): Promise<Contestant> {
    const server =
      kind === "scimmy"
        ? await startChild(stage, "scimmy-server.ts")
        : await startChild(stage, "scim-server.ts", {
            kind,
            folder: await stage.folder(),
            ...(database === undefined ? {} : { database }),
          } satisfies ScimServerStart);
    const target = await server.ask<Target>("address");
    const ids =
      kind === "empty"
        ? ["00000000-0000-7000-8000-000000000000"]
        : await load.ask<readonly string[]>("create", { target, from: 0, count: pool });
    return new Contestant(server, target, ids);
  }

  private constructor(server: Child, target: Target, ids: readonly string[]) {
    this.#server = server;
    this.#target = target;
    this.#ids = ids;
  }

  async play(load: Child, job: Job, length: Length, counts: boolean): Promise<void> {
    const before = await this.#server.ask<NodeJS.CpuUsage>("cpu");
    const round: LoadRound = {
      target: this.#target,
      connections,
      ...length,
      job,
      from: this.#next[job],
      ids: this.#ids,
    };
    const answer = await load.ask<LoadAnswer>("load", round);
    const after = await this.#server.ask<NodeJS.CpuUsage>("cpu");
    this.#next[job] = answer.next;
    if (!counts) return;
    this.rounds[job].push(answer);
    const spent = after.user + after.system - before.user - before.system;
    this.cpuUs[job].push(spent / answer.answered);
  }

  /** Without HTTP, writes per second: the same command, or plain statements of SQLite. */
  async loop(name: "storeLoop" | "rawLoop", seconds: number): Promise<number> {
    const order = { seconds, callers: connections, from: this.#nextLoop };
    const answer = await this.#server.ask<StoreLoopAnswer>(name, order);
    this.#nextLoop = answer.next;
    return answer.perSecond;
  }

  rates(job: Job): readonly number[] {
    return this.rounds[job].map((round) => round.perSecond);
  }
}

export function rateRow(
  name: string,
  job: Job,
  ours: Contestant,
  bare: Contestant,
  least: number,
): Row {
  return {
    measure: name,
    ours: rate(ours.rates(job)),
    floor: { ...rate(bare.rates(job)), what: "bare route, same rows" },
    ratio: pairedRatio(ours.rates(job), bare.rates(job)),
    goal: { kind: "ratio-at-least", value: least },
  };
}

export function cpuRow(name: string, job: Job, ours: Contestant, bare: Contestant): Row {
  return {
    measure: `${name}, the server's processor time a request`,
    ours: { value: median(ours.cpuUs[job]), unit: "µs" },
    floor: { value: median(bare.cpuUs[job]), unit: "µs", what: "bare route, same rows" },
    ratio: pairedRatio(ours.cpuUs[job], bare.cpuUs[job]),
  };
}

export function rate(rates: readonly number[]) {
  return { value: median(rates), unit: "/s", range: range(rates) } as const;
}

export function note(
  name: string,
  job: Job,
  ours: Contestant,
  empty: Contestant | undefined,
): string {
  const of = (pick: (round: LoadAnswer) => number) => median(ours.rounds[job].map(pick)).toFixed(0);
  return (
    `${name}: latency as the client saw it ${of((round) => round.p50)} ms median, ${of((round) => round.p99)} ms p99; the client spent ` +
    `${of((round) => round.clientCpuUs)} µs of processor time a request on the same cores` +
    (empty === undefined
      ? "."
      : `; against the server that stores nothing it reached ${median(empty.rates(job)).toFixed(0)}/s.`)
  );
}
