import { z } from "zod";
import type { Clock } from "../model/clock.ts";
import type { Json } from "../model/json.ts";

type Input = Readonly<Record<string, Json | undefined>>;

/** One call of the operator interface. Rejects when the service does not answer: the demo then asks again. */
export type CallOperator = (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  input?: Input,
) => Promise<unknown>;

const targetsShape = z.object({
  targets: z.array(
    z.object({
      identityId: z.string(),
      userName: z.string().nullable(),
      accountId: z.string().nullable(),
      lifecycle: z.enum(["active", "departed"]),
      desired: z.array(
        z.object({
          kind: z.string(),
          objectId: z.string(),
          role: z.string(),
          because: z.array(z.string()),
        }),
      ),
      emails: z.array(z.string()),
      state: z.string(),
      code: z.string().nullable(),
      reason: z.string().nullable(),
      dueAt: z.number().nullable(),
    }),
  ),
  next: z.string().optional(),
});

export type TargetRow = z.output<typeof targetsShape>["targets"][number];

const explanationShape = z.object({
  connections: z
    .array(
      z.object({
        rules: z.array(z.object({ ruleId: z.string(), result: z.string(), outcome: z.string() })),
        desired: z.object({
          lifecycle: z.enum(["active", "departed"]),
          assignments: z.array(
            z.object({
              kind: z.string(),
              objectId: z.string(),
              role: z.string(),
              because: z.array(z.string()),
            }),
          ),
        }),
        observed: z
          .object({
            state: z.string(),
            role: z.string(),
            grants: z.array(
              z.object({
                kind: z.string(),
                objectId: z.string(),
                role: z.string(),
                implicit: z.boolean(),
              }),
            ),
          })
          .nullable(),
        plan: z.array(z.string()),
      }),
    )
    .length(1),
});

/** What `rolecall explain` says of one person at one connection. */
export type Told = z.output<typeof explanationShape>["connections"][number];

const holdsShape = z.object({
  holds: z.array(
    z.object({
      holdId: z.string(),
      rail: z.string(),
      connectionId: z.string().optional(),
      people: z.number(),
      count: z.number(),
      allowance: z.number(),
    }),
  ),
});

export type HoldRow = z.output<typeof holdsShape>["holds"][number];

const statusShape = z.object({
  backlog: z.object({ owed: z.number() }),
  lanes: z.array(z.object({ connectionId: z.string(), targets: z.record(z.string(), z.number()) })),
});

/** Waits that end by themselves only after the story: an invitation, a second look at a leaver's absence. */
const settledCodes = new Set(["INVITATION_OPEN", "VERIFY_AGAIN", "REPORT_ONLY"]);

/** The person at the operator's desk. Every question is asked again while the service is down: it may be killed at any moment. */
export class Operator {
  readonly #call: CallOperator;
  readonly #clock: Clock;
  readonly #assertAlive: () => void;

  constructor(call: CallOperator, clock: Clock, assertAlive: () => void) {
    this.#call = call;
    this.#clock = clock;
    this.#assertAlive = assertAlive;
  }

  async ask(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    input: Input = {},
  ): Promise<unknown> {
    const until = performance.now() + 60_000;
    for (;;) {
      try {
        return await this.#call(method, path, input);
      } catch (error) {
        this.#assertAlive();
        if (performance.now() > until || !isPassing(error)) throw error;
        await this.#clock.sleep(5_000);
      }
    }
  }

  async targets(connection: string): Promise<readonly TargetRow[]> {
    const rows: TargetRow[] = [];
    let after: string | undefined;
    do {
      const page = targetsShape.parse(
        await this.ask("GET", "/targets", { connection, after, limit: 500 }),
      );
      rows.push(...page.targets);
      after = page.next;
    } while (after !== undefined);
    return rows;
  }

  async explanation(identityId: string, connection: string): Promise<Told> {
    const answer = await this.ask("GET", "/explain", { identity: identityId, connection });
    const [told] = explanationShape.parse(answer).connections;
    if (told === undefined) throw new Error(`nothing is explained of ${identityId}`);
    return told;
  }

  async openHolds(): Promise<readonly HoldRow[]> {
    return holdsShape.parse(await this.ask("GET", "/holds", { state: "open" })).holds;
  }

  async newToken(idp: string): Promise<string> {
    const answer = await this.ask("POST", "/tokens", { kind: "scim", idp, label: "demo" });
    return z.object({ token: z.string() }).parse(answer).token;
  }

  /** A source may be there already, where the answer to its making was lost: then it gets a new secret. */
  async newHrSecret(source: string): Promise<string> {
    const shape = z.object({ secret: z.string() });
    try {
      return shape.parse(await this.ask("POST", "/hr/sources", { source })).secret;
    } catch (error) {
      if (!(error instanceof Error && "status" in error && error.status === 409)) throw error;
      return shape.parse(await this.ask("POST", `/hr/sources/${source}/secrets`)).secret;
    }
  }

  /** One line about where everything stands. */
  async summary(): Promise<string> {
    const { backlog, lanes } = statusShape.parse(await this.ask("GET", "/status"));
    const parts = lanes.map(
      (lane) =>
        `${lane.connectionId}: ${
          Object.entries(lane.targets)
            .map(([state, count]) => `${String(count)} ${state}`)
            .join(", ") || "nobody yet"
        }`,
    );
    return [...parts, ...(backlog.owed > 0 ? [`${String(backlog.owed)} to recompute`] : [])].join(
      "  |  ",
    );
  }

  /** Whether nothing is owed and nobody moves: only decisions, acceptances and later looks are waited for. */
  async isQuiet(connections: readonly string[]): Promise<boolean> {
    const { backlog } = statusShape.parse(await this.ask("GET", "/status"));
    if (backlog.owed > 0) return false;
    for (const connection of connections) {
      const rows = await this.targets(connection);
      const moving = rows.some(
        (row) =>
          row.state === "due" || (row.state === "waiting" && !settledCodes.has(row.code ?? "")),
      );
      if (moving) return false;
    }
    return true;
  }
}

/** No answer at all, or one that says "not now". */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = "status" in error ? error.status : undefined;
  return status === undefined || status === 503;
}
