import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import type { LoadAnswer, LoadRound, Target } from "../processes/load.ts";
import type { ScimServerStart, StoreLoopAnswer } from "../processes/scim-server.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio, range } from "../statistics.ts";

const connections = 16;

export const scimWrites: Measure = {
  name: "scim-writes",
  title: "SCIM writes, durable, 16 connections",
  method:
    "Four servers in processes of their own, each with a store of its own on disk (WAL, synchronous FULL, group commit): the SCIM router " +
    "as it is served, with token check, log to a file and metrics; a bare express route that parses the same body and calls the same store " +
    "command; express over scimmy's own resources with people in a map, nothing durable; and a route that stores nothing. One load generator (autocannon) turns to one after the other, round after round; rates are " +
    "medians of the rounds, ratios medians of each round's ratio. Recompute runs in none of them, as in a process with the role `api` alone.",
  timeoutMs: 400_000,
  run: measureWrites,
};

type Job = "create" | "switch";
type Length = Pick<LoadRound, "seconds" | "amount">;

/** One server with all that was seen of it. */
class Contestant {
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
    kind: ScimServerStart["kind"] | "scimmy",
    pool: number,
  ): Promise<Contestant> {
    const server =
      kind === "scimmy"
        ? await startChild(stage, "scimmy-server.ts")
        : await startChild(stage, "scim-server.ts", {
            kind,
            folder: await stage.folder(),
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

async function measureWrites(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const plan = smoke ? { least: 2, most: 2, seconds: 1 } : { least: 4, most: 10, seconds: 180 };
  const length = smoke ? { amount: 32 } : { seconds: 2 };
  const loopSeconds = smoke ? 0.1 : 1;
  const pool = smoke ? 16 : 500;
  const load = await startChild(stage, "load.ts");
  const start = (kind: Parameters<typeof Contestant.start>[2]) =>
    Contestant.start(stage, load, kind, pool);
  const ours = await start("rolecall");
  const bare = await start("bare");
  const scimmy = await start("scimmy");
  const empty = await start("empty");
  const all = [ours, bare, scimmy, empty];
  const storeLoop: number[] = [];
  const rawLoop: number[] = [];
  // Round 0 warms up and does not count.
  for (const round of rounds(plan)) {
    for (const job of ["create", "switch"] as const) {
      for (const each of all) await each.play(load, job, length, round > 0);
    }
    const loops = [
      await bare.loop("storeLoop", loopSeconds),
      await bare.loop("rawLoop", loopSeconds),
    ] as const;
    if (round > 0) {
      storeLoop.push(loops[0]);
      rawLoop.push(loops[1]);
    }
    stage.say(`round ${String(round)}`);
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
      {
        measure: "the store command alone beside plain statements of SQLite",
        ours: rate(storeLoop),
        floor: { ...rate(rawLoop), what: "same bytes, 16 in a synced commit" },
        ratio: pairedRatio(storeLoop, rawLoop),
      },
      besideScimmy("POST /Users", "create", ours, scimmy),
      besideScimmy("PATCH active", "switch", ours, scimmy),
    ],
    notes: [
      note("POST /Users", "create", ours, empty),
      note("PATCH active", "switch", ours, empty),
      `${String(storeLoop.length)} rounds for each server and kind of request.`,
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

/** No floor: another way to do the work, with less of it, since nothing is durable. */
function besideScimmy(name: string, job: Job, ours: Contestant, scimmy: Contestant): Row {
  return {
    measure: `${name} beside a bare scimmy server`,
    ours: rate(ours.rates(job)),
    floor: { ...rate(scimmy.rates(job)), what: "bare scimmy, in memory" },
    ratio: pairedRatio(ours.rates(job), scimmy.rates(job)),
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
