/** The load generator: autocannon in a process of its own, whose own cost is told with each answer. */
import autocannon from "autocannon";
import { patchOf } from "../../support/scim-client.ts";
import { personBody } from "../people.ts";
import { serveParent } from "./serve-parent.ts";

/** Where a SCIM server is. */
export interface Target {
  readonly url: string;
  readonly token: string;
}

export interface LoadRound {
  readonly target: Target;
  readonly connections: number;
  readonly seconds: number;
  /** `create`: people `from`, `from` + 1, … · `switch`: turns `ids` off and on again, in their order, from position `from`. */
  readonly job: "create" | "switch";
  readonly from: number;
  readonly ids: readonly string[];
}

export interface LoadAnswer {
  readonly answered: number;
  readonly perSecond: number;
  /** Where the next round goes on. */
  readonly next: number;
  /** Milliseconds, as the client saw them. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of processor time of this process for each request. */
  readonly clientCpuUs: number;
}

serveParent({ load, create }, () => undefined);

async function load(round: LoadRound): Promise<LoadAnswer> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let endedAt = startedAt;
  let answered = 0;
  let next = round.from;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: round.target.url,
        connections: round.connections,
        duration: round.seconds,
        timeout: 20,
        headers: {
          authorization: `Bearer ${round.target.token}`,
          "content-type": "application/scim+json",
        },
        requests: [
          {
            setupRequest: (request) => {
              const at = next++;
              return { ...request, ...requestOf(round, at) };
            },
          },
        ],
      },
      (error: unknown, done) => {
        if (error instanceof Error) reject(error);
        else resolve(done);
      },
    );
    instance.on("response", () => {
      endedAt = performance.now();
      answered += 1;
    });
  });
  const failed = result.errors + result.timeouts + result.non2xx;
  if (failed > 0 || answered === 0) {
    throw new Error(`${String(failed)} of ${String(answered)} requests failed`);
  }
  const cpu = process.cpuUsage(cpuBefore);
  return {
    answered,
    perSecond: answered / ((endedAt - startedAt) / 1_000),
    next,
    p50: result.latency.p50,
    p99: result.latency.p99,
    clientCpuUs: (cpu.user + cpu.system) / answered,
  };
}

function requestOf(round: LoadRound, at: number): autocannon.Request {
  const base = new URL(round.target.url).pathname;
  if (round.job === "create") {
    return { method: "POST", path: `${base}/Users`, body: JSON.stringify(personBody(at)) };
  }
  const id = round.ids[at % round.ids.length] ?? "";
  const active = Math.floor(at / round.ids.length) % 2 === 1;
  return {
    method: "PATCH",
    path: `${base}/Users/${id}`,
    body: JSON.stringify(patchOf({ op: "replace", value: { active } })),
  };
}

/** Makes people whose ids are needed; not timed. */
async function create(order: {
  readonly target: Target;
  readonly from: number;
  readonly count: number;
}): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let at = 0; at < order.count; at += 32) {
    const slice = Array.from({ length: Math.min(32, order.count - at) }, (_, of) => at + of);
    const made = await Promise.all(slice.map((of) => createOne(order.target, order.from + of)));
    ids.push(...made);
  }
  return ids;
}

async function createOne(target: Target, at: number): Promise<string> {
  const response = await fetch(`${target.url}/Users`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${target.token}`,
      "content-type": "application/scim+json",
    },
    body: JSON.stringify(personBody(at)),
  });
  const body = (await response.json()) as { readonly id?: string };
  if (body.id === undefined) throw new Error(`no person made: ${String(response.status)}`);
  return body.id;
}
