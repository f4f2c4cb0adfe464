/** The load generator: autocannon in a process of its own, whose own cost is told with each answer. */
import autocannon from "autocannon";
import { patchOf } from "../../support/scim-client.ts";
import { personBody } from "../people.ts";
import { teamName } from "../rule-book.ts";
import { serveParent } from "./serve-parent.ts";

const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

/** Where a SCIM server is. */
export interface Target {
  readonly url: string;
  readonly token: string;
}

export interface LoadRound {
  readonly target: Target;
  readonly connections: number;
  /** One of them: for how long, or how many. */
  readonly seconds?: number;
  readonly amount?: number;
  /**
   * `create`: people `from`, `from` + 1, … · `switch`: turns `ids` off and on again, in their order, from position `from` · `read`: each of
   * `ids` · `group`: teams of a hundred of the people that `create` made · `ask`: what the people of `ids` may.
   */
  readonly job: "create" | "switch" | "group" | "read" | "ask";
  readonly from: number;
  /** Keeps the ids of people that are made, for `group`. */
  readonly keep?: boolean;
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

/** Ids of people that rounds with `keep` made, in the order of the answers. */
const made: string[] = [];

serveParent({ load, create, list }, () => undefined);

async function load(round: LoadRound): Promise<LoadAnswer> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let endedAt = startedAt;
  let answered = 0;
  let next = round.from;
  let refused: string | undefined;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: round.target.url,
        connections: round.connections,
        ...(round.seconds === undefined ? {} : { duration: round.seconds }),
        ...(round.amount === undefined ? {} : { amount: round.amount }),
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
            onResponse: (status, body) => {
              if (status >= 300) refused ??= `${String(status)} ${body.slice(0, 300)}`;
              if (round.keep === true) made.push(idIn(body));
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
    const why = `${String(result.errors)} cut, ${String(result.timeouts)} late${refused === undefined ? "" : `, the first refusal: ${refused}`}`;
    throw new Error(`${String(failed)} of ${String(answered)} requests failed: ${why}`);
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
  if (round.job === "ask") {
    const id = round.ids[at % round.ids.length] ?? "";
    const body = {
      subject: { type: "user", id },
      action: { name: "messages:create", properties: { model: "claude-haiku-4-5" } },
      resource: { type: "connection", id: "anthropic" },
    };
    const authorization = `Bearer ${round.target.token}`;
    return {
      ...{ method: "POST", path: `${base}/evaluation`, body: JSON.stringify(body) },
      headers: { authorization, "content-type": "application/json" },
    };
  }
  if (round.job === "group") {
    const members = made.slice(at * 100, at * 100 + 100).map((value) => ({ value }));
    const body = { schemas: [groupSchema], displayName: teamName(at), members };
    return { method: "POST", path: `${base}/Groups`, body: JSON.stringify(body) };
  }
  const id = round.ids[at % round.ids.length] ?? "";
  if (round.job === "read") return { method: "GET", path: `${base}/Users/${id}` };
  const active = Math.floor(at / round.ids.length) % 2 === 1;
  return {
    method: "PATCH",
    path: `${base}/Users/${id}`,
    body: JSON.stringify(patchOf({ op: "replace", value: { active } })),
  };
}

/** The id of a resource without parsing it whole: the client should cost little. */
function idIn(body: string): string {
  const id = /"id":"([0-9a-f-]{36})"/.exec(body)?.[1];
  if (id === undefined) throw new Error("an answer without an id");
  return id;
}

export interface ListAnswer {
  readonly seen: number;
  readonly pages: number;
}

/** Walks a whole list in pages of 200, as identity providers do. */
async function list(order: {
  readonly target: Target;
  readonly path: string;
}): Promise<ListAnswer> {
  let seen = 0;
  for (let pages = 0; ; pages++) {
    const query = `?startIndex=${String(seen + 1)}&count=200`;
    const response = await fetch(`${order.target.url}${order.path}${query}`, {
      headers: { authorization: `Bearer ${order.target.token}` },
    });
    const page = (await response.json()) as { readonly Resources?: readonly unknown[] };
    if (page.Resources === undefined) throw new Error(`no list: ${String(response.status)}`);
    seen += page.Resources.length;
    if (page.Resources.length === 0) return { seen, pages };
  }
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
