import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import type { LoadAnswer, LoadRound, Target } from "../processes/load.ts";
import type { ScimServerStart, StoreLoopAnswer } from "../processes/scim-server.ts";
import { median, pairedRatio, range } from "../statistics.ts";

const connections = 16;

export const scimWrites: Measure = {
  name: "scim-writes",
  title: "SCIM writes, durable, 16 connections",
  method:
    "Three servers in processes of their own, each with a store of its own on disk (WAL, synchronous FULL, group commit): the SCIM router " +
    "as it is served, with token check, log to a file and metrics; a bare express route that parses the same body and calls the same store " +
    "command; and one that stores nothing. One load generator (autocannon) turns to one after the other, round after round; rates are " +
    "medians of the rounds, ratios medians of each round's ratio. Recompute runs in none of them, as in a process with the role `api` alone.",
  timeoutMs: 400_000,
  run: measureWrites,
};

type Job = "create" | "switch";

/** One server with all that was seen of it. */
class Contestant {
  readonly kind: ScimServerStart["kind"];
  readonly rounds: Record<Job, LoadAnswer[]> = { create: [], switch: [] };
  readonly cpuUs: Record<Job, number[]> = { create: [], switch: [] };
  readonly #server: Child;
  readonly #target: Target;
  readonly #ids: readonly string[];
  readonly #next: Record<Job, number> = { create: 1_000_000, switch: 0 };
  #nextLoop = 5_000_000;

  static async start(
    stage: Stage,
    load: Child,
    kind: ScimServerStart["kind"],
    pool: number,
  ): Promise<Contestant> {
    const start: ScimServerStart = { kind, folder: await stage.folder() };
    const server = await startChild(stage, "scim-server.ts", start);
    const target = await server.ask<Target>("address");
    const ids =
      kind === "empty"
        ? ["00000000-0000-7000-8000-000000000000"]
        : await load.ask<readonly string[]>("create", { target, from: 0, count: pool });
    return new Contestant(kind, server, target, ids);
  }

  private constructor(
    kind: ScimServerStart["kind"],
    server: Child,
    target: Target,
    ids: readonly string[],
  ) {
    this.kind = kind;
    this.#server = server;
    this.#target = target;
    this.#ids = ids;
  }

  async play(load: Child, job: Job, seconds: number, counts: boolean): Promise<void> {
    const before = await this.#server.ask<NodeJS.CpuUsage>("cpu");
    const round: LoadRound = {
      target: this.#target,
      connections,
      seconds,
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

  /** The same command without HTTP, writes per second. */
  async storeLoop(seconds: number): Promise<number> {
    const order = { seconds, callers: connections, from: this.#nextLoop };
    const answer = await this.#server.ask<StoreLoopAnswer>("storeLoop", order);
    this.#nextLoop = answer.next;
    return answer.perSecond;
  }

  rates(job: Job): readonly number[] {
    return this.rounds[job].map((round) => round.perSecond);
  }
}

async function measureWrites(stage: Stage): Promise<Findings> {
  const [rounds, seconds, pool] = stage.size === "smoke" ? [1, 1, 16] : [9, 2, 2_000];
  const load = await startChild(stage, "load.ts");
  const start = (kind: ScimServerStart["kind"]) => Contestant.start(stage, load, kind, pool);
  const [ours, bare, empty] = [await start("rolecall"), await start("bare"), await start("empty")];
  const storeLoop: number[] = [];
  // Round 0 warms up and does not count.
  for (let round = stage.size === "smoke" ? 1 : 0; round <= rounds; round++) {
    for (const job of ["create", "switch"] as const) {
      for (const each of [ours, bare, empty]) await each.play(load, job, seconds, round > 0);
    }
    const rate = await bare.storeLoop(seconds / 2);
    if (round > 0) storeLoop.push(rate);
    stage.say(`round ${String(round)} of ${String(rounds)}`);
  }
  return {
    rows: [
      rateRow("POST /Users", "create", ours, bare),
      rateRow("PATCH active", "switch", ours, bare),
      cpuRow("POST /Users", "create", ours, bare),
      cpuRow("PATCH active", "switch", ours, bare),
      {
        measure: "POST /Users beside the store command alone, no HTTP",
        ours: rate(ours.rates("create")),
        floor: { ...rate(storeLoop), what: "16 callers of the command" },
        ratio: pairedRatio(ours.rates("create"), storeLoop),
      },
    ],
    notes: [
      note("POST /Users", "create", ours, empty),
      note("PATCH active", "switch", ours, empty),
      "Processor time counts all threads of the server: it tells on a busy machine what rates cannot.",
    ],
  };
}

function rateRow(name: string, job: Job, ours: Contestant, bare: Contestant): Row {
  return {
    measure: name,
    ours: rate(ours.rates(job)),
    floor: { ...rate(bare.rates(job)), what: "bare route, same rows" },
    ratio: pairedRatio(ours.rates(job), bare.rates(job)),
    goal: { kind: "ratio-at-least", value: 0.8 },
  };
}

function cpuRow(name: string, job: Job, ours: Contestant, bare: Contestant): Row {
  return {
    measure: `${name}, the server's processor time a request`,
    ours: { value: median(ours.cpuUs[job]), unit: "µs" },
    floor: { value: median(bare.cpuUs[job]), unit: "µs", what: "bare route, same rows" },
    ratio: pairedRatio(ours.cpuUs[job], bare.cpuUs[job]),
  };
}

function rate(rates: readonly number[]) {
  return { value: median(rates), unit: "/s", range: range(rates) } as const;
}

function note(name: string, job: Job, ours: Contestant, empty: Contestant): string {
  const of = (pick: (round: LoadAnswer) => number) => median(ours.rounds[job].map(pick)).toFixed(0);
  return (
    `${name}: latency as the client saw it ${of((round) => round.p50)} ms median, ${of((round) => round.p99)} ms p99; the client spent ` +
    `${of((round) => round.clientCpuUs)} µs of processor time a request on the same cores; against the server that stores nothing it reached ` +
    `${median(empty.rates(job)).toFixed(0)}/s.`
  );
}
